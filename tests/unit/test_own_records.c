/* test_own_records.c - SPF, DKIM and DMARC records of a domain of one's own. */
#include <stdio.h>

#include "check.h"
#include "policy/dkim_record.h"
#include "policy/dmarc.h"
#include "policy/spf.h"
#include "policy/tag_list.h"

/* --- SPF ---------------------------------------------------------------------------- */

struct spf_row {
	const char *proves;
	struct rtls_slice text;
	enum rtls_status status;
	enum rtls_spf_all all;
	unsigned lookups;
};

#define NOTHING 0, 0

static const struct spf_row spf_rows[] = {
	{ "usual", TEXT("v=spf1 mx a:mail.example include:_spf.example -all"),
		RTLS_OK, RTLS_SPF_ALL_FAIL, 3 },
	{ "addresses ask nobody",
		TEXT("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all"), RTLS_OK,
		RTLS_SPF_ALL_SOFTFAIL, 0 },
	{ "one address", TEXT("v=spf1 ip4:192.0.2.1 ?all"), RTLS_OK,
		RTLS_SPF_ALL_NEUTRAL, 0 },
	{ "no qualifier is +", TEXT("v=spf1 all"), RTLS_OK, RTLS_SPF_ALL_PASS,
		0 },
	{ "the first all counts", TEXT("v=spf1 -all +all"), RTLS_OK,
		RTLS_SPF_ALL_FAIL, 0 },
	{ "nothing sends", TEXT("v=spf1 -all"), RTLS_OK, RTLS_SPF_ALL_FAIL, 0 },
	{ "empty", TEXT("v=spf1"), RTLS_OK, RTLS_SPF_ALL_MISSING, 0 },
	{ "case and blanks", TEXT("V=SPF1  MX   -ALL "), RTLS_OK,
		RTLS_SPF_ALL_FAIL, 1 },
	{ "redirect asks", TEXT("v=spf1 redirect=_spf.example"), RTLS_OK,
		RTLS_SPF_ALL_MISSING, 1 },
	{ "macros", TEXT("v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d2} -all"),
		RTLS_OK, RTLS_SPF_ALL_FAIL, 1 },
	{ "prefixes of both kinds",
		TEXT("v=spf1 a/24//64 mx//48 a:x.example/8"), RTLS_OK,
		RTLS_SPF_ALL_MISSING, 3 },
	{ "other modifiers", TEXT("v=spf1 exp=why.example x-y=%% -all"),
		RTLS_OK, RTLS_SPF_ALL_FAIL, 0 },
	{ "another version", TEXT("v=spf10 -all"), RTLS_NONE, NOTHING },
	{ "another record", TEXT("google-site-verification=x"), RTLS_NONE,
		NOTHING },
	{ "nothing", TEXT(""), RTLS_NONE, NOTHING },
	{ "an include without colon", TEXT("v=spf1 include/x.example -all"),
		RTLS_INVALID, NOTHING },
	{ "an unknown mechanism", TEXT("v=spf1 ipv4:192.0.2.1 -all"),
		RTLS_INVALID, NOTHING },
	{ "a dash that is none",
		TEXT("v=spf1 \xe2\x80\x93"
		     "all"),
		RTLS_INVALID, NOTHING },
	{ "an address that is none", TEXT("v=spf1 ip4:192.0.2.300 -all"),
		RTLS_INVALID, NOTHING },
	{ "a prefix too long", TEXT("v=spf1 ip4:192.0.2.0/33 -all"),
		RTLS_INVALID, NOTHING },
	{ "a prefix that is none", TEXT("v=spf1 ip4:192.0.2.0/ -all"),
		RTLS_INVALID, NOTHING },
	{ "IPv6 as IPv4", TEXT("v=spf1 ip4:2001:db8::1 -all"), RTLS_INVALID,
		NOTHING },
	{ "include of nothing", TEXT("v=spf1 include: -all"), RTLS_INVALID,
		NOTHING },
	{ "include without a name", TEXT("v=spf1 include -all"), RTLS_INVALID,
		NOTHING },
	{ "all with a name", TEXT("v=spf1 -all:x"), RTLS_INVALID, NOTHING },
	{ "a of nothing", TEXT("v=spf1 a: -all"), RTLS_INVALID, NOTHING },
	{ "half a prefix", TEXT("v=spf1 a/24/ -all"), RTLS_INVALID, NOTHING },
	{ "redirect twice", TEXT("v=spf1 redirect=a.b redirect=c.d"),
		RTLS_INVALID, NOTHING },
	{ "a macro that is none", TEXT("v=spf1 exists:%{x}.a -all"),
		RTLS_INVALID, NOTHING },
	{ "a macro without its end", TEXT("v=spf1 exists:%{d -all"),
		RTLS_INVALID, NOTHING },
	{ "a qualifier alone", TEXT("v=spf1 -"), RTLS_INVALID, NOTHING },
	{ "a comma", TEXT("v=spf1 mx, -all"), RTLS_INVALID, NOTHING },
};

