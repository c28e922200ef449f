/* fetching.h - what fetch.c and fetches.c share: a policy fetch before and after libcurl does
 * it. Not for others. */
#ifndef RTLS_FETCHING_H
#define RTLS_FETCHING_H

#include "fetch.h"
#include "transfer.h"

#define RTLS_FETCH_URL_SIZE (RTLS_DOMAIN_SIZE + 64)

/* transfer is open. Anything but CURLE_OK: it cannot be begun, and
 * rtls_fetch_finish() says why. */
RTLS_MUST_CHECK CURLcode rtls_fetch_prepare(
	struct rtls_transfer *transfer, const char *domain, char *buffer);

/* What came of it, code being what libcurl, or rtls_fetch_prepare(), said. */
void rtls_fetch_finish(const struct rtls_transfer *transfer, CURLcode code,
	struct rtls_fetch_result *result);

#endif
