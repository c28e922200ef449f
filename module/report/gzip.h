/* gzip.h - RFC 1952: written with a fixed header, so that the same text gives the same bytes,
 * and read with a cap on what comes out. */
#ifndef RTLS_GZIP_H
#define RTLS_GZIP_H

#include <stdbool.h>

#include "policy/slice.h"
#include "policy/status.h"

/*
 * out  to be freed by the caller; set on RTLS_OK only
 * RTLS_NO_MEMORY  the only way to fail
 */
RTLS_MUST_CHECK enum rtls_status rtls_gzip(
	struct rtls_slice text, char **out, size_t *out_size);

/* Does it begin like gzip data? */
bool rtls_gzip_is(struct rtls_slice data);

/*
 * Unpack all members (RFC 1952 section 2.2 allows several). The memory taken grows with
 * what comes out, not with size_max.
 *
 * out  to be freed by the caller; set on RTLS_OK only
 * RTLS_INVALID  malformed, cut off, or it expands to more than size_max bytes; err says which
 */
RTLS_MUST_CHECK enum rtls_status rtls_gzip_unpack(struct rtls_slice data,
	size_t size_max, char **out, size_t *out_size, struct rtls_err *err);

#endif
