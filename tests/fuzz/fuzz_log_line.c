/* fuzz_log_line.c - a line of Exim's main log: what is shown as it is holds nothing that no terminal
 * should get, an id has the form of one, and every line means something. */
#include "fuzz.h"
#include "tool/log_line.h"

/* A second opinion on the form of an id. */
static void check_id(struct rtls_slice id)
{
	size_t dashes = 0;

	PROPERTY(id.size == 16 || id.size == 23);
	for (size_t i = 0; i < id.size; i++) {
		const char c = id.data[i];

		dashes += c == '-' ? 1 : 0;
		PROPERTY(c == '-' || (c >= '0' && c <= '9') ||
			 (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
	}
	PROPERTY(dashes == 2 && id.data[6] == '-');
}

static void check_words(const char *text)
{
	PROPERTY(text != NULL && *text != '\0');
	for (; *text != '\0'; text++)
		PROPERTY(*text >= ' ' && *text <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice input = fuzz_input(data, size);
	struct rtls_log_line line;
	struct rtls_slice reference;
	const char *detail;
	size_t count = 0;

	if (rtls_log_line_parse(input, &line) != RTLS_OK)
		return 0;
	PROPERTY(fuzz_inside(input, line.time) && line.time.size >= 19);
	PROPERTY(fuzz_inside(input, line.id));
	PROPERTY(fuzz_inside(input, line.text));
	for (size_t i = 0; i < line.time.size; i++)
		PROPERTY(line.time.data[i] == '\t' ||
			 (line.time.data[i] >= ' ' && line.time.data[i] < '<'));
	check_id(line.id);
	if (rtls_log_line_reference(&line, &reference)) {
		PROPERTY(fuzz_inside(line.text, reference));
		check_id(reference);
	}
	check_words(rtls_log_line_meaning(&line));
	while ((detail = rtls_log_line_detail(&line, count)) != NULL) {
		check_words(detail);
		count++;
	}
	PROPERTY(count == 0 || rtls_log_line_is_ours(&line));
	PROPERTY(count <= 12);
	return 0;
}
