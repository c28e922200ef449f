/* command.c - see command.h. */
#include "tool/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_NO_EXEC 127
#define FIRST_IN     3
#define PAUSE_NS     1000000L

/* After fork: only calls that are safe there (signal-safety(7)). */
static void run_child(const struct rtls_command *command,
	const char *const *words, int output, const int in[2])
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = { path, NULL };
	char *argv[RTLS_COMMAND_WORDS] = { NULL };
	int input = command->input > 0
			    ? command->input
			    : open("/dev/null", O_RDONLY | O_CLOEXEC);
	int last = STDERR_FILENO;

	static const int signals[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
	if (input < 0 || dup2(input, STDIN_FILENO) < 0 ||
		dup2(output, STDOUT_FILENO) < 0 ||
		dup2(output, STDERR_FILENO) < 0)
		_exit(EXIT_NO_EXEC);
	if (in != NULL) {
		/* Out of the way first. */
		int a = fcntl(in[0], F_DUPFD_CLOEXEC, FIRST_IN + 2);
		int b = fcntl(in[1], F_DUPFD_CLOEXEC, FIRST_IN + 2);

		if (a < 0 || b < 0 || dup2(a, FIRST_IN) < 0 ||
			dup2(b, FIRST_IN + 1) < 0)
			_exit(EXIT_NO_EXEC);
		last = FIRST_IN + 1;
	}
	closefrom(last + 1);
	/* It wants writable texts; nobody writes to them. */
	for (size_t i = 0; i < RTLS_COMMAND_WORDS - 1 && words[i] != NULL; i++)
		argv[i] = (char *)(size_t)words[i];
	execve(argv[0], argv, environment);
	_exit(EXIT_NO_EXEC);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the end or the deadline; what is too much is read all the same. */
static bool read_output(
	struct rtls_command *command, int fd, int64_t deadline_ms)
{
	char rest[4096];

	for (;;) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		const size_t room = command->output_max - command->size;
		int64_t left_ms = deadline_ms - now_ms();
		ssize_t n;

		if (left_ms <= 0)
			return false;
		/* Without anything to read, read() would wait for ever. */
		if (poll(&wait, 1, (int)left_ms) <= 0)
			continue;
		n = room > 0 ? read(fd, command->output + command->size, room)
			     : read(fd, rest, sizeof(rest));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		if (room > 0)
			command->size += (size_t)n;
	}
}

/* It may live on when it has closed its outputs. */
static int wait_for(pid_t pid, int64_t deadline_ms)
{
	const struct timespec pause = { 0, PAUSE_NS };
	int state = -1;

	for (;;) {
		const pid_t ended = waitpid(pid, &state, WNOHANG);

		if (ended == pid || (ended < 0 && errno != EINTR))
			return ended == pid ? state : -1;
		if (now_ms() >= deadline_ms)
			(void)kill(pid, SIGKILL);
		(void)nanosleep(&pause, NULL);
	}
}

bool rtls_command_run(
	struct rtls_command *command, const char *const *words, const int in[2])
{
	const int64_t deadline_ms = now_ms() + (int64_t)command->limit_s * 1000;
	int pipe_fd[2], state;
	pid_t pid;

	command->exit_status = -1;
	command->size = 0;
	(void)signal(SIGCHLD, SIG_DFL);
	if (pipe2(pipe_fd, O_CLOEXEC) != 0)
		return false;
	pid = fork();
	if (pid == 0)
		run_child(command, words, pipe_fd[1], in);
	(void)close(pipe_fd[1]);
	if (pid > 0) {
		if (!read_output(command, pipe_fd[0], deadline_ms))
			(void)kill(pid, SIGKILL);
		state = wait_for(pid, deadline_ms);
		if (state >= 0 && WIFEXITED(state))
			command->exit_status = WEXITSTATUS(state);
	}
	(void)close(pipe_fd[0]);
	return command->exit_status == 0;
}

struct rtls_slice rtls_command_output(const struct rtls_command *command)
{
	return rtls_slice_n(command->output, command->size);
}
