/* test_aggregate.c - from journal lines to counts (items B2.1, B2.6, B4.7).
 * The code under test is included, so that its calloc can be made to fail. */
#include "check_report.h"

static size_t allocations, fail_at; /* fail_at 0: never */

static void *counted_calloc(size_t count, size_t size)
{
	if (++allocations == fail_at)
		return NULL;
	return calloc(count, size);
}

#define calloc counted_calloc
#include "report/aggregate.c"        /* NOLINT(bugprone-suspicious-include) */
#include "report/aggregate_finish.c" /* NOLINT(bugprone-suspicious-include) */
#include "report/aggregate_nodes.c"  /* NOLINT(bugprone-suspicious-include) */
#include "report/aggregate_room.c"   /* NOLINT(bugprone-suspicious-include) */
#include "report/reports.c"          /* NOLINT(bugprone-suspicious-include) */
#include "report/table.c"            /* NOLINT(bugprone-suspicious-include) */
#undef calloc

#include "report_text.h"

#define DIGEST_A                                                               \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B                                                               \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct rtls_session_result session_of(
	const char *domain, enum rtls_policy_type type, enum rtls_result result)
{
	return (struct rtls_session_result){ .time_s = TEST_DAY_S,
		.policy_domain = rtls_slice(domain),
		.type = type,
		.result = result };
}

struct row {
	const char *proves;
	const char *lines;
	const char *wanted;
};

static const struct row rows[] = {
	{ "B2.5 a success without any policy is a report, too",
		LINE("a.example\tno-policy-found\t-\tsuccess\t192.0.2.1\t"
		     "mx.a.example\t-\t192.0.2.2\t-"),
		"a.example 1/0\n no-policy-found a.example - 1/0\n" },
	{ "B2.1 sessions are counted per policy",
		LINE("a.example\tsts\t" DIGEST_A "\tsuccess\t-\t-\t-\t-\t-")
			LINE("a.example\tsts\t" DIGEST_B
			     "\tsuccess\t-\t-\t-\t-\t-")
				LINE("a.example\tsts\t" DIGEST_A
				     "\tsuccess\t-\t-\t-\t-\t-"),
		"a.example 3/0\n sts a.example a 2/0\n sts a.example b 1/0\n" },
	{ "B4.7 DANE first, its domain is the MX host",
		LINE("a.example\tsts\t" DIGEST_A "\tsuccess\t-\t-\t-\t-\t-")
			LINE("a.example\ttlsa\t" DIGEST_B
			     "\tsuccess\t-\tmx2.example\t-\t-\t-")
				LINE("a.example\ttlsa\t" DIGEST_B
				     "\tsuccess\t-\tMX1.example.\t-\t-\t-"),
		"a.example 3/0\n tlsa mx1.example b 1/0\n"
		" tlsa mx2.example b 1/0\n sts a.example a 1/0\n" },
	{ "B4.7 DANE without an MX host is about the domain",
		LINE("a.example\ttlsa\t-\tdnssec-invalid\t-\t-\t-\t-\t-"),
		"a.example 0/1\n tlsa a.example - 0/1\n"
		"  1 dnssec-invalid - - - - -\n" },
	{ "B2.6 the same failure is one entry, most frequent first",
		LINE("a.example\tno-policy-found\t-\tstarttls-not-supported\t-"
		     "\tmx1\t-\t-\t-")
			LINE("a.example\tno-policy-found\t-\t"
			     "certificate-expired\t-\tmx1\t-\t-\t-")
				LINE("a.example\tno-policy-found\t-\t"
				     "certificate-expired\t-\tMX1.\t-\t-\t-"),
		"a.example 0/3\n no-policy-found a.example - 0/3\n"
		"  2 certificate-expired - mx1 - - -\n"
		"  1 starttls-not-supported - mx1 - - -\n" },
	{ "B4.5 each field of a failure makes a difference",
		LINE("a.example\tsts\t-\tvalidation-failure\t192.0.2.1\tmx\th\t"
		     "192.0.2.2\tr")
			LINE("a.example\tsts\t-\tvalidation-failure\t"
			     "192.0.2.1\tmx\th\t192.0.2.2\ts")
				LINE("a.example\tsts\t-\tvalidation-failure\t"
				     "192.0.2.1\tmx\ti\t192.0.2.2\tr")
					LINE("a.example\tsts\t-\t"
					     "validation-failure\t192.0.2.9\t"
					     "mx\th\t192.0.2.2\tr"),
		"a.example 0/4\n sts a.example - 0/4\n"
		"  1 validation-failure 192.0.2.1 mx h 192.0.2.2 r\n"
		"  1 validation-failure 192.0.2.1 mx h 192.0.2.2 s\n"
		"  1 validation-failure 192.0.2.1 mx i 192.0.2.2 r\n"
		"  1 validation-failure 192.0.2.9 mx h 192.0.2.2 r\n" },
	{ "B2.1 domains in alphabetical order",
		LINE("b.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-")
			LINE("a.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-")
				LINE("a-b.example\tsts\t-\tsuccess\t-\t-\t-\t-"
				     "\t-"),
		"a-b.example 1/0\n sts a-b.example - 1/0\n"
		"a.example 1/0\n sts a.example - 1/0\n"
		"b.example 1/0\n sts b.example - 1/0\n" },
	{ "B2.1 a line for several sessions counts as often as it says",
		LINE("a.example\tsts\t-\tcertificate-expired\t-\tmx\t-\t-\t-") "2\t1795140000\ta.example\tsts\t-\tcertificate-expired\t41\t-\t"
									       "mx\t-\t-\t-\n"
									       "2\t1795140000\ta.example\tsts\t-\tsuccess\t7\t-\tmx\t-\t-\t-\n",
		"a.example 7/42\n sts a.example - 7/42\n"
		"  42 certificate-expired - mx - - -\n" },
	{ "B2.1 torn and foreign lines are skipped",
		"1\t17951400" LINE(
			"a.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-") "\n"
								     "hello\n2\t1795140000\ta.example\tsts\t-\tsuccess\t-\t"
								     "-\t-\t-\t-\n" LINE(
									     "b.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-")
									     LINE("a..example\tsts\t-\tsuccess\t-\t-\t-\t-"
										  "\t-") "1\t1795140000\ta.ex",
		"b.example 1/0\n sts b.example - 1/0\n" },
};

