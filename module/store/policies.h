/* policies.h - the policy texts that journal lines refer to:
 * <spool>/policy/<digest>, the digest being SHA-256 of the text in hex. The text is
 * an STS policy as published (errors included), or TLSA records one per line. */
#ifndef RTLS_POLICIES_H
#define RTLS_POLICIES_H

#include "policy/result.h"

/* digest gets RTLS_DIGEST_SIZE bytes. RTLS_BUG: the library refused. */
RTLS_MUST_CHECK enum rtls_status rtls_policies_digest(
	struct rtls_slice text, char *digest);

/* Kept once; an existing text is not written again (its time is renewed). */
RTLS_MUST_CHECK enum rtls_status rtls_policies_put(const char *spool,
	struct rtls_slice text, char *digest, struct rtls_err *err);

/* buffer: RTLS_STS_POLICY_SIZE_MAX + 1 bytes. RTLS_INVALID: digest malformed,
 * or the text is not the one it names. */
RTLS_MUST_CHECK enum rtls_status rtls_policies_get(const char *spool,
	struct rtls_slice digest, char *buffer, struct rtls_slice *text,
	struct rtls_err *err);

#endif
