/* test_publication.c - what is published: texts that our own parsers take, ids that grow, and the
 * mistakes that are warned of. */
#include <stdio.h>

#include "check.h"
#include "policy/tlsrpt_record.h"
#include "policy/txt.h"
#include "tool/publication.h"

#define NOW_S 1795600000 /* 2026-11-25T09:46:40Z */

/* --- what is said on the command line ------------------------------------------------- */

struct mx_row {
	const char *proves;
	const char *text;
	const char *wanted; /* NULL: refused, */
	const char *why;    /* with these words */
};

static const struct mx_row mx_rows[] = {
	{ "a name", "MX1.Example.org.", "mx1.example.org", NULL },
	{ "a wildcard", "*.mail.example.org", "*.mail.example.org", NULL },
	{ "U-labels",
		"mx.b\xc3\xbc"
		"cher.example",
		"mx.xn--bcher-kva.example", NULL },
	{ "an address", "192.0.2.1", NULL, "is an address" },
	{ "an IPv6 address", "2001:db8::1", NULL, "is an address" },
	{ "a literal", "[192.0.2.1]", NULL, "is an address" },
	{ "a wildcard inside", "mx.*.example.org", NULL, "neither" },
	{ "part of a label", "mx*.example.org", NULL, "neither" },
	{ "everything", "*", NULL, "neither" },
	{ "behind a wildcard nothing", "*.", NULL, "neither" },
	{ "an underscore", "mx_1.example.org", NULL, "neither" },
	{ "nothing", "", NULL, "neither" },
	{ "a line break", "mx.example.org\nmx: evil", NULL, "neither" },
};

static void test_mx(void **state)
{
	const struct mx_row *row = *state;
	char out[RTLS_DOMAIN_SIZE];
	struct rtls_err err = { "" };
	enum rtls_status status =
		rtls_publication_mx(rtls_slice(row->text), out, &err);

	assert_int_equal(status, row->wanted == NULL ? RTLS_INVALID : RTLS_OK);
	if (row->wanted != NULL)
		assert_string_equal(out, row->wanted);
	else
		check_err(&err, row->why);
}

struct age_row {
	const char *proves;
	const char *text;
	bool valid;
	unsigned long seconds;
};

static const struct age_row ages[] = {
	{ "seconds", "86400", true, 86400 },
	{ "seconds with a unit", "60s", true, 60 },
	{ "minutes", "90m", true, 5400 },
	{ "hours", "12h", true, 43200 },
	{ "days", "7d", true, 604800 },
	{ "weeks", "2w", true, 1209600 },
	{ "zero", "0", true, 0 },
	{ "the most", "31557600", true, 31557600 },
	{ "too much", "31557601", false, 0 },
	{ "too many days", "366d", false, 0 },
	{ "overflow", "99999999999999999999w", false, 0 },
	{ "a unit alone", "d", false, 0 },
	{ "another unit", "1y", false, 0 },
	{ "a sign", "-1", false, 0 },
	{ "nothing", "", false, 0 },
};

static void test_age(void **state)
{
	const struct age_row *row = *state;
	unsigned long seconds = 0;

	assert_int_equal(
		rtls_publication_max_age(rtls_slice(row->text), &seconds),
		row->valid);
	assert_int_equal(seconds, row->seconds);
}

/* --- ids ---------------------------------------------------------------------------------- */

static const struct {
	const char *live;
	const char *wanted;
} ids[] = {
	{ "", "20261125094640" },
	{ "20261101a", "20261125094640" },
	{ "20261125094639", "20261125094640" },
	{ "20261125094640", "20261125094641" },
	{ "20991231235959", "20991231235960" },
	{ "99999999999999", "20261125094640" },
	{ "2026112509464", "20261125094640" },
	{ "a", "20261125094640" },
};

static void test_ids(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++) {
		char id[RTLS_STS_ID_MAX + 1];

		rtls_publication_id(NOW_S, rtls_slice(ids[i].live), id);
		assert_string_equal(id, ids[i].wanted);
		assert_string_not_equal(id, ids[i].live);
	}
}

/* --- round trips ------------------------------------------------------------------------ */

static struct rtls_publication some(enum rtls_sts_mode mode)
{
	struct rtls_publication publication = { .domain = "example.org",
		.mode = mode,
		.max_age_s = 1209600,
		.mx_count = 2,
		.mx = { "mx1.example.org", "*.mail.example.org" },
		.rua_count = 2,
		.id = "20261125094640" };