static enum rtls_status load(const char *spool, struct rtls_reports **reports)
{
	struct rtls_config config;
	struct rtls_err err = { "" };

	check_config(&config, spool);
	return rtls_reports_load(&config, TEST_DAY, reports, &err);
}

/* abort: the analyzer does not know that cmocka's failures do not return. */
static struct rtls_reports *must_load(const char *spool)
{
	struct rtls_reports *reports = NULL;

	if (load(spool, &reports) != RTLS_OK || reports == NULL)
		abort();
	return reports;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct rtls_reports *reports = NULL;
	struct rtls_text out;
	char spool[64], buffer[4096];

	check_spool_make(spool);
	check_journal_write(spool, row->lines);
	reports = must_load(spool);
	check_spool_remove(spool);
	rtls_text_init(&out, buffer, sizeof(buffer));
	dump(&out, reports);
	rtls_reports_free(reports);
	assert_string_equal(buffer, row->wanted);
}

static void test_skipped_count(void **state)
{
	struct rtls_reports *reports = NULL;
	char spool[64];

	(void)state;
	check_spool_make(spool);
	check_journal_write(spool, rows[COUNT(rows) - 1].lines);
	reports = must_load(spool);
	check_spool_remove(spool);
	assert_int_equal(rtls_reports_lines(reports), 1);
	/* The empty line in it is no line. */
	assert_int_equal(rtls_reports_skipped(reports), 5);
	rtls_reports_free(reports);
}

