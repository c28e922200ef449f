/* test_record.c - the cache record as text, and how long it holds (items A5.1
 * to A5.11; EDGE-CASES 53, 59, 65). */
#include "check.h"
#include "policy/record.h"

#define DOMAIN "enforce.example"
#define HEAD   "requiretls-record 1\ndomain " DOMAIN "\n"
#define DIGEST                                                                 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POLICY                                                                 \
	"policy-id 20261101\n"                                                 \
	"policy-fetched 2026-11-21T19:45:20Z\n"                                \
	"policy-until 2026-11-28T19:45:20Z\n"                                  \
	"policy-digest " DIGEST "\n"
#define BODY "version: STSv1\r\nmode: enforce\n\nmax_age: 604800\nmx: a"
#define FULL                                                                   \
	HEAD "used 2026-11-21T19:45:19Z\n"                                     \
	     "mx-answer hosts\n"                                               \
	     "mx-dnssec secure\n"                                              \
	     "mx-until 2026-11-21T20:45:20Z\n"                                 \
	     "mx 10 mx1.enforce.example address=secure tlsa=secure\n"          \
	     "mx 20 mx2.enforce.example address=insecure tlsa=unknown\n"       \
	     "tlsa mx1.enforce.example 3 1 1 8cb0A1\n"                         \
	     "txt valid\n"                                                     \
	     "txt-id 20261102\n"                                               \
	     "txt-until 2026-11-21T20:45:21Z\n"                                \
	     "fetch failed\n"                                                  \
	     "fetch-id 20261102\n"                                             \
	     "fetch-retry 2026-11-21T19:50:20Z\n"                              \
	     "fetch-error sts-webpki-invalid certificate \\x22expired\n"       \
	     "fetch-earlier 20261101 2026-11-21T19:49:20Z\n"                   \
	     "fetch-earlier 20261031 2026-11-21T19:48:20Z\n" POLICY            \
	     "note resolver cannot do DNSSEC\n"                                \
	     "note another\n"                                                  \
	     "policy-text\n" BODY
#define MX(n) "mx " n " a.example address=unknown tlsa=unknown\n"

struct row {
	const char *proves;
	struct rtls_slice text;
	enum rtls_status status;
	/* Written again, NULL: as it was; or words of the reason. */
	const char *wanted;
};

