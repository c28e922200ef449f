/* utf8.h - what may stand in JSON: I-JSON (RFC 7493 section 2.1) is UTF-8
 * without surrogates and noncharacters. Pure, safe on any bytes. */
#ifndef RTLS_UTF8_H
#define RTLS_UTF8_H

#include "slice.h"

/* Well-formed (RFC 3629), no control characters, no noncharacters. */
bool rtls_utf8_is_clean(struct rtls_slice text);

/*
 * Copy with U+FFFD in place of each character that is not clean, and of each byte that belongs
 * to none. What is copied is clean; a text that is clean comes out as it was.
 *
 * out  terminated, cut at a whole character where it ends; at least 1 byte
 */
void rtls_utf8_clean(struct rtls_slice text, char *out, size_t out_size);

/* Nothing but printable ASCII. */
bool rtls_utf8_is_ascii(struct rtls_slice text);

#endif