/* What the journal's own parser would refuse must not hurt either. */
static void test_foreign_sessions(void **state)
{
	struct rtls_session_result session = session_of(
		"A.Example.", RTLS_POLICY_STS, RTLS_RESULT_VALIDATION_FAILURE);
	struct rtls_reports *reports = rtls_aggregate_begin(TEST_DAY_S);
	struct rtls_text out;
	char buffer[512];

	(void)state;
	session.mx_host = rtls_slice("[192.0.2.2]");
	assert_int_equal(rtls_aggregate_add(reports, &session), RTLS_OK);
	session.policy_domain = rtls_slice("not/a/domain");
	assert_int_equal(rtls_aggregate_add(reports, &session), RTLS_OK);
	assert_int_equal(rtls_aggregate_finish(reports), RTLS_OK);
	assert_int_equal(rtls_reports_skipped(reports), 1);
	rtls_text_init(&out, buffer, sizeof(buffer));
	dump(&out, reports);
	assert_string_equal(buffer,
		"a.example 0/1\n sts a.example - 0/1\n"
		"  1 validation-failure - [192.0.2.2] - - -\n");
	rtls_reports_free(reports);
}

/* --- much of it --------------------------------------------------------------- */

#define BIG_LINES   100000
#define BIG_DOMAINS 50
#define BIG_TORN    777

static void write_big_journal(const char *spool)
{
	FILE *file = check_spool_file(spool, "tlsrpt", TEST_DAY);

	for (unsigned i = 0; i < BIG_LINES; i++) {
		(void)fprintf(file,
			"1\t%" PRId64 "\td%u.example\tsts\t-\t%s\t192.0.2.1\t"
			"mx%u.example\t-\t192.0.2.%u\t-\n",
			TEST_DAY_S + (int64_t)(i % TEST_SECONDS),
			i % BIG_DOMAINS,
			i % 4 == 0 ? "certificate-expired" : "success", i % 3,
			i % 7);
		if (i % (BIG_LINES / BIG_TORN) == 0)
			(void)fprintf(file, "1\t1795\td%u.exa\n", i);
	}
	assert_int_equal(fclose(file), 0);
}

static void test_big(void **state)
{
	struct rtls_reports *reports = NULL;
	uint64_t good = 0, bad = 0, detailed = 0;
	char spool[64];

	(void)state;
	check_spool_make(spool);
	write_big_journal(spool);
	allocations = 0;
	reports = must_load(spool);
	check_spool_remove(spool);
	assert_int_equal(rtls_reports_count(reports), BIG_DOMAINS);
	assert_int_equal(rtls_reports_lines(reports), BIG_LINES);
	assert_true(rtls_reports_skipped(reports) >= BIG_TORN);
	for (size_t i = 0; i < BIG_DOMAINS; i++) {
		const struct rtls_report *report = rtls_reports_get(reports, i);
		const struct rtls_report_policy *policy = report->policy[0];

		good += rtls_report_successes(report);
		bad += rtls_report_failures(report);
		for (size_t k = 0; k < policy->detail_count; k++)
			detailed += policy->detail[k]->count;
	}
	assert_int_equal(bad, BIG_LINES / 4);
	assert_int_equal(good, BIG_LINES - BIG_LINES / 4);
	assert_int_equal(detailed, bad);
	/* 50 domains, a policy and at most 21 kinds of failure each. */
	assert_true(allocations < BIG_DOMAINS * 30);
	rtls_reports_free(reports);
}

