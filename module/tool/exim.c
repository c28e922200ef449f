/* exim.c - see exim.h. */
#include "tool/exim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/text.h"

#define OUTPUT_SIZE  16384
#define WAIT_MS      5000
#define EXIT_NO_EXEC 127

/* input: -1 leaves standard input as it is. */
struct command {
	const char *words[RTLS_EXIM_WORDS_MAX + 1];
	int input;
};

/* After fork: only calls that are safe there (signal-safety(7)). */
static void run_child(const struct command *command, int output)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = { path, NULL };
	char *argv[RTLS_EXIM_WORDS_MAX + 1];

	(void)signal(SIGPIPE, SIG_DFL);
	if (command->input >= 0 && dup2(command->input, STDIN_FILENO) < 0)
		_exit(EXIT_NO_EXEC);
	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(EXIT_NO_EXEC);
	closefrom(STDERR_FILENO + 1);
	/* It wants writable texts; nobody writes to them. */
	for (size_t i = 0; i <= RTLS_EXIM_WORDS_MAX; i++)
		argv[i] = (char *)(size_t)command->words[i];
	execve(argv[0], argv, environment);
	_exit(EXIT_NO_EXEC);
}

/* Until the end, the cap, or a pause that is too long. */
static size_t read_output(int fd, char *output, size_t output_size)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t size = 0;

	while (size < output_size) {
		ssize_t n;

		if (poll(&wait, 1, WAIT_MS) <= 0)
			break;
		n = read(fd, output + size, output_size - size);
		if (n <= 0)
			break;
		size += (size_t)n;
	}
	return size;
}

/* What the program printed, which is nothing when it could not be started. */
static struct rtls_slice run(
	const struct command *command, char *output, size_t output_size)
{
	int pipe_fd[2], status;
	size_t size;
	pid_t pid;

	(void)signal(SIGCHLD, SIG_DFL);
	if (pipe2(pipe_fd, O_CLOEXEC) != 0)
		return rtls_slice_n(output, 0);
	pid = fork();
	if (pid == 0)
		run_child(command, pipe_fd[1]);
	(void)close(pipe_fd[1]);
	size = pid > 0 ? read_output(pipe_fd[0], output, output_size) : 0;
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
	const struct command command = { { program, "-bV" }, -1 };
	char output[OUTPUT_SIZE];

	if (rtls_exim_version_parse(
		    run(&command, output, sizeof(output)), version) == RTLS_OK)
		return RTLS_OK;
	rtls_err_set(err, "%.200s -bV gave no version", program);
	return RTLS_TEMPORARY;
}

enum rtls_status rtls_exim_option(
	const char *program, const char *name, char *value, size_t value_size)
{
	const struct command command = { { program, "-bP", name }, -1 };
	char output[OUTPUT_SIZE];
	struct rtls_slice rest = run(&command, output, sizeof(output)), line,
			  key;

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
	const struct command command = { { program, "-bP", "macro", name },
		-1 };
	char output[OUTPUT_SIZE];
	struct rtls_slice rest = run(&command, output, sizeof(output)), line,
			  key;
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

/* The lines and the empty one behind them, to be read from its beginning. -1: no room. */
static int open_message(const char *header)
{
	const size_t size = strlen(header);
	int fd = memfd_create("message", MFD_CLOEXEC);

	if (fd >= 0 && (write(fd, header, size) != (ssize_t)size ||
			       write(fd, "\n", 1) != 1 ||
			       lseek(fd, 0, SEEK_SET) != 0)) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

struct rtls_slice rtls_exim_expand_message(const char *program,
	const char *header, const char *const *expansions, char *output,
	size_t output_size)
{
	struct command command = { { program, "-bem", "/dev/stdin" },
		open_message(header) };
	struct rtls_slice answer = rtls_slice_n(output, 0);

	if (command.input < 0)
		return answer;
	for (size_t i = 3; i < RTLS_EXIM_WORDS_MAX && *expansions != NULL; i++)
		command.words[i] = *expansions++;
	answer = run(&command, output, output_size);
	(void)close(command.input);
	return answer;
}

struct rtls_slice rtls_exim_run(
	const char *const *words, char *output, size_t output_size)
{
	struct command command = { { NULL }, -1 };

	for (size_t i = 0; i < RTLS_EXIM_WORDS_MAX && words[i] != NULL; i++)
		command.words[i] = words[i];
	return run(&command, output, output_size);
}

struct rtls_slice rtls_exim_print(
	const char *program, const char *what, char *output, size_t output_size)
{
	const struct command command = { { program, "-bP", what }, -1 };

	return run(&command, output, output_size);
}
