/* smart_hosts.h - what is known of several smart hosts that are named by their host names, as one
 * question of policy/verdict.h (RFC 8461 section 3.4: each is its own policy domain).
 *
 * The configuration names the hosts, not DNS: so they need nobody to vouch for them, the record
 * made here is that of a domain that is its own host, and a host that is not in DNS is
 * none the less one. Of several the strictest counts for all. Addresses among
 * them have no name to verify, and are no hosts of that record. */
#ifndef RTLS_SMART_HOSTS_H
#define RTLS_SMART_HOSTS_H

#include "policy/next_hop.h"
#include "policy/verdict.h"
#include "store/known.h"

struct rtls_smart_hosts {
	struct rtls_record record;
	struct rtls_sts_policy policy;
	bool has_policy;
	struct rtls_next_hops named; /* those with a name, normalized */
	char policy_id[RTLS_STS_ID_MAX + 1];
	char policy_digest[RTLS_DIGEST_SIZE];
};

/* Who is asked about one of them, in this order for each. host is normalized. */
struct rtls_smart_source {
	void *context;
	/* Does DNSSEC vouch for its addresses? UNKNOWN: the lookup failed. */
	enum rtls_dnssec (*address)(void *context, const char *host);
	/* Its TLSA records at that port. Asked where DNSSEC vouches for the addresses. */
	enum rtls_tlsa_state (*tlsa)(
		void *context, const char *host, unsigned port);
	/* Its record and policy, good until the next call. */
	const struct rtls_known *(*known)(void *context, const char *host);
};

#define RTLS_SMART_PORT 25 /* where a next hop has none */

/*
 * all       filled; it borrows from itself, so it must not be moved, and lives as long as question
 * question  gets literal (nothing has a name), resolved, record, policy, dane and via, and the
 *           domain where there is one
 */
void rtls_smart_hosts_gather(const struct rtls_next_hops *hops,
	const struct rtls_smart_source *source, struct rtls_smart_hosts *all,
	struct rtls_question *question);

/* Are they addresses, all of them? Nothing is looked up. */
bool rtls_smart_hosts_are_literal(const struct rtls_next_hops *hops);

#endif
