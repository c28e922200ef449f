/* exim.h - ask the Exim of this machine what it is, and how it is configured. */
#ifndef RTLS_TOOL_EXIM_H
#define RTLS_TOOL_EXIM_H

#include "policy/exim_version.h"

/*
 * program  its path
 * RTLS_TEMPORARY  it could not be run, or not in time; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_exim_ask(const char *program,
	struct rtls_exim_version *version, struct rtls_err *err);

/*
 * A main option of its configuration, as `exim4 -bP` prints it.
 *
 * value      quoted, and cut
 * RTLS_NONE  it has none of that name, or could not be asked
 */
RTLS_MUST_CHECK enum rtls_status rtls_exim_option(
	const char *program, const char *name, char *value, size_t value_size);

/* What a program prints, in at most 5 s: words up to NULL, the first its path; empty when it could not be run. output is of the caller's, output_size bytes. */
struct rtls_slice rtls_exim_run(
	const char *const *words, char *output, size_t output_size);

/* The same of `exim4 -bP what`: "routers", say. */
struct rtls_slice rtls_exim_print(const char *program, const char *what,
	char *output, size_t output_size);

/*
 * A macro of its configuration, with those in it replaced.
 *
 * value           as it stands there, not quoted
 * RTLS_NONE       it has none of that name
 * RTLS_INVALID    it does not fit
 * RTLS_TEMPORARY  it could not be asked, or does not tell this user: only root and its own
 */
RTLS_MUST_CHECK enum rtls_status rtls_exim_macro(
	const char *program, const char *name, char *value, size_t value_size);

/*
 * Expand texts for a message, as the module would (exim -bem): what it printed, a line each for
 * those that print one; less when it could not be asked.
 *
 * header      its header lines, each with its line end
 * expansions  up to NULL, or RTLS_COMMAND_WORDS - 4
 * output      of the caller's, output_size bytes
 */
struct rtls_slice rtls_exim_expand_message(const char *program,
	const char *header, const char *const *expansions, char *output,
	size_t output_size);

#endif
