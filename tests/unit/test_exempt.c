/* test_exempt.c - the list of exemptions: what a line may be, whom it is for, and the
 * arithmetic of its last day. */
#include "check.h"
#include "policy/exempt.h"
#include "policy/timestamp.h"

#define DUMP_SIZE 4096
#define REASON_50 "12345678901234567890123456789012345678901234567890"

struct row {
	const char *proves;
	struct rtls_slice text;
	enum rtls_status status;
	const char *wanted; /* all lines as dump() writes them, or the reason */
};

#define DOMAIN_WANTED "line 1: expected a domain"
#define KIND_WANTED   "line 1: expected sts, dnssec, requiretls or verified"
#define UNTIL_WANTED  "line 1: expected until=YYYY-MM-DD"
#define REASON_WANTED "line 1: expected a reason in double quotes"

static const struct row rows[] = {
	{ "an empty file", TEXT(""), RTLS_OK, "" },
	{ "comments and blank lines",
		TEXT("# a\n\n \t\n \t# a.example sts until=2027-01-31 \"x\"\n#"),
		RTLS_OK, "" },
	{ "the line of the manual",
		TEXT("partner.example sts until=2027-01-31 \"their "
		     "certificate, ticket 4711\""),
		RTLS_OK,
		"1 <partner.example> sts 2027-01-31 1801440000 <their "
		"certificate, ticket 4711>\n" },
	{ "several, with CRLF and blanks",
		TEXT("#\r\n \ta.example\tdnssec \t until=2000-02-29\t \"x\" "
		     "\r\n\r\n*.b.example verified until=1970-01-01 \" y \""),
		RTLS_OK,
		"2 <a.example> dnssec 2000-02-29 951868800 <x>\n"
		"4 <*.b.example> verified 1970-01-01 86400 < y >\n" },
	{ "all kinds, in any order",
		TEXT("?-_* verified,requiretls,sts,dnssec until=9999-12-31 "
		     "\"x\""),
		RTLS_OK,
		"1 <?-_*> sts,dnssec,requiretls,verified 9999-12-31 "
		"253402300800 <x>\n" },
	{ "UTF-8",
		TEXT("* sts until=2027-01-31 \"gr\xc3\xbc\xc3\x9f "
		     "\xe2\x82\xac \xf0\x9f\x93\xa7\""),
		RTLS_OK,
		"1 <*> sts 2027-01-31 1801440000 <gr\xc3\xbc\xc3\x9f "
		"\xe2\x82\xac \xf0\x9f\x93\xa7>\n" },
	{ "a reason of 200 bytes",
		TEXT("* sts until=2027-01-31 \"" REASON_50 REASON_50 REASON_50
				REASON_50 "\""),
		RTLS_OK,
		"1 <*> sts 2027-01-31 1801440000 <" REASON_50 REASON_50
			REASON_50 REASON_50 ">\n" },
	{ "backslash and # are text",
		TEXT("* sts until=2027-01-31 \"a\\b # c\""), RTLS_OK,
		"1 <*> sts 2027-01-31 1801440000 <a\\b # c>\n" },

	{ "a domain that is none",
		TEXT("a@b.example sts until=2027-01-31 \"x\""), RTLS_INVALID,
		DOMAIN_WANTED },
	{ "a domain that would never match",
		TEXT("a..example sts until=2027-01-31 \"x\""), RTLS_INVALID,
		DOMAIN_WANTED },
	{ "a last dot", TEXT("a.example. sts until=2027-01-31 \"x\""),
		RTLS_INVALID, DOMAIN_WANTED },
	{ "a U-label", TEXT("b\xc3\xbc.example sts until=2027-01-31 \"x\""),
		RTLS_INVALID, DOMAIN_WANTED },
	{ "a BOM", TEXT("\xef\xbb\xbf# x\n"), RTLS_INVALID, DOMAIN_WANTED },
	{ "only a domain", TEXT("a.example"), RTLS_INVALID, KIND_WANTED },
	{ "no kind", TEXT("a.example until=2027-01-31 \"x\""), RTLS_INVALID,
		KIND_WANTED },
	{ "an unknown kind", TEXT("a.example dane until=2027-01-31 \"x\""),
		RTLS_INVALID, KIND_WANTED },
	{ "kinds have a case", TEXT("a.example STS until=2027-01-31 \"x\""),
		RTLS_INVALID, KIND_WANTED },
	{ "an unknown kind among known ones",
		TEXT("a.example sts,all until=2027-01-31 \"x\""), RTLS_INVALID,
		KIND_WANTED },
	{ "a kind twice",
		TEXT("a.example sts,dnssec,sts until=2027-01-31 \"x\""),
		RTLS_INVALID, KIND_WANTED },
	{ "a comma too many", TEXT("a.example sts, until=2027-01-31 \"x\""),
		RTLS_INVALID, KIND_WANTED },
	{ "a comma in front", TEXT("a.example ,sts until=2027-01-31 \"x\""),
		RTLS_INVALID, KIND_WANTED },
	{ "two commas", TEXT("a.example sts,,dnssec until=2027-01-31 \"x\""),
		RTLS_INVALID, KIND_WANTED },
	{ "no end", TEXT("a.example sts \"x\""), RTLS_INVALID, UNTIL_WANTED },
	{ "nothing behind the kind", TEXT("a.example sts"), RTLS_INVALID,
		UNTIL_WANTED },
	{ "a date without its word", TEXT("a.example sts 2027-01-31 \"x\""),
		RTLS_INVALID, UNTIL_WANTED },
	{ "no date", TEXT("a.example sts until= \"x\""), RTLS_INVALID,
		UNTIL_WANTED },
	{ "a day that is none", TEXT("a.example sts until=2027-02-29 \"x\""),
		RTLS_INVALID, UNTIL_WANTED },
	{ "a date of another form", TEXT("a.example sts until=31.1.2027 \"x\""),
		RTLS_INVALID, UNTIL_WANTED },
	{ "a time of day",
		TEXT("a.example sts until=2027-01-31T00:00:00Z \"x\""),
		RTLS_INVALID, UNTIL_WANTED },
	{ "a year before there was time",
		TEXT("a.example sts until=1969-12-31 \"x\""), RTLS_INVALID,
		UNTIL_WANTED },
	{ "never", TEXT("a.example sts until=never \"x\""), RTLS_INVALID,
		UNTIL_WANTED },
	{ "the reason before the end",
		TEXT("a.example sts \"x\" until=2027-01-31"), RTLS_INVALID,
		UNTIL_WANTED },
	{ "no reason", TEXT("a.example sts until=2027-01-31"), RTLS_INVALID,
		REASON_WANTED },
	{ "a reason without quotes", TEXT("a.example sts until=2027-01-31 x"),
		RTLS_INVALID, REASON_WANTED },
	{ "an empty reason", TEXT("a.example sts until=2027-01-31 \"\""),
		RTLS_INVALID, REASON_WANTED },
	{ "a blank reason", TEXT("a.example sts until=2027-01-31 \" \t \""),
		RTLS_INVALID, REASON_WANTED },
	{ "an open quote", TEXT("a.example sts until=2027-01-31 \"x"),
		RTLS_INVALID, REASON_WANTED },
	{ "only a quote", TEXT("a.example sts until=2027-01-31 \""),
		RTLS_INVALID, REASON_WANTED },
	{ "something behind the reason",
		TEXT("a.example sts until=2027-01-31 \"x\" # y"), RTLS_INVALID,
		REASON_WANTED },
	{ "two reasons", TEXT("a.example sts until=2027-01-31 \"x\" \"y\""),
		RTLS_INVALID, REASON_WANTED },
	{ "a reason of 201 bytes",
		TEXT("* sts until=2027-01-31 \"" REASON_50 REASON_50 REASON_50
				REASON_50 "1\""),
		RTLS_INVALID, REASON_WANTED },
	{ "a control character", TEXT("* sts until=2027-01-31 \"a\x1b[1m\""),
		RTLS_INVALID, REASON_WANTED },
	{ "NUL byte", TEXT("* sts until=2027-01-31 \"a\0b\""), RTLS_INVALID,
		REASON_WANTED },
	{ "a tab in the reason", TEXT("* sts until=2027-01-31 \"a\tb\""),
		RTLS_INVALID, REASON_WANTED },
	{ "Latin-1", TEXT("* sts until=2027-01-31 \"gr\xfc\xdf\""),
		RTLS_INVALID, REASON_WANTED },
	{ "UTF-8 that is cut", TEXT("* sts until=2027-01-31 \"\xe2\x82\""),
		RTLS_INVALID, REASON_WANTED },
	{ "the line is counted",
		TEXT("#\n* sts until=2027-01-31 \"x\"\n\nb.example\n"),
		RTLS_INVALID, "line 4: expected sts" },
};

