/* exim.c - see exim.h. */
#include "tool/exim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_SIZE  16384
#define WAIT_MS      5000
#define EXIT_NO_EXEC 127

/* After fork: only calls that are safe there (signal-safety(7)). */
static void run_child(const char *program, int output)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char option[] = "-bV";
	char *const environment[] = { path, NULL };
	char *const argv[] = { (char *)(size_t)program, option, NULL };

	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(EXIT_NO_EXEC);
	closefrom(STDERR_FILENO + 1);
	execve(program, argv, environment);
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

enum rtls_status rtls_exim_ask(const char *program,
	struct rtls_exim_version *version, struct rtls_err *err)
{
	char output[OUTPUT_SIZE];
	int pipe_fd[2], status;
	size_t size;
	pid_t pid;

	(void)signal(SIGCHLD, SIG_DFL);
	if (pipe2(pipe_fd, O_CLOEXEC) != 0) {
		rtls_err_set(err, "%s", strerror(errno));
		return RTLS_TEMPORARY;
	}
	pid = fork();
	if (pid == 0)
		run_child(program, pipe_fd[1]);
	(void)close(pipe_fd[1]);
	size = pid > 0 ? read_output(pipe_fd[0], output) : 0;
	(void)close(pipe_fd[0]);
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	}
	if (rtls_exim_version_parse(rtls_slice_n(output, size), version) ==
		RTLS_OK)
		return RTLS_OK;
	rtls_err_set(err, "%.200s -bV gave no version", program);
	return RTLS_TEMPORARY;
}
