/* run.c - which days, and one run at a time. */
#include "run.h"

#include <stdarg.h>
#include <stdio.h>

#include "policy/timestamp.h"
#include "report/job.h"
#include "report/schedule.h"
#include "report/tidy.h"
#include "store/lock.h"

#define LOCK_NAME    "report run" /* no domain name has a space */
#define LOCK_WAIT_MS 1000
#define LINE_SIZE    2048

void rtls_job_log(const struct rtls_job *job, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	job->outside->log(job->outside->context, line);
}

/* Something could not be done: go on with the rest, but remember the first. */
void rtls_job_trouble(struct rtls_job *job, const struct rtls_err *err)
{
	rtls_job_log(job, "%s", err->text);
	if (job->status == RTLS_OK) {
		job->status = RTLS_TEMPORARY;
		rtls_err_set(job->err, "%s", err->text);
	}
}

enum rtls_status rtls_job_instead(const struct rtls_config *config,
	struct rtls_rua *buffer, const struct rtls_rua **instead,
	struct rtls_err *err)
{
	struct rtls_err why = { "" };

	*instead = NULL;
	if (config->report_rua[0] == '\0')
		return RTLS_OK;
	if (rtls_rua_parse(rtls_slice(config->report_rua), buffer, &why) !=
		RTLS_OK) {
		rtls_err_set(err, "tlsrpt_rua: %s", why.text);
		return RTLS_INVALID;
	}
	*instead = buffer;
	return RTLS_OK;
}

bool rtls_job_get(const struct rtls_job *job, const char *name,
	struct rtls_outbox *outbox, struct rtls_err *err)
{
	return rtls_outbox_get(job->config->spool, job->date, name, outbox,
		       err) == RTLS_OK;
}

bool rtls_job_put(struct rtls_job *job, const struct rtls_outbox *outbox)
{
	struct rtls_err err = { "" };

	if (rtls_outbox_put(job->config->spool, job->date, outbox, &err) ==
		RTLS_OK)
		return true;
	job->open++; /* whatever the outbox says now */
	rtls_job_trouble(job, &err);
	return false;
}

/* Asked for: --now, or a day by its date. */
static bool is_urgent(const struct rtls_job *job)
{
	return job->options->now || job->options->date != NULL;
}

bool rtls_job_is_due(const struct rtls_job *job, const char *domain)
{
	return is_urgent(job) ||
	       rtls_schedule_due_s(job->config, job->host, domain,
		       job->day_s) <= job->options->now_s;
}

/* May there be something to do? A day that was asked for by its date is always looked at. */
static bool is_day_due(const struct rtls_job *job)
{
	if (job->options->date != NULL)
		return true;
	return (job->options->now ||
		       rtls_schedule_begin_s(job->config, job->day_s) <=
			       job->options->now_s) &&
	       !rtls_outbox_day_is_done(job->config->spool, job->date);
}

/* Of a day that is too young there may be more domains to come. */
static void finish_day(struct rtls_job *job)
{
	struct rtls_err err = { "" };

	if (job->open > 0 || rtls_schedule_begin_s(job->config, job->day_s) >
				     job->options->now_s)
		return;
	if (rtls_outbox_day_finish(job->config->spool, job->date, &err) !=
		RTLS_OK)
		rtls_job_trouble(job, &err);
}

static void run_day(struct rtls_job *job, int64_t day_s)
{
	struct rtls_err err = { "" };
	struct rtls_subjects subjects;
	enum rtls_status status;

	rtls_date_format(job->date, day_s);
	job->day_s = day_s;
	job->open = 0;
	if (!is_day_due(job))
		return;
	status = rtls_subjects_open(job->config, job->date, &subjects, &err);
	if (status == RTLS_NONE)
		return;
	if (status != RTLS_OK) {
		rtls_job_trouble(job, &err);
		return;
	}
	rtls_job_ask(job, &subjects);
	rtls_job_deliver(job, &subjects);
	rtls_subjects_close(&subjects);
	finish_day(job);
}

static enum rtls_status first_second(
	const char *date, int64_t now_s, int64_t *day_s, struct rtls_err *err)
{
	if (rtls_date_parse(rtls_slice(date), day_s) != RTLS_OK) {
		rtls_err_set(err, "not a date like 2026-11-21");
		return RTLS_INVALID;
	}
	if (*day_s + RTLS_DAY_S > now_s) {
		rtls_err_set(err, "%s is not over yet (UTC)", date);
		return RTLS_INVALID;
	}
	return RTLS_OK;
}

static enum rtls_status run_days(struct rtls_job *job)
{
	int64_t now_s = job->options->now_s;
	int64_t today_s = now_s - now_s % RTLS_DAY_S;
	int64_t day_s;

	if (job->options->date == NULL) {
		for (int back = RTLS_DAYS_CAUGHT_UP; back > 0; back--)
			run_day(job, today_s - (int64_t)back * RTLS_DAY_S);
		return job->status;
	}
	if (first_second(job->options->date, now_s, &day_s, job->err) !=
		RTLS_OK)
		return RTLS_INVALID;
	run_day(job, day_s);
	return job->status;
}

enum rtls_status rtls_report_run(const struct rtls_config *config,
	const struct rtls_run_options *options,
	const struct rtls_outside *outside, struct rtls_run_sums *sums,
	struct rtls_err *err)
{
	struct rtls_job job = {
		.config = config,
		.outside = outside,
		.options = options,
		.sums = sums,
		.status = RTLS_OK,
		.err = err,
	};
	struct rtls_rua instead;
	enum rtls_status status;
	int lock;

	*sums = (struct rtls_run_sums){ .sent = 0 };
	if (rtls_report_host_id(config, job.host) != RTLS_OK) {
		rtls_err_set(err, "no SHA-256 to be had");
		return RTLS_TEMPORARY;
	}
	status = rtls_job_instead(config, &instead, &job.instead, err);
	if (status != RTLS_OK)
		return status;
	status = rtls_lock_take(
		config->spool, LOCK_NAME, LOCK_WAIT_MS, &lock, err);
	if (status != RTLS_OK)
		return RTLS_TEMPORARY;
	status = run_days(&job);
	rtls_tidy(config, options->now_s, outside->log, outside->context);
	rtls_lock_release(lock);
	return status;
}
