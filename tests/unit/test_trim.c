/* test_trim.c - a report that is too large gets coarser, and counts the same (EDGE-CASES 165). The
 * code under test is included, so that its calloc can be made to fail. */
#include "check_report.h"

static size_t allocations, fail_at; /* fail_at 0: never */

static void *counted_calloc(size_t count, size_t size)
{
	return ++allocations == fail_at ? NULL : calloc(count, size);
}

#define calloc counted_calloc
#include "report/aggregate.c"        /* NOLINT(bugprone-suspicious-include) */
#include "report/aggregate_finish.c" /* NOLINT(bugprone-suspicious-include) */
#include "report/aggregate_nodes.c"  /* NOLINT(bugprone-suspicious-include) */
#include "report/aggregate_room.c"   /* NOLINT(bugprone-suspicious-include) */
#include "report/recount.c"          /* NOLINT(bugprone-suspicious-include) */
#include "report/reports.c"          /* NOLINT(bugprone-suspicious-include) */
#include "report/table.c"            /* NOLINT(bugprone-suspicious-include) */
#include "report/trim.c"             /* NOLINT(bugprone-suspicious-include) */
#undef calloc

#include "report/package.h"
#include "report/report_mail.h"
#include "report_text.h"
#include "store/policies.h"

#define DIGEST_A                                                               \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B                                                               \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define BAD(type, digest, mx, reason)                                          \
	LINE("a.example\t" type "\t" digest "\tvalidation-failure\t192.0.2.1"  \
	     "\t" mx "\thelo\t192.0.2.2\t" reason)
#define SEVERAL RTLS_ADDED_UP_REASON

static const char journal[] = LINE(
	"a.example\tsts\t" DIGEST_A "\tsuccess\t-\t-\t-\t-\t-")
	LINE("a.example\tsts\t" DIGEST_B "\tsuccess\t-\t-\t-\t-\t-") LINE(
		"a.example\ttlsa\t" DIGEST_A "\tsuccess\t-\tmx.d\t-\t-\t-")
		BAD("sts", DIGEST_A, "mx1", "r1") BAD("sts", DIGEST_A, "mx1",
			"r1") BAD("sts", DIGEST_A, "mx1", "r1") BAD("sts",
			DIGEST_A, "mx1", "r2") BAD("sts", DIGEST_A, "mx2", "r3")
			BAD("sts", DIGEST_B, "mx1", "r4")
				BAD("sts", DIGEST_B, "mx1", "r4")
					BAD("tlsa", DIGEST_A, "mx.d", "r5");

static const char *const wanted[] = {
	/* 0: as it is */
	"a.example 3/8\n"
	" tlsa mx.d a 1/1\n"
	"  1 validation-failure 192.0.2.1 mx.d helo 192.0.2.2 r5\n"
	" sts a.example a 1/5\n"
	"  3 validation-failure 192.0.2.1 mx1 helo 192.0.2.2 r1\n"
	"  1 validation-failure 192.0.2.1 mx1 helo 192.0.2.2 r2\n"
	"  1 validation-failure 192.0.2.1 mx2 helo 192.0.2.2 r3\n"
	" sts a.example b 1/2\n"
	"  2 validation-failure 192.0.2.1 mx1 helo 192.0.2.2 r4\n",
	/* 1: two of five */
	"a.example 3/8\n"
	" tlsa mx.d a 1/1\n"
	"  1 validation-failure - mx.d - - " SEVERAL "\n"
	" sts a.example a 1/5\n"
	"  3 validation-failure 192.0.2.1 mx1 helo 192.0.2.2 r1\n"
	"  1 validation-failure - mx1 - - " SEVERAL "\n"
	"  1 validation-failure - mx2 - - " SEVERAL "\n"
	" sts a.example b 1/2\n"
	"  2 validation-failure 192.0.2.1 mx1 helo 192.0.2.2 r4\n",
	/* 2: one of them */
	"a.example 3/8\n"
	" tlsa mx.d a 1/1\n"
	"  1 validation-failure - mx.d - - " SEVERAL "\n"
	" sts a.example a 1/5\n"
	"  3 validation-failure 192.0.2.1 mx1 helo 192.0.2.2 r1\n"
	"  1 validation-failure - mx1 - - " SEVERAL "\n"
	"  1 validation-failure - mx2 - - " SEVERAL "\n"
	" sts a.example b 1/2\n"
	"  2 validation-failure - mx1 - - " SEVERAL "\n",
	/* 3: none */
	"a.example 3/8\n"
	" tlsa mx.d a 1/1\n"
	"  1 validation-failure - mx.d - - " SEVERAL "\n"
	" sts a.example a 1/5\n"
	"  4 validation-failure - mx1 - - " SEVERAL "\n"
	"  1 validation-failure - mx2 - - " SEVERAL "\n"
	" sts a.example b 1/2\n"
	"  2 validation-failure - mx1 - - " SEVERAL "\n",
	/* 4: no host */
	"a.example 3/8\n"
	" tlsa mx.d a 1/1\n"
	"  1 validation-failure - mx.d - - " SEVERAL "\n"
	" sts a.example a 1/5\n"
	"  5 validation-failure - - - - " SEVERAL "\n"
	" sts a.example b 1/2\n"
	"  2 validation-failure - - - - " SEVERAL "\n",
	/* 5: no policy text */
	"a.example 3/8\n"
	" tlsa mx.d - 1/1\n"
	"  1 validation-failure - mx.d - - " SEVERAL "\n"
	" sts a.example - 2/7\n"
	"  7 validation-failure - - - - " SEVERAL "\n",
};

