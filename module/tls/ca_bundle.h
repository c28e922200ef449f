/* ca_bundle.h - the few CAs of a bundle that can matter to one chain of certificates.
 *
 * Parsing all 140 CAs of a system costs 10 ms, more than all the rest of a fetch. A path to a CA
 * goes by names: so only those are parsed whose DER has, octet for octet, the name of an issuer
 * of the chain in it. What is left out could not have ended a path. */
#ifndef RTLS_CA_BUNDLE_H
#define RTLS_CA_BUNDLE_H

#include <stdbool.h>

#include "policy/slice.h"
#include "policy/status.h"
#include "tls/chain.h"

#define RTLS_CA_MAX 32 /* CAs that can matter to one chain */

struct rtls_cas {
	bool lacks_memory; /* one that matters may be missing */
	unsigned count;
	gnutls_x509_crt_t ca[RTLS_CA_MAX];
};

/*
 * pem    the bundle; what is not a certificate in it is skipped
 * chain  as the server sent it
 * cas    to be freed by rtls_cas_free(); may be empty
 */
void rtls_cas_select(struct rtls_slice pem, const gnutls_x509_crt_t *chain,
	unsigned chain_size, struct rtls_cas *cas);
/* Is there a certificate in it at all? */
bool rtls_cas_any(struct rtls_slice pem);
void rtls_cas_free(struct rtls_cas *cas);

#endif
