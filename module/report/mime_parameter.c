/* mime_parameter.c - what stands behind the semicolons of a structured field.
 *
 * parameter = *CFWS ";" *CFWS attribute *CFWS "=" *CFWS (token / quoted-string)
 * RFC 2231: attribute = name ["*" 1*DIGIT] ["*"]; with the last "*" the value is
 * percent-encoded, and the first piece of it begins with charset "'" language "'". */
#include <stdio.h>
#include <string.h>

#include "report/mime.h"

#define VALUE_SIZE 1024

static bool is_at(struct rtls_slice rest, const char *bytes)
{
	return rest.size > 0 && rest.data[0] != '\0' &&
	       strchr(bytes, rest.data[0]) != NULL;
}

static char take_byte(struct rtls_slice *rest)
{
	char byte = rest->data[0];

	rest->data++;
	rest->size--;
	return byte;
}

/* Blanks and comments, which may be nested. */
static void skip_cfws(struct rtls_slice *rest)
{
	size_t depth = 0;

	while (rest->size > 0 && (depth > 0 || is_at(*rest, " \t\r\n("))) {
		char byte = take_byte(rest);

		if (byte == '(')
			depth++;
		else if (byte == ')')
			depth--;
		else if (byte == '\\' && rest->size > 0)
			(void)take_byte(rest);
	}
}

/* A token or quoted-string; what does not fit is dropped. */
static void take_value(struct rtls_slice *rest, char *out, size_t out_size)
{
	bool is_quoted = is_at(*rest, "\"");
	size_t used = 0;

	if (is_quoted)
		(void)take_byte(rest);
	while (rest->size > 0 &&
		!is_at(*rest, is_quoted ? "\"" : "; \t\r\n(")) {
		char byte = take_byte(rest);

		if (is_quoted && byte == '\\' && rest->size > 0)
			byte = take_byte(rest);
		if (used + 1 < out_size)
			out[used++] = byte == '\0' ? ' ' : byte;
	}
	if (is_quoted && rest->size > 0)
		(void)take_byte(rest);
	out[used] = '\0';
}

/* The next parameter; false when none is left. */
static bool take_parameter(struct rtls_slice *rest,
	struct rtls_slice *attribute, char *value, size_t value_size)
{
	char ignored[1];

	while (rest->size > 0 && !is_at(*rest, ";")) {
		skip_cfws(rest);
		if (rest->size > 0 && !is_at(*rest, ";")) {
			size_t before = rest->size;

			take_value(rest, ignored, sizeof(ignored));
			if (rest->size == before)
				(void)take_byte(rest);
		}
	}
	if (rest->size == 0)
		return false;
	(void)take_byte(rest);
	skip_cfws(rest);
	*attribute = *rest;
	while (rest->size > 0 && !is_at(*rest, "=; \t\r\n(\""))
		(void)take_byte(rest);
	attribute->size -= rest->size;
	skip_cfws(rest);
	value[0] = '\0';
	if (is_at(*rest, "=")) {
		(void)take_byte(rest);
		skip_cfws(rest);
		take_value(rest, value, value_size);
	}
	return true;
}

static int hex_value(char digit)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = digit == '\0' ? NULL : strchr(digits, digit);

	return at == NULL ? -1 : (int)(at - digits) % 16;
}

/* Append a piece; percent-encoded when it is extended. */
static void add_piece(
	char *out, size_t out_size, const char *value, bool is_extended)
{
	size_t used = strlen(out);

	for (; *value != '\0' && used + 1 < out_size; value++) {
		char byte = *value;
		int high = hex_value(value[1]);
		int low = high < 0 ? -1 : hex_value(value[2]);

		if (is_extended && byte == '%' && low >= 0) {
			byte = (char)(16 * high + low);
			value += 2;
		}
		out[used++] = byte == '\0' ? ' ' : byte;
	}
	out[used] = '\0';
}

/* Behind charset and language, if they are there. */
static const char *skip_language(const char *value)
{
	const char *first = strchr(value, '\'');
	const char *second = first == NULL ? NULL : strchr(first + 1, '\'');

	return second == NULL ? value : second + 1;
}

bool rtls_mime_parameter(
	struct rtls_slice value, const char *name, char *out, size_t out_size)
{
	char piece[VALUE_SIZE];
	struct rtls_slice attribute, tail;
	bool is_found = false;

	out[0] = '\0';
	while (take_parameter(&value, &attribute, piece, sizeof(piece))) {
		bool is_extended;

		tail = attribute;
		if (!rtls_slice_is_nocase(rtls_slice_take(&tail, '*'), name))
			continue;
		if (rtls_slice_is_nocase(attribute, name)) {
			/* The plain form says it all. */
			out[0] = '\0';
			add_piece(out, out_size, piece, false);
			return true;
		}
		is_extended = attribute.data[attribute.size - 1] == '*';
		add_piece(out, out_size,
			is_extended && !is_found ? skip_language(piece) : piece,
			is_extended);
		is_found = true;
	}
	return is_found;
}
