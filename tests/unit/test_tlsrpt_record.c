/* test_tlsrpt_record.c - RFC 8460 section 3, items B1.* of the checklist. */
#include <stdio.h>

#include "check.h"
#include "policy/text.h"
#include "policy/tlsrpt_record.h"

struct row {
	const char *proves;
	struct rtls_slice text;
	enum rtls_status status;
	const char *detail; /* the URIs with blanks between, or the reason */
};

#define V   "v=TLSRPTv1; "
#define R   V "rua="
#define M   "mailto:a@b.example"
#define H   "https://b.example/r"
#define N32 "x2345678901234567890123456789012"

static const struct row rows[] = {
	/* what is ours at all */
	{ "B1.2 the RFC's mail example",
		TEXT("v=TLSRPTv1;rua=mailto:reports@example.com"), RTLS_OK,
		"mailto:reports@example.com" },
	{ "B1.2 the RFC's https example",
		TEXT("v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt"),
		RTLS_OK, "https://reporting.example.com/v1/tlsrpt" },
	{ "B1.2 version 2", TEXT("v=TLSRPTv2; rua=" M), RTLS_NONE, NULL },
	{ "B1.2 version 10", TEXT("v=TLSRPTv10; rua=" M), RTLS_NONE, NULL },
	{ "B1.2 case: V=", TEXT("V=TLSRPTv1; rua=" M), RTLS_NONE, NULL },
	{ "B1.2 case: TLSRPTV1", TEXT("v=TLSRPTV1; rua=" M), RTLS_NONE, NULL },
	{ "B1.2 version not first", TEXT("rua=" M "; v=TLSRPTv1"), RTLS_NONE,
		NULL },
	{ "B1.2 leading blank", TEXT(" " R M), RTLS_NONE, NULL },
	{ "B1.2 empty record", TEXT(""), RTLS_NONE, NULL },
	{ "B1.2 some other record", TEXT("v=STSv1; id=1"), RTLS_NONE, NULL },
	{ "B1.2 field glued to the version", TEXT("v=TLSRPTv1rua=" M),
		RTLS_NONE, NULL },

	/* delimiters */
	{ "B1.2 the last ; is optional", TEXT(R M ";"), RTLS_OK, M },
	{ "B1.2 blanks and tabs around every ;",
		TEXT("v=TLSRPTv1 \t;\t rua=" M " \t; \t"), RTLS_OK, M },
	{ "B1.2 doubled ;", TEXT(R M ";;"), RTLS_INVALID, "name=value" },
	{ "B1.2 doubled ; behind the version", TEXT("v=TLSRPTv1;;rua=" M),
		RTLS_INVALID, "name=value" },
	{ "B1.2 blank at the end without ;", TEXT(R M " "), RTLS_INVALID,
		"name=value" },
	{ "B1.2 version alone", TEXT("v=TLSRPTv1"), RTLS_INVALID,
		"expected \";\"" },
	{ "B1.2 blank instead of ;", TEXT("v=TLSRPTv1 rua=" M), RTLS_INVALID,
		"expected \";\"" },

	/* rua */
	{ "B1.3 rua is missing", TEXT("v=TLSRPTv1;"), RTLS_INVALID,
		"rua is missing" },
	{ "B1.3 rua is missing, other fields", TEXT(V "a=b"), RTLS_INVALID,
		"rua is missing" },
	{ "B1.3 the key is case-sensitive", TEXT(V "RUA=x"), RTLS_INVALID,
		"rua is missing" },
	{ "B1.3 empty rua", TEXT(R), RTLS_INVALID, "rua must be" },
	{ "B1.3 empty rua with ;", TEXT(R ";"), RTLS_INVALID, "rua must be" },
	{ "B1.3 several, in order", TEXT(R H "," M ",mailto:c@d.example"),
		RTLS_OK, H " " M " mailto:c@d.example" },
	{ "B1.3 blanks and tabs around commas", TEXT(R M " ,\t" H), RTLS_OK,
		M " " H },
	{ "B1.3 blank behind =", TEXT(V "rua= " M), RTLS_INVALID,
		"rua must be" },
	{ "B1.3 blank before =", TEXT(V "rua =" M), RTLS_INVALID,
		"name=value" },
	{ "B1.3 blank instead of a comma", TEXT(R M " " H), RTLS_INVALID,
		"name=value" },
	{ "B1.3 empty items are no URIs", TEXT(R "," M ",, " H ","), RTLS_OK,
		M " " H },
	{ "B1.3 only commas", TEXT(R ",,"), RTLS_INVALID, "rua must be" },
	{ "B1.3 raw ! is no URI: DMARC's size", TEXT(R M "!10m," H), RTLS_OK,
		H },
	{ "B1.3 raw ! and nothing else", TEXT(R M "!10m"), RTLS_INVALID,
		"rua must be" },
	{ "B1.3 case 159: rua=!!", TEXT(R "!!"), RTLS_INVALID, "rua must be" },
	{ "B1.3 encoded ! , ;", TEXT(R "https://b.example/%21%2C%3b"), RTLS_OK,
		"https://b.example/%21%2C%3b" },
	{ "B1.3 raw ; ends the field", TEXT(R H ";x"), RTLS_INVALID,
		"name=value" },
	{ "B1.3 = in a URI", TEXT(R "https://b.example/?a=b&c=d"), RTLS_OK,
		"https://b.example/?a=b&c=d" },
	{ "B1.3 % without digits", TEXT(R "https://b.example/%2"), RTLS_INVALID,
		"rua must be" },
	{ "B1.3 % with other letters", TEXT(R "https://b.example/%2g"),
		RTLS_INVALID, "rua must be" },
	{ "B1.3 bytes no URI has", TEXT(R "https://b.example/<\"|\\^`{}>"),
		RTLS_INVALID, "rua must be" },

	/* fields */
	{ "B1.6 fields before rua", TEXT(V "a=b; c=d; rua=" M), RTLS_OK, M },
	{ "B1.6 fields behind rua", TEXT(R M "; a=b;"), RTLS_OK, M },
	{ "B1.6 name of 32", TEXT(V N32 "=1; rua=" M), RTLS_OK, M },
	{ "B1.6 name of 33", TEXT(V N32 "3=1; rua=" M), RTLS_INVALID,
		"name=value" },
	{ "B1.6 field without value", TEXT(V "a=; rua=" M), RTLS_INVALID,
		"name=value" },
	{ "B1.6 field without =", TEXT(V "a; rua=" M), RTLS_INVALID,
		"name=value" },
	{ "B1.6 = in another field's value", TEXT(V "a=b=c; rua=" M),
		RTLS_INVALID, "name=value" },
	{ "B1.6 the first rua counts", TEXT(R M "; rua=" H), RTLS_OK, M },
	{ "B1.6 a later bad rua is ignored", TEXT(R M "; rua=;"), RTLS_OK, M },
	{ "B1.6 a bad first rua is not saved", TEXT(R "x; rua=" M),
		RTLS_INVALID, "rua must be" },
	{ "B1.2 NUL", TEXT(R M "\0"), RTLS_INVALID, "\\x00" },
	{ "B1.2 line end", TEXT(R M "\n"), RTLS_INVALID, "\\x0a" },
	{ "B1.2 bytes above 126", TEXT(R "mailto:\xc3\xa4@b.example"),
		RTLS_INVALID, "\\xc3\\xa4" },
	{ "B1.2 bytes above 126 in a later item",
		TEXT(R M ",mailto:\xc3\xa4@b.example"), RTLS_INVALID,
		"\\xc3\\xa4" },

	/* schemes */
	{ "B1.7 schemes are compared without case",
		TEXT(R "MailTo:a@b.example,HTTPS://b.example"), RTLS_OK,
		"MailTo:a@b.example HTTPS://b.example" },
	{ "B1.7 other schemes are skipped",
		TEXT(R "http://b.example/r," M ",ftp://b.example"), RTLS_OK,
		M },
	{ "B1.7 only other schemes: valid, no use",
		TEXT(R "http://b.example/r"), RTLS_OK, "" },
	{ "B1.7 a bare address is skipped", TEXT(R "a@b.example," M), RTLS_OK,
		M },
	{ "B1.7 case 159: only a bare address", TEXT(R "a@b.example"),
		RTLS_INVALID, "rua must be" },
	{ "B1.7 scheme begins with a digit", TEXT(R "1mailto:a@b.example"),
		RTLS_INVALID, "rua must be" },
	{ "B1.7 no scheme before the colon", TEXT(R ":a@b.example"),
		RTLS_INVALID, "rua must be" },
	{ "B1.7 sign that no scheme has", TEXT(R "mail_to:a@b.example"),
		RTLS_INVALID, "rua must be" },
	{ "B1.7 signs a scheme may have", TEXT(R "a+b-c.d:x"), RTLS_OK, "" },

	/* mailto */
	{ "B1.7 mailto with hfields, as written", TEXT(R M "?subject=x&to=y"),
		RTLS_OK, M "?subject=x&to=y" },
	{ "B1.7 mailto with a percent-encoded local part",
		TEXT(R "mailto:a%2Bb%40c@b.example"), RTLS_OK,
		"mailto:a%2Bb%40c@b.example" },
	{ "B1.7 mailto with a tag", TEXT(R "mailto:a+tls@b.example"), RTLS_OK,
		"mailto:a+tls@b.example" },
	{ "B1.7 mailto without an address", TEXT(R "mailto:," M), RTLS_OK, M },
	{ "B1.7 mailto without @", TEXT(R "mailto:a," M), RTLS_OK, M },
	{ "B1.7 mailto without local part", TEXT(R "mailto:@b.example," M),
		RTLS_OK, M },
	{ "B1.7 mailto without domain", TEXT(R "mailto:a@," M), RTLS_OK, M },
	{ "B1.7 mailto with two @", TEXT(R "mailto:a@c@b.example," M), RTLS_OK,
		M },
	{ "B1.7 mailto with slashes", TEXT(R "mailto://a@b.example/," M),
		RTLS_OK, M },
	{ "B1.7 mailto with the @ in the hfields only",
		TEXT(R "mailto:?to=a@b.example," M), RTLS_OK, M },
	{ "B1.7 mailto with an encoded line end",
		TEXT(R "mailto:a%0D%0aBcc:x@b.example," M), RTLS_OK, M },
	{ "B1.7 mailto with an encoded blank",
		TEXT(R "mailto:a%20b@b.example," M), RTLS_OK, M },
	{ "B1.7 mailto with an encoded NUL", TEXT(R "mailto:a%00@b.example," M),
		RTLS_OK, M },
	{ "B1.7 mailto with an encoded DEL", TEXT(R "mailto:a%7f@b.example," M),
		RTLS_OK, M },
	{ "B1.7 mailto to an address literal",
		TEXT(R "mailto:a@[192.0.2.1]," M), RTLS_OK, M },

	/* https */
	{ "B1.7 https with the host only", TEXT(R "https://b.example"), RTLS_OK,
		"https://b.example" },
	{ "B1.7 https with port", TEXT(R "https://b.example:8443/r"), RTLS_OK,
		"https://b.example:8443/r" },
	{ "B1.7 https with empty port", TEXT(R "https://b.example:/"), RTLS_OK,
		"https://b.example:/" },
	{ "B1.7 https with query and fragment", TEXT(R "https://b.example?x#y"),
		RTLS_OK, "https://b.example?x#y" },
	{ "B1.7 https to IPv4", TEXT(R "https://192.0.2.1/"), RTLS_OK,
		"https://192.0.2.1/" },
	{ "B1.7 https to IPv6", TEXT(R "https://[2001:db8::1]:443/"), RTLS_OK,
		"https://[2001:db8::1]:443/" },
	{ "B1.7 https to IPv6 without brackets",
		TEXT(R "https://2001:db8::1/," M), RTLS_OK, M },
	{ "B1.7 https to brackets in brackets", TEXT(R "https://[[::1]]/," M),
		RTLS_OK, M },
	{ "B1.7 https to an open bracket", TEXT(R "https://[::1/," M), RTLS_OK,
		M },
	{ "B1.7 https to empty brackets", TEXT(R "https://[]/," M), RTLS_OK,
		M },
	{ "B1.7 https without host", TEXT(R "https:///r," M), RTLS_OK, M },
	{ "B1.7 https without anything", TEXT(R "https:," M), RTLS_OK, M },
	{ "B1.7 https with one slash", TEXT(R "https:/b.example/," M), RTLS_OK,
		M },
	{ "B1.7 https with port and no host", TEXT(R "https://:443/," M),
		RTLS_OK, M },
	{ "B1.7 https with a port above 65535",
		TEXT(R "https://b.example:65536/," M), RTLS_OK, M },
	{ "B1.7 https with a name as port",
		TEXT(R "https://b.example:https/," M), RTLS_OK, M },
	{ "B1.7 https with a user name", TEXT(R "https://u:p@b.example/," M),
		RTLS_OK, M },
	{ "B1.7 https with a host no name is", TEXT(R "https://b..x/," M),
		RTLS_OK, M },

	/* duplicates */
	{ "B1.8 the same URI counts once", TEXT(R M "," H "," M), RTLS_OK,
		M " " H },
	{ "B1.8 17 URIs: the first 16",
		TEXT(R "mailto:a@b,mailto:b@b,mailto:c@b,mailto:d@b,"
		       "mailto:e@b,mailto:f@b,mailto:g@b,mailto:h@b,"
		       "mailto:i@b,mailto:j@b,mailto:k@b,mailto:l@b,"
		       "mailto:m@b,mailto:n@b,mailto:o@b,mailto:p@b,"
		       "mailto:q@b"),
		RTLS_OK,
		"mailto:a@b mailto:b@b mailto:c@b mailto:d@b mailto:e@b "
		"mailto:f@b mailto:g@b mailto:h@b mailto:i@b mailto:j@b "
		"mailto:k@b mailto:l@b mailto:m@b mailto:n@b mailto:o@b "
		"mailto:p@b" },
};

