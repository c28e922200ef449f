/* probes.c - see probes.h. A child writes its struct rtls_probe into a pipe and ends. */
#include "probes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stream.h"

#define HOST_MS  30000 /* one probe takes no longer, whatever time there is */
#define GRACE_MS 2000  /* behind its time, before a child is ended */
#define CPU_S    20

struct child {
	pid_t pid; /* 0: none */
	int fd;
	size_t index;
	size_t size; /* bytes that have come */
	int64_t end_ms;
};

struct run {
	const struct rtls_config *config;
	const struct rtls_probes *all;
	size_t next, done;
	int64_t deadline_ms;
	struct child child[RTLS_PROBES_AT_A_TIME];
};

static void give_up(struct rtls_probe *probe, const char *why)
{
	memset(probe, 0, sizeof(*probe));
	(void)snprintf(probe->why, sizeof(probe->why), "%s", why);
}

static void write_all(int fd, const void *data, size_t size)
{
	const char *bytes = data;

	while (size > 0) {
		ssize_t n = write(fd, bytes, size);

		if (n <= 0 && errno != EINTR)
			return;
		bytes += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
}

static void run_child(
	const struct run *run, size_t index, unsigned time_ms, int fd)
{
	const struct rlimit cpu = { CPU_S, CPU_S }, core = { 0, 0 };
	struct rtls_probe *probe = &run->all->probes[index];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setrlimit(RLIMIT_CPU, &cpu);
	(void)setrlimit(RLIMIT_CORE, &core);
	rtls_probe_run(run->config, &run->all->targets[index], time_ms, probe);
	write_all(fd, probe, sizeof(*probe));
	_exit(0);
}

/* A probe that cannot be begun is one that failed. */
static void start(struct run *run, struct child *child)
{
	size_t index = run->next++;
	int64_t left_ms = run->deadline_ms - rtls_stream_now_ms();
	unsigned time_ms = left_ms > HOST_MS ? HOST_MS
			   : left_ms > 0     ? (unsigned)left_ms
					     : 0;
	int fds[2];

	give_up(&run->all->probes[index], "no time was left for it");
	if (time_ms == 0 || pipe2(fds, O_CLOEXEC) != 0) {
		run->done++;
		return;
	}
	*child = (struct child){ .fd = fds[0],
		.index = index,
		.end_ms = rtls_stream_now_ms() + time_ms + GRACE_MS };
	child->pid = fork();
	if (child->pid == 0)
		run_child(run, index, time_ms, fds[1]);
	(void)close(fds[1]);
	if (child->pid > 0)
		return;
	give_up(&run->all->probes[index], "no process could be started for it");
	(void)close(fds[0]);
	child->pid = 0;
	run->done++;
}

static void finish(struct run *run, struct child *child)
{
	int status;

	(void)kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	(void)close(child->fd);
	child->pid = 0;
	run->done++;
}

static void seal_verdict(struct rtls_certificate_verdict *verdict)
{
	if (verdict->result >= RTLS_RESULT_COUNT)
		verdict->result = RTLS_RESULT_VALIDATION_FAILURE;
	verdict->text[sizeof(verdict->text) - 1] = '\0';
}

/* Texts of a child end within their arrays and numbers have a name, whatever became of it. */
static void seal(struct rtls_probe *probe)
{
	if (probe->step > RTLS_PROBE_DONE)
		probe->step = RTLS_PROBE_CONNECT;
	seal_verdict(&probe->pkix);
	seal_verdict(&probe->dane);
	probe->why[sizeof(probe->why) - 1] = '\0';
	probe->banner[sizeof(probe->banner) - 1] = '\0';
	probe->tls[sizeof(probe->tls) - 1] = '\0';
	probe->cipher[sizeof(probe->cipher) - 1] = '\0';
	probe->certificate.names[sizeof(probe->certificate.names) - 1] = '\0';
	probe->certificate.issuer[sizeof(probe->certificate.issuer) - 1] = '\0';
}

static void read_child(struct run *run, struct child *child)
{
	struct rtls_probe *probe = &run->all->probes[child->index];
	ssize_t n = read(child->fd, (char *)probe + child->size,
		sizeof(*probe) - child->size);

	if (n < 0 && errno == EINTR)
		return;
	child->size += n > 0 ? (size_t)n : 0;
	if (n > 0 && child->size < sizeof(*probe))
		return;
	if (child->size == sizeof(*probe))
		seal(probe);
	else
		give_up(probe, "the process that asked it ended early");
	finish(run, child);
}

static void wait_for_children(struct run *run)
{
	struct pollfd wait[RTLS_PROBES_AT_A_TIME];

	for (size_t i = 0; i < RTLS_PROBES_AT_A_TIME; i++)
		wait[i] = (struct pollfd){
			.fd = run->child[i].pid > 0 ? run->child[i].fd : -1,
			.events = POLLIN
		};
	if (poll(wait, RTLS_PROBES_AT_A_TIME, 200) < 0)
		return;
	for (size_t i = 0; i < RTLS_PROBES_AT_A_TIME; i++) {
		struct child *child = &run->child[i];

		if (child->pid == 0)
			continue;
		if (wait[i].revents != 0) {
			read_child(run, child);
		} else if (rtls_stream_now_ms() > child->end_ms) {
			give_up(&run->all->probes[child->index],
				"no answer in time");
			finish(run, child);
		}
	}
}

static void start_more(struct run *run)
{
	for (size_t i = 0; i < RTLS_PROBES_AT_A_TIME; i++)
		if (run->child[i].pid == 0 && run->next < run->all->count)
			start(run, &run->child[i]);
}

void rtls_probes_run(const struct rtls_config *config,
	const struct rtls_probes *probes, unsigned time_ms,
	void (*done)(void *context, size_t count), void *context)
{
	struct run run = { .config = config,
		.all = probes,
		.deadline_ms = rtls_stream_now_ms() + time_ms };
	size_t said = 0;

	/* An ignored SIGCHLD, inherited perhaps, would reap before us. */
	(void)signal(SIGCHLD, SIG_DFL);
	while (run.done < probes->count) {
		start_more(&run);
		if (run.done < probes->count)
			wait_for_children(&run);
		if (done != NULL && run.done != said)
			done(context, run.done);
		said = run.done;
	}
}
