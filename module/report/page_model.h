/* page_model.h - what a page of TLS reports shows: counts by policy domain and UTC day, failures
 * by type, hosts and reason, policies, reporters. From reports in the JSON of RFC 8460 section 4.4.
 *
 * Counts are of all that was added; what strangers can make distinct is capped, and behind the
 * cap goes into a last entry without a name ("others"). Keys that are missing count as unknown. */
#ifndef RTLS_PAGE_MODEL_H
#define RTLS_PAGE_MODEL_H

#include <jansson.h>
#include <stdint.h>

#include "policy/slice.h"
#include "policy/status.h"

#define RTLS_PAGE_DAYS_MAX      366
#define RTLS_PAGE_DOMAINS_MAX   50000
#define RTLS_PAGE_REPORTERS_MAX 300 /* of the page, and 30 of a domain */
#define RTLS_PAGE_TYPES_MAX     24  /* per domain */
#define RTLS_PAGE_FAILURES_MAX  200 /* per domain, with all they say */
#define RTLS_PAGE_POLICIES_MAX  20  /* per domain */

struct rtls_page_count {
	uint64_t successes;
	uint64_t failures;
};

struct rtls_page_day {
	size_t day; /* 0: the first of the model */
	struct rtls_page_count count;
	unsigned
		results; /* the bit 1 << enum rtls_result of each failure seen */
};

/* Failures alike. Empty texts are unknown; all of them empty may be "others". */
struct rtls_page_failure {
	struct rtls_slice mx_host, receiving_ip, sending_ip, helo, reason, more;
	uint64_t count;
	size_t first_day, last_day;
	struct rtls_page_failure *next;
};

struct rtls_page_type {
	struct rtls_slice name; /* as reported, or empty: others */
	uint64_t count;
	size_t failure_count;
	struct rtls_page_failure *failures; /* once finished, most first */
	struct rtls_page_type *next;
};

struct rtls_page_policy {
	struct rtls_slice type;   /* as reported, or empty: others */
	struct rtls_slice mode;   /* of an MTA-STS policy, or empty */
	struct rtls_slice lines;  /* policy-string, each with its LF */
	struct rtls_slice hosts;  /* mx-host, the same way */
	struct rtls_slice domain; /* policy-domain, where it is another */
	struct rtls_page_count count;
	size_t last_day;
	struct rtls_page_policy *next;
};

struct rtls_page_reporter {
	struct rtls_slice name; /* or empty: others */
	uint64_t reports;
	uint64_t last_report; /* number of the last one counted */
	struct rtls_page_count count;
	struct rtls_page_reporter *next;
};

struct rtls_page_domain {
	struct rtls_slice name; /* normalized, where it is a domain at all */
	struct rtls_page_count count;
	size_t day_count, day_room;
	struct rtls_page_day *days; /* those with a report, in order */
	size_t type_count, failure_count, policy_count, reporter_count;
	struct rtls_page_type
		*types; /* once finished, most first; and so below */
	struct rtls_page_policy *policies;
	struct rtls_page_reporter *reporters;
	struct rtls_page_domain *next;
};

struct rtls_page_model;

/*
 * first_day_s, last_day_s  seconds of the first and last UTC day that may be shown; of more than
 *                          RTLS_PAGE_DAYS_MAX days the last count
 * NULL: no memory
 */
struct rtls_page_model *rtls_page_model_begin(
	int64_t first_day_s, int64_t last_day_s);
void rtls_page_model_free(struct rtls_page_model *model);

/* The day of a report: that of the middle of its time, so that neither a zone nor an end at the
 * first second of the next day moves it. RTLS_INVALID: it does not say. */
RTLS_MUST_CHECK enum rtls_status rtls_page_model_day(
	const json_t *report, int64_t *day_s);

/*
 * Count a report. Nothing of it is borrowed.
 *
 * report  any JSON; what is no report, has no day or one outside counts as passed over, and so
 *         does a second one of the same organization, id, day and first domain
 * domain  whose report it is, of our own; NULL: each policy is one of its policy-domain
 * RTLS_NO_MEMORY  counted in part: give up the model
 */
RTLS_MUST_CHECK enum rtls_status rtls_page_model_add(
	struct rtls_page_model *model, const json_t *report,
	const char *domain);

/* Sort; to be called once, before what follows. */
RTLS_MUST_CHECK enum rtls_status rtls_page_model_finish(
	struct rtls_page_model *model);

/* Domains: those with most failures first, then those with most sessions. */
size_t rtls_page_model_count(const struct rtls_page_model *model);
const struct rtls_page_domain *rtls_page_model_domain(
	const struct rtls_page_model *model, size_t index);

/* Stays at the largest number rather than begin anew. */
void rtls_page_count_add(uint64_t *sum, uint64_t more);

struct rtls_page_sums {
	struct rtls_page_count count;
	uint64_t reports, duplicates, undated, outside;
	size_t failing_domains;
	size_t first_day, last_day;       /* with reports; first > last: none */
	const struct rtls_page_day *days; /* by day: index is the day */
	struct rtls_page_reporter *reporters;
	size_t reporter_count;
	/* Of domains beyond RTLS_PAGE_DOMAINS_MAX, contained in count. */
	struct rtls_page_count other_domains;
};

const struct rtls_page_sums *rtls_page_model_sums(
	const struct rtls_page_model *model);
int64_t rtls_page_model_day_s(const struct rtls_page_model *model, size_t day);

#endif
