/* aggregate.h - count judged sessions: policy domain -> policy -> failure.
 *
 * Memory grows with what is distinct, not with the number of sessions, and what strangers can
 * make distinct is capped: the counts stay right, the details get coarser. */
#ifndef RTLS_AGGREGATE_H
#define RTLS_AGGREGATE_H

#include "policy/result.h"
#include "report/report.h"
#include "report/table.h"

/* Per policy domain. Behind the first limit failures are kept by result and MX host only, so many more
 * of them; behind that by result only. They say so. The fuzz targets have small ones. */
#ifndef RTLS_DETAILS_MAX
#define RTLS_DETAILS_MAX   1000
#define RTLS_DETAILS_HOSTS 100
/* Over all domains. Where there would be more, the first limit is halved for each domain, down to the
 * least; then none is kept in full, and then no MX host. The same sessions come to the
 * same limits in whatever order their domains come. */
#define RTLS_DETAILS_ALL_MAX 500000
#define RTLS_DETAILS_LEAST   100
/* Behind this, one more entry per policy type, without policy text. */
#define RTLS_POLICIES_MAX 100
#endif
/* failure-reason-code of failures that were added up. */
#define RTLS_ADDED_UP_REASON "several reasons, to keep the report small"

/* One element of failure-details. */
struct rtls_detail {
	enum rtls_result result;
	struct rtls_slice sending_ip; /* RFC 5952 form, or empty */
	struct rtls_slice mx_host;
	struct rtls_slice mx_helo;
	struct rtls_slice receiving_ip;
	struct rtls_slice reason;
	uint64_t count;
	size_t order; /* the how manieth of its report */
	struct rtls_detail *next;
};

/* One element of policies. */
struct rtls_report_policy {
	enum rtls_policy_type type;
	struct rtls_slice digest; /* empty: text unknown */
	struct rtls_slice domain; /* of a TLSA policy the MX host */
	uint64_t successes;
	uint64_t failures;
	size_t detail_count;
	struct rtls_detail *details; /* while counting */
	struct rtls_detail **detail; /* once finished, most frequent first */
	struct rtls_report_policy *next;
};

struct rtls_report {
	struct rtls_slice domain; /* terminated */
	int64_t begin_s;
	int64_t end_s; /* the day's last second */
	uint64_t successes;
	uint64_t failures;
	size_t detail_count; /* of all policies */
	size_t host_count; /* while counting: the first that failed, by hash */
	uint64_t *host;
	size_t policy_count;
	struct rtls_report_policy *policies;
	struct rtls_report_policy **policy; /* once finished, in fixed order */
	bool is_trimmed;                    /* trim.h */
	struct rtls_report *next;
};

struct rtls_reports {
	struct rtls_table table; /* owns all nodes and their texts */
	int64_t begin_s;
	uint64_t lines; /* sessions: a line may stand for several */
	uint64_t skipped;
	/* Of a report, and of all; rtls_aggregate_begin() sets them. */
	size_t details_max, details_hosts;
	size_t detail_count, detail_count_max;
	size_t count;
	struct rtls_report *list;
	struct rtls_report **report; /* once finished, by domain */
};

/* day_s: first second of the day. NULL: no memory. */
struct rtls_reports *rtls_aggregate_begin(int64_t day_s);

/*
 * Count a session, or as many as session->count says. A policy domain that is none counts as skipped.
 * RTLS_NO_MEMORY  not counted, or counted without its detail: give up the day
 */
RTLS_MUST_CHECK enum rtls_status rtls_aggregate_add(
	struct rtls_reports *reports,
	const struct rtls_session_result *session);

/* Sort; to be called once, before reading. */
RTLS_MUST_CHECK enum rtls_status rtls_aggregate_finish(
	struct rtls_reports *reports);

#endif
