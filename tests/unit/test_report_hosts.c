/* test_report_hosts.c - reports on MX hosts, made of those on recipient domains (items B1.1, B4.7). The
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
#include "report/hosts.c"            /* NOLINT(bugprone-suspicious-include) */
#include "report/recount.c"          /* NOLINT(bugprone-suspicious-include) */
#include "report/reports.c"          /* NOLINT(bugprone-suspicious-include) */
#include "report/table.c"            /* NOLINT(bugprone-suspicious-include) */
#undef calloc

#include "report_text.h"

#define DIGEST_A                                                               \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B                                                               \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define GOOD(domain, digest, mx)                                               \
	LINE(domain "\ttlsa\t" digest "\tsuccess\t192.0.2.9\t" mx "\t-\t-\t-")
#define BAD(domain, digest, mx)                                                \
	LINE(domain "\ttlsa\t" digest "\tvalidation-failure\t192.0.2.9\t" mx   \
		    "\thelo\t"                                                 \
		    "192.0.2.1\treason")
#define STS(domain)                                                            \
	LINE(domain "\tsts\t" DIGEST_B                                         \
		    "\tcertificate-expired\t-\tmx.example\t-\t-\t-")

struct row {
	const char *proves;
	const char *lines;
	const char *left_out; /* a domain, or NULL */
	const char *wanted;
};

static const struct row rows[] = {
	{ "B1.1 sessions of all domains, the same failures added up",
		GOOD("a.example", DIGEST_A, "mx.example")
			BAD("a.example", DIGEST_A, "MX.example.")
				BAD("b.example", DIGEST_A, "mx.example")
					STS("b.example"),
		NULL,
		"mx.example 1/2\n tlsa mx.example a 1/2\n"
		"  2 validation-failure 192.0.2.9 mx.example helo 192.0.2.1 "
		"reason\n" },
	{ "B4.7 several TLSA texts of a host, several hosts of a domain",
		GOOD("a.example", DIGEST_A, "mx2.example")
			GOOD("a.example", DIGEST_B, "mx2.example")
				GOOD("a.example", DIGEST_A, "mx1.example"),
		NULL,
		"mx1.example 1/0\n tlsa mx1.example a 1/0\n"
		"mx2.example 2/0\n tlsa mx2.example a 1/0\n"
		" tlsa mx2.example b 1/0\n" },
	{ "B1.1 no DANE, no report on a host", STS("a.example"), NULL, "" },
	{ "B1.1 a domain that is its own host is no other host",
		GOOD("mx.example", DIGEST_A, "mx.example"), NULL, "" },
	{ "B1.1 without a host there is none",
		LINE("a.example\ttlsa\t-\tdnssec-invalid\t-\t-\t-\t-\t-"), NULL,
		"" },
	{ "B1.1 a host that is a recipient domain: both in one",
		GOOD("a.example", DIGEST_A, "mx.example") BAD(
			"mx.example", DIGEST_A, "mx.example") STS("mx.example")
			BAD("mx.example", DIGEST_B, "other.example"),
		NULL,
		"mx.example 1/3\n tlsa mx.example a 1/1\n"
		"  1 validation-failure 192.0.2.9 mx.example helo 192.0.2.1 "
		"reason\n"
		" tlsa other.example b 0/1\n"
		"  1 validation-failure 192.0.2.9 other.example helo 192.0.2.1 "
		"reason\n"
		" sts mx.example b 0/1\n"
		"  1 certificate-expired - mx.example - - -\n"
		"other.example 0/1\n tlsa other.example b 0/1\n"
		"  1 validation-failure 192.0.2.9 other.example helo 192.0.2.1 "
		"reason\n" },
	{ "B1.1 what the host does not know of itself is not made up",
		GOOD("a.example", DIGEST_A, "mx.example")
			LINE("mx.example\ttlsa\t-\tdnssec-invalid\t-\t-\t-\t-"
			     "\t-"),
		NULL,
		"mx.example 1/1\n tlsa mx.example - 0/1\n"
		"  1 dnssec-invalid - - - - -\n tlsa mx.example a 1/0\n" },
	{ "B1.1 who gets them already is left out",
		GOOD("a.example", DIGEST_A, "mx.example")
			BAD("b.example", DIGEST_A, "mx.example"),
		"b.example", "mx.example 1/0\n tlsa mx.example a 1/0\n" },
	{ "B1.1 nothing left", BAD("b.example", DIGEST_A, "mx.example"),
		"b.example", "mx.example NONE\n" },
	{ "B1.1 its own sessions are never left out",
		GOOD("mx.example", DIGEST_A, "mx.example")
			BAD("b.example", DIGEST_A, "mx.example"),
		"b.example", "mx.example 1/0\n tlsa mx.example a 1/0\n" },
	{ "B1.1 good sessions of one domain add up",
		GOOD("a.example", DIGEST_A, "mx1.example")
			GOOD("a.example", DIGEST_A, "mx1.example")
				GOOD("b.example", DIGEST_A, "mx1.example"),
		NULL, "mx1.example 3/0\n tlsa mx1.example a 3/0\n" },
};

