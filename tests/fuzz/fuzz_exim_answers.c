/* fuzz_exim_answers.c - what exim -bV, exim -bP and update-exim4.conf.conf say: every value lies inside of the
 * text, on one line, and stands behind its name. */
#include "fuzz.h"
#include "tool/exim_answers.h"

static void check_value(struct rtls_slice input, struct rtls_slice value)
{
	PROPERTY(fuzz_inside(input, value));
	PROPERTY(value.size == 0 ||
		 memchr(value.data, '\n', value.size) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice input = fuzz_input(data, size);
	struct rtls_slice value = { NULL, 0 };

	value = rtls_exim_answer_file(input);
	check_value(input, value);
	PROPERTY(value.size == 0 ||
		 memmem(input.data, input.size, "Configuration file is ", 22) !=
			 NULL);
	if (rtls_exim_answer_option(input, "event_action", &value)) {
		check_value(input, value);
		PROPERTY(memmem(input.data, input.size, "event_action", 12) !=
			 NULL);
	}
	if (rtls_debian_answer(input, "dc_use_split_config", &value))
		check_value(input, value);
	(void)rtls_exim_answer_place(input, rtls_slice("mx"));
	return 0;
}
