/* fuzz_journal_line.c - a line of the journal: what was read is written again
 * byte for byte; and whatever a stranger calls himself, a line is one line. */
#include <string.h>

#include "fuzz.h"
#include "policy/result.h"

static void check_read(struct rtls_slice input)
{
	char buffer[RTLS_JOURNAL_LINE_MAX];
	struct rtls_session_result result;
	struct rtls_text line;

	if (rtls_journal_line_parse(input, &result) != RTLS_OK)
		return;
	PROPERTY(result.count >= 1 && result.count <= RTLS_SESSIONS_MAX);
	PROPERTY((input.data[0] == '2') == (result.count > 1));
	PROPERTY(fuzz_inside(input, result.policy_domain));
	PROPERTY(fuzz_inside(input, result.digest));
	PROPERTY(fuzz_inside(input, result.sending_ip));
	PROPERTY(fuzz_inside(input, result.mx_host));
	PROPERTY(fuzz_inside(input, result.mx_helo));
	PROPERTY(fuzz_inside(input, result.receiving_ip));
	PROPERTY(fuzz_inside(input, result.reason));
	rtls_text_init(&line, buffer, sizeof(buffer));
	PROPERTY(rtls_journal_line_format(&result, &line) == RTLS_OK);
	line.size--;
	PROPERTY(buffer[line.size] == '\n');
	/* Only the number may have been written otherwise: "007". */
	PROPERTY(line.size <= input.size);
	PROPERTY(rtls_journal_line_parse(rtls_text_slice(&line), &result) ==
		 RTLS_OK);
	PROPERTY(line.size < input.size ||
		 rtls_slice_equal(rtls_text_slice(&line), input));
}

static void check_written(struct rtls_slice input)
{
	char buffer[RTLS_JOURNAL_LINE_MAX];
	struct rtls_session_result result = { 0 };
	struct rtls_text line;

	result.policy_domain = rtls_slice("fuzz.example");
	result.count = input.size < 2 ? input.size : input.size * input.size;
	result.mx_host = rtls_slice_n(input.data, input.size / 2);
	result.mx_helo = input;
	result.receiving_ip = input;
	result.reason = input;
	rtls_text_init(&line, buffer, sizeof(buffer));
	PROPERTY(rtls_journal_line_format(&result, &line) == RTLS_OK);
	line.size--;
	PROPERTY(memchr(buffer, '\n', line.size) == NULL);
	PROPERTY(rtls_journal_line_parse(rtls_text_slice(&line), &result) ==
		 RTLS_OK);
	PROPERTY(
		result.count == (input.size < 2 ? 1 : input.size * input.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice input = fuzz_input(data, size);

	check_read(input);
	check_written(input);
	return 0;
}
