/* text.c - text built in a capped buffer, and the one quoting of foreign
 * bytes. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define QUOTED_BYTE_MAX  4   /* \xHH */
#define QUOTED_TEXT_SIZE 121 /* what rtls_quoted() promises, and NUL */

void rtls_text_init(struct rtls_text *text, char *data, size_t cap)
{
	text->data = data;
	text->size = 0;
	text->cap = cap;
	text->overflow = false;
	data[0] = '\0';
}

/* Is there room for n more bytes? If not, nothing is written from now on. */
static bool reserve(struct rtls_text *text, size_t n)
{
	if (n >= text->cap - text->size)
		text->overflow = true;
	return !text->overflow;
}

void rtls_text_add(struct rtls_text *text, struct rtls_slice slice)
{
	if (slice.size == 0 || !reserve(text, slice.size))
		return;
	memcpy(text->data + text->size, slice.data, slice.size);
	text->size += slice.size;
	text->data[text->size] = '\0';
}

void rtls_text_printf(struct rtls_text *text, const char *format, ...)
{
	char *end = text->data + text->size;
	va_list args;
	int written;

	if (text->overflow)
		return;
	va_start(args, format);
	written = vsnprintf(end, text->cap - text->size, format, args);
	va_end(args);
	if (written >= 0 && reserve(text, (size_t)written)) {
		text->size += (size_t)written;
		return;
	}
	text->overflow = true;
	*end = '\0';
}

struct rtls_slice rtls_text_slice(const struct rtls_text *text)
{
	return rtls_slice_n(text->data, text->size);
}

/* One byte as it stands in a log; returns how many characters it took. */
static size_t quote_byte(char out[QUOTED_BYTE_MAX], char foreign)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char byte = (unsigned char)foreign;

	if (byte >= ' ' && byte <= '~' && byte != '\\' && byte != '"') {
		out[0] = foreign;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = hex[byte >> 4];
	out[3] = hex[byte & 15];
	return QUOTED_BYTE_MAX;
}

static size_t quoted_size(struct rtls_slice foreign)
{
	char scratch[QUOTED_BYTE_MAX];
	size_t size = 0;

	for (size_t i = 0; i < foreign.size; i++)
		size += quote_byte(scratch, foreign.data[i]);
	return size;
}

/* Whole characters only, at most room of them; returns the size written. */
static size_t quote_bytes(char *out, size_t room, struct rtls_slice foreign)
{
	char quoted[QUOTED_BYTE_MAX];
	size_t size = 0;

	for (size_t i = 0; i < foreign.size; i++) {
		size_t n = quote_byte(quoted, foreign.data[i]);

		if (n > room - size)
			break;
		memcpy(out + size, quoted, n);
		size += n;
	}
	return size;
}

void rtls_quote(char *out, size_t out_size, struct rtls_slice foreign)
{
	size_t room, size, dots;

	if (out_size == 0)
		return;
	room = out_size - 1;
	if (quoted_size(foreign) <= room) {
		size = quote_bytes(out, room, foreign);
	} else {
		dots = room < 3 ? room : 3;
		size = quote_bytes(out, room - dots, foreign);
		memset(out + size, '.', dots);
		size += dots;
	}
	out[size] = '\0';
}

void rtls_text_quote(struct rtls_text *text, struct rtls_slice foreign)
{
	size_t size = quoted_size(foreign);

	if (size == 0 || !reserve(text, size))
		return;
	text->size += quote_bytes(text->data + text->size, size, foreign);
	text->data[text->size] = '\0';
}

const char *rtls_quoted(struct rtls_quoted *quoted, struct rtls_slice foreign)
{
	rtls_quote(quoted->text, QUOTED_TEXT_SIZE, foreign);
	return quoted->text;
}
