/* test_flags.c - what a message asks for (items C1.4 to C1.7). */
#include "check.h"
#include "policy/flags.h"

#define NO      RTLS_REQUIRETLS_NO, RTLS_BY_NOTHING
#define SIZE    128
#define FLAGGED RTLS_REQUIRETLS_YES

struct row {
	const char *proves;
	struct rtls_slice text;
	enum rtls_status status;
	struct rtls_flags flags;
};

static const struct row rows[] = {
	{ "C1.4 flagged by the SMTP parameter",
		TEXT("requiretls=yes by=esmtp dnssec=no"), RTLS_OK,
		{ FLAGGED, RTLS_BY_ESMTP, RTLS_DNSSEC_NO } },
	{ "flagged by the tag", TEXT("requiretls=yes by=tag dnssec=no"),
		RTLS_OK, { FLAGGED, RTLS_BY_TAG, RTLS_DNSSEC_NO } },
	{ "flagged by an ACL", TEXT("requiretls=yes by=acl dnssec=request"),
		RTLS_OK, { FLAGGED, RTLS_BY_ACL, RTLS_DNSSEC_REQUEST } },
	{ "flagged by a rule", TEXT("requiretls=yes by=rule dnssec=require"),
		RTLS_OK, { FLAGGED, RTLS_BY_RULE, RTLS_DNSSEC_REQUIRE } },
	{ "C3.1 a bounce", TEXT("requiretls=yes by=bounce dnssec=no"), RTLS_OK,
		{ FLAGGED, RTLS_BY_BOUNCE, RTLS_DNSSEC_NO } },
	{ "C1.5 relaxed by the header",
		TEXT("requiretls=relaxed by=header dnssec=no"), RTLS_OK,
		{ RTLS_REQUIRETLS_RELAXED, RTLS_BY_HEADER, RTLS_DNSSEC_NO } },
	{ "plain", TEXT("requiretls=no dnssec=no"), RTLS_OK,
		{ NO, RTLS_DNSSEC_NO } },
	{ "plain, with a rule for DNSSEC", TEXT("requiretls=no dnssec=require"),
		RTLS_OK, { NO, RTLS_DNSSEC_REQUIRE } },
	{ "other words around",
		TEXT(" x y=\"z\trequiretls=yes  new=1 dnssec=no "), RTLS_OK,
		{ FLAGGED, RTLS_BY_NOTHING, RTLS_DNSSEC_NO } },
	{ "any order", TEXT("dnssec=no by=tag requiretls=yes"), RTLS_OK,
		{ FLAGGED, RTLS_BY_TAG, RTLS_DNSSEC_NO } },
	{ "nothing written", TEXT(""), RTLS_NONE, { NO, RTLS_DNSSEC_NO } },
	{ "another local_scan's text", TEXT("spam score 3 dnssec=require"),
		RTLS_NONE, { NO, RTLS_DNSSEC_NO } },
	{ "not at the start of a word", TEXT("xrequiretls=yes dnssec=no"),
		RTLS_NONE, { NO, RTLS_DNSSEC_NO } },
	{ "fails closed: no value", TEXT("requiretls= dnssec=no"), RTLS_INVALID,
		{ NO, RTLS_DNSSEC_NO } },
	{ "fails closed: unknown value", TEXT("requiretls=maybe dnssec=no"),
		RTLS_INVALID, { NO, RTLS_DNSSEC_NO } },
	{ "fails closed: words have a case", TEXT("requiretls=NO dnssec=no"),
		RTLS_INVALID, { NO, RTLS_DNSSEC_NO } },
	{ "fails closed: twice", TEXT("requiretls=no requiretls=no dnssec=no"),
		RTLS_INVALID, { NO, RTLS_DNSSEC_NO } },
	{ "fails closed: cut", TEXT("requiretls=no"), RTLS_INVALID,
		{ NO, RTLS_DNSSEC_NO } },
	{ "fails closed: cut in the word", TEXT("requiretls=no dnssec=requ"),
		RTLS_INVALID, { NO, RTLS_DNSSEC_NO } },
	{ "fails closed: dnssec twice",
		TEXT("requiretls=no dnssec=no dnssec=no"), RTLS_INVALID,
		{ NO, RTLS_DNSSEC_NO } },
	{ "fails closed: unknown origin", TEXT("requiretls=no by=x dnssec=no"),
		RTLS_INVALID, { NO, RTLS_DNSSEC_NO } },
	{ "fails closed: two origins",
		TEXT("requiretls=yes by=tag by=acl dnssec=no"), RTLS_INVALID,
		{ NO, RTLS_DNSSEC_NO } },
	{ "C1.5 only the header relaxes",
		TEXT("requiretls=relaxed by=tag dnssec=no"), RTLS_INVALID,
		{ NO, RTLS_DNSSEC_NO } },
	{ "fails closed: NUL byte", TEXT("requiretls=no\0 dnssec=no"),
		RTLS_INVALID, { NO, RTLS_DNSSEC_NO } },
	{ "fails closed: line end", TEXT("requiretls=no\ndnssec=no"),
		RTLS_INVALID, { NO, RTLS_DNSSEC_NO } },
};

