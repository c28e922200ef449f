/* aggregate_finish.c - the order of a report: the same journal gives the same
 * bytes, and what matters most comes first. */
#include "aggregate.h"

#include <stdlib.h>
#include <string.h>

static int compare_text(struct rtls_slice a, struct rtls_slice b)
{
	size_t size = a.size < b.size ? a.size : b.size;
	int order = size == 0 ? 0 : memcmp(a.data, b.data, size);

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_reports(const void *a, const void *b)
{
	const struct rtls_report *const *left = a, *const *right = b;

	return compare_text((*left)->domain, (*right)->domain);
}

/* DANE, then STS, then none; then as the texts are. */
static int compare_policies(const void *a, const void *b)
{
	const struct rtls_report_policy *left =
		*(struct rtls_report_policy *const *)a;
	const struct rtls_report_policy *right =
		*(struct rtls_report_policy *const *)b;
	int order = (left->type < right->type) - (left->type > right->type);

	if (order == 0)
		order = compare_text(left->domain, right->domain);
	return order != 0 ? order : compare_text(left->digest, right->digest);
}

/* The most frequent first; the rest makes the order the same every time. */
static int compare_details(const void *a, const void *b)
{
	const struct rtls_detail *left = *(struct rtls_detail *const *)a;
	const struct rtls_detail *right = *(struct rtls_detail *const *)b;
	int order = (left->count < right->count) - (left->count > right->count);

	if (order == 0)
		order = (left->result > right->result) -
			(left->result < right->result);
	if (order == 0)
		order = compare_text(left->mx_host, right->mx_host);
	if (order == 0)
		order = compare_text(left->receiving_ip, right->receiving_ip);
	if (order == 0)
		order = compare_text(left->sending_ip, right->sending_ip);
	if (order == 0)
		order = compare_text(left->mx_helo, right->mx_helo);
	return order != 0 ? order : compare_text(left->reason, right->reason);
}

static enum rtls_status sort_details(struct rtls_report_policy *policy)
{
	size_t n = 0;

	if (policy->detail_count == 0)
		return RTLS_OK;
	policy->detail =
		calloc(policy->detail_count, sizeof(struct rtls_detail *));
	if (policy->detail == NULL)
		return RTLS_NO_MEMORY;
	for (struct rtls_detail *detail = policy->details; detail != NULL;
		detail = detail->next)
		policy->detail[n++] = detail;
	qsort(policy->detail, n, sizeof(struct rtls_detail *), compare_details);
	return RTLS_OK;
}

static enum rtls_status sort_policies(struct rtls_report *report)
{
	size_t n = 0;

	report->policy = calloc(
		report->policy_count, sizeof(struct rtls_report_policy *));
	if (report->policy == NULL)
		return RTLS_NO_MEMORY;
	for (struct rtls_report_policy *policy = report->policies;
		policy != NULL; policy = policy->next) {
		if (sort_details(policy) != RTLS_OK)
			return RTLS_NO_MEMORY;
		report->policy[n++] = policy;
	}
	qsort(report->policy, n, sizeof(struct rtls_report_policy *),
		compare_policies);
	return RTLS_OK;
}

enum rtls_status rtls_aggregate_finish(struct rtls_reports *reports)
{
	size_t n = 0;

	if (reports->count == 0)
		return RTLS_OK;
	reports->report = calloc(reports->count, sizeof(struct rtls_report *));
	if (reports->report == NULL)
		return RTLS_NO_MEMORY;
	for (struct rtls_report *report = reports->list; report != NULL;
		report = report->next) {
		if (sort_policies(report) != RTLS_OK)
			return RTLS_NO_MEMORY;
		reports->report[n++] = report;
	}
	qsort(reports->report, n, sizeof(struct rtls_report *),
		compare_reports);
	return RTLS_OK;
}
