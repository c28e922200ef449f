/* test_slice.c - the few things done with slices. */
#include <limits.h>

#include "check.h"
#include "policy/text.h"

static const struct rtls_slice nothing = { NULL, 0 };

static void test_make(void **state)
{
	(void)state;
	assert_int_equal(rtls_slice(NULL).size, 0);
	assert_int_equal(rtls_slice("").size, 0);
	assert_int_equal(rtls_slice("abc").size, 3);
	assert_int_equal(rtls_slice_n("abc", 2).size, 2);
}

static void test_equal(void **state)
{
	struct rtls_slice nul = TEXT("a\0b");

	(void)state;
	assert_true(rtls_slice_equal(rtls_slice("ab"), rtls_slice("ab")));
	assert_false(rtls_slice_equal(rtls_slice("ab"), rtls_slice("aB")));
	assert_false(rtls_slice_equal(rtls_slice("ab"), rtls_slice("abc")));
	assert_true(rtls_slice_equal(nothing, rtls_slice("")));
	assert_false(rtls_slice_equal(nothing, rtls_slice("a")));
	assert_false(rtls_slice_equal(nul, rtls_slice("a")));
	assert_true(rtls_slice_equal(nul, nul));
	assert_true(rtls_slice_is(rtls_slice("a"), "a"));
	assert_true(rtls_slice_is(nothing, ""));
	assert_false(rtls_slice_is(nul, "a"));
}

static void test_equal_nocase(void **state)
{
	(void)state;
	assert_true(rtls_slice_is_nocase(rtls_slice("aZ-09"), "Az-09"));
	assert_true(rtls_slice_is_nocase(nothing, ""));
	assert_false(rtls_slice_is_nocase(rtls_slice("ab"), "a"));
	/* Neighbours of the letters, and letters of Latin-1. */
	assert_false(rtls_slice_is_nocase(rtls_slice("@["), "`{"));
	assert_false(rtls_slice_is_nocase(rtls_slice("\xc4"), "\xe4"));
}

static void test_starts(void **state)
{
	(void)state;
	assert_true(rtls_slice_starts(rtls_slice("abc"), "ab"));
	assert_true(rtls_slice_starts(rtls_slice("abc"), "abc"));
	assert_false(rtls_slice_starts(rtls_slice("abc"), "abcd"));
	assert_false(rtls_slice_starts(rtls_slice("abc"), "b"));
	assert_true(rtls_slice_starts(rtls_slice("abc"), ""));
	assert_true(rtls_slice_starts(nothing, ""));
	assert_false(rtls_slice_starts(nothing, "a"));
}

static bool ends(const char *text, const char *suffix)
{
	return rtls_slice_ends_nocase(rtls_slice(text), rtls_slice(suffix));
}

static void test_ends(void **state)
{
	(void)state;
	assert_true(ends("abC", "Bc"));
	assert_true(ends("abc", "abc"));
	assert_false(ends("abc", "xabc"));
	assert_false(ends("abc", "b"));
	assert_true(ends("abc", ""));
	assert_true(ends("", ""));
	assert_false(ends("", "a"));
}

static void test_trim(void **state)
{
	(void)state;
	check_slice(rtls_slice_trim(rtls_slice(" \ta b\t ")), "a b");
	check_slice(rtls_slice_trim(rtls_slice("a")), "a");
	check_slice(rtls_slice_trim(rtls_slice(" \t ")), "");
	check_slice(rtls_slice_trim(rtls_slice("\r a\n")), "\r a\n");
	check_slice(rtls_slice_trim(nothing), "");
}

static void test_take(void **state)
{
	struct rtls_slice rest = rtls_slice("a.b..");

	(void)state;
	check_slice(rtls_slice_take(&rest, '.'), "a");
	check_slice(rest, "b..");
	check_slice(rtls_slice_take(&rest, '.'), "b");
	check_slice(rest, ".");
	check_slice(rtls_slice_take(&rest, '.'), "");
	check_slice(rest, "");
	check_slice(rtls_slice_take(&rest, '.'), "");
	rest = rtls_slice("abc");
	check_slice(rtls_slice_take(&rest, '.'), "abc");
	check_slice(rest, "");
	rest = nothing;
	check_slice(rtls_slice_take(&rest, '.'), "");
}

struct lines {
	const char *proves;
	const char *text;
	const char *wanted; /* the lines, each with "|" behind it */
};

static const struct lines lines[] = {
	{ "lines: LF and CRLF", "a\nb\r\nc\n", "a|b|c|" },
	{ "lines: no end behind the last", "a\nb", "a|b|" },
	{ "lines: empty ones", "\n\r\n\na", "|||a|" },
	{ "lines: none", "", "" },
	{ "lines: a CR alone stays", "a\rb\r", "a\rb\r|" },
	{ "lines: only one CR goes", "a\r\r\n", "a\r|" },
	{ "lines: CR as last byte stays", "a\n\r", "a|\r|" },
};

