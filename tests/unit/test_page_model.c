/* test_page_model.c - what of reports is counted for a page. The code under test is included, so
 * that its memory can be made to run out. */
#include <inttypes.h>
#include <stdio.h>

#include "check.h"

static size_t allocations, fail_at; /* fail_at 0: never */

static void *failing_calloc(size_t count, size_t size)
{
	return ++allocations == fail_at ? NULL : calloc(count, size);
}

static void *failing_realloc(void *memory, size_t size)
{
	return ++allocations == fail_at ? NULL : realloc(memory, size);
}

#define calloc  failing_calloc
#define realloc failing_realloc
/* NOLINTBEGIN(bugprone-suspicious-include) */
#include "report/page_model.c"
#include "report/page_model_find.c"
#include "report/page_model_finish.c"
#include "report/table.c"
/* NOLINTEND(bugprone-suspicious-include) */
#undef calloc
#undef realloc

#define FIRST_S (INT64_C(1795132800) - 10 * INT64_C(86400)) /* 2026-11-10 */
#define LAST_S  INT64_C(1795132800)                         /* 2026-11-20 */

/* Short ways to write a report. */
#define REPORT(day, policies)                                                  \
	"{\"organization-name\":\"Org\",\"report-id\":\"" day "\","            \
	"\"date-range\":{\"start-datetime\":\"2026-11-" day "T00:00:00Z\","    \
	"\"end-datetime\":\"2026-11-" day                                      \
	"T23:59:59Z\"},\"policies\":[" policies "]}"
#define POLICY(domain, good, bad, details)                                     \
	"{\"policy\":{\"policy-type\":\"sts\",\"policy-domain\":\"" domain     \
	"\"},\"summary\":{\"total-successful-session-count\":" good            \
	",\"total-failure-session-count\":" bad                                \
	"},\"failure-details\":[" details "]}"
#define FAILED(type, count, more)                                              \
	"{\"result-type\":\"" type "\",\"failed-session-count\":" count more "}"
#define NAME(key, value) ",\"" key "\":\"" value "\""

struct row {
	const char *proves;
	const char *reports; /* what stands between [ and ] */
	const char *wanted;  /* as dump() writes it */
};

