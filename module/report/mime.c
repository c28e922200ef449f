/* mime.c - see mime.h. */
#include "report/mime.h"

#include <string.h>

#include "policy/text.h"

#define BOUNDARY_SIZE 256 /* RFC 2046 section 5.1.1 allows 70 characters */

/* --- header ------------------------------------------------------------------ */

struct rtls_slice rtls_mime_begin(struct rtls_slice bytes)
{
	struct rtls_slice rest = bytes, line;

	while (rtls_slice_line(&rest, &line) &&
		(line.size == 0 || rtls_slice_starts(line, "From ")))
		bytes = rest;
	return bytes;
}

enum rtls_status rtls_mime_split(struct rtls_slice entity,
	struct rtls_slice *header, struct rtls_slice *body,
	struct rtls_err *err)
{
	struct rtls_slice rest = entity, line;
	size_t size = 0;

	while (rtls_slice_line(&rest, &line) && line.size > 0)
		size = entity.size - rest.size;
	if (size > RTLS_MIME_HEADER_MAX) {
		rtls_err_set(err, "a header of more than %d bytes",
			RTLS_MIME_HEADER_MAX);
		return RTLS_INVALID;
	}
	*header = rtls_slice_n(entity.data, size);
	*body = rest;
	return RTLS_OK;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* Copy what fits, as a terminated string. */
static size_t append(
	char *out, size_t out_size, size_t used, struct rtls_slice text)
{
	for (size_t i = 0; i < text.size && used + 1 < out_size; i++)
		out[used++] = text.data[i] == '\0' ? ' ' : text.data[i];
	out[used] = '\0';
	return used;
}

bool rtls_mime_field(
	struct rtls_slice header, const char *name, char *out, size_t out_size)
{
	struct rtls_slice line, value;
	size_t used = 0;
	bool is_found = false;

