/* fuzz_report.c - a journal, and the report that is made of it: JSON which our own reader takes
 * and sums up to what was counted, and a message without a line that is not ours. Trimmed, and on MX
 * hosts, too. */
#include <string.h>

#include "fuzz.h"
#include "policy/utf8.h"
#include "report/aggregate.h"
#include "report/hosts.h"
#include "report/report_mail.h"
#include "report/trim.h"
#include "tool/summary.h"

#define DAY_S INT64_C(1795219200) /* 2026-11-21 */

static struct rtls_config *config(void)
{
	static struct rtls_config made;

	rtls_config_defaults(&made);
	strcpy(made.spool, "/nonexistent");
	strcpy(made.contact, "tlsrpt@bank.example");
	strcpy(made.organization, "B\xc3\xa4nk");
	return &made;
}

static void count_lines(struct rtls_slice text, struct rtls_reports *reports)
{
	struct rtls_session_result result;
	struct rtls_slice line;

	while (rtls_slice_line(&text, &line))
		if (rtls_journal_line_parse(line, &result) == RTLS_OK)
			PROPERTY(rtls_aggregate_add(reports, &result) ==
				 RTLS_OK);
}

static uint64_t sum(const json_t *policies, const char *key)
{
	json_int_t total = 0;

	for (size_t i = 0; i < json_array_size(policies); i++)
		total += json_integer_value(
			json_object_get(json_array_get(policies, i), key));
	return (uint64_t)total;
}

static void check_json(const struct rtls_report *report)
{
	char *text = rtls_report_json(config(), report);
	struct rtls_err err = { "" };
	const json_t *policies;
	json_t *summary = NULL;

	PROPERTY(text != NULL && rtls_utf8_is_clean(rtls_slice(text)));
	PROPERTY(
		rtls_summary_read(rtls_slice(text), &summary, &err) == RTLS_OK);
	policies = json_object_get(summary, "policies");
	PROPERTY(json_array_size(policies) == report->policy_count);
	PROPERTY(sum(policies, "success") == report->successes);
	PROPERTY(sum(policies, "failure") == report->failures);
	json_decref(summary);
	free(text);
}

/* The boundary stands in it three times: before each of two parts, and at the end. */
static void check_mail(const struct rtls_report *report)
{
	const struct rtls_report_mail mail = { .config = config(),
		.report = report,
		.to = "rua@bank.example",
		.now_s = DAY_S,
		.gzip = rtls_slice("no gzip") };
	struct rtls_err err = { "" };
	unsigned boundaries = 0;
	char *text = NULL;
	size_t size = 0;

	PROPERTY(rtls_report_mail_format(&mail, &text, &size, &err) == RTLS_OK);
	for (size_t i = 0; i < size; i++) {
		PROPERTY(text[i] == '\n' || text[i] == '\t' ||
			 (text[i] >= ' ' && text[i] <= '~'));
		boundaries +=
			size - i > 5 && memcmp(text + i, "\n--=_", 5) == 0;
	}
	PROPERTY(boundaries == 3);
	free(text);
}

/* However coarse: the same sessions, in words and as JSON. */
static void check_trimmed(const struct rtls_report *report)
{
	struct rtls_reports *trimmed;
	enum rtls_status status;

	for (unsigned step = 1;; step++) {
		status = rtls_trim(report, step, &trimmed);
		if (status == RTLS_NONE)
			return;
		PROPERTY(status == RTLS_OK && step < 20);
		PROPERTY(trimmed->count == 1);
		PROPERTY(trimmed->report[0]->successes == report->successes);
		PROPERTY(trimmed->report[0]->failures == report->failures);
		PROPERTY(trimmed->report[0]->detail_count <=
			 report->detail_count);
		if (step == 2) { /* one of them: it takes time */
			check_json(trimmed->report[0]);
			check_mail(trimmed->report[0]);
		}
		rtls_reports_free(trimmed);
	}
}

/* A host is in no more sessions than there are, and each of its reports is one. */
static void check_hosts(const struct rtls_reports *reports)
{
	struct rtls_reports *made;
	struct rtls_hosts *hosts;

	PROPERTY(rtls_hosts_find(reports, &hosts) == RTLS_OK);
	for (size_t i = 0; i < rtls_hosts_count(hosts); i++) {
		const struct rtls_host *host = rtls_hosts_get(hosts, i);

		PROPERTY(host->domain_count > 0);
		PROPERTY(rtls_hosts_report(host, NULL, &made) == RTLS_OK);
		PROPERTY(made->count == 1);
		PROPERTY(rtls_slice_equal(made->report[0]->domain, host->name));
		PROPERTY(
			made->report[0]->failures == rtls_hosts_failures(host));
		PROPERTY(made->lines > 0 && made->lines <= reports->lines);
		check_json(made->report[0]);
		rtls_reports_free(made);
	}
	rtls_hosts_free(hosts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_reports *reports = rtls_aggregate_begin(DAY_S);
	uint64_t counted = 0;

	PROPERTY(reports != NULL);
	count_lines(fuzz_input(data, size), reports);
	PROPERTY(rtls_aggregate_finish(reports) == RTLS_OK);
	for (size_t i = 0; i < rtls_reports_count(reports); i++) {
		const struct rtls_report *report = rtls_reports_get(reports, i);

		counted += report->successes + report->failures;
		check_json(report);
		check_mail(report);
		check_trimmed(report);
	}
	check_hosts(reports);
	PROPERTY(counted == rtls_reports_lines(reports));
	rtls_reports_free(reports);
	return 0;
}
