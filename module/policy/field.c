/* field.c - consumers of "name=value" records; see field.h for the grammar. */
#include "field.h"

#include "text.h"

#define NAME_SIZE_MAX 32

bool rtls_byte_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

bool rtls_byte_is_alpha(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool rtls_byte_is_alnum(char byte)
{
	return rtls_byte_is_alpha(byte) || rtls_byte_is_digit(byte);
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_name_byte(char byte)
{
	return rtls_byte_is_alnum(byte) || byte == '_' || byte == '-' ||
	       byte == '.';
}

static bool is_value_byte(char byte)
{
	return byte > ' ' && byte <= '~' && byte != '=' && byte != ';';
}

/* The run of bytes at the front that are of one kind; rest stays. */
static struct rtls_slice run_of(struct rtls_slice rest, bool (*is_kind)(char))
{
	size_t n = 0;

	while (n < rest.size && is_kind(rest.data[n]))
		n++;
	return rtls_slice_n(rest.data, n);
}

static void skip(struct rtls_slice *rest, size_t n)
{
	if (n > 0) {
		rest->data += n;
		rest->size -= n;
	}
}

void rtls_field_blanks(struct rtls_slice *rest)
{
	skip(rest, run_of(*rest, is_blank).size);
}

bool rtls_field_byte(struct rtls_slice *rest, char byte)
{
	if (rest->size == 0 || rest->data[0] != byte)
		return false;
	skip(rest, 1);
	return true;
}

bool rtls_field_name(struct rtls_slice *rest, struct rtls_slice *name)
{
	struct rtls_slice run = run_of(*rest, is_name_byte);

	if (run.size == 0 || run.size > NAME_SIZE_MAX ||
		!rtls_byte_is_alnum(run.data[0]))
		return false;
	*name = run;
	skip(rest, run.size);
	return true;
}

bool rtls_field_value(struct rtls_slice *rest, struct rtls_slice *value)
{
	struct rtls_slice run = run_of(*rest, is_value_byte);

	if (run.size == 0)
		return false;
	*value = run;
	skip(rest, run.size);
	return true;
}

bool rtls_field_delim(struct rtls_slice *rest)
{
	struct rtls_slice ahead = *rest;

	rtls_field_blanks(&ahead);
	if (!rtls_field_byte(&ahead, ';'))
		return false;
	rtls_field_blanks(&ahead);
	*rest = ahead;
	return true;
}

bool rtls_field_version(struct rtls_slice *rest, const char *version)
{
	struct rtls_slice ahead = *rest;

	if (!rtls_slice_starts(ahead, version))
		return false;
	skip(&ahead, rtls_slice(version).size);
	if (!rtls_field_delim(&ahead))
		return false;
	*rest = ahead;
	return true;
}

bool rtls_field_claims(struct rtls_slice text, const char *version)
{
	size_t size = rtls_slice(version).size;

	if (!rtls_slice_starts(text, version))
		return false;
	return text.size == size || text.data[size] == ';' ||
	       is_blank(text.data[size]);
}

enum rtls_status rtls_field_invalid(
	struct rtls_slice rest, struct rtls_err *err)
{
	struct rtls_quoted quoted;

	rtls_err_set(err,
		"expected name=value fields with \";\" between them"
		", found \"%s\"",
		rtls_quoted(&quoted, rest));
	return RTLS_INVALID;
}

enum rtls_status rtls_field_select(const struct rtls_slice *texts, size_t count,
	const char *version, struct rtls_slice *candidate, struct rtls_err *err)
{
	const struct rtls_slice *found = NULL, *claimed = NULL;
	size_t candidates = 0;

	for (size_t i = 0; i < count; i++) {
		struct rtls_slice rest = texts[i];

		if (rtls_field_claims(texts[i], version))
			claimed = &texts[i];
		if (rtls_field_version(&rest, version)) {
			found = &texts[i];
			candidates++;
		}
	}
	if (candidates > 1) {
		rtls_err_set(err, "expected one record with %s, found %zu",
			version, candidates);
		return RTLS_INVALID;
	}
	if (found == NULL)
		found = claimed;
	if (found == NULL)
		return RTLS_NONE;
	*candidate = *found;
	return RTLS_OK;
}
