/* dane.h - does a chain fit the TLSA records of its host (RFC 7672 section 3.1)? For whoever
 * is no Exim, which verifies by them itself. */
#ifndef RTLS_DANE_H
#define RTLS_DANE_H

#include "policy/slice.h"
#include "tls/chain.h"

/*
 * DANE-EE: the leaf is the one; names and dates do not count. DANE-TA: a certificate of the
 * chain is the anchor; what is below it must lead there, be within its dates and name the host. An
 * anchor that the host does not send is not found, even when all of it stands in the record: so does
 * Exim with GnuTLS, and RFC 7672 section 3.1.2 has the host send it.
 *
 * records  "usage selector matching hex" each, as in a cache record
 * host     normalized
 * verdict  SUCCESS, or why none of them fits
 */
void rtls_dane_judge(const struct rtls_chain *chain,
	const struct rtls_slice *records, size_t count, const char *host,
	struct rtls_certificate_verdict *verdict);

#endif
