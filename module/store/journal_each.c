/* journal_each.c - a day's journal, summed up while it is read. */
#include "store/journal.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "store/lines.h"
#include "store/open.h"
#include "store/tally.h"

#define TALLY_BYTES_MAX (32U << 20)
#define BATCH_SIZE      16

struct reading {
	struct rtls_tally *tally;
	rtls_journal_visit *visit;
	void *context;
	size_t skipped;
	bool stopped;
};

/* Some lines of one buffer. */
struct batch {
	size_t count;
	struct rtls_tally_line line[BATCH_SIZE];
};

/* RTLS_OK also when the line is no line. */
static enum rtls_status add_line(
	struct reading *reading, const struct rtls_tally_line *line)
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

static enum rtls_status add_batch(
	struct reading *reading, const struct batch *batch)
{
	enum rtls_status status = RTLS_OK;

	for (size_t i = 0; i < batch->count; i++)
		rtls_tally_approach(reading->tally, &batch->line[i]);
	for (size_t i = 0;
		i < batch->count && status == RTLS_OK && !reading->stopped; i++)
		status = add_line(reading, &batch->line[i]);
	return status;
}

/* The end is RTLS_NONE; RTLS_TEMPORARY: with errno. Both come with an empty batch only: of a line
 * that is ready the file is not asked. */
static enum rtls_status take_batch(
	struct reading *reading, struct rtls_lines *lines, struct batch *batch)
{
	struct rtls_slice line;

	batch->count = 0;
	do {
		const enum rtls_status status = rtls_lines_next(lines, &line);

		if (status == RTLS_INVALID)
			reading->skipped++;
		else if (status != RTLS_OK)
			return status;
		else if (line.size > 0)
			rtls_tally_prepare(reading->tally, line,
				&batch->line[batch->count++]);
	} while (batch->count < BATCH_SIZE && rtls_lines_is_ready(lines));
	return RTLS_OK;
}

/* RTLS_TEMPORARY: with errno. */
static enum rtls_status read_lines(struct reading *reading, int fd)
{
	enum rtls_status status = RTLS_OK;
	struct rtls_lines lines;
	struct batch batch;

	rtls_lines_init(&lines, fd);
	while (status == RTLS_OK && !reading->stopped) {
		status = take_batch(reading, &lines, &batch);
		if (status == RTLS_OK)
			status = add_batch(reading, &batch);
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
	struct rtls_opened file;

	if (skipped != NULL)
		*skipped = 0;
	status = rtls_journal_path(spool, date, path, sizeof(path), err);
	if (status == RTLS_OK)
		status = rtls_open_below(spool, path, &file, err);
	if (status != RTLS_OK)
		return status;
	reading.tally = rtls_tally_open(TALLY_BYTES_MAX);
	status = reading.tally == NULL ? RTLS_NO_MEMORY
				       : read_lines(&reading, file.fd);
	if (status == RTLS_TEMPORARY)
		(void)rtls_open_failed(err, "read", path, errno);
	if (status == RTLS_NO_MEMORY)
		rtls_err_set(err, "no memory to read a journal");
	if (status == RTLS_OK && !reading.stopped)
		(void)rtls_tally_each(reading.tally, visit, context);
	rtls_tally_close(reading.tally);
	(void)close(file.fd);
	if (skipped != NULL)
		*skipped = reading.skipped;
	return status;
}
