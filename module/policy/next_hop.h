/* next_hop.h - the smart hosts an operator names, written as the host list of Exim's
 * manualroute router (RFC 8461 section 3.4: theirs is the policy that counts).
 * Pure, safe on any bytes.
 *
 *   a.example : b.example::587 : [192.0.2.1] : isp.example/mx
 */
#ifndef RTLS_NEXT_HOP_H
#define RTLS_NEXT_HOP_H

#include "slice.h"
#include "status.h"

#define RTLS_NEXT_HOPS_MAX 16
#define RTLS_NEXT_HOP_SIZE 256

struct rtls_next_hop {
	char host[RTLS_NEXT_HOP_SIZE]; /* as written: may be no domain name */
	unsigned port;                 /* 0: the transport's */
	bool by_mx; /* "/mx": not a host, its MX hosts are meant */
};

struct rtls_next_hops {
	struct rtls_next_hop hop[RTLS_NEXT_HOPS_MAX];
	size_t count;
};

/*
 * text  an expanded list: ":" separates, or x behind a leading "<x"; doubled it
 *       stands for itself. "+", which separates groups of equal hosts, is passed
 *       over
 * RTLS_NONE     no host
 * RTLS_INVALID  too many, too long, or "/mx" beside others
 */
RTLS_MUST_CHECK enum rtls_status rtls_next_hops_parse(
	struct rtls_slice text, struct rtls_next_hops *hops);

#endif
