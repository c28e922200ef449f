/* refresh.h - fetch the policies of many domains anew, many at a time, before they run
 * out (RFC 8461 sections 3.3 and 10.2). DNS is asked for batches of STS records by asynchronous
 * getdns while libcurl goes on with the fetches under way. */
#ifndef RTLS_REFRESH_H
#define RTLS_REFRESH_H

#include "resolve.h"

/* Fetches under way at once. Each is a thread of libcurl's resolver, some descriptors and the room
 * for a policy; all of them together stay below 1024 descriptors. */
#define RTLS_REFRESH_MAX 64

/* The caller's side of it; context is the caller's. */
struct rtls_refresh {
	const struct rtls_config *config;
	/* The next domain, normalized; false: there is none, or the run is to
	 * end with what is under way. */
	bool (*next)(void *context, char domain[RTLS_DOMAIN_SIZE]);
	/*
	 * A domain is done. status is as of rtls_resolve_refreshed(); resolved
	 * and its record are borrowed, NULL unless RTLS_OK.
	 */
	void (*done)(void *context, const char *domain, enum rtls_status status,
		const struct rtls_resolved *resolved,
		const struct rtls_err *err);
	void *context;
};

/*
 * Refresh until next says false and all is done.
 *
 * RTLS_INVALID    no resolver can be used; err says why
 * RTLS_NO_MEMORY  likewise; what is under way is broken off, nothing is half done
 */
RTLS_MUST_CHECK enum rtls_status rtls_refresh_run(
	const struct rtls_refresh *refresh, struct rtls_err *err);

#endif
