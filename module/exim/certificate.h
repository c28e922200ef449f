/* certificate.h - the certificates one TLS session showed, judged with GnuTLS:
 * the name by DNS-ID only (RFC 8461 section 4.2, RFC 6125), and after a failure why it
 * failed (RFC 8460 section 4.3).
 *
 * Exim verifies the chain; the CA bundle is loaded here only to say why it
 * did not pass. The chain is judged as a whole, never certificate by certificate. */
#ifndef RTLS_CERTIFICATE_H
#define RTLS_CERTIFICATE_H

#include <gnutls/x509.h>
#include <stdbool.h>

#include "policy/result.h"

#define RTLS_CHAIN_MAX 16 /* certificates kept; longer chains are cut */

struct rtls_chain {
	unsigned count;
	gnutls_x509_crt_t certificate
		[RTLS_CHAIN_MAX]; /* [0] is the leaf, when complete */
};

/* Why, in the words of the log: "expired 2026-11-01". */
struct rtls_certificate_verdict {
	enum rtls_result result;
	char text[RTLS_ERR_SIZE]; /* quoted */
};

void rtls_chain_clear(struct rtls_chain *chain);

/*
 * Put one certificate in front of what is there: Exim shows the leaf last.
 *
 * base64  DER in base64, as Exim's ${base64:$tls_out_peercert} gives it
 * RTLS_INVALID  not a certificate; the chain is unchanged
 */
RTLS_MUST_CHECK enum rtls_status rtls_chain_add(
	struct rtls_chain *chain, struct rtls_slice base64);

/*
 * Does a DNS-ID of the leaf name the host? No fall-back to the CN.
 *
 * why  the names that are there, quoted, for the log
 * RTLS_NONE  no DNS-ID names it
 */
RTLS_MUST_CHECK enum rtls_status rtls_chain_names_host(
	const struct rtls_chain *chain, const char *host,
	struct rtls_certificate_verdict *why);

/*
 * The whole judgement, with the CA bundle. Untrusted comes before expired,
 * expired before a wrong name.
 *
 * RTLS_OK    result and text are set; SUCCESS when nothing is wrong with it
 * RTLS_NONE  there is no certificate to judge
 * RTLS_TEMPORARY  the CA bundle cannot be read: our trouble, nobody's fault
 */
RTLS_MUST_CHECK enum rtls_status rtls_chain_judge(
	const struct rtls_chain *chain, const char *host, const char *ca_file,
	struct rtls_certificate_verdict *verdict);

#endif
