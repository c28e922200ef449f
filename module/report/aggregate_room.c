/* aggregate_room.c - memory is bounded over all domains: when there are too many different failures, what was
 * counted is counted again with a lower limit. Nodes are never removed one by one. */
#include <stdlib.h>

#include "report/aggregate_nodes.h"

static enum rtls_status move_policy(struct rtls_reports *to,
	struct rtls_report *report, const struct rtls_report_policy *from)
{
	struct rtls_counted counted = rtls_aggregate_again(report, from, NULL);
	struct rtls_report_policy *policy =
		rtls_aggregate_policy(to, report, &counted);

	if (policy == NULL)
		return RTLS_NO_MEMORY;
	policy->successes = from->successes;
	policy->failures = from->failures;
	return RTLS_OK;
}

/* In the order in which they came, too: then none meets the cap that did not before. */
static enum rtls_status move_policies(struct rtls_reports *to,
	struct rtls_report *report, const struct rtls_report *from)
{
	const struct rtls_report_policy **list = calloc(
		from->policy_count + 1, sizeof(struct rtls_report_policy *));
	enum rtls_status status = list == NULL ? RTLS_NO_MEMORY : RTLS_OK;
	const struct rtls_report_policy *policy = from->policies;

	for (size_t i = from->policy_count; list != NULL && i > 0; i--) {
		list[i - 1] = policy;
		policy = policy->next;
	}
	for (size_t i = 0; i < from->policy_count && status == RTLS_OK; i++)
		status = move_policy(to, report, list[i]);
	free(list);
	return status;
}

static enum rtls_status move_details(struct rtls_reports *to,
	struct rtls_report *report, const struct rtls_report *from)
{
	struct rtls_found *list = rtls_aggregate_list(from);
	enum rtls_status status = list == NULL ? RTLS_NO_MEMORY : RTLS_OK;

	for (size_t i = 0; i < from->detail_count && status == RTLS_OK; i++) {
		struct rtls_counted counted = rtls_aggregate_again(
			from, list[i].policy, list[i].detail);
		struct rtls_detail *detail;

		/* It is there. */
		detail = rtls_aggregate_detail(to, report,
			rtls_aggregate_policy(to, report, &counted), &counted);
		if (detail == NULL)
			status = RTLS_NO_MEMORY;
		else
			detail->count += list[i].detail->count;
	}
	free(list);
	return status;
}

static enum rtls_status move_report(
	struct rtls_reports *to, const struct rtls_report *from)
{
	struct rtls_counted counted = { .type = RTLS_POLICY_NONE_FOUND };
	struct rtls_report *report;
	enum rtls_status status;

	(void)rtls_slice_copy(
		from->domain, counted.domain, sizeof(counted.domain));
	report = rtls_aggregate_report(to, &counted);
	if (report == NULL)
		return RTLS_NO_MEMORY;
	report->successes = from->successes;
	report->failures = from->failures;
	status = move_policies(to, report, from);
	return status == RTLS_OK ? move_details(to, report, from) : status;
}

/* false: they are as low as they get. */
static bool lower_limits(struct rtls_reports *reports)
{
	if (reports->details_max == 0 && reports->details_hosts == 0)
		return false;
	if (reports->details_max == 0)
		reports->details_hosts = 0;
	reports->details_max /= 2;
	if (reports->details_max < RTLS_DETAILS_LEAST)
		reports->details_max = 0;
	return true;
}

/* All that is counted, as it would have been counted with the limits of made. */
static enum rtls_status count_again(
	struct rtls_reports *made, const struct rtls_reports *reports)
{
	enum rtls_status status = RTLS_OK;

	for (const struct rtls_report *report = reports->list;
		report != NULL && status == RTLS_OK; report = report->next)
		status = move_report(made, report);
	return status;
}

enum rtls_status rtls_aggregate_keep_within(struct rtls_reports *reports)
{
	while (reports->detail_count > reports->detail_count_max) {
		struct rtls_reports made = { .begin_s = reports->begin_s,
			.lines = reports->lines,
			.skipped = reports->skipped,
			.details_max = reports->details_max,
			.details_hosts = reports->details_hosts,
			.detail_count_max = reports->detail_count_max };

		if (!lower_limits(&made))
			return RTLS_OK;
		if (count_again(&made, reports) != RTLS_OK) {
			rtls_aggregate_clear(&made);
			return RTLS_NO_MEMORY;
		}
		rtls_aggregate_clear(reports);
		*reports = made;
	}
	return RTLS_OK;
}