static const struct row rows[] = {
	{ "all lines", TEXT(FULL), RTLS_OK, NULL },
	{ "nothing known yet", TEXT(HEAD), RTLS_OK, NULL },
	{ "CRLF, as an editor may leave it",
		TEXT("requiretls-record 1\r\ndomain " DOMAIN "\r\n"), RTLS_OK,
		HEAD },
	{ "lines in another order",
		TEXT("requiretls-record 1\ntxt none\nmx-dnssec insecure\n"
		     "domain " DOMAIN "\n"),
		RTLS_OK, HEAD "mx-dnssec insecure\ntxt none\n" },
	{ "blanks before and behind a value",
		TEXT(HEAD "txt  none \nmx-dnssec insecure\t\n"), RTLS_OK,
		HEAD "mx-dnssec insecure\ntxt none\n" },
	{ "an earlier id without a time", TEXT(HEAD "fetch-earlier a\n"),
		RTLS_INVALID, "line 3" },
	{ "an earlier id that is none",
		TEXT(HEAD "fetch-earlier a-b 2026-11-21T19:49:20Z\n"),
		RTLS_INVALID, "line 3" },
	{ "a time of 0 is no time",
		TEXT(HEAD "mx-until 1970-01-01T00:00:00Z\n"), RTLS_OK, HEAD },
	{ "A6.3 implicit MX",
		TEXT(HEAD "mx-answer implicit\nmx 0 " DOMAIN
			  " address=secure tlsa=none\n"),
		RTLS_OK, NULL },
	{ "D13 null MX", TEXT(HEAD "mx-answer null\nmx-dnssec secure\n"),
		RTLS_OK, NULL },
	{ "D13 no such domain", TEXT(HEAD "mx-answer nxdomain\n"), RTLS_OK,
		NULL },
	{ "D2 bogus", TEXT(HEAD "mx-answer failed\nmx-dnssec bogus\n"), RTLS_OK,
		NULL },
	{ "D3 failed, with the hosts of before",
		TEXT(HEAD "mx-answer failed\n" MX("0")), RTLS_OK, NULL },
	{ "all states of a host",
		TEXT(HEAD "mx-answer hosts\n"
			  "mx 0 a.example address=unknown tlsa=unknown\n"
			  "mx 0 b.example address=insecure tlsa=none\n"
			  "mx 1 c.example address=secure tlsa=unusable\n"
			  "mx 2 d_.example address=bogus tlsa=failed\n"
			  "mx 65535 e.example address=secure tlsa=bogus\n"),
		RTLS_OK, NULL },
	{ "A6.2 a host behind a CNAME",
		TEXT(HEAD "mx-answer hosts\n"
			  "mx 0 a.example address=secure tlsa=secure "
			  "cname=x_.example\n"),
		RTLS_OK, NULL },
	{ "D7 sorted by preference, stable",
		TEXT(HEAD "mx-answer hosts\n"
			  "mx 20 c.example address=unknown tlsa=unknown\n"
			  "mx 5 a.example address=unknown tlsa=unknown\n"
			  "mx 20 b.example address=unknown tlsa=unknown\n"
			  "mx 0 d.example address=unknown tlsa=unknown\n"),
		RTLS_OK,
		HEAD "mx-answer hosts\n"
		     "mx 0 d.example address=unknown tlsa=unknown\n"
		     "mx 5 a.example address=unknown tlsa=unknown\n"
		     "mx 20 c.example address=unknown tlsa=unknown\n"
		     "mx 20 b.example address=unknown tlsa=unknown\n" },
	{ "A1.14 TXT failed", TEXT(HEAD "txt failed\n"), RTLS_OK, NULL },
	{ "A1.5 TXT invalid", TEXT(HEAD "txt invalid\n"), RTLS_OK, NULL },
	{ "fetch ok", TEXT(HEAD "fetch ok\nfetch-id a\n"), RTLS_OK, NULL },
	{ "A5.4 policy without an id",
		TEXT(HEAD "policy-fetched 2026-11-21T19:45:20Z\n"
			  "policy-until 2026-11-28T19:45:20Z\n"
			  "policy-digest " DIGEST "\npolicy-text\nx"),
		RTLS_OK, NULL },
	{ "A5.11 max_age 0",
		TEXT(HEAD "policy-fetched 2026-11-21T19:45:20Z\n"
			  "policy-until 2026-11-21T19:45:20Z\n"
			  "policy-digest " DIGEST "\npolicy-text\nx"),
		RTLS_OK, NULL },
	{ "A3.5 a policy of a year",
		TEXT(HEAD "policy-fetched 2026-11-21T19:45:20Z\n"
			  "policy-until 2027-11-22T01:45:20Z\n"
			  "policy-digest " DIGEST "\npolicy-text\nx"),
		RTLS_OK, NULL },
	{ "the policy is kept verbatim",
		TEXT(HEAD POLICY "policy-text\n\0\xff\r\npolicy-text\ntxt x"),
		RTLS_OK, NULL },

	{ "an empty file", TEXT(""), RTLS_INVALID, "line 1: expected" },
	{ "another version", TEXT("requiretls-record 2\ndomain " DOMAIN "\n"),
		RTLS_INVALID, "line 1: expected \"requiretls-record 1\"" },
	{ "version not first", TEXT("domain " DOMAIN "\nrequiretls-record 1\n"),
		RTLS_INVALID, "line 1: expected" },
	{ "a longer version", TEXT("requiretls-record 10\ndomain " DOMAIN "\n"),
		RTLS_INVALID, "line 1: expected" },
	{ "version twice", TEXT(HEAD "requiretls-record 1\n"), RTLS_INVALID,
		"line 3: unexpected" },
	{ "no domain", TEXT("requiretls-record 1\n"), RTLS_INVALID,
		"no domain" },
	{ "another domain", TEXT("requiretls-record 1\ndomain other.example\n"),
		RTLS_INVALID, "another domain" },
	{ "a domain not normalized",
		TEXT("requiretls-record 1\ndomain Enforce.example\n"),
		RTLS_INVALID, "line 2: unexpected" },
	{ "EDGE 61 a domain with a path",
		TEXT("requiretls-record 1\ndomain ../x\n"), RTLS_INVALID,
		"line 2: unexpected" },
	{ "unknown key", TEXT(HEAD "mx-foo x\n"), RTLS_INVALID,
		"line 3: unexpected \"mx-foo x\"" },
	{ "a misspelt key", TEXT(HEAD "policyfetched x\n"), RTLS_INVALID,
		"unexpected \"policyfetched x\"; did you mean "
		"\"policy-fetched\"?" },
	{ "foreign bytes are quoted", TEXT(HEAD "\x1b[2J\n"), RTLS_INVALID,
		"line 3: unexpected \"\\x1b[2J\"" },
	{ "keys have a case", TEXT(HEAD "TXT none\n"), RTLS_INVALID,
		"line 3: unexpected" },
	{ "a blank line", TEXT(HEAD "\n"), RTLS_INVALID, "line 3: unexpected" },
	{ "a comment", TEXT(HEAD "# x\n"), RTLS_INVALID, "line 3: unexpected" },
	{ "a blank before the key", TEXT(HEAD " txt none\n"), RTLS_INVALID,
		"line 3: unexpected" },
	{ "no value", TEXT(HEAD "txt\n"), RTLS_INVALID, "line 3: unexpected" },
	{ "empty value", TEXT(HEAD "txt-id \n"), RTLS_INVALID,
		"line 3: unexpected" },
	{ "the last line is cut", TEXT(HEAD "txt none"), RTLS_INVALID,
		"the last line is cut" },
	{ "a key twice", TEXT(HEAD "txt none\ntxt none\n"), RTLS_INVALID,
		"line 4: unexpected \"txt none\"; it is there already" },
	{ "domain twice", TEXT(HEAD "domain " DOMAIN "\n"), RTLS_INVALID,
		"line 3: unexpected" },
	{ "unknown word", TEXT(HEAD "mx-answer maybe\n"), RTLS_INVALID,
		"line 3: unexpected \"mx-answer maybe\"; expected one of "
		"unknown hosts implicit null nxdomain failed" },
	{ "no time", TEXT(HEAD "mx-until tomorrow\n"), RTLS_INVALID,
		"line 3: unexpected \"mx-until tomorrow\"; expected a time "
		"like 2026-11-21T19:45:20Z" },
	{ "no such day", TEXT(HEAD "mx-until 2026-02-29T00:00:00Z\n"),
		RTLS_INVALID, "line 3: unexpected" },
	{ "hosts without mx", TEXT(HEAD "mx-answer hosts\n"), RTLS_INVALID,
		"hosts without mx" },
	{ "mx without answer", TEXT(HEAD MX("0")), RTLS_INVALID,
		"mx lines without" },
	{ "null MX with mx", TEXT(HEAD "mx-answer null\n" MX("0")),
		RTLS_INVALID, "mx lines without" },
	{ "no domain with mx", TEXT(HEAD "mx-answer nxdomain\n" MX("0")),
		RTLS_INVALID, "mx lines without" },
	{ "A6.3 implicit MX of another name",
		TEXT(HEAD "mx-answer implicit\n" MX("0")), RTLS_INVALID,
		"mx-answer implicit" },
	{ "A6.3 implicit MX without host", TEXT(HEAD "mx-answer implicit\n"),
		RTLS_INVALID, "mx-answer implicit" },
	{ "D2 hosts from a bogus answer",
		TEXT(HEAD "mx-answer hosts\nmx-dnssec bogus\n" MX("0")),
		RTLS_INVALID, "bogus" },
	{ "preference too large", TEXT(HEAD "mx-answer hosts\n" MX("65536")),
		RTLS_INVALID, "; expected PREFERENCE HOST address=WORD" },
	{ "preference negative", TEXT(HEAD "mx-answer hosts\n" MX("-1")),
		RTLS_INVALID, "line 4: unexpected" },
	{ "host not normalized",
		TEXT(HEAD "mx-answer hosts\nmx 0 A.example address=unknown "
			  "tlsa=unknown\n"),
		RTLS_INVALID, "line 4: unexpected" },
	{ "host with a trailing dot",
		TEXT(HEAD "mx-answer hosts\nmx 0 a.example. address=unknown "
			  "tlsa=unknown\n"),
		RTLS_INVALID, "line 4: unexpected" },
	{ "D14 host is an address",
		TEXT(HEAD "mx-answer hosts\nmx 0 192.0.2.1 address=unknown "
			  "tlsa=unknown\n"),
		RTLS_INVALID, "line 4: unexpected" },
	{ "host that Exim would read as a list",
		TEXT(HEAD "mx-answer hosts\nmx 0 a:b address=unknown "
			  "tlsa=unknown\n"),
		RTLS_INVALID, "line 4: unexpected" },
	{ "no address state",
		TEXT(HEAD "mx-answer hosts\nmx 0 a.example tlsa=unknown\n"),
		RTLS_INVALID, "line 4: unexpected" },
	{ "no TLSA state",
		TEXT(HEAD "mx-answer hosts\nmx 0 a.example address=secure\n"),
		RTLS_INVALID, "line 4: unexpected" },
	{ "states in another order",
		TEXT(HEAD "mx-answer hosts\nmx 0 a.example tlsa=none "
			  "address=secure\n"),
		RTLS_INVALID, "line 4: unexpected" },
	{ "junk behind the states",
		TEXT(HEAD "mx-answer hosts\nmx 0 a.example address=secure "
			  "tlsa=none x\n"),
		RTLS_INVALID, "line 4: unexpected" },
	{ "a CNAME to what is no host name",
		TEXT(HEAD "mx-answer hosts\nmx 0 a.example address=secure "
			  "tlsa=none cname=A.example\n"),
		RTLS_INVALID, "line 4: unexpected" },
	{ "a CNAME to nowhere",
		TEXT(HEAD "mx-answer hosts\nmx 0 a.example address=secure "
			  "tlsa=none cname=\n"),
		RTLS_INVALID, "line 4: unexpected" },
	{ "junk behind the CNAME",
		TEXT(HEAD "mx-answer hosts\nmx 0 a.example address=secure "
			  "tlsa=none cname=b.example x\n"),
		RTLS_INVALID, "line 4: unexpected" },
	{ "TLSA: octet too large", TEXT(HEAD "tlsa a.example 256 1 1 8cb0\n"),
		RTLS_INVALID, "line 3: unexpected" },
	{ "TLSA: half a byte", TEXT(HEAD "tlsa a.example 3 1 1 8cb\n"),
		RTLS_INVALID, "line 3: unexpected" },
	{ "TLSA: no hex", TEXT(HEAD "tlsa a.example 3 1 1 8cbg\n"),
		RTLS_INVALID, "line 3: unexpected" },
	{ "B4.3 TLSA: blank in the hex",
		TEXT(HEAD "tlsa a.example 3 1 1 8c b0\n"), RTLS_INVALID,
		"line 3: unexpected" },
	{ "TLSA: no data", TEXT(HEAD "tlsa a.example 3 1 1\n"), RTLS_INVALID,
		"line 3: unexpected" },
	{ "TLSA: no host", TEXT(HEAD "tlsa 3 1 1 8cb0\n"), RTLS_INVALID,
		"line 3: unexpected" },
	{ "A1.8 TXT valid without id", TEXT(HEAD "txt valid\n"), RTLS_INVALID,
		"txt valid without" },
	{ "A1.8 an id with a hyphen", TEXT(HEAD "txt valid\ntxt-id a-b\n"),
		RTLS_INVALID, "line 4: unexpected" },
	{ "A1.8 an id of 33 characters",
		TEXT(HEAD "fetch-id 123456789012345678901234567890123\n"),
		RTLS_INVALID, "line 3: unexpected" },
	{ "EDGE 170 an error with a control character",
		TEXT(HEAD "fetch-error a\x07"
			  "b\n"),
		RTLS_INVALID, "line 3: unexpected" },
	{ "EDGE 170 a note with a byte above 126", TEXT(HEAD "note a\xff\n"),
		RTLS_INVALID, "line 3: unexpected" },
	{ "nine notes",
		TEXT(HEAD "note 1\nnote 2\nnote 3\nnote 4\nnote 5\nnote 6\n"
			  "note 7\nnote 8\nnote 9\n"),
		RTLS_INVALID, "line 11: unexpected" },
	{ "policy-text without text", TEXT(HEAD POLICY "policy-text\n"),
		RTLS_INVALID, "line 7: unexpected" },
	{ "policy lines without policy-text", TEXT(HEAD POLICY), RTLS_INVALID,
		"without a policy-text" },
	{ "policy-id alone", TEXT(HEAD "policy-id a\n"), RTLS_INVALID,
		"without a policy-text" },
	{ "policy-text alone", TEXT(HEAD "policy-text\nx"), RTLS_INVALID,
		"policy-text without" },
	{ "a digest in upper case",
		TEXT(HEAD "policy-digest 0123456789ABCDEF0123456789abcdef"
			  "0123456789abcdef0123456789abcdef\n"),
		RTLS_INVALID, "line 3: unexpected" },
	{ "EDGE 65 an immortal policy",
		TEXT(HEAD "policy-fetched 2026-11-21T19:45:20Z\n"
			  "policy-until 2027-11-23T01:45:21Z\n"
			  "policy-digest " DIGEST "\npolicy-text\nx"),
		RTLS_INVALID, "not within a year" },
	{ "EDGE 65 a policy that ends before it begins",
		TEXT(HEAD "policy-fetched 2026-11-21T19:45:20Z\n"
			  "policy-until 2026-11-21T19:45:19Z\n"
			  "policy-digest " DIGEST "\npolicy-text\nx"),
		RTLS_INVALID, "not within a year" },
};

