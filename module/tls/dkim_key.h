/* dkim_key.h - what the DKIM key record of a private key says (RFC 6376 section 3.6.1,
 * RFC 8463 section 4, RFC 8460 section 3). */
#ifndef RTLS_DKIM_KEY_H
#define RTLS_DKIM_KEY_H

#include <stdbool.h>

#include "policy/slice.h"
#include "policy/status.h"

/* Of an RSA key of 16384 bits, the longest we take. */
#define RTLS_DKIM_TEXT_SIZE 4096

struct rtls_dkim_key {
	const char *type; /* as in k=: "rsa", "ed25519" */
	unsigned bits;
	char text[RTLS_DKIM_TEXT_SIZE]; /* of the TXT record */
};

/*
 * pem      a private key, not encrypted; borrowed
 * reports  the key is good for TLS reports only: s=tlsrpt
 * key      filled on RTLS_OK; nothing secret gets into it
 * RTLS_INVALID    not such a key, or one that DKIM has no word for, or too short or too long
 *                 to be used; err says which
 * RTLS_NO_MEMORY
 */
RTLS_MUST_CHECK enum rtls_status rtls_dkim_key_read(struct rtls_slice pem,
	bool reports, struct rtls_dkim_key *key, struct rtls_err *err);

#endif
