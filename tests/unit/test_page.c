/* test_page.c - reports as a page. How it looks in a browser is for
 * tests/scenarios/test_report_page.py. */
#include <inttypes.h>
#include <stdio.h>

#include "check.h"
#include "check_page.h"
#include "report/page_parts.h"

#define NOW_S INT64_C(1795219200) /* 2026-11-21 */

#define REPORT(day, good, bad, details)                                        \
	"{\"organization-name\":\"Org <1>\",\"report-id\":\"" day "\","        \
	"\"date-range\":{\"start-datetime\":\"" day "T00:00:00Z\"},"           \
	"\"policies\":[{\"policy\":{\"policy-type\":\"sts\",\"policy-domain\"" \
	":\"a.example\",\"policy-string\":[\"version: STSv1\",\"mode: "        \
	"enforce\"]},\"summary\":{\"total-successful-session-count\":" good    \
	",\"total-failure-session-count\":" bad                                \
	"},\"failure-details\":[" details "]}]}"
#define EVIL "</title></svg><script>alert(1)</script>\\\"'&lt;\\u202e"
#define EVIL_WANTED                                                            \
	"&lt;/title&gt;&lt;/svg&gt;&lt;script&gt;alert(1)&lt;/script&gt;"      \
	"&quot;&#39;&amp;lt;\\u202e"

#define EVIL_REPORT                                                            \
	"{\"organization-name\":\"" EVIL "\",\"date-range\":{"                 \
	"\"start-datetime\":\"2026-11-20T00:00:00Z\"},\"policies\":[{"         \
	"\"policy\":{\"policy-type\":\"" EVIL "\",\"policy-domain\":\"" EVIL   \
	"\",\"policy-string\":[\"" EVIL "\"]},\"failure-details\""             \
	":[{\"result-type\":\"" EVIL "\",\"receiving-ip\":\"" EVIL             \
	"\",\"sending-mta-ip\":\"" EVIL "\",\"receiving-mx-hostname\":"        \
	"\"" EVIL "\",\"failure-reason-code\":\"" EVIL "\"}]}]}"

struct row {
	const char *proves;
	const char *reports; /* what stands between [ and ] */
	bool is_received;
	const char *wanted[5]; /* each stands in the page */
	const char *unwanted;
};

static const struct row rows[] = {
	{ "nothing to show is a page, too", "", true,
		{ "There are no sessions to show.", "<html lang=\"en\">",
			"content=\"default-src 'none'; style-src "
			"'unsafe-inline'\"" },
		"<figure" },
	{ "a good day", REPORT("2026-11-20", "1234", "0", ""), true,
		{ "<title>2026-11-20: 1,234 successful, 0 failed</title>",
			"2026-11-20 (1 day, UTC)",
			"<dt>Failed</dt><dd>0 <small>0%</small>",
			"<th scope=\"row\"><bdi>Org &lt;1&gt;</bdi></th>" },
		"class=\"mark\" href=\"#mark\" x=\"50" },
	{ "a failure: its bar, its mark, words and advice",
		REPORT("2026-11-20", "3", "1",
			"{\"result-type\":\"certificate-expired\","
			"\"failed-session-count\":1,\"receiving-mx-hostname\":"
			"\"mx.a.example\",\"receiving-mx-helo\":\"old.a.example\""
			",\"additional-information\":\"https://x.example/\"}"),
		true,
		{ "2026-11-20: 3 successful, 1 failed (25.0%)",
			"</span> <code>certificate-expired</code>",
			"<use class=\"mark\" href=\"#mark\" x=\"50.000%\"",
			"calls itself <bdi>old.a.example</bdi>",
			"more: <bdi>https://x.example/</bdi>" },
		"href=\"https" },
	{ "advice to the other side, about ours to them",
		REPORT("2026-11-20", "3", "1",
			"{\"result-type\":\"sts-policy-fetch-error\"}"),
		false,
		{ "What their side can do:</span>",
			"https://mta-sts.<bdi>a.example</bdi>/.well-known" },
		"Who reported" },
	{ "a policy: type, mode, lines", REPORT("2026-11-20", "3", "0", ""),
		true,
		{ "<span class=\"tag\">MTA-STS</span>",
			"<span class=\"tag\">mode <bdi>enforce</bdi></span>",
			"<pre><bdi>version: STSv1</bdi>\n<bdi>mode: enforce"
			"</bdi>\n</pre>" },
		NULL },
	{ "what a stranger wrote is text everywhere", EVIL_REPORT, true,
		{ "<title>Sessions by day: " EVIL_WANTED "</title>",
			"<h2><bdi>" EVIL_WANTED "</bdi></h2>",
			"<pre><bdi>" EVIL_WANTED "</bdi>",
			"<td data-is=\"Sent from\"><bdi>" EVIL_WANTED },
		"<script" },
	{ "what was passed over is said",
		REPORT("2026-11-20", "3", "0", "") "," REPORT("2026-11-20", "3",
			"0", "") ",{}," REPORT("9999-01-01", "5", "0", ""),
		true,
		{ "1 reports came more than once",
			"1 reports are of days not shown",
			"1 reports do not say which day",
			"<dt>Sessions</dt><dd>3</dd>" },
		NULL },
	{ "of reports of long ago the last year is shown",
		REPORT("2020-06-01", "3", "0", "") "," REPORT("2021-06-01", "3",
			"0", "") "," REPORT("2019-06-01", "3", "0", ""),
		true,
		{ "2020-06-01 to 2021-06-01 (366 days, UTC)",
			"1 reports are of days not shown", "sessions a week" },
		NULL },
};

