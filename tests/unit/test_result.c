/* test_result.c - result types and the journal line (items B2, B3 and B4). */
#include <stdio.h>

#include "check.h"
#include "policy/result.h"

#define DIGEST                                                                 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define IN_FRONT_OF_REASON                                                     \
	"1\t1763755520\tbank.example\tsts\t" DIGEST                            \
	"\tcertificate-expired\t192.0.2.1\tmx1.bank.example\tmx1.bank\t"       \
	"2001:db8::1\t"
#define FULL IN_FRONT_OF_REASON "expired 2026-11-01"

struct name {
	const char *proves;
	enum rtls_result result;
	const char *name;
};

static const struct name names[] = {
	{ "B2.1 success", RTLS_RESULT_SUCCESS, "success" },
	{ "B3.1 STARTTLS", RTLS_RESULT_STARTTLS_NOT_SUPPORTED,
		"starttls-not-supported" },
	{ "B3.1 wrong name", RTLS_RESULT_CERTIFICATE_HOST_MISMATCH,
		"certificate-host-mismatch" },
	{ "B3.1 expired", RTLS_RESULT_CERTIFICATE_EXPIRED,
		"certificate-expired" },
	{ "B3.1 not trusted", RTLS_RESULT_CERTIFICATE_NOT_TRUSTED,
		"certificate-not-trusted" },
	{ "B3.1 the rest", RTLS_RESULT_VALIDATION_FAILURE,
		"validation-failure" },
	{ "B3.2 TLSA", RTLS_RESULT_TLSA_INVALID, "tlsa-invalid" },
	{ "B3.2 DNSSEC", RTLS_RESULT_DNSSEC_INVALID, "dnssec-invalid" },
	{ "B3.2 DANE", RTLS_RESULT_DANE_REQUIRED, "dane-required" },
	{ "B3.3 fetch", RTLS_RESULT_STS_POLICY_FETCH_ERROR,
		"sts-policy-fetch-error" },
	{ "B3.3 policy", RTLS_RESULT_STS_POLICY_INVALID, "sts-policy-invalid" },
	{ "B3.3 policy host", RTLS_RESULT_STS_WEBPKI_INVALID,
		"sts-webpki-invalid" },
};

static void test_name(void **state)
{
	const struct name *row = *state;
	const struct rtls_slice name = rtls_slice(row->name);
	enum rtls_result result = RTLS_RESULT_COUNT;

	assert_string_equal(rtls_result_name(row->result), row->name);
	assert_int_equal(rtls_result_parse(name, &result), RTLS_OK);
	assert_int_equal(result, row->result);
	for (size_t size = 0; size < name.size; size++) {
		char *cut = check_copy(name, size);

		result = RTLS_RESULT_COUNT;
		assert_int_equal(
			rtls_result_parse(rtls_slice_n(cut, size), &result),
			RTLS_INVALID);
		assert_int_equal(result, RTLS_RESULT_COUNT);
		free(cut);
	}
}

static void test_names(void **state)
{
	enum rtls_result result = RTLS_RESULT_COUNT;

	(void)state;
	assert_int_equal(COUNT(names), RTLS_RESULT_COUNT);
	assert_int_equal(rtls_result_parse(rtls_slice("Success"), &result),
		RTLS_INVALID);
	assert_int_equal(result, RTLS_RESULT_COUNT);
	assert_string_equal(
		rtls_result_name(RTLS_RESULT_COUNT), "validation-failure");
	assert_string_equal(rtls_policy_type_name(RTLS_POLICY_NONE_FOUND),
		"no-policy-found");
	assert_string_equal(rtls_policy_type_name(RTLS_POLICY_STS), "sts");
	assert_string_equal(rtls_policy_type_name(RTLS_POLICY_TLSA), "tlsa");
}

struct row {
	const char *proves;
	struct rtls_slice line;
	enum rtls_status status;
};

