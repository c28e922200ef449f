#include "check.h"
#include "policy/utf8.h"

#define BAD "\xef\xbf\xbd" /* U+FFFD */

struct cleaning {
	const char *proves;
	struct rtls_slice text;
	const char *wanted;
};

static const struct cleaning cleanings[] = {
	{ "ASCII", TEXT("a\\\"b"), "a\\\"b" },
	{ "letters of any length", TEXT("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"),
		"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "control characters", TEXT("a\x1b[m\x7f\nb\0c"),
		"a" BAD "[m" BAD BAD "b" BAD "c" },
	{ "those behind ASCII", TEXT("\xc2\x9b\xc2\xa0"), BAD "\xc2\xa0" },
	{ "noncharacters", TEXT("\xef\xbf\xbf\xef\xb7\x90"), BAD BAD },
	{ "no UTF-8", TEXT("\xff\xfc."), BAD BAD "." },
	{ "half a character", TEXT("\xe2\x82"), BAD BAD },
	{ "half a character before another",
		TEXT("\xe2\x82"
		     "a"),
		BAD BAD "a" },
	{ "overlong", TEXT("\xc0\x80"), BAD BAD },
	{ "a surrogate", TEXT("\xed\xa0\x80"), BAD },
	{ "nothing", TEXT(""), "" },
};

static void is_cleaned(void **state)
{
	const struct cleaning *row = *state;
	char *copy = check_copy(row->text, row->text.size);
	struct rtls_slice text = rtls_slice_n(copy, row->text.size);
	size_t whole = strlen(row->wanted) + 1;

	for (size_t size = 1; size <= whole; size++) {
		char *out = malloc(size);

		rtls_utf8_clean(text, out, size);
		assert_true(strlen(out) < size);
		assert_memory_equal(out, row->wanted, strlen(out));
		assert_true(rtls_utf8_is_clean(rtls_slice(out)));
		if (size == whole)
			assert_string_equal(out, row->wanted);
		free(out);
	}
	free(copy);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, is_cleaned, cleanings);
	return check_run(&suite, "utf8");
}
