/* run.h - the daily job: for each policy domain that wants reports send one,
 * once (RFC 8460 sections 3, 4.1, 5.3 to 5.5). Meant to be started every quarter of an hour:
 * each report has its moment (schedule.h), what failed is tried again with growing pauses for
 * 24 hours, and days that were missed are caught up.
 *
 * Whatever is outside the process comes in by struct rtls_outside: tests
 * bring their own. */
#ifndef RTLS_REPORT_RUN_H
#define RTLS_REPORT_RUN_H

#include "report/outbox.h"
#include "report/report.h"

/* Older days are not caught up: nobody waits for their reports any more. */
#define RTLS_DAYS_CAUGHT_UP 7

enum rtls_lookup_outcome {
	RTLS_LOOKUP_FAILED, /* try again later */
	RTLS_LOOKUP_NONE,   /* no record, or one that names nothing usable */
	RTLS_LOOKUP_FOUND,
};

/* The record at _smtp._tls.<domain>. */
struct rtls_lookup {
	const char *domain; /* in, the rest is out */
	enum rtls_lookup_outcome outcome;
	char why[RTLS_ERR_SIZE]; /* FAILED and NONE: for the log, or "" */
	size_t count;
	struct rtls_rua rua[RTLS_TLSRPT_RUA_MAX];
};

#define RTLS_LOOKUPS_MAX 16 /* in one call */

struct rtls_outside {
	void *context;
	/* Other than RTLS_OK: no lookup is possible at all. */
	enum rtls_status (*lookup)(void *context, struct rtls_lookup *lookups,
		size_t count, struct rtls_err *err);
	/* Hand over a message; RTLS_OK: taken. */
	enum rtls_status (*mail)(void *context, const char *address,
		struct rtls_slice message, struct rtls_err *err);
	/* POST application/tlsrpt+gzip; RTLS_OK: taken. */
	enum rtls_status (*post)(void *context, const char *url,
		struct rtls_slice body, struct rtls_err *err);
	/* One line for the operator, without line end. */
	void (*log)(void *context, const char *line);
};

/*
 * The real thing: getdns, Exim, libcurl. log is for the caller to set.
 *
 * config   borrowed until rtls_outside_close()
 * outside  context is owned by the caller until rtls_outside_close()
 */
RTLS_MUST_CHECK enum rtls_status rtls_outside_open(
	const struct rtls_config *config, struct rtls_outside *outside,
	struct rtls_err *err);
void rtls_outside_close(struct rtls_outside *outside);

struct rtls_run_options {
	int64_t now_s;
	const char
		*date; /* NULL: yesterday, and up to 7 days before; else now */
	bool now;      /* whatever the schedule says */
};

/* What happened, counted per place a report goes to. */
struct rtls_run_sums {
	size_t sent;
	size_t deferred; /* failed, to be tried again */
	size_t dropped;
	size_t waiting;  /* places and reports not due yet */
	size_t unwanted; /* domains without a record */
};

/*
 * sums  filled in any case
 * RTLS_OK         all that was due was tried, with whatever success
 * RTLS_INVALID    the date is not one, or not past yet: a report of half a
 *                 day could never be completed; or tlsrpt_rua is no place
 * RTLS_TEMPORARY  some of it could not be done (another run is under way, no
 *                 resolver, no disk space); err says what came first
 */
RTLS_MUST_CHECK enum rtls_status rtls_report_run(
	const struct rtls_config *config,
	const struct rtls_run_options *options,
	const struct rtls_outside *outside, struct rtls_run_sums *sums,
	struct rtls_err *err);

/*
 * The same without sending and without the outbox, and without leaving anything out of the reports
 * on MX hosts: <directory> gets, per domain,
 * <domain>.json, <domain>.json.gz and for each address a <domain>.eml (a second one .2.eml); the log
 * says where each would go. Of options now is ignored, and without date it is yesterday.
 *
 * RTLS_NONE  nothing was judged that day
 */
RTLS_MUST_CHECK enum rtls_status rtls_report_dry_run(
	const struct rtls_config *config,
	const struct rtls_run_options *options,
	const struct rtls_outside *outside, const char *directory,
	struct rtls_err *err);

#endif