static void dump(const struct rtls_exemptions *list, char out[DUMP_SIZE])
{
	struct rtls_text text;

	rtls_text_init(&text, out, DUMP_SIZE);
	for (size_t i = 0; i < list->count; i++) {
		const struct rtls_exemption *one = &list->exemption[i];

		rtls_text_printf(&text, "%u <", one->line);
		rtls_text_add(&text, one->domain);
		rtls_text_printf(&text, "> ");
		rtls_protections_format(one->lifts, &text);
		rtls_text_printf(&text, " ");
		rtls_text_add(&text, one->until);
		rtls_text_printf(&text, " %lld <", (long long)one->end_s);
		rtls_text_add(&text, one->reason);
		rtls_text_printf(&text, ">\n");
	}
	assert_false(text.overflow);
}

static enum rtls_status parse_cut(struct rtls_slice whole, size_t size,
	char dumped[DUMP_SIZE], struct rtls_err *err)
{
	static struct rtls_exemptions list;
	char *copy = check_copy(whole, size);
	const struct rtls_slice text = rtls_slice_n(copy, size);
	enum rtls_status status;

	check_touch_not(&list, sizeof(list));
	status = rtls_exemptions_parse(text, &list, err);
	if (status == RTLS_OK) {
		for (size_t i = 0; i < list.count; i++) {
			const struct rtls_exemption *one = &list.exemption[i];

			assert_true(check_inside(text, one->domain));
			assert_true(check_inside(text, one->until));
			assert_true(check_inside(text, one->reason));
		}
		dump(&list, dumped);
	} else {
		assert_int_equal(status, RTLS_INVALID);
		assert_true(check_is_untouched(&list, sizeof(list)));
		assert_int_equal(strncmp(err->text, "line ", 5), 0);
	}
	free(copy);
	return status;
}