static struct rtls_reports *load(const char *lines)
{
	struct rtls_reports *reports = NULL;
	struct rtls_config config;
	char spool[64];

	check_spool_make(spool);
	check_config(&config, spool);
	check_journal_write(spool, lines);
	assert_int_equal(
		rtls_reports_load(&config, TEST_DAY, &reports, NULL), RTLS_OK);
	check_spool_remove(spool);
	return reports;
}

static enum rtls_status add_host(struct rtls_text *out,
	const struct rtls_host *host, const char *without)
{
	bool left_out[8] = { false };
	struct rtls_reports *made;
	enum rtls_status status;

	assert_in_range(host->domain_count, 1, COUNT(left_out));
	for (size_t i = 0; i < host->domain_count; i++)
		left_out[i] = without != NULL &&
			      rtls_slice_is(host->domain[i]->domain, without);
	status = rtls_hosts_report(
		host, without != NULL ? left_out : NULL, &made);
	if (status == RTLS_NONE)
		rtls_text_printf(out, "%s NONE\n", host->name.data);
	if (status == RTLS_OK) {
		dump(out, made);
		rtls_reports_free(made);
	}
	return status;
}

static enum rtls_status add_hosts(struct rtls_text *out,
	const struct rtls_reports *reports, const char *without)
{
	struct rtls_hosts *hosts;
	enum rtls_status status = rtls_hosts_find(reports, &hosts);

	if (status != RTLS_OK)
		return status;
	for (size_t i = 0; i < rtls_hosts_count(hosts); i++) {
		status = add_host(out, rtls_hosts_get(hosts, i), without);
		if (status == RTLS_NO_MEMORY)
			break;
	}
	rtls_hosts_free(hosts);
	return status;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct rtls_reports *reports = load(row->lines);
	struct rtls_text text;
	char buffer[4096];

	rtls_text_init(&text, buffer, sizeof(buffer));
	assert_int_not_equal(
		add_hosts(&text, reports, row->left_out), RTLS_NO_MEMORY);
	assert_string_equal(buffer, row->wanted);
	rtls_reports_free(reports);
}

/* More failures than a report has room for: counts stay right, and the caps hold. */
static void test_caps(void **state)
{
	const size_t many = RTLS_DETAILS_MAX * 3 / 4;
	struct rtls_reports *reports = rtls_aggregate_begin(TEST_DAY_S), *made;
	struct rtls_hosts *hosts;
	char reason[32];

	(void)state;
	assert_non_null(reports);
	for (size_t i = 0; i < 2 * many; i++) {
		struct rtls_session_result session = {
			.policy_domain = rtls_slice(
				i < many ? "a.example" : "b.example"),
			.count = 2,
			.type = RTLS_POLICY_TLSA,
			.result = RTLS_RESULT_VALIDATION_FAILURE,
			.mx_host = rtls_slice("mx.example"),
		};

		(void)snprintf(reason, sizeof(reason), "reason %zu", i);
		session.reason = rtls_slice(reason);
		assert_int_equal(
			rtls_aggregate_add(reports, &session), RTLS_OK);
	}
	assert_int_equal(rtls_aggregate_finish(reports), RTLS_OK);
	assert_int_equal(rtls_hosts_find(reports, &hosts), RTLS_OK);
	assert_int_equal(
		rtls_hosts_report(rtls_hosts_get(hosts, 0), NULL, &made),
		RTLS_OK);
	assert_int_equal(made->report[0]->failures, 4 * many);
	assert_int_equal(made->report[0]->detail_count, RTLS_DETAILS_MAX + 1);
	rtls_reports_free(made);
	rtls_hosts_free(hosts);
	rtls_reports_free(reports);
}

static void test_no_memory(void **state)
{
	struct rtls_reports *reports = load(rows[5].lines);
	struct rtls_text text;
	char buffer[4096];
	enum rtls_status status;

	(void)state;
	for (fail_at = 1;; fail_at++) {
		allocations = 0;
		rtls_text_init(&text, buffer, sizeof(buffer));
		status = add_hosts(&text, reports, NULL);
		if (allocations < fail_at)
			break;
		assert_int_equal(status, RTLS_NO_MEMORY);
	}
	assert_int_equal(status, RTLS_OK);
	assert_true(fail_at > 20);
	fail_at = 0;
	rtls_reports_free(reports);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "165 a host with too many failures", test_caps, NULL);
	check_add(&suite, "each allocation failing", test_no_memory, NULL);
	return check_run(&suite, "hosts");
}
