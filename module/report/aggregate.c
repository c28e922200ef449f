/* aggregate.c - RFC 8460 sections 4.2 and 4.4. */
#include "report/aggregate_nodes.h"

#include <stdlib.h>
#include <string.h>

struct rtls_reports *rtls_aggregate_begin(int64_t day_s)
{
	struct rtls_reports *reports = calloc(1, sizeof(*reports));

	if (reports == NULL)
		return NULL;
	reports->begin_s = day_s;
	reports->details_max = RTLS_DETAILS_MAX;
	reports->details_hosts = RTLS_DETAILS_HOSTS;
	reports->detail_count_max = RTLS_DETAILS_ALL_MAX;
	return reports;
}

void rtls_aggregate_clear(struct rtls_reports *reports)
{
	for (struct rtls_report *report = reports->list; report != NULL;
		report = report->next) {
		for (struct rtls_report_policy *policy = report->policies;
			policy != NULL; policy = policy->next)
			free(policy->detail);
		free(report->policy);
		free(report->host);
	}
	free(reports->report);
	rtls_table_free(&reports->table);
}

void rtls_reports_free(struct rtls_reports *reports)
{
	if (reports == NULL)
		return;
	rtls_aggregate_clear(reports);
	free(reports);
}

/* --- one session, its texts in the one form that is counted ---------------- */

struct session {
	struct rtls_counted counted;
	char mx[RTLS_DOMAIN_SIZE];
};

static enum rtls_status normalize(
	const struct rtls_session_result *result, struct session *session)
{
	struct rtls_counted *counted = &session->counted;
	struct rtls_detail *detail = &counted->detail;

	if (rtls_domain_normalize(result->policy_domain, counted->domain) !=
		RTLS_OK)
		return RTLS_INVALID;
	counted->type = result->type;
	counted->digest = result->digest;
	counted->policy_domain = rtls_slice(counted->domain);
	detail->result = result->result;
	detail->mx_host = result->mx_host; /* an address literal, perhaps */
	if (rtls_domain_normalize(result->mx_host, session->mx) == RTLS_OK) {
		detail->mx_host = rtls_slice(session->mx);
		/* RFC 8460 section 1.1: DANE is about the TLSA base domain. */
		if (result->type == RTLS_POLICY_TLSA)
			counted->policy_domain = detail->mx_host;
	}
	detail->mx_helo = result->mx_helo;
	detail->reason = result->reason;
	/* As RFC 5952 writes them, or empty: so the journal has them. */
	detail->sending_ip = result->sending_ip;
	detail->receiving_ip = result->receiving_ip;
	return RTLS_OK;
}

/* --- counting --------------------------------------------------------------- */

enum rtls_status rtls_aggregate_add(
	struct rtls_reports *reports, const struct rtls_session_result *result)
{
	const uint64_t count = result->count == 0 ? 1 : result->count;
	struct rtls_report_policy *policy;
	struct rtls_report *report;
	struct rtls_detail *detail;
	struct session session;

	if (normalize(result, &session) != RTLS_OK) {
		reports->skipped += count;
		return RTLS_OK;
	}
	report = rtls_aggregate_report(reports, &session.counted);
	if (report == NULL)
		return RTLS_NO_MEMORY;
	policy = rtls_aggregate_policy(reports, report, &session.counted);
	if (policy == NULL)
		return RTLS_NO_MEMORY;
	reports->lines += count;
	if (result->result == RTLS_RESULT_SUCCESS) {
		report->successes += count;
		policy->successes += count;
		return RTLS_OK;
	}
	report->failures += count;
	policy->failures += count;
	detail = rtls_aggregate_detail(
		reports, report, policy, &session.counted);
	if (detail == NULL)
		return RTLS_NO_MEMORY;
	detail->count += count;
	return rtls_aggregate_keep_within(reports);
}
