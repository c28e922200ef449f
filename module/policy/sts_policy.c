/* sts_policy.c - parse the policy body.
 *
 *   policy  = line *(term line) [term] [term]  ; the last one is our tolerance
 *   term    = LF / CRLF
 *   line    = key ":" *WSP value *WSP
 *   key     = "version" / "mode" / "max_age"   ; each required, case-sensitive
 *           / "mx"                             ; required unless mode is none
 *           / name                             ; see field.h
 *   version = "STSv1"
 *   mode    = "testing" / "enforce" / "none"
 *   max_age = 1*10DIGIT
 *   mx      = ["*."] Domain                    ; RFC 5321 section 4.1.2
 *   other   = vchar [*(SP / vchar) vchar]      ; vchar = %x21-7E / UTF8-2/3/4
 */
#include "sts_policy.h"

#include "domain.h"
#include "field.h"
#include "text.h"

#define MAX_AGE_DIGITS_MAX 10

struct field {
	const char *name;
	bool repeats;
	/* Why the value is not good, or NULL when it was taken. */
	const char *(*parse)(struct rtls_slice, struct rtls_sts_policy *);
};

static const char *parse_version(
	struct rtls_slice value, struct rtls_sts_policy *policy)
{
	(void)policy;
	return rtls_slice_is(value, "STSv1") ? NULL : "version must be STSv1";
}

static const char *parse_mode(
	struct rtls_slice value, struct rtls_sts_policy *policy)
{
	static const enum rtls_sts_mode modes[] = { RTLS_STS_NONE,
		RTLS_STS_TESTING, RTLS_STS_ENFORCE };

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!rtls_slice_is(value, rtls_sts_mode_name(modes[i])))
			continue;
		policy->mode = modes[i];
		return NULL;
	}
	return "mode must be enforce, testing or none";
}

static const char *parse_max_age(
	struct rtls_slice value, struct rtls_sts_policy *policy)
{
	unsigned long long max_age_s;

	if (value.size > MAX_AGE_DIGITS_MAX ||
		!rtls_slice_number(value, ~0ULL, &max_age_s))
		return "max_age must be 1 to 10 digits";
	policy->max_age_clamped = max_age_s > RTLS_STS_MAX_AGE_MAX;
	if (policy->max_age_clamped)
		max_age_s = RTLS_STS_MAX_AGE_MAX;
	policy->max_age_s = (unsigned long)max_age_s;
	return NULL;
}

static const char *parse_mx(
	struct rtls_slice value, struct rtls_sts_policy *policy)
{
	struct rtls_slice domain = value;

	if (rtls_slice_starts(value, "*."))
		rtls_slice_take(&domain, '.');
	if (!rtls_domain_is_ldh(domain))
		return "mx must be a host name of letters, digits and hyphens, "
		       "or one behind \"*.\"";
	if (policy->mx_count == RTLS_STS_MX_MAX)
		return "too many mx lines";
	policy->mx[policy->mx_count++] = value;
	return NULL;
}

enum {
	VERSION,
	MODE,
	MAX_AGE,
	MX,
	FIELD_COUNT
};

static const struct field fields[FIELD_COUNT] = {
	[VERSION] = { "version", false, parse_version },
	[MODE] = { "mode", false, parse_mode },
	[MAX_AGE] = { "max_age", false, parse_max_age },
	[MX] = { "mx", true, parse_mx },
};

/* The size of the UTF-8 character at the front, 0 when it is none
 * (RFC 3629 section 4: no overlong forms, no surrogates). */
static size_t utf8_size(struct rtls_slice text)
{
	const unsigned char *bytes = (const unsigned char *)text.data;
	unsigned char first = bytes[0], low = 0x80, high = 0xbf;
	size_t size;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (text.size < size)
		return 0;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if (bytes[i] < 0x80 || bytes[i] > 0xbf)
			return 0;
	return size;
}

