/* exempt.h - the list of exemptions: domains of which less is demanded, until a day
 * and for a reason.
 * Pure: no clock, no allocation, no I/O, safe on any bytes.
 *
 *   # comment
 *   partner.example sts until=2027-01-31 "their certificate, ticket 4711"
 *
 * A domain, in which "*" is any text and "?" any one character; what is lifted there, one
 * or more of these with commas between; the last day (UTC); why, in quotes.
 *
 *   sts         its MTA-STS policy is judged and reported as in mode testing; no
 *               rule requires one of it
 *   dnssec      no rule requires DNSSEC of it
 *   requiretls  flagged mail asks there, and does not insist
 *   verified    no rule requires a verified certificate of it */
#ifndef RTLS_EXEMPT_H
#define RTLS_EXEMPT_H

#include <stdint.h>

#include "mistake.h"
#include "protection.h"
#include "slice.h"
#include "status.h"

#define RTLS_EXEMPT_MAX        256
#define RTLS_EXEMPT_SIZE_MAX   RTLS_LINES_SIZE_MAX
#define RTLS_EXEMPT_REASON_MAX 200

struct rtls_exemption {
	unsigned line;
	unsigned lifts; /* a set of enum rtls_protection, never empty */
	int64_t end_s;  /* the first second in which it does not count */
	struct rtls_slice domain; /* a wildcard */
	struct rtls_slice until;  /* as written: 2027-01-31 */
	struct rtls_slice reason; /* without its quotes; UTF-8, no controls */
};

/* Slices borrow from the text. */
struct rtls_exemptions {
	size_t count;
	struct rtls_exemption exemption[RTLS_EXEMPT_MAX];
};

/*
 * text        the file's content; borrowed
 * exemptions  filled on RTLS_OK, else untouched. A day that is over is no mistake
 * err         "line N: what was expected" on RTLS_INVALID
 */
RTLS_MUST_CHECK enum rtls_status rtls_exemptions_parse(struct rtls_slice text,
	struct rtls_exemptions *exemptions, struct rtls_err *err);

/* Is its day over? */
bool rtls_exemption_is_over(
	const struct rtls_exemption *exemption, int64_t now_s);

/* Whole days after this one: 0 on the last day, and when it is over. */
int64_t rtls_exemption_days_left(
	const struct rtls_exemption *exemption, int64_t now_s);

/* What is lifted for this domain now, a set: all lines that match add up. */
unsigned rtls_exemptions_in_force(const struct rtls_exemptions *exemptions,
	struct rtls_slice domain, int64_t now_s);

/* The first line in force that lifts this one protection of the domain; NULL: none does. */
const struct rtls_exemption *rtls_exemptions_find(
	const struct rtls_exemptions *exemptions, struct rtls_slice domain,
	int64_t now_s, unsigned protection);

/*
 * One line in force for this domain for each protection of the set lifted, in words for
 * the log: " exempt=sts,dnssec until=2027-01-31". The first line that lifts it.
 */
void rtls_exemptions_describe(const struct rtls_exemptions *exemptions,
	struct rtls_slice domain, int64_t now_s, unsigned lifted,
	struct rtls_text *out);

#endif