static void test_spf(void **state)
{
	const struct spf_row *row = *state;
	struct rtls_err err = { "" };
	struct rtls_spf record;

	check_touch_not(&record, sizeof(record));
	assert_int_equal(rtls_spf_parse(row->text, &record, &err), row->status);
	if (row->status == RTLS_OK) {
		assert_int_equal(record.all, row->all);
		assert_int_equal(record.lookups, row->lookups);
	} else {
		assert_true(check_is_untouched(&record, sizeof(record)));
	}
	if (row->status == RTLS_INVALID)
		check_err(&err, "not a term of SPF");
	for (size_t size = 0; size < row->text.size; size++) {
		char *copy = check_copy(row->text, size);
		enum rtls_status status =
			rtls_spf_parse(rtls_slice_n(copy, size), &record, NULL);

		assert_true(status <= RTLS_INVALID);
		free(copy);
	}
}

static void test_spf_marks(void **state)
{
	struct rtls_spf record;

	(void)state;
	assert_int_equal(
		rtls_spf_parse(rtls_slice("v=spf1 ptr -all mx"), &record, NULL),
		RTLS_OK);
	assert_true(record.has_ptr && record.has_more && !record.has_redirect);
	assert_int_equal(
		rtls_spf_parse(rtls_slice("v=spf1 mx redirect=a.b -all"),
			&record, NULL),
		RTLS_OK);
	assert_true(!record.has_ptr && !record.has_more && record.has_redirect);
}

/* --- tag lists, DKIM, DMARC ------------------------------------------------------------ */

enum kind {
	DKIM,
	DMARC,
};

struct row {
	const char *proves;
	struct rtls_slice text;
	enum kind kind;
	enum rtls_status status;
	const char
		*found; /* key, or policy and percent, or words of the error */
};

static const struct row rows[] = {
	{ "a key", TEXT("v=DKIM1; k=rsa; p=MIGf+/w=="), DKIM, RTLS_OK,
		"rsa MIGf+/w== tlsrpt" },
	{ "defaults", TEXT("p=AAAA"), DKIM, RTLS_OK, "rsa AAAA tlsrpt" },
	{ "Ed25519", TEXT("v=DKIM1;k=ed25519;p=AAAA;"), DKIM, RTLS_OK,
		"ed25519 AAAA tlsrpt" },
	{ "revoked", TEXT("v=DKIM1; p="), DKIM, RTLS_OK, "rsa  tlsrpt" },
	{ "testing", TEXT("v=DKIM1; t=s : y; p=AAAA"), DKIM, RTLS_OK,
		"rsa AAAA testing tlsrpt" },
	{ "for mail only", TEXT("v=DKIM1; s=email; p=AAAA"), DKIM, RTLS_OK,
		"rsa AAAA" },
	{ "for reports only", TEXT("v=DKIM1; s=tlsrpt; p=AAAA"), DKIM, RTLS_OK,
		"rsa AAAA nomail tlsrpt" },
	{ "blanks in the key", TEXT("p=AA AA\tAA"), DKIM, RTLS_OK,
		"rsa AA AA\tAA tlsrpt" },
	{ "v not at the front", TEXT("p=AAAA; v=DKIM1"), DKIM, RTLS_INVALID,
		"v must come first" },
	{ "another version", TEXT("v=DKIM2; p=AAAA"), DKIM, RTLS_INVALID,
		"v must come first and be DKIM1" },
	{ "no key", TEXT("v=DKIM1; k=rsa"), DKIM, RTLS_INVALID,
		"p is missing" },
	{ "not base64", TEXT("v=DKIM1; p=AA-AA"), DKIM, RTLS_INVALID,
		"p must be base64" },
	{ "another kind", TEXT("v=DKIM1; k=dsa; p=AAAA"), DKIM, RTLS_INVALID,
		"k must be" },
	{ "quotes left in", TEXT("\"v=DKIM1; p=AAAA\""), DKIM, RTLS_INVALID,
		"expected \"name=value\"" },
	{ "a tag twice", TEXT("p=AAAA; p=BBBB"), DKIM, RTLS_INVALID,
		"a tag twice" },
	{ "an empty tag", TEXT("v=DKIM1;; p=AAAA"), DKIM, RTLS_INVALID,
		"an empty tag" },
	{ "no \"=\"", TEXT("v=DKIM1; p"), DKIM, RTLS_INVALID,
		"expected \"name=value\"" },
	{ "a control character", TEXT("p=AA\x1b"), DKIM, RTLS_INVALID,
		"\\x1b" },
	{ "nothing", TEXT(""), DKIM, RTLS_INVALID, "p is missing" },
	{ "a policy",
		TEXT("v=DMARC1; p=reject; rua=mailto:d@a.example; pct=50"),
		DMARC, RTLS_OK, "reject 50 mailto:d@a.example" },
	{ "defaults", TEXT("v=DMARC1;p=none"), DMARC, RTLS_OK, "none 100 " },
	{ "case", TEXT("v=DMARC1; p=Quarantine; x=y; adkim=S"), DMARC, RTLS_OK,
		"quarantine 100 " },
	{ "blanks", TEXT("v = DMARC1 ; p = none ;"), DMARC, RTLS_OK,
		"none 100 " },
	{ "another record", TEXT("v=spf1 -all"), DMARC, RTLS_NONE, NULL },
	{ "v not at the front", TEXT("p=none; v=DMARC1"), DMARC, RTLS_NONE,
		NULL },
	{ "no policy", TEXT("v=DMARC1; rua=mailto:a@b.example"), DMARC,
		RTLS_INVALID, "p is missing" },
	{ "no such policy", TEXT("v=DMARC1; p=block"), DMARC, RTLS_INVALID,
		"p must be" },
	{ "no such policy below", TEXT("v=DMARC1; p=none; sp=x"), DMARC,
		RTLS_INVALID, "sp must be" },
	{ "more than all", TEXT("v=DMARC1; p=none; pct=101"), DMARC,
		RTLS_INVALID, "pct must be" },
	{ "no such alignment", TEXT("v=DMARC1; p=none; aspf=x"), DMARC,
		RTLS_INVALID, "adkim and aspf" },
	{ "commas for semicolons", TEXT("v=DMARC1; p=none, rua=x"), DMARC,
		RTLS_INVALID, "p must be" },
};

