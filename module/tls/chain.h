/* chain.h - the certificates a server showed, judged with GnuTLS: a path to a
 * trusted CA, the dates, and a DNS-ID that names the host (RFC 8461 sections
 * 3.3 and 4.2, RFC 6125); and when they do not hold, why (RFC 8460 section
 * 4.3). No fall-back to the CN, no IP-ID.
 *
 * The chain is judged as a whole, never certificate by certificate. */
#ifndef RTLS_CHAIN_H
#define RTLS_CHAIN_H

#include <gnutls/x509.h>

#include "policy/result.h"

#define RTLS_CHAIN_MAX 16 /* certificates kept; longer chains are cut */

/* Kept as DER: reading a certificate costs more than all else about it, and
 * of a good chain only the leaf has to be read. */
struct rtls_chain {
	unsigned count;
	gnutls_datum_t der[RTLS_CHAIN_MAX]; /* [0]: the leaf; owned */
};

/* What is wrong with it, to be read behind the word "certificate": "expired
 * 2026-11-01". */
struct rtls_certificate_verdict {
	enum rtls_result result;
	char text[RTLS_ERR_SIZE]; /* foreign text in it is quoted */
};

void rtls_chain_clear(struct rtls_chain *chain);

/*
 * Put one certificate in front of what is there: Exim shows the leaf last.
 *
 * base64        DER in base64, as Exim's ${base64:$tls_out_peercert} gives it
 * RTLS_INVALID  not base64; the chain is unchanged
 */
RTLS_MUST_CHECK enum rtls_status rtls_chain_prepend(
	struct rtls_chain *chain, struct rtls_slice base64);

/* Put one certificate, copied, behind what is there; those beyond the cap are
 * left out. */
RTLS_MUST_CHECK enum rtls_status rtls_chain_append(
	struct rtls_chain *chain, const gnutls_datum_t *der);

/*
 * Does a DNS-ID of the leaf name the host? Needs no CA.
 *
 * host     normalized
 * verdict  filled unless RTLS_OK: which names there are
 * RTLS_NONE  no DNS-ID names it, or there is no certificate to read
 */
RTLS_MUST_CHECK enum rtls_status rtls_chain_names_host(
	const struct rtls_chain *chain, const char *host,
	struct rtls_certificate_verdict *verdict);

/*
 * The whole judgement. Untrusted comes before expired, expired before a wrong
 * name.
 *
 * ca_file  PEM bundle; of it only what can matter to the chain is parsed
 * RTLS_OK         result and text are set; SUCCESS when nothing is wrong
 * RTLS_NONE       there is no certificate to judge, or it cannot be read
 * RTLS_TEMPORARY  the CA bundle cannot be read, or memory is short: our
 *                 trouble, nobody's fault; text says what
 */
RTLS_MUST_CHECK enum rtls_status rtls_chain_judge(
	const struct rtls_chain *chain, const char *host, const char *ca_file,
	struct rtls_certificate_verdict *verdict);

#endif