static void test_parse(void **state)
{
	const struct row *row = *state;
	char dumped[DUMP_SIZE];
	struct rtls_err err = { "" };

	assert_int_equal(parse_cut(row->text, row->text.size, dumped, &err),
		row->status);
	if (row->status == RTLS_OK)
		assert_string_equal(dumped, row->wanted);
	else
		check_err(&err, row->wanted);
	for (size_t size = 0; size < row->text.size; size++)
		(void)parse_cut(row->text, size, dumped, &err);
}

static void test_limits(void **state)
{
	static const char line[] = "* sts until=2027-01-31 \"x\"\n";
	static char text[(RTLS_EXEMPT_MAX + 1) * (sizeof(line) - 1)];
	static char large[RTLS_EXEMPT_SIZE_MAX + 1];
	static struct rtls_exemptions list;
	struct rtls_err err;

	(void)state;
	for (size_t i = 0; i <= RTLS_EXEMPT_MAX; i++)
		memcpy(text + i * (sizeof(line) - 1), line, sizeof(line) - 1);
	assert_int_equal(
		rtls_exemptions_parse(
			rtls_slice_n(text, sizeof(text) - sizeof(line) + 1),
			&list, &err),
		RTLS_OK);
	assert_int_equal(list.count, RTLS_EXEMPT_MAX);
	assert_int_equal(rtls_exemptions_parse(
				 rtls_slice_n(text, sizeof(text)), &list, &err),
		RTLS_INVALID);
	check_err(&err, "line 257: expected at most 256 exemptions");
	memset(large, '#', sizeof(large));
	assert_int_equal(
		rtls_exemptions_parse(
			rtls_slice_n(large, sizeof(large)), &list, &err),
		RTLS_INVALID);
	check_err(&err, "line 1: expected at most 65536 bytes");
	assert_int_equal(
		rtls_exemptions_parse(
			rtls_slice_n(large, sizeof(large) - 1), &list, &err),
		RTLS_OK);
}

/* --- the last day --- */

struct day {
	const char *proves;
	const char *now;
	bool over;
	int days_left;
};

/* Of an exemption until 2027-01-31. */
static const struct day days[] = {
	{ "long before", "2026-01-31T00:00:00Z", false, 365 },
	{ "two days before, its end", "2027-01-29T23:59:59Z", false, 2 },
	{ "the day before, its begin", "2027-01-30T00:00:00Z", false, 1 },
	{ "the day before, its end", "2027-01-30T23:59:59Z", false, 1 },
	{ "the last day, its begin", "2027-01-31T00:00:00Z", false, 0 },
	{ "the last day, its last second", "2027-01-31T23:59:59Z", false, 0 },
	{ "the first second after", "2027-02-01T00:00:00Z", true, 0 },
	{ "a year after", "2028-01-31T12:00:00Z", true, 0 },
};

static void test_day(void **state)
{
	const struct day *row = *state;
	static struct rtls_exemptions list;
	int64_t now_s = 0;

	assert_int_equal(
		rtls_timestamp_parse(rtls_slice(row->now), &now_s), RTLS_OK);
	assert_int_equal(
		rtls_exemptions_parse(
			rtls_slice("a.example sts until=2027-01-31 \"x\""),
			&list, NULL),
		RTLS_OK);
	assert_int_equal(
		rtls_exemption_is_over(&list.exemption[0], now_s), row->over);
	assert_int_equal(rtls_exemption_days_left(&list.exemption[0], now_s),
		row->days_left);
	assert_int_equal(
		rtls_exemptions_in_force(&list, rtls_slice("a.example"), now_s),
		row->over ? 0 : RTLS_PROTECT_STS);
}

