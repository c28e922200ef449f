/* cache.h - one file per domain: <spool>/cache/<xx>/<domain>, xx being two hex
 * digits of a hash, so that no directory grows large. */
#ifndef RTLS_CACHE_H
#define RTLS_CACHE_H

#include "policy/record.h"

#define RTLS_CACHE_PATH_MAX 1024
#define RTLS_CACHE_BUCKETS  256

/* domain must be normalized. RTLS_INVALID: not a normalized name, or too long. */
RTLS_MUST_CHECK enum rtls_status rtls_cache_path(
	const char *spool, const char *domain, char out[RTLS_CACHE_PATH_MAX]);

/*
 * buffer  RTLS_RECORD_SIZE_MAX + 1 bytes, borrowed by record
 * RTLS_NONE     no record
 * RTLS_INVALID  there, but it does not parse: a miss, and one log line (err)
 */
RTLS_MUST_CHECK enum rtls_status rtls_cache_get(const char *spool,
	const char *domain, char *buffer, struct rtls_record *record,
	struct rtls_err *err);

RTLS_MUST_CHECK enum rtls_status rtls_cache_put(const char *spool,
	const struct rtls_record *record, struct rtls_err *err);

RTLS_MUST_CHECK enum rtls_status rtls_cache_remove(
	const char *spool, const char *domain, struct rtls_err *err);

/*
 * Before the first record of a domain is put: see that the cache stays within domains_max. Each
 * directory has an equal share of it; one that is full gives up an eighth, what has no policy in
 * force first, and among equals what was not used for longest.
 *
 * domain       normalized
 * domains_max  at least 1
 * Anything but RTLS_OK  no room was made, err says why; there is no harm in
 *              putting the record all the same
 */
RTLS_MUST_CHECK enum rtls_status rtls_cache_make_room(const char *spool,
	const char *domain, unsigned domains_max, int64_t now_s,
	struct rtls_err *err);

/*
 * Call visit for each domain that has a record, in no order; names that are not
 * domains are skipped. visit returns false to stop. A missing cache is empty.
 */
RTLS_MUST_CHECK enum rtls_status rtls_cache_each(const char *spool,
	bool (*visit)(const char *domain, void *context), void *context,
	struct rtls_err *err);

#endif
