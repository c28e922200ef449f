/* known.h - what is known about a domain: its cache record, and where that is missing
 * or stale what the program finds out. One routing at a time is all there is: each
 * answer is good until the next call. */
#ifndef RTLS_KNOWN_H
#define RTLS_KNOWN_H

#include "policy/config.h"
#include "policy/record.h"
#include "policy/sts_policy.h"

/* Too large for the stack of a host we do not own. */
struct rtls_known {
	char buffer[RTLS_RECORD_SIZE_MAX + 1];
	struct rtls_record record; /* borrows from buffer */
	bool known;                /* record is filled */
	bool resolved;             /* and it is fresh */
	bool asked;                /* just now, not from the cache */
	bool unreadable;           /* there may be one, for all we know */
	struct rtls_sts_policy policy;
	bool has_policy; /* unexpired */
};

/* domain: normalized. What the cache says, or the program when that does not do, or
 * what the cache says when the program has no answer. */
const struct rtls_known *rtls_known_get(
	const struct rtls_config *config, const char *domain, int64_t now_s);

/* Whatever the cache says, ask. NULL: the program has no answer; what
 * rtls_known_get() gave is still good. */
const struct rtls_known *rtls_known_ask(
	const struct rtls_config *config, const char *domain, int64_t now_s);

#endif
