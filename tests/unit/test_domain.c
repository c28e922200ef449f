/* test_domain.c - names, literals and the match of RFC 8461 section 4.1
 * (items A4.3, A6.2, E2 and E3; RFC 5321 section 4.1.2). */
#include "check.h"
#include "policy/domain.h"

#define L63     "abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnopqrstuvwxy"
#define L61     "abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnopqrstuvw"
#define LONG253 L63 "." L63 "." L63 "." L61

struct name {
	const char *proves;
	struct rtls_slice text;
	const char *normal; /* NULL: no domain name */
	bool ldh;           /* and a Domain of RFC 5321 */
};

static const struct name names[] = {
	{ "a name", TEXT("mx1.example.com"), "mx1.example.com", true },
	{ "E3 lower case", TEXT("MX1.Example.COM"), "mx1.example.com", true },
	{ "A2.1 case 161: one trailing dot", TEXT("example.com."),
		"example.com", false },
	{ "case 13: two trailing dots", TEXT("example.com.."), NULL, false },
	{ "case 13: leading dot", TEXT(".example.com"), NULL, false },
	{ "doubled dot", TEXT("a..b"), NULL, false },
	{ "only a dot", TEXT("."), NULL, false },
	{ "empty", TEXT(""), NULL, false },
	{ "single label", TEXT("localhost"), "localhost", true },
	{ "single letter", TEXT("a"), "a", true },
	{ "inner hyphens", TEXT("a-b--c.d"), "a-b--c.d", true },
	{ "leading hyphen: no option for a command line", TEXT("-oQ.example"),
		NULL, false },
	{ "label with a leading hyphen", TEXT("a.-b"), NULL, false },
	{ "label with a trailing hyphen", TEXT("a-.b"), NULL, false },
	{ "label of one hyphen", TEXT("a.-.b"), NULL, false },
	{ "case 83: underscores are seen in MX names", TEXT("mx_1._x.example"),
		"mx_1._x.example", false },
	{ "A3.8 A-label", TEXT("XN--bcher-kva.example"),
		"xn--bcher-kva.example", true },
	{ "A3.8 U-label",
		TEXT("b\xc3\xbc"
		     "cher.example"),
		NULL, false },
	{ "digits as first label", TEXT("1.2.3.example"), "1.2.3.example",
		true },
	{ "five numbers are a name", TEXT("1.2.3.4.5"), "1.2.3.4.5", true },
	{ "label of 63", TEXT(L63 ".x"), L63 ".x", true },
	{ "label of 64", TEXT(L63 "z.x"), NULL, false },
	{ "name of 253", TEXT(LONG253), LONG253, true },
	{ "name of 253 and a dot", TEXT(LONG253 "."), LONG253, false },
	{ "name of 254", TEXT(LONG253 "z"), NULL, false },
	{ "case 61: slash", TEXT("a/../b.example"), NULL, false },
	{ "case 61: dots for a path", TEXT(".."), NULL, false },
	{ "NUL", TEXT("a\0b.example"), NULL, false },
	{ "blank", TEXT("a b.example"), NULL, false },
	{ "trailing blank", TEXT("b.example "), NULL, false },
	{ "line end", TEXT("b.example\n"), NULL, false },
	{ "colon, as in Exim's lists", TEXT("a:b.example"), NULL, false },
	{ "case 13: port", TEXT("[example.com]:25"), NULL, false },
	{ "wildcard is no host", TEXT("*.example.com"), NULL, false },
	{ "A4.3 IPv4 address", TEXT("192.0.2.1"), NULL, false },
	{ "A4.3 IPv4 address with a trailing dot", TEXT("192.0.2.1."), NULL,
		false },
	{ "A4.3 IPv4 literal", TEXT("[192.0.2.1]"), NULL, false },
	{ "A4.3 IPv6 literal", TEXT("[IPv6:2001:db8::1]"), NULL, false },
	{ "A4.3 IPv6 address", TEXT("2001:db8::1"), NULL, false },
};