#define TOLD_SIZE 1024

static void tell(const struct rtls_tlsrpt_record *record, char told[TOLD_SIZE])
{
	struct rtls_text out;

	rtls_text_init(&out, told, TOLD_SIZE);
	for (size_t i = 0; i < record->rua_count; i++) {
		rtls_text_printf(&out, "%s", i == 0 ? "" : " ");
		rtls_text_add(&out, record->rua[i]);
	}
	assert_false(out.overflow);
}

static enum rtls_status parse_copy(struct rtls_slice whole, size_t size,
	char told[TOLD_SIZE], struct rtls_err *err)
{
	struct rtls_slice text = { check_copy(whole, size), size };
	struct rtls_tlsrpt_record record;
	enum rtls_status status;

	check_touch_not(&record, sizeof(record));
	err->text[0] = '\0';
	status = rtls_tlsrpt_record_parse(text, &record, err);
	if (status == RTLS_OK) {
		assert_in_range(record.rua_count, 0, RTLS_TLSRPT_RUA_MAX);
		for (size_t i = 0; i < record.rua_count; i++)
			assert_true(check_inside(text, record.rua[i]));
		tell(&record, told);
	} else {
		assert_true(check_is_untouched(&record, sizeof(record)));
	}
	assert_int_equal(rtls_tlsrpt_record_parse(text, &record, NULL), status);
	free((char *)(uintptr_t)text.data);
	return status;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	char told[TOLD_SIZE];
	struct rtls_err err;

	assert_int_equal(
		parse_copy(row->text, row->text.size, told, &err), row->status);
	if (row->status == RTLS_OK)
		assert_string_equal(told, row->detail);
	else
		check_err(&err, row->detail == NULL ? "" : row->detail);
}

