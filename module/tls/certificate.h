/* certificate.h - what a certificate says of itself, for people to read. It is judged
 * elsewhere (chain.h, dane.h). */
#ifndef RTLS_CERTIFICATE_H
#define RTLS_CERTIFICATE_H

#include <stdint.h>

#include "tls/chain.h"

/* All foreign text is quoted, and cut. */
struct rtls_certificate {
	char names[256];  /* DNS-IDs, blanks between; "" when there are none */
	char issuer[192]; /* "CN=...,O=..." */
	int64_t from_s;
	int64_t until_s;
	unsigned chain_count; /* certificates the host showed */
};

/* Of the leaf. RTLS_NONE: there is none, or it cannot be read; out is untouched. */
RTLS_MUST_CHECK enum rtls_status rtls_certificate_describe(
	const struct rtls_chain *chain, struct rtls_certificate *out);

#endif
