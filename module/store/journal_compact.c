/* journal_compact.c - a day's journal in a line per distinct result.
 *
 * Most of the file is read, summed up, written anew and synced while others may append. Then a lock, exclusive,
 * keeps these out for the last step (file_append.c): what came meanwhile is copied as it is, and the
 * new file renamed. Who waited finds that the name means another file now. */
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/timestamp.h"
#include "store/file.h"
#include "store/lines.h"
#include "store/open.h"
#include "store/tally.h"
#include "store/temporary.h"

#define TALLY_BYTES_MAX (64U << 20)
#define BUFFER_SIZE     65536
#define LOCK_TRIES      200
#define LOCK_PAUSE_NS   10000000L

struct compaction {
	const char *spool;
	const char *path;
	const char *name; /* in directory */
	int64_t day_s;
	int directory;
	int old;
	int new;       /* the temporary */
	off_t read_to; /* what of old is in the new file */
	struct rtls_compaction *done;
	struct rtls_err *err;
	struct rtls_text out; /* not written yet */
	char buffer[BUFFER_SIZE];
};

static enum rtls_status failed(const struct compaction *work, const char *what)
{
	return rtls_open_failed(work->err, what, work->path, errno);
}

/* --- the old file ---------------------------------------------------------- */

static enum rtls_status open_old(struct compaction *work)
{
	struct stat info;

	work->old = rtls_open_at(
		work->directory, work->name, O_RDWR | O_NONBLOCK, 0);
	if (work->old < 0 && errno == ENOENT)
		return RTLS_NONE;
	if (work->old < 0)
		return failed(work, "open");
	if (fstat(work->old, &info) != 0)
		return failed(work, "stat");
	if (!S_ISREG(info.st_mode)) {
		rtls_err_set(work->err, "a journal that is no file");
		return RTLS_INVALID;
	}
	work->read_to = info.st_size;
	return RTLS_OK;
}

/* The last line may still be growing: it belongs to what is copied later. When no line
 * ends in what is looked at, there is none. */
static enum rtls_status find_last_end(struct compaction *work)
{
	const off_t begin =
		work->read_to > BUFFER_SIZE ? work->read_to - BUFFER_SIZE : 0;
	ssize_t n = TEMP_FAILURE_RETRY(
		pread(work->old, work->buffer, BUFFER_SIZE, begin));

	if (n < 0)
		return failed(work, "read");
	while (n > 0 && work->buffer[n - 1] != '\n')
		n--;
	work->read_to = begin + n;
	return RTLS_OK;
}

static enum rtls_status sum_up(
	struct compaction *work, struct rtls_tally *tally)
{
	enum rtls_status status = RTLS_OK;
	struct rtls_tally_line prepared;
	struct rtls_lines lines;
	struct rtls_slice line;

	rtls_lines_init(&lines, work->old);
	rtls_lines_limit(&lines, (uint64_t)work->read_to);
	for (;;) {
		status = rtls_lines_next(&lines, &line);
		if (status == RTLS_NONE)
			return RTLS_OK;
		if (status == RTLS_TEMPORARY)
			return failed(work, "read");
		if (status == RTLS_OK && line.size == 0)
			continue;
		if (status == RTLS_OK) {
			rtls_tally_prepare(tally, line, &prepared);
			status = rtls_tally_add(tally, &prepared);
		}
		if (status == RTLS_INVALID)
			work->done->skipped++;
		else if (status == RTLS_TEMPORARY) {
			rtls_err_set(work->err,
				"too many different lines to compact it");
			return RTLS_INVALID;
		} else if (status != RTLS_OK)
			return status;
	}
}

/* --- the new file ---------------------------------------------------------- */

static bool flush(struct compaction *work)
{
	const bool written =
		rtls_temporary_write(work->new, rtls_text_slice(&work->out));

	rtls_text_init(&work->out, work->buffer, BUFFER_SIZE);
	return written;
}

static bool write_sum(const struct rtls_session_result *result, void *context)
{
	struct compaction *work = context;

	work->done->sessions += result->count;
	work->done->lines++;
	if (work->out.cap - work->out.size <= RTLS_JOURNAL_LINE_MAX &&
		!flush(work))
		return false;
	if (rtls_journal_line_format(result, &work->out) == RTLS_OK)
		return true;
	errno = EOVERFLOW;
	return false;
}

static enum rtls_status write_sums(
	struct compaction *work, const struct rtls_tally *tally)
{
	const struct rtls_tally_entry **list = rtls_tally_list(tally);
	const size_t count = rtls_tally_size(tally);
	bool written = true;

	if (list == NULL)
		return RTLS_NO_MEMORY;
	rtls_tally_sort(list, count);
	rtls_text_init(&work->out, work->buffer, BUFFER_SIZE);
	for (size_t i = 0; i < count && written; i++)
		written = rtls_tally_visit(list[i], write_sum, work);
	free(list);
	if (!written || !flush(work) ||
		fchmod(work->new, RTLS_FILE_MODE) != 0 ||
		TEMP_FAILURE_RETRY(fsync(work->new)) != 0)
		return failed(work, "write");
	return RTLS_OK;
}

/* --- the last step --------------------------------------------------------- */

/* No writer keeps it for longer than a write() takes. */
static enum rtls_status lock_out_writers(struct compaction *work)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const struct timespec pause = { 0, LOCK_PAUSE_NS };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (fcntl(work->old, F_OFD_SETLK, &whole) == 0)
			return RTLS_OK;
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			break;
		(void)nanosleep(&pause, NULL);
	}
	return failed(work, "lock");
}