/* Into a block of just the size wanted: the cap counts the terminator. */
static void check_format(
	const struct rtls_record *record, struct rtls_slice wanted)
{
	char *buffer = malloc(wanted.size + 1);
	struct rtls_text text;

	assert_non_null(buffer);
	rtls_text_init(&text, buffer, wanted.size + 1);
	assert_int_equal(rtls_record_format(record, &text), RTLS_OK);
	assert_int_equal(text.size, wanted.size);
	assert_memory_equal(buffer, wanted.data, wanted.size);
	rtls_text_init(&text, buffer, wanted.size);
	assert_int_equal(rtls_record_format(record, &text), RTLS_INVALID);
	free(buffer);
}

static void check_inside_text(
	struct rtls_slice text, const struct rtls_record *record)
{
	for (size_t i = 0; i < record->mx_count; i++)
		assert_true(check_inside(text, record->mx[i].host));
	for (size_t i = 0; i < record->tlsa_count; i++) {
		assert_true(check_inside(text, record->tlsa[i].host));
		assert_true(check_inside(text, record->tlsa[i].text));
	}
	for (size_t i = 0; i < record->note_count; i++)
		assert_true(check_inside(text, record->note[i]));
	assert_true(check_inside(text, record->domain));
	assert_true(check_inside(text, record->txt_id));
	assert_true(check_inside(text, record->fetch_id));
	assert_true(check_inside(text, record->fetch_error));
	assert_true(check_inside(text, record->policy_id));
	assert_true(check_inside(text, record->policy_digest));
	assert_true(check_inside(text, record->policy_text));
}

