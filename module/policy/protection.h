/* protection.h - the kinds of protection that a site's own files name for a domain: a
 * rule requires them (rules.h), an exemption lifts them (exempt.h).
 * Pure: no allocation, no I/O. */
#ifndef RTLS_PROTECTION_H
#define RTLS_PROTECTION_H

#include "text.h"

/* Bits of a set. */
enum rtls_protection {
	RTLS_PROTECT_STS = 1,        /* an MTA-STS policy, and enforced */
	RTLS_PROTECT_DNSSEC = 2,     /* an MX answer signed with DNSSEC */
	RTLS_PROTECT_REQUIRETLS = 4, /* what a flag demands; only lifted */
	RTLS_PROTECT_VERIFIED = 8,   /* a certificate that is good */
};

/* "sts" and so on; NULL when it is not exactly one of them. */
const char *rtls_protection_name(unsigned protection);

/* The one of that name, in this case only; 0: none. */
unsigned rtls_protection_named(struct rtls_slice name);

/* "sts,dnssec" is added to out; nothing for an empty set. */
void rtls_protections_format(unsigned set, struct rtls_text *out);

#endif
