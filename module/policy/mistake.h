/* mistake.h - what a line of a file that people write should have had where it has
 * something else, or nothing: for rules, exemptions and the like. Pure. */
#ifndef RTLS_MISTAKE_H
#define RTLS_MISTAKE_H

#include "slice.h"
#include "status.h"

struct rtls_mistake {
	const char *expected;    /* NULL: none yet */
	struct rtls_slice found; /* empty: the line ends there; borrowed */
	bool is_limit;           /* of what was found there is too much */
};

/* Note it; false, for the parser to return. */
bool rtls_mistake(struct rtls_mistake *mistake, const char *expected,
	struct rtls_slice found);

/* The same for "at most 256 lines". */
bool rtls_mistake_limit(struct rtls_mistake *mistake, const char *expected);

/* "line 3: expected EXPECTED, not "FOUND"". Returns RTLS_INVALID. */
enum rtls_status rtls_mistake_say(const struct rtls_mistake *mistake,
	unsigned line, struct rtls_err *err);

#endif
