/* reports.c - the reports of a day, from its journal. */
#include "report.h"

#include "policy/timestamp.h"
#include "report/aggregate.h"
#include "store/journal.h"

struct reading {
	const struct rtls_config *config;
	struct rtls_reports *reports;
	enum rtls_status status;
};

static bool count_line(const struct rtls_session_result *result, void *context)
{
	struct reading *reading = context;
	struct rtls_session_result counted = *result;

	/* Here, so that failures that differ by it only become one. */
	if (!reading->config->report_sending_ip)
		counted.sending_ip = rtls_slice("");
	reading->status = rtls_aggregate_add(reading->reports, &counted);
	return reading->status == RTLS_OK;
}

static enum rtls_status read_day(const struct rtls_config *config,
	const char *date, struct rtls_reports *reports, struct rtls_err *err)
{
	struct reading reading = { config, reports, RTLS_OK };
	size_t skipped = 0;
	enum rtls_status status = rtls_journal_each(
		config->spool, date, count_line, &reading, &skipped, err);

	if (status == RTLS_OK)
		status = reading.status;
	if (status == RTLS_OK)
		status = rtls_aggregate_finish(reports);
	if (status == RTLS_NO_MEMORY)
		rtls_err_set(err, "no memory for the reports of %s", date);
	reports->skipped += skipped;
	if (status == RTLS_OK && reports->count == 0)
		return RTLS_NONE;
	return status;
}

enum rtls_status rtls_reports_load(const struct rtls_config *config,
	const char *date, struct rtls_reports **reports, struct rtls_err *err)
{
	struct rtls_reports *made;
	enum rtls_status status;
	int64_t day_s;

	if (rtls_date_parse(rtls_slice(date), &day_s) != RTLS_OK) {
		rtls_err_set(err, "not a date like 2026-11-21");
		return RTLS_INVALID;
	}
	made = rtls_aggregate_begin(day_s);
	if (made == NULL) {
		rtls_err_set(err, "no memory");
		return RTLS_NO_MEMORY;
	}
	status = read_day(config, date, made, err);
	if (status != RTLS_OK)
		rtls_reports_free(made);
	else
		*reports = made;
	return status;
}

size_t rtls_reports_count(const struct rtls_reports *reports)
{
	return reports->count;
}

const struct rtls_report *rtls_reports_get(
	const struct rtls_reports *reports, size_t index)
{
	return reports->report[index];
}

uint64_t rtls_reports_lines(const struct rtls_reports *reports)
{
	return reports->lines;
}

uint64_t rtls_reports_skipped(const struct rtls_reports *reports)
{
	return reports->skipped;
}

uint64_t rtls_reports_added_up(const struct rtls_reports *reports)
{
	const struct rtls_slice reason = rtls_slice(RTLS_ADDED_UP_REASON);
	uint64_t count = 0;

	for (const struct rtls_report *report = reports->list; report != NULL;
		report = report->next)
		for (const struct rtls_report_policy *policy = report->policies;
			policy != NULL; policy = policy->next)
			for (const struct rtls_detail *detail = policy->details;
				detail != NULL; detail = detail->next)
				if (rtls_slice_equal(detail->reason, reason))
					count += detail->count;
	return count;
}

const char *rtls_report_domain(const struct rtls_report *report)
{
	return report->domain.data;
}

uint64_t rtls_report_successes(const struct rtls_report *report)
{
	return report->successes;
}

uint64_t rtls_report_failures(const struct rtls_report *report)
{
	return report->failures;
}
