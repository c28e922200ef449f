/* refused.h - on an Exim that cannot bounce from a transport: the note that every
 * MX host of a domain was refused for a flagged message, so that the next routing bounces it.
 * <spool>/refused/<message id>, one "domain TAB text" line per domain. */
#ifndef RTLS_REFUSED_H
#define RTLS_REFUSED_H

#include "policy/domain.h"

RTLS_MUST_CHECK enum rtls_status rtls_refused_put(const char *spool,
	const char *message_id, const char *domain, struct rtls_slice text,
	struct rtls_err *err);

/* text gets at most RTLS_ERR_SIZE bytes, printable ASCII only.
 * RTLS_NONE: no such note. */
RTLS_MUST_CHECK enum rtls_status rtls_refused_get(const char *spool,
	const char *message_id, const char *domain, char *text,
	struct rtls_err *err);

#endif
