/* spf.h - the SPF record of a domain: its syntax and what can be said of it without DNS (RFC
 * 7208). Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_SPF_H
#define RTLS_SPF_H

#include "slice.h"
#include "status.h"

#define RTLS_SPF_LOOKUPS_MAX 10 /* section 4.6.4: more is a permanent error */

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

#endif
