/* report_mail.h - the report as a message (RFC 8460 section 5.3): for people in
 * words, for machines as an attachment. Pure but for memory. */
#ifndef RTLS_REPORT_MAIL_H
#define RTLS_REPORT_MAIL_H

#include "report/report.h"

struct rtls_report_mail {
	const struct rtls_config *config; /* organization, contact, from */
	const struct rtls_report *report;
	const char *to;         /* a plain address, see rua.h */
	int64_t now_s;          /* for Date */
	struct rtls_slice gzip; /* the report, compressed */
};

/*
 * text  the message with LF line ends, to be freed by the caller; set on RTLS_OK
 * RTLS_INVALID    an address would break out of its header field
 * RTLS_NO_MEMORY
 */
RTLS_MUST_CHECK enum rtls_status rtls_report_mail_format(
	const struct rtls_report_mail *mail, char **text, size_t *size,
	struct rtls_err *err);

#endif
