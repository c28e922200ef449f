/* fuzz_slice.c - lines, words and numbers: what was taken apart makes the same
 * again, and a number is what strtoull() makes of it. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "policy/slice.h"

/* Every byte is in a line or is an end of one. */
static void check_lines(struct rtls_slice input)
{
	struct rtls_slice rest = input, line;
	const char *at = input.data;

	while (rtls_slice_line(&rest, &line)) {
		PROPERTY(fuzz_inside(input, line) && fuzz_inside(input, rest));
		PROPERTY(line.data == at);
		PROPERTY(line.size == 0 ||
			 memchr(line.data, '\n', line.size) == NULL);
		at += line.size;
		if (at == input.data + input.size)
			continue; /* no end of line: the last one */
		if (*at == '\r')
			at++;
		PROPERTY(*at == '\n');
		at++;
	}
	PROPERTY(at == input.data + input.size && rest.size == 0);
}

static void check_words(struct rtls_slice input)
{
	struct rtls_slice rest = input, word;
	size_t blanks = 0, letters = 0;

	for (size_t i = 0; i < input.size; i++)
		blanks += input.data[i] == ' ' || input.data[i] == '\t';
	while (rtls_slice_word(&rest, &word)) {
		PROPERTY(fuzz_inside(input, word) && word.size > 0);
		PROPERTY(memchr(word.data, ' ', word.size) == NULL);
		PROPERTY(memchr(word.data, '\t', word.size) == NULL);
		PROPERTY(rtls_slice_equal(rtls_slice_trim(word), word));
		letters += word.size;
	}
	PROPERTY(letters + blanks == input.size);
}

static void check_pieces(struct rtls_slice input)
{
	struct rtls_slice rest = input;
	size_t size = 0, count = 0, separators = 0;

	for (size_t i = 0; i < input.size; i++)
		separators += input.data[i] == ':';
	while (rest.size > 0) {
		struct rtls_slice piece = rtls_slice_take(&rest, ':');

		PROPERTY(fuzz_inside(input, piece));
		size += piece.size;
		count++;
	}
	PROPERTY(size + separators == input.size);
	PROPERTY(count == separators || count == separators + 1);
}

static void check_number(struct rtls_slice input, unsigned long long max)
{
	unsigned long long value = 4711, wanted;
	char text[32], *end;
	bool digits = input.size > 0;

	for (size_t i = 0; i < input.size; i++)
		digits = digits && input.data[i] >= '0' && input.data[i] <= '9';
	if (!rtls_slice_number(input, max, &value)) {
		PROPERTY(value == 4711);
		if (!digits || !rtls_slice_copy(input, text, sizeof(text)))
			return;
		errno = 0;
		wanted = strtoull(text, &end, 10);
		PROPERTY(errno == ERANGE || wanted > max);
		return;
	}
	PROPERTY(digits && value <= max);
	if (rtls_slice_copy(input, text, sizeof(text)))
		PROPERTY(strtoull(text, &end, 10) == value && *end == '\0');
}

static void check_copy(struct rtls_slice input)
{
	char *out = malloc(input.size + 1);

	PROPERTY(out != NULL);
	if (rtls_slice_copy(input, out, input.size + 1))
		PROPERTY(rtls_slice_is(input, out));
	else
		PROPERTY(*out == '\0' &&
			 memchr(input.data, '\0', input.size) != NULL);
	PROPERTY(!rtls_slice_copy(input, out, input.size));
	free(out);
}

static void check_compare(struct rtls_slice a, struct rtls_slice b)
{
	bool equal = rtls_slice_equal_nocase(a, b);

	PROPERTY(!rtls_slice_equal(a, b) || equal);
	PROPERTY(equal == (a.size == b.size && rtls_slice_ends_nocase(a, b)));
	if (memchr(a.data, '\0', a.size) == NULL &&
		memchr(b.data, '\0', b.size) == NULL)
		PROPERTY(equal ==
			 (a.size == b.size &&
				 strncasecmp(a.data, b.data, a.size) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice input = fuzz_input(data, size);
	struct rtls_slice rest = input, first, half;
	unsigned long long max = 0;

	check_lines(input);
	check_words(input);
	check_pieces(input);
	check_copy(input);
	if (size > 0) {
		half = rtls_slice_n(input.data + size / 2, size - size / 2);
		check_compare(rtls_slice_n(input.data, size / 2), half);
	}
	/* "max:number" */
	first = rtls_slice_take(&rest, ':');
	check_number(first, ~0ULL);
	if (rtls_slice_number(first, ~0ULL, &max))
		check_number(rest, max);
	return 0;
}
