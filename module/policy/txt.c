/* txt.c - one TXT record on one line.
 *
 *   line    = quoted *(*WSP quoted) / plain  ; blanks at both ends of the
 *                                            ; quoted form do not count
 *   quoted  = DQUOTE *(byte / escape) DQUOTE
 *   escape  = "\" 3DIGIT / "\" non-digit     ; RFC 1035 section 5.1
 */
#include "txt.h"

#include "field.h"

#define BYTE_MAX 255

struct join {
	struct rtls_slice rest;
	char *out;
	size_t size;
	size_t out_size;
};

static const char *put(struct join *join, char byte)
{
	if (join->size == join->out_size)
		return "the TXT record is too long";
	join->out[join->size++] = byte;
	return NULL;
}

/* What stands behind a backslash. */
static const char *join_escape(struct join *join)
{
	struct rtls_slice *rest = &join->rest;
	unsigned long long byte;
	char escaped;

	if (rest->size == 0)
		return "a quoted string has no closing quote";
	escaped = rest->data[0];
	if (!rtls_byte_is_digit(escaped)) {
		rtls_field_byte(rest, escaped);
		return put(join, escaped);
	}
	if (rest->size < 3 || !rtls_slice_number(rtls_slice_n(rest->data, 3),
				      BYTE_MAX, &byte))
		return "expected three digits up to 255 behind the backslash";
	rest->data += 3;
	rest->size -= 3;
	return put(join, (char)(unsigned char)byte);
}

/* Behind the opening quote, up to and with the closing one. */
static const char *join_quoted(struct join *join)
{
	const char *reason = NULL;

	while (reason == NULL && join->rest.size > 0) {
		char byte = join->rest.data[0];

		rtls_field_byte(&join->rest, byte);
		if (byte == '"')
			return NULL;
		reason = byte == '\\' ? join_escape(join) : put(join, byte);
	}
	return reason != NULL ? reason : "a quoted string has no closing quote";
}

enum rtls_status rtls_txt_join(struct rtls_slice line, char *out,
	size_t out_size, struct rtls_slice *joined, struct rtls_err *err)
{
	struct join join = { rtls_slice_trim(line), out, 0, out_size };
	const char *reason = NULL;
	enum rtls_status status;

	if (join.rest.size == 0 || join.rest.data[0] != '"') {
		*joined = line;
		return RTLS_OK;
	}
	while (reason == NULL && join.rest.size > 0) {
		if (rtls_field_byte(&join.rest, '"'))
			reason = join_quoted(&join);
		else
			reason = "expected only quoted strings";
		rtls_field_blanks(&join.rest);
	}
	status = rtls_err_check(err, reason);
	if (status == RTLS_OK)
		*joined = rtls_slice_n(out, join.size);
	return status;
}
