/* domain.h - domain names as they come from mail addresses, DNS and policies
 * (RFC 5321 section 4.1.2, RFC 1035 section 2.3.1, RFC 5890 for A-labels).
 * Pure, safe on any bytes. */
#ifndef RTLS_DOMAIN_H
#define RTLS_DOMAIN_H

#include "slice.h"
#include "status.h"

#define RTLS_DOMAIN_MAX  253
#define RTLS_DOMAIN_SIZE (RTLS_DOMAIN_MAX + 1)

/*
 * Lower case, one trailing dot taken off, checked: labels of 1 to 63 letters,
 * digits, inner hyphens and underscores (seen in MX names), at most 253 characters.
 * The result is safe as a file name, in a DNS query and in an Exim list. U-labels are refused:
 * convert them first (store/idna.h).
 *
 * out           RTLS_DOMAIN_SIZE bytes; "" unless RTLS_OK
 * RTLS_INVALID  not a domain name (an address literal too)
 */
RTLS_MUST_CHECK enum rtls_status rtls_domain_normalize(
	struct rtls_slice text, char *out);

/* "[192.0.2.1]", "[IPv6:...]", any other text in brackets, or a bare IPv4 or
 * IPv6 address. Four groups of up to three digits are IPv4, whatever their
 * values: Exim and getaddrinfo() may read an address into them. */
bool rtls_domain_is_literal(struct rtls_slice text);

/* RFC 5321 Domain as RFC 8461 section 3.2 uses it in mx patterns: letters,
 * digits and inner hyphens, A-labels only, no trailing dot, no address. */
bool rtls_domain_is_ldh(struct rtls_slice text);

/*
 * RFC 8461 section 4.1: does the MX host name match the pattern? Case does
 * not count; "*." stands for exactly one left-most label. One trailing dot of
 * host is ignored. Also right for certificate names (RFC 6125 section 6.4.3 as RFC
 * 8461 narrows it): "*" only as the complete left-most label.
 */
bool rtls_domain_matches(struct rtls_slice pattern, struct rtls_slice host);

#endif
