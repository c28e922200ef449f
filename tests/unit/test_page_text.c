/* test_page_text.c - what strangers wrote, numbers and days in a page. */
#include "check.h"
#include "report/page_text.h"

struct row {
	const char *proves;
	struct rtls_slice input;
	size_t characters_max;
	const char *wanted;
};

static const struct row rows[] = {
	{ "plain text stays", TEXT("mx1.example.com"), 300, "mx1.example.com" },
	{ "nothing stays nothing", TEXT(""), 300, "" },
	{ "markup is no markup", TEXT("<b a='1' c=\"2\">&"), 300,
		"&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;" },
	{ "a reference is text", TEXT("&lt;&#60;"), 300, "&amp;lt;&amp;#60;" },
	{ "an end of a section is text", TEXT("]]><!--"), 300,
		"]]&gt;&lt;!--" },
	{ "other scripts stay", TEXT("S\xc3\xb6hne \xd8\xa8 \xe4\xbd\xa0"), 300,
		"S\xc3\xb6hne \xd8\xa8 \xe4\xbd\xa0" },
	{ "and what is beyond 16 bits", TEXT("\xf0\x9f\x93\xa7"), 300,
		"\xf0\x9f\x93\xa7" },
	{ "control characters are shown", TEXT("a\tb\nc\x1b[31m\x7f"), 300,
		"a\\x09b\\x0ac\\x1b[31m\\x7f" },
	{ "a NUL too", TEXT("a\0b"), 300, "a\\x00b" },
	{ "controls of 0x80 and up", TEXT("\xc2\x9b"), 300, "\\xc2\\x9b" },
	{ "what is no UTF-8", TEXT("a\xff\xc3"), 300, "a\\xff\\xc3" },
	{ "an overlong slash", TEXT("\xc0\xaf"), 300, "\\xc0\\xaf" },
	{ "an overlong <", TEXT("\xe0\x80\xbc"), 300, "\\xe0\\x80\\xbc" },
	{ "a surrogate", TEXT("\xed\xa0\x80"), 300, "\\xed\\xa0\\x80" },
	{ "a noncharacter", TEXT("\xef\xbf\xbe"), 300, "\\xef\\xbf\\xbe" },
	{ "a change of direction is shown", TEXT("\xe2\x80\xaegpj\xe2\x80\xac"),
		300, "\\u202egpj\\u202c" },
	{ "isolates", TEXT("\xe2\x81\xa6x\xe2\x81\xa9"), 300,
		"\\u2066x\\u2069" },
	{ "the Arabic mark of direction", TEXT("\xd8\x9c"), 300, "\\u061c" },
	{ "width zero",
		TEXT("a\xe2\x80\x8b"
		     "b\xef\xbb\xbf"),
		300, "a\\u200bb\\ufeff" },
	{ "separators of lines", TEXT("\xe2\x80\xa8\xe2\x80\xa9"), 300,
		"\\u2028\\u2029" },
	{ "tags", TEXT("\xf3\xa0\x81\x81"), 300, "\\ue0041" },
	{ "two marks on a letter stay",
		TEXT("a\xcc\x81\xcc\x82"
		     "b"),
		300,
		"a\xcc\x81\xcc\x82"
		"b" },
	{ "more are left out", TEXT("a\xcc\x81\xcc\x82\xcc\x83\xcc\x84z"), 300,
		"a\xcc\x81\xcc\x82z" },
	{ "as long as may be", TEXT("abc"), 3, "abc" },
	{ "longer is cut", TEXT("abcd"), 3, "abc\xe2\x80\xa6" },
	{ "at a character, not at a byte", TEXT("\xc3\xb6\xc3\xb6\xc3\xb6"), 2,
		"\xc3\xb6\xc3\xb6\xe2\x80\xa6" },
	{ "an escape counts once", TEXT("<<<"), 2, "&lt;&lt;\xe2\x80\xa6" },
};

/* A stream in memory. */
struct sink {
	FILE *file;
	char *text;
	size_t size;
};

static void sink_open(struct sink *sink)
{
	sink->file = open_memstream(&sink->text, &sink->size);
	assert_non_null(sink->file);
}

static void sink_check(struct sink *sink, const char *wanted)
{
	assert_int_equal(fclose(sink->file), 0);
	assert_string_equal(sink->text, wanted);
	free(sink->text);
}

static void put_row(void **state)
{
	const struct row *row = *state;
	char *copy = check_copy(row->input, row->input.size);
	struct sink sink;

	sink_open(&sink);
	rtls_page_put(sink.file, rtls_slice_n(copy, row->input.size),
		row->characters_max);
	sink_check(&sink, row->wanted);
	free(copy);
}

static void put_foreign(void **state)
{
	struct sink sink;

	(void)state;
	sink_open(&sink);
	rtls_page_put_foreign(sink.file, rtls_slice("<"));
	sink_check(&sink, "<bdi>&lt;</bdi>");
}

struct share {
	const char *proves;
	uint64_t part, whole;
	const char *wanted;
};

static const struct share shares[] = {
	{ "of nothing", 0, 0, "0%" },
	{ "nothing", 0, 7, "0%" },
	{ "all", 7, 7, "100%" },
	{ "more than all, where a report is wrong", 8, 7, "100%" },
	{ "one of millions is not nothing", 1, 5000000, "&lt;0.01%" },
	{ "two digits below one", 1, 400, "0.25%" },
	{ "which does not become one", 9999, 1000000, "0.99%" },
	{ "one digit above", 1, 8, "12.5%" },
	{ "nearly all is not all", 999999, 1000000, "&gt;99.9%" },
	{ "the largest", UINT64_MAX - 1, UINT64_MAX, "&gt;99.9%" },
};

static void put_share(void **state)
{
	const struct share *row = *state;
	struct sink sink;

	sink_open(&sink);
	rtls_page_put_share(sink.file, row->part, row->whole);
	sink_check(&sink, row->wanted);
}

static void put_numbers(void **state)
{
	struct sink sink;

	(void)state;
	sink_open(&sink);
	rtls_page_put_count(sink.file, 0);
	(void)fputc(' ', sink.file);
	rtls_page_put_count(sink.file, 999);
	(void)fputc(' ', sink.file);
	rtls_page_put_count(sink.file, 1000);
	(void)fputc(' ', sink.file);
	rtls_page_put_count(sink.file, UINT64_MAX);
	(void)fputc(' ', sink.file);
	rtls_page_put_date(sink.file, 1795132800);
	(void)fputc(' ', sink.file);
	rtls_page_put_short_date(sink.file, 1795132800 + 86399);
	(void)fputc(' ', sink.file);
	rtls_page_put_short_date(sink.file, 1795996800);
	sink_check(&sink, "0 999 1,000 18,446,744,073,709,551,615 2026-11-20 "
			  "Nov 20 Nov 30");
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, put_row, rows);
	CHECK_TABLE(&suite, put_share, shares);
	check_add(&suite, "foreign text has a direction of its own",
		put_foreign, NULL);
	check_add(&suite, "counts and days", put_numbers, NULL);
	return check_run(&suite, "page_text");
}
