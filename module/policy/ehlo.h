/* ehlo.h - what a host says in answer to EHLO (RFC 5321 section 4.1.1.1).
 * Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_EHLO_H
#define RTLS_EHLO_H

#include "slice.h"

struct rtls_ehlo {
	struct rtls_slice
		name; /* what it calls itself: not checked, may be empty */
	bool starttls;
	bool requiretls; /* RFC 8689 section 4.1; counts inside TLS only */
};

/* answer: all lines, each "250-text" or "250 text", CR or not; borrowed. */
void rtls_ehlo_parse(struct rtls_slice answer, struct rtls_ehlo *ehlo);

#endif
