/* test_text.c - capped text and the quoting of foreign bytes (B4.8, case
 * 170). */
#include <stdio.h>

#include "check.h"
#include "policy/text.h"

static void test_add(void **state)
{
	char *data = malloc(6);
	struct rtls_text text;

	(void)state;
	assert_non_null(data);
	rtls_text_init(&text, data, 6);
	assert_string_equal(data, "");
	rtls_text_add(&text, rtls_slice("ab"));
	rtls_text_add(&text, rtls_slice(NULL));
	rtls_text_printf(&text, "%d", 123);
	assert_false(text.overflow);
	assert_string_equal(data, "ab123");
	check_slice(rtls_text_slice(&text), "ab123");
	free(data);
}

static void test_overflow(void **state)
{
	char *data = malloc(6);
	struct rtls_text text;

	(void)state;
	assert_non_null(data);
	rtls_text_init(&text, data, 6);
	rtls_text_add(&text, rtls_slice("abc"));
	rtls_text_add(&text, rtls_slice("def"));
	assert_true(text.overflow);
	assert_string_equal(data, "abc");
	/* Nothing more, even what would fit. */
	rtls_text_add(&text, rtls_slice("d"));
	rtls_text_printf(&text, "d");
	rtls_text_quote(&text, rtls_slice("d"));
	assert_string_equal(data, "abc");
	check_slice(rtls_text_slice(&text), "abc");
	free(data);
}

static void test_overflow_printf(void **state)
{
	char *data = malloc(6);
	struct rtls_text text;

	(void)state;
	assert_non_null(data);
	rtls_text_init(&text, data, 6);
	rtls_text_printf(&text, "%s", "abc");
	rtls_text_printf(&text, "%s", "def");
	assert_true(text.overflow);
	assert_string_equal(data, "abc");
	free(data);
}

static void test_overflow_quote(void **state)
{
	char *data = malloc(6);
	struct rtls_text text;

	(void)state;
	assert_non_null(data);
	rtls_text_init(&text, data, 6);
	rtls_text_quote(&text, rtls_slice("a\n"));
	assert_false(text.overflow);
	assert_string_equal(data, "a\\x0a");
	rtls_text_quote(&text, rtls_slice("a"));
	assert_true(text.overflow);
	assert_string_equal(data, "a\\x0a");
	free(data);
}

static void test_smallest(void **state)
{
	char *data = malloc(1);
	struct rtls_text text;

	(void)state;
	assert_non_null(data);
	rtls_text_init(&text, data, 1);
	rtls_text_add(&text, rtls_slice(""));
	rtls_text_printf(&text, "%s", "");
	rtls_text_quote(&text, rtls_slice(""));
	assert_false(text.overflow);
	rtls_text_printf(&text, "a");
	assert_true(text.overflow);
	assert_string_equal(data, "");
	free(data);
}

struct quote {
	const char *proves;
	struct rtls_slice foreign;
	size_t out_size;
	const char *wanted;
};

static const struct quote quotes[] = {
	{ "B4.8 printable ASCII stays",
		TEXT(" !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"), 64,
		" !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~" },
	{ "B4.8 quote and backslash", TEXT("\"\\"), 16, "\\x22\\x5c" },
	{ "case 170: line ends cannot forge a log line", TEXT("a\r\nb"), 16,
		"a\\x0d\\x0ab" },
	{ "case 170: escape sequences of terminals", TEXT("\x1b[2J"), 16,
		"\\x1b[2J" },
	{ "B4.8 the ends of the control characters", TEXT("\x01\x1f\x7f"), 16,
		"\\x01\\x1f\\x7f" },
	{ "B4.8 NUL", TEXT("a\0b"), 16, "a\\x00b" },
	{ "B4.8 bytes above 126", TEXT("\x80\xff\xc3\xa4"), 20,
		"\\x80\\xff\\xc3\\xa4" },
	{ "B4.8 empty", TEXT(""), 1, "" },
	{ "quote: just fits", TEXT("abcdef"), 7, "abcdef" },
	{ "quote: one too many is cut and marked", TEXT("abcdefg"), 7,
		"abc..." },
	{ "quote: just fits, quoted", TEXT("ab\n"), 7, "ab\\x0a" },
	{ "quote: cut at a whole character", TEXT("ab\n\n"), 8, "ab..." },
	{ "quote: cut behind a quoted character", TEXT("\n\n"), 8, "\\x0a..." },
	{ "quote: no room but for the mark", TEXT("abcd"), 4, "..." },
	{ "quote: no room for the whole mark", TEXT("abcd"), 3, ".." },
	{ "quote: room for the terminator only", TEXT("abcd"), 1, "" },
};

static void test_quote(void **state)
{
	const struct quote *row = *state;
	char *foreign = check_copy(row->foreign, row->foreign.size);
	char *out = malloc(row->out_size);

	assert_non_null(out);
	rtls_quote(
		out, row->out_size, rtls_slice_n(foreign, row->foreign.size));
	assert_string_equal(out, row->wanted);
	free(out);
	free(foreign);
}

static void test_quote_nowhere(void **state)
{
	(void)state;
	rtls_quote(NULL, 0, rtls_slice("a"));
}

/* Every byte in every room: printable, terminated, never too long. */
static void test_quote_all(void **state)
{
	char foreign[256], out[600];

	(void)state;
	for (size_t i = 0; i < sizeof(foreign); i++)
		foreign[i] = (char)i;
	for (size_t size = 1; size <= sizeof(out); size++) {
		size_t i = 0;

		rtls_quote(out, size, rtls_slice_n(foreign, 256));
		while (out[i] != '\0') {
			assert_in_range(out[i], ' ', '~');
			assert_int_not_equal(out[i], '"');
			i++;
		}
		assert_true(i < size);
	}
}

static void test_quoted(void **state)
{
	struct rtls_quoted quoted;
	char foreign[200];

	(void)state;
	memset(foreign, 'x', sizeof(foreign));
	assert_ptr_equal(rtls_quoted(&quoted, rtls_slice("a")), quoted.text);
	assert_string_equal(quoted.text, "a");
	assert_int_equal(
		strlen(rtls_quoted(&quoted, rtls_slice_n(foreign, 120))), 120);
	assert_int_equal(
		strlen(rtls_quoted(&quoted, rtls_slice_n(foreign, 121))), 120);
	assert_string_equal(quoted.text + 117, "...");
}

int main(void)
{
	static struct check_suite suite;

	check_add(&suite, "text is added and printed", test_add, NULL);
	check_add(&suite, "overflow of add", test_overflow, NULL);
	check_add(&suite, "overflow of printf", test_overflow_printf, NULL);
	check_add(&suite, "overflow of quote", test_overflow_quote, NULL);
	check_add(&suite, "the smallest text", test_smallest, NULL);
	CHECK_TABLE(&suite, test_quote, quotes);
	check_add(&suite, "quote: no room at all", test_quote_nowhere, NULL);
	check_add(
		&suite, "quote: every byte, every room", test_quote_all, NULL);
	check_add(&suite, "quoted: at most 120 characters", test_quoted, NULL);
	return check_run(&suite, "text");
}