	assert_int_equal(rtls_rua_parse(rtls_slice("mailto:tlsrpt@example.org"),
				 &publication.rua[0], NULL),
		RTLS_OK);
	assert_int_equal(
		rtls_rua_parse(rtls_slice("https://reports.example.org/x"),
			&publication.rua[1], NULL),
		RTLS_OK);
	return publication;
}

static void test_policy(void **state)
{
	static const enum rtls_sts_mode modes[] = { RTLS_STS_NONE,
		RTLS_STS_TESTING, RTLS_STS_ENFORCE };
	static struct rtls_sts_policy policy;

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		const struct rtls_publication publication = some(modes[i]);
		char buffer[1024];
		struct rtls_text text;

		rtls_text_init(&text, buffer, sizeof(buffer));
		rtls_publication_policy(&publication, &text);
		assert_int_equal(rtls_sts_policy_parse(
					 rtls_text_slice(&text), &policy, NULL),
			RTLS_OK);
		assert_int_equal(policy.mode, modes[i]);
		assert_int_equal(policy.max_age_s, 1209600);
		assert_int_equal(policy.mx_count, 2);
		check_slice(policy.mx[1], "*.mail.example.org");
		for (size_t at = 0; at < text.size; at++)
			assert_true(
				buffer[at] != '\n' || buffer[at - 1] == '\r');
	}
}

/* A line of the zone as a record is read again. */
static struct rtls_slice value_of(
	struct rtls_slice line, const char *owner, char *out, size_t out_size)
{
	struct rtls_slice value = { 0 };

	assert_true(rtls_slice_starts(line, owner));
	(void)rtls_slice_take(&line, '"');
	assert_int_equal(
		rtls_txt_join(rtls_slice_n(line.data - 1, line.size + 1), out,
			out_size, &value, NULL),
		RTLS_OK);
	return value;
}

static void test_zone(void **state)
{
	struct rtls_publication publication = some(RTLS_STS_ENFORCE);
	static char buffer[8192], joined[4096];
	struct rtls_text text;
	struct rtls_slice rest, line;
	struct rtls_sts_record sts;
	struct rtls_tlsrpt_record tlsrpt;
	size_t size;

	(void)state;
	/* Longer than a string of a TXT record may be. */
	size = strlen(publication.rua[1].uri);
	memset(publication.rua[1].uri + size, 'x', 400);
	publication.rua[1].uri[size + 400] = '\0';
	rtls_text_init(&text, buffer, sizeof(buffer));
	rtls_publication_zone(&publication, &text);
	rest = rtls_text_slice(&text);
	assert_true(rtls_slice_line(&rest, &line));
	assert_int_equal(
		rtls_sts_record_parse(
			value_of(line, "_mta-sts.example.org. 3600 IN TXT \"v=",
				joined, sizeof(joined)),
			&sts, NULL),
		RTLS_OK);
	check_slice(sts.id, "20261125094640");
	assert_true(rtls_slice_line(&rest, &line));
	assert_int_equal(
		rtls_tlsrpt_record_parse(
			value_of(line,
				"_smtp._tls.example.org. 3600 IN TXT \"v=",
				joined, sizeof(joined)),
			&tlsrpt, NULL),
		RTLS_OK);
	assert_int_equal(tlsrpt.rua_count, 2);
	check_slice(tlsrpt.rua[0], "mailto:tlsrpt@example.org");
	check_slice(tlsrpt.rua[1], publication.rua[1].uri);
	assert_int_equal(rest.size, 0);
	publication.rua_count = 0;
	rtls_text_init(&text, buffer, sizeof(buffer));
	rtls_publication_zone(&publication, &text);
	assert_null(strstr(buffer, "_smtp._tls"));
}

static void test_directories(void **state)
{
	(void)state;
	assert_true(rtls_publication_is_directory("/var/www/mta-sts_1.x"));
	assert_false(rtls_publication_is_directory("var/www"));
	assert_false(rtls_publication_is_directory(""));
	assert_false(rtls_publication_is_directory("/var/w w"));
	assert_false(rtls_publication_is_directory("/var/www;"));
	assert_false(rtls_publication_is_directory("/var/www\n}"));
	assert_false(rtls_publication_is_directory("/var/$host"));
}

/* --- advice ------------------------------------------------------------------------------- */

enum live {
	NOTHING,
	LIVE_TESTING,
	LIVE_ENFORCE,
	LIVE_NONE
};

struct advice_row {
	const char *proves;
	enum rtls_sts_mode mode;
	unsigned max_age_s;
	const char *mx;   /* one pattern */
	const char *rua;  /* NULL: none */
	const char *host; /* the one MX host there is; NULL: failed */
	enum live live;
	enum rtls_dns_outcome name; /* of the pattern */
	bool cname;
	enum rtls_dns_outcome policy_host;
	const char *wanted; /* "kind kind ", or with words of the text */
};

