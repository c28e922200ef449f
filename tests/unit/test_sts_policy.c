/* test_sts_policy.c - RFC 8461 section 3.2, items A3.*, and the MX match of
 * section 4.1, item A6.2. */
#include <stdio.h>

#include "check.h"
#include "policy/sts_policy.h"
#include "policy/text.h"

struct row {
	const char *proves;
	struct rtls_slice text;
	enum rtls_status status;
	/* "mode max_age mx mx ...", "+" behind a clamped max_age; or words of
	 * the reason */
	const char *detail;
};

#define V      "version: STSv1\n"
#define E      "mode: enforce\n"
#define A      "max_age: 86400\n"
#define M      "mx: a.example\n"
#define VEA    V E A
#define GOOD   "enforce 86400 a.example"
#define L60    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME32 "x2345678901234567890123456789012"

static const struct row rows[] = {
	{ "A3.1 the RFC's own example",
		TEXT("version: STSv1\r\nmode: enforce\r\n"
		     "mx: mail.example.com\r\nmx: *.example.net\r\n"
		     "mx: backupmx.example.com\r\nmax_age: 604800\r\n"),
		RTLS_OK,
		"enforce 604800 mail.example.com *.example.net "
		"backupmx.example.com" },

	/* lines */
	{ "A3.1 LF", TEXT(VEA M), RTLS_OK, GOOD },
	{ "A3.1 LF and CRLF mixed (EID 6253)",
		TEXT("version: STSv1\r\nmode: enforce\nmax_age: 86400\r\n" M),
		RTLS_OK, GOOD },
	{ "A3.1 case 35: no line end behind the last line",
		TEXT(V E M "max_age: 86400"), RTLS_OK, GOOD },
	{ "A3.1 CR alone ends no line",
		TEXT("version: STSv1\rmode: enforce\rmax_age: 86400\r" M),
		RTLS_INVALID, "line 1" },
	{ "A3.1 CR at the end of the file", TEXT(V E M "max_age: 86400\r"),
		RTLS_INVALID, "line 4" },
	{ "A3.1 CR in front of CRLF", TEXT(VEA "mx: a.example\r\r\n"),
		RTLS_INVALID, "line 4" },
	{ "A3.1 blanks around values",
		TEXT("version: \t STSv1 \t\nmode:\tenforce\t\n"
		     "max_age:   86400  \nmx: \ta.example \t\r\n"),
		RTLS_OK, GOOD },
	{ "A3.1 case 51: no blank behind the colon",
		TEXT("version:STSv1\nmode:enforce\nmax_age:86400\n"
		     "mx:a.example\n"),
		RTLS_OK, GOOD },
	{ "A3.2 blank before the key", TEXT(" " VEA M), RTLS_INVALID,
		"line 1: expected \"key: value\"" },
	{ "A3.2 tab before a key", TEXT(VEA "\t" M), RTLS_INVALID, "line 4" },
	{ "A3.2 blank before the colon", TEXT(V "mode : enforce\n" A M),
		RTLS_INVALID, "line 2: expected \"key: value\"" },
	{ "A3.2 no colon", TEXT(VEA M "junk\n"), RTLS_INVALID, "line 5" },
	{ "A3.2 = instead of the colon", TEXT("version=STSv1\n" E A M),
		RTLS_INVALID, "line 1" },
	{ "A3.2 semicolons instead of lines",
		TEXT("version: STSv1; mode: enforce; max_age: 1; mx: a"),
		RTLS_INVALID, "version must be STSv1" },
	{ "A3.2 the order is free", TEXT(M A E V), RTLS_OK, GOOD },
	{ "A3.2 keys are case-sensitive: Version",
		TEXT("Version: STSv1\n" E A M), RTLS_INVALID,
		"version is missing" },
	{ "A3.2 keys are case-sensitive: MODE", TEXT(V "MODE: enforce\n" A M),
		RTLS_INVALID, "mode is missing" },
	{ "A3.2 keys are case-sensitive: Max_Age", TEXT(V E "Max_Age: 1\n" M),
		RTLS_INVALID, "max_age is missing" },
	{ "A3.2 keys are case-sensitive: MX", TEXT(VEA "MX: a.example\n"),
		RTLS_INVALID, "mx is missing" },
	{ "A3.2 max-age is another key", TEXT(V E "max-age: 1\n" M),
		RTLS_INVALID, "max_age is missing" },

	/* version */
	{ "A3.3 version is missing", TEXT(E A M), RTLS_INVALID,
		"version is missing" },
	{ "A3.3 empty body", TEXT(""), RTLS_INVALID, "version is missing" },
	{ "A3.3 version without value", TEXT("version:\n" E A M), RTLS_INVALID,
		"line 1" },
	{ "A3.3 another version", TEXT("version: STSv2\n" E A M), RTLS_INVALID,
		"line 1: version must be STSv1" },
	{ "A3.3 the version is case-sensitive", TEXT("version: stsv1\n" E A M),
		RTLS_INVALID, "version must be STSv1" },
	{ "A3.3 more than a version", TEXT("version: STSv1;\n" E A M),
		RTLS_INVALID, "version must be STSv1" },
	{ "A3.3 an HTML page", TEXT("<!DOCTYPE html>\n<html></html>\n"),
		RTLS_INVALID, "line 1" },

	/* mode */
	{ "A3.4 testing", TEXT(V "mode: testing\n" A M), RTLS_OK,
		"testing 86400 a.example" },
	{ "A3.4 none", TEXT(V "mode: none\n" A M), RTLS_OK,
		"none 86400 a.example" },
	{ "A3.4 mode is missing", TEXT(V A M), RTLS_INVALID,
		"mode is missing" },
	{ "A3.4 draft mode report", TEXT(V "mode: report\n" A M), RTLS_INVALID,
		"line 2: mode must be enforce, testing or none" },
	{ "A3.4 modes are case-sensitive", TEXT(V "mode: Enforce\n" A M),
		RTLS_INVALID, "mode must be" },
	{ "A3.4 only the start of a mode", TEXT(V "mode: enforc\n" A M),
		RTLS_INVALID, "mode must be" },
	{ "A3.4 two modes on a line", TEXT(V "mode: enforce none\n" A M),
		RTLS_INVALID, "mode must be" },

	/* max_age */
	{ "A3.5 max_age is missing", TEXT(V E M), RTLS_INVALID,
		"max_age is missing" },
	{ "A3.5 A5.11 zero", TEXT(V E M "max_age: 0"), RTLS_OK,
		"enforce 0 a.example" },
	{ "A3.5 the largest that is not clamped",
		TEXT(V E M "max_age: 31557600"), RTLS_OK,
		"enforce 31557600 a.example" },
	{ "A3.5 case 39: one second more is clamped",
		TEXT(V E M "max_age: 31557601"), RTLS_OK,
		"enforce 31557600+ a.example" },
	{ "A3.5 above 2^31", TEXT(V E M "max_age: 2147483648"), RTLS_OK,
		"enforce 31557600+ a.example" },
	{ "A3.5 above 2^32", TEXT(V E M "max_age: 4294967297"), RTLS_OK,
		"enforce 31557600+ a.example" },
	{ "A3.5 ten nines", TEXT(V E M "max_age: 9999999999"), RTLS_OK,
		"enforce 31557600+ a.example" },
	{ "A3.5 leading zeros count as digits",
		TEXT(V E M "max_age: 0000086400"), RTLS_OK, GOOD },
	{ "A3.5 case 39: eleven digits", TEXT(V E M "max_age: 01234567890"),
		RTLS_INVALID, "line 4: max_age must be 1 to 10 digits" },
	{ "A3.5 case 39: no number", TEXT(V E M "max_age: xxx"), RTLS_INVALID,
		"max_age must be" },
	{ "A3.5 case 39: negative", TEXT(V E M "max_age: -1"), RTLS_INVALID,
		"max_age must be" },
	{ "A3.5 plus sign", TEXT(V E M "max_age: +1"), RTLS_INVALID,
		"max_age must be" },
	{ "A3.5 fraction", TEXT(V E M "max_age: 1.0"), RTLS_INVALID,
		"max_age must be" },
	{ "A3.5 unit", TEXT(V E M "max_age: 1d"), RTLS_INVALID,
		"max_age must be" },
	{ "A3.5 hexadecimal", TEXT(V E M "max_age: 0x10"), RTLS_INVALID,
		"max_age must be" },
	{ "A3.5 blank between digits", TEXT(V E M "max_age: 86 400"),
		RTLS_INVALID, "max_age must be" },
	{ "A3.5 empty", TEXT(V E M "max_age: "), RTLS_INVALID, "line 4" },

	/* mx */
	{ "A3.6 mx is missing in enforce", TEXT(VEA), RTLS_INVALID,
		"mx is missing" },
	{ "A3.6 mx is missing in testing", TEXT(V "mode: testing\n" A),
		RTLS_INVALID, "mx is missing" },
	{ "A3.6 case 37: none needs no mx", TEXT(V "mode: none\n" A), RTLS_OK,
		"none 86400" },
	{ "A3.6 A5.10 none with max_age 0", TEXT(V "mode: none\nmax_age: 0\n"),
		RTLS_OK, "none 0" },
	{ "A3.6 none still needs max_age", TEXT(V "mode: none\n"), RTLS_INVALID,
		"max_age is missing" },
	{ "A3.6 a bad mx is bad in mode none, too",
		TEXT(V "mode: none\n" A "mx: -\n"), RTLS_INVALID, "line 4" },
	{ "A3.6 mx lines add up, anywhere",
		TEXT("mx: b.example\n" V "mx: *.c.example\n" E A M), RTLS_OK,
		"enforce 86400 b.example *.c.example a.example" },
	{ "A3.6 the same mx twice", TEXT(VEA M M), RTLS_OK,
		"enforce 86400 a.example a.example" },
	{ "A3.6 two names on one line", TEXT(VEA "mx: a.example b.example\n"),
		RTLS_INVALID, "line 4: mx must be" },
	{ "A3.6 two names with a comma", TEXT(VEA "mx: a.example,b.example\n"),
		RTLS_INVALID, "line 4: mx must be" },
	{ "A3.7 empty mx", TEXT(VEA "mx:\n"), RTLS_INVALID, "line 4" },
	{ "A3.7 wildcard alone", TEXT(VEA "mx: *\n"), RTLS_INVALID,
		"mx must be" },
	{ "A3.7 wildcard without a name", TEXT(VEA "mx: *.\n"), RTLS_INVALID,
		"mx must be" },
	{ "A3.7 wildcard of a single label", TEXT(VEA "mx: *.example\n"),
		RTLS_OK, "enforce 86400 *.example" },
	{ "A3.7 two wildcards", TEXT(VEA "mx: *.*.example\n"), RTLS_INVALID,
		"mx must be" },
	{ "A3.7 wildcard not left-most", TEXT(VEA "mx: mx.*.example\n"),
		RTLS_INVALID, "mx must be" },
	{ "A3.7 partial wildcard", TEXT(VEA "mx: mx*.example\n"), RTLS_INVALID,
		"mx must be" },
	{ "A3.7 case 43: suffix form of the drafts",
		TEXT(VEA "mx: .gmail-smtp-in.l.google.com\n"), RTLS_INVALID,
		"mx must be" },
	{ "A3.7 trailing dot", TEXT(VEA "mx: a.example.\n"), RTLS_INVALID,
		"mx must be" },
	{ "A3.7 doubled dot", TEXT(VEA "mx: a..example\n"), RTLS_INVALID,
		"mx must be" },
	{ "A3.7 port", TEXT(VEA "mx: a.example:25\n"), RTLS_INVALID,
		"mx must be" },
	{ "A3.7 IPv4 address", TEXT(VEA "mx: 192.0.2.1\n"), RTLS_INVALID,
		"mx must be" },
	{ "A3.7 IPv4 literal", TEXT(VEA "mx: [192.0.2.1]\n"), RTLS_INVALID,
		"mx must be" },
	{ "A3.7 IPv6 address", TEXT(VEA "mx: 2001:db8::1\n"), RTLS_INVALID,
		"mx must be" },
	{ "A3.7 single label", TEXT(VEA "mx: localhost\n"), RTLS_OK,
		"enforce 86400 localhost" },
	{ "A3.7 underscore", TEXT(VEA "mx: a_b.example\n"), RTLS_INVALID,
		"mx must be" },
	{ "A3.7 label begins with a hyphen", TEXT(VEA "mx: -a.example\n"),
		RTLS_INVALID, "mx must be" },
	{ "A3.7 label ends with a hyphen", TEXT(VEA "mx: a-.example\n"),
		RTLS_INVALID, "mx must be" },
	{ "A3.7 label of 63", TEXT(VEA "mx: " L60 "aaa.example\n"), RTLS_OK,
		"enforce 86400 " L60 "aaa.example" },
	{ "A3.7 label of 64", TEXT(VEA "mx: " L60 "aaaa.example\n"),
		RTLS_INVALID, "mx must be" },
	{ "A3.7 longer than 253",
		TEXT(VEA "mx: " L60 "." L60 "." L60 "." L60 ".example.org\n"),
		RTLS_INVALID, "mx must be" },
	{ "A3.7 an address is no host", TEXT(VEA "mx: user@a.example\n"),
		RTLS_INVALID, "mx must be" },
	{ "A3.8 A-label", TEXT(VEA "mx: xn--bcher-kva.example\n"), RTLS_OK,
		"enforce 86400 xn--bcher-kva.example" },
	{ "A3.8 case 41: U-label",
		TEXT(VEA "mx: b\xc3\xbc"
			 "cher.example\n"),
		RTLS_INVALID, "\\xc3\\xbc" },
	{ "A3.8 case is kept as written", TEXT(VEA "mx: A.EXAMPLE\n"), RTLS_OK,
		"enforce 86400 A.EXAMPLE" },

	/* unknown keys */
	{ "A3.9 unknown keys are ignored",
		TEXT("x-1: y\n" V "a.b_c-d:z\n" E A M "note: two words\n"),
		RTLS_OK, GOOD },
	{ "A3.9 UTF-8 of 2, 3 and 4 bytes",
		TEXT(VEA M "note: \xc3\xa4 \xe2\x82\xac \xf0\x9f\x93\xa7\n"),
		RTLS_OK, GOOD },
	{ "A3.9 the ends of the UTF-8 ranges",
		TEXT(VEA M "n: \xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf"
			   "\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80"
			   "\xf4\x8f\xbf\xbf\n"),
		RTLS_OK, GOOD },
	{ "A3.9 UTF-8: overlong, 2 bytes", TEXT(VEA M "n: \xc1\xbf\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.9 UTF-8: overlong, 3 bytes", TEXT(VEA M "n: \xe0\x9f\xbf\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.9 UTF-8: overlong, 4 bytes", TEXT(VEA M "n: \xf0\x8f\xbf\xbf\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.9 UTF-8: surrogate", TEXT(VEA M "n: \xed\xa0\x80\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.9 UTF-8: above U+10FFFF", TEXT(VEA M "n: \xf4\x90\x80\x80\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.9 UTF-8: no such first byte", TEXT(VEA M "n: \xf5\x80\x80\x80\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.9 UTF-8: follower alone", TEXT(VEA M "n: \x80\n"), RTLS_INVALID,
		"line 5" },
	{ "A3.9 UTF-8: cut at the end of the line", TEXT(VEA M "n: \xe2\x82\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.9 UTF-8: cut at the end of the file",
		TEXT(VEA M "n: \xf0\x9f\x93"), RTLS_INVALID, "line 5" },
	{ "A3.9 UTF-8: bad third byte", TEXT(VEA M "n: \xe2\x82\x41\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.9 UTF-8: Latin-1",
		TEXT(VEA M "n: B\xfc"
			   "cher\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.9 control character in a value", TEXT(VEA M "n: a\x01z\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.9 tab inside a value", TEXT(VEA M "n: a\tz\n"), RTLS_INVALID,
		"line 5" },
	{ "A3.9 DEL in a value", TEXT(VEA M "n: a\x7fz\n"), RTLS_INVALID,
		"line 5" },
	{ "A3.9 NUL in a value", TEXT(VEA M "n: a\0z\n"), RTLS_INVALID,
		"line 5" },
	{ "A3.9 NUL as last byte", TEXT(VEA M "\0"), RTLS_INVALID, "line 5" },
	{ "A3.9 unknown key without value", TEXT(VEA M "n:\n"), RTLS_INVALID,
		"line 5" },
	{ "A3.9 unknown key with a blank value", TEXT(VEA M "n: \t\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.9 key of 32", TEXT(VEA M NAME32 ": 1\n"), RTLS_OK, GOOD },
	{ "A3.9 key of 33", TEXT(VEA M NAME32 "3: 1\n"), RTLS_INVALID,
		"line 5" },
	{ "A3.9 key begins with a digit", TEXT(VEA M "1-x: 1\n"), RTLS_OK,
		GOOD },
	{ "A3.9 bytes above 126 in a key",
		TEXT(VEA M "n\xc3\xa4"
			   "me: 1\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.9 key begins with _", TEXT(VEA M "_n: 1\n"), RTLS_INVALID,
		"line 5" },
	{ "A3.9 key is empty", TEXT(VEA M ": 1\n"), RTLS_INVALID, "line 5" },
	{ "A3.9 colons in a value", TEXT(VEA M "n:: https://a/\n"), RTLS_OK,
		GOOD },

	/* duplicates */
	{ "A3.10 case 49: a later mode does not loosen",
		TEXT(VEA M "mode: none\n"), RTLS_OK, GOOD },
	{ "A3.10 a later mode does not tighten",
		TEXT(V "mode: testing\n" A M E), RTLS_OK,
		"testing 86400 a.example" },
	{ "A3.10 a later max_age", TEXT(VEA M "max_age: 1\n"), RTLS_OK, GOOD },
	{ "A3.10 a later max_age does not clamp",
		TEXT(VEA M "max_age: 9999999999\n"), RTLS_OK, GOOD },
	{ "A3.10 a later version", TEXT(VEA M "version: STSv2\n"), RTLS_OK,
		GOOD },
	{ "A3.10 later bad values are ignored",
		TEXT(VEA M "mode: x\nmax_age: y\nversion: z\n"), RTLS_OK,
		GOOD },
	{ "A3.10 a later one must still be a line", TEXT(VEA M "mode:\n"),
		RTLS_INVALID, "line 5" },
	{ "A3.10 a bad first one is not saved", TEXT(V "mode: x\n" E A M),
		RTLS_INVALID, "line 2: mode" },

	/* what is not in the grammar */
	{ "A3.11 one empty line at the end", TEXT(VEA M "\n"), RTLS_OK, GOOD },
	{ "A3.11 one empty line at the end, CRLF", TEXT(VEA M "\r\n"), RTLS_OK,
		GOOD },
	{ "A3.11 two empty lines at the end", TEXT(VEA M "\n\n"), RTLS_INVALID,
		"line 5" },
	{ "A3.11 blanks in the last line", TEXT(VEA M " \n"), RTLS_INVALID,
		"line 5" },
	{ "A3.11 blanks behind the last line end", TEXT(VEA M " "),
		RTLS_INVALID, "line 5" },
	{ "A3.11 case 47: blank line inside", TEXT(VEA "\n" M), RTLS_INVALID,
		"line 4" },
	{ "A3.11 empty line first", TEXT("\n" VEA M), RTLS_INVALID, "line 1" },
	{ "A3.11 only an empty line", TEXT("\n"), RTLS_INVALID, "line 1" },
	{ "A3.11 case 47: comment", TEXT("# ours\n" VEA M), RTLS_INVALID,
		"line 1" },
	{ "A3.11 case 47: comment behind a value",
		TEXT(V "mode: enforce # ours\n" A M), RTLS_INVALID,
		"line 2: mode must be" },
	{ "A3.11 case 47: BOM", TEXT("\xef\xbb\xbf" VEA M), RTLS_INVALID,
		"\\xef\\xbb\\xbf" },
	{ "A3.11 continuation line", TEXT(VEA "mx:\n a.example\n"),
		RTLS_INVALID, "line 4" },
	{ "A3.11 UTF-16", TEXT("v\0e\0r\0s\0i\0o\0n\0"), RTLS_INVALID,
		"line 1" },
	{ "A3.11 case 170: the reason quotes what it found",
		TEXT(V "mode: \x1b[2Jx\n" A M), RTLS_INVALID, "\\x1b[2Jx" },
};

/* Room for what the longest row says of its policy. */
#define TOLD_SIZE 1024

static void tell(const struct rtls_sts_policy *policy, char told[TOLD_SIZE])
{
	struct rtls_text out;

	rtls_text_init(&out, told, TOLD_SIZE);
	rtls_text_printf(&out, "%s %lu%s", rtls_sts_mode_name(policy->mode),
		policy->max_age_s, policy->max_age_clamped ? "+" : "");
	for (size_t i = 0; i < policy->mx_count; i++) {
		rtls_text_printf(&out, " ");
		rtls_text_add(&out, policy->mx[i]);
	}
	assert_false(out.overflow);
}

static enum rtls_status parse_copy(struct rtls_slice whole, size_t size,
	char told[TOLD_SIZE], struct rtls_err *err)
{
	static struct rtls_sts_policy policy;
	struct rtls_slice text = { check_copy(whole, size), size };
	enum rtls_status status;

	check_touch_not(&policy, sizeof(policy));
	err->text[0] = '\0';
	status = rtls_sts_policy_parse(text, &policy, err);
	if (status == RTLS_OK) {
		for (size_t i = 0; i < policy.mx_count; i++)
			assert_true(check_inside(text, policy.mx[i]));
		tell(&policy, told);
	} else {
		assert_int_equal(status, RTLS_INVALID);
		assert_true(check_is_untouched(&policy, sizeof(policy)));
		assert_true(err->text[0] != '\0');
	}
	assert_int_equal(rtls_sts_policy_parse(text, &policy, NULL), status);
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
		check_err(&err, row->detail);
}

static void test_cuts(void **state)
{
	char told[TOLD_SIZE];
	struct rtls_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t size = 0; size < rows[i].text.size; size++)
			(void)parse_copy(rows[i].text, size, told, &err);
}

/* A policy of so many mx lines, each "mx: hN.example". */
static size_t write_many(char *out, size_t out_size, size_t mx_count)
{
	struct rtls_text text;

	rtls_text_init(&text, out, out_size);
	rtls_text_printf(&text, VEA);
	for (size_t i = 0; i < mx_count; i++)
		rtls_text_printf(&text, "mx: h%zu.example\n", i);
	assert_false(text.overflow);
	return text.size;
}

static void test_mx_max(void **state)
{
	static char body[RTLS_STS_POLICY_SIZE_MAX];
	static struct rtls_sts_policy policy;
	struct rtls_err err;
	size_t size;

	(void)state;
	size = write_many(body, sizeof(body), RTLS_STS_MX_MAX);
	assert_int_equal(
		rtls_sts_policy_parse(rtls_slice_n(body, size), &policy, &err),
		RTLS_OK);
	assert_int_equal(policy.mx_count, RTLS_STS_MX_MAX);
	check_slice(policy.mx[RTLS_STS_MX_MAX - 1], "h511.example");
	size = write_many(body, sizeof(body), RTLS_STS_MX_MAX + 1);
	assert_int_equal(
		rtls_sts_policy_parse(rtls_slice_n(body, size), &policy, &err),
		RTLS_INVALID);
	check_err(&err, "line 516: too many mx lines");
}

/* A valid policy of this size: the last line is filled up. */
static char *write_sized(size_t size)
{
	static const char start[] = VEA M "n: ";
	char *body = malloc(size);

	assert_non_null(body);
	memset(body, 'x', size);
	memcpy(body, start, sizeof(start) - 1);
	return body;
}

static void test_size_max(void **state)
{
	static struct rtls_sts_policy policy;
	const size_t max = RTLS_STS_POLICY_SIZE_MAX;
	char *body = write_sized(max + 1);
	struct rtls_err err;

	(void)state;
	assert_int_equal(
		rtls_sts_policy_parse(rtls_slice_n(body, max), &policy, &err),
		RTLS_OK);
	assert_int_equal(rtls_sts_policy_parse(
				 rtls_slice_n(body, max + 1), &policy, &err),
		RTLS_INVALID);
	check_err(&err, "larger than 65536 bytes");
	free(body);
}

/* A long line in the reason is cut, not the reason. */
static void test_long_reason(void **state)
{
	static struct rtls_sts_policy policy;
	char *body = write_sized(4096);
	struct rtls_err err;

	(void)state;
	memset(body + 4095, '\x01', 1);
	assert_int_equal(
		rtls_sts_policy_parse(rtls_slice_n(body, 4096), &policy, &err),
		RTLS_INVALID);
	check_err(&err, "line 5: expected \"key: value\"");
	check_err(&err, "...\")");
	free(body);
}

struct allow {
	const char *proves;
	const char *host;
	bool allowed;
};

#define ALLOW_POLICY VEA "mx: mail.example.com\nmx: *.Example.net\n"

static const struct allow allows[] = {
	{ "A6.2 host named in full", "mail.example.com", true },
	{ "A6.2 A3.8 case does not count", "MAIL.Example.Com", true },
	{ "A6.2 host behind the wildcard", "mx1.example.net", true },
	{ "A6.2 trailing dot of the host", "mx1.example.net.", true },
	{ "A6.2 wildcard is not the name itself", "example.net", false },
	{ "A6.2 wildcard is one label only", "a.b.example.net", false },
	{ "A6.2 no name below a full one", "a.mail.example.com", false },
	{ "A6.2 other host", "mail.example.org", false },
	{ "A6.2 nothing", "", false },
	{ "A6.2 an address", "192.0.2.1", false },
};

static void test_allows(void **state)
{
	const struct allow *allow = *state;
	static struct rtls_sts_policy policy;

	assert_int_equal(
		rtls_sts_policy_parse(rtls_slice(ALLOW_POLICY), &policy, NULL),
		RTLS_OK);
	assert_int_equal(
		rtls_sts_policy_allows(&policy, rtls_slice(allow->host)),
		allow->allowed);
}

static void test_match(void **state)
{
	static struct rtls_sts_policy policy;

	(void)state;
	assert_int_equal(rtls_sts_policy_parse(rtls_slice(ALLOW_POLICY
						       "mx: mx1.example.net\n"),
				 &policy, NULL),
		RTLS_OK);
	assert_ptr_equal(
		rtls_sts_policy_match(&policy, rtls_slice("mx1.example.net")),
		&policy.mx[1]);
	assert_ptr_equal(
		rtls_sts_policy_match(&policy, rtls_slice("mail.example.com")),
		&policy.mx[0]);
	assert_null(rtls_sts_policy_match(&policy, rtls_slice("a.example")));
}

static void test_allows_nothing(void **state)
{
	static struct rtls_sts_policy policy;

	(void)state;
	assert_int_equal(rtls_sts_policy_parse(
				 rtls_slice(V "mode: none\n" A), &policy, NULL),
		RTLS_OK);
	assert_false(rtls_sts_policy_allows(&policy, rtls_slice("a.example")));
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "each policy cut at every length", test_cuts, NULL);
	check_add(&suite, "A3.6 512 mx lines and one more", test_mx_max, NULL);
	check_add(&suite, "A2.10 64 KiB and one more", test_size_max, NULL);
	check_add(&suite, "a long line is cut in the reason", test_long_reason,
		NULL);
	CHECK_TABLE(&suite, test_allows, allows);
	check_add(&suite, "the first pattern that matches", test_match, NULL);
	check_add(&suite, "A6.2 a policy without mx allows nothing",
		test_allows_nothing, NULL);
	return check_run(&suite, "sts_policy");
}