static const struct row rows[] = {
	{ "nothing", "", "0/0 in 0\n" },
	{ "one policy", REPORT("20", POLICY("a.example", "5", "0", "")),
		"5/0 in 1\na.example 5/0 10:5/0 sts Org(1)\n" },
	{ "days and domains are told apart, the worst first",
		REPORT("19", POLICY("a.example", "5", "0", "")) "," REPORT("20",
			POLICY("b.example", "1", "2", "") "," POLICY(
				"c.example", "0", "1",
				"") "," POLICY("a.example", "1", "0", "")),
		"7/3 in 2\nb.example 1/2 10:1/2 sts Org(1)\n"
		"c.example 0/1 10:0/1 sts Org(1)\n"
		"a.example 6/0 9:5/0 10:1/0 sts Org(2)\n" },
	{ "days come in any order",
		REPORT("12", POLICY("a.example", "1", "0", "")) "," REPORT("20",
			POLICY("a.example", "2", "0", "")) "," REPORT("15",
			POLICY("a.example", "3", "0", "")),
		"6/0 in 3\na.example 6/0 2:1/0 5:3/0 10:2/0 sts Org(3)\n" },
	{ "case and a last dot make no other domain",
		REPORT("20", POLICY("A.Example.", "1", "0", "") "," POLICY(
				     "a.example", "1", "0", "")),
		"2/0 in 1\na.example 2/0 10:2/0 sts sts Org(1)\n" },
	{ "what is no domain stays as it is",
		REPORT("20", POLICY("<b>", "1", "0", "")),
		"1/0 in 1\n<b> 1/0 10:1/0 sts Org(1)\n" },
	{ "failures alike are one",
		REPORT("19", POLICY("a.example", "0", "2",
				     FAILED("tlsa-invalid", "2",
					     NAME("receiving-mx-hostname",
						     "mx")))) "," REPORT("20",
			POLICY("a.example", "0", "3",
				FAILED("tlsa-invalid", "1",
					NAME("receiving-mx-hostname",
						"mx")) "," FAILED("tlsa-invalid",
					"2",
					NAME("receiving-mx-hostname", "mx2")))),
		"0/5 in 2\na.example 0/5 9:0/2 10:0/3 sts Org(2)\n"
		" tlsa-invalid 5\n  3 mx||||| 9-10\n  2 mx2||||| 10-10\n" },
	{ "types by their sum, all fields of a failure",
		REPORT("20",
			POLICY("a.example", "0", "9",
				FAILED("certificate-expired", "1",
					"") "," FAILED("validation-failure",
					"8",
					NAME("receiving-mx-hostname", "h") NAME(
						"receiving-ip",
						"r") NAME("sending-mta-ip",
						"s") NAME("receiving-mx-helo",
						"e") NAME("failure-reason-code",
						"w")
						NAME("additional-information",
							"m")))),
		"0/9 in 1\na.example 0/9 10:0/9 sts Org(1)\n"
		" validation-failure 8\n  8 h|r|s|e|w|m 10-10\n"
		" certificate-expired 1\n  1 ||||| 10-10\n" },
	{ "without a sum of failures the details are counted",
		REPORT("20",
			"{\"policy\":{\"policy-domain\":\"a.example\"},"
			"\"failure-details\":[" FAILED("x", "4", "") ",{}]}"),
		"0/5 in 1\na.example 0/5 10:0/5 - Org(1)\n"
		" x 4\n  4 ||||| 10-10\n"
		" validation-failure 1\n  1 ||||| 10-10\n" },
	{ "no count is negative, or a text",
		REPORT("20", POLICY("a.example", "-5", "\"7\"", "")),
		"0/0 in 1\na.example 0/0 10:0/0 sts Org(1)\n" },
	{ "sums stay at the largest number",
		REPORT("19", POLICY("a.example", "9223372036854775807", "0",
				     "")) "," REPORT("20",
			POLICY("a.example", "9223372036854775807", "0",
				"") "," POLICY("a.example",
				"9223372036854775807", "0", "")),
		"18446744073709551615/0 in 2\na.example "
		"18446744073709551615/0 9:9223372036854775807/0 "
		"10:18446744073709551614/0 sts Org(2)\n" },
	{ "a policy and its mode",
		REPORT("20",
			"{\"policy\":{\"policy-type\":\"sts\","
			"\"policy-domain\":\"a.example\",\"policy-string\":["
			"\"version: STSv1\",\"mode:  testing \"]},\"summary\":"
			"{\"total-successful-session-count\":1}}"),
		"1/0 in 1\na.example 1/0 10:1/0 sts=testing Org(1)\n" },
	{ "one text for many lines",
		REPORT("20",
			"{\"policy\":{\"policy-type\":\"sts\","
			"\"policy-domain\":\"a.example\",\"policy-string\":"
			"\"version: STSv1\\nmode: none\"}}"),
		"0/0 in 1\na.example 0/0 10:0/0 sts=none Org(1)\n" },
	{ "the same report twice counts once",
		REPORT("20", POLICY("a.example", "1", "0", "")) "," REPORT(
			"20", POLICY("a.example", "1", "0", "")),
		"1/0 in 1, 1 duplicates\na.example 1/0 10:1/0 sts Org(1)\n" },
	{ "the same id about another domain is another report",
		REPORT("20", POLICY("a.example", "1", "0", "")) "," REPORT(
			"20", POLICY("b.example", "1", "0", "")),
		"2/0 in 2\na.example 1/0 10:1/0 sts Org(1)\n"
		"b.example 1/0 10:1/0 sts Org(1)\n" },
	{ "a time that ends in the next day is of the first",
		"{\"date-range\":{\"start-datetime\":\"2026-11-19T00:00:00Z\","
		"\"end-datetime\":\"2026-11-20T00:00:00Z\"},\"contact-info\":"
		"\"c\",\"policies\":[" POLICY("a.example", "1", "0", "") "]}",
		"1/0 in 1\na.example 1/0 9:1/0 sts c(1)\n" },
	{ "a day in another zone is the one it is most of",
		"{\"date-range\":{\"start-datetime\":\"2026-11-18T22:00:00Z\","
		"\"end-datetime\":\"2026-11-19T21:59:59Z\"},\"policies\":[" POLICY(
			"a.example", "1", "0", "") "]}",
		"1/0 in 1\na.example 1/0 9:1/0 sts (1)\n" },
	{ "days outside are passed over",
		REPORT("09", POLICY("a.example", "1", "0", "")) "," REPORT(
			"21", POLICY("a.example", "1", "0", "")),
		"0/0 in 0, 2 outside\n" },
	{ "so is what is no report",
		"null,7,\"x\",[],{},{\"date-range\":{\"start-datetime\":"
		"\"yesterday\"}}",
		"0/0 in 0, 6 undated\n" },
	{ "policies that are none are of no domain",
		REPORT("20", "null,7,{\"policy\":[]}"),
		"0/0 in 1\n 0/0 10:0/0 - Org(1)\n" },
};

