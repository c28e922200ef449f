/* received_mail.h - a TLS report in the message it came in (RFC 8460 section 5.3). */
#ifndef RTLS_RECEIVED_MAIL_H
#define RTLS_RECEIVED_MAIL_H

#include "report/received.h"

/*
 * The first part that is a report counts. Where the header says something else than the report, the report
 * counts (section 5.6), and there is a note.
 *
 * received  zeroed; report, notes and what is of the message are set
 * RTLS_NONE     no report in it, and nothing says that there should be one
 * RTLS_INVALID  there should be a report, but it cannot be understood
 */
RTLS_MUST_CHECK enum rtls_status rtls_received_mail(struct rtls_slice bytes,
	struct rtls_received *received, struct rtls_err *err);

#endif
