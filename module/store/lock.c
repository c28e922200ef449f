/* lock.c - byte-range locks in one file, polled until a deadline.
 *
 * Polled, because the blocking form could only be ended by a signal, and
 * signals belong to Exim. Open file description locks, because classic ones are lost when
 * any other descriptor of the file is closed in the process. */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/text.h"
#include "store/hash.h"
#include "store/open.h"

#define LOCK_FILE_MODE 0640
#define POLL_FIRST_MS  10
#define POLL_LAST_MS   50
#define OFFSET_MASK    UINT64_C(0x3fffffffffffffff)

static int64_t now_ms(void)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A signal only makes the next look come earlier. */
static void sleep_ms(int64_t ms)
{
	struct timespec duration = { (time_t)(ms / 1000),
		(long)(ms % 1000) * 1000000 };

	(void)nanosleep(&duration, NULL);
}

static enum rtls_status open_lock_file(
	const char *spool, int *fd, struct rtls_err *err)
{
	enum rtls_status status;
	char path[PATH_MAX];
	const char *name;
	int directory, n;

	n = snprintf(path, sizeof(path), "%s/lock", spool);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		rtls_err_set(err, "the spool's path is too long");
		return RTLS_TEMPORARY;
	}
	status = rtls_open_parent(spool, path, true, &directory, &name, err);
	if (status != RTLS_OK)
		return RTLS_TEMPORARY;
	*fd = rtls_open_at(
		directory, name, O_RDWR | O_CREAT | O_NONBLOCK, LOCK_FILE_MODE);
	if (*fd < 0)
		status = rtls_open_failed(err, "open", path, errno);
	(void)close(directory);
	return status;
}

/* RTLS_NONE: another one has it. */
static enum rtls_status try_lock(int fd, uint64_t offset, struct rtls_err *err)
{
	struct flock range = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(offset & OFFSET_MASK),
		.l_len = 1,
	};

	if (TEMP_FAILURE_RETRY(fcntl(fd, F_OFD_SETLK, &range)) == 0)
		return RTLS_OK;
	if (errno == EAGAIN || errno == EACCES)
		return RTLS_NONE;
	return rtls_open_failed(err, "lock", "lock", errno);
}

/* Look until there is an answer other than "another one has it". */
static enum rtls_status wait_for_lock(
	int fd, const char *name, unsigned timeout_ms, struct rtls_err *err)
{
	int64_t deadline = now_ms() + timeout_ms;
	int64_t pause = POLL_FIRST_MS;
	struct rtls_quoted q;

	for (;;) {
		enum rtls_status status = try_lock(fd, rtls_hash(name), err);
		int64_t left = deadline - now_ms();

		if (status != RTLS_NONE)
			return status;
		if (left <= 0)
			break;
		sleep_ms(pause < left ? pause : left);
		if (pause < POLL_LAST_MS)
			pause += POLL_FIRST_MS;
	}
	rtls_err_set(err, "another process has held the lock of %s for %u ms",
		rtls_quoted(&q, rtls_slice(name)), timeout_ms);
	return RTLS_TEMPORARY;
}

enum rtls_status rtls_lock_take(const char *spool, const char *name,
	unsigned timeout_ms, int *fd, struct rtls_err *err)
{
	enum rtls_status status;
	int opened = -1;

	*fd = -1;
	status = open_lock_file(spool, &opened, err);
	if (status != RTLS_OK)
		return status;
	status = wait_for_lock(opened, name, timeout_ms, err);
	if (status == RTLS_OK)
		*fd = opened;
	else
		(void)close(opened);
	return status;
}

void rtls_lock_release(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}