static void test_cuts(void **state)
{
	char told[TOLD_SIZE];
	struct rtls_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rtls_slice text = rows[i].text;

		for (size_t size = 0; size < text.size; size++)
			if (parse_copy(text, size, told, &err) == RTLS_INVALID)
				assert_true(err.text[0] != '\0');
	}
}

struct set {
	const char *proves;
	struct rtls_slice texts[3];
	size_t count;
	enum rtls_status status;
	const char *detail;
};

static const struct set sets[] = {
	{ "B1.4 no record", { TEXT("") }, 0, RTLS_NONE, NULL },
	{ "B1.4 others are discarded",
		{ TEXT("x"), TEXT(R M), TEXT("v=TLSRPTv2; rua=" H) }, 3,
		RTLS_OK, M },
	{ "B1.4 what does not begin v=TLSRPTv1; is discarded",
		{ TEXT("v=TLSRPTv1"), TEXT(R M) }, 2, RTLS_OK, M },
	{ "B1.4 two records are none", { TEXT(R M), TEXT(R H) }, 2,
		RTLS_INVALID, "found 2" },
	{ "B1.4 a malformed one counts too", { TEXT(V), TEXT(R H) }, 2,
		RTLS_INVALID, "found 2" },
	{ "B1.4 the only one is malformed", { TEXT("x"), TEXT(V) }, 2,
		RTLS_INVALID, "rua is missing" },
};

static void test_select(void **state)
{
	const struct set *set = *state;
	struct rtls_tlsrpt_record record;
	struct rtls_err err = { "" };
	char told[TOLD_SIZE];

	check_touch_not(&record, sizeof(record));
	assert_int_equal(rtls_tlsrpt_record_select(
				 set->texts, set->count, &record, &err),
		set->status);
	if (set->status == RTLS_OK) {
		tell(&record, told);
		assert_string_equal(told, set->detail);
		return;
	}
	assert_true(check_is_untouched(&record, sizeof(record)));
	check_err(&err, set->detail == NULL ? "" : set->detail);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "each record cut at every length", test_cuts, NULL);
	CHECK_TABLE(&suite, test_select, sets);
	return check_run(&suite, "tlsrpt_record");
}
