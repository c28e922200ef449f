/* journal.c - one line per judged session, one file per UTC day. */
#include "store/journal.h"

#include <limits.h>
#include <stdio.h>

#include "policy/timestamp.h"
#include "store/file.h"

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
	status =
		rtls_journal_path(spool, rtls_date_format(date, result->time_s),
			path, sizeof(path), err);
	if (status != RTLS_OK)
		return status;
	return rtls_file_append(spool, path, rtls_text_slice(&line), err);
}

enum rtls_status rtls_journal_path(const char *spool, const char *date,
	char *out, size_t out_size, struct rtls_err *err)
{
	int64_t day_s;
	int n;

	if (rtls_date_parse(rtls_slice(date), &day_s) != RTLS_OK) {
		rtls_err_set(err, "not a date");
		return RTLS_INVALID;
	}
	n = snprintf(out, out_size, "%s/tlsrpt/%s", spool, date);
	if (n >= 0 && (size_t)n < out_size)
		return RTLS_OK;
	rtls_err_set(err, "the spool's path is too long");
	return RTLS_INVALID;
}
