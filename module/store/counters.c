/* counters.c - see counters.h. A full disk cannot tear a line that is there; one that could not be
 * appended in full is written over by the next that is. */
#include "store/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/field.h"
#include "store/open.h"
#include "store/temporary.h"

#define VERSION       "1 "
#define VERSION_SIZE  2
#define DIGITS        20
#define DIGITS_AT     (RTLS_COUNTER_LINE - 1 - DIGITS)
#define SIZE_MAX_FILE ((size_t)RTLS_COUNTERS_MAX * RTLS_COUNTER_LINE)
#define LOCK_TRIES    100
#define LOCK_PAUSE_NS 10000000L

/* --- a line ------------------------------------------------------------------ */

static bool is_name(struct rtls_slice name)
{
	if (name.size == 0 || name.size > RTLS_COUNTER_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.size; i++) {
		const char c = name.data[i];
		const bool is_between = c == ' ' && i > 0 &&
					i + 1 < name.size &&
					name.data[i - 1] != ' ';

		if (!(c >= 'a' && c <= 'z') && !rtls_byte_is_digit(c) &&
			c != '-' && c != '.' && !is_between)
			return false;
	}
	return true;
}

static bool parse_digits(struct rtls_slice text, uint64_t *value)
{
	unsigned long long number;

	if (!rtls_slice_number(text, UINT64_MAX, &number))
		return false;
	*value = number;
	return true;
}

bool rtls_counter_parse(struct rtls_slice line, struct rtls_counter *counter)
{
	struct rtls_slice name;
	uint64_t value;

	if (line.size != RTLS_COUNTER_LINE - 1 ||
		!rtls_slice_starts(line, VERSION))
		return false;
	name = rtls_slice_n(line.data + VERSION_SIZE, DIGITS_AT - VERSION_SIZE);
	while (name.size > 0 && name.data[name.size - 1] == ' ')
		name.size--;
	if (!is_name(name) || line.data[DIGITS_AT - 1] != ' ' ||
		!parse_digits(
			rtls_slice_n(line.data + DIGITS_AT, DIGITS), &value))
		return false;
	counter->value = value;
	return rtls_slice_copy(name, counter->name, sizeof(counter->name));
}

static void format_line(
	char line[RTLS_COUNTER_LINE + 1], const char *name, uint64_t value)
{
	(void)snprintf(line, RTLS_COUNTER_LINE + 1,
		VERSION "%-*s%020" PRIu64 "\n", DIGITS_AT - VERSION_SIZE, name,
		value);
}

/* The line at a place of the file; false when it is none. */
static bool line_at(
	const char *data, size_t place, struct rtls_counter *counter)
{
	const char *line = data + place * RTLS_COUNTER_LINE;

	return line[RTLS_COUNTER_LINE - 1] == '\n' &&
	       rtls_counter_parse(
		       rtls_slice_n(line, RTLS_COUNTER_LINE - 1), counter);
}

/* --- the file ---------------------------------------------------------------- */

/* Waits for who is changing a number, some microseconds; a second at most, since a delivery waits with
 * us. False with errno. */
static bool lock(int fd, short kind)
{
	struct flock whole = { .l_type = kind, .l_whence = SEEK_SET };
	const struct timespec pause = { 0, LOCK_PAUSE_NS };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
			return true;
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	errno = EAGAIN;
	return false;
}

static bool format_path(
	const char *spool, char out[PATH_MAX], struct rtls_err *err)
{
	const int n = snprintf(out, PATH_MAX, "%s/counters", spool);

	if (n >= 0 && n < PATH_MAX)
		return true;
	rtls_err_set(err, "the spool's path is too long");
	return false;
}

/* As much as there may be; -1 with errno. */
static ssize_t read_whole(int fd, char *data)
{
	size_t used = 0;

	for (;;) {
		const ssize_t n = TEMP_FAILURE_RETRY(pread(
			fd, data + used, SIZE_MAX_FILE - used, (off_t)used));

		if (n < 0)
			return -1;
		used += (size_t)n;
		if (n == 0 || used == SIZE_MAX_FILE)
			return (ssize_t)used;
	}
}

/* 0, or what is wrong as errno. */
static int write_line(int fd, size_t place, const char *line)
{
	const ssize_t n = TEMP_FAILURE_RETRY(pwrite(fd, line, RTLS_COUNTER_LINE,
		(off_t)(place * RTLS_COUNTER_LINE)));

	if (n < 0)
		return errno;
	return n == RTLS_COUNTER_LINE ? 0 : ENOSPC;
}

struct change {
	const char *name;
	uint64_t value;
	bool is_sum; /* else it replaces what there is */
};

static uint64_t changed(const struct change *change, uint64_t old)
{
	if (!change->is_sum)
		return change->value;
	return old > UINT64_MAX - change->value ? UINT64_MAX
						: old + change->value;
}