/* parse(format(x)) is x: what is written for x is also written for that. */
static void check_stable(const struct rtls_record *record)
{
	static char buffer[RTLS_RECORD_SIZE_MAX + 1];
	struct rtls_record again;
	struct rtls_text text;

	rtls_text_init(&text, buffer, sizeof(buffer));
	assert_int_equal(rtls_record_format(record, &text), RTLS_OK);
	assert_int_equal(
		rtls_record_parse(rtls_text_slice(&text), DOMAIN, &again, NULL),
		RTLS_OK);
	check_format(&again, rtls_text_slice(&text));
}

static enum rtls_status parse_cut(struct rtls_slice whole, size_t size,
	const char *wanted, struct rtls_err *err)
{
	char *copy = check_copy(whole, size);
	const struct rtls_slice text = rtls_slice_n(copy, size);
	struct rtls_record record;
	enum rtls_status status;

	check_touch_not(&record, sizeof(record));
	status = rtls_record_parse(text, DOMAIN, &record, err);
	if (status == RTLS_OK) {
		check_inside_text(text, &record);
		check_stable(&record);
		if (size == whole.size)
			check_format(&record,
				wanted == NULL ? text : rtls_slice(wanted));
	} else {
		assert_int_equal(status, RTLS_INVALID);
		assert_true(check_is_untouched(&record, sizeof(record)));
	}
	free(copy);
	return status;
}

static void test_parse(void **state)
{
	const struct row *row = *state;
	struct rtls_err err = { "" };

	assert_int_equal(
		parse_cut(row->text, row->text.size, row->wanted, &err),
		row->status);
	if (row->status != RTLS_OK)
		check_err(&err, row->wanted);
	for (size_t size = 0; size < row->text.size; size++)
		(void)parse_cut(row->text, size, NULL, &err);
}