static char *make_page(const char *text, bool is_received, size_t *size)
{
	const struct rtls_page_options options = { is_received, NOW_S };
	char *array = NULL, *page = NULL;
	json_t *reports;
	FILE *out;

	assert_true(asprintf(&array, "[%s]", text) > 0);
	reports = json_loads(array, 0, NULL);
	assert_non_null(reports);
	out = open_memstream(&page, size);
	assert_non_null(out);
	assert_int_equal(rtls_page_write(out, reports, &options), RTLS_OK);
	assert_int_equal(fclose(out), 0);
	json_decref(reports);
	free(array);
	return page;
}

static void check_well_formed(const char *page, size_t size)
{
	const char *wrong = check_page(rtls_slice_n(page, size));

	if (wrong != NULL)
		print_error("%s\n", wrong);
	assert_null(wrong);
}

static void write_row(void **state)
{
	const struct row *row = *state;
	size_t size;
	char *page = make_page(row->reports, row->is_received, &size);

	check_well_formed(page, size);
	for (size_t i = 0; i < COUNT(row->wanted) && row->wanted[i] != NULL;
		i++) {
		if (strstr(page, row->wanted[i]) == NULL)
			print_error("not there: %s\n", row->wanted[i]);
		assert_non_null(strstr(page, row->wanted[i]));
	}
	if (row->unwanted != NULL)
		assert_null(strstr(page, row->unwanted));
	free(page);
}

/* --- the chart -------------------------------------------------------------- */

struct chart_row {
	const char *proves;
	struct rtls_page_count bar[3];
	const char *wanted[3]; /* in the chart */
};

static const struct chart_row chart_rows[] = {
	{ "heights in proportion to the counts",
		{ { 100, 0 }, { 50, 50 }, { 25, 0 } },
		{ "class=\"good\" x=\"30.286%\" y=\"22.00\" width=\"10.857%\" "
		  "height=\"140.00\"",
			"height=\"70.00\"/><rect class=\"failed\" "
			"x=\"44.571%\" y=\"20.50\" width=\"10.857%\" "
			"height=\"70.00\"",
			"height=\"35.00\"" } },
	{ "one failure of millions is seen",
		{ { 5000000, 1 }, { 1, 0 }, { 0, 0 } },
		{ "class=\"failed\" x=\"30.286%\" y=\"38.83\" "
		  "width=\"10.857%\" height=\"5.00\"",
			"class=\"good\" x=\"44.571%\" y=\"160.00\" "
			"width=\"10.857%\" height=\"2.00\"",
			"no sessions" } },
	{ "only failures stand on the ground",
		{ { 0, 10 }, { 0, 0 }, { 0, 0 } },
		{ "class=\"failed\" x=\"30.286%\" y=\"22.00\" "
		  "width=\"10.857%\" height=\"140.00\"" } },
};

static void put_chart_row(void **state)
{
	const struct chart_row *row = *state;
	struct rtls_page_bars bars = { .first_day_s = NOW_S,
		.days_per_bar = 1,
		.count = COUNT(row->bar) };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (size_t i = 0; i < COUNT(row->bar); i++) {
		bars.bar[i] = row->bar[i];
		if (rtls_page_sessions(&row->bar[i]) > bars.largest)
			bars.largest = rtls_page_sessions(&row->bar[i]);
	}
	rtls_page_put_chart(out, &bars, rtls_slice("x"));
	assert_int_equal(fclose(out), 0);
	for (size_t i = 0; i < COUNT(row->wanted) && row->wanted[i] != NULL;
		i++) {
		if (strstr(text, row->wanted[i]) == NULL)
			print_error("%s\nnot in: %s\n", row->wanted[i], text);
		assert_non_null(strstr(text, row->wanted[i]));
	}
	free(text);
}

/* The top of the axis, by the label on it. */
static const struct axis_row {
	const char *proves;
	uint64_t largest;
	const char *wanted;
} axis_rows[] = {
	{ "nothing", 0, ">1</text>" },
	{ "one", 1, ">1</text>" },
	{ "two", 2, ">1</text>" },
	{ "three", 3, ">4</text>" },
	{ "five, and its half is a whole number", 5, ">3</text>" },
	{ "tens", 41, ">30</text>" },
	{ "thousands", 1001, ">2k</text>" },
	{ "one and a half is not", 1500, ">1k</text>" },
	{ "millions", 2100001, ">4M</text>" },
	{ "the most there can be", UINT64_MAX, ">20E</text>" },
};

