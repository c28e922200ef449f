/* mistake.c - see mistake.h. */
#include "mistake.h"

#include "text.h"

bool rtls_mistake(struct rtls_mistake *mistake, const char *expected,
	struct rtls_slice found)
{
	mistake->expected = expected;
	mistake->found = rtls_slice_trim(found);
	return false;
}

bool rtls_mistake_limit(struct rtls_mistake *mistake, const char *expected)
{
	mistake->expected = expected;
	mistake->is_limit = true;
	return false;
}

enum rtls_status rtls_mistake_say(
	const struct rtls_mistake *mistake, unsigned line, struct rtls_err *err)
{
	char found[64];

	rtls_quote(found, sizeof(found), mistake->found);
	if (mistake->is_limit)
		rtls_err_set(
			err, "line %u: expected %s", line, mistake->expected);
	else if (mistake->found.size == 0)
		rtls_err_set(err, "line %u: expected %s, but the line ends",
			line, mistake->expected);
	else
		rtls_err_set(err, "line %u: expected %s, not \"%s\"", line,
			mistake->expected, found);
	return RTLS_INVALID;
}
