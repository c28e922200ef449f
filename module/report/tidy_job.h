/* tidy_job.h - what the parts of one tidying share; for tidy.c and tidy_policies.c. */
#ifndef RTLS_TIDY_JOB_H
#define RTLS_TIDY_JOB_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/config.h"
#include "policy/timestamp.h"

struct rtls_tidy_job {
	const struct rtls_config *config;
	int64_t now_s;
	void (*log)(void *context, const char *line);
	void *context;
};

void rtls_tidy_log(const struct rtls_tidy_job *job, const char *format, ...)
	RTLS_PRINTF(2, 3);

/* Log err, unless status is RTLS_OK or RTLS_NONE. */
void rtls_tidy_tell(const struct rtls_tidy_job *job, enum rtls_status status,
	const struct rtls_err *err);

/* "<spool>/<directory>/<name>", without the last part for "". False: too long. */
RTLS_MUST_CHECK bool rtls_tidy_path(const struct rtls_tidy_job *job,
	const char *directory, const char *name, char out[PATH_MAX]);

/* Once a day: remove policy texts that nothing refers to any more. */
void rtls_tidy_policies(const struct rtls_tidy_job *job);

#endif
