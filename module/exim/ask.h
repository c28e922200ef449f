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

/* Whatever the cache says, ask. NULL: the program has no answer; what
 * rtls_ask_known() gave is still good. */
const struct rtls_known *rtls_ask_again(
	const struct rtls_config *config, const char *domain, int64_t now_s);

#endif
