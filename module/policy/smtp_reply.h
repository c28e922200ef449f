/* smtp_reply.h - an SMTP server's reply as it arrives (RFC 5321 section 4.2).
 * Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_SMTP_REPLY_H
#define RTLS_SMTP_REPLY_H

#include "slice.h"
#include "status.h"

/* Far more than RFC 5321 section 4.5.3.1 has, and than anybody says. */
#define RTLS_SMTP_REPLY_MAX 16384 /* bytes of a reply, */
#define RTLS_SMTP_LINE_MAX  2048  /* of one of its lines with its end, */
#define RTLS_SMTP_LINES_MAX 128   /* and lines */

struct rtls_smtp_reply {
	unsigned code;           /* 200 to 599 */
	struct rtls_slice lines; /* all of it, borrowed */
	struct rtls_slice
		text; /* of the first line, behind the code; borrowed */
};

/*
 * received  what has come so far; more than one reply may be in it
 * reply     filled on RTLS_OK: the first one, else untouched
 * err       why, on RTLS_INVALID; may be NULL
 * RTLS_NONE     its end has not come yet
 * RTLS_INVALID  it is none, or too long, and will not become one
 */
RTLS_MUST_CHECK enum rtls_status rtls_smtp_reply_take(
	struct rtls_slice received, struct rtls_smtp_reply *reply,
	struct rtls_err *err);

#endif