static void test_lines(void **state)
{
	const struct lines *row = *state;
	size_t size = strlen(row->text);
	char *copy = check_copy(rtls_slice(row->text), size);
	struct rtls_slice rest = { copy, size }, line;
	char got[32];
	struct rtls_text text;

	rtls_text_init(&text, got, sizeof(got));
	while (rtls_slice_line(&rest, &line)) {
		rtls_text_add(&text, line);
		rtls_text_printf(&text, "|");
	}
	assert_string_equal(got, row->wanted);
	free(copy);
}

static void test_words(void **state)
{
	struct rtls_slice rest = rtls_slice(" \ta  bc\td "), word = nothing;

	(void)state;
	assert_true(rtls_slice_word(&rest, &word));
	check_slice(word, "a");
	assert_true(rtls_slice_word(&rest, &word));
	check_slice(word, "bc");
	check_slice(rest, "d");
	assert_true(rtls_slice_word(&rest, &word));
	check_slice(word, "d");
	assert_false(rtls_slice_word(&rest, &word));
	check_slice(word, "d");
	rest = rtls_slice(" \t");
	assert_false(rtls_slice_word(&rest, &word));
	rest = nothing;
	assert_false(rtls_slice_word(&rest, &word));
}

struct number {
	const char *proves;
	const char *text;
	unsigned long long max;
	bool good;
	unsigned long long value;
};

static const struct number numbers[] = {
	{ "number: zero", "0", 0, true, 0 },
	{ "number: the largest allowed", "65535", 65535, true, 65535 },
	{ "number: one more", "65536", 65535, false, 0 },
	{ "number: ten times more", "655350", 65535, false, 0 },
	{ "number: above zero where zero is the most", "1", 0, false, 0 },
	{ "number: digit above the most", "9", 5, false, 0 },
	{ "number: leading zeros", "00042", 42, true, 42 },
	{ "number: the largest there is", "18446744073709551615", ULLONG_MAX,
		true, ULLONG_MAX },
	{ "number: one above the largest there is", "18446744073709551616",
		ULLONG_MAX, false, 0 },
	{ "number: far too long", "99999999999999999999999", ULLONG_MAX, false,
		0 },
	{ "number: empty", "", 9, false, 0 },
	{ "number: minus", "-1", 9, false, 0 },
	{ "number: plus", "+1", 9, false, 0 },
	{ "number: blank", " 1", 9, false, 0 },
	{ "number: letter", "1a", 99, false, 0 },
	{ "number: byte above 126", "\xb2", 99, false, 0 },
};

static void test_number(void **state)
{
	const struct number *row = *state;
	unsigned long long value = 4711;

	assert_int_equal(
		rtls_slice_number(rtls_slice(row->text), row->max, &value),
		row->good);
	assert_true(value == (row->good ? row->value : 4711));
}

static void test_copy(void **state)
{
	struct rtls_slice nul = TEXT("a\0b");
	char out[4] = "xyz";

	(void)state;
	assert_true(rtls_slice_copy(rtls_slice("abc"), out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_false(rtls_slice_copy(rtls_slice("abcd"), out, sizeof(out)));
	assert_string_equal(out, "");
	strcpy(out, "xyz");
	assert_false(rtls_slice_copy(nul, out, sizeof(out)));
	assert_string_equal(out, "");
	strcpy(out, "xyz");
	assert_true(rtls_slice_copy(nothing, out, sizeof(out)));
	assert_string_equal(out, "");
	strcpy(out, "xyz");
	assert_false(rtls_slice_copy(nothing, out, 0));
	assert_string_equal(out, "xyz");
	assert_true(rtls_slice_copy(nothing, out, 1));
	assert_false(rtls_slice_copy(rtls_slice("a"), out, 1));
}

int main(void)
{
	static struct check_suite suite;

	check_add(&suite, "slices of strings", test_make, NULL);
	check_add(&suite, "equal counts every byte", test_equal, NULL);
	check_add(&suite, "case counts for ASCII letters only",
		test_equal_nocase, NULL);
	check_add(&suite, "starts", test_starts, NULL);
	check_add(&suite, "ends", test_ends, NULL);
	check_add(&suite, "trim takes spaces and tabs only", test_trim, NULL);
	check_add(&suite, "take up to a separator", test_take, NULL);
	CHECK_TABLE(&suite, test_lines, lines);
	check_add(&suite, "words", test_words, NULL);
	CHECK_TABLE(&suite, test_number, numbers);
	check_add(&suite, "copy fits or is empty", test_copy, NULL);
	return check_run(&suite, "slice");
}