static struct rtls_reports *load(struct rtls_config *config, const char *spool)
{
	struct rtls_reports *reports = NULL;

	check_config(config, spool);
	assert_int_equal(
		rtls_reports_load(config, TEST_DAY, &reports, NULL), RTLS_OK);
	return reports;
}

static struct rtls_reports *load_journal(void)
{
	struct rtls_reports *reports;
	struct rtls_config config;
	char spool[64];

	check_spool_make(spool);
	check_journal_write(spool, journal);
	reports = load(&config, spool);
	check_spool_remove(spool);
	return reports;
}

static void check_dump(const struct rtls_reports *reports, const char *text)
{
	char buffer[4096];
	struct rtls_text out;

	rtls_text_init(&out, buffer, sizeof(buffer));
	dump(&out, reports);
	assert_string_equal(buffer, text);
}

static void test_steps(void **state)
{
	struct rtls_reports *reports = load_journal(), *none = NULL;

	(void)state;
	check_dump(reports, wanted[0]);
	for (unsigned step = 1; step < COUNT(wanted); step++) {
		struct rtls_reports *trimmed = NULL;

		assert_int_equal(
			rtls_trim(reports->report[0], step, &trimmed), RTLS_OK);
		if (trimmed == NULL)
			abort(); /* to the static check an assertion may return */
		check_dump(trimmed, wanted[step]);
		assert_true(trimmed->report[0]->is_trimmed);
		rtls_reports_free(trimmed);
	}
	assert_int_equal(
		rtls_trim(reports->report[0], COUNT(wanted), &none), RTLS_NONE);
	rtls_reports_free(reports);
}

static void test_no_memory(void **state)
{
	struct rtls_reports *reports = load_journal(), *trimmed = NULL;
	enum rtls_status status;

	(void)state;
	for (fail_at = 1;; fail_at++) {
		allocations = 0;
		status = rtls_trim(reports->report[0], 1, &trimmed);
		if (allocations < fail_at)
			break;
		assert_int_equal(status, RTLS_NO_MEMORY);
	}
	assert_int_equal(status, RTLS_OK);
	assert_true(fail_at > 10);
	fail_at = 0;
	rtls_reports_free(trimmed);
	rtls_reports_free(reports);
}

/* --- a report of some size ----------------------------------------------------------- */

/* Text that does not get smaller: printable, and the same each time. */
static void add_noise(char *text, size_t size, uint64_t *seed)
{
	for (size_t i = 0; i < size; i++) {
		*seed = *seed * UINT64_C(6364136223846793005) + 1;
		text[i] = (char)('0' + (*seed >> 33) % 64);
	}
	text[size] = '\0';
}

/* Failures that differ in a long reason, the first ones more frequent. */
static void write_failures(const char *spool, size_t kinds)
{
	FILE *file = check_spool_file(spool, "tlsrpt", TEST_DAY);
	uint64_t seed = 1;
	char noise[161];

	for (size_t i = 0; i < kinds; i++) {
		add_noise(noise, sizeof(noise) - 1, &seed);
		for (size_t k = 0; k <= kinds / (100 * (i + 1)); k++)
			(void)fprintf(file,
				BAD("sts", DIGEST_A, "mx%zu.example", "%zu-%s"),
				i % 10, i, noise);
	}
	assert_int_equal(fclose(file), 0);
}