static void check_flags(
	const struct rtls_flags *flags, const struct rtls_flags *wanted)
{
	assert_int_equal(flags->requiretls, wanted->requiretls);
	assert_int_equal(flags->by, wanted->by);
	assert_int_equal(flags->dnssec, wanted->dnssec);
}

static enum rtls_status parse_cut(
	struct rtls_slice whole, size_t size, struct rtls_flags *flags)
{
	char *copy = check_copy(whole, size);
	enum rtls_status status;

	check_touch_not(flags, sizeof(*flags));
	status = rtls_flags_parse(rtls_slice_n(copy, size), flags);
	free(copy);
	if (status == RTLS_INVALID)
		assert_true(check_is_untouched(flags, sizeof(*flags)));
	return status;
}

static void test_parse(void **state)
{
	const struct row *row = *state;
	struct rtls_flags flags;

	assert_int_equal(
		parse_cut(row->text, row->text.size, &flags), row->status);
	if (row->status != RTLS_INVALID)
		check_flags(&flags, &row->flags);
	for (int otherwise = 0; otherwise < 2; otherwise++)
		assert_int_equal(rtls_flags_are_yes(row->text, otherwise),
			row->status == RTLS_INVALID ||
				(row->status == RTLS_NONE
						? otherwise
						: row->flags.requiretls ==
							  FLAGGED));
	for (size_t size = 0; size < row->text.size; size++)
		(void)parse_cut(row->text, size, &flags);
}

/* As soon as the word is there, no cut makes a flagged message a plain one. */
static void test_cut_fails_closed(void **state)
{
	const struct rtls_slice text =
		TEXT("requiretls=yes by=tag dnssec=require");
	struct rtls_flags flags;

	(void)state;
	for (size_t size = sizeof("requiretls=") - 1; size < text.size; size++)
		assert_int_equal(parse_cut(text, size, &flags), RTLS_INVALID);
}

/* All flags that are possible go through the spool unchanged. */
static void test_round_trip(void **state)
{
	char buffer[SIZE];
	struct rtls_text text;
	struct rtls_flags read;

	(void)state;
	for (int i = 0; i < 3 * 7 * 3; i++) {
		const struct rtls_flags flags = { (enum rtls_requiretls)(i % 3),
			(enum rtls_flagged_by)(i / 3 % 7),
			(enum rtls_dnssec_wish)(i / 21) };
		const bool possible =
			flags.requiretls != RTLS_REQUIRETLS_RELAXED ||
			flags.by == RTLS_BY_NOTHING ||
			flags.by == RTLS_BY_HEADER;

		rtls_text_init(&text, buffer, sizeof(buffer));
		rtls_flags_format(&flags, &text);
		assert_false(text.overflow);
		assert_int_equal(
			rtls_flags_parse(rtls_text_slice(&text), &read),
			possible ? RTLS_OK : RTLS_INVALID);
		if (possible)
			check_flags(&read, &flags);
	}
}

