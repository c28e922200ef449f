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

static enum rtls_status say(
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

enum rtls_status rtls_mistake_find(struct rtls_slice text, rtls_line_add *add,
	void *out, struct rtls_err *err)
{
	struct rtls_mistake mistake = { .expected = NULL };
	struct rtls_slice line;
	unsigned number = 0;

	if (text.size > RTLS_LINES_SIZE_MAX) {
		(void)rtls_mistake_limit(
			&mistake, "at most 65536 bytes in all");
		return say(&mistake, 1, err);
	}
	while (rtls_slice_entry(&text, &line, &number))
		if (!add(line, number, out, &mistake))
			return say(&mistake, number, err);
	return RTLS_OK;
}