static void add_many_failures(struct rtls_reports *reports, unsigned count)
{
	char host[32], helo[32], ip[32];

	for (unsigned i = 0; i < count; i++) {
		struct rtls_session_result session =
			session_of("a.example", RTLS_POLICY_STS,
				i % 2 == 0 ? RTLS_RESULT_CERTIFICATE_EXPIRED
					   : RTLS_RESULT_VALIDATION_FAILURE);

		(void)snprintf(helo, sizeof(helo), "helo%u", i);
		(void)snprintf(host, sizeof(host), "mx%u.example", i % 300);
		(void)snprintf(ip, sizeof(ip), "2001:db8::%x", i + 1);
		session.mx_host = rtls_slice(host);
		session.mx_helo = rtls_slice(helo);
		session.receiving_ip = rtls_slice(ip);
		assert_int_equal(
			rtls_aggregate_add(reports, &session), RTLS_OK);
	}
	assert_int_equal(rtls_aggregate_finish(reports), RTLS_OK);
}

static void test_detail_caps(void **state)
{
	struct rtls_reports *reports = rtls_aggregate_begin(TEST_DAY_S);
	const struct rtls_report_policy *policy;
	size_t full = 0, hosts = 0, bare = 0;
	uint64_t sum = 0;

	(void)state;
	add_many_failures(reports, 5000);
	policy = reports->report[0]->policy[0];
	for (size_t i = 0; i < policy->detail_count; i++) {
		const struct rtls_detail *detail = policy->detail[i];

		sum += detail->count;
		if (detail->receiving_ip.size > 0)
			full++;
		else if (detail->mx_host.size > 0)
			hosts++;
		else
			bare++;
		assert_int_equal(detail->mx_helo.size > 0,
			detail->receiving_ip.size > 0);
	}
	assert_int_equal(sum, 5000);
	assert_int_equal(policy->failures, 5000);
	assert_int_equal(full, RTLS_DETAILS_MAX);
	assert_int_equal(hosts, RTLS_DETAILS_HOSTS);
	assert_int_equal(bare, 2);
	rtls_reports_free(reports);
}

/* --- too many over all domains ---------------------------------------------- */

#define FLOOD_DOMAINS 12
#define FLOOD_LINES   20000
#define FLOOD_DUMP    4000000

/* The n-th of a day on which everything fails. Domains get from a few to some thousand different failures, from a few
 * hosts or from hundreds, some of them again and again; the last has more policies than count. */
static struct rtls_session_result flood_session(unsigned n)
{
	static char domain[32], host[32], helo[32], digest[65];
	const unsigned number = n * 2654435761U >> 8;
	const unsigned which = number % 101 % FLOOD_DOMAINS;
	struct rtls_session_result session;

	(void)snprintf(domain, sizeof(domain), "d%u.example", which);
	session = session_of(domain,
		which == 11      ? RTLS_POLICY_TLSA
		: number % 7 < 5 ? RTLS_POLICY_STS
				 : RTLS_POLICY_NONE_FOUND,
		number % 3 == 0 ? RTLS_RESULT_CERTIFICATE_EXPIRED
				: RTLS_RESULT_VALIDATION_FAILURE);
	(void)snprintf(host, sizeof(host), "mx%u.example",
		number / 101 % (which % 2 == 0 ? 4 : 400));
	(void)snprintf(helo, sizeof(helo), "helo%u",
		number / 1000 % (which < 3 ? 20 : 3000));
	(void)snprintf(digest, sizeof(digest), "%064x",
		which == 11 ? number / 9 % 150 : which);
	session.mx_host = rtls_slice(host);
	session.mx_helo = rtls_slice(number % 5 == 0 ? "" : helo);
	session.digest = rtls_slice(digest);
	session.count = 1 + number % 3;
	if (number % 19 == 0)
		session.result = RTLS_RESULT_SUCCESS;
	return session;
}