static void test_format(void **state)
{
	const struct rtls_flags tagged = { FLAGGED, RTLS_BY_TAG,
		RTLS_DNSSEC_NO };
	const struct rtls_flags plain = { NO, RTLS_DNSSEC_REQUEST };
	char buffer[SIZE];
	struct rtls_text text;

	(void)state;
	rtls_text_init(&text, buffer, sizeof(buffer));
	rtls_flags_format(&tagged, &text);
	assert_string_equal(buffer, "requiretls=yes by=tag dnssec=no");
	rtls_text_init(&text, buffer, sizeof(buffer));
	rtls_flags_format(&plain, &text);
	assert_string_equal(buffer, "requiretls=no dnssec=request");
	assert_string_equal(rtls_flagged_by_name(RTLS_BY_ESMTP), "esmtp");
	assert_string_equal(rtls_flagged_by_name(RTLS_BY_BOUNCE), "bounce");
}

struct header {
	const char *proves;
	struct rtls_slice value;
	bool is_no;
};

static const struct header headers[] = {
	{ "C1.7 No", TEXT("No"), true },
	{ "C1.7 as it stands in a message", TEXT(" No\n"), true },
	{ "C1.7 CRLF", TEXT(" No\r\n"), true },
	{ "C1.7 ABNF has no case: no", TEXT(" no\n"), true },
	{ "C1.7 ABNF has no case: NO", TEXT("NO"), true },
	{ "C1.7 folded", TEXT("\r\n\tNo \n"), true },
	{ "C1.7 empty", TEXT(""), false },
	{ "C1.7 blank", TEXT(" \r\n"), false },
	{ "C1.7 Yes", TEXT(" Yes\n"), false },
	{ "C1.7 longer word", TEXT(" None\n"), false },
	{ "C1.7 shorter word", TEXT(" N\n"), false },
	{ "C1.7 a comment", TEXT(" No (really)\n"), false },
	{ "C1.7 a list", TEXT(" No, No\n"), false },
	{ "C1.7 quoted", TEXT(" \"No\"\n"), false },
	{ "C1.7 folded inside", TEXT(" N\n o\n"), false },
	{ "C1.7 NUL byte", TEXT(" No\0"), false },
};

static void test_header(void **state)
{
	const struct header *row = *state;
	char *copy = check_copy(row->value, row->value.size);

	assert_int_equal(
		rtls_tls_required_is_no(rtls_slice_n(copy, row->value.size)),
		row->is_no);
	for (size_t size = 0; size < row->value.size; size++) {
		char *cut = check_copy(row->value, size);

		(void)rtls_tls_required_is_no(rtls_slice_n(cut, size));
		free(cut);
	}
	free(copy);
}

struct tagged {
	const char *proves;
	struct rtls_slice address;
	const char *tag;
	const char *wanted; /* NULL: no tag there */
};

