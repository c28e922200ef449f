/* reported.c - see reported.h.
 *
 *   line   = *WSP (comment / entry / "") *WSP eol
 *   entry  = ("report" / "silent") 1*WSP 1*domain
 *   domain = ALPHA / DIGIT / "-" / "." / "_" / "*" / "?" */
#include "reported.h"

#include "rules.h"

/* One line that is no comment. */
static bool parse_line(struct rtls_slice line, struct rtls_reported_line *entry,
	struct rtls_mistake *mistake)
{
	struct rtls_slice rest = line;
	struct rtls_slice word = { 0 };

	(void)rtls_slice_word(&rest, &word);
	entry->report = rtls_slice_is(word, "report");
	if (!entry->report && !rtls_slice_is(word, "silent"))
		return rtls_mistake(mistake, "report or silent", word);
	if (!rtls_slice_word(&rest, &entry->domain) ||
		!rtls_wildcard_is_domain(entry->domain))
		return rtls_mistake(
			mistake, RTLS_WILDCARD_EXPECTED, entry->domain);
	rest = rtls_slice_trim(rest);
	return rest.size == 0 ||
	       rtls_mistake(mistake, "nothing behind the domain", rest);
}

static bool add_line(struct rtls_slice line, unsigned number, void *out,
	struct rtls_mistake *mistake)
{
	struct rtls_reported *reported = out;
	struct rtls_reported_line entry = { .line = number };

	if (!parse_line(line, &entry, mistake))
		return false;
	if (reported->count == RTLS_REPORTED_MAX)
		return rtls_mistake_limit(mistake, "at most 256 lines");
	reported->entry[reported->count++] = entry;
	return true;
}

enum rtls_status rtls_reported_parse(struct rtls_slice text,
	struct rtls_reported *reported, struct rtls_err *err)
{
	struct rtls_reported parsed = { 0 };
	enum rtls_status status =
		rtls_mistake_find(text, add_line, &parsed, err);

	if (status == RTLS_OK)
		*reported = parsed;
	return status;
}

bool rtls_reported_has(
	const struct rtls_reported *reported, struct rtls_slice domain)
{
	for (size_t i = 0; i < reported->count; i++)
		if (rtls_wildcard_matches(reported->entry[i].domain, domain))
			return reported->entry[i].report;
	return true;
}
