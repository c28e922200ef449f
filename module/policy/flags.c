/* flags.c - see flags.h.
 *
 *   flags = "requiretls=" ("yes" / "no" / "relaxed") WSP
 *           ["by=" name WSP] "dnssec=" ("no" / "request" / "require")
 *
 * in any order, other words between them. */
#include "flags.h"

#include <string.h>

#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

static const char *const requiretls_names[] = {
	[RTLS_REQUIRETLS_NO] = "no",
	[RTLS_REQUIRETLS_YES] = "yes",
	[RTLS_REQUIRETLS_RELAXED] = "relaxed",
};

static const char *const by_names[] = {
	[RTLS_BY_NOTHING] = "nothing",
	[RTLS_BY_ESMTP] = "esmtp",
	[RTLS_BY_TAG] = "tag",
	[RTLS_BY_ACL] = "acl",
	[RTLS_BY_RULE] = "rule",
	[RTLS_BY_BOUNCE] = "bounce",
	[RTLS_BY_HEADER] = "header",
};

static const char *const dnssec_names[] = {
	[RTLS_DNSSEC_NO] = "no",
	[RTLS_DNSSEC_REQUEST] = "request",
	[RTLS_DNSSEC_REQUIRE] = "require",
};

const char *rtls_flagged_by_name(enum rtls_flagged_by by)
{
	return (unsigned)by < COUNT(by_names) ? by_names[by] : by_names[0];
}

void rtls_flags_set(struct rtls_flags *flags, enum rtls_flagged_by by)
{
	if (flags->requiretls == RTLS_REQUIRETLS_YES)
		return;
	flags->requiretls = RTLS_REQUIRETLS_YES;
	flags->by = by;
}

bool rtls_flag_value_is_yes(struct rtls_slice value)
{
	value = rtls_slice_trim(value);
	return value.size > 0 && !rtls_slice_is_nocase(value, "no") &&
	       !rtls_slice_is_nocase(value, "false") &&
	       !rtls_slice_is(value, "0");
}

void rtls_flags_format(const struct rtls_flags *flags, struct rtls_text *out)
{
	rtls_text_printf(
		out, "requiretls=%s", requiretls_names[flags->requiretls]);
	if (flags->by != RTLS_BY_NOTHING)
		rtls_text_printf(out, " by=%s", by_names[flags->by]);
	rtls_text_printf(out, " dnssec=%s", dnssec_names[flags->dnssec]);
}

/* The value of the word "name=value" in the text; its count tells how many
 * there are. */
static unsigned find_value(
	struct rtls_slice text, const char *name, struct rtls_slice *value)
{
	struct rtls_slice word;
	unsigned count = 0;

	while (rtls_slice_word(&text, &word)) {
		if (!rtls_slice_starts(word, name))
			continue;
		(void)rtls_slice_take(&word, '=');
		*value = word;
		count++;
	}
	return count;
}

static bool find_name(const char *const *names, size_t count,
	struct rtls_slice name, unsigned *number)
{
	for (unsigned i = 0; i < count; i++) {
		if (rtls_slice_is(name, names[i])) {
			*number = i;
			return true;
		}
	}
	return false;
}

/* Only the header makes a message relaxed; whatever else says so is broken,
 * and weakens nothing. */
static bool is_possible(const struct rtls_flags *flags)
{
	return flags->requiretls != RTLS_REQUIRETLS_RELAXED ||
	       flags->by == RTLS_BY_HEADER || flags->by == RTLS_BY_NOTHING;
}

enum rtls_status rtls_flags_parse(
	struct rtls_slice text, struct rtls_flags *flags)
{
	struct rtls_flags parsed = { RTLS_REQUIRETLS_NO, RTLS_BY_NOTHING,
		RTLS_DNSSEC_NO };
	struct rtls_slice value;
	unsigned requiretls;
	unsigned dnssec;
	unsigned by = RTLS_BY_NOTHING;
	unsigned count = find_value(text, "requiretls=", &value);

	if (count == 0) {
		*flags = parsed;
		return RTLS_NONE;
	}
	if (count > 1 || !find_name(requiretls_names, COUNT(requiretls_names),
				 value, &requiretls))
		return RTLS_INVALID;
	/* Always written, so without it the text was cut. */
	if (find_value(text, "dnssec=", &value) != 1 ||
		!find_name(dnssec_names, COUNT(dnssec_names), value, &dnssec))
		return RTLS_INVALID;
	count = find_value(text, "by=", &value);
	if (count > 1 || (count == 1 && !find_name(by_names, COUNT(by_names),
						value, &by)))
		return RTLS_INVALID;
	parsed.requiretls = (enum rtls_requiretls)requiretls;
	parsed.dnssec = (enum rtls_dnssec_wish)dnssec;
	parsed.by = (enum rtls_flagged_by)by;
	if (!is_possible(&parsed))
		return RTLS_INVALID;
	*flags = parsed;
	return RTLS_OK;
}

bool rtls_flags_are_yes(struct rtls_slice text, bool otherwise)
{
	struct rtls_flags flags;
	enum rtls_status status = rtls_flags_parse(text, &flags);

	if (status == RTLS_NONE)
		return otherwise;
	return status == RTLS_INVALID ||
	       flags.requiretls == RTLS_REQUIRETLS_YES;
}

static bool is_folding(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool rtls_tls_required_is_no(struct rtls_slice value)
{
	while (value.size != 0 && is_folding(value.data[0]))
		value = rtls_slice_n(value.data + 1, value.size - 1);
	while (value.size != 0 && is_folding(value.data[value.size - 1]))
		value.size--;
	return rtls_slice_is_nocase(value, "no");
}

/* The size of the local part: up to the first "@" outside quotes (RFC 5322
 * section 3.2.4). false: no "@", or nothing behind it. */
static bool find_local_part(struct rtls_slice address, size_t *size)
{
	bool quoted = false;

	for (size_t i = 0; i < address.size; i++) {
		const char byte = address.data[i];

		if (quoted && byte == '\\') {
			i++;
		} else if (byte == '"') {
			quoted = !quoted;
		} else if (byte == '@' && !quoted) {
			*size = i;
			return i + 1 < address.size;
		}
	}
	return false;
}

/* In a quoted local part the first byte of the tag may be escaped: then the
 * backslash goes with it. */
static size_t escape_size(struct rtls_slice text)
{
	size_t count = 0;

	while (count < text.size && text.data[text.size - 1 - count] == '\\')
		count++;
	return count % 2;
}

bool rtls_tag_strip(struct rtls_slice address, struct rtls_slice tag, char *out,
	size_t out_size)
{
	size_t size;
	size_t end;
	size_t kept;

	if (tag.size == 0 || !find_local_part(address, &size) ||
		memchr(address.data, '\0', address.size) != NULL)
		return false;
	/* "name+tag"@domain: what is kept ends before the quote. */
	end = size > 0 && address.data[size - 1] == '"' ? size - 1 : size;
	if (!rtls_slice_ends_nocase(rtls_slice_n(address.data, end), tag))
		return false;
	kept = end - tag.size;
	if (end < size)
		kept -= escape_size(rtls_slice_n(address.data, kept));
	if (kept == 0 || (kept == 1 && address.data[0] == '"') ||
		kept + address.size - end >= out_size)
		return false;
	memcpy(out, address.data, kept);
	memcpy(out + kept, address.data + end, address.size - end);
	out[kept + address.size - end] = '\0';
	return true;
}
