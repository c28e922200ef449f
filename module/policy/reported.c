/* reported.c - see reported.h.
 *
 *   line   = *WSP (comment / entry / "") *WSP eol
 *   entry  = ("report" / "silent") 1*WSP 1*domain
 *   domain = ALPHA / DIGIT / "-" / "." / "_" / "*" / "?" */
#include "reported.h"

#include "rules.h"

/* One line that is no comment. NULL, or what was expected. */
static const char *parse_line(
	struct rtls_slice line, struct rtls_reported_line *entry)
{
	struct rtls_slice rest = line;
	struct rtls_slice word;

	if (!rtls_slice_word(&rest, &word))
		return "expected report or silent";
	entry->report = rtls_slice_is(word, "report");
	if (!entry->report && !rtls_slice_is(word, "silent"))
		return "expected report or silent";
	if (!rtls_slice_word(&rest, &entry->domain) ||
		!rtls_wildcard_is_domain(entry->domain))
		return "expected a domain, which may have * and ? in it";
	return rtls_slice_word(&rest, &word)
		       ? "expected nothing behind the domain"
		       : NULL;
}

enum rtls_status rtls_reported_parse(struct rtls_slice text,
	struct rtls_reported *reported, struct rtls_err *err)
{
	struct rtls_reported parsed = { 0 };
	struct rtls_slice rest = text;
	struct rtls_slice line;
	const char *expected = NULL;
	unsigned number = 0;

	if (text.size > RTLS_REPORTED_SIZE_MAX)
		expected = "expected at most 65536 bytes in all";
	while (expected == NULL && rtls_slice_entry(&rest, &line, &number)) {
		struct rtls_reported_line entry = { .line = number };

		expected = parse_line(line, &entry);
		if (expected == NULL && parsed.count == RTLS_REPORTED_MAX)
			expected = "expected at most 256 lines";
		if (expected == NULL)
			parsed.entry[parsed.count++] = entry;
	}
	if (expected != NULL) {
		rtls_err_set(
			err, "line %u: %s", number == 0 ? 1 : number, expected);
		return RTLS_INVALID;
	}
	*reported = parsed;
	return RTLS_OK;
}

bool rtls_reported_has(
	const struct rtls_reported *reported, struct rtls_slice domain)
{
	for (size_t i = 0; i < reported->count; i++)
		if (rtls_wildcard_matches(reported->entry[i].domain, domain))
			return reported->entry[i].report;
	return true;
}
