/* helper.c - see helper.h. */
#include "exim/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exim/api.h"

/* What the child exits with when it cannot become the program. */
#define EXIT_NO_START 71

/* What is small may take that long. */
#define WORK_MS 3000

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct identity {
	uid_t uid;
	gid_t gid;
};

/* Exim says who its user is; 0 would mean that root stays root. */
static enum rtls_status identity_get(struct identity *identity)
{
	unsigned long long uid, gid;

	if (!rtls_slice_number(
		    rtls_exim_value("$exim_uid"), UINT32_MAX, &uid) ||
		!rtls_slice_number(
			rtls_exim_value("$exim_gid"), UINT32_MAX, &gid) ||
		uid == 0)
		return RTLS_INVALID;
	identity->uid = (uid_t)uid;
	identity->gid = (gid_t)gid;
	return RTLS_OK;
}

/* What is to be run, and how long it is waited for. */
struct errand {
	const char *program;
	char *const *argv;
	unsigned life_ms; /* it is ended after that */
	unsigned wait_ms; /* it is left alone after that, when it is less */
};

/* In the child: become the Exim user for good. */
static void drop_root(const struct identity *identity)
{
	if (geteuid() != 0)
		return;
	if (setgroups(0, NULL) != 0 ||
		setresgid(identity->gid, identity->gid, identity->gid) != 0 ||
		setresuid(identity->uid, identity->uid, identity->uid) != 0 ||
		setuid(0) == 0)
		_exit(EXIT_NO_START);
}

static void redirect(int from, int to)
{
	if (dup2(from, to) < 0)
		_exit(EXIT_NO_START);
}

/* In the child. Only async-signal-safe calls: Exim may have threads. */
static void child_run(const struct errand *errand, int output,
	const struct identity *identity)
{
	static char path[] = "PATH=/usr/bin:/bin";
	static char *const environment[] = { path, NULL };
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	setpgid(0, 0);
	redirect(null, STDIN_FILENO);
	redirect(output, STDOUT_FILENO);
	redirect(null, STDERR_FILENO);
	if (close_range(3, ~0U, 0) != 0)
		_exit(EXIT_NO_START);
	drop_root(identity);
	/* The program does so too; this one it cannot leave out. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		_exit(EXIT_NO_START);
	/* Nobody is going to kill it: it has to end by itself. */
	if (errand->wait_ms < errand->life_ms)
		alarm(errand->life_ms / 1000 + 1);
	execve(errand->program, errand->argv, environment);
	_exit(EXIT_NO_START);
}

/* Read until the end of output or of the budget. RTLS_NONE: that of the budget. */
static enum rtls_status output_read(int fd, int64_t deadline_ms,
	struct rtls_text *answer, struct rtls_err *err)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };
	char chunk[4096];

	while (!answer->overflow) {
		int64_t left = deadline_ms - now_ms();
		ssize_t count;

		if (left <= 0 || poll(&input, 1, (int)left) == 0) {
			rtls_err_set(err, "no answer within the time budget");
			return RTLS_NONE;
		}
		count = read(fd, chunk, sizeof(chunk));
		if (count == 0)
			return RTLS_OK;
		if (count > 0) {
			rtls_text_add(
				answer, rtls_slice_n(chunk, (size_t)count));
		} else if (errno != EINTR && errno != EAGAIN) {
			rtls_err_set(
				err, "reading from it: %s", strerror(errno));
			return RTLS_TEMPORARY;
		}
	}
	rtls_err_set(err, "its answer is too long");
	return RTLS_TEMPORARY;
}

/* It gets until the deadline to end by itself, then it is killed with all it started. */
static enum rtls_status child_reap(
	pid_t pid, int64_t deadline_ms, bool at_once, struct rtls_err *err)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int status = 0;
	pid_t ended;

	for (;;) {
		if (at_once || now_ms() >= deadline_ms) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			at_once = false;
			deadline_ms = INT64_MAX;
		}
		ended = waitpid(pid, &status, WNOHANG);
		if (ended == pid || (ended < 0 && errno != EINTR))
			break;
		nanosleep(&pause, NULL);
	}
	if (ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return RTLS_OK;
	if (ended == pid && WIFEXITED(status))
		rtls_err_set(err,
			WEXITSTATUS(status) == EXIT_NO_START
				? "it could not be started (exit %d)"
				: "it ended with exit status %d",
			WEXITSTATUS(status));
	else
		rtls_err_set(err, "it did not end by itself");
	return RTLS_TEMPORARY;
}

/* "error <why>" is what a program in trouble says instead of a record. */
static void explain(const struct rtls_text *answer, const struct rtls_err *end,
	struct rtls_err *err)
{
	struct rtls_slice said = rtls_text_slice(answer);
	struct rtls_slice word = rtls_slice_take(&said, ' ');
	struct rtls_quoted quoted;