static const struct tagged addresses[] = {
	{ "tag: taken off", TEXT("joe+requiretls@bank.example"), "+requiretls",
		"joe@bank.example" },
	{ "tag: no case", TEXT("joe+RequireTLS@bank.example"), "+requiretls",
		"joe@bank.example" },
	{ "tag: the rest keeps its case", TEXT("Joe+REQUIRETLS@Bank.Example"),
		"+requiretls", "Joe@Bank.Example" },
	{ "tag: another tag before it", TEXT("joe+x+requiretls@a.example"),
		"+requiretls", "joe+x@a.example" },
	{ "tag: once only", TEXT("joe+requiretls+requiretls@a.example"),
		"+requiretls", "joe+requiretls@a.example" },
	{ "tag: other separators", TEXT("joe-tls@a.example"), "-tls",
		"joe@a.example" },
	{ "tag: quoted local part", TEXT("\"joe d+requiretls\"@a.example"),
		"+requiretls", "\"joe d\"@a.example" },
	{ "tag: quoted local part with @",
		TEXT("\"j@x.example+requiretls\"@a.example"), "+requiretls",
		"\"j@x.example\"@a.example" },
	{ "tag: escaped in quotes", TEXT("\"joe\\+requiretls\"@a.example"),
		"+requiretls", "\"joe\"@a.example" },
	{ "tag: an escaped backslash before it",
		TEXT("\"joe\\\\+requiretls\"@a.example"), "+requiretls",
		"\"joe\\\\\"@a.example" },
	{ "tag: an escaped quote inside",
		TEXT("\"j\\\"@x+requiretls\"@a.example"), "+requiretls",
		"\"j\\\"@x\"@a.example" },
	{ "tag: address literal", TEXT("joe+requiretls@[192.0.2.1]"),
		"+requiretls", "joe@[192.0.2.1]" },
	{ "tag: UTF-8 local part", TEXT("j\xc3\xb6+requiretls@a.example"),
		"+requiretls", "j\xc3\xb6@a.example" },
	{ "tag: none", TEXT("joe@bank.example"), "+requiretls", NULL },
	{ "tag: a longer one", TEXT("joe+requiretls2@a.example"), "+requiretls",
		NULL },
	{ "tag: in the middle", TEXT("joe+requiretls+x@a.example"),
		"+requiretls", NULL },
	{ "tag: in the domain", TEXT("joe@a+requiretls@b"), "+requiretls",
		NULL },
	{ "tag: in an address literal", TEXT("joe@[x:a+requiretls@b]"),
		"+requiretls", NULL },
	{ "tag: nothing else", TEXT("+requiretls@a.example"), "+requiretls",
		NULL },
	{ "tag: nothing else in quotes", TEXT("\"+requiretls\"@a.example"),
		"+requiretls", NULL },
	{ "tag: nothing else, escaped", TEXT("\"\\+requiretls\"@a.example"),
		"+requiretls", NULL },
	{ "tag: no domain", TEXT("joe+requiretls@"), "+requiretls", NULL },
	{ "tag: no @", TEXT("joe+requiretls"), "+requiretls", NULL },
	{ "tag: @ only in quotes", TEXT("\"joe+requiretls@a.example\""),
		"+requiretls", NULL },
	{ "tag: open quote", TEXT("\"joe+requiretls@a.example"), "+requiretls",
		NULL },
	{ "tag: empty address", TEXT(""), "+requiretls", NULL },
	{ "tag: the empty sender", TEXT("@"), "+requiretls", NULL },
	{ "tag: off", TEXT("joe@a.example"), "", NULL },
	{ "tag: NUL byte", TEXT("jo\0e+requiretls@a.example"), "+requiretls",
		NULL },
	{ "tag: NUL byte in the domain", TEXT("joe+requiretls@a\0.example"),
		"+requiretls", NULL },
};

/* Into a block of just out_size bytes. */
static bool strip_cut(const struct tagged *row, size_t size, size_t out_size,
	const char *wanted)
{
	char *copy = check_copy(row->address, size);
	char *out = malloc(out_size);
	bool stripped;

	if (out == NULL)
		abort();
	check_touch_not(out, out_size);
	stripped = rtls_tag_strip(
		rtls_slice_n(copy, size), rtls_slice(row->tag), out, out_size);
	if (!stripped)
		assert_true(check_is_untouched(out, out_size));
	else if (wanted != NULL)
		assert_string_equal(out, wanted);
	free(out);
	free(copy);
	return stripped;
}

static void test_tag(void **state)
{
	const struct tagged *row = *state;
	const size_t size = row->address.size;

	assert_int_equal(
		strip_cut(row, size, SIZE, row->wanted), row->wanted != NULL);
	for (size_t cut = 0; cut < size; cut++)
		(void)strip_cut(row, cut, SIZE, NULL);
	if (row->wanted == NULL)
		return;
	assert_true(strip_cut(row, size, strlen(row->wanted) + 1, row->wanted));
	assert_false(strip_cut(row, size, strlen(row->wanted), NULL));
	assert_false(strip_cut(row, size, 1, NULL));
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_parse, rows);
	check_add(&suite, "fails closed: cut anywhere", test_cut_fails_closed,
		NULL);
	check_add(&suite, "C1.4 all flags survive the spool", test_round_trip,
		NULL);
	check_add(&suite, "the words in the spool", test_format, NULL);
	CHECK_TABLE(&suite, test_header, headers);
	CHECK_TABLE(&suite, test_tag, addresses);
	return check_run(&suite, "flags");
}