#define RUA   "mailto:x@example.org"
#define WEEK  604800
#define FOUND RTLS_DNS_FOUND

static const struct advice_row advices[] = {
	{ "all is well", RTLS_STS_TESTING, WEEK, "mx.example.org", RUA,
		"mx.example.org", NOTHING, FOUND, false, FOUND, "" },
	{ "enforce after testing", RTLS_STS_ENFORCE, WEEK, "mx.example.org",
		RUA, "mx.example.org", LIVE_TESTING, FOUND, false, FOUND, "" },
	{ "enforce again", RTLS_STS_ENFORCE, WEEK, "mx.example.org", RUA,
		"mx.example.org", LIVE_ENFORCE, FOUND, false, FOUND, "" },
	{ "enforce at once", RTLS_STS_ENFORCE, WEEK, "mx.example.org", RUA,
		"mx.example.org", NOTHING, FOUND, false, FOUND, "mode " },
	{ "testing after enforce", RTLS_STS_TESTING, WEEK, "mx.example.org",
		RUA, "mx.example.org", LIVE_ENFORCE, FOUND, false, FOUND,
		"mode " },
	{ "enforce after none", RTLS_STS_ENFORCE, WEEK, "mx.example.org", RUA,
		"mx.example.org", LIVE_NONE, FOUND, false, FOUND, "mode " },
	{ "the end of it", RTLS_STS_NONE, 86400, "mx.example.org", RUA,
		"mx.example.org", LIVE_ENFORCE, FOUND, false, FOUND, "mode " },
	{ "short, of enforce", RTLS_STS_ENFORCE, WEEK - 1, "mx.example.org",
		RUA, "mx.example.org", LIVE_TESTING, FOUND, false, FOUND,
		"max-age " },
	{ "short, of testing", RTLS_STS_TESTING, 86399, "mx.example.org", RUA,
		"mx.example.org", NOTHING, FOUND, false, FOUND, "max-age " },
	{ "a day of testing", RTLS_STS_TESTING, 86400, "mx.example.org", RUA,
		"mx.example.org", NOTHING, FOUND, false, FOUND, "" },
	{ "a wildcard of the domain", RTLS_STS_TESTING, WEEK, "*.example.org",
		RUA, "mx.example.org", NOTHING, FOUND, false, FOUND,
		"wildcard " },
	{ "one above it", RTLS_STS_TESTING, WEEK, "*.org", RUA, "example.org",
		NOTHING, FOUND, false, FOUND, "wildcard " },
	{ "one of mail hosts", RTLS_STS_TESTING, WEEK, "*.mail.example.org",
		RUA, "a.mail.example.org", NOTHING, FOUND, false, FOUND, "" },
	{ "an MX host that is left out", RTLS_STS_TESTING, WEEK, "b.example",
		RUA, "mx.example.org", NOTHING, FOUND, false, FOUND, "mx mx " },
	{ "MX hosts not to be seen", RTLS_STS_TESTING, WEEK, "b.example", RUA,
		NULL, NOTHING, FOUND, false, FOUND, "mx " },
	{ "a CNAME", RTLS_STS_TESTING, WEEK, "mx.example.org", RUA,
		"mx.example.org", NOTHING, FOUND, true, FOUND, "mx " },
	{ "no address", RTLS_STS_TESTING, WEEK, "mx.example.org", RUA,
		"mx.example.org", NOTHING, RTLS_DNS_NODATA, false, FOUND,
		"mx " },
	{ "no policy host", RTLS_STS_TESTING, WEEK, "mx.example.org", RUA,
		"mx.example.org", NOTHING, FOUND, false, RTLS_DNS_NXDOMAIN,
		"host " },
	{ "a policy host not to be seen", RTLS_STS_TESTING, WEEK,
		"mx.example.org", RUA, "mx.example.org", NOTHING, FOUND, false,
		RTLS_DNS_FAILED, "host " },
	{ "nobody is told", RTLS_STS_TESTING, WEEK, "mx.example.org", NULL,
		"mx.example.org", NOTHING, FOUND, false, FOUND, "rua " },
	{ "others are told", RTLS_STS_TESTING, WEEK, "mx.example.org",
		"mailto:x@badexample.org", "mx.example.org", NOTHING, FOUND,
		false, FOUND, "rua " },
	{ "others are told by HTTPS", RTLS_STS_TESTING, WEEK, "mx.example.org",
		"https://example.org.evil.example:443/example.org",
		"mx.example.org", NOTHING, FOUND, false, FOUND, "rua " },
	{ "one's own hosts are told", RTLS_STS_TESTING, WEEK, "mx.example.org",
		"https://R.example.org:8443/x", "mx.example.org", NOTHING,
		FOUND, false, FOUND, "" },
};

