/* peer.h - the certificate of an HTTPS server, judged between handshake and request
 * (RFC 8461 section 3.3): a path to a trusted CA, its dates, and a DNS-ID that
 * names the host. No fall-back to the CN, no IP-ID. */
#ifndef RTLS_PEER_H
#define RTLS_PEER_H

#include <gnutls/gnutls.h>

#include "policy/status.h"

/*
 * session  its handshake is done
 * host     normalized
 * err      why: "certificate expired 2026-11-01"; foreign text in it is quoted
 * RTLS_INVALID    the certificate does not hold
 * RTLS_TEMPORARY  the CA bundle cannot be read: our trouble, not the server's
 */
RTLS_MUST_CHECK enum rtls_status rtls_peer_verify(gnutls_session_t session,
	const char *host, const char *ca_file, struct rtls_err *err);

#endif