static const struct row rows[] = {
	{ "B4.5 all fields", TEXT(FULL), RTLS_OK },
	{ "B4.5 unknown ones are empty",
		TEXT("1\t0\tbank.example\tno-policy-found\t-\tsuccess\t-\t-\t-"
		     "\t-\t-"),
		RTLS_OK },
	{ "B4.8 a quoted HELO",
		TEXT("1\t5\ta.example\ttlsa\t-\ttlsa-invalid\t-\tmx.a.example\t"
		     "a\\x0a b\t-\tx y"),
		RTLS_OK },
	{ "B4.5 several sessions",
		TEXT("2\t5\ta.example\ttlsa\t-\ttlsa-invalid\t2\t-\tmx\t-\t-"
		     "\t-"),
		RTLS_OK },
	{ "B4.5 as many as a line may hold",
		TEXT("2\t5\ta.example\tsts\t" DIGEST
		     "\tsuccess\t999999999999999\t192.0.2.1\tmx\thelo\t"
		     "192.0.2.2\t-"),
		RTLS_OK },
	{ "more than that",
		TEXT("2\t5\ta.example\tsts\t-\tsuccess\t1000000000000000\t-\t"
		     "-\t-\t-\t-"),
		RTLS_INVALID },
	{ "one session with a count",
		TEXT("2\t0\ta.example\tsts\t-\tsuccess\t1\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "a count of none",
		TEXT("2\t0\ta.example\tsts\t-\tsuccess\t0\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "a count with a zero in front",
		TEXT("2\t0\ta.example\tsts\t-\tsuccess\t02\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "a negative count",
		TEXT("2\t0\ta.example\tsts\t-\tsuccess\t-2\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "no count, though the version wants one",
		TEXT("2\t0\ta.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "a count where the version has none",
		TEXT("1\t0\ta.example\tsts\t-\tsuccess\t2\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "half a line for several in front of a whole one",
		TEXT("2\t17951\t1795140000\ta.example\tsts\t-\tsuccess\t-\t-"
		     "\t-\t-\t-"),
		RTLS_INVALID },
	{ "an empty line", TEXT(""), RTLS_INVALID },
	{ "only tabs", TEXT("\t\t\t\t\t\t\t\t\t\t"), RTLS_INVALID },
	{ "several without their count",
		TEXT("2\t0\ta.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "another version",
		TEXT("3\t0\ta.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "no version", TEXT("-\t0\ta.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "no time", TEXT("1\t-\ta.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "negative time",
		TEXT("1\t-1\ta.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "time behind year 9999",
		TEXT("1\t253402300800\ta.example\tsts\t-\tsuccess\t-\t-\t-\t-\t"
		     "-"),
		RTLS_INVALID },
	{ "B4.2 no policy domain",
		TEXT("1\t0\t-\tsts\t-\tsuccess\t-\t-\t-\t-\t-"), RTLS_INVALID },
	{ "B4.2 policy domain not normalized",
		TEXT("1\t0\tA.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "B4.2 policy domain with a path",
		TEXT("1\t0\t../x\tsts\t-\tsuccess\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "B4.2 unknown policy type",
		TEXT("1\t0\ta.example\tdane\t-\tsuccess\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "B4.2 no policy type",
		TEXT("1\t0\ta.example\t-\t-\tsuccess\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "short digest",
		TEXT("1\t0\ta.example\tsts\tabc\tsuccess\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "B3.4 unknown result",
		TEXT("1\t0\ta.example\tsts\t-\tfoo\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "B4.6 sending address is none",
		TEXT("1\t0\ta.example\tsts\t-\tsuccess\tmx\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "B4.6 receiving address in long form",
		TEXT("1\t0\ta.example\tsts\t-\tsuccess\t-\t-\t-\t2001:0db8::1\t"
		     "-"),
		RTLS_INVALID },
	{ "ten fields", TEXT("1\t0\ta.example\tsts\t-\tsuccess\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "twelve fields",
		TEXT("1\t0\ta.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-\t-"),
		RTLS_INVALID },
	{ "a tab at the end",
		TEXT("1\t0\ta.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-\t"),
		RTLS_INVALID },
	{ "an empty field",
		TEXT("1\t0\ta.example\tsts\t-\tsuccess\t-\t\t-\t-\t-"),
		RTLS_INVALID },
	{ "a NUL byte",
		TEXT("1\t0\ta.example\tsts\t-\tsuccess\t-\ta\0b\t-\t-\t-"),
		RTLS_INVALID },
	{ "two lines torn into one",
		TEXT("1\t0\ta.exa1\t0\ta.example\tsts\t-\tsuccess\t-\t-\t-\t-\t"
		     "-"),
		RTLS_INVALID },
};

static void check_inside_line(
	struct rtls_slice line, const struct rtls_session_result *result)
{
	assert_true(check_inside(line, result->policy_domain));
	assert_true(check_inside(line, result->digest));
	assert_true(check_inside(line, result->sending_ip));
	assert_true(check_inside(line, result->mx_host));
	assert_true(check_inside(line, result->mx_helo));
	assert_true(check_inside(line, result->receiving_ip));
	assert_true(check_inside(line, result->reason));
}

/* What was read is written again byte for byte. */
static void check_format(
	struct rtls_slice line, const struct rtls_session_result *result)
{
	char buffer[RTLS_JOURNAL_LINE_MAX];
	struct rtls_text text;

	rtls_text_init(&text, buffer, sizeof(buffer));
	assert_int_equal(rtls_journal_line_format(result, &text), RTLS_OK);
	assert_int_equal(text.size, line.size + 1);
	assert_int_equal(buffer[line.size], '\n');
	assert_memory_equal(buffer, line.data, line.size);
}

static enum rtls_status parse_cut(struct rtls_slice whole, size_t size)
{
	char *copy = check_copy(whole, size);
	const struct rtls_slice line = rtls_slice_n(copy, size);
	struct rtls_session_result result;
	enum rtls_status status;

	check_touch_not(&result, sizeof(result));
	status = rtls_journal_line_parse(line, &result);
	if (status == RTLS_OK) {
		check_inside_line(line, &result);
		check_format(line, &result);
	} else {
		assert_true(check_is_untouched(&result, sizeof(result)));
	}
	free(copy);
	return status;
}

static void test_parse(void **state)
{
	const struct row *row = *state;

	assert_int_equal(parse_cut(row->line, row->line.size), row->status);
	for (size_t size = 0; size < row->line.size; size++)
		(void)parse_cut(row->line, size);
}

static void test_torn(void **state)
{
	const struct rtls_slice whole = TEXT(FULL);

	(void)state;
	for (size_t size = 0; size < sizeof(IN_FRONT_OF_REASON); size++)
		assert_int_equal(parse_cut(whole, size), RTLS_INVALID);
	assert_int_equal(parse_cut(whole, whole.size), RTLS_OK);
}

static void test_fields(void **state)
{
	struct rtls_session_result result;

	(void)state;
	assert_int_equal(
		rtls_journal_line_parse(rtls_slice(FULL), &result), RTLS_OK);
	assert_int_equal(result.time_s, 1763755520);
	assert_int_equal(result.count, 1);
	check_slice(result.policy_domain, "bank.example");
	assert_int_equal(result.type, RTLS_POLICY_STS);
	check_slice(result.digest, DIGEST);
	assert_int_equal(result.result, RTLS_RESULT_CERTIFICATE_EXPIRED);
	check_slice(result.sending_ip, "192.0.2.1");
	check_slice(result.mx_host, "mx1.bank.example");
	check_slice(result.mx_helo, "mx1.bank");
	check_slice(result.receiving_ip, "2001:db8::1");
	check_slice(result.reason, "expired 2026-11-01");
}

static struct rtls_session_result sample(void)
{
	struct rtls_session_result result = { 0 };

	result.policy_domain = rtls_slice("a.example");
	result.type = RTLS_POLICY_STS;
	return result;
}

static void check_line(
	const struct rtls_session_result *result, const char *wanted)
{
	char buffer[RTLS_JOURNAL_LINE_MAX];
	struct rtls_text text;

	rtls_text_init(&text, buffer, sizeof(buffer));
	assert_int_equal(rtls_journal_line_format(result, &text), RTLS_OK);
	assert_string_equal(buffer, wanted);
}

static void test_dirt(void **state)
{
	struct rtls_session_result result = sample();

	(void)state;
	result.mx_helo = rtls_slice_n("a\tb\nc\0d\x7f\xff", 9);
	result.reason = rtls_slice("\r\n1\t0\tx");
	check_line(&result,
		"1\t0\ta.example\tsts\t-\tsuccess\t-\t-\ta?b?c?d??\t-\t??1?0?x"
		"\n");
}

static void test_addresses(void **state)
{
	struct rtls_session_result result = sample();

	(void)state;
	result.sending_ip = rtls_slice("2001:0DB8:0:0::0001");
	result.receiving_ip = rtls_slice("192.0.2.256");
	check_line(&result,
		"1\t0\ta.example\tsts\t-\tsuccess\t2001:db8::1\t-\t-\t-\t-\n");
	result.sending_ip = rtls_slice("192.0.2.01");
	result.receiving_ip = rtls_slice("192.0.2.25");
	check_line(&result,
		"1\t0\ta.example\tsts\t-\tsuccess\t-\t-\t-\t192.0.2.25\t-\n");
}

/* No cut of one line in front of another makes a line that counts; but a line may lose
 * nothing but its LF. */
static void test_half_and_whole(void **state)
{
	static const char *const lines[] = { FULL,
		"1\t0\tsts\ttlsa\t-\tsuccess\t-\t-\t-\t-\t-",
		"2\t0\ttlsa\tsts\t-\tsuccess\t5\t-\t-\t-\t-\t-",
		"2\t1763755520\tbank.example\tsts\t" DIGEST
		"\tsuccess\t12\t192.0.2.1\tmx\thelo\t192.0.2.2\t5" };
	struct rtls_session_result result;
	char both[512];

	(void)state;
	for (size_t i = 0; i < COUNT(lines) * COUNT(lines); i++) {
		const char *torn = lines[i / COUNT(lines)];
		const char *whole = lines[i % COUNT(lines)];

		for (size_t size = 1; size <= strlen(torn); size++) {
			(void)snprintf(both, sizeof(both), "%.*s%s", (int)size,
				torn, whole);
			assert_int_equal(rtls_journal_line_parse(
						 rtls_slice(both), &result),
				RTLS_INVALID);
		}
	}
}

static void test_several(void **state)
{
	struct rtls_session_result result = sample();

	(void)state;
	result.count = 12;
	check_line(&result,
		"2\t0\ta.example\tsts\t-\tsuccess\t12\t-\t-\t-\t-\t-\n");
	result.count = 1;
	check_line(
		&result, "1\t0\ta.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-\n");
}

/* Every field as long as it goes: the line still fits, and can be read. */
static void test_long(void **state)
{
	static char many[4096];
	char domain[RTLS_DOMAIN_SIZE];
	char buffer[RTLS_JOURNAL_LINE_MAX];
	struct rtls_session_result result = sample();
	struct rtls_session_result again;
	struct rtls_text text;

	(void)state;
	memset(many, 'x', sizeof(many));
	memset(domain, 'a', sizeof(domain));
	for (size_t i = 50; i < RTLS_DOMAIN_MAX; i += 51)
		domain[i] = '.';
	result.policy_domain = rtls_slice_n(domain, RTLS_DOMAIN_MAX);
	result.digest = rtls_slice(DIGEST);
	result.time_s = INT64_C(253402300799);
	result.count = RTLS_SESSIONS_MAX;
	result.type = RTLS_POLICY_NONE_FOUND;
	result.result = RTLS_RESULT_CERTIFICATE_HOST_MISMATCH;
	result.sending_ip =
		rtls_slice("1111:2222:3333:4444:5555:6666:7777:8888");
	result.receiving_ip = result.sending_ip;
	result.mx_host = rtls_slice_n(many, sizeof(many));
	result.mx_helo = result.mx_host;
	result.reason = result.mx_host;
	rtls_text_init(&text, buffer, sizeof(buffer));
	assert_int_equal(rtls_journal_line_format(&result, &text), RTLS_OK);
	assert_int_equal(rtls_journal_line_parse(
				 rtls_slice_n(buffer, text.size - 1), &again),
		RTLS_OK);
	rtls_text_init(&text, buffer, text.size);
	assert_int_equal(
		rtls_journal_line_format(&result, &text), RTLS_INVALID);
}

static void test_contract(void **state)
{
	char buffer[RTLS_JOURNAL_LINE_MAX];
	struct rtls_session_result result = sample();
	struct rtls_text text;

	(void)state;
	rtls_text_init(&text, buffer, sizeof(buffer));
	result.policy_domain = rtls_slice("A.example");
	assert_int_equal(rtls_journal_line_format(&result, &text), RTLS_BUG);
	result = sample();
	result.policy_domain = rtls_slice("");
	assert_int_equal(rtls_journal_line_format(&result, &text), RTLS_BUG);
	result = sample();
	result.time_s = -1;
	assert_int_equal(rtls_journal_line_format(&result, &text), RTLS_BUG);
	result = sample();
	result.digest = rtls_slice("abc");
	assert_int_equal(rtls_journal_line_format(&result, &text), RTLS_BUG);
	result = sample();
	result.count = RTLS_SESSIONS_MAX + 1;
	assert_int_equal(rtls_journal_line_format(&result, &text), RTLS_BUG);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_name, names);
	check_add(&suite, "B3.4 every result has a name", test_names, NULL);
	CHECK_TABLE(&suite, test_parse, rows);
	check_add(&suite, "a torn line does not count", test_torn, NULL);
	check_add(&suite, "half a line in front of a whole one",
		test_half_and_whole, NULL);
	check_add(&suite, "B4.5 a line for several", test_several, NULL);
	check_add(&suite, "B4.5 each field at its place", test_fields, NULL);
	check_add(&suite, "B4.8 control characters", test_dirt, NULL);
	check_add(&suite, "B4.6 addresses", test_addresses, NULL);
	check_add(&suite, "B4.8 lengths are capped", test_long, NULL);
	check_add(
		&suite, "callers that break the contract", test_contract, NULL);
	return check_run(&suite, "result");
}
