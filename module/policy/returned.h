/* returned.h - the message that Exim's own delivery report returns: where it stands in the
 * report's text, so that its body can be taken out (RET=HDRS, RFC 3461 section 4.3).
 * Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_RETURNED_H
#define RTLS_RETURNED_H

#include "slice.h"

#define RTLS_BOUNDARY_MAX 200

/* Offsets into the text: type <= headers <= body. */
struct rtls_returned {
	const char *
		new_type; /* the type of headers alone, two line ends behind it */
	size_t type;      /* where the old one stands, up to headers */
	size_t headers;   /* the returned message begins */
	size_t body;      /* its headers end, an empty line not counted */
};

/* boundary: of the report's parts, at most RTLS_BOUNDARY_MAX bytes. False: no such part, or
 * its headers do not end; returned is untouched. */
bool rtls_returned_find(struct rtls_slice text, const char *boundary,
	struct rtls_returned *returned);

/* Exim wrote it without the body, as RET=HDRS or a delay warning has it. */
bool rtls_returned_is_headers_only(struct rtls_slice text);

#endif
