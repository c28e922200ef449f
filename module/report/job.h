/* job.h - what the parts of one run share; for ask.c, deliver.c and run.c. */
#ifndef RTLS_JOB_H
#define RTLS_JOB_H

#include "policy/timestamp.h"
#include "report/run.h"
#include "report/subjects.h"

struct rtls_job {
	const struct rtls_config *config;
	const struct rtls_outside *outside;
	const struct rtls_run_options *options;
	const struct rtls_rua *instead; /* of all places, or NULL: tlsrpt_rua */
	struct rtls_run_sums *sums;
	char host[RTLS_HOST_ID_SIZE];
	int64_t day_s; /* the first second of the day under work */
	char date[RTLS_DATE_SIZE];
	size_t open; /* what a later run has to look at again, of that day */
	enum rtls_status status;
	struct rtls_err *err;
};

void rtls_job_log(const struct rtls_job *job, const char *format, ...)
	RTLS_PRINTF(2, 3);

/* Something could not be done: log it and go on with the rest; the first such
 * reason becomes the result of the run. */
void rtls_job_trouble(struct rtls_job *job, const struct rtls_err *err);

/*
 * The place of tlsrpt_rua.
 *
 * instead  NULL where there is none, else buffer
 * RTLS_INVALID  it is no usable place; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_job_instead(
	const struct rtls_config *config, struct rtls_rua *buffer,
	const struct rtls_rua **instead, struct rtls_err *err);

/* The outbox of one report of the day. False: err says why. */
RTLS_MUST_CHECK bool rtls_job_get(const struct rtls_job *job, const char *name,
	struct rtls_outbox *outbox, struct rtls_err *err);

/* False: it could not be written, and that is logged. */
bool rtls_job_put(struct rtls_job *job, const struct rtls_outbox *outbox);

/* Is the report on this domain due by now (schedule.h)? */
bool rtls_job_is_due(const struct rtls_job *job, const char *domain);

/* Look up all domains of the day that are due and whose record is not known yet. */
void rtls_job_ask(struct rtls_job *job, const struct rtls_subjects *subjects);

/*
 * Whose sessions are not in the report on a host? Those of the domains whose record names the
 * same places: these get them in the reports on the domains, and each record gets a
 * session once.
 *
 * outbox    of the host
 * left_out  a value for each of the host's domains, to be freed by the caller; set on RTLS_OK
 * RTLS_TEMPORARY  not all of their records are known yet
 * RTLS_NO_MEMORY  err says so
 */
RTLS_MUST_CHECK enum rtls_status rtls_job_leave_out(const struct rtls_job *job,
	const struct rtls_subjects *subjects, const struct rtls_host *host,
	const struct rtls_outbox *outbox, bool **left_out,
	struct rtls_err *err);

/* Send what is due. */
void rtls_job_deliver(
	struct rtls_job *job, const struct rtls_subjects *subjects);

#endif
