/* spf.h - the SPF record of a domain: its syntax and what can be said of it without DNS (RFC
 * 7208). Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_SPF_H
#define RTLS_SPF_H

#include "slice.h"
#include "status.h"

/* Section 4.6.4: more is a permanent error. */
#define RTLS_SPF_LOOKUPS_MAX                                                   \
	10                    /* terms that ask DNS, in all records together */
#define RTLS_SPF_VOIDS_MAX 2  /* of them that find nothing */
#define RTLS_SPF_MX_MAX    10 /* hosts that one mx finds */

/* What becomes of mail that no term before matches. */
enum rtls_spf_all {
	RTLS_SPF_ALL_MISSING,
	RTLS_SPF_ALL_PASS,     /* +all: everybody may send as the domain */
	RTLS_SPF_ALL_NEUTRAL,  /* ?all */
	RTLS_SPF_ALL_SOFTFAIL, /* ~all */
	RTLS_SPF_ALL_FAIL,     /* -all */
};

struct rtls_spf {
	enum rtls_spf_all all;
	bool has_redirect;
	bool has_ptr;     /* section 5.5: not to be used */
	bool has_more;    /* mechanisms behind all, which nobody looks at */
	unsigned lookups; /* terms of this record that ask DNS */
};

/*
 * RTLS_NONE     another record: does not begin with v=spf1
 * RTLS_INVALID  a permanent error to receivers; err says why, record is untouched
 */
RTLS_MUST_CHECK enum rtls_status rtls_spf_parse(
	struct rtls_slice text, struct rtls_spf *record, struct rtls_err *err);

enum rtls_spf_kind {
	RTLS_SPF_INCLUDE,
	RTLS_SPF_REDIRECT,
	RTLS_SPF_A,
	RTLS_SPF_MX,
	RTLS_SPF_PTR,
	RTLS_SPF_EXISTS,
};

/* A term that asks DNS. */
struct rtls_spf_term {
	enum rtls_spf_kind kind;
	struct rtls_slice text; /* all of it */
	struct rtls_slice
		domain; /* which it is about; empty: the domain itself */
	bool has_macro; /* in domain: which it is depends on the message */
};

/*
 * The next term that asks DNS, of those that are looked at: no mechanism behind all, and no redirect
 * beside it.
 *
 * text  of a record that rtls_spf_parse() took, into record
 * rest  at first text; advances
 */
bool rtls_spf_next(const struct rtls_spf *record, struct rtls_slice text,
	struct rtls_slice *rest, struct rtls_spf_term *term);

#endif
