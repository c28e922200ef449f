/* resolve.h - find out all about one domain and keep it: MX with DNSSEC state,
 * addresses before TLSA (RFC 7672 section 2.2.2), the STS record and policy
 * (RFC 8461 section 3). */
#ifndef RTLS_RESOLVE_H
#define RTLS_RESOLVE_H

#include "policy/record.h"
#include "resolve/dns.h"
#include "resolve/fetch.h"

struct rtls_resolved; /* owns the texts a record borrows */

struct rtls_resolve_options {
	bool force_dns;   /* ask DNS again although the record is fresh */
	bool force_fetch; /* fetch whatever the TXT record says (A5.5) */
	int64_t now_s;
	bool for_module; /* the notes go to Exim's log */
};

/*
 * Single flight: takes the domain's lock; when another process has just done the work its record is
 * the answer. A failed update never weakens an unexpired
 * policy. The new record is written to the cache; when that fails the answer is given all
 * the same, with a note. Fetch failures go into the journal when config->tlsrpt.
 *
 * domain    normalized
 * resolved  owned by the caller until rtls_resolved_free()
 * RTLS_TEMPORARY  nothing at all could be found out; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_resolve_domain(
	const struct rtls_config *config, const char *domain,
	const struct rtls_resolve_options *options,
	struct rtls_resolved **resolved, struct rtls_err *err);
/* What a refresh found out about a domain without holding its lock. */
struct rtls_refreshed {
	const char *domain;               /* normalized */
	int64_t started_s;                /* when the record was looked at, */
	int64_t now_s;                    /* and the time now */
	const struct rtls_dns_query *txt; /* the answer for _mta-sts.<domain> */
	struct rtls_fetch_result fetched; /* its body is copied */
};

/*
 * Put it into the record as it is now: policy and STS record, the rest stays. It is no use of the
 * domain. Deliveries do not wait for a refresh: the lock is taken only for this.
 *
 * resolved  as for rtls_resolve_domain()
 * RTLS_NONE       somebody else did it meanwhile, is at it, or removed the record:
 *                 nothing was done
 * RTLS_TEMPORARY  it could not be done; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_resolve_refreshed(
	const struct rtls_config *config, struct rtls_refreshed *refreshed,
	struct rtls_resolved **resolved, struct rtls_err *err);

/* False: what was found out is not in the cache; a note in the record says why. */
bool rtls_resolved_is_stored(const struct rtls_resolved *resolved);
const struct rtls_record *rtls_resolved_record(
	const struct rtls_resolved *resolved);
void rtls_resolved_free(struct rtls_resolved *resolved);

/* RFC 7672 section 3.1: can an MTA do something with the TLSA record, "usage selector
 * matching hex"? */
bool rtls_tlsa_is_usable(struct rtls_slice text);

#endif
