/* page_read.c - the keys of a report, whatever JSON it is. */
#include "page_read.h"

#include "page_model_nodes.h"
#include "policy/timestamp.h"

/* At most so many bytes, and no half of a character at the end. */
static struct rtls_slice text_of(const json_t *value)
{
	struct rtls_slice text = rtls_slice(json_string_value(value));

	if (text.size <= RTLS_PAGE_PIECE_MAX)
		return text;
	text.size = RTLS_PAGE_PIECE_MAX;
	while (text.size > 0 && (text.data[text.size] & 0xc0) == 0x80)
		text.size--;
	return text;
}

struct rtls_slice rtls_page_read_text(const json_t *object, const char *key)
{
	return text_of(json_object_get(object, key));
}

uint64_t rtls_page_read_count(
	const json_t *object, const char *key, uint64_t missing)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return missing;
	return (uint64_t)json_integer_value(value);
}

struct rtls_slice rtls_page_read_lines(
	const json_t *object, const char *key, char buffer[RTLS_PAGE_LINES_MAX])
{
	const json_t *value = json_object_get(object, key);
	size_t count = json_is_string(value) ? 1 : json_array_size(value);
	struct rtls_text lines;

	rtls_text_init(&lines, buffer, RTLS_PAGE_LINES_MAX);
	for (size_t i = 0; i < count && !lines.overflow; i++) {
		rtls_text_add(
			&lines, text_of(json_is_string(value)
						? value
						: json_array_get(value, i)));
		rtls_text_add(&lines, rtls_slice("\n"));
	}
	return rtls_text_slice(&lines);
}

static bool get_time(const json_t *object, const char *key, int64_t *time_s)
{
	return rtls_timestamp_parse(rtls_page_read_text(object, key), time_s) ==
	       RTLS_OK;
}

enum rtls_status rtls_page_model_day(const json_t *report, int64_t *day_s)
{
	const json_t *range = json_object_get(report, "date-range");
	int64_t start_s, end_s, middle_s;

	if (!get_time(range, "start-datetime", &start_s))
		return RTLS_INVALID;
	if (!get_time(range, "end-datetime", &end_s) || end_s < start_s)
		end_s = start_s;
	middle_s = start_s + (end_s - start_s) / 2;
	*day_s = middle_s - middle_s % RTLS_DAY_S;
	return RTLS_OK;
}