/* All of it, or domain by domain, as a compacted journal has it; finished. */
static struct rtls_reports *count_flood(size_t all_max, size_t details_max,
	size_t details_hosts, bool by_domain)
{
	struct rtls_reports *reports = rtls_aggregate_begin(TEST_DAY_S);
	char domain[32];

	reports->detail_count_max = all_max;
	reports->details_max = details_max;
	reports->details_hosts = details_hosts;
	for (unsigned turn = 0; turn < (by_domain ? FLOOD_DOMAINS : 1); turn++)
		for (unsigned i = 0; i < FLOOD_LINES; i++) {
			const struct rtls_session_result session =
				flood_session(i);

			(void)snprintf(domain, sizeof(domain), "d%u.example",
				FLOOD_DOMAINS - 1 - turn);
			if (!by_domain ||
				rtls_slice_is(session.policy_domain, domain))
				assert_int_equal(
					rtls_aggregate_add(reports, &session),
					RTLS_OK);
		}
	assert_int_equal(rtls_aggregate_finish(reports), RTLS_OK);
	return reports;
}

static char *dump_flood(const struct rtls_reports *reports)
{
	char *text = malloc(FLOOD_DUMP);
	struct rtls_text out;

	assert_non_null(text);
	rtls_text_init(&out, text, FLOOD_DUMP);
	dump(&out, reports);
	assert_false(out.overflow);
	return text;
}

static void check_same(struct rtls_reports *got, struct rtls_reports *wanted)
{
	char *got_text = dump_flood(got), *wanted_text = dump_flood(wanted);

	assert_int_equal(got->lines, wanted->lines);
	assert_int_equal(got->detail_count, wanted->detail_count);
	assert_int_equal(
		rtls_reports_added_up(got), rtls_reports_added_up(wanted));
	assert_true(strcmp(got_text, wanted_text) == 0);
	free(got_text);
	free(wanted_text);
	rtls_reports_free(got);
	rtls_reports_free(wanted);
}

/* Sums of what is shown, over all reports. */
static void check_flood_sums(const struct rtls_reports *reports)
{
	uint64_t failures = 0, shown = 0, in_full = 0, sessions = 0;

	for (size_t i = 0; i < reports->count; i++) {
		const struct rtls_report *report = reports->report[i];

		sessions += report->successes + report->failures;
		for (size_t k = 0; k < report->policy_count; k++)
			for (size_t n = 0; n < report->policy[k]->detail_count;
				n++) {
				const struct rtls_detail *detail =
					report->policy[k]->detail[n];

				shown += detail->count;
				if (!rtls_slice_is(detail->reason,
					    RTLS_ADDED_UP_REASON))
					in_full += detail->count;
			}
		failures += report->failures;
	}
	assert_int_equal(sessions, reports->lines);
	assert_int_equal(shown, failures);
	assert_int_equal(in_full + rtls_reports_added_up(reports), failures);
}

struct bound {
	size_t all_max, details_max, details_hosts;
};

/* However late it turns out that there are too many, and whatever order the domains are in: the counts are
 * right, the bound is kept, and all is as if the limits had been lower from the beginning. */
static void test_cap_over_all(void **state)
{
	static const struct bound bounds[] = {
		{ 11078, 1000, RTLS_DETAILS_HOSTS },
		{ 11077, 500, RTLS_DETAILS_HOSTS },
		{ 6120, 250, RTLS_DETAILS_HOSTS },
		{ 3000, 125, RTLS_DETAILS_HOSTS },
		{ 2037, 0, RTLS_DETAILS_HOSTS },
		{ 724, 0, 0 },
		{ 1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bounds); i++) {
		const struct bound *bound = &bounds[i];
		struct rtls_reports *reports = count_flood(bound->all_max,
			RTLS_DETAILS_MAX, RTLS_DETAILS_HOSTS, false);

		assert_int_equal(reports->details_max, bound->details_max);
		assert_int_equal(reports->details_hosts, bound->details_hosts);
		assert_true(reports->detail_count <= bound->all_max ||
			    bound->details_hosts == 0);
		check_flood_sums(reports);
		check_same(reports, count_flood(SIZE_MAX, bound->details_max,
					    bound->details_hosts, false));
		check_same(count_flood(bound->all_max, RTLS_DETAILS_MAX,
				   RTLS_DETAILS_HOSTS, true),
			count_flood(SIZE_MAX, bound->details_max,
				bound->details_hosts, true));
	}
}

