/* report_text.h - finished reports as text, for tests to compare. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <inttypes.h>

#include "policy/text.h"
#include "report/aggregate.h"

/* A report as text: domain good/bad, its policies, their failures. */
static inline void text_add_slice(
	struct rtls_text *out, struct rtls_slice slice)
{
	rtls_text_printf(out, " ");
	rtls_text_add(out, slice.size > 0 ? slice : rtls_slice("-"));
}

static inline void text_add_policy(
	struct rtls_text *out, const struct rtls_report_policy *policy)
{
	rtls_text_printf(out, " %s %.*s %.1s %" PRIu64 "/%" PRIu64 "\n",
		rtls_policy_type_name(policy->type), (int)policy->domain.size,
		policy->domain.data,
		policy->digest.size > 0 ? policy->digest.data : "-",
		policy->successes, policy->failures);
	for (size_t i = 0; i < policy->detail_count; i++) {
		const struct rtls_detail *detail = policy->detail[i];

		rtls_text_printf(out, "  %" PRIu64 " %s", detail->count,
			rtls_result_name(detail->result));
		text_add_slice(out, detail->sending_ip);
		text_add_slice(out, detail->mx_host);
		text_add_slice(out, detail->mx_helo);
		text_add_slice(out, detail->receiving_ip);
		text_add_slice(out, detail->reason);
		rtls_text_printf(out, "\n");
	}
}

static inline void text_add_report(
	struct rtls_text *out, const struct rtls_report *report)
{
	rtls_text_printf(out, "%s %" PRIu64 "/%" PRIu64 "\n",
		rtls_report_domain(report), rtls_report_successes(report),
		rtls_report_failures(report));
	for (size_t k = 0; k < report->policy_count; k++)
		text_add_policy(out, report->policy[k]);
}

static inline void dump(
	struct rtls_text *out, const struct rtls_reports *reports)
{
	for (size_t i = 0; i < rtls_reports_count(reports); i++)
		text_add_report(out, rtls_reports_get(reports, i));
}

#endif
