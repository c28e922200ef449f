/* check_outcome.h - what comes of a message by what a check found at the hosts: the part of a
 * delivery behind routing, in the words of exim/session.c. */
#ifndef RTLS_CHECK_OUTCOME_H
#define RTLS_CHECK_OUTCOME_H

#include "policy/verdict.h"
#include "tool/check.h"

enum rtls_outcome {
	RTLS_OUTCOME_DELIVERED,
	RTLS_OUTCOME_RETURNED,
	RTLS_OUTCOME_PUT_OFF,
	RTLS_OUTCOME_NOT_KNOWN, /* nobody looks: it is the site's own business */
};

struct rtls_check_outcome {
	enum rtls_outcome outcome;
	bool is_unknown;          /* only because we cannot get there */
	struct rtls_slice host;   /* that takes it; empty: none does */
	bool is_tls;              /* over TLS */
	char text[RTLS_ERR_SIZE]; /* why it is returned, or waits */
	size_t refused_count;
	char refused[RTLS_MX_MAX][RTLS_ERR_SIZE + RTLS_DOMAIN_SIZE];
};

/*
 * plan     its action is to deliver, to hosts
 * outcome  filled
 * RTLS_NO_MEMORY, or what rtls_plan_format() says
 */
RTLS_MUST_CHECK enum rtls_status rtls_check_outcome(
	const struct rtls_check *check, const struct rtls_plan *plan,
	struct rtls_check_outcome *outcome);

#endif
