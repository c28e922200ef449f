/* gzip.h - RFC 1952 with a fixed header: the same text gives the same bytes. */
#ifndef RTLS_GZIP_H
#define RTLS_GZIP_H

#include "policy/slice.h"
#include "policy/status.h"

/*
 * out  to be freed by the caller; set on RTLS_OK only
 * RTLS_NO_MEMORY  the only way to fail
 */
RTLS_MUST_CHECK enum rtls_status rtls_gzip(
	struct rtls_slice text, char **out, size_t *out_size);

#endif