static void show_dkim(
	const struct rtls_dkim_record *key, char *out, size_t size)
{
	(void)snprintf(out, size, "%s %.*s%s%s%s",
		key->type == RTLS_DKIM_RSA ? "rsa" : "ed25519",
		(int)key->key.size, key->key.data,
		key->is_testing ? " testing" : "",
		key->has_mail ? "" : " nomail",
		key->has_tlsrpt ? " tlsrpt" : "");
}

static enum rtls_status parse(enum kind kind, struct rtls_slice text, char *out,
	size_t size, struct rtls_err *err)
{
	struct rtls_dkim_record key;
	struct rtls_dmarc record;
	enum rtls_status status =
		kind == DKIM ? rtls_dkim_record_parse(text, &key, err)
			     : rtls_dmarc_parse(text, &record, err);

	if (status != RTLS_OK)
		return status;
	if (kind == DKIM)
		show_dkim(&key, out, size);
	else
		(void)snprintf(out, size, "%s %u %.*s",
			rtls_dmarc_policy_name(record.policy), record.percent,
			(int)record.rua.size,
			record.rua.size > 0 ? record.rua.data : "");
	return status;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct rtls_err err = { "" };
	char found[256];

	assert_int_equal(
		parse(row->kind, row->text, found, sizeof(found), &err),
		row->status);
	if (row->status == RTLS_OK)
		assert_string_equal(found, row->found);
	else if (row->status == RTLS_INVALID)
		check_err(&err, row->found);
	for (size_t size = 0; size < row->text.size; size++) {
		char *copy = check_copy(row->text, size);

		(void)parse(row->kind, rtls_slice_n(copy, size), found,
			sizeof(found), NULL);
		free(copy);
	}
}

static void test_many_tags(void **state)
{
	char text[512];
	struct rtls_tag_list list;
	size_t size = 0;

	(void)state;
	for (unsigned i = 0; i <= RTLS_TAGS_MAX; i++) {
		assert_int_equal(rtls_tag_list_parse(
					 rtls_slice_n(text, size), &list, NULL),
			RTLS_OK);
		assert_int_equal(list.count, i);
		size += (size_t)snprintf(
			text + size, sizeof(text) - size, "a%u=;", i);
	}
	assert_int_equal(
		rtls_tag_list_parse(rtls_slice_n(text, size), &list, NULL),
		RTLS_INVALID);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_spf, spf_rows);
	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "marks of an SPF record", test_spf_marks, NULL);
	check_add(&suite, "too many tags", test_many_tags, NULL);
	return check_run(&suite, "own_records");
}
