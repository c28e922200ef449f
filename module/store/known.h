/* known.h - what is known about a domain, as a decision needs it: its record, whether that
 * is an answer of now, and the policy in force. From the cache here; exim/ask.h
 * has the program find out more. */
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

/*
 * What the cache knows.
 *
 * domain  normalized
 * known   filled in any case
 * RTLS_OK    there is a record
 * RTLS_NONE  there is none
 * otherwise  there is one, err says why it cannot be used; it does not count
 */
RTLS_MUST_CHECK enum rtls_status rtls_known_read(
	const struct rtls_config *config, const char *domain, int64_t now_s,
	struct rtls_known *known, struct rtls_err *err);

/*
 * Fill policy and has_policy by the record, if there is one.
 *
 * RTLS_INVALID  the policy is unexpired and does not parse, err says why: there is none
 */
RTLS_MUST_CHECK enum rtls_status rtls_known_read_policy(
	struct rtls_known *known, int64_t now_s, struct rtls_err *err);

#endif
