/* trim.c - see trim.h. */
#include "report/trim.h"

#include <stdlib.h>

#include "report/recount.h"

struct trim {
	/* Failures that are more frequent are kept, and the first few of this frequency. */
	uint64_t least;
	size_t of_least;
	bool keeps_hosts;
	bool keeps_texts;
};

static int compare_counts(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left < *right) - (*left > *right);
}

/* All frequencies, the highest first; NULL: no memory. */
static uint64_t *list_counts(const struct rtls_report *report)
{
	uint64_t *count = calloc(report->detail_count + 1, sizeof(*count));
	size_t n = 0;

	if (count == NULL)
		return NULL;
	for (size_t i = 0; i < report->policy_count; i++)
		for (size_t k = 0; k < report->policy[i]->detail_count; k++)
			count[n++] = report->policy[i]->detail[k]->count;
	qsort(count, n, sizeof(*count), compare_counts);
	return count;
}

static enum rtls_status keep_most_frequent(
	const struct rtls_report *report, size_t keep, struct trim *trim)
{
	uint64_t *count;

	*trim = (struct trim){
		.least = UINT64_MAX, .keeps_hosts = true, .keeps_texts = true
	};
	if (keep == 0)
		return RTLS_OK;
	count = list_counts(report);
	if (count == NULL)
		return RTLS_NO_MEMORY;
	trim->least = count[keep - 1];
	for (size_t i = keep; i > 0 && count[i - 1] == trim->least; i--)
		trim->of_least++;
	free(count);
	return RTLS_OK;
}

/* What a step does; RTLS_NONE: there is no such step. */
static enum rtls_status plan_step(
	const struct rtls_report *report, unsigned step, struct trim *trim)
{
	size_t keep = report->detail_count;
	enum rtls_status status;

	while (step > 0 && keep > 0) {
		keep /= 2;
		step--;
	}
	status = keep_most_frequent(report, keep, trim);
	if (status != RTLS_OK)
		return status;
	/* The steps that are left, behind that of no failure kept. */
	trim->keeps_hosts = step == 0;
	trim->keeps_texts = step <= 1;
	return step <= 2 ? RTLS_OK : RTLS_NONE;
}

static bool is_kept(struct trim *trim, const struct rtls_detail *detail)
{
	if (detail->count != trim->least)
		return detail->count > trim->least;
	if (trim->of_least == 0)
		return false;
	trim->of_least--;
	return true;
}

static void reduce(struct rtls_session_result *session,
	const struct rtls_detail *detail, void *context)
{
	struct trim *trim = context;
	const struct rtls_slice none = rtls_slice("");

	if (!trim->keeps_texts)
		session->digest = none;
	if (detail == NULL || is_kept(trim, detail))
		return;
	session->sending_ip = none;
	session->mx_helo = none;
	session->receiving_ip = none;
	session->reason = rtls_slice(RTLS_ADDED_UP_REASON);
	/* DANE is about the host: it is the policy domain. */
	if (!trim->keeps_hosts && session->type != RTLS_POLICY_TLSA)
		session->mx_host = none;
}

static enum rtls_status fill(struct rtls_reports *made,
	const struct rtls_report *report, struct trim *trim)
{
	enum rtls_status status = RTLS_OK;

	for (size_t i = 0; i < report->policy_count && status == RTLS_OK; i++)
		status = rtls_recount(
			made, report->domain, report->policy[i], reduce, trim);
	return status == RTLS_OK ? rtls_aggregate_finish(made) : status;
}

enum rtls_status rtls_trim(const struct rtls_report *report, unsigned step,
	struct rtls_reports **made)
{
	struct rtls_reports *reports;
	struct trim trim;
	enum rtls_status status = plan_step(report, step, &trim);

	if (status != RTLS_OK)
		return status;
	reports = rtls_aggregate_begin(report->begin_s);
	if (reports == NULL)
		return RTLS_NO_MEMORY;
	status = fill(reports, report, &trim);
	if (status != RTLS_OK) {
		rtls_reports_free(reports);
		return status;
	}
	reports->report[0]->is_trimmed = true;
	*made = reports;
	return RTLS_OK;
}
