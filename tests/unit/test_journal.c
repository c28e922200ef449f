/* test_journal.c - one line per session, whatever happens to the file. */
#include "spool_dir.h"

#include "store/journal.h"

#define NOON     INT64_C(1795262400) /* 2026-11-21T12:00:00Z */
#define MIDNIGHT INT64_C(1795219200) /* 2026-11-21T00:00:00Z */
#define TODAY    "2026-11-21"
#define WRITERS  16
#define ROUNDS   200

static struct rtls_session_result make_result(
	int64_t time_s, const char *domain)
{
	struct rtls_session_result result = {
		.time_s = time_s,
		.policy_domain = rtls_slice(domain),
		.type = RTLS_POLICY_NONE_FOUND,
		.result = RTLS_RESULT_SUCCESS,
		.mx_host = rtls_slice("mx.example"),
	};

	return result;
}

static enum rtls_status append(int64_t time_s, const char *domain)
{
	struct rtls_session_result result = make_result(time_s, domain);

	return rtls_journal_append(spool_dir, &result, NULL);
}

struct seen {
	size_t count; /* sessions */
	size_t visits;
	size_t stop_after;
	int64_t last_s;
	bool in_order;
};

static bool visit(const struct rtls_session_result *result, void *context)
{
	struct seen *seen = context;

	assert_true(rtls_slice_is(result->mx_host, "mx.example"));
	seen->in_order = seen->in_order && result->time_s >= seen->last_s;
	seen->last_s = result->time_s;
	seen->count += result->count;
	return ++seen->visits != seen->stop_after;
}

static enum rtls_status each(
	const char *date, struct seen *seen, size_t *skipped)
{
	struct rtls_err err = { "" };
	int fds = open_fds();
	enum rtls_status status;

	memset(seen, 0, sizeof(*seen));
	seen->in_order = true;
	status = rtls_journal_each(spool_dir, date, visit, seen, skipped, &err);
	assert_int_equal(open_fds(), fds);
	if (status != RTLS_OK)
		assert_string_not_equal(err.text, "");
	return status;
}

static void a_file_per_utc_day(void **state)
{
	struct seen seen;
	size_t skipped = 9;

	(void)state;
	assert_int_equal(each(TODAY, &seen, &skipped), RTLS_NONE);
	assert_int_equal(skipped, 0);
	assert_int_equal(append(MIDNIGHT - 1, "a.example"), RTLS_OK);
	assert_int_equal(append(MIDNIGHT, "a.example"), RTLS_OK);
	assert_int_equal(append(NOON, "b.example"), RTLS_OK);
	assert_int_equal(append(MIDNIGHT + 86399, "b.example"), RTLS_OK);
	assert_int_equal(append(MIDNIGHT + 86400, "b.example"), RTLS_OK);
	assert_int_equal(each(TODAY, &seen, &skipped), RTLS_OK);
	assert_int_equal(seen.count, 3);
	assert_true(seen.in_order);
	assert_int_equal(skipped, 0);
	assert_int_equal(each("2026-11-20", &seen, NULL), RTLS_OK);
	assert_int_equal(seen.count, 1);
	assert_int_equal(each("2026-11-22", &seen, NULL), RTLS_OK);
	assert_int_equal(seen.count, 1);
}

static void dates_only(void **state)
{
	static const char *const wrong[] = { "", "..", "../cache", "2026-11-2",
		"2026-13-01", "2026-11-21x", "20261121" };
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(each(wrong[i], &seen, NULL), RTLS_INVALID);
}