static void dump_failures(FILE *out, const struct rtls_page_domain *domain)
{
	for (const struct rtls_page_type *type = domain->types; type != NULL;
		type = type->next) {
		(void)fprintf(out, " %.*s %" PRIu64 "\n", (int)type->name.size,
			type->name.data, type->count);
		for (const struct rtls_page_failure *one = type->failures;
			one != NULL; one = one->next)
			(void)fprintf(out,
				"  %" PRIu64 " %.*s|%.*s|%.*s|%.*s|%.*s|%.*s "
				"%zu-%zu\n",
				one->count, (int)one->mx_host.size,
				one->mx_host.data, (int)one->receiving_ip.size,
				one->receiving_ip.data,
				(int)one->sending_ip.size, one->sending_ip.data,
				(int)one->helo.size, one->helo.data,
				(int)one->reason.size, one->reason.data,
				(int)one->more.size, one->more.data,
				one->first_day, one->last_day);
	}
}

static void dump_domain(FILE *out, const struct rtls_page_domain *domain)
{
	(void)fprintf(out, "%.*s %" PRIu64 "/%" PRIu64, (int)domain->name.size,
		domain->name.data, domain->count.successes,
		domain->count.failures);
	for (size_t i = 0; i < domain->day_count; i++)
		(void)fprintf(out, " %zu:%" PRIu64 "/%" PRIu64,
			domain->days[i].day, domain->days[i].count.successes,
			domain->days[i].count.failures);
	for (const struct rtls_page_policy *policy = domain->policies;
		policy != NULL; policy = policy->next)
		(void)fprintf(out, " %.*s%s%.*s",
			policy->type.size > 0 ? (int)policy->type.size : 1,
			policy->type.size > 0 ? policy->type.data : "-",
			policy->mode.size > 0 ? "=" : "",
			(int)policy->mode.size, policy->mode.data);
	for (const struct rtls_page_reporter *reporter = domain->reporters;
		reporter != NULL; reporter = reporter->next)
		(void)fprintf(out, " %.*s(%" PRIu64 ")",
			(int)reporter->name.size, reporter->name.data,
			reporter->reports);
	(void)fputc('\n', out);
	dump_failures(out, domain);
}

static char *dump(const struct rtls_page_model *model)
{
	const struct rtls_page_sums *sums = rtls_page_model_sums(model);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	(void)fprintf(out, "%" PRIu64 "/%" PRIu64 " in %" PRIu64,
		sums->count.successes, sums->count.failures, sums->reports);
	if (sums->duplicates > 0)
		(void)fprintf(
			out, ", %" PRIu64 " duplicates", sums->duplicates);
	if (sums->outside > 0)
		(void)fprintf(out, ", %" PRIu64 " outside", sums->outside);
	if (sums->undated > 0)
		(void)fprintf(out, ", %" PRIu64 " undated", sums->undated);
	(void)fputc('\n', out);
	for (size_t i = 0; i < rtls_page_model_count(model); i++)
		dump_domain(out, rtls_page_model_domain(model, i));
	assert_int_equal(fclose(out), 0);
	return text;
}

