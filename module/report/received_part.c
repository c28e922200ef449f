/* received_part.c - see received_part.h. */
#include "report/received_part.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/text.h"
#include "policy/utf8.h"

void rtls_part_set(
	struct rtls_part *part, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0 &&
		part->status == RTLS_OK)
		part->status = RTLS_NO_MEMORY;
}

void rtls_part_append(struct rtls_part *part, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0 && part->status == RTLS_OK)
		part->status = RTLS_NO_MEMORY;
}

void rtls_part_fail(struct rtls_part *part, const char *format, ...)
{
	char text[RTLS_ERR_SIZE];
	va_list args;

	if (part->status != RTLS_OK)
		return;
	part->status = RTLS_INVALID;
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	va_end(args);
	rtls_err_set(part->err, "%s%s%s", part->where,
		part->where[0] != '\0' ? ": " : "", text);
}

/* --- texts ------------------------------------------------------------------- */

/* At most max bytes, no character cut in two. */
static struct rtls_slice cut(struct rtls_slice text, size_t max)
{
	while (max > 0 && ((unsigned char)text.data[max] & 0xc0) == 0x80)
		max--;
	return rtls_slice_n(text.data, max);
}

/* Into out, RTLS_RECEIVED_TEXT_MAX + 1 bytes. */
static void clean(struct rtls_part *part, const char *key,
	struct rtls_slice text, char *out)
{
	if (text.size > RTLS_RECEIVED_TEXT_MAX) {
		RTLS_PART_NOTE(part, RTLS_NOTE_WRONG, false,
			"%s: longer than %d bytes, cut", key,
			RTLS_RECEIVED_TEXT_MAX);
		text = cut(text, RTLS_RECEIVED_TEXT_MAX);
	}
	if (!rtls_utf8_is_clean(text))
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
			"%s: control characters, replaced", key);
	rtls_utf8_clean(text, out, RTLS_RECEIVED_TEXT_MAX + 1);
}

json_t *rtls_part_clean(
	struct rtls_part *part, const char *key, struct rtls_slice text)
{
	char out[RTLS_RECEIVED_TEXT_MAX + 1];

	clean(part, key, text, out);
	return json_string(out);
}

bool rtls_part_text(struct rtls_part *part, const json_t *parent,
	const char *key, char *out)
{
	const json_t *member = json_object_get(parent, key);

	out[0] = '\0';
	if (member == NULL)
		return false;
	if (json_is_string(member)) {
		clean(part, key,
			rtls_slice_n(json_string_value(member),
				json_string_length(member)),
			out);
		return out[0] != '\0';
	}
	if (json_is_integer(member)) {
		RTLS_PART_NOTE(part, RTLS_NOTE_WRONG, false,
			"%s: a number instead of a text", key);
		(void)snprintf(out, RTLS_RECEIVED_TEXT_MAX + 1,
			"%" JSON_INTEGER_FORMAT, json_integer_value(member));
		return true;
	}
	if (json_is_null(member))
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
			"%s: null instead of a text", key);
	else
		RTLS_PART_NOTE(
			part, RTLS_NOTE_WRONG, false, "%s: not a text", key);
	return false;
}

void rtls_part_required(struct rtls_part *part, json_t *object,
	const json_t *parent, const char *key, enum rtls_note_weight weight)
{
	const json_t *member = json_object_get(parent, key);
	char text[RTLS_RECEIVED_TEXT_MAX + 1];

	text[0] = '\0';
	if (json_is_null(member))
		RTLS_PART_NOTE(
			part, weight, false, "%s: null instead of a text", key);
	else if (!rtls_part_text(part, parent, key, text) &&
		 (member == NULL || json_is_string(member)))
		RTLS_PART_NOTE(part, weight, true, "%s: left out", key);
	rtls_part_set(part, object, key, json_string(text));
}

/* Like rtls_part_text(), for what had better be left out than empty. */
static bool optional_text(struct rtls_part *part, const json_t *parent,
	const char *key, char *out)
{
	if (rtls_part_text(part, parent, key, out))
		return true;
	if (json_is_string(json_object_get(parent, key)))
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
			"%s: empty instead of left out", key);
	return false;
}

void rtls_part_optional(struct rtls_part *part, json_t *object,
	const json_t *parent, const char *key)
{
	char text[RTLS_RECEIVED_TEXT_MAX + 1];

	if (optional_text(part, parent, key, text))
		rtls_part_set(part, object, key, json_string(text));
}

void rtls_part_host(struct rtls_part *part, json_t *object,
	const json_t *parent, const char *key)
{
	char text[RTLS_RECEIVED_TEXT_MAX + 1], host[RTLS_DOMAIN_SIZE];

	if (!optional_text(part, parent, key, text))
		return;
	if (rtls_domain_normalize(rtls_slice(text), host) == RTLS_OK)
		rtls_part_set(part, object, key, json_string(host));
	else
		rtls_part_set(part, object, key, json_string(text));
}

/* --- addresses --------------------------------------------------------------- */

static bool format_address(const char *text, char out[INET6_ADDRSTRLEN])
{
	unsigned char binary[sizeof(struct in6_addr)];
	int family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;

	return inet_pton(family, text, binary) == 1 &&
	       inet_ntop(family, binary, out, INET6_ADDRSTRLEN) != NULL;
}