static void append_raw(const char *text, size_t size)
{
	int fd = open(
		in_spool("tlsrpt/" TODAY), O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_int_equal(write(fd, text, size), size);
	(void)close(fd);
}

static void skips_and_counts_what_is_torn(void **state)
{
	static char longer[70000];
	struct seen seen;
	size_t skipped;

	(void)state;
	assert_int_equal(append(NOON, "a.example"), RTLS_OK);
	append_raw("garbage\n\n", 9);
	append_raw("2\t179526", 8);
	append_raw("\n", 1);
	assert_int_equal(append(NOON, "a.example"), RTLS_OK);
	memset(longer, 'x', sizeof(longer));
	append_raw(longer, sizeof(longer)); /* longer than any buffer */
	append_raw("\n", 1);
	assert_int_equal(append(NOON, "a.example"), RTLS_OK);
	assert_int_equal(each(TODAY, &seen, &skipped), RTLS_OK);
	assert_int_equal(seen.count, 3);
	assert_int_equal(skipped, 3);       /* an empty line is none */
	append_raw("1\t1795262400\ta", 14); /* the disk filled up here */
	assert_int_equal(each(TODAY, &seen, &skipped), RTLS_OK);
	assert_int_equal(seen.count, 3);
	assert_int_equal(skipped, 4);
	append_raw(longer, sizeof(longer));
	assert_int_equal(each(TODAY, &seen, &skipped), RTLS_OK);
	assert_int_equal(seen.count, 3);
	assert_int_equal(skipped, 4); /* still one line */
}

/* Behind a torn line the next one is a line of its own. */
static void a_torn_line_swallows_none(void **state)
{
	struct seen seen;
	size_t skipped;

	(void)state;
	assert_int_equal(append(NOON, "a.example"), RTLS_OK);
	append_raw("1\t1795262400\ta", 14);
	assert_int_equal(append(NOON, "b.example"), RTLS_OK);
	assert_int_equal(each(TODAY, &seen, &skipped), RTLS_OK);
	assert_int_equal(seen.count, 2);
	assert_int_equal(skipped, 1);
}

/* Lines for one session and for several, in any order. */
static void sums_up_what_is_alike(void **state)
{
	static const char lines[] =
		"1\t1795262403\tb.example\tsts\t-\tsuccess\t-\tmx.example\t-\t-\t-\n"
		"2\t1795262404\ta.example\tsts\t-\tsuccess\t20\t-\tmx.example\t-\t-\t-\n"
		"1\t1795262402\tb.example\tsts\t-\tsuccess\t-\tmx.example\t-\t-\t-\n"
		"2\t1795262401\tb.example\tsts\t-\tsuccess\t300\t-\tmx.example\t-\t-\t-\n"
		"01\t1795262400\tb.example\tsts\t-\tsuccess\t-\tmx.example\t-\t-\t-\n"
		"1\t\tb.example\tsts\t-\tsuccess\t-\tmx.example\t-\t-\t-\n"
		"1\t17x\tb.example\tsts\t-\tsuccess\t-\tmx.example\t-\t-\t-\n"
		"1\t9999999999999\tb.example\tsts\t-\tsuccess\t-\tmx.example\t-\t-\t-\n"
		"1\t001795262500\tb.example\tsts\t-\tsuccess\t-\tmx.example\t-\t-\t-\n"
		"1\t253402300799\tb.example\tsts\t-\tsuccess\t-\tmx.example\t-\t-\t-\n"
		"1\t1795262404\ta.example\tsts\t-\tsuccess\t-\tmx.example\t-\t-\t-\n";
	struct seen seen;
	size_t skipped;

	(void)state;
	assert_int_equal(append(NOON, "c.example"), RTLS_OK);
	write_file(in_spool("tlsrpt/" TODAY), lines, strlen(lines));
	assert_int_equal(each(TODAY, &seen, &skipped), RTLS_OK);
	assert_int_equal(seen.visits, 2);
	assert_int_equal(seen.count, 304 + 21);
	assert_true(seen.in_order); /* b since :01, then a since :04 */
	assert_int_equal(skipped, 4);
}

/* What is left of a line too long for the buffer is no line of its own. */
static void the_rest_of_a_long_line_is_no_line(void **state)
{
	const char *path = in_spool("tlsrpt/" TODAY);
	size_t size, longer = 16384;
	struct seen seen;
	size_t skipped;
	char *whole, *text;

	(void)state;
	assert_int_equal(append(NOON, "a.example"), RTLS_OK);
	whole = content_of(path);
	size = strlen(whole);
	text = malloc(longer + size);
	assert_non_null(text);
	memset(text, 'x', longer);
	memcpy(text + longer, whole, size);
	free(whole);
	write_file(path, text, longer + size);
	free(text);
	assert_int_equal(each(TODAY, &seen, &skipped), RTLS_OK);
	assert_int_equal(seen.count, 0);
	assert_int_equal(skipped, 1);
}

static void reads_a_file_cut_anywhere(void **state)
{
	const char *path = in_spool("tlsrpt/" TODAY);
	struct seen seen;
	size_t skipped, size;
	char *whole;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(append(NOON, "a.example"), RTLS_OK);
	whole = content_of(path);
	size = strlen(whole);
	for (size_t cut = 0; cut <= size; cut++) {
		size_t line = size / 3;

		write_file(path, whole, cut);
		assert_int_equal(each(TODAY, &seen, &skipped), RTLS_OK);
		assert_int_equal(seen.count, cut / line);
		assert_int_equal(skipped, cut % line == 0 ? 0 : 1);
	}
	free(whole);
}

static void stops_when_told(void **state)
{
	static const char *const domains[] = { "a.example", "b.example",
		"c.example" };
	struct seen seen = { .stop_after = 2, .in_order = true };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(append(NOON, domains[i]), RTLS_OK);
	assert_int_equal(
		rtls_journal_each(spool_dir, TODAY, visit, &seen, NULL, NULL),
		RTLS_OK);
	assert_int_equal(seen.visits, 2);
}

static int append_many(unsigned number)
{
	char domain[32];

	(void)snprintf(domain, sizeof(domain), "d%u.example", number);
	for (int i = 0; i < ROUNDS; i++)
		if (append(NOON + i, domain) != RTLS_OK)
			return 1;
	return 0;
}

static void many_writers_no_torn_line(void **state)
{
	struct seen seen;
	size_t skipped;

	(void)state;
	assert_true(in_children(WRITERS, append_many));
	assert_int_equal(each(TODAY, &seen, &skipped), RTLS_OK);
	assert_int_equal(seen.count, WRITERS * ROUNDS);
	assert_int_equal(skipped, 0);
}

static void says_when_it_cannot_write(void **state)
{
	struct rtls_session_result result = make_result(NOON, "a.example");
	struct rtls_err err = { "" };

	(void)state;
	write_file(in_spool("tlsrpt"), "", 0);
	assert_int_equal(
		rtls_journal_append(spool_dir, &result, &err), RTLS_TEMPORARY);
	assert_non_null(strstr(err.text, "tlsrpt/" TODAY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_per_utc_day),
		TEST(dates_only),
		TEST(skips_and_counts_what_is_torn),
		TEST(a_torn_line_swallows_none),
		TEST(sums_up_what_is_alike),
		TEST(the_rest_of_a_long_line_is_no_line),
		TEST(reads_a_file_cut_anywhere),
		TEST(stops_when_told),
		TEST(many_writers_no_torn_line),
		TEST(says_when_it_cannot_write),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
