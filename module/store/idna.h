/* idna.h - domain names as users write them to A-labels (RFC 5890), by
 * GnuTLS's IDNA support. */
#ifndef RTLS_IDNA_H
#define RTLS_IDNA_H

#include "policy/domain.h"

/* As rtls_domain_normalize(), U-labels converted first.
 * out  RTLS_DOMAIN_SIZE bytes */
RTLS_MUST_CHECK enum rtls_status rtls_idna_normalize(
	struct rtls_slice text, char *out);

#endif
