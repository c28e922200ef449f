/* journal_each.c - a day's journal, summed up while it is read. */
#include "store/journal.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "store/lines.h"
#include "store/open.h"
#include "store/tally.h"

#define TALLY_BYTES_MAX (32U << 20)

struct reading {
	struct rtls_tally *tally;
	rtls_journal_visit *visit;
	void *context;
	size_t skipped;
	bool stopped;
};

/* RTLS_OK also when the line is no line. */
static enum rtls_status add_line(
	struct reading *reading, struct rtls_slice line)
{
	enum rtls_status status = rtls_tally_add(reading->tally, line);

	if (status == RTLS_TEMPORARY) { /* full */
		reading->stopped = !rtls_tally_each(
			reading->tally, reading->visit, reading->context);
		rtls_tally_clear(reading->tally);
		status = rtls_tally_add(reading->tally, line);
	}
	if (status == RTLS_INVALID) {
		reading->skipped++;
		return RTLS_OK;
	}
	return status;
}

/* RTLS_TEMPORARY: with errno. */
static enum rtls_status read_lines(struct reading *reading, int fd)
{
	struct rtls_lines lines;
	struct rtls_slice line;
	enum rtls_status status = RTLS_OK;

	rtls_lines_init(&lines, fd);
	while (status == RTLS_OK && !reading->stopped) {
		status = rtls_lines_next(&lines, &line);
		if (status == RTLS_INVALID) {
			reading->skipped++;
			status = RTLS_OK;
		} else if (status == RTLS_OK && line.size > 0) {
			status = add_line(reading, line);
		}
	}
	return status == RTLS_NONE ? RTLS_OK : status;
}

enum rtls_status rtls_journal_each(const char *spool, const char *date,
	rtls_journal_visit *visit, void *context, size_t *skipped,
	struct rtls_err *err)
{
	struct reading reading = { NULL, visit, context, 0, false };
	enum rtls_status status;
	char path[PATH_MAX];
	int fd;

	if (skipped != NULL)
		*skipped = 0;
	status = rtls_journal_path(spool, date, path, sizeof(path), err);
	if (status == RTLS_OK)
		status = rtls_open_below(spool, path, &fd, err);
	if (status != RTLS_OK)
		return status;
	reading.tally = rtls_tally_open(TALLY_BYTES_MAX);
	status = reading.tally == NULL ? RTLS_NO_MEMORY
				       : read_lines(&reading, fd);
	if (status == RTLS_TEMPORARY)
		(void)rtls_open_failed(err, "read", path, errno);
	if (status == RTLS_NO_MEMORY)
		rtls_err_set(err, "no memory to read a journal");
	if (status == RTLS_OK && !reading.stopped)
		(void)rtls_tally_each(reading.tally, visit, context);
	rtls_tally_close(reading.tally);
	(void)close(fd);
	if (skipped != NULL)
		*skipped = reading.skipped;
	return status;
}