static void test_fields(void **state)
{
	struct rtls_record record;

	(void)state;
	assert_int_equal(
		rtls_record_parse(rtls_slice(FULL), DOMAIN, &record, NULL),
		RTLS_OK);
	check_slice(record.domain, DOMAIN);
	assert_int_equal(record.mx_answer, RTLS_MX_HOSTS);
	assert_int_equal(record.mx_dnssec, RTLS_DNSSEC_SECURE);
	assert_int_equal(record.mx_until_s, 1795293920);
	assert_int_equal(record.mx_count, 2);
	assert_int_equal(record.mx[0].preference, 10);
	check_slice(record.mx[0].host, "mx1.enforce.example");
	assert_int_equal(record.mx[0].address, RTLS_DNSSEC_SECURE);
	assert_int_equal(record.mx[0].tlsa, RTLS_TLSA_SECURE);
	assert_int_equal(record.mx[1].tlsa, RTLS_TLSA_UNKNOWN);
	assert_int_equal(record.tlsa_count, 1);
	check_slice(record.tlsa[0].host, "mx1.enforce.example");
	check_slice(record.tlsa[0].text, "3 1 1 8cb0A1");
	assert_int_equal(record.txt, RTLS_TXT_VALID);
	check_slice(record.txt_id, "20261102");
	assert_int_equal(record.txt_until_s, 1795293921);
	assert_int_equal(record.fetch, RTLS_FETCH_FAILED);
	check_slice(record.fetch_id, "20261102");
	assert_int_equal(record.fetch_retry_s, 1795290620);
	check_slice(record.fetch_error,
		"sts-webpki-invalid certificate \\x22expired");
	assert_int_equal(record.used_s, 1795290319);
	assert_int_equal(record.earlier_count, 2);
	check_slice(record.earlier[1].id, "20261031");
	assert_int_equal(record.earlier[1].retry_s, 1795290500);
	check_slice(record.policy_id, "20261101");
	assert_int_equal(record.policy_fetched_s, 1795290320);
	assert_int_equal(record.policy_until_s, 1795290320 + 604800);
	check_slice(record.policy_digest, DIGEST);
	check_slice(record.policy_text, BODY);
	assert_int_equal(record.note_count, 2);
	check_slice(record.note[1], "another");
}

/* Lines repeated, behind HEAD and lines. */
static enum rtls_status parse_many(
	const char *lines, const char *line, size_t count)
{
	static char buffer[RTLS_RECORD_SIZE_MAX + 2];
	struct rtls_record record;
	struct rtls_text text;

	rtls_text_init(&text, buffer, sizeof(buffer));
	rtls_text_printf(&text, "%s%s", HEAD, lines);
	for (size_t i = 0; i < count; i++)
		rtls_text_add(&text, rtls_slice(line));
	assert_false(text.overflow);
	return rtls_record_parse(rtls_text_slice(&text), DOMAIN, &record, NULL);
}

static void test_limits(void **state)
{
	const char *tlsa = "tlsa a.example 3 1 1 8cb0\n";
	const char *hosts = "mx-answer hosts\n";
	const char *earlier = "fetch-earlier a 2026-11-21T19:49:20Z\n";

	(void)state;
	assert_int_equal(parse_many(hosts, MX("0"), RTLS_MX_MAX), RTLS_OK);
	assert_int_equal(
		parse_many(hosts, MX("0"), RTLS_MX_MAX + 1), RTLS_INVALID);
	assert_int_equal(parse_many("", earlier, RTLS_EARLIER_MAX), RTLS_OK);
	assert_int_equal(
		parse_many("", earlier, RTLS_EARLIER_MAX + 1), RTLS_INVALID);
	assert_int_equal(parse_many("", tlsa, RTLS_TLSA_MAX), RTLS_OK);
	assert_int_equal(parse_many("", tlsa, RTLS_TLSA_MAX + 1), RTLS_INVALID);
	assert_int_equal(parse_many(POLICY "policy-text\n", "x",
				 RTLS_STS_POLICY_SIZE_MAX),
		RTLS_OK);
	assert_int_equal(parse_many(POLICY "policy-text\n", "x",
				 RTLS_STS_POLICY_SIZE_MAX + 1),
		RTLS_INVALID);
	assert_int_equal(
		parse_many(POLICY "policy-text\n", "x",
			RTLS_RECORD_SIZE_MAX + 1 - sizeof(HEAD POLICY) -
				sizeof("policy-text")),
		RTLS_INVALID);
}

/* What the program fills in wrongly must not reach the disk. */
static void test_contract(void **state)
{
	static const struct rtls_slice bad = TEXT("x\nmx 0 evil.example");
	char buffer[1024];
	struct rtls_text text;
	struct rtls_record good;
	struct rtls_record record;

	(void)state;
	assert_int_equal(
		rtls_record_parse(rtls_slice(FULL), DOMAIN, &good, NULL),
		RTLS_OK);
#define CHECK_BUG(change)                                                      \
	record = good;                                                         \
	change;                                                                \
	rtls_text_init(&text, buffer, sizeof(buffer));                         \
	assert_int_equal(rtls_record_format(&record, &text), RTLS_BUG)
	CHECK_BUG(record.domain = rtls_slice(""));
	CHECK_BUG(record.domain = bad);
	CHECK_BUG(record.mx[0].host = bad);
	CHECK_BUG(record.mx[0].preference = 65536);
	CHECK_BUG(record.mx[0].preference = 30); /* not sorted */
	CHECK_BUG(record.mx[0].tlsa = (enum rtls_tlsa_state)6);
	CHECK_BUG(record.mx_count = 0);
	CHECK_BUG(record.mx_count = RTLS_MX_MAX + 1);
	CHECK_BUG(record.mx_answer = (enum rtls_mx_answer)6);
	CHECK_BUG(record.mx_until_s = -1);
	CHECK_BUG(record.mx_until_s = INT64_C(253402300800));
	CHECK_BUG(record.tlsa[0].host = bad);
	CHECK_BUG(record.tlsa[0].text = bad);
	CHECK_BUG(record.tlsa_count = RTLS_TLSA_MAX + 1);
	CHECK_BUG(record.txt_id = bad);
	CHECK_BUG(record.fetch_error = bad);
	CHECK_BUG(record.fetch_error = rtls_slice("x "));
	CHECK_BUG(record.note[1] = bad);
	CHECK_BUG(record.note_count = RTLS_NOTES_MAX + 1);
	CHECK_BUG(record.policy_id = bad);
	CHECK_BUG(record.policy_digest = rtls_slice("abc"));
	CHECK_BUG(record.policy_until_s += RTLS_STS_MAX_AGE_MAX);
	CHECK_BUG(record.policy_text.size = 0);
#undef CHECK_BUG
}

