/* test_setup_text.c - blocks of ours in files of others: in, and out again without a trace. */
#include "check.h"
#include "tool/setup_text.h"

#define IN  RTLS_SETUP_BEGIN
#define OUT RTLS_SETUP_END

struct row {
	const char *proves;
	struct rtls_slice text;
	struct rtls_setup_block block[3];
	size_t count;
	enum rtls_status status;
	const char *wanted; /* on RTLS_OK */
};

static const struct row rows[] = {
	{ "nothing", TEXT("a\n"), { { 0, NULL } }, 0, RTLS_OK, "a\n" },
	{ "at the front", TEXT("a\nb\n"), { { 0, "x\n" } }, 1, RTLS_OK,
		IN "x\n" OUT "a\nb\n" },
	{ "in the middle", TEXT("a\nb\n"), { { 2, "x\ny\n" } }, 1, RTLS_OK,
		"a\n" IN "x\ny\n" OUT "b\n" },
	{ "at the end", TEXT("a\nb\n"), { { 4, "x\n" } }, 1, RTLS_OK,
		"a\nb\n" IN "x\n" OUT },
	{ "two", TEXT("a\nb\n"), { { 0, "x\n" }, { 2, "y\n" } }, 2, RTLS_OK,
		IN "x\n" OUT "a\n" IN "y\n" OUT "b\n" },
	{ "two at one place keep their order", TEXT("a\n"),
		{ { 2, "x\n" }, { 2, "y\n" } }, 2, RTLS_OK,
		"a\n" IN "x\n" OUT IN "y\n" OUT },
	{ "a last line without its end stays so", TEXT("a\nb"),
		{ { 2, "x\n" } }, 1, RTLS_OK, "a\n" IN "x\n" OUT "b" },
	{ "behind such a line", TEXT("a\nb"), { { 3, "x\n" } }, 1, RTLS_INVALID,
		NULL },
	{ "within a line", TEXT("abc\n"), { { 1, "x\n" } }, 1, RTLS_INVALID,
		NULL },
	{ "behind the end", TEXT("a\n"), { { 3, "x\n" } }, 1, RTLS_INVALID,
		NULL },
	{ "not sorted", TEXT("a\nb\n"), { { 2, "x\n" }, { 0, "y\n" } }, 2,
		RTLS_INVALID, NULL },
	{ "a mark that is there already", TEXT("a\n" IN), { { 2, "x\n" } }, 1,
		RTLS_INVALID, NULL },
	{ "whatever the lines of others end with", TEXT("a\r\nb\r\n"),
		{ { 3, "x\n" } }, 1, RTLS_OK, "a\r\n" IN "x\n" OUT "b\r\n" },
	{ "NULs", TEXT("a\0b\n\0\n"), { { 4, "x\n" } }, 1, RTLS_OK, NULL },
};

static void test_put(void **state)
{
	const struct row *row = *state;
	char out[1024], back[1024];
	struct rtls_text text, again;
	char *copy = check_copy(row->text, row->text.size);
	struct rtls_slice input = rtls_slice_n(copy, row->text.size);

	rtls_text_init(&text, out, sizeof(out));
	assert_int_equal(rtls_setup_put(input, row->block, row->count, &text),
		row->status);
	if (row->status == RTLS_OK) {
		size_t count;

		if (row->wanted != NULL)
			assert_string_equal(out, row->wanted);
		rtls_text_init(&again, back, sizeof(back));
		assert_int_equal(rtls_setup_take_out(rtls_text_slice(&text),
					 &again, &count, NULL),
			RTLS_OK);
		assert_int_equal(count, row->count);
		assert_true(rtls_slice_equal(rtls_text_slice(&again), input));
	}
	free(copy);
}

static void test_room(void **state)
{
	struct rtls_setup_block block = { 2, "x\n" };
	char out[1024];
	struct rtls_text text;
	size_t needed;

	(void)state;
	rtls_text_init(&text, out, sizeof(out));
	assert_int_equal(rtls_setup_put(rtls_slice("a\nb\n"), &block, 1, &text),
		RTLS_OK);
	needed = text.size + 1;
	for (size_t cap = 1; cap < needed; cap++) {
		rtls_text_init(&text, out, cap);
		assert_int_equal(
			rtls_setup_put(rtls_slice("a\nb\n"), &block, 1, &text),
			RTLS_NO_MEMORY);
	}
}

struct taken_row {
	const char *proves;
	const char *text;
	enum rtls_status status;
	const char *wanted; /* the rest, or what err says */
	size_t count;
};

static const struct taken_row taken[] = {
	{ "none", "a\nb\n", RTLS_OK, "a\nb\n", 0 },
	{ "all is ours", IN "x\n" OUT, RTLS_OK, "", 1 },
	{ "what somebody wrote between goes too", "a\n" IN "x\nmine\n" OUT "b",
		RTLS_OK, "a\nb", 1 },
	{ "the words behind the mark do not matter",
		"# >>> exim-requiretls\nx\n# <<< exim-requiretls, end\na\n",
		RTLS_OK, "a\n", 1 },
	{ "without an end", "a\n" IN "x\n", RTLS_INVALID,
		"line 2: a mark of exim-requiretls has no end", 0 },
	{ "without a beginning", "a\nb\n" OUT, RTLS_INVALID,
		"line 3: a mark of exim-requiretls has no beginning", 0 },
	{ "one in the other", IN "x\n" IN OUT OUT, RTLS_INVALID,
		"line 1: a mark of exim-requiretls has no end", 0 },
};

static void test_take_out(void **state)
{
	const struct taken_row *row = *state;
	struct rtls_err err = { "" };
	struct rtls_text text;
	char out[1024];
	size_t count = 0;

	rtls_text_init(&text, out, sizeof(out));
	assert_int_equal(
		rtls_setup_take_out(rtls_slice(row->text), &text, &count, &err),
		row->status);
	if (row->status == RTLS_OK)
		assert_string_equal(out, row->wanted);
	else
		check_err(&err, row->wanted);
	assert_int_equal(count, row->count);
}

int main(void)
{
	struct check_suite suite = { .count = 0 };

	CHECK_TABLE(&suite, test_put, rows);
	CHECK_TABLE(&suite, test_take_out, taken);
	check_add(&suite, "what does not fit", test_room, NULL);
	return check_run(&suite, "setup_text");
}
