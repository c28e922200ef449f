/* fuzz_returned.c - Exim's own report: the first line is the boundary, the rest the report.
 * Cut as bounce.c cuts it, it is a report with headers only. */
#include <string.h>

#include "fuzz.h"
#include "policy/returned.h"
#include "policy/text.h"

#define REPORT_SIZE 65536

/* The bytes between two of the offsets are that text. */
static bool is_at(
	struct rtls_slice text, size_t from, size_t to, const char *wanted)
{
	return rtls_slice_is(rtls_slice_n(text.data + from, to - from), wanted);
}

static void check_cut(struct rtls_slice text, const char *boundary,
	const struct rtls_returned *returned)
{
	static char buffer[REPORT_SIZE];
	struct rtls_text cut;

	rtls_text_init(&cut, buffer, sizeof(buffer));
	rtls_text_add(&cut, rtls_slice_n(text.data, returned->type));
	rtls_text_printf(&cut, "%s", returned->new_type);
	rtls_text_add(&cut, rtls_slice_n(text.data + returned->headers,
				    returned->body - returned->headers));
	rtls_text_printf(&cut, "\n--%s--\n", boundary);
	if (!cut.overflow)
		PROPERTY(rtls_returned_is_headers_only(rtls_text_slice(&cut)));
}

static void check_found(struct rtls_slice text, const char *boundary,
	const struct rtls_returned *returned)
{
	char opening[RTLS_BOUNDARY_MAX + 8];
	size_t size;

	size = (size_t)snprintf(opening, sizeof(opening), "\n--%s\n", boundary);
	PROPERTY(size <= returned->type && returned->type < returned->headers &&
		 returned->headers <= returned->body &&
		 returned->body < text.size);
	PROPERTY(is_at(text, returned->type - size, returned->type, opening));
	PROPERTY(is_at(text, returned->type, returned->headers,
			 "Content-type: message/rfc822\n\n") ||
		 is_at(text, returned->type, returned->headers,
			 "Content-type: message/global\n\n"));
	/* No empty line but the one that ends them. */
	PROPERTY(text.data[returned->body] == '\n');
	PROPERTY(
		memmem(text.data + returned->headers,
			returned->body - returned->headers, "\n\n", 2) == NULL);
	check_cut(text, boundary, returned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_slice text = fuzz_input(data, size);
	struct rtls_slice line = rtls_slice_take(&text, '\n');
	struct rtls_returned returned;
	char boundary[RTLS_BOUNDARY_MAX + 1];

	if (rtls_slice_copy(line, boundary, sizeof(boundary)) &&
		rtls_returned_find(text, boundary, &returned))
		check_found(text, boundary, &returned);
	(void)rtls_returned_is_headers_only(text);
	return 0;
}
