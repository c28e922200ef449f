/* reported.h - the file of the key tlsrpt_domains: on which domains TLS reports are sent.
 * Pure: no allocation, no I/O, safe on any bytes.
 *
 *   # comment
 *   report www.example.org
 *   silent *.example.org
 *
 * A domain, in which "*" is any text and "?" any one character. The first line that matches
 * counts; where none does there is a report. */
#ifndef RTLS_REPORTED_H
#define RTLS_REPORTED_H

#include "mistake.h"
#include "slice.h"
#include "status.h"

#define RTLS_REPORTED_MAX      256
#define RTLS_REPORTED_SIZE_MAX RTLS_LINES_SIZE_MAX

struct rtls_reported_line {
	bool report; /* else silent */
	unsigned line;
	struct rtls_slice domain; /* a wildcard */
};

/* Slices borrow from the text. */
struct rtls_reported {
	size_t count;
	struct rtls_reported_line entry[RTLS_REPORTED_MAX];
};

/*
 * text      the file's content; borrowed
 * reported  filled on RTLS_OK, else untouched
 * err       "line N: what was expected" on RTLS_INVALID
 */
RTLS_MUST_CHECK enum rtls_status rtls_reported_parse(struct rtls_slice text,
	struct rtls_reported *reported, struct rtls_err *err);

/* Is there to be a report on this domain (A-labels)? */
bool rtls_reported_has(
	const struct rtls_reported *reported, struct rtls_slice domain);

#endif
