/* tidy.h - the life of what reports are made of: journals are compacted when their day is done, and
 * journals, outbox and policy texts go after tlsrpt_keep. At the end of each `report run`. */
#ifndef RTLS_TIDY_H
#define RTLS_TIDY_H

#include <stdint.h>

#include "policy/config.h"

/*
 * Never fails: what cannot be done now is done by a later run.
 *
 * log  one line for the operator, about what could not be done
 */
void rtls_tidy(const struct rtls_config *config, int64_t now_s,
	void (*log)(void *context, const char *line), void *context);

#endif
