/* ask.h - what is known about a domain (store/known.h), and where its cache record is missing
 * or stale what the program finds out. One routing at a time is all there is: each
 * answer is good until the next call. */
#ifndef RTLS_ASK_H
#define RTLS_ASK_H

#include "store/known.h"

/* domain: normalized. What the cache says, or the program when that does not do, or
 * what the cache says when the program has no answer. */
const struct rtls_known *rtls_ask_known(
	const struct rtls_config *config, const char *domain, int64_t now_s);

/* What the cache says. */
const struct rtls_known *rtls_ask_cache(
	const struct rtls_config *config, const char *domain, int64_t now_s);

/* Whatever the cache says, ask. NULL: the program has no answer; what
 * rtls_ask_known() gave is still good. */
const struct rtls_known *rtls_ask_again(
	const struct rtls_config *config, const char *domain, int64_t now_s);

/* How much of asking the network there may be, for who cannot wait as long as a delivery. What
 * is used up goes off it. */
struct rtls_ask_budget {
	unsigned lookups; /* that may still be made */
	unsigned wait_ms; /* that may still be waited, all in all */
};

/* From now on all is asked on that budget, whose end is as if the program had no answer. NULL:
 * as ever, each lookup may take resolve_timeout. */
void rtls_ask_on(struct rtls_ask_budget *allowed);

#endif