/* 0, or what is wrong as errno. The file is locked. */
static int apply(int fd, const struct change *change)
{
	static char data[SIZE_MAX_FILE];
	const ssize_t size = read_whole(fd, data);
	char line[RTLS_COUNTER_LINE + 1];
	struct rtls_counter counter;
	uint64_t value = changed(change, 0);
	size_t count, place;

	if (size < 0)
		return errno;
	count = (size_t)size / RTLS_COUNTER_LINE;
	for (place = 0; place < count; place++) {
		if (!line_at(data, place, &counter) ||
			strcmp(counter.name, change->name) != 0)
			continue;
		value = changed(change, counter.value);
		break;
	}
	if (place == RTLS_COUNTERS_MAX)
		return EFBIG;
	format_line(line, change->name, value);
	return write_line(fd, place, line);
}

static int open_counters(int directory, const char *name, int flags)
{
	return rtls_open_at(
		directory, name, flags | O_NONBLOCK, RTLS_FILE_MODE);
}

/* 0, or what is wrong as errno. */
static int lock_regular(int fd)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return errno;
	if (!S_ISREG(info.st_mode))
		return EINVAL;
	return lock(fd, F_WRLCK) ? 0 : errno;
}

/* 0, or what is wrong as errno. */
static int change_in(
	int directory, const char *name, const struct change *change)
{
	const int fd = open_counters(directory, name, O_RDWR | O_CREAT);
	int error;

	if (fd < 0)
		return errno;
	error = lock_regular(fd);
	if (error == 0)
		error = apply(fd, change);
	if (!rtls_temporary_close(fd) && error == 0)
		error = errno;
	return error;
}

static enum rtls_status change_number(
	const char *spool, const struct change *change, struct rtls_err *err)
{
	enum rtls_status status;
	char path[PATH_MAX];
	const char *name;
	int directory, error;

	if (!is_name(rtls_slice(change->name))) {
		rtls_err_set(err, "no name of a number");
		return RTLS_INVALID;
	}
	if (!format_path(spool, path, err))
		return RTLS_INVALID;
	status = rtls_open_parent(spool, path, true, &directory, &name, err);
	if (status != RTLS_OK)
		return status;
	error = change_in(directory, name, change);
	(void)close(directory);
	if (error == 0)
		return RTLS_OK;
	status = rtls_open_failed(err, "count in", path, error);
	return error == EFBIG || error == EINVAL || error == ELOOP
		       ? RTLS_INVALID
		       : status;
}

enum rtls_status rtls_counters_add(const char *spool, const char *name,
	uint64_t count, struct rtls_err *err)
{
	const struct change change = { name, count, true };

	return change_number(spool, &change, err);
}

enum rtls_status rtls_counters_set(const char *spool, const char *name,
	uint64_t value, struct rtls_err *err)
{
	const struct change change = { name, value, false };

	return change_number(spool, &change, err);
}

/* --- reading ----------------------------------------------------------------- */

/* Where it is, or counters->count. */
static size_t place_of(const struct rtls_counters *counters, const char *name)
{
	size_t place = 0;

	while (place < counters->count &&
		strcmp(counters->counter[place].name, name) != 0)
		place++;
	return place;
}

const struct rtls_counter *rtls_counters_find(
	const struct rtls_counters *counters, const char *name)
{
	const size_t place = place_of(counters, name);

	return place == counters->count ? NULL : &counters->counter[place];
}

static void add_up(
	struct rtls_counters *counters, const char *data, size_t size)
{
	const size_t count = size / RTLS_COUNTER_LINE;
	struct rtls_counter counter;

	counters->skipped = size % RTLS_COUNTER_LINE == 0 ? 0 : 1;
	for (size_t line = 0; line < count; line++) {
		size_t place;

		if (!line_at(data, line, &counter)) {
			counters->skipped++;
			continue;
		}
		place = place_of(counters, counter.name);
		if (place == counters->count)
			counters->counter[counters->count++] = counter;
		else
			counters->counter[place].value += counter.value;
	}
}

/* Between two changes, and on disk. */
static int read_locked(int fd, char *data, ssize_t *size)
{
	if (!lock(fd, F_RDLCK))
		return errno;
	*size = read_whole(fd, data);
	if (*size < 0)
		return errno;
	if (TEMP_FAILURE_RETRY(fdatasync(fd)) != 0 && errno != EROFS &&
		errno != EINVAL)
		return errno;
	return 0;
}

enum rtls_status rtls_counters_read(
	const char *spool, struct rtls_counters *counters, struct rtls_err *err)
{
	static char data[SIZE_MAX_FILE];
	enum rtls_status status;
	char path[PATH_MAX];
	ssize_t size = 0;
	struct rtls_opened file;
	int error;

	counters->count = counters->skipped = 0;
	if (!format_path(spool, path, err))
		return RTLS_INVALID;
	status = rtls_open_below(spool, path, &file, err);
	if (status != RTLS_OK)
		return status;
	error = read_locked(file.fd, data, &size);
	(void)close(file.fd);
	if (error != 0)
		return rtls_open_failed(err, "read", path, error);
	add_up(counters, data, (size_t)size);
	return RTLS_OK;
}
