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

/* Takes a line that is no comment, blanks at its ends off. False: a mistake is noted. */
typedef bool rtls_line_add(struct rtls_slice line, unsigned number, void *out,
	struct rtls_mistake *mistake);

#define RTLS_LINES_SIZE_MAX 65536

/*
 * Give each line of a file to add.
 *
 * RTLS_INVALID  it has a mistake, and err says "line 3: expected EXPECTED, not "FOUND"";
 *               what was added before is of no use
 */
RTLS_MUST_CHECK enum rtls_status rtls_mistake_find(struct rtls_slice text,
	rtls_line_add *add, void *out, struct rtls_err *err);

#endif