	out[0] = '\0';
	while (rtls_slice_line(&header, &line)) {
		bool is_folded = line.size > 0 && is_blank(line.data[0]);

		if (is_folded && is_found) {
			used = append(out, out_size, used, line);
			continue;
		}
		if (is_found)
			break;
		value = line;
		if (is_folded ||
			!rtls_slice_is_nocase(
				rtls_slice_trim(rtls_slice_take(&value, ':')),
				name))
			continue;
		is_found = true;
		used = append(out, out_size, used, value);
	}
	value = rtls_slice_trim(rtls_slice_n(out, used));
	memmove(out, value.size > 0 ? value.data : "", value.size);
	out[value.size] = '\0';
	return is_found;
}

/* --- parts ------------------------------------------------------------------- */

struct walk {
	rtls_mime_visit *visit;
	void *context;
	struct rtls_err *err;
	size_t parts;
};

/* The entity around the one in hand. */
struct around {
	size_t depth;
	const char *report_type;
	const char *type; /* of its parts, if they do not say */
};

static void lower_case(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

static enum rtls_mime_encoding read_encoding(struct rtls_slice header)
{
	static const struct {
		const char *name;
		enum rtls_mime_encoding encoding;
	} names[] = {
		{ "", RTLS_MIME_IDENTITY },
		{ "7bit", RTLS_MIME_IDENTITY },
		{ "8bit", RTLS_MIME_IDENTITY },
		{ "binary", RTLS_MIME_IDENTITY },
		{ "base64", RTLS_MIME_BASE64 },
		{ "quoted-printable", RTLS_MIME_QUOTED_PRINTABLE },
	};
	char value[64];
	struct rtls_slice word, rest;

	(void)rtls_mime_field(
		header, "Content-Transfer-Encoding", value, sizeof(value));
	rest = rtls_slice(value);
	word = rtls_slice_take(&rest, '(');
	rest = word;
	word = rtls_slice_trim(rtls_slice_take(&rest, ';'));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (rtls_slice_is_nocase(word, names[i].name))
			return names[i].encoding;
	return RTLS_MIME_UNKNOWN;
}

/* "type/subtype" without blanks and comments. */
static void read_type(struct rtls_slice value, char *out, size_t out_size)
{
	size_t used = 0;

	for (size_t i = 0; i < value.size && used + 1 < out_size; i++) {
		if (value.data[i] == ';' || value.data[i] == '(')
			break;
		if (!is_blank(value.data[i]))
			out[used++] = value.data[i];
	}
	out[used] = '\0';
	lower_case(out);
}

static void read_name(struct rtls_slice header, struct rtls_slice content_type,
	char *out, size_t out_size)
{
	char value[RTLS_MIME_VALUE_SIZE];

	(void)rtls_mime_field(
		header, "Content-Disposition", value, sizeof(value));
	if (!rtls_mime_parameter(rtls_slice(value), "filename", out, out_size))
		(void)rtls_mime_parameter(content_type, "name", out, out_size);
}

/* "--boundary", "--boundary--", blanks behind it (RFC 2046 section 5.1.1). */
static bool is_boundary(
	struct rtls_slice line, struct rtls_slice boundary, bool *is_last)
{
	if (line.size < boundary.size + 2 || line.data[0] != '-' ||
		line.data[1] != '-' ||
		memcmp(line.data + 2, boundary.data, boundary.size) != 0)
		return false;
	line = rtls_slice_n(
		line.data + 2 + boundary.size, line.size - 2 - boundary.size);
	*is_last = rtls_slice_starts(line, "--");
	if (*is_last)
		line = rtls_slice_n(line.data + 2, line.size - 2);
	return rtls_slice_trim(line).size == 0;
}

static enum rtls_status walk_entity(struct walk *walk,
	const struct around *around, struct rtls_slice entity);

/* The line end in front of a boundary belongs to the boundary. */
static struct rtls_slice without_line_end(struct rtls_slice text)
{
	if (text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	if (text.size > 0 && text.data[text.size - 1] == '\r')
		text.size--;
	return text;
}

static enum rtls_status walk_parts(struct walk *walk,
	const struct around *around, struct rtls_slice body,
	struct rtls_slice boundary)
{
	struct rtls_slice rest = body, line;
	const char *begin = NULL; /* of the part in hand */
	bool is_last = false;
	enum rtls_status status;

	while (!is_last) {
		const char *end = rest.data;
		bool is_line = rtls_slice_line(&rest, &line);

		if (is_line && !is_boundary(line, boundary, &is_last))
			continue;
		if (begin != NULL) {
			status = walk_entity(walk, around,
				without_line_end(rtls_slice_n(
					begin, (size_t)(end - begin))));
			if (status != RTLS_OK)
				return status;
		}
		if (!is_line)
			break;
		begin = rest.data;
	}
	return RTLS_OK;
}

static enum rtls_status walk_container(struct walk *walk,
	const struct around *around, struct rtls_slice content_type,
	const char *type, struct rtls_slice body)
{
	char boundary[BOUNDARY_SIZE], report_type[32];
	struct around inside = { .depth = around->depth + 1,
		.report_type = around->report_type,
		.type = "text/plain" };

	if (around->depth == RTLS_MIME_DEPTH_MAX) {
		rtls_err_set(walk->err, "parts nested deeper than %d",
			RTLS_MIME_DEPTH_MAX);
		return RTLS_INVALID;
	}
	if (strcmp(type, "message/rfc822") == 0)
		return walk_entity(walk, &inside, body);
	if (strcmp(type, "multipart/digest") == 0)
		inside.type = "message/rfc822";
	if (rtls_mime_parameter(content_type, "report-type", report_type,
		    sizeof(report_type))) {
		lower_case(report_type);
		inside.report_type = report_type;
	}
	if (!rtls_mime_parameter(
		    content_type, "boundary", boundary, sizeof(boundary)))
		return RTLS_OK;
	return walk_parts(walk, &inside, body, rtls_slice(boundary));
}

static bool is_container(const char *type, enum rtls_mime_encoding encoding)
{
	return encoding == RTLS_MIME_IDENTITY &&
	       (strncmp(type, "multipart/", 10) == 0 ||
		       strcmp(type, "message/rfc822") == 0);
}

static enum rtls_status walk_entity(struct walk *walk,
	const struct around *around, struct rtls_slice entity)
{
	struct rtls_mime_part part = { .name = "" };
	char value[RTLS_MIME_VALUE_SIZE];
	struct rtls_slice header;
	enum rtls_status status;

	if (++walk->parts > RTLS_MIME_PARTS_MAX) {
		rtls_err_set(
			walk->err, "more than %d parts", RTLS_MIME_PARTS_MAX);
		return RTLS_INVALID;
	}
	status = rtls_mime_split(entity, &header, &part.body, walk->err);
	if (status != RTLS_OK)
		return status;
	if (!rtls_mime_field(header, "Content-Type", value, sizeof(value)))
		(void)append(value, sizeof(value), 0, rtls_slice(around->type));
	read_type(rtls_slice(value), part.type, sizeof(part.type));
	part.encoding = read_encoding(header);
	if (is_container(part.type, part.encoding))
		return walk_container(
			walk, around, rtls_slice(value), part.type, part.body);
	read_name(header, rtls_slice(value), part.name, sizeof(part.name));
	(void)append(part.report_type, sizeof(part.report_type), 0,
		rtls_slice(around->report_type));
	return walk->visit(walk->context, &part);
}

enum rtls_status rtls_mime_walk(struct rtls_slice message,
	rtls_mime_visit *visit, void *context, struct rtls_err *err)
{
	struct walk walk = { .visit = visit, .context = context, .err = err };
	struct around around = { .report_type = "", .type = "text/plain" };

	return walk_entity(&walk, &around, rtls_mime_begin(message));
}