static void let_writers_in(const struct compaction *work)
{
	struct flock whole = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	(void)fcntl(work->old, F_OFD_SETLK, &whole);
}

/* Another compaction may have come first. */
static enum rtls_status check_current(const struct compaction *work)
{
	struct stat old, named;

	if (fstat(work->old, &old) != 0 ||
		fstatat(work->directory, work->name, &named,
			AT_SYMLINK_NOFOLLOW) != 0)
		return failed(work, "stat");
	if (old.st_dev == named.st_dev && old.st_ino == named.st_ino)
		return RTLS_OK;
	errno = EBUSY;
	return failed(work, "replace");
}

/* The next piece of what came late, whole lines where there is more; its size is 0 at the
 * end. False with errno. */
static bool read_late(struct compaction *work, struct rtls_slice *piece)
{
	ssize_t n = TEMP_FAILURE_RETRY(
		pread(work->old, work->buffer, BUFFER_SIZE, work->read_to));
	ssize_t lines = n;

	if (n < 0)
		return false;
	while (n == BUFFER_SIZE && lines > 0 && work->buffer[lines - 1] != '\n')
		lines--;
	if (lines == 0)
		lines = n;
	work->read_to += lines;
	*piece = rtls_slice_n(work->buffer, (size_t)lines);
	return true;
}

static enum rtls_status copy_late(struct compaction *work)
{
	struct rtls_slice piece;

	do
		if (!read_late(work, &piece) ||
			!rtls_temporary_write(work->new, piece))
			return failed(work, "copy");
	while (piece.size > 0);
	return RTLS_OK;
}

/* Who could not wait for the lock any longer wrote to the old file all the same. */
static enum rtls_status append_later(struct compaction *work)
{
	struct rtls_slice piece;

	for (;;) {
		enum rtls_status status;

		if (!read_late(work, &piece))
			return failed(work, "read");
		if (piece.size == 0)
			return RTLS_OK;
		status = rtls_file_append(
			work->spool, work->path, piece, work->err);
		if (status != RTLS_OK)
			return status;
	}
}

static enum rtls_status put_in_place(
	struct compaction *work, const char *temporary)
{
	const struct timespec times[2] = { { 0, UTIME_NOW },
		{ (time_t)work->day_s, 0 } };
	enum rtls_status status = check_current(work);

	if (status == RTLS_OK)
		status = copy_late(work);
	if (status != RTLS_OK)
		return status;
	if (futimens(work->new, times) != 0 ||
		renameat(work->directory, temporary, work->directory,
			work->name) != 0)
		return failed(work, "replace");
	return RTLS_OK;
}

static enum rtls_status replace(struct compaction *work, const char *temporary)
{
	enum rtls_status status = lock_out_writers(work);

	if (status != RTLS_OK)
		return status;
	status = put_in_place(work, temporary);
	let_writers_in(work);
	if (status != RTLS_OK)
		return status;
	if (!rtls_temporary_sync_directory(work->directory))
		return failed(work, "sync the directory of");
	return append_later(work);
}

/* --- all of it ------------------------------------------------------------- */

static enum rtls_status write_new(
	struct compaction *work, const struct rtls_tally *tally)
{
	char temporary[RTLS_TEMPORARY_SIZE];
	enum rtls_status status;

	work->new = rtls_temporary_open(work->directory, temporary);
	if (work->new < 0)
		return failed(work, "make a temporary for");
	status = write_sums(work, tally);
	if (status == RTLS_OK)
		status = replace(work, temporary);
	(void)close(work->new);
	/* Nothing is there any more when it was renamed. */
	(void)unlinkat(work->directory, temporary, 0);
	return status;
}

static enum rtls_status compact(struct compaction *work)
{
	enum rtls_status status = open_old(work);
	struct rtls_tally *tally = NULL;

	if (status == RTLS_OK)
		status = find_last_end(work);
	if (status == RTLS_OK) {
		tally = rtls_tally_open(TALLY_BYTES_MAX);
		status = tally == NULL ? RTLS_NO_MEMORY : sum_up(work, tally);
	}
	if (status == RTLS_OK)
		status = write_new(work, tally);
	if (status == RTLS_NO_MEMORY)
		rtls_err_set(work->err, "no memory to compact a journal");
	rtls_tally_close(tally);
	if (work->old >= 0)
		(void)close(work->old);
	return status;
}

enum rtls_status rtls_journal_compact(const char *spool, const char *date,
	struct rtls_compaction *done, struct rtls_err *err)
{
	struct rtls_compaction made = { 0 };
	struct compaction *work = NULL;
	enum rtls_status status;
	char path[PATH_MAX];

	status = rtls_journal_path(spool, date, path, sizeof(path), err);
	if (status != RTLS_OK)
		return status;
	work = calloc(1, sizeof(*work));
	if (work == NULL) {
		rtls_err_set(err, "no memory to compact a journal");
		return RTLS_NO_MEMORY;
	}
	work->spool = spool;
	work->path = path;
	work->old = -1;
	work->done = &made;
	work->err = err;
	status = rtls_date_parse(rtls_slice(date), &work->day_s);
	if (status == RTLS_OK)
		status = rtls_open_parent(
			spool, path, true, &work->directory, &work->name, err);
	if (status == RTLS_OK) {
		status = compact(work);
		(void)close(work->directory);
	}
	free(work);
	if (status == RTLS_OK)
		*done = made;
	return status;
}

bool rtls_journal_is_compact(int64_t day_s, int64_t modified_s)
{
	return modified_s == day_s;
}
