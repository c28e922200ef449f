#include "check.h"
#include "report/words.h"

static void check_is_text(const char *text)
{
	assert_non_null(text);
	assert_true(*text != '\0');
	for (; *text != '\0'; text++)
		assert_true(*text >= ' ' && *text <= '~');
}

static void every_result_has_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RTLS_RESULT_COUNT; i++) {
		enum rtls_result result = (enum rtls_result)i;

		check_is_text(rtls_words_result(result));
		if (result == RTLS_RESULT_SUCCESS)
			assert_string_equal(rtls_words_advice(result), "");
		else
			check_is_text(rtls_words_advice(result));
	}
}

static void known_reasons_have_words(void **state)
{
	(void)state;
	check_is_text(rtls_words_reason(rtls_slice("sts-mx-mismatch")));
	check_is_text(
		rtls_words_reason(rtls_slice("MTASTS-policy-mx-mismatch")));
	assert_null(rtls_words_reason(rtls_slice("sts-mx-mismatc")));
	assert_null(rtls_words_reason(rtls_slice("")));
}

int main(void)
{
	struct check_suite suite = { .count = 0 };

	check_add(&suite, "every result type has words and advice",
		every_result_has_words, NULL);
	check_add(&suite, "reasons of known senders have words",
		known_reasons_have_words, NULL);
	return check_run(&suite, "words");
}
