/* options.h - the command line of a verb: what is wrong with it is said in one line, with a
 * pointer to --help, and gives EX_USAGE. */
#ifndef RTLS_OPTIONS_H
#define RTLS_OPTIONS_H

#include <getopt.h>

#include "policy/status.h"

#define RTLS_OPTION_WRONG '?'

/*
 * The next option, as getopt_long() gives it with optarg and optind; there are no short ones.
 *
 * verb     for messages: "check", or "report show"
 * options  .val is a letter; a capital one may be given more than once
 * -1                 no more: the arguments begin at argv[optind]
 * RTLS_OPTION_WRONG  said: end with EX_USAGE
 */
RTLS_MUST_CHECK int rtls_options_next(
	const char *verb, int argc, char **argv, const struct option *options);

/* Are there min to max arguments behind the options? 0 or EX_USAGE, said. expected is "a domain";
 * max may be INT_MAX. */
RTLS_MUST_CHECK int rtls_options_count(const char *verb, int argc, char **argv,
	int min, int max, const char *expected);

/* "VERB: expected EXPECTED, not "FOUND"", and where --help is. found may be NULL: there is nothing.
 * Returns EX_USAGE. */
int rtls_options_expected(
	const char *verb, const char *expected, const char *found);

/* "VERB: OPTION "VALUE": expected EXPECTED", and so on. */
int rtls_options_value(const char *verb, const char *option, const char *value,
	const char *expected);

#endif
