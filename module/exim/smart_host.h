/* smart_host.h - the question of policy/verdict.h for smart hosts that are named by their
 * host names (RFC 8461 section 3.4: each is its own policy domain). */
#ifndef RTLS_SMART_HOST_H
#define RTLS_SMART_HOST_H

#include "policy/next_hop.h"
#include "policy/verdict.h"

/*
 * As store/smart_hosts.h has it, with Exim's resolver, the cache and the program for a source.
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
