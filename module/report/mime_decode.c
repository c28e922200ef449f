/* mime_decode.c - RFC 2045 section 6.7 and 6.8, of what may have been through many hands. */
#include <stdlib.h>
#include <string.h>

#include "report/mime.h"

/* -1: not of the alphabet. */
static int base64_value(char byte)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	const char *at = byte == '\0' ? NULL : strchr(alphabet, byte);

	return at == NULL ? -1 : (int)(at - alphabet);
}

/* What is not of the alphabet does not count (RFC 2045 section 6.8); padding ends a group. Never more than
 * went in. */
static size_t decode_base64(struct rtls_slice body, char *out)
{
	unsigned long bits = 0;
	size_t held = 0, used = 0;

	for (size_t i = 0; i < body.size; i++) {
		int value = base64_value(body.data[i]);

		if (body.data[i] == '=')
			held = 0;
		if (value < 0)
			continue;
		bits = (bits << 6 | (unsigned long)value) & 0xffffff;
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[used++] = (char)(bits >> held & 0xff);
		}
	}
	return used;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* One line without its end. True: it goes on in the next line ("=" at its end). An "=" that means nothing
 * stays. */
static bool decode_line(struct rtls_slice line, char *out, size_t *used)
{
	while (line.size > 0 && (line.data[line.size - 1] == ' ' ||
					line.data[line.size - 1] == '\t'))
		line.size--;
	for (size_t i = 0; i < line.size; i++) {
		int high, low;

		if (line.data[i] != '=') {
			out[(*used)++] = line.data[i];
			continue;
		}
		if (i + 1 == line.size)
			return true;
		high = hex_value(line.data[i + 1]);
		low = i + 2 < line.size ? hex_value(line.data[i + 2]) : -1;
		if (high < 0 || low < 0) {
			out[(*used)++] = '=';
			continue;
		}
		out[(*used)++] = (char)(16 * high + low);
		i += 2;
	}
	return false;
}

static size_t decode_quoted_printable(struct rtls_slice body, char *out)
{
	struct rtls_slice rest = body, line;
	size_t used = 0;

	while (rtls_slice_line(&rest, &line)) {
		bool is_ended =
			rest.size > 0 || body.data[body.size - 1] == '\n';

		if (!decode_line(line, out, &used) && is_ended)
			out[used++] = '\n';
	}
	return used;
}

enum rtls_status rtls_mime_decode(const struct rtls_mime_part *part,
	struct rtls_slice *out, char **allocated, struct rtls_err *err)
{
	*allocated = NULL;
	*out = part->body;
	if (part->encoding == RTLS_MIME_UNKNOWN) {
		rtls_err_set(err, "an unknown Content-Transfer-Encoding");
		return RTLS_INVALID;
	}
	if (part->encoding == RTLS_MIME_IDENTITY)
		return RTLS_OK;
	*allocated = malloc(part->body.size + 1);
	if (*allocated == NULL)
		return RTLS_NO_MEMORY;
	out->data = *allocated;
	if (part->encoding == RTLS_MIME_BASE64)
		out->size = decode_base64(part->body, *allocated);
	else
		out->size = decode_quoted_printable(part->body, *allocated);
	return RTLS_OK;
}
