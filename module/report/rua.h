/* rua.h - one place a report goes to (RFC 8460 section 3; RFC 6068 for mailto).
 * What comes out is safe as a program's argument, in a header field and in a line of
 * the outbox. Does no I/O. */
#ifndef RTLS_RUA_H
#define RTLS_RUA_H

#include "policy/domain.h"

#define RTLS_RUA_SIZE     1024
#define RTLS_ADDRESS_SIZE (64 + 1 + RTLS_DOMAIN_SIZE)

enum rtls_rua_kind {
	RTLS_RUA_MAILTO,
	RTLS_RUA_HTTPS,
};

struct rtls_rua {
	enum rtls_rua_kind kind;
	char uri[RTLS_RUA_SIZE]; /* https as written; "mailto:" and the address,
	                          * of which only "%" and "?" are encoded:
	                          * parsed again it is the same */
	char address
		[RTLS_ADDRESS_SIZE]; /* of mailto: decoded, domain normalized */
};

/*
 * Of mailto only the address counts: percent-encoding is undone, header fields behind
 * "?" are ignored, and it must be one plain dot-atom address.
 * Exim takes a comma in an argument for two addresses, a newline ends a header: neither gets through.
 *
 * Of https the host must be a name: an address, of this network perhaps, is no place.
 *
 * rua           filled on RTLS_OK, else untouched
 * RTLS_INVALID  another scheme, no usable address or URL, too long; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_rua_parse(
	struct rtls_slice uri, struct rtls_rua *rua, struct rtls_err *err);

/* The address or the URL; borrows from rua. */
const char *rtls_rua_target(const struct rtls_rua *rua);

/* A plain address: a dot-atom of RFC 5322 and a domain, which is normalized. False, and out is "",
 * when it is none. */
bool rtls_rua_address(struct rtls_slice text, char out[RTLS_ADDRESS_SIZE]);

#endif
