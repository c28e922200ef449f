/* dmarc.c - see dmarc.h. Tags that are not known are ignored (RFC 7489 section 6.3). */
#include "dmarc.h"

#include "tag_list.h"
#include "text.h"

static const char *const policy_names[] = {
	[RTLS_DMARC_NONE] = "none",
	[RTLS_DMARC_QUARANTINE] = "quarantine",
	[RTLS_DMARC_REJECT] = "reject",
};

const char *rtls_dmarc_policy_name(enum rtls_dmarc_policy policy)
{
	return policy_names[policy];
}

static bool parse_policy(
	const struct rtls_slice *value, enum rtls_dmarc_policy *policy)
{
	for (unsigned i = RTLS_DMARC_NONE; i <= RTLS_DMARC_REJECT; i++) {
		if (!rtls_slice_is_nocase(*value, policy_names[i]))
			continue;
		*policy = (enum rtls_dmarc_policy)i;
		return true;
	}
	return false;
}

static bool is_alignment(const struct rtls_slice *value)
{
	return value == NULL || rtls_slice_is_nocase(*value, "r") ||
	       rtls_slice_is_nocase(*value, "s");
}

static const char *parse_tags(
	const struct rtls_tag_list *tags, struct rtls_dmarc *record)
{
	const struct rtls_slice *policy = rtls_tag_list_get(tags, "p");
	const struct rtls_slice *subdomains = rtls_tag_list_get(tags, "sp");
	const struct rtls_slice *percent = rtls_tag_list_get(tags, "pct");
	const struct rtls_slice *rua = rtls_tag_list_get(tags, "rua");
	enum rtls_dmarc_policy ignored;
	unsigned long long number = 100;

	if (policy == NULL)
		return "p is missing";
	if (!parse_policy(policy, &record->policy))
		return "p must be none, quarantine or reject";
	if (subdomains != NULL && !parse_policy(subdomains, &ignored))
		return "sp must be none, quarantine or reject";
	if (percent != NULL && !rtls_slice_number(*percent, 100, &number))
		return "pct must be 0 to 100";
	if (!is_alignment(rtls_tag_list_get(tags, "adkim")) ||
		!is_alignment(rtls_tag_list_get(tags, "aspf")))
		return "adkim and aspf must be r or s";
	record->percent = (unsigned)number;
	if (rua != NULL)
		record->rua = *rua;
	return NULL;
}

/* "v=DMARC1", blanks around the "=" or not, at the front. */
static bool has_version(struct rtls_slice text)
{
	struct rtls_slice tag = rtls_slice_take(&text, ';');
	struct rtls_slice name = rtls_slice_take(&tag, '=');

	return rtls_slice_is(rtls_slice_trim(name), "v") &&
	       rtls_slice_is(rtls_slice_trim(tag), "DMARC1");
}

enum rtls_status rtls_dmarc_parse(
	struct rtls_slice text, struct rtls_dmarc *record, struct rtls_err *err)
{
	struct rtls_dmarc parsed = { .rua = { NULL, 0 } };
	struct rtls_tag_list tags;
	enum rtls_status status;

	if (!has_version(text))
		return RTLS_NONE;
	if (rtls_tag_list_parse(text, &tags, err) != RTLS_OK)
		return RTLS_INVALID;
	status = rtls_err_check(err, parse_tags(&tags, &parsed));
	if (status == RTLS_OK)
		*record = parsed;
	return status;
}
