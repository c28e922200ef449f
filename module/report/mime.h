/* mime.h - a message and its parts (RFC 5322, RFC 2045 to 2047, RFC 2231), as far as it takes to find an
 * attachment in it. Tolerant of what is merely sloppy; every count is bounded. Borrows, allocates only to
 * decode; safe on any bytes. */
#ifndef RTLS_MIME_H
#define RTLS_MIME_H

#include <stdbool.h>

#include "policy/slice.h"
#include "policy/status.h"

#define RTLS_MIME_HEADER_MAX 262144 /* of a message or a part */
#define RTLS_MIME_VALUE_SIZE 4096   /* of a field: what is longer is cut */
#define RTLS_MIME_PARTS_MAX  256    /* of a message, containers included */
#define RTLS_MIME_DEPTH_MAX  8

enum rtls_mime_encoding {
	RTLS_MIME_IDENTITY,
	RTLS_MIME_BASE64,
	RTLS_MIME_QUOTED_PRINTABLE,
	RTLS_MIME_UNKNOWN,
};

/* A part that has no parts. */
struct rtls_mime_part {
	struct rtls_slice body; /* as it stands there, encoded */
	enum rtls_mime_encoding encoding;
	char type[128]; /* "application/tlsrpt+gzip", lower case */
	char name[256]; /* of the file, "" when it has none */
	char report_type
		[32]; /* of the multipart/report around it, lower case, or "" */
};

/*
 * Header and body of a message or a part. Lines may end with LF or CRLF.
 *
 * header, body  borrow from entity
 * RTLS_INVALID  the header is larger than RTLS_MIME_HEADER_MAX
 */
RTLS_MUST_CHECK enum rtls_status rtls_mime_split(struct rtls_slice entity,
	struct rtls_slice *header, struct rtls_slice *body,
	struct rtls_err *err);

/* The first field of that name: unfolded, without the blanks at its ends, cut where out ends; NUL
 * bytes become blanks. False, and "": there is none. */
bool rtls_mime_field(
	struct rtls_slice header, const char *name, char *out, size_t out_size);

/* RTLS_OK: go on. Anything else ends the walk and is its result. */
typedef enum rtls_status rtls_mime_visit(
	void *context, const struct rtls_mime_part *part);

/*
 * Visit the parts of a message in their order, also those of messages inside of it. A "From " line of an
 * mbox in front is passed over; a missing last boundary is the end of the message.
 *
 * RTLS_INVALID  too many parts, too deep, or rtls_mime_split()
 */
RTLS_MUST_CHECK enum rtls_status rtls_mime_walk(struct rtls_slice message,
	rtls_mime_visit *visit, void *context, struct rtls_err *err);

/* The message behind an mbox line and empty lines. */
struct rtls_slice rtls_mime_begin(struct rtls_slice bytes);

/*
 * What a part says once its encoding is taken off.
 *
 * out        borrows from the part, or from *allocated
 * allocated  for the caller to free(), whatever the result; may become NULL
 * RTLS_INVALID  an encoding nobody knows
 */
RTLS_MUST_CHECK enum rtls_status rtls_mime_decode(
	const struct rtls_mime_part *part, struct rtls_slice *out,
	char **allocated, struct rtls_err *err);

/* A parameter of "type/subtype; name=value" in out; RFC 2231 pieces are put together.
 * False, and "": there is none. */
bool rtls_mime_parameter(
	struct rtls_slice value, const char *name, char *out, size_t out_size);

#endif
