/* exim.h - ask the Exim of this machine what it is: `exim4 -bV`. */
#ifndef RTLS_TOOL_EXIM_H
#define RTLS_TOOL_EXIM_H

#include "policy/exim_version.h"

/*
 * program  its path
 * RTLS_TEMPORARY  it could not be run, or not in time; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_exim_ask(const char *program,
	struct rtls_exim_version *version, struct rtls_err *err);

#endif