#define NOW  INT64_C(1795290320)
#define DAY  86400
#define YEAR RTLS_STS_MAX_AGE_MAX

/* In the order one reads it. NOLINTNEXTLINE(*-optin.performance.Padding) */
struct age {
	const char *proves;
	/* Offsets to NOW; policy_id "" means no policy. */
	long mx_until, txt_until;
	enum rtls_txt_state txt;
	const char *txt_id, *policy_id;
	long fetched, until;
	enum rtls_fetch_state fetch;
	const char *fetch_id;
	long retry;
	bool fresh, has_policy, wants_fetch;
};

#define FETCH_NO  RTLS_FETCH_NEVER, "", 0
#define NO_POLICY "", 0, 0

static const struct age ages[] = {
	{ "no policy at all", 60, 60, RTLS_TXT_NONE, "", NO_POLICY, FETCH_NO,
		true, false, false },
	{ "MX out of time", 0, 60, RTLS_TXT_NONE, "", NO_POLICY, FETCH_NO,
		false, false, false },
	{ "TXT out of time", 60, 0, RTLS_TXT_NONE, "", NO_POLICY, FETCH_NO,
		false, false, false },
	{ "the last second", 1, 1, RTLS_TXT_NONE, "", NO_POLICY, FETCH_NO, true,
		false, false },
	{ "EDGE 65 MX as far ahead as may be", 2 * DAY, 60, RTLS_TXT_NONE, "",
		NO_POLICY, FETCH_NO, true, false, false },
	{ "EDGE 65 MX from a future clock", 2 * DAY + 1, 60, RTLS_TXT_NONE, "",
		NO_POLICY, FETCH_NO, false, false, false },
	{ "EDGE 65 TXT from a future clock", 60, 2 * DAY + 1, RTLS_TXT_NONE, "",
		NO_POLICY, FETCH_NO, false, false, false },
	{ "A5.4 first contact", 60, 60, RTLS_TXT_VALID, "a", NO_POLICY,
		FETCH_NO, false, false, true },
	{ "A5.1 the policy of that id", 60, 60, RTLS_TXT_VALID, "a", "a", -60,
		60, RTLS_FETCH_OK, "a", 0, true, true, false },
	{ "A5.4 another id", 60, 60, RTLS_TXT_VALID, "b", "a", -60, 60,
		RTLS_FETCH_OK, "a", 0, false, true, true },
	{ "A1.13 ids have a case", 60, 60, RTLS_TXT_VALID, "A", "a", -60, 60,
		RTLS_FETCH_OK, "a", 0, false, true, true },
	{ "A5.1 the policy expired", 60, 60, RTLS_TXT_VALID, "a", "a", -60, -1,
		RTLS_FETCH_OK, "a", 0, false, false, true },
	{ "A5.1 the last second of the policy", 60, 60, RTLS_TXT_VALID, "a",
		"a", -60, 0, RTLS_FETCH_OK, "a", 0, true, true, false },
	{ "A5.11 max_age 0 counts at once", 60, 60, RTLS_TXT_VALID, "a", "a", 0,
		0, RTLS_FETCH_OK, "a", 0, true, true, false },
	{ "A5.11 max_age 0 does not last", 60, 60, RTLS_TXT_VALID, "a", "a", -1,
		-1, RTLS_FETCH_OK, "a", 0, false, false, true },
	{ "A5.3 TXT gone, policy stays", 60, 60, RTLS_TXT_NONE, "", "a", -60,
		60, FETCH_NO, true, true, false },
	{ "A5.3 TXT invalid, policy stays", 60, 60, RTLS_TXT_INVALID, "", "a",
		-60, 60, FETCH_NO, true, true, false },
	{ "A5.3 TXT failed, policy stays", 60, 60, RTLS_TXT_FAILED, "", "a",
		-60, 60, FETCH_NO, true, true, false },
	{ "A2.11 back-off of this id", 60, 60, RTLS_TXT_VALID, "a", NO_POLICY,
		RTLS_FETCH_FAILED, "a", 1, true, false, false },
	{ "A2.11 a fetch that runs is no answer, nor begun again", 60, 60,
		RTLS_TXT_VALID, "a", NO_POLICY, RTLS_FETCH_RUNNING, "a", 60,
		false, false, false },
	{ "EDGE 53 nor while the old policy stays", 60, 60, RTLS_TXT_VALID, "b",
		"a", -60, 60, RTLS_FETCH_RUNNING, "b", 60, false, true, false },
	{ "A2.11 back-off is over", 60, 60, RTLS_TXT_VALID, "a", NO_POLICY,
		RTLS_FETCH_FAILED, "a", 0, false, false, true },
	{ "A2.11 back-off of another id", 60, 60, RTLS_TXT_VALID, "b",
		NO_POLICY, RTLS_FETCH_FAILED, "a", 60, false, false, true },
	{ "EDGE 53 back-off, the old policy stays", 60, 60, RTLS_TXT_VALID, "b",
		"a", -60, 60, RTLS_FETCH_FAILED, "b", 60, true, true, false },
	{ "EDGE 65 back-off from a future clock", 60, 60, RTLS_TXT_VALID, "a",
		NO_POLICY, RTLS_FETCH_FAILED, "a", 2 * DAY + 1, false, false,
		true },
	{ "A2.11 no back-off after success", 60, 60, RTLS_TXT_VALID, "a",
		NO_POLICY, RTLS_FETCH_OK, "a", 60, false, false, true },
	{ "A5.1 a year", 60, 60, RTLS_TXT_NONE, "", "a", 0, YEAR, FETCH_NO,
		true, true, false },
	{ "EDGE 65 fetched a little ahead", 60, 60, RTLS_TXT_NONE, "", "a", DAY,
		DAY + 60, FETCH_NO, true, true, false },
	{ "EDGE 65 fetched in the future", 60, 60, RTLS_TXT_VALID, "a", "a",
		DAY + 1, DAY + 60, FETCH_NO, false, false, true },
};