static void check_name(struct rtls_slice whole, size_t size, const char *normal)
{
	struct rtls_slice text = { check_copy(whole, size), size };
	char *out = malloc(RTLS_DOMAIN_SIZE);
	enum rtls_status status;

	assert_non_null(out);
	status = rtls_domain_normalize(text, out);
	if (status == RTLS_OK) {
		char again[RTLS_DOMAIN_SIZE];

		/* What is normal stays, and matches itself. */
		assert_int_equal(
			rtls_domain_normalize(rtls_slice(out), again), RTLS_OK);
		assert_string_equal(again, out);
		assert_true(rtls_domain_matches(rtls_slice(out), text));
	} else {
		assert_int_equal(status, RTLS_INVALID);
		assert_string_equal(out, "");
	}
	if (rtls_domain_is_ldh(text) || rtls_domain_is_literal(text))
		assert_int_equal(rtls_domain_is_ldh(text), status == RTLS_OK);
	if (normal != NULL && size == whole.size)
		assert_string_equal(out, normal);
	free(out);
	free((char *)(uintptr_t)text.data);
}

static void test_name(void **state)
{
	const struct name *name = *state;
	char out[RTLS_DOMAIN_SIZE];

	assert_int_equal(rtls_domain_normalize(name->text, out),
		name->normal != NULL ? RTLS_OK : RTLS_INVALID);
	assert_int_equal(rtls_domain_is_ldh(name->text), name->ldh);
	for (size_t size = 0; size <= name->text.size; size++)
		check_name(name->text, size, name->normal);
}

struct literal {
	const char *proves;
	const char *text;
	bool literal;
};

static const struct literal literals[] = {
	{ "A4.3 literal: IPv4", "[192.0.2.1]", true },
	{ "A4.3 literal: IPv6", "[IPv6:2001:db8::1]", true },
	{ "A4.3 literal: IPv6 without tag", "[2001:db8::1]", true },
	{ "A4.3 literal: anything in brackets", "[example.com]", true },
	{ "A4.3 literal: bare IPv4", "192.0.2.1", true },
	{ "A4.3 literal: bare IPv4 as large as it gets", "255.255.255.255",
		true },
	{ "A4.3 literal: bare IPv6", "2001:db8::1", true },
	{ "A4.3 literal: bare IPv6 with IPv4", "::ffff:192.0.2.1", true },
	{ "A4.3 literal: bare IPv6, upper case", "2001:DB8::A", true },
	{ "A4.3 literal: nothing but colons", "::", true },
	{ "A4.3 literal: octets above 255 are no name", "300.1.2.3", true },
	{ "A4.3 literal: leading zeros are no name", "010.000.000.001", true },
	{ "A4.3 no literal: three numbers", "1.2.3", false },
	{ "A4.3 no literal: five numbers", "1.2.3.4.5", false },
	{ "A4.3 no literal: empty octet", "1..2.3", false },
	{ "A4.3 no literal: empty last octet", "1.2.3.", false },
	{ "A4.3 no literal: octet of four digits", "1.2.3.4567", false },
	{ "A4.3 no literal: letter", "1.2.3.a", false },
	{ "A4.3 no literal: a name", "example.com", false },
	{ "A4.3 no literal: empty", "", false },
	{ "A4.3 no literal: open bracket", "[192.0.2.1", false },
	{ "A4.3 no literal: one bracket", "[", false },
	{ "A4.3 no literal: port behind it", "[192.0.2.1]:25", false },
	{ "A4.3 no literal: too many groups", "1:2:3:4:5:6:7:8:9", false },
};

static void test_literal(void **state)
{
	const struct literal *literal = *state;
	struct rtls_slice whole = rtls_slice(literal->text);
	char *copy = check_copy(whole, whole.size);

	assert_int_equal(rtls_domain_is_literal(rtls_slice_n(copy, whole.size)),
		literal->literal);
	free(copy);
}

struct match {
	const char *proves;
	const char *pattern;
	const char *host;
	bool matches;
};

