/* exim.c - see exim.h. */
#include "tool/exim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/text.h"

#define OUTPUT_SIZE  16384
#define WAIT_MS      5000
#define EXIT_NO_EXEC 127
#define WORDS_MAX    4

/* After fork: only calls that are safe there (signal-safety(7)). */
static void run_child(const char *const words[WORDS_MAX + 1], int output)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = { path, NULL };
	char *argv[WORDS_MAX + 1];

	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(EXIT_NO_EXEC);
	closefrom(STDERR_FILENO + 1);
	/* It wants writable texts; nobody writes to them. */
	for (size_t i = 0; i <= WORDS_MAX; i++)
		argv[i] = (char *)(size_t)words[i];
	execve(argv[0], argv, environment);
	_exit(EXIT_NO_EXEC);
}

/* Until the end, the cap, or a pause that is too long. */
static size_t read_output(int fd, char output[OUTPUT_SIZE])
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t size = 0;

	while (size < OUTPUT_SIZE) {
		ssize_t n;

		if (poll(&wait, 1, WAIT_MS) <= 0)
			break;
		n = read(fd, output + size, OUTPUT_SIZE - size);
		if (n <= 0)
			break;
		size += (size_t)n;
	}
	return size;
}

/* What the program printed, which is nothing when it could not be started. */
static struct rtls_slice run(
	const char *const words[WORDS_MAX + 1], char output[OUTPUT_SIZE])
{
	int pipe_fd[2], status;
	size_t size;
	pid_t pid;

	(void)signal(SIGCHLD, SIG_DFL);
	if (pipe2(pipe_fd, O_CLOEXEC) != 0)
		return rtls_slice_n(output, 0);
	pid = fork();
	if (pid == 0)
		run_child(words, pipe_fd[1]);
	(void)close(pipe_fd[1]);
	size = pid > 0 ? read_output(pipe_fd[0], output) : 0;
	(void)close(pipe_fd[0]);
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	}
	return rtls_slice_n(output, size);
}

enum rtls_status rtls_exim_ask(const char *program,
	struct rtls_exim_version *version, struct rtls_err *err)
{
	const char *const words[WORDS_MAX + 1] = { program, "-bV" };
	char output[OUTPUT_SIZE];

	if (rtls_exim_version_parse(run(words, output), version) == RTLS_OK)
		return RTLS_OK;
	rtls_err_set(err, "%.200s -bV gave no version", program);
	return RTLS_TEMPORARY;
}

enum rtls_status rtls_exim_option(
	const char *program, const char *name, char *value, size_t value_size)
{
	const char *const words[WORDS_MAX + 1] = { program, "-bP", name };
	char output[OUTPUT_SIZE];
	struct rtls_slice rest = run(words, output), line, key;

	while (rtls_slice_line(&rest, &line)) {
		key = rtls_slice_trim(rtls_slice_take(&line, '='));
		if (!rtls_slice_is(key, name))
			continue;
		rtls_quote(value, value_size, rtls_slice_trim(line));
		return RTLS_OK;
	}
	return RTLS_NONE;
}

enum rtls_status rtls_exim_macro(
	const char *program, const char *name, char *value, size_t value_size)
{
	const char *const words[WORDS_MAX + 1] = { program, "-bP", "macro",
		name };
	char output[OUTPUT_SIZE];
	struct rtls_slice rest = run(words, output), line, key;
	enum rtls_status status = RTLS_TEMPORARY;

	while (rtls_slice_line(&rest, &line)) {
		struct rtls_slice value_text = line;

		key = rtls_slice_trim(rtls_slice_take(&value_text, '='));
		if (rtls_slice_is(key, name))
			return rtls_slice_copy(rtls_slice_trim(value_text),
				       value, value_size)
				       ? RTLS_OK
				       : RTLS_INVALID;
		if (rtls_slice_ends_nocase(line, rtls_slice(" not found")))
			status = RTLS_NONE;
	}
	return status;
}
