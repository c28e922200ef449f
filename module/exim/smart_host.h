/* smart_host.h - the question of policy/verdict.h for smart hosts that are named by their
 * host names (RFC 8461 section 3.4: each is its own policy domain). */
#ifndef RTLS_SMART_HOST_H
#define RTLS_SMART_HOST_H

#include "policy/next_hop.h"
#include "policy/verdict.h"

/*
 * The configuration names the hosts, not DNS: so they need nobody to vouch for them, the record
 * made here is that of a domain that is its own host, and a host that is not in DNS is
 * none the less one. Of several the strictest counts for all. Addresses among
 * them have no name to verify, and are no hosts of that record; when there is nothing
 * else, the question is about a literal.
 *
 * again     ask the network, whatever the cache says
 * question  its config is set; gets literal, resolved, record, policy, dane and via,
 *           all of them good until the next call
 * false     something that may be known of them could not be read; or with again, the
 *           network could not be asked about each
 */
bool rtls_smart_host_ask(const struct rtls_next_hops *hops, int64_t now_s,
	bool again, struct rtls_question *question);

#endif
