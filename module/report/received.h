/* received.h - a TLS report that somebody sent to us (RFC 8460), as a file, as what HTTPS
 * brought, or as the whole message it came in. Every byte is hostile; memory is bounded. No I/O.
 *
 * Accepted is what is seen in the wild, and what was not as the RFC wants it is said. What comes out
 * is always of one shape, so that nobody else needs to look at foreign JSON:
 *
 * {"organization-name": text, "date-range": {"start-datetime": "2026-11-21T00:00:00Z",
 * "end-datetime": ...}, "contact-info": text, "report-id": text, "policies": [{
 *   "policy": {"policy-type": text, "policy-string": [text ...], "policy-domain": text,
 *     "mx-host": [text ...]},
 *   "summary": {"total-successful-session-count": n, "total-failure-session-count": n},
 *   "failure-details": [{"result-type": text, "failed-session-count": n,
 *     and where known "sending-mta-ip", "receiving-mx-hostname", "receiving-mx-helo",
 *     "receiving-ip", "additional-information", "failure-reason-code": text} ...]} ...]}
 *
 * No other keys. Texts are UTF-8 without control characters (U+FFFD in their place), at most RTLS_RECEIVED_TEXT_MAX bytes; "" is
 * what the sender left out. Counts are 0 to 2^53 - 1. Times are in order. Types, and domains that are
 * domain names, are in lower case; an address is as inet_ntop() writes it. All the same the texts are a stranger's: quote them. */
#ifndef RTLS_RECEIVED_H
#define RTLS_RECEIVED_H

#include <jansson.h>
#include <stdint.h>

#include "policy/domain.h"
#include "report/notes.h"

#define RTLS_RECEIVED_INPUT_MAX 26214400 /* 25 MiB, for who reads files */
#ifndef RTLS_RECEIVED_JSON_MAX /* less when fuzzing: else bombs are out of reach */
#define RTLS_RECEIVED_JSON_MAX 52428800 /* 50 MiB unpacked */
#endif
#define RTLS_RECEIVED_VALUES_MAX                                               \
	500000 /* of the JSON, names of members included */
#define RTLS_RECEIVED_DEPTH_MAX    32
#define RTLS_RECEIVED_POLICIES_MAX 10000
#define RTLS_RECEIVED_DETAILS_MAX  50000 /* of a policy */
#define RTLS_RECEIVED_LINES_MAX    1000  /* of a policy-string or mx-host */
#define RTLS_RECEIVED_TEXT_MAX     4096
#define RTLS_RECEIVED_COUNT_MAX    INT64_C(9007199254740991)

struct rtls_received {
	json_t *report;
	struct rtls_notes notes;
	/* Of the message, unfolded, UTF-8 without control characters; "" where there is none. */
	bool is_message;
	char from[256];
	char subject[512];
	char domain[RTLS_DOMAIN_SIZE];    /* TLS-Report-Domain */
	char submitter[RTLS_DOMAIN_SIZE]; /* TLS-Report-Submitter */
};

/*
 * bytes     borrowed; gzip, JSON, or else a message: their beginning says which
 * received  filled on RTLS_OK, for rtls_received_free(); else untouched
 * RTLS_NONE     a message (or any other text) that has no TLS report in it; err says so
 * RTLS_INVALID  it cannot be understood; err says why, in printable words
 */
RTLS_MUST_CHECK enum rtls_status rtls_received_parse(struct rtls_slice bytes,
	struct rtls_received *received, struct rtls_err *err);

void rtls_received_free(struct rtls_received *received);

#endif
