/* txt.h - a TXT record as people and tools write it on one line.
 * Pure, safe on any bytes. */
#ifndef RTLS_TXT_H
#define RTLS_TXT_H

#include "slice.h"
#include "status.h"

/*
 * Either plain text, taken as it is, or quoted strings the way dig prints
 * them ("v=STSv1; id=" "x1"), which are joined without a space, with \" \\ and
 * \DDD undone (RFC 1035 section 5.1).
 *
 * out           out_size bytes; joined gets a slice of it, or of line
 * RTLS_INVALID  an open quote, junk between strings, too long
 */
RTLS_MUST_CHECK enum rtls_status rtls_txt_join(struct rtls_slice line,
	char *out, size_t out_size, struct rtls_slice *joined,
	struct rtls_err *err);

#endif