/* "[2001:db8::1]", "[IPv6:2001:db8::1]" without brackets; else false. */
static bool take_brackets(const char *text, char inner[INET6_ADDRSTRLEN])
{
	struct rtls_slice slice = rtls_slice(text);

	if (slice.size < 2 || slice.data[0] != '[' ||
		slice.data[slice.size - 1] != ']')
		return false;
	slice = rtls_slice_n(slice.data + 1, slice.size - 2);
	if (rtls_slice_starts(slice, "IPv6:"))
		slice = rtls_slice_n(slice.data + 5, slice.size - 5);
	return rtls_slice_copy(slice, inner, INET6_ADDRSTRLEN);
}

void rtls_part_address(struct rtls_part *part, json_t *object,
	const json_t *parent, const char *key)
{
	char text[RTLS_RECEIVED_TEXT_MAX + 1];
	char inner[INET6_ADDRSTRLEN], address[INET6_ADDRSTRLEN];

	if (!optional_text(part, parent, key, text))
		return;
	if (format_address(text, address)) {
		rtls_part_set(part, object, key, json_string(address));
		return;
	}
	if (take_brackets(text, inner) && format_address(inner, address)) {
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
			"%s: an address in brackets", key);
		rtls_part_set(part, object, key, json_string(address));
		return;
	}
	RTLS_PART_NOTE(
		part, RTLS_NOTE_SEEN, true, "%s: not an IP address", key);
	rtls_part_set(part, object, key, json_string(text));
}

/* --- counts ------------------------------------------------------------------ */

/* What is meant by a member that should be a count. NULL: nothing is wrong with it. */
static const char *read_count(const json_t *member, json_int_t *count)
{
	unsigned long long digits;
	double real;

	*count = 0;
	if (member == NULL)
		return "left out, counted as 0";
	if (json_is_integer(member)) {
		*count = json_integer_value(member);
		if (*count >= 0 && *count <= RTLS_RECEIVED_COUNT_MAX)
			return NULL;
		*count = *count < 0 ? 0 : RTLS_RECEIVED_COUNT_MAX;
		return *count == 0 ? "negative, counted as 0"
				   : "too large, cut to 2^53 - 1";
	}
	if (json_is_string(member) &&
		rtls_slice_number(rtls_slice_n(json_string_value(member),
					  json_string_length(member)),
			RTLS_RECEIVED_COUNT_MAX, &digits)) {
		*count = (json_int_t)digits;
		return "a text instead of a number";
	}
	real = json_real_value(member); /* 0.0 when it is none */
	if (real >= 1 && real <= (double)RTLS_RECEIVED_COUNT_MAX) {
		*count = (json_int_t)real;
		return "a number with a fraction";
	}
	return "not a count, taken as 0";
}

json_int_t rtls_part_count(struct rtls_part *part, json_t *object,
	const json_t *parent, const char *key)
{
	json_int_t count;
	const char *wrong = read_count(json_object_get(parent, key), &count);

	if (wrong != NULL)
		RTLS_PART_NOTE(
			part, RTLS_NOTE_WRONG, false, "%s: %s", key, wrong);
	rtls_part_set(part, object, key, json_integer(count));
	return count;
}

/* --- arrays ------------------------------------------------------------------ */

static void append_lines(struct rtls_part *part, json_t *array, const char *key,
	struct rtls_slice text)
{
	struct rtls_slice line;

	while (json_array_size(array) < RTLS_RECEIVED_LINES_MAX &&
		rtls_slice_line(&text, &line))
		rtls_part_append(part, array, rtls_part_clean(part, key, line));
	if (text.size > 0)
		rtls_part_fail(part, "%s: more than %d lines", key,
			RTLS_RECEIVED_LINES_MAX);
}

static void append_items(struct rtls_part *part, json_t *array, const char *key,
	const json_t *member)
{
	const json_t *item;
	size_t i;

	if (json_array_size(member) > RTLS_RECEIVED_LINES_MAX) {
		rtls_part_fail(part, "%s: more than %d lines", key,
			RTLS_RECEIVED_LINES_MAX);
		return;
	}
	json_array_foreach(member, i, item)
	{
		if (json_is_string(item))
			rtls_part_append(part, array,
				rtls_part_clean(part, key,
					rtls_slice_n(json_string_value(item),
						json_string_length(item))));
		else
			RTLS_PART_NOTE(part, RTLS_NOTE_WRONG, false,
				"%s: something else than texts, left out", key);
	}
}

void rtls_part_strings(struct rtls_part *part, json_t *object,
	const json_t *parent, const char *key)
{
	const json_t *member = json_object_get(parent, key);
	json_t *array = json_array();

	if (json_is_array(member)) {
		append_items(part, array, key, member);
	} else if (json_is_string(member)) {
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
			"%s: one text instead of an array", key);
		append_lines(part, array, key,
			rtls_slice_n(json_string_value(member),
				json_string_length(member)));
	} else if (json_is_null(member)) {
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
			"%s: null instead of an array", key);
	} else if (member != NULL) {
		RTLS_PART_NOTE(part, RTLS_NOTE_WRONG, false,
			"%s: not an array of texts", key);
	}
	rtls_part_set(part, object, key, array);
}

/* --- members nobody knows ---------------------------------------------------- */

static bool is_known(const char *key, const char *const *known)
{
	while (*known != NULL && strcmp(*known, key) != 0)
		known++;
	return *known != NULL;
}

void rtls_part_unknown(
	struct rtls_part *part, json_t *object, const char *const *known)
{
	struct rtls_quoted q;
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		if (!is_known(key, known))
			RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
				"unknown member \"%s\", left out",
				rtls_quoted(&q, rtls_slice(key)));
	}
}
