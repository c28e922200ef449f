/* sts_policy.h - the policy body (RFC 8461 section 3.2, EID 6253 and 7282).
 * Pure: no allocation, no I/O, safe on any bytes of any length.
 *
 * Our readings: max_age above 31557600 is clamped; blank lines, comments, a
 * BOM and leading blanks make the policy invalid, except that one empty line
 * at the very end is tolerated; the first of a doubled field wins. */
#ifndef RTLS_STS_POLICY_H
#define RTLS_STS_POLICY_H

#include "slice.h"
#include "status.h"

#define RTLS_STS_POLICY_SIZE_MAX 65536
#define RTLS_STS_MX_MAX          512
#define RTLS_STS_MAX_AGE_MAX     31557600

enum rtls_sts_mode {
	RTLS_STS_NONE,
	RTLS_STS_TESTING,
	RTLS_STS_ENFORCE,
};

struct rtls_sts_policy {
	enum rtls_sts_mode mode;
	unsigned long max_age_s; /* clamped */
	bool max_age_clamped;
	size_t mx_count;
	struct rtls_slice mx[RTLS_STS_MX_MAX]; /* as written, borrowed */
};

/*
 * text    the body as it came; borrowed by policy->mx
 * policy  filled on RTLS_OK, else untouched
 * err     why, with the line number, on RTLS_INVALID; may be NULL
 */
RTLS_MUST_CHECK enum rtls_status rtls_sts_policy_parse(struct rtls_slice text,
	struct rtls_sts_policy *policy, struct rtls_err *err);

/* RFC 8461 section 4.1: the first pattern that names the MX host, an element of policy->mx;
 * NULL: none does. */
const struct rtls_slice *rtls_sts_policy_match(
	const struct rtls_sts_policy *policy, struct rtls_slice mx_host);

/* Is the MX host named by one of the patterns? */
bool rtls_sts_policy_allows(
	const struct rtls_sts_policy *policy, struct rtls_slice mx_host);

const char *rtls_sts_mode_name(enum rtls_sts_mode mode);

#endif