/* Nothing is lost when there is no memory to count again. */
static void test_cap_without_memory(void **state)
{
	enum rtls_status status = RTLS_NO_MEMORY;

	(void)state;
	for (size_t n = 1; status != RTLS_OK; n += 97) {
		struct rtls_reports *reports = rtls_aggregate_begin(TEST_DAY_S);
		uint64_t lines = 0;

		reports->detail_count_max = 800;
		status = RTLS_OK;
		for (unsigned i = 0; status == RTLS_OK && i < 4000; i++) {
			const struct rtls_session_result session =
				flood_session(i);

			if (reports->detail_count == 800) {
				allocations = 0;
				fail_at = n;
			}
			status = rtls_aggregate_add(reports, &session);
			if (fail_at != 0 && reports->details_max < 1000)
				break;
			lines = reports->lines;
		}
		fail_at = 0;
		assert_int_equal(reports->lines >= lines, true);
		assert_int_equal(rtls_aggregate_finish(reports), RTLS_OK);
		if (status == RTLS_OK)
			check_flood_sums(reports);
		rtls_reports_free(reports);
	}
}

/* The first failure beyond the limit. */
static void test_limit_without_memory(void **state)
{
	enum rtls_status status = RTLS_NO_MEMORY;
	size_t n = 0;

	(void)state;
	while (status != RTLS_OK) {
		struct rtls_reports *reports = rtls_aggregate_begin(TEST_DAY_S);
		struct rtls_session_result session = session_of("a.example",
			RTLS_POLICY_STS, RTLS_RESULT_CERTIFICATE_EXPIRED);

		reports->details_max = 1;
		assert_int_equal(
			rtls_aggregate_add(reports, &session), RTLS_OK);
		session.reason = rtls_slice("another");
		allocations = 0;
		fail_at = ++n;
		status = rtls_aggregate_add(reports, &session);
		fail_at = 0;
		rtls_reports_free(reports);
	}
	/* The list, the hosts, the failure. */
	assert_int_equal(n, 4);
}

static void test_policy_cap(void **state)
{
	struct rtls_reports *reports = rtls_aggregate_begin(TEST_DAY_S);
	const struct rtls_report *report;
	uint64_t good = 0;
	char digest[65];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct rtls_session_result session = session_of("a.example",
			i % 2 == 0 ? RTLS_POLICY_STS : RTLS_POLICY_TLSA,
			RTLS_RESULT_SUCCESS);

		(void)snprintf(digest, sizeof(digest), "%064x", i);
		session.digest = rtls_slice(digest);
		session.mx_host = rtls_slice("mx.example");
		assert_int_equal(
			rtls_aggregate_add(reports, &session), RTLS_OK);
	}
	assert_int_equal(rtls_aggregate_finish(reports), RTLS_OK);
	report = reports->report[0];
	assert_int_equal(report->policy_count, RTLS_POLICIES_MAX + 2);
	for (size_t i = 0; i < report->policy_count; i++) {
		good += report->policy[i]->successes;
		if (report->policy[i]->successes > 1)
			assert_int_equal(report->policy[i]->digest.size, 0);
	}
	assert_int_equal(good, 1000);
	rtls_reports_free(reports);
}

/* The n-th of many sessions that differ in one field or other. */
static struct rtls_session_result some_session(unsigned n)
{
	static const char *const domains[] = { "a.example", "b.example" };
	static const char *const texts[] = { "m1", "m2", "", "m3" };
	static const char *const ips[] = { "192.0.2.1", "2001:db8::1", "" };
	struct rtls_session_result session =
		session_of(domains[n % 2], (enum rtls_policy_type)(n / 2 % 3),
			(enum rtls_result)(1 + n / 6 % 2));

	session.mx_host = rtls_slice(texts[n / 12 % 2]);
	session.mx_helo = rtls_slice(texts[n / 24 % 4]);
	session.reason = rtls_slice(texts[n / 96 % 4]);
	session.sending_ip = rtls_slice(ips[n / 384 % 3]);
	session.receiving_ip = rtls_slice(ips[n / 1152 % 3]);
	return session;
}