static json_t *read_reports(const char *text)
{
	char *array = NULL;
	json_t *reports;

	assert_true(asprintf(&array, "[%s]", text) > 0);
	reports = json_loads(array, 0, NULL);
	assert_non_null(reports);
	free(array);
	return reports;
}

/* NULL: no memory. */
static struct rtls_page_model *make_model(const json_t *reports)
{
	struct rtls_page_model *model = rtls_page_model_begin(FIRST_S, LAST_S);
	enum rtls_status status = model != NULL ? RTLS_OK : RTLS_NO_MEMORY;

	for (size_t i = 0; i < json_array_size(reports) && status == RTLS_OK;
		i++)
		status = rtls_page_model_add(
			model, json_array_get(reports, i), NULL);
	if (status == RTLS_OK)
		status = rtls_page_model_finish(model);
	if (status == RTLS_OK)
		return model;
	assert_int_equal(status, RTLS_NO_MEMORY);
	rtls_page_model_free(model);
	return NULL;
}

static void count_row(void **state)
{
	const struct row *row = *state;
	json_t *reports = read_reports(row->reports);
	struct rtls_page_model *model = make_model(reports);
	char *text;

	assert_non_null(model);
	json_decref(reports); /* nothing is borrowed */
	text = dump(model);
	assert_string_equal(text, row->wanted);
	free(text);
	rtls_page_model_free(model);
}

static void run_out_of_memory(void **state)
{
	const struct row *row = *state;
	json_t *reports = read_reports(row->reports);
	struct rtls_page_model *model = NULL;

	for (size_t n = 1; model == NULL; n++) {
		allocations = 0;
		fail_at = n;
		model = make_model(reports);
		/* As soon as nothing fails any more all is as ever. */
		assert_true((model != NULL) == (allocations < n));
	}
	fail_at = 0;
	rtls_page_model_free(model);
	json_decref(reports);
}

/* --- limits ----------------------------------------------------------------- */

static void add_policy_text(struct rtls_page_model *model, const char *domain,
	const char *type, const char *result, const char *host)
{
	json_t *report = json_pack(
		"{s:{s:s}, s:[{s:{s:s, s:s}, s:[{s:s, s:s, s:i}]}]}",
		"date-range", "start-datetime", "2026-11-20T00:00:00Z",
		"policies", "policy", "policy-type", type, "policy-domain",
		domain, "failure-details", "result-type", result,
		"receiving-mx-hostname", host, "failed-session-count", 1);

	assert_non_null(report);
	assert_int_equal(rtls_page_model_add(model, report, NULL), RTLS_OK);
	json_decref(report);
}

/* Far more of everything than is kept: the sums stay right. */
static void stay_bounded(void **state)
{
	enum {
		MANY = 1000
	};
	struct rtls_page_model *model = rtls_page_model_begin(FIRST_S, LAST_S);
	const struct rtls_page_domain *domain;
	uint64_t sum = 0;
	char text[32];

	(void)state;
	assert_non_null(model);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(text, sizeof(text), "t%d", i);
		add_policy_text(model, "a.example", text, text, text);
	}
	assert_int_equal(rtls_page_model_finish(model), RTLS_OK);
	assert_int_equal(rtls_page_model_count(model), 1);
	domain = rtls_page_model_domain(model, 0);
	assert_int_equal(domain->count.failures, MANY);
	assert_int_equal(domain->type_count, RTLS_PAGE_TYPES_MAX + 1);
	assert_int_equal(domain->types->count, MANY - RTLS_PAGE_TYPES_MAX);
	assert_int_equal(domain->types->name.size, 0);
	assert_int_equal(domain->failure_count, RTLS_PAGE_FAILURES_MAX + 1);
	assert_int_equal(domain->policy_count, RTLS_PAGE_POLICIES_MAX + 1);
	for (const struct rtls_page_type *type = domain->types; type != NULL;
		type = type->next)
		for (const struct rtls_page_failure *one = type->failures;
			one != NULL; one = one->next)
			sum += one->count;
	assert_int_equal(sum, MANY);
	rtls_page_model_free(model);
}

