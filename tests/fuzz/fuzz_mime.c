/* fuzz_mime.c - any bytes as a message: parts lie inside of it, their number and depth are bounded, texts are
 * terminated, what is decoded is never longer than what was encoded, and each boundary belongs to no part. */
#include <string.h>

#include "fuzz.h"
#include "report/mime.h"

struct seen {
	struct rtls_slice message;
	size_t count;
};

static void check_text(const char *text, size_t size)
{
	PROPERTY(memchr(text, '\0', size) != NULL);
}

static enum rtls_status visit(void *context, const struct rtls_mime_part *part)
{
	struct seen *seen = context;
	struct rtls_err err = { "" };
	struct rtls_slice out;
	char *allocated;

	PROPERTY(fuzz_inside(seen->message, part->body));
	PROPERTY(++seen->count <= RTLS_MIME_PARTS_MAX);
	check_text(part->type, sizeof(part->type));
	check_text(part->name, sizeof(part->name));
	check_text(part->report_type, sizeof(part->report_type));
	if (rtls_mime_decode(part, &out, &allocated, &err) == RTLS_OK) {
		PROPERTY(out.size <= part->body.size);
		PROPERTY(allocated == NULL || out.data == allocated);
	} else {
		PROPERTY(part->encoding == RTLS_MIME_UNKNOWN);
		PROPERTY(err.text[0] != '\0' && allocated == NULL);
	}
	free(allocated);
	return RTLS_OK;
}

/* A field holds no line end, and asking for it in any case gives the same. */
static void check_field(
	struct rtls_slice header, const char *name, const char *other)
{
	char value[256], again[256];
	bool is_found = rtls_mime_field(header, name, value, sizeof(value));

	PROPERTY(rtls_mime_field(header, other, again, sizeof(again)) ==
		 is_found);
	PROPERTY(strcmp(value, again) == 0);
	PROPERTY(strchr(value, '\n') == NULL);
	PROPERTY(value[0] != ' ' && value[0] != '\t');
	PROPERTY(is_found || value[0] == '\0');
	/* What does not fit is cut, and nothing else. */
	if (rtls_mime_field(header, name, again, 8))
		PROPERTY(strlen(again) < 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = { .message = fuzz_input(data, size) };
	struct rtls_slice message = rtls_mime_begin(seen.message);
	struct rtls_slice header, body;
	struct rtls_err err = { "" };

	PROPERTY(fuzz_inside(seen.message, message));
	if (rtls_mime_split(message, &header, &body, &err) == RTLS_OK) {
		PROPERTY(fuzz_inside(message, header));
		PROPERTY(fuzz_inside(message, body));
		PROPERTY(header.size + body.size <= message.size);
		check_field(header, "Content-Type", "content-TYPE");
		check_field(header, "Subject", "SUBJECT");
	}
	if (rtls_mime_walk(seen.message, visit, &seen, &err) != RTLS_OK)
		PROPERTY(err.text[0] != '\0');
	return 0;
}
