/* tlsa.h - what Exim with GnuTLS leaves open about TLSA records of a host (RFC 6698
 * section 2.1, RFC 7672 section 3.2.2). Who verifies the chain by them is Exim. */
#ifndef RTLS_TLSA_H
#define RTLS_TLSA_H

#include "policy/slice.h"
#include "tls/chain.h"

/*
 * Is it the leaf of the chain that the record is about?
 *
 * text   "usage selector matching hex", as in a cache record
 * false  also for another usage than DANE-EE(3), and when it cannot be told
 */
bool rtls_tlsa_is_leaf(const struct rtls_chain *chain, struct rtls_slice text);

/* The same of any certificate of the chain, 0 being the leaf, for a record of that
 * usage. */
bool rtls_tlsa_is_about(const struct rtls_chain *chain, unsigned index,
	unsigned usage, struct rtls_slice text);

/* Does the leaf name the host, as DANE-TA(2) wants it: by a DNS-ID, or by its CN when
 * it has none? Other than MTA-STS, RFC 7672 allows the latter. */
bool rtls_tlsa_names_host(const struct rtls_chain *chain, const char *host);

#endif
