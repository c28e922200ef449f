/* count.h - what `exim-requiretls metrics` tells of deliveries, counted where it happens (store/counters.h).
 *
 * Each name is made of words out of short lists of ours, so there are some hundred numbers at most,
 * whatever strangers do. What cannot be counted, for want of disk space say, is not: no
 * delivery waits for it, and none fails. */
#ifndef RTLS_COUNT_H
#define RTLS_COUNT_H

#include "exim/session.h"

/* A session was judged, or would have been, had the host not been refused before. */
void rtls_count_session(const struct rtls_config *config,
	const struct rtls_session *session,
	const struct rtls_judgement *judgement);

/* A host was refused; reason: a word of ours. */
void rtls_count_refused(const struct rtls_config *config,
	const struct rtls_session *session, const char *reason);

/*
 * Routing bounces a recipient, or puts it off. It counts only where a message is being
 * delivered, not where an address is verified or tested.
 *
 * class  its name, or "unknown"
 * text   begins with the code
 */
void rtls_count_bounce(const struct rtls_config *config, const char *class,
	struct rtls_slice text);
void rtls_count_put_off(const struct rtls_config *config, const char *class,
	struct rtls_slice text);

#endif
