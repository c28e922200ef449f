/* trim.h - a report that is too large to be taken (RFC 8460 section 5.2) gets coarser, step by
 * step: what is rare first. Its counts stay as they are. */
#ifndef RTLS_TRIM_H
#define RTLS_TRIM_H

#include "report/aggregate.h"

/*
 * Step 1 keeps half of the failures as they are, the most frequent ones, and adds up the others by
 * policy, result and MX host; each next one keeps half of that. When there are none left,
 * the MX hosts go, except where they are the policy domain, and then the texts of the policies.
 *
 * report  finished
 * step    from 1 on
 * made    a list with the one report, finished, to be freed by the caller; set on RTLS_OK
 * RTLS_NONE       there is no such step
 * RTLS_NO_MEMORY
 */
RTLS_MUST_CHECK enum rtls_status rtls_trim(const struct rtls_report *report,
	unsigned step, struct rtls_reports **made);

#endif
