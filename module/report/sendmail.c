/* sendmail.c - one child process. Its standard input and output are files in
 * memory, not pipes: nothing to block on, no signal to get, and what
 * it wrote is read once it has ended. */
#include "sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "report/rua.h"

#define POLL_MS      10
#define GRACE_MS     2000 /* between SIGTERM and SIGKILL */
#define EXIT_NO_EXEC 127
#define OUTPUT_MAX   160

struct child {
	int input;
	int output;
	pid_t pid;
	int status;
};

static int open_input(struct rtls_slice message)
{
	int fd = memfd_create("report", MFD_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < message.size) {
		ssize_t n = write(fd, message.data + done, message.size - done);

		if (n <= 0 && errno != EINTR) {
			close(fd);
			return -1;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* After fork: only calls that are safe there (signal-safety(7)). */
static void run_child(const struct child *child, char *const argv[])
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char locale[] = "LC_ALL=C";
	char *const environment[] = { path, locale, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (dup2(child->input, STDIN_FILENO) < 0 ||
		dup2(child->output, STDOUT_FILENO) < 0 ||
		dup2(child->output, STDERR_FILENO) < 0)
		_exit(EXIT_NO_EXEC);
	closefrom(STDERR_FILENO + 1);
	execve(argv[0], argv, environment);
	_exit(EXIT_NO_EXEC);
}

/* Wait up to timeout_ms; true when the child ended. */
static bool wait_child(struct child *child, unsigned timeout_ms)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };

	for (unsigned waited_ms = 0;; waited_ms += POLL_MS) {
		pid_t pid = waitpid(child->pid, &child->status, WNOHANG);

		if (pid == child->pid)
			return true;
		if (waited_ms >= timeout_ms)
			return false;
		nanosleep(&pause, NULL);
	}
}

/* Its process group. An Exim that has become root for good gets no signal of ours: then it is left alone,
 * for nobody waits for ever. */
static void end_child(struct child *child)
{
	kill(-child->pid, SIGTERM);
	if (wait_child(child, GRACE_MS))
		return;
	kill(-child->pid, SIGKILL);
	(void)wait_child(child, GRACE_MS);
}

static void explain_failure(const struct child *child, struct rtls_err *err)
{
	char output[OUTPUT_MAX];
	struct rtls_quoted quoted;
	ssize_t size = pread(child->output, output, sizeof(output), 0);
	struct rtls_slice text =
		rtls_slice_n(output, size > 0 ? (size_t)size : 0);

	while (text.size > 0 && (text.data[text.size - 1] == '\n' ||
					text.data[text.size - 1] == '\r'))
		text.size--;
	if (WIFSIGNALED(child->status))
		rtls_err_set(err, "sendmail ended by signal %d",
			WTERMSIG(child->status));
	else if (WEXITSTATUS(child->status) == EXIT_NO_EXEC && text.size == 0)
		rtls_err_set(err, "the sendmail program cannot be started");
	else
		rtls_err_set(err, "sendmail ended with status %d: %s",
			WEXITSTATUS(child->status), rtls_quoted(&quoted, text));
}

static enum rtls_status run(struct child *child, char *const argv[],
	unsigned timeout_ms, struct rtls_err *err)
{
	/* An ignored SIGCHLD, inherited perhaps, would lose the status. */
	signal(SIGCHLD, SIG_DFL);
	child->pid = fork();
	if (child->pid < 0) {
		rtls_err_set(err, "cannot fork: %s", strerror(errno));
		return RTLS_TEMPORARY;
	}
	if (child->pid == 0)
		run_child(child, argv);
	if (!wait_child(child, timeout_ms)) {
		end_child(child);
		rtls_err_set(err, "sendmail took longer than %u s",
			timeout_ms / 1000);
		return RTLS_TEMPORARY;
	}
	if (WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0)
		return RTLS_OK;
	explain_failure(child, err);
	return RTLS_TEMPORARY;
}

/* argv wants writable texts; nobody writes to them. */
static enum rtls_status run_sendmail(struct child *child, const char *program,
	char *to, unsigned timeout_ms, struct rtls_err *err)
{
	char ignore_dots[] = "-oi", sender[] = "-f", empty[] = "<>";
	char protocol[] = "-oMr", tlsrpt[] = "tlsrpt", end_of_options[] = "--";
	char path[RTLS_CONFIG_VALUE_MAX];
	char *const argv[] = { path, ignore_dots, protocol, tlsrpt, sender,
		empty, end_of_options, to, NULL };

	if (!rtls_slice_copy(rtls_slice(program), path, sizeof(path))) {
		rtls_err_set(err, "the path of sendmail is too long");
		return RTLS_TEMPORARY;
	}
	return run(child, argv, timeout_ms, err);
}

enum rtls_status rtls_sendmail(const struct rtls_config *config,
	const char *address, struct rtls_slice message, unsigned timeout_ms,
	struct rtls_err *err)
{
	struct child child = { .output = -1 };
	char to[RTLS_ADDRESS_SIZE];
	enum rtls_status status = RTLS_TEMPORARY;

	if (!rtls_rua_address(rtls_slice(address), to)) {
		rtls_err_set(err, "not a plain address");
		return RTLS_TEMPORARY;
	}
	child.input = open_input(message);
	child.output = memfd_create("output", MFD_CLOEXEC);
	if (child.input >= 0 && child.output >= 0)
		status = run_sendmail(
			&child, config->sendmail, to, timeout_ms, err);
	else
		rtls_err_set(
			err, "no memory for the message: %s", strerror(errno));
	if (child.input >= 0)
		close(child.input);
	if (child.output >= 0)
		close(child.output);
	return status;
}
