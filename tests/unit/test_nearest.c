/* test_nearest.c - what somebody may have meant. */
#include "check.h"
#include "policy/nearest.h"

static const char *const names[] = { "cache", "check", "config", "report",
	"set", "tlsrpt_contact", "tlsrpt_min_age" };

struct row {
	const char *proves;
	struct rtls_slice word;
	const char *wanted; /* NULL: none is near */
};

static const struct row rows[] = {
	{ "itself", TEXT("cache"), "cache" },
	{ "a letter too many", TEXT("cacche"), "cache" },
	{ "a letter missing", TEXT("confg"), "config" },
	{ "another letter", TEXT("confik"), "config" },
	{ "two changed places", TEXT("ocnfig"), "config" },
	{ "two edits of a long word", TEXT("rapport"), "report" },
	{ "three edits of a longer one", TEXT("tls-rpt-contact"),
		"tlsrpt_contact" },
	{ "a short word", TEXT("st"), "set" },
	{ "two edits of a short word are too many", TEXT("stx"), NULL },
	{ "nor is a word of other letters near", TEXT("xyz"), NULL },
	{ "one letter", TEXT("x"), NULL },
	{ "the nearest of two", TEXT("chace"), "cache" },
	{ "nothing", TEXT(""), NULL },
	{ "any bytes", TEXT("\xff\0\n"), NULL },
	{ "as long as it may be", TEXT("tlsrpt_contacttlsrpt_contact1234"),
		NULL },
	{ "longer", TEXT("tlsrpt_contacttlsrpt_contact12345"), NULL },
};

static void test_row(void **state)
{
	const struct row *row = *state;
	char *copy = check_copy(row->word, row->word.size);
	struct rtls_nearest nearest = { .word = { copy, row->word.size } };

	for (size_t i = 0; i < COUNT(names); i++)
		rtls_nearest_try(&nearest, names[i]);
	if (row->wanted == NULL)
		assert_null(nearest.name);
	else
		assert_string_equal(nearest.name, row->wanted);
	free(copy);
}

static void test_long_name(void **state)
{
	struct rtls_nearest nearest = { .word = TEXT("x") };

	(void)state;
	rtls_nearest_try(&nearest, "a-name-of-more-letters-than-32-in-it");
	assert_null(nearest.name);
}

static void test_hint(void **state)
{
	struct rtls_nearest nearest = { .word = TEXT("cheeeck") };
	struct rtls_nearest_hint hint;

	(void)state;
	assert_string_equal(rtls_nearest_hint(&hint, &nearest, ""), "");
	rtls_nearest_try(&nearest, "check");
	assert_string_equal(rtls_nearest_hint(&hint, &nearest, "--"),
		"; did you mean \"--check\"?");
}

int main(void)
{
	struct check_suite suite = { .count = 0 };

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "a long name is near nothing", test_long_name, NULL);
	check_add(&suite, "the words", test_hint, NULL);
	return check_run(&suite, "nearest");
}
