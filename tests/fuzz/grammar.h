/* grammar.h - a second opinion on what a parser accepts: the same grammar as a regular expression
 * (POSIX, extended), for libc to match. */
#ifndef FUZZ_GRAMMAR_H
#define FUZZ_GRAMMAR_H

#include <regex.h>
#include <string.h>

#include "fuzz.h"

/* What both kinds of TXT records are made of; see policy/field.h. */
#define GRAMMAR_DELIM "[ \t]*;[ \t]*"
#define GRAMMAR_NAME  "[A-Za-z0-9][A-Za-z0-9_.-]{0,31}"
#define GRAMMAR_VALUE "[!-:<>-~]+"

#define GRAMMAR_TEXT_MAX 4096

/* compiled: static, all zero at first. part: may be NULL; gets what the first parentheses match.
 * A text of more than GRAMMAR_TEXT_MAX bytes or with a NUL in it matches nothing. */
static inline bool grammar_matches(regex_t **compiled, const char *expression,
	struct rtls_slice text, struct rtls_slice *part)
{
	static char copy[GRAMMAR_TEXT_MAX + 1];
	regmatch_t match[2];

	if (*compiled == NULL) {
		*compiled = malloc(sizeof(**compiled));
		PROPERTY(*compiled != NULL);
		PROPERTY(regcomp(*compiled, expression, REG_EXTENDED) == 0);
	}
	if (!rtls_slice_copy(text, copy, sizeof(copy)) ||
		regexec(*compiled, copy, 2, match, 0) != 0)
		return false;
	if (part != NULL)
		*part = rtls_slice_n(text.data + match[1].rm_so,
			(size_t)(match[1].rm_eo - match[1].rm_so));
	return true;
}

#endif