#define SOME_SESSIONS 3457 /* a prime: multiples of a step visit all */

/* Below the caps the order of the journal does not matter. */
static void test_any_order(void **state)
{
	static char wanted[400000], got[400000];

	(void)state;
	for (unsigned step = 1; step < 3000; step += 499) {
		struct rtls_reports *reports = rtls_aggregate_begin(TEST_DAY_S);
		struct rtls_text out;

		for (unsigned i = 0, k = 0; i < SOME_SESSIONS; i++, k += step) {
			struct rtls_session_result session =
				some_session(k % SOME_SESSIONS);

			/* a quarter of them: 864 kinds, below the cap */
			if (k % SOME_SESSIONS % 13 < 4)
				assert_int_equal(
					rtls_aggregate_add(reports, &session),
					RTLS_OK);
		}
		assert_int_equal(rtls_aggregate_finish(reports), RTLS_OK);
		rtls_text_init(&out, step == 1 ? wanted : got, sizeof(got));
		dump(&out, reports);
		assert_false(out.overflow);
		if (step > 1)
			assert_string_equal(got, wanted);
		rtls_reports_free(reports);
	}
}

static void test_no_memory(void **state)
{
	struct rtls_reports *reports = NULL;
	enum rtls_status status;
	char spool[64];

	(void)state;
	check_spool_make(spool);
	check_journal_write(spool, rows[5].lines);
	for (size_t n = 1;; n++) {
		allocations = 0;
		fail_at = n;
		status = load(spool, &reports);
		fail_at = 0;
		if (status == RTLS_OK)
			break;
		assert_int_equal(status, RTLS_NO_MEMORY);
		assert_true(n < 100);
	}
	assert_int_equal(rtls_reports_lines(reports), 4);
	rtls_reports_free(reports);
	check_spool_remove(spool);
}

static void test_no_day(void **state)
{
	static const char *const dates[] = { "2026-11-31", "2026-1-1", "",
		"../../etc", "2026-11-20/", "today" };
	struct rtls_reports *reports = NULL;
	struct rtls_config config;
	struct rtls_err err = { "" };
	char spool[64];

	(void)state;
	check_spool_make(spool);
	check_config(&config, spool);
	assert_int_equal(rtls_reports_load(&config, TEST_DAY, &reports, &err),
		RTLS_NONE);
	for (size_t i = 0; i < COUNT(dates); i++)
		assert_int_equal(
			rtls_reports_load(&config, dates[i], &reports, &err),
			RTLS_INVALID);
	check_journal_write(spool, "torn\n");
	assert_int_equal(rtls_reports_load(&config, TEST_DAY, &reports, &err),
		RTLS_NONE);
	assert_null(reports);
	check_spool_remove(spool);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "B2.1 what is skipped is counted", test_skipped_count,
		NULL);
	check_add(&suite, "161 names in one form", test_foreign_sessions, NULL);
	check_add(&suite, "B2.1 100000 lines, memory by what is distinct",
		test_big, NULL);
	check_add(&suite, "165 failures beyond the cap get coarser",
		test_detail_caps, NULL);
	check_add(&suite, "too many failures over all domains",
		test_cap_over_all, NULL);
	check_add(&suite, "no memory to count them again",
		test_cap_without_memory, NULL);
	check_add(&suite, "no memory beyond the limit",
		test_limit_without_memory, NULL);
	check_add(&suite, "165 policies beyond the cap lose their text",
		test_policy_cap, NULL);
	check_add(&suite, "B4 the order of the journal does not show",
		test_any_order, NULL);
	check_add(&suite, "each allocation failing", test_no_memory, NULL);
	check_add(&suite, "no journal, no date, only torn lines", test_no_day,
		NULL);
	return check_run(&suite, "aggregate");
}