static bool is_value(struct rtls_slice value)
{
	if (value.size == 0)
		return false;
	while (value.size > 0) {
		size_t size = utf8_size(value);

		if (size == 0)
			return false;
		if (size == 1 && (value.data[0] < ' ' || value.data[0] > '~'))
			return false;
		value = rtls_slice_n(value.data + size, value.size - size);
	}
	return true;
}

static bool split_line(struct rtls_slice line, struct rtls_slice *key,
	struct rtls_slice *value)
{
	if (!rtls_field_name(&line, key) || !rtls_field_byte(&line, ':'))
		return false;
	*value = rtls_slice_trim(line);
	return is_value(*value);
}

static const char *parse_line(struct rtls_slice line, bool seen[FIELD_COUNT],
	struct rtls_sts_policy *policy)
{
	struct rtls_slice key, value;

	if (!split_line(line, &key, &value))
		return "expected \"key: value\"";
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (!rtls_slice_is(key, fields[i].name))
			continue;
		/* RFC 8461 section 3.2: all but the first of a field other
		 * than mx are ignored, whatever they say. */
		if (seen[i] && !fields[i].repeats)
			return NULL;
		seen[i] = true;
		return fields[i].parse(value, policy);
	}
	return NULL; /* RFC 8461 section 3.2: unknown fields are ignored. */
}

static enum rtls_status check_complete(const bool seen[FIELD_COUNT],
	const struct rtls_sts_policy *policy, struct rtls_err *err)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (seen[i] || (i == MX && policy->mode == RTLS_STS_NONE))
			continue;
		rtls_err_set(err, "%s is missing", fields[i].name);
		return RTLS_INVALID;
	}
	return RTLS_OK;
}

static enum rtls_status parse_lines(struct rtls_slice text,
	struct rtls_sts_policy *policy, struct rtls_err *err)
{
	struct rtls_slice rest = text, line;
	bool seen[FIELD_COUNT] = { false };
	struct rtls_quoted quoted;

	for (unsigned number = 1; rtls_slice_line(&rest, &line); number++) {
		const char *reason;

		/* Not in the grammar; our tolerance at the very end. */
		if (line.size == 0 && rest.size == 0 && number > 1)
			break;
		reason = parse_line(line, seen, policy);
		if (reason == NULL)
			continue;
		rtls_err_set(err, "line %u: %s (found \"%s\")", number, reason,
			rtls_quoted(&quoted, line));
		return RTLS_INVALID;
	}
	return check_complete(seen, policy, err);
}

enum rtls_status rtls_sts_policy_parse(struct rtls_slice text,
	struct rtls_sts_policy *policy, struct rtls_err *err)
{
	struct rtls_sts_policy parsed = { .mx_count = 0 };
	enum rtls_status status;

	if (text.size > RTLS_STS_POLICY_SIZE_MAX) {
		rtls_err_set(err, "the policy is larger than %d bytes",
			RTLS_STS_POLICY_SIZE_MAX);
		return RTLS_INVALID;
	}
	status = parse_lines(text, &parsed, err);
	if (status == RTLS_OK)
		*policy = parsed;
	return status;
}

const struct rtls_slice *rtls_sts_policy_match(
	const struct rtls_sts_policy *policy, struct rtls_slice mx_host)
{
	for (size_t i = 0; i < policy->mx_count; i++)
		if (rtls_domain_matches(policy->mx[i], mx_host))
			return &policy->mx[i];
	return NULL;
}

bool rtls_sts_policy_allows(
	const struct rtls_sts_policy *policy, struct rtls_slice mx_host)
{
	return rtls_sts_policy_match(policy, mx_host) != NULL;
}

const char *rtls_sts_mode_name(enum rtls_sts_mode mode)
{
	switch (mode) {
	case RTLS_STS_ENFORCE:
		return "enforce";
	case RTLS_STS_TESTING:
		return "testing";
	case RTLS_STS_NONE:
		break;
	}
	return "none";
}
