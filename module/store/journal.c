/* journal.c - one line per judged session, one file per UTC day. */
#include "store/journal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "policy/timestamp.h"
#include "store/file.h"
#include "store/lines.h"
#include "store/open.h"

static bool day_path(const char *spool, const char *date, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/tlsrpt/%s", spool, date);

	return n >= 0 && n < PATH_MAX;
}

enum rtls_status rtls_journal_append(const char *spool,
	const struct rtls_session_result *result, struct rtls_err *err)
{
	char buffer[RTLS_JOURNAL_LINE_MAX + 1];
	char date[RTLS_DATE_SIZE];
	enum rtls_status status;
	struct rtls_text line;
	char path[PATH_MAX];

	rtls_text_init(&line, buffer, sizeof(buffer));
	status = rtls_journal_line_format(result, &line);
	if (status != RTLS_OK) {
		rtls_err_set(err, "the journal line is too long");
		return status;
	}
	if (!day_path(spool, rtls_date_format(date, result->time_s), path)) {
		rtls_err_set(err, "the spool's path is too long");
		return RTLS_INVALID;
	}
	return rtls_file_append(spool, path, rtls_text_slice(&line), err);
}

/* Give each line that parses to visit. */
static enum rtls_status visit_lines(int fd,
	bool (*visit)(const struct rtls_session_result *result, void *context),
	void *context, size_t *skipped)
{
	struct rtls_session_result result;
	struct rtls_lines lines;
	struct rtls_slice line;

	rtls_lines_init(&lines, fd);
	for (;;) {
		enum rtls_status status = rtls_lines_next(&lines, &line);

		if (status == RTLS_NONE)
			return RTLS_OK;
		if (status == RTLS_TEMPORARY)
			return status;
		if (status != RTLS_OK ||
			rtls_journal_line_parse(line, &result) != RTLS_OK)
			(*skipped)++;
		else if (!visit(&result, context))
			return RTLS_OK;
	}
}

enum rtls_status rtls_journal_each(const char *spool, const char *date,
	bool (*visit)(const struct rtls_session_result *result, void *context),
	void *context, size_t *skipped, struct rtls_err *err)
{
	enum rtls_status status;
	char path[PATH_MAX];
	size_t count = 0;
	int64_t day_s;
	int fd;

	if (skipped != NULL)
		*skipped = 0;
	if (rtls_date_parse(rtls_slice(date), &day_s) != RTLS_OK ||
		!day_path(spool, date, path)) {
		rtls_err_set(err, "not a date, or the path is too long");
		return RTLS_INVALID;
	}
	status = rtls_open_below(spool, path, &fd, err);
	if (status != RTLS_OK)
		return status;
	status = visit_lines(fd, visit, context, &count);
	if (status != RTLS_OK)
		(void)rtls_open_failed(err, "read", path, errno);
	(void)close(fd);
	if (skipped != NULL)
		*skipped = count;
	return status;
}
