/* leaf.h - the names of a certificate that has been read: its DNS-IDs, and nothing else
 * (RFC 8461 section 4.2). */
#ifndef RTLS_LEAF_H
#define RTLS_LEAF_H

#include "policy/text.h"
#include "tls/chain.h"

/* Put them behind one another, quoted, with blanks between; out is cut when it is full. */
void rtls_leaf_list_names(gnutls_x509_crt_t leaf, struct rtls_text *out);

/* As rtls_chain_names_host(). */
RTLS_MUST_CHECK enum rtls_status rtls_leaf_names_host(gnutls_x509_crt_t leaf,
	const char *host, struct rtls_certificate_verdict *verdict);

#endif
