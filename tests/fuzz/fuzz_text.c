/* fuzz_text.c - quoting: the first byte is the room there is, the rest is foreign.
 * What comes out is printable, fits, and says which bytes came in. */
#include <string.h>

#include "fuzz.h"
#include "policy/text.h"

#define QUOTED_MAX 120 /* of rtls_quoted() */

static int hex(char digit)
{
	const char *digits = "0123456789abcdef";
	const char *found = digit == '\0' ? NULL : strchr(digits, digit);

	return found == NULL ? -1 : (int)(found - digits);
}

/* The byte that the front of rest stands for; rest moves on. */
static unsigned char take_byte(struct rtls_slice *rest)
{
	unsigned char byte = (unsigned char)rest->data[0];
	size_t size = byte == '\\' ? 4 : 1;

	PROPERTY(byte >= ' ' && byte <= '~' && byte != '"');
	PROPERTY(rest->size >= size);
	if (size == 4) {
		PROPERTY(rest->data[1] == 'x');
		byte = (unsigned char)(hex(rest->data[2]) * 16 +
				       hex(rest->data[3]));
	}
	*rest = rtls_slice_n(rest->data + size, rest->size - size);
	return byte;
}

/* How many bytes of foreign the quoted text stands for. */
static size_t unquote(struct rtls_slice quoted, struct rtls_slice foreign)
{
	size_t count = 0;

	while (quoted.size > 0) {
		unsigned char byte = take_byte(&quoted);

		PROPERTY(count < foreign.size);
		PROPERTY((unsigned char)foreign.data[count] == byte);
		count++;
	}
	return count;
}

static size_t quoted_size(struct rtls_slice foreign)
{
	size_t size = 0;

	for (size_t i = 0; i < foreign.size; i++) {
		char byte = foreign.data[i];

		size += byte < ' ' || byte > '~' || byte == '"' || byte == '\\'
				? 4
				: 1;
	}
	return size;
}

/* max: the longest text there is room for. All of it, or as much as leaves room for dots. */
static void check_quoted(
	const char *text, struct rtls_slice foreign, size_t max)
{
	struct rtls_slice quoted = rtls_slice(text);
	size_t dots = max < 3 ? max : 3;

	PROPERTY(quoted.size <= max);
	if (quoted_size(foreign) <= max) {
		PROPERTY(unquote(quoted, foreign) == foreign.size);
		return;
	}
	PROPERTY(quoted.size >= dots && quoted.size + 3 >= max);
	quoted.size -= dots;
	PROPERTY(memcmp(text + quoted.size, "...", dots) == 0);
	PROPERTY(unquote(quoted, foreign) < foreign.size);
}

static void check_room(struct rtls_slice foreign, size_t room)
{
	char *out = malloc(room);
	struct rtls_text text;

	PROPERTY(out != NULL || room == 0);
	rtls_quote(out, room, foreign);
	if (room > 0) {
		check_quoted(out, foreign, room - 1);
		rtls_text_init(&text, out, room);
		rtls_text_quote(&text, foreign);
		PROPERTY(text.size < room && out[text.size] == '\0');
		PROPERTY(text.overflow || unquote(rtls_text_slice(&text),
						  foreign) == foreign.size);
		PROPERTY(!text.overflow || text.size == 0);
	}
	free(out);
}

/* Texts of any kind one after the other: never more than there is room for. */
static void check_build(struct rtls_slice foreign, size_t room)
{
	char *out = malloc(room + 1);
	struct rtls_text text;
	struct rtls_slice word;

	PROPERTY(out != NULL);
	rtls_text_init(&text, out, room + 1);
	while (rtls_slice_word(&foreign, &word)) {
		size_t before = text.size;
		bool whole = !text.overflow;

		rtls_text_add(&text, word);
		rtls_text_printf(&text, "%.*s", (int)word.size, word.data);
		PROPERTY(text.size <= room && text.size >= before);
		PROPERTY(whole || text.size == before);
		PROPERTY(out[text.size] == '\0');
	}
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_slice foreign;
	struct rtls_quoted quoted;

	if (size == 0)
		return 0;
	foreign = fuzz_input(data + 1, size - 1);
	check_room(foreign, data[0]);
	check_build(foreign, data[0]);
	check_quoted(rtls_quoted(&quoted, foreign), foreign, QUOTED_MAX);
	return 0;
}