static void set_live(enum live live, struct rtls_published *looked)
{
	looked->has_policy = live != NOTHING;
	looked->policy.max_age_s = WEEK;
	looked->policy.mode = live == LIVE_TESTING   ? RTLS_STS_TESTING
			      : live == LIVE_ENFORCE ? RTLS_STS_ENFORCE
						     : RTLS_STS_NONE;
}

static void test_advice(void **state)
{
	const struct advice_row *row = *state;
	static struct rtls_published looked;
	static struct rtls_advice advice;
	struct rtls_publication publication = { .domain = "example.org",
		.mode = row->mode,
		.max_age_s = row->max_age_s,
		.mx_count = 1,
		.rua_count = row->rua != NULL };
	char kinds[256];
	struct rtls_text text;

	memset(&looked, 0, sizeof(looked));
	memset(&advice, 0, sizeof(advice));
	(void)snprintf(publication.mx[0], RTLS_DOMAIN_SIZE, "%s", row->mx);
	if (row->rua != NULL)
		assert_int_equal(rtls_rua_parse(rtls_slice(row->rua),
					 &publication.rua[0], NULL),
			RTLS_OK);
	set_live(row->live, &looked);
	looked.mx = row->host == NULL ? RTLS_MX_FAILED : RTLS_MX_HOSTS;
	looked.mx_count = row->host != NULL;
	(void)snprintf(looked.mx_host[0], RTLS_DOMAIN_SIZE, "%s",
		row->host == NULL ? "" : row->host);
	looked.name_count = 1;
	looked.name[0].outcome = row->name;
	looked.name[0].is_cname = row->cname;
	looked.policy_host.outcome = row->policy_host;
	rtls_publication_advise(&publication, &looked, &advice);
	rtls_text_init(&text, kinds, sizeof(kinds));
	for (size_t i = 0; i < advice.count; i++)
		rtls_text_printf(&text, "%s ", advice.item[i].kind);
	assert_string_equal(kinds, row->wanted);
}

/* What is there already needs no new id, and no rua. */
static void test_again(void **state)
{
	static struct rtls_published looked;
	static struct rtls_advice advice;
	struct rtls_publication publication = { .domain = "example.org",
		.mode = RTLS_STS_ENFORCE,
		.max_age_s = WEEK,
		.mx_count = 1,
		.mx = { "mx.example.org" } };

	(void)state;
	set_live(LIVE_ENFORCE, &looked);
	looked.mx = RTLS_MX_HOSTS;
	looked.mx_count = 1;
	(void)snprintf(looked.mx_host[0], RTLS_DOMAIN_SIZE, "mx.example.org");
	looked.policy.mx_count = 1;
	looked.policy.mx[0] = rtls_slice("MX.example.org");
	looked.policy_host.outcome = RTLS_DNS_FOUND;
	looked.sts.state = looked.tlsrpt.state = RTLS_TXT_VALID;
	rtls_publication_advise(&publication, &looked, &advice);
	assert_int_equal(advice.count, 1);
	assert_string_equal(advice.item[0].kind, "id");
	looked.policy.mx[0] = rtls_slice("mx2.example.org");
	advice.count = 0;
	rtls_publication_advise(&publication, &looked, &advice);
	assert_int_equal(advice.count, 0);
}

static void test_much_advice(void **state)
{
	static struct rtls_advice advice;

	(void)state;
	for (size_t i = 0; i < 2 * RTLS_ADVICE_MAX; i++)
		rtls_advice_add(&advice, "x", "%zu", i);
	assert_int_equal(advice.count, RTLS_ADVICE_MAX);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_mx, mx_rows);
	CHECK_TABLE(&suite, test_age, ages);
	check_add(&suite, "ids grow", test_ids, NULL);
	check_add(&suite, "policies: round trip", test_policy, NULL);
	check_add(&suite, "records: round trip", test_zone, NULL);
	check_add(&suite, "directories", test_directories, NULL);
	CHECK_TABLE(&suite, test_advice, advices);
	check_add(&suite, "the same again", test_again, NULL);
	check_add(&suite, "much advice", test_much_advice, NULL);
	return check_run(&suite, "publication");
}
