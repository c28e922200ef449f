/* flags.h - what a message asks for, and how it is kept in the spool as
 * $local_scan_data (RFC 8689 sections 2, 3 and 4.1).
 * Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_FLAGS_H
#define RTLS_FLAGS_H

#include "text.h"

enum rtls_requiretls {
	RTLS_REQUIRETLS_NO,
	RTLS_REQUIRETLS_YES,
	RTLS_REQUIRETLS_RELAXED, /* TLS-Required: No */
};

enum rtls_flagged_by {
	RTLS_BY_NOTHING,
	RTLS_BY_ESMTP,
	RTLS_BY_TAG,
	RTLS_BY_ACL,
	RTLS_BY_RULE,
	RTLS_BY_BOUNCE,
	RTLS_BY_HEADER, /* the TLS-Required header, with RELAXED only */
};

/* What the message wants of the MX lookup of its recipients. */
enum rtls_dnssec_wish {
	RTLS_DNSSEC_NO,
	RTLS_DNSSEC_REQUEST, /* ask and log */
	RTLS_DNSSEC_REQUIRE, /* insecure bounces, bogus defers */
};

struct rtls_flags {
	enum rtls_requiretls requiretls;
	enum rtls_flagged_by by;
	enum rtls_dnssec_wish dnssec;
};

const char *rtls_flagged_by_name(enum rtls_flagged_by by);

/* Flag the message. The first reason is the one that is shown. */
void rtls_flags_set(struct rtls_flags *flags, enum rtls_flagged_by by);

/* Is the value of a variable set, and anything but "no", "false" and "0"? A word that is
 * not known must not be taken for a no. */
bool rtls_flag_value_is_yes(struct rtls_slice value);

/* "requiretls=yes by=tag dnssec=no"; without by= when nothing flagged it. */
void rtls_flags_format(const struct rtls_flags *flags, struct rtls_text *out);

/*
 * RTLS_NONE     the text has no requiretls= word: written before the module was
 *               there, or by another local_scan; flags are all "no"
 * RTLS_INVALID  has one, but malformed, cut (no dnssec=) or impossible: the
 *               caller must treat the message as flagged (fail closed); flags
 *               untouched
 * Unknown words are ignored.
 */
RTLS_MUST_CHECK enum rtls_status rtls_flags_parse(
	struct rtls_slice text, struct rtls_flags *flags);

/* Do they ask for protection: requiretls=yes, or RTLS_INVALID? otherwise: the answer
 * when the text has no flags (RTLS_NONE). */
bool rtls_flags_are_yes(struct rtls_slice text, bool otherwise);

/*
 * RFC 8689 section 3: the value of one TLS-Required header field, without the
 * field name, as it stands in the message (folding and line end included).
 * True for "No" in any case with white space around it; false for all else.
 */
bool rtls_tls_required_is_no(struct rtls_slice value);

/*
 * Take the tag (say "+requiretls") off the local part of an address. Case does
 * not count. A quoted local part may carry it inside the quotes. A local part
 * that would become empty is no match.
 *
 * out        filled on true: the address without the tag, terminated
 * false      no tag there, no "@domain", or it does not fit out_size
 */
bool rtls_tag_strip(struct rtls_slice address, struct rtls_slice tag, char *out,
	size_t out_size);

#endif
