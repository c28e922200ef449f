/* summary.h - sum up a TLS report of somebody else's (RFC 8460 section 4.4).
 *
 * Strict where numbers and names would be wrong, tolerant of what is
 * seen: times without a zone, policy-string or mx-host as one string. */
#ifndef RTLS_SUMMARY_H
#define RTLS_SUMMARY_H

#include <jansson.h>

#include "policy/slice.h"
#include "policy/status.h"

/*
 * input    what rtls_received_parse() takes
 * summary  {"organization-name", "report-id", "start", "end", "policies":
 *          [{"domain", "type", "success", "failure"}]}, for the caller to
 *          json_decref(); NULL unless RTLS_OK
 * RTLS_INVALID    not such a report; err says where
 */
RTLS_MUST_CHECK enum rtls_status rtls_summary_read(
	struct rtls_slice input, json_t **summary, struct rtls_err *err);

#endif
