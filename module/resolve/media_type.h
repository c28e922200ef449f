/* media_type.h - the media type in one header line of an HTTP answer (RFC 9110 section 8.3.1).
 * Pure, safe on any bytes. */
#ifndef RTLS_MEDIA_TYPE_H
#define RTLS_MEDIA_TYPE_H

#include "policy/slice.h"

/* line: with its end; type: "text/plain", parameters left out, borrowed from line. False: some
 * other header, and type is untouched. */
bool rtls_media_type(struct rtls_slice line, struct rtls_slice *type);

#endif