	said = rtls_slice_take(&said, '\n');
	if (rtls_slice_is(word, "error"))
		rtls_err_set(
			err, "%s: %s", end->text, rtls_quoted(&quoted, said));
	else
		rtls_err_set(err, "%s", end->text);
}

static enum rtls_status child_talk(const struct errand *errand, pid_t pid,
	int output, struct rtls_text *answer, struct rtls_err *err)
{
	const int64_t deadline_ms = now_ms() + errand->wait_ms;
	struct rtls_err end;
	enum rtls_status read = output_read(output, deadline_ms, answer, err);
	enum rtls_status ended;

	close(output);
	/* It is not waited for: what remains of it goes with this process. */
	if (read == RTLS_NONE && errand->wait_ms < errand->life_ms)
		return RTLS_TEMPORARY;
	ended = child_reap(pid, deadline_ms, read != RTLS_OK, &end);
	if (read != RTLS_OK)
		return RTLS_TEMPORARY;
	if (ended != RTLS_OK)
		explain(answer, &end, err);
	return ended;
}

/* Start it with its output on a pipe of ours. RTLS_OK: pid and output are set. */
static enum rtls_status child_start(const struct errand *errand, pid_t *pid,
	int *output, struct rtls_err *err)
{
	struct identity identity;
	int fds[2];

	if (identity_get(&identity) != RTLS_OK) {
		rtls_err_set(err, "this Exim runs as no user of its own");
		return RTLS_TEMPORARY;
	}
	if (pipe2(fds, O_CLOEXEC) != 0) {
		rtls_err_set(err, "pipe: %s", strerror(errno));
		return RTLS_TEMPORARY;
	}
	*pid = fork();
	if (*pid == 0)
		child_run(errand, fds[1], &identity);
	close(fds[1]);
	if (*pid < 0) {
		rtls_err_set(err, "fork: %s", strerror(errno));
		close(fds[0]);
		return RTLS_TEMPORARY;
	}
	*output = fds[0];
	return RTLS_OK;
}

/* In the child: nothing of Exim's but its image. */
static void child_work(int (*work)(void *context), void *context,
	const struct identity *identity)
{
	sigset_t all;

	/* What Exim does on a signal is for Exim to do. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (close_range(3, ~0U, 0) != 0)
		_exit(EXIT_NO_START);
	drop_root(identity);
	_exit(work(context));
}

/* Until it has ended, or the deadline; what reaps it says which. Without a pidfd that looks each
 * millisecond. */
static void wait_for_end(pid_t pid, int64_t deadline_ms)
{
	struct pollfd end = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int64_t left_ms = deadline_ms - now_ms();

	if (end.fd < 0)
		return;
	while (left_ms > 0 && poll(&end, 1, (int)left_ms) < 0 && errno == EINTR)
		left_ms = deadline_ms - now_ms();
	close(end.fd);
}

int rtls_helper_as_exim(int (*work)(void *context), void *context)
{
	const struct sigaction ordinary = { .sa_handler = SIG_DFL };
	const int64_t deadline_ms = now_ms() + WORK_MS;
	enum rtls_status ended = RTLS_TEMPORARY;
	struct sigaction saved;
	struct identity identity;
	struct rtls_err err;
	pid_t pid;

	if (geteuid() != 0)
		return work(context);
	if (identity_get(&identity) != RTLS_OK)
		return EXIT_NO_START;
	sigaction(SIGCHLD, &ordinary, &saved);
	pid = fork();
	if (pid == 0)
		child_work(work, context, &identity);
	if (pid > 0) {
		/* Who is the Exim user may have stopped it. */
		wait_for_end(pid, deadline_ms);
		ended = child_reap(pid, deadline_ms, false, &err);
	}
	sigaction(SIGCHLD, &saved, NULL);
	return ended == RTLS_OK ? 0 : EXIT_NO_START;
}

enum rtls_status rtls_helper_resolve(const struct rtls_config *config,
	const char *domain, bool fresh, unsigned wait_ms,
	struct rtls_text *answer, struct rtls_err *err)
{
	const char *argv[] = { "exim-requiretls", "resolve", "--record",
		fresh ? "--fresh" : "--", fresh ? "--" : domain,
		fresh ? domain : NULL, NULL };
	const struct errand errand = { .program = config->program,
		.argv = (char *const *)(void *)argv,
		.life_ms = config->resolve_timeout_ms,
		.wait_ms = wait_ms < config->resolve_timeout_ms
				   ? wait_ms
				   : config->resolve_timeout_ms };
	/* Exim may have SIGCHLD ignored, and waitpid() would not work. */
	const struct sigaction ordinary = { .sa_handler = SIG_DFL };
	struct sigaction saved;
	enum rtls_status status;
	int output;
	pid_t pid;

	sigaction(SIGCHLD, &ordinary, &saved);
	status = child_start(&errand, &pid, &output, err);
	if (status == RTLS_OK)
		status = child_talk(&errand, pid, output, answer, err);
	sigaction(SIGCHLD, &saved, NULL);
	return status;
}