/* As many failures in the details as in the sums, which are those of the whole report. */
static void check_sums(
	const struct rtls_report *whole, const struct rtls_report *less)
{
	uint64_t failures = 0, details = 0, successes = 0;

	for (size_t i = 0; i < less->policy_count; i++) {
		successes += less->policy[i]->successes;
		failures += less->policy[i]->failures;
		for (size_t k = 0; k < less->policy[i]->detail_count; k++)
			details += less->policy[i]->detail[k]->count;
	}
	assert_int_equal(successes, whole->successes);
	assert_int_equal(failures, whole->failures);
	assert_int_equal(details, whole->failures);
	assert_int_equal(less->failures, whole->failures);
}

static bool has_reason(
	const struct rtls_report_policy *policy, const char *prefix)
{
	for (size_t i = 0; i < policy->detail_count; i++)
		if (rtls_slice_starts(policy->detail[i]->reason, prefix))
			return true;
	return false;
}

static void test_size(void **state)
{
	struct rtls_reports *reports;
	struct rtls_package package;
	struct rtls_config config;
	char spool[64], *text;
	size_t size;

	(void)state;
	check_spool_make(spool);
	write_failures(spool, 900);
	reports = load(&config, spool);
	assert_int_equal(
		rtls_package_make(&config, reports->report[0], &package, NULL),
		RTLS_OK);
	assert_true(package.gzip.size > 65536);
	assert_null(package.trimmed);
	assert_ptr_equal(package.report, reports->report[0]);
	rtls_package_free(&package);

	config.report_max_size_bytes = 65536;
	assert_int_equal(
		rtls_package_make(&config, reports->report[0], &package, NULL),
		RTLS_OK);
	/* No more than necessary. */
	assert_in_range(package.gzip.size, 16384, 65536);
	check_sums(reports->report[0], package.report);
	assert_non_null(strstr(package.json,
		"\"failure-reason-code\":\"" RTLS_ADDED_UP_REASON "\""));
	/* The most frequent one is as it was, one of the others is not. */
	assert_true(has_reason(package.report->policy[0], "0-"));
	assert_false(has_reason(package.report->policy[0], "899-"));
	(void)snprintf(config.organization, sizeof(config.organization), "Lab");
	assert_int_equal(rtls_report_mail_format(
				 &(struct rtls_report_mail){ .config = &config,
					 .report = package.report,
					 .to = "a@a.example",
					 .now_s = TEST_NEXT_DAY_S,
					 .gzip = package.gzip },
				 &text, &size, NULL),
		RTLS_OK);
	assert_non_null(memmem(text, size, "\nRare failures are added up", 27));
	free(text);
	rtls_package_free(&package);
	rtls_reports_free(reports);
	check_spool_remove(spool);
}

/* What is large are the texts of policies. */
static void test_texts(void **state)
{
	static char noise[60001];
	char spool[64], digest[RTLS_DIGEST_SIZE];
	struct rtls_reports *reports;
	struct rtls_package package;
	struct rtls_config config;
	uint64_t seed = 2;
	FILE *file;

	(void)state;
	check_spool_make(spool);
	file = check_spool_file(spool, "tlsrpt", TEST_DAY);
	for (size_t i = 0; i < 4; i++) {
		add_noise(noise, sizeof(noise) - 1, &seed);
		for (size_t k = 1000; k < sizeof(noise) - 1; k += 1000)
			noise[k] = '\n';
		assert_int_equal(rtls_policies_put(spool, rtls_slice(noise),
					 digest, NULL),
			RTLS_OK);
		(void)fprintf(file, BAD("sts", "%s", "mx", "r"), digest);
	}
	assert_int_equal(fclose(file), 0);
	reports = load(&config, spool);
	config.report_max_size_bytes = 65536;
	assert_int_equal(
		rtls_package_make(&config, reports->report[0], &package, NULL),
		RTLS_OK);
	assert_true(package.gzip.size < 1024);
	assert_null(strstr(package.json, "policy-string"));
	check_sums(reports->report[0], package.report);
	/* Smaller than that there is nothing. */
	config.report_max_size_bytes = 10;
	rtls_package_free(&package);
	assert_int_equal(
		rtls_package_make(&config, reports->report[0], &package, NULL),
		RTLS_OK);
	check_sums(reports->report[0], package.report);
	rtls_package_free(&package);
	rtls_reports_free(reports);
	check_spool_remove(spool);
}

int main(void)
{
	static struct check_suite suite;

	check_add(&suite, "165 step by step", test_steps, NULL);
	check_add(&suite, "each allocation failing", test_no_memory, NULL);
	check_add(&suite, "165 many failures", test_size, NULL);
	check_add(&suite, "165 large policies", test_texts, NULL);
	return check_run(&suite, "trim");
}
