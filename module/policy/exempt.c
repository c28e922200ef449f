/* exempt.c - see exempt.h.
 *
 *   line    = *WSP (comment / exempt / "") *WSP eol
 *   comment = "#" *OCTET
 *   exempt  = 1*domain 1*WSP kind *("," kind) 1*WSP "until=" date 1*WSP reason
 *   domain  = ALPHA / DIGIT / "-" / "." / "_" / "*" / "?"
 *   kind    = "sts" / "dnssec" / "requiretls" / "verified"    ; each once
 *   date    = 4DIGIT "-" 2DIGIT "-" 2DIGIT
 *   reason  = DQUOTE 1*200OCTET DQUOTE     ; UTF-8; no control, no DQUOTE */
#include "exempt.h"

#include <string.h>

#include "rules.h"
#include "timestamp.h"
#include "utf8.h"

static bool parse_kinds(struct rtls_slice text, unsigned *lifts)
{
	*lifts = 0;
	for (;;) {
		const bool is_last = memchr(text.data, ',', text.size) == NULL;
		const unsigned kind =
			rtls_protection_named(rtls_slice_take(&text, ','));

		if (kind == 0 || (*lifts & kind) != 0)
			return false;
		*lifts |= kind;
		if (is_last)
			return true;
	}
}

static bool parse_until(
	struct rtls_slice word, struct rtls_exemption *exemption)
{
	int64_t day_s;

	if (!rtls_slice_starts(word, "until="))
		return false;
	(void)rtls_slice_take(&word, '=');
	if (rtls_date_parse(word, &day_s) != RTLS_OK)
		return false;
	exemption->until = word;
	exemption->end_s = day_s + RTLS_DAY_S;
	return true;
}

static bool parse_reason(struct rtls_slice text, struct rtls_slice *reason)
{
	if (text.size < 2 || text.data[0] != '"' ||
		text.data[text.size - 1] != '"')
		return false;
	*reason = rtls_slice_n(text.data + 1, text.size - 2);
	return rtls_slice_trim(*reason).size != 0 &&
	       reason->size <= RTLS_EXEMPT_REASON_MAX &&
	       memchr(reason->data, '"', reason->size) == NULL &&
	       rtls_utf8_is_clean(*reason);
}

/* One line that is no comment. */
static bool parse_line(struct rtls_slice line, struct rtls_exemption *exemption,
	struct rtls_mistake *mistake)
{
	struct rtls_slice rest = line;
	struct rtls_slice word = { 0 };

	if (!rtls_slice_word(&rest, &exemption->domain) ||
		!rtls_wildcard_is_domain(exemption->domain))
		return rtls_mistake(
			mistake, RTLS_WILDCARD_EXPECTED, exemption->domain);
	if (!rtls_slice_word(&rest, &word) ||
		!parse_kinds(word, &exemption->lifts))
		return rtls_mistake(mistake,
			"sts, dnssec, requiretls or verified behind "
			"the domain, each once, with commas between",
			word);
	word = rtls_slice("");
	if (!rtls_slice_word(&rest, &word) || !parse_until(word, exemption))
		return rtls_mistake(
			mistake, "until=YYYY-MM-DD, the last day", word);
	if (!parse_reason(rtls_slice_trim(rest), &exemption->reason))
		return rtls_mistake(mistake,
			"a reason in double quotes, of at most 200 "
			"bytes of UTF-8, and nothing behind it",
			rest);
	return true;
}

static bool add_line(struct rtls_slice line, unsigned number, void *out,
	struct rtls_mistake *mistake)
{
	struct rtls_exemptions *exemptions = out;
	struct rtls_exemption exemption = { .line = number };

	if (!parse_line(line, &exemption, mistake))
		return false;
	if (exemptions->count == RTLS_EXEMPT_MAX)
		return rtls_mistake_limit(mistake, "at most 256 exemptions");
	exemptions->exemption[exemptions->count++] = exemption;
	return true;
}

enum rtls_status rtls_exemptions_parse(struct rtls_slice text,
	struct rtls_exemptions *exemptions, struct rtls_err *err)
{
	struct rtls_exemptions parsed = { 0 };
	enum rtls_status status =
		rtls_mistake_find(text, add_line, &parsed, err);

	if (status == RTLS_OK)
		*exemptions = parsed;
	return status;
}

bool rtls_exemption_is_over(
	const struct rtls_exemption *exemption, int64_t now_s)
{
	return now_s >= exemption->end_s;
}

int64_t rtls_exemption_days_left(
	const struct rtls_exemption *exemption, int64_t now_s)
{
	if (rtls_exemption_is_over(exemption, now_s))
		return 0;
	return (exemption->end_s - 1 - (now_s < 0 ? 0 : now_s)) / RTLS_DAY_S;
}

static bool is_in_force(const struct rtls_exemption *exemption,
	struct rtls_slice domain, int64_t now_s)
{
	return !rtls_exemption_is_over(exemption, now_s) &&
	       rtls_wildcard_matches(exemption->domain, domain);
}

unsigned rtls_exemptions_in_force(const struct rtls_exemptions *exemptions,
	struct rtls_slice domain, int64_t now_s)
{
	unsigned lifted = 0;

	for (size_t i = 0; i < exemptions->count; i++)
		if (is_in_force(&exemptions->exemption[i], domain, now_s))
			lifted |= exemptions->exemption[i].lifts;
	return lifted;
}

const struct rtls_exemption *rtls_exemptions_find(
	const struct rtls_exemptions *exemptions, struct rtls_slice domain,
	int64_t now_s, unsigned protection)
{
	for (size_t i = 0; i < exemptions->count; i++)
		if ((exemptions->exemption[i].lifts & protection) != 0 &&
			is_in_force(&exemptions->exemption[i], domain, now_s))
			return &exemptions->exemption[i];
	return NULL;
}

void rtls_exemptions_describe(const struct rtls_exemptions *exemptions,
	struct rtls_slice domain, int64_t now_s, unsigned lifted,
	struct rtls_text *out)
{
	for (size_t i = 0; i < exemptions->count; i++) {
		const struct rtls_exemption *exemption =
			&exemptions->exemption[i];
		const unsigned shown = exemption->lifts & lifted;

		if (shown == 0 || !is_in_force(exemption, domain, now_s))
			continue;
		rtls_text_printf(out, " exempt=");
		rtls_protections_format(shown, out);
		rtls_text_printf(out, " until=");
		rtls_text_add(out, exemption->until);
		lifted &= ~shown;
	}
}