static void test_age(void **state)
{
	const struct age *row = *state;
	struct rtls_record record = { 0 };

	record.domain = rtls_slice(DOMAIN);
	record.mx_answer = RTLS_MX_NULL;
	record.mx_until_s = NOW + row->mx_until;
	record.txt = row->txt;
	record.txt_id = rtls_slice(row->txt_id);
	record.txt_until_s = NOW + row->txt_until;
	if (row->policy_id[0] != '\0') {
		record.policy_id = rtls_slice(row->policy_id);
		record.policy_fetched_s = NOW + row->fetched;
		record.policy_until_s = NOW + row->until;
		record.policy_digest = rtls_slice(DIGEST);
		record.policy_text = rtls_slice(BODY);
	}
	record.fetch = row->fetch;
	record.fetch_id = rtls_slice(row->fetch_id);
	record.fetch_retry_s = NOW + row->retry;
	check_stable(&record);
	assert_int_equal(rtls_record_is_fresh(&record, NOW), row->fresh);
	assert_int_equal(rtls_record_has_policy(&record, NOW), row->has_policy);
	assert_int_equal(
		rtls_record_wants_fetch(&record, NOW), row->wants_fetch);
}

struct due {
	const char *proves;
	int64_t fetched, until, retry;
	enum rtls_fetch_state fetch;
	bool first, last; /* at the earliest and the latest hour of a domain */
};

#define HOUR 3600

static const struct due dues[] = {
	{ "A5.5 just fetched", -1, YEAR, 0, RTLS_FETCH_OK, false, false },
	{ "A5.5 not after 15 hours", -15 * HOUR, YEAR, 0, RTLS_FETCH_OK, false,
		false },
	{ "A5.5 after 16 hours for some domains", -16 * HOUR, YEAR - DAY, 0,
		RTLS_FETCH_OK, true, false },
	{ "EDGE 57 but not for all at once", -22 * HOUR, YEAR - DAY, 0,
		RTLS_FETCH_OK, true, false },
	{ "A5.5 within a day for all", -23 * HOUR, YEAR - DAY, 0, RTLS_FETCH_OK,
		true, true },
	{ "A5.5 in half the life of a short policy", -HOUR, HOUR, 0,
		RTLS_FETCH_OK, true, true },
	{ "A5.5 and not before", -HOUR + 1, HOUR + 1, 0, RTLS_FETCH_OK, false,
		false },
	{ "A5.1 not when it ran out", -2 * DAY, -1, 0, RTLS_FETCH_OK, false,
		false },
	{ "A2.11 not within a back-off", -2 * DAY, DAY, 1, RTLS_FETCH_FAILED,
		false, false },
	{ "A5.6 again after it", -2 * DAY, DAY, 0, RTLS_FETCH_FAILED, true,
		true },
	{ "EDGE 65 a back-off from a future clock", -2 * DAY, DAY, 3 * DAY,
		RTLS_FETCH_FAILED, true, true },
	{ "EDGE 65 fetched a little ahead", 60, YEAR, 0, RTLS_FETCH_OK, true,
		true },
	{ "EDGE 65 fetched in the future", 2 * DAY, YEAR, 0, RTLS_FETCH_OK,
		false, false },
};

static void test_due(void **state)
{
	const struct due *row = *state;
	struct rtls_record record = { 0 };

	record.domain = rtls_slice(DOMAIN);
	record.policy_text = rtls_slice(BODY);
	record.policy_fetched_s = NOW + row->fetched;
	record.policy_until_s = NOW + row->until;
	record.fetch = row->fetch;
	record.fetch_retry_s = NOW + row->retry;
	assert_int_equal(rtls_record_is_due(&record, 0, NOW), row->first);
	assert_int_equal(
		rtls_record_is_due(&record, 7 * HOUR - 1, NOW), row->last);
	assert_int_equal(
		rtls_record_is_due(&record, 7 * HOUR, NOW), row->first);
	record.policy_text = rtls_slice("");
	assert_false(rtls_record_is_due(&record, 0, NOW));
}