static const struct match matches[] = {
	{ "A6.2 the same name", "mail.example.com", "mail.example.com", true },
	{ "A6.2 E3 case does not count", "Mail.Example.com", "mAIL.eXAMPLE.COM",
		true },
	{ "E3 trailing dot of the host", "mail.example.com",
		"mail.example.com.", true },
	{ "E3 one trailing dot only", "mail.example.com", "mail.example.com..",
		false },
	{ "A6.2 trailing dot of the pattern", "mail.example.com.",
		"mail.example.com", false },
	{ "A6.2 another name", "mail.example.com", "mail.example.org", false },
	{ "A6.2 a longer name", "example.com", "mail.example.com", false },
	{ "A6.2 a shorter name", "mail.example.com", "example.com", false },
	{ "A6.2 a name with that ending", "example.com", "badexample.com",
		false },
	{ "A6.2 wildcard, one label", "*.example.com", "mail.example.com",
		true },
	{ "A6.2 wildcard, case", "*.EXAMPLE.com", "Mail.example.COM", true },
	{ "A6.2 wildcard, trailing dot", "*.example.com", "mail.example.com.",
		true },
	{ "A6.2 wildcard, no label", "*.example.com", "example.com", false },
	{ "A6.2 wildcard, empty label", "*.example.com", ".example.com",
		false },
	{ "A6.2 wildcard, two labels", "*.example.com", "foo.bar.example.com",
		false },
	{ "A6.2 wildcard, other name with that ending", "*.example.com",
		"a.badexample.com", false },
	{ "A6.2 E2 wildcard and A-label", "*.example.com",
		"xn--bcher-kva.example.com", true },
	{ "A6.2 wildcard of a single label", "*.com", "example.com", true },
	{ "case 45: wildcard and single-label host", "*.example", "host",
		false },
	{ "case 45: wildcard and its own label", "*.example", "example",
		false },
	{ "A6.2 wildcard and empty host", "*.example", "", false },
	{ "A6.2 wildcard and dot", "*.example", ".", false },
	{ "A6.2 wildcard alone", "*", "host", false },
	{ "A6.2 wildcard and nothing", "*.", "host", false },
	{ "A6.2 wildcard and nothing, dot in the host", "*.", "host.", false },
	{ "A6.2 wildcard without a dot", "*example.com", "aexample.com",
		false },
	{ "A6.2 E2 two wildcards", "*.*.example.com", "a.b.example.com",
		false },
	{ "A6.2 E2 wildcard not left-most", "mx.*.com", "mx.example.com",
		false },
	{ "A6.2 E2 partial wildcard", "mx*.example.com", "mx1.example.com",
		false },
	{ "A6.2 E2 partial wildcard in front", "*1.example.com",
		"mx1.example.com", false },
	{ "E2 wildcard inside an A-label", "xn--*-kva.example.com",
		"xn--bcher-kva.example.com", false },
	{ "E2 a host that is a wildcard", "*.example.com", "*.example.com",
		false },
	{ "E2 a host with a star matches nothing, not even itself",
		"a*.example.com", "a*.example.com", false },
	{ "A6.2 empty pattern", "", "mail.example.com", false },
	{ "A6.2 nothing and nothing", "", "", false },
	{ "A6.2 dot and dot", ".", ".", false },
	{ "A6.2 suffix form of the drafts", ".example.com", "mail.example.com",
		false },
	{ "E4 addresses match nothing", "192.0.2.1", "192.0.2.1", false },
	{ "E4 wildcard and address", "*.0.2.1", "192.0.2.1", false },
	{ "case 83: underscore in the host", "*.example.com",
		"mx_1.example.com", true },
	{ "case 83: underscore in both", "mx_1.example.com", "mx_1.example.com",
		true },
};

static void test_match(void **state)
{
	const struct match *match = *state;
	struct rtls_slice pattern = rtls_slice(match->pattern);
	struct rtls_slice host = rtls_slice(match->host);
	char *a = check_copy(pattern, pattern.size);
	char *b = check_copy(host, host.size);

	pattern.data = a;
	host.data = b;
	assert_int_equal(rtls_domain_matches(pattern, host), match->matches);
	free(a);
	free(b);
}

static void test_match_nul(void **state)
{
	struct rtls_slice name = TEXT("mail.example.com");
	struct rtls_slice longer = TEXT("mail.example.com\0.evil.example");

	(void)state;
	assert_false(rtls_domain_matches(name, longer));
	assert_false(rtls_domain_matches(longer, name));
	assert_false(rtls_domain_matches(longer, longer));
}

static void test_match_cuts(void **state)
{
	struct rtls_slice whole = TEXT("*.mail.example.com");

	(void)state;
	for (size_t size = 0; size <= whole.size; size++) {
		char *copy = check_copy(whole, size);
		struct rtls_slice cut = { copy, size };

		assert_int_equal(rtls_domain_matches(
					 cut, rtls_slice("a.mail.example.com")),
			size == whole.size);
		assert_false(rtls_domain_matches(
			rtls_slice("a.mail.example.com"), cut));
		free(copy);
	}
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_name, names);
	CHECK_TABLE(&suite, test_literal, literals);
	CHECK_TABLE(&suite, test_match, matches);
	check_add(&suite, "E2 NUL in a certificate name", test_match_nul, NULL);
	check_add(&suite, "A6.2 a pattern cut at every length", test_match_cuts,
		NULL);
	return check_run(&suite, "domain");
}