static void bound_domains(void **state)
{
	struct rtls_page_model *model = rtls_page_model_begin(FIRST_S, LAST_S);
	char text[32];

	(void)state;
	assert_non_null(model);
	for (int i = 0; i < RTLS_PAGE_DOMAINS_MAX + 3; i++) {
		(void)snprintf(text, sizeof(text), "d%d.example", i);
		add_policy_text(model, text, "sts", "tlsa-invalid", "mx");
	}
	/* One that was there before still counts as itself. */
	add_policy_text(model, "d0.example", "sts", "tlsa-invalid", "mx");
	assert_int_equal(rtls_page_model_finish(model), RTLS_OK);
	assert_int_equal(rtls_page_model_count(model), RTLS_PAGE_DOMAINS_MAX);
	assert_int_equal(
		rtls_page_model_sums(model)->other_domains.failures, 3);
	assert_int_equal(rtls_page_model_sums(model)->count.failures,
		RTLS_PAGE_DOMAINS_MAX + 4);
	check_slice(rtls_page_model_domain(model, 0)->name, "d0.example");
	rtls_page_model_free(model);
}

static void bound_days(void **state)
{
	struct rtls_page_model *model = rtls_page_model_begin(0, LAST_S);
	json_t *report =
		read_reports(REPORT("20", POLICY("a.example", "1", "0", "")));

	(void)state;
	assert_non_null(model);
	assert_int_equal(
		rtls_page_model_add(model, json_array_get(report, 0), NULL),
		RTLS_OK);
	assert_int_equal(rtls_page_model_finish(model), RTLS_OK);
	assert_int_equal(
		rtls_page_model_sums(model)->last_day, RTLS_PAGE_DAYS_MAX - 1);
	assert_int_equal(
		rtls_page_model_day_s(model, RTLS_PAGE_DAYS_MAX - 1), LAST_S);
	json_decref(report);
	rtls_page_model_free(model);
}

/* A text that is longer than any page shows is cut between two characters. */
static void cut_long_texts(void **state)
{
	struct rtls_page_model *model = rtls_page_model_begin(FIRST_S, LAST_S);
	char text[3 * RTLS_PAGE_PIECE_MAX + 1];
	struct rtls_slice host;

	(void)state;
	assert_non_null(model);
	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 4);
	add_policy_text(model, "a.example", text, text, text);
	assert_int_equal(rtls_page_model_finish(model), RTLS_OK);
	host = rtls_page_model_domain(model, 0)->types->failures->mx_host;
	assert_in_range(
		host.size, RTLS_PAGE_PIECE_MAX - 3, RTLS_PAGE_PIECE_MAX);
	assert_int_equal(host.size % 3, 0);
	rtls_page_model_free(model);
}

/* Our own reports: all policies are of one domain, TLSA ones too. */
static void count_our_own(void **state)
{
	struct rtls_page_model *model = rtls_page_model_begin(FIRST_S, LAST_S);
	json_t *reports = read_reports(
		REPORT("20", POLICY("mx.b.example", "1", "0", "") "," POLICY(
				     "a.example", "1", "0", "")));
	char *text;

	(void)state;
	assert_non_null(model);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			rtls_page_model_add(
				model, json_array_get(reports, 0), "a.example"),
			RTLS_OK);
	assert_int_equal(rtls_page_model_finish(model), RTLS_OK);
	text = dump(model);
	assert_string_equal(
		text, "4/0 in 2\na.example 4/0 10:4/0 sts sts Org(2)\n");
	free(text);
	json_decref(reports);
	rtls_page_model_free(model);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, count_row, rows);
	CHECK_TABLE(&suite, run_out_of_memory, rows);
	check_add(&suite, "limits keep the sums right", stay_bounded, NULL);
	check_add(&suite, "so does that of domains", bound_domains, NULL);
	check_add(&suite, "of many years the last one", bound_days, NULL);
	check_add(&suite, "long texts are cut", cut_long_texts, NULL);
	check_add(&suite, "our own reports", count_our_own, NULL);
	return check_run(&suite, "page_model");
}
