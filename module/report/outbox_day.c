/* outbox_day.c - a day of which nothing is left to send. A run comes every quarter of an
 * hour and looks a week back: what is done must cost it no more than one look. */
#include <stdio.h>

#include "policy/timestamp.h"
#include "report/outbox.h"
#include "store/file.h"

/* Begins with a dot, so that it is no domain and no directory listing shows it. */
#define MARKER      ".done"
#define MARKER_TEXT "requiretls-outbox-day 1\n"
#define MARKER_MAX  64

static bool format_path(
	const char *spool, const char *date, char out[RTLS_OUTBOX_PATH_MAX])
{
	int64_t day_s;
	int size = snprintf(out, RTLS_OUTBOX_PATH_MAX, "%s/outbox/%s/%s", spool,
		date, MARKER);

	return size > 0 && size < RTLS_OUTBOX_PATH_MAX &&
	       rtls_date_parse(rtls_slice(date), &day_s) == RTLS_OK;
}

bool rtls_outbox_day_is_done(const char *spool, const char *date)
{
	char path[RTLS_OUTBOX_PATH_MAX], buffer[MARKER_MAX + 1];
	struct rtls_slice text;

	return format_path(spool, date, path) &&
	       rtls_file_read_below(spool, path, buffer, MARKER_MAX, &text,
		       NULL) == RTLS_OK &&
	       rtls_slice_is(text, MARKER_TEXT);
}

enum rtls_status rtls_outbox_day_finish(
	const char *spool, const char *date, struct rtls_err *err)
{
	char path[RTLS_OUTBOX_PATH_MAX];

	if (!format_path(spool, date, path)) {
		rtls_err_set(err, "no name for the mark of a day");
		return RTLS_BUG;
	}
	return rtls_file_replace(spool, path, rtls_slice(MARKER_TEXT), err);
}