struct spent {
	const char *proves;
	int64_t mx_until, txt_until, policy_until; /* 0: no policy */
	int64_t retry;                             /* 0: no back-off */
	bool spent;
};

static const struct spent spents[] = {
	{ "answers in their time", 60, 60, 0, 0, false },
	{ "answers out of their time, but for less than a day", -60, -60, 0, 0,
		false },
	{ "MX out of its time for a day, TXT not", -DAY, -DAY + 1, 0, 0,
		false },
	{ "all out of their time for a day", -DAY, -DAY, 0, 0, true },
	{ "a policy in force", -DAY, -DAY, 1, 0, false },
	{ "a policy that ran out", -DAY, -DAY, -1, 0, true },
	{ "a back-off", -DAY, -DAY, 0, 60, false },
	{ "EDGE 65 answers from a future clock", 400 * DAY, 400 * DAY, 0, 0,
		true },
	{ "EDGE 65 a back-off from a future clock", -DAY, -DAY, 0, 400 * DAY,
		true },
};

static void test_spent(void **state)
{
	const struct spent *row = *state;
	struct rtls_record record = { 0 };

	record.domain = rtls_slice(DOMAIN);
	record.mx_until_s = NOW + row->mx_until;
	record.txt_until_s = NOW + row->txt_until;
	if (row->policy_until != 0) {
		record.policy_text = rtls_slice(BODY);
		record.policy_fetched_s = NOW - 3 * DAY;
		record.policy_until_s = NOW + row->policy_until;
	}
	if (row->retry != 0) {
		record.fetch = RTLS_FETCH_FAILED;
		record.fetch_retry_s = NOW + row->retry;
	}
	assert_int_equal(rtls_record_is_spent(&record, NOW), row->spent);
}

/* Ids that change back and forth buy no fetch each. */
static void test_earlier(void **state)
{
	static const char *const ids[] = { "a", "b", "c", "d" };
	struct rtls_record record = { .domain = TEXT(DOMAIN),
		.txt = RTLS_TXT_VALID,
		.txt_id = TEXT("e"),
		.fetch = RTLS_FETCH_FAILED,
		.fetch_id = TEXT("x"),
		.fetch_retry_s = NOW + 60 };
	struct rtls_text text;
	char buffer[1024];

	(void)state;
	assert_true(rtls_record_wants_fetch(&record, NOW));
	for (size_t i = 0; i < COUNT(ids); i++) {
		assert_true(rtls_record_wants_fetch(&record, NOW));
		record.earlier[record.earlier_count++] =
			(struct rtls_earlier){ rtls_slice(ids[i]), NOW + 60 };
		record.txt_id = rtls_slice(ids[i]);
		assert_false(rtls_record_wants_fetch(&record, NOW));
		record.txt_id = rtls_slice("e");
	}
	/* So many failed that one more could not be remembered. */
	assert_false(rtls_record_wants_fetch(&record, NOW));
	record.earlier[2].retry_s = NOW;
	assert_true(rtls_record_wants_fetch(&record, NOW));
	record.txt_id = rtls_slice("c");
	assert_true(rtls_record_wants_fetch(&record, NOW));
	record.txt_id = rtls_slice("A");
	assert_true(rtls_record_wants_fetch(&record, NOW));
	/* EDGE 65: from a future clock. */
	record.earlier[0].retry_s = NOW + 2 * DAY + 1;
	record.txt_id = rtls_slice("a");
	assert_true(rtls_record_wants_fetch(&record, NOW));
	record.earlier_count = RTLS_EARLIER_MAX + 1;
	rtls_text_init(&text, buffer, sizeof(buffer));
	assert_int_equal(rtls_record_format(&record, &text), RTLS_BUG);
}

static void test_nothing_known(void **state)
{
	const struct rtls_record record = { 0 };

	(void)state;
	assert_false(rtls_record_is_fresh(&record, NOW));
	assert_false(rtls_record_has_policy(&record, NOW));
	assert_false(rtls_record_wants_fetch(&record, NOW));
	assert_false(rtls_record_is_due(&record, 0, NOW));
	assert_true(rtls_record_is_spent(&record, NOW));
	assert_null(rtls_record_mx(&record, rtls_slice("a.example")));
}

static void test_mx(void **state)
{
	struct rtls_record record;

	(void)state;
	assert_int_equal(
		rtls_record_parse(rtls_slice(FULL), DOMAIN, &record, NULL),
		RTLS_OK);
	assert_ptr_equal(
		rtls_record_mx(&record, rtls_slice("mx1.enforce.example")),
		&record.mx[0]);
	assert_ptr_equal(
		rtls_record_mx(&record, rtls_slice("MX2.enforce.example")),
		&record.mx[1]);
	assert_null(rtls_record_mx(&record, rtls_slice("mx.enforce.example")));
	assert_null(rtls_record_mx(&record, rtls_slice("")));
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_parse, rows);
	check_add(&suite, "each field at its place", test_fields, NULL);
	check_add(&suite, "counts and lengths are capped", test_limits, NULL);
	check_add(
		&suite, "callers that break the contract", test_contract, NULL);
	CHECK_TABLE(&suite, test_age, ages);
	CHECK_TABLE(&suite, test_due, dues);
	CHECK_TABLE(&suite, test_spent, spents);
	check_add(&suite, "A2.11 earlier ids keep their back-off", test_earlier,
		NULL);
	check_add(&suite, "nothing known", test_nothing_known, NULL);
	check_add(&suite, "find a host", test_mx, NULL);
	return check_run(&suite, "record");
}