static void put_axis_row(void **state)
{
	const struct axis_row *row = *state;
	struct rtls_page_bars bars = {
		.days_per_bar = 1, .count = 1, .largest = row->largest
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	bars.bar[0].successes = row->largest;
	rtls_page_put_chart(out, &bars, rtls_slice("x"));
	assert_int_equal(fclose(out), 0);
	if (strstr(text, row->wanted) == NULL)
		print_error("not in: %s\n", text);
	assert_non_null(strstr(text, row->wanted));
	assert_null(strstr(text, ">0.5</text>")); /* of a session */
	free(text);
}

/* --- limits ----------------------------------------------------------------- */

static size_t count_of(const char *page, const char *words)
{
	size_t count = 0;

	for (const char *at = page; (at = strstr(at, words)) != NULL; at++)
		count++;
	return count;
}

/* A page of ten thousand domains is no larger than one of some hundred. */
static void stay_bounded(void **state)
{
	enum {
		MANY = 10000
	};
	const struct rtls_page_options options = { false, NOW_S };
	struct rtls_page_model *model =
		rtls_page_model_begin(NOW_S - 86400, NOW_S);
	char *page = NULL, domain[32];
	json_t *reports;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	(void)state;
	assert_non_null(out);
	assert_non_null(model);
	reports = json_loads(
		"[" REPORT("2026-11-20", "3", "1",
			"{\"result-type\":\"certificate-expired\"}") "]",
		0, NULL);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(domain, sizeof(domain), "d%d.example", i);
		assert_int_equal(rtls_page_model_add(model,
					 json_array_get(reports, 0), domain),
			RTLS_OK);
	}
	assert_int_equal(rtls_page_model_finish(model), RTLS_OK);
	assert_int_equal(rtls_page_write_model(out, model, &options), RTLS_OK);
	assert_int_equal(fclose(out), 0);
	check_well_formed(page, size);
	assert_int_equal(
		count_of(page, "class=\"domain\""), RTLS_PAGE_SHOWN_MAX);
	assert_int_equal(count_of(page, "class=\"spark\""), RTLS_PAGE_ROWS_MAX);
	assert_non_null(strstr(page, "And 9,500 more domains: 28,500 "
				     "successful, 9,500 failed (25.0%)."));
	assert_true(size < 500000);
	free(page);
	json_decref(reports);
	rtls_page_model_free(model);
}

/* All that one report can hold, of the character that grows most: some hundred kilobytes a domain. */
static void stay_bounded_by_a_stranger(void **state)
{
	enum {
		MANY = 1000
	};
	json_t *details = json_array(), *policies = json_array(), *reports;
	const struct rtls_page_options options = { true, NOW_S };
	char evil[2000], type[2000], *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	(void)state;
	assert_non_null(out);
	memset(evil, '"', sizeof(evil));
	evil[sizeof(evil) - 1] = '\0';
	memcpy(type, evil, sizeof(type));
	for (int i = 0; i < MANY; i++) {
		json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
			"result-type", type, "receiving-mx-hostname", evil,
			"receiving-ip", evil, "sending-mta-ip", evil,
			"receiving-mx-helo", evil, "failure-reason-code", evil,
			"additional-information", evil);

		type[0] = (char)('0' + i % 8);
		(void)snprintf(evil, sizeof(evil), "%d", i);
		evil[strlen(evil)] = '"';
		(void)json_array_append_new(details, one);
		(void)json_array_append_new(policies,
			json_pack("{s:{s:s, s:s, s:[s, s, s, s, s, s, s]}}",
				"policy", "policy-domain", "a.example",
				"policy-type", evil, "policy-string", evil,
				evil, evil, evil, evil, evil, evil));
	}
	(void)json_object_set_new(
		json_array_get(policies, 0), "failure-details", details);
	reports = json_pack("[{s:{s:s}, s:o}]", "date-range", "start-datetime",
		"2026-11-20T00:00:00Z", "policies", policies);
	assert_non_null(reports);
	assert_int_equal(rtls_page_write(out, reports, &options), RTLS_OK);
	assert_int_equal(fclose(out), 0);
	check_well_formed(page, size);
	assert_true(size > 500000 && size < 650000);
	free(page);
	json_decref(reports);
}

static void say_that_it_was_not_written(void **state)
{
	const struct rtls_page_options options = { true, NOW_S };
	json_t *reports = json_array();
	FILE *out = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(out);
	assert_int_equal(
		rtls_page_write(out, reports, &options), RTLS_TEMPORARY);
	(void)fclose(out);
	json_decref(reports);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, write_row, rows);
	CHECK_TABLE(&suite, put_chart_row, chart_rows);
	CHECK_TABLE(&suite, put_axis_row, axis_rows);
	check_add(&suite, "many domains", stay_bounded, NULL);
	check_add(
		&suite, "much of a stranger", stay_bounded_by_a_stranger, NULL);
	check_add(&suite, "a full disk", say_that_it_was_not_written, NULL);
	return check_run(&suite, "page");
}
