/* page_text.c - text into an HTML page. */
#include "page_text.h"

#include <inttypes.h>

#include "policy/timestamp.h"
#include "policy/utf8.h"

#define MARKS_MAX                                                              \
	2 /* combining marks in a row: more of them hide other lines */

/* Code points that cannot be seen and move, hide or turn what stands beside them. */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{ 0x00ad, 0x00ad },   /* soft hyphen */
	{ 0x034f, 0x034f },   /* joiner of graphemes */
	{ 0x061c, 0x061c },   /* Arabic mark of direction */
	{ 0x115f, 0x1160 },   /* fillers of Hangul */
	{ 0x17b4, 0x17b5 },   /* vowels of Khmer without a form */
	{ 0x180b, 0x180f },   /* Mongolian selectors */
	{ 0x200b, 0x200f },   /* width zero, marks of direction */
	{ 0x2028, 0x202e },   /* separators, embeddings, overrides */
	{ 0x2060, 0x206f },   /* joiner, isolates, what is deprecated */
	{ 0x3164, 0x3164 },   /* filler of Hangul */
	{ 0xfe00, 0xfe0f },   /* selectors of variants */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xffa0, 0xffa0 },   /* filler of Hangul */
	{ 0xfff9, 0xfffb },   /* annotations */
	{ 0x1d173, 0x1d17a }, /* of musical notation */
	{ 0xe0000, 0xe0fff }, /* tags, more selectors */
};

static bool is_unseen(uint32_t point)
{
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		if (point >= unseen[i].first && point <= unseen[i].last)
			return true;
	return false;
}

static bool is_mark(uint32_t point)
{
	return (point >= 0x0300 && point <= 0x036f) ||
	       (point >= 0x0483 && point <= 0x0489) ||
	       (point >= 0x1ab0 && point <= 0x1aff) ||
	       (point >= 0x1dc0 && point <= 0x1dff) ||
	       (point >= 0x20d0 && point <= 0x20ff) ||
	       (point >= 0xfe20 && point <= 0xfe2f);
}

/* Bytes of the character that text begins with; 0: none that may stand in a page. */
static size_t character_size(struct rtls_slice text)
{
	for (size_t size = 1; size <= 4 && size <= text.size; size++)
		if (rtls_utf8_is_clean(rtls_slice_n(text.data, size)))
			return size;
	return 0;
}

/* Of a character that is known to be one. */
static uint32_t code_point(const char *data, size_t size)
{
	static const unsigned char lead_mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t point = (unsigned char)data[0] & lead_mask[size];

	for (size_t i = 1; i < size; i++)
		point = point << 6 | ((unsigned char)data[i] & 0x3fU);
	return point;
}

static const char *reference(uint32_t point)
{
	switch (point) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static void put_character(FILE *out, const char *data, size_t size)
{
	uint32_t point = code_point(data, size);
	const char *written = reference(point);

	if (written != NULL)
		(void)fputs(written, out);
	else if (is_unseen(point))
		(void)fprintf(out, "\\u%04" PRIx32, point);
	else
		(void)fwrite(data, 1, size, out);
}

void rtls_page_put(FILE *out, struct rtls_slice text, size_t characters_max)
{
	size_t count = 0, marks = 0;

	while (text.size > 0) {
		size_t size = character_size(text);

		if (count++ == characters_max) {
			(void)fputs("…", out);
			return;
		}
		marks = size > 0 && is_mark(code_point(text.data, size))
				? marks + 1
				: 0;
		if (size == 0)
			(void)fprintf(
				out, "\\x%02x", (unsigned char)text.data[0]);
		else if (marks <= MARKS_MAX)
			put_character(out, text.data, size);
		size = size == 0 ? 1 : size;
		text.data += size;
		text.size -= size;
	}
}

void rtls_page_put_foreign(FILE *out, struct rtls_slice text)
{
	(void)fputs("<bdi>", out);
	rtls_page_put(out, text, RTLS_PAGE_TEXT_MAX);
	(void)fputs("</bdi>", out);
}

void rtls_page_put_count(FILE *out, uint64_t count)
{
	char digits[24];
	int size = snprintf(digits, sizeof(digits), "%" PRIu64, count);

	for (int i = 0; i < size; i++) {
		if (i > 0 && (size - i) % 3 == 0)
			(void)fputc(',', out);
		(void)fputc(digits[i], out);
	}
}

void rtls_page_put_share(FILE *out, uint64_t part, uint64_t whole)
{
	double percent;

	if (part == 0 || whole == 0 || part >= whole) {
		(void)fputs(part == 0 || whole == 0 ? "0%" : "100%", out);
		return;
	}
	percent = 100.0 * (double)part / (double)whole;
	if (percent < 0.01)
		(void)fputs("&lt;0.01%", out);
	else if (percent < 1)
		(void)fprintf(out, "%.2f%%", percent > 0.99 ? 0.99 : percent);
	else if (percent > 99.9)
		(void)fputs("&gt;99.9%", out);
	else
		(void)fprintf(out, "%.1f%%", percent);
}

void rtls_page_put_date(FILE *out, int64_t day_s)
{
	char date[RTLS_DATE_SIZE];

	(void)fputs(rtls_date_format(date, day_s), out);
}

void rtls_page_put_short_date(FILE *out, int64_t day_s)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char date[RTLS_DATE_SIZE];
	int month, day;

	(void)rtls_date_format(date, day_s); /* "2026-11-20" */
	month = (date[5] - '0') * 10 + date[6] - '0';
	day = (date[8] - '0') * 10 + date[9] - '0';
	(void)fprintf(out, "%s %d", months[month - 1], day);
}
