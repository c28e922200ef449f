/* tidy.c - the days of journal and outbox. */
#include "tidy.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/timestamp.h"
#include "report/aggregate.h"
#include "report/outbox.h"
#include "report/run.h"
#include "report/tidy_job.h"
#include "store/file.h"
#include "store/journal.h"
#include "store/tally.h"

#define LINE_SIZE 1024

/* A domain that may meet a cap keeps the order of its journal: compacting must not
 * change reports. */
_Static_assert(RTLS_TALLY_SORTED <= RTLS_POLICIES_MAX, "policies");
_Static_assert(RTLS_TALLY_SORTED <= RTLS_DETAILS_LEAST, "failures");
_Static_assert(RTLS_TALLY_SORTED <= RTLS_DETAILS_HOSTS, "hosts");

void rtls_tidy_log(const struct rtls_tidy_job *job, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	job->log(job->context, line);
}

bool rtls_tidy_path(const struct rtls_tidy_job *job, const char *directory,
	const char *name, char out[PATH_MAX])
{
	const int n = snprintf(out, PATH_MAX, "%s/%s%s%s", job->config->spool,
		directory, name[0] == '\0' ? "" : "/", name);

	return n > 0 && n < PATH_MAX;
}

void rtls_tidy_tell(const struct rtls_tidy_job *job, enum rtls_status status,
	const struct rtls_err *err)
{
	if (status != RTLS_OK && status != RTLS_NONE)
		rtls_tidy_log(job, "%s", err->text);
}

/* Has the day been over for as long as things are kept? */
static bool is_aged(const struct rtls_tidy_job *job, int64_t day_s)
{
	const int64_t keep_s =
		(int64_t)job->config->tlsrpt_keep_days * RTLS_DAY_S;

	return day_s + RTLS_DAY_S + keep_s <= job->now_s;
}

/* --- journals -------------------------------------------------------------- */

/* Has nobody any more to wait for its reports? */
static bool is_done(
	const struct rtls_tidy_job *job, const char *date, int64_t day_s)
{
	const int64_t today_s = job->now_s - job->now_s % RTLS_DAY_S;

	if (day_s < today_s - RTLS_DAYS_CAUGHT_UP * RTLS_DAY_S)
		return true;
	return day_s < today_s &&
	       rtls_outbox_day_is_done(job->config->spool, date);
}

static void compact(const struct rtls_tidy_job *job, const char *date)
{
	struct rtls_compaction done = { 0 };
	struct rtls_err err = { "" };
	const enum rtls_status status =
		rtls_journal_compact(job->config->spool, date, &done, &err);

	if (status == RTLS_OK && done.skipped > 0)
		rtls_tidy_log(job,
			"journal of %s: %zu lines that did not parse are gone",
			date, done.skipped);
	else if (status != RTLS_OK && status != RTLS_NONE)
		rtls_tidy_log(
			job, "journal of %s not compacted: %s", date, err.text);
}

/* A name that is no date is not ours. */
static bool tidy_journal(const char *date, int64_t modified_s, void *context)
{
	const struct rtls_tidy_job *job = context;
	struct rtls_err err = { "" };
	char path[PATH_MAX];
	int64_t day_s;

	if (rtls_date_parse(rtls_slice(date), &day_s) != RTLS_OK ||
		!rtls_tidy_path(job, "tlsrpt", date, path))
		return true;
	if (is_aged(job, day_s))
		rtls_tidy_tell(job,
			rtls_file_remove_below(job->config->spool, path, &err),
			&err);
	else if (is_done(job, date, day_s) &&
		 !rtls_journal_is_compact(day_s, modified_s))
		compact(job, date);
	return true;
}

/* --- the outbox ------------------------------------------------------------ */

static bool tidy_outbox(const char *date, int64_t modified_s, void *context)
{
	const struct rtls_tidy_job *job = context;
	struct rtls_err err = { "" };
	char path[PATH_MAX];
	int64_t day_s;

	(void)modified_s;
	if (rtls_date_parse(rtls_slice(date), &day_s) == RTLS_OK &&
		is_aged(job, day_s) &&
		rtls_tidy_path(job, "outbox", date, path))
		rtls_tidy_tell(job,
			rtls_file_remove_directory(
				job->config->spool, path, &err),
			&err);
	return true;
}

/* --- all of it ------------------------------------------------------------- */

void rtls_tidy(const struct rtls_config *config, int64_t now_s,
	void (*log)(void *context, const char *line), void *context)
{
	struct rtls_tidy_job job = { config, now_s, log, context };
	struct rtls_err err = { "" };
	char path[PATH_MAX];

	if (rtls_tidy_path(&job, "tlsrpt", "", path))
		rtls_tidy_tell(&job,
			rtls_file_each(
				config->spool, path, tidy_journal, &job, &err),
			&err);
	if (rtls_tidy_path(&job, "outbox", "", path))
		rtls_tidy_tell(&job,
			rtls_file_each_directory(
				config->spool, path, tidy_outbox, &job, &err),
			&err);
	rtls_tidy_policies(&job);
}