/* A clock that says nonsense lets no exemption last longer. */
static void test_odd_clocks(void **state)
{
	const struct rtls_exemption one = { .end_s = 86400 };

	(void)state;
	assert_false(rtls_exemption_is_over(&one, -1));
	assert_true(rtls_exemption_is_over(&one, INT64_MAX));
	assert_int_equal(rtls_exemption_days_left(&one, INT64_MAX), 0);
	assert_int_equal(rtls_exemption_days_left(&one, 0), 0);
	assert_int_equal(rtls_exemption_days_left(&one, INT64_MIN), 0);
}

/* --- whom it is for --- */

static const char some[] = "a.example sts until=2027-01-31 \"x\"\n"
			   "*.a.example sts,dnssec until=2027-01-10 \"x\"\n"
			   "?.example verified,sts until=2027-06-30 \"x\"\n"
			   "a.example requiretls until=2026-01-01 \"over\"\n"
			   "mx.a.example dnssec until=2027-01-31 \"x\"\n";

struct match {
	const char *proves;
	const char *domain;
	const char *now;
	unsigned
		lifted; /* what is asked to be described; all that is in force */
	const char *words;
};

#define STS      RTLS_PROTECT_STS
#define DNSSEC   RTLS_PROTECT_DNSSEC
#define VERIFIED RTLS_PROTECT_VERIFIED

static const struct match matches[] = {
	{ "lines add up, each is named once", "a.example",
		"2027-01-01T00:00:00Z", STS | VERIFIED,
		" exempt=sts until=2027-01-31 exempt=verified "
		"until=2027-06-30" },
	{ "case does not count", "A.Example", "2027-01-01T00:00:00Z",
		STS | VERIFIED,
		" exempt=sts until=2027-01-31 exempt=verified "
		"until=2027-06-30" },
	{ "the first line is over, the next counts", "a.example",
		"2027-02-01T00:00:00Z", STS | VERIFIED,
		" exempt=sts,verified until=2027-06-30" },
	{ "a name below", "mx.a.example", "2027-01-01T00:00:00Z", STS | DNSSEC,
		" exempt=sts,dnssec until=2027-01-10" },
	{ "of two kinds one runs on", "mx.a.example", "2027-01-11T00:00:00Z",
		DNSSEC, " exempt=dnssec until=2027-01-31" },
	{ "all are over", "a.example", "2027-07-01T00:00:00Z", 0, "" },
	{ "another domain", "aa.example", "2027-01-01T00:00:00Z", 0, "" },
	{ "no domain", "", "2027-01-01T00:00:00Z", 0, "" },
};

static void test_match(void **state)
{
	const struct match *row = *state;
	static struct rtls_exemptions list;
	struct rtls_slice domain = rtls_slice(row->domain);
	struct rtls_text text;
	char words[256];
	int64_t now_s = 0;

	assert_int_equal(
		rtls_timestamp_parse(rtls_slice(row->now), &now_s), RTLS_OK);
	assert_int_equal(
		rtls_exemptions_parse(rtls_slice(some), &list, NULL), RTLS_OK);
	assert_int_equal(
		rtls_exemptions_in_force(&list, domain, now_s), row->lifted);
	for (unsigned one = 1; one <= RTLS_PROTECT_VERIFIED; one <<= 1)
		assert_int_equal(
			rtls_exemptions_find(&list, domain, now_s, one) != NULL,
			(row->lifted & one) != 0);
	rtls_text_init(&text, words, sizeof(words));
	rtls_exemptions_describe(&list, domain, now_s, row->lifted, &text);
	assert_string_equal(words, row->words);
	/* Only what counted is told. */
	rtls_text_init(&text, words, sizeof(words));
	rtls_exemptions_describe(&list, domain, now_s, 0, &text);
	assert_string_equal(words, "");
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned set = 0; set < 64; set++) {
		const char *name = rtls_protection_name(set);

		if (set == 1 || set == 2 || set == 4 || set == 8)
			assert_int_equal(
				rtls_protection_named(rtls_slice(name)), set);
		else
			assert_null(name);
	}
	assert_int_equal(rtls_protection_named(rtls_slice("")), 0);
	assert_int_equal(rtls_protection_named(rtls_slice("sts,dnssec")), 0);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_parse, rows);
	check_add(&suite, "too many, too large a file", test_limits, NULL);
	CHECK_TABLE(&suite, test_day, days);
	check_add(&suite, "a clock far off", test_odd_clocks, NULL);
	CHECK_TABLE(&suite, test_match, matches);
	check_add(&suite, "names of the kinds", test_names, NULL);
	return check_run(&suite, "exempt");
}
