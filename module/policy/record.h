/* record.h - what is known about one domain: the cache record, its text form
 * and its freshness. Pure: no clock, no file; safe on any bytes.
 *
 * The text form is meant to be read and edited by people; one "key value" per
 * line, the lines in any order but for the first, times as in timestamp.h, the
 * policy verbatim behind the line "policy-text":
 *
 *   requiretls-record 1
 *   domain enforce.example
 *   used 2026-11-20T20:45:20Z          when somebody last had mail for it
 *   mx-answer hosts                    hosts, implicit, null, nxdomain, failed
 *   mx-dnssec secure                   secure | insecure | bogus | unknown
 *   mx-until 2026-11-21T20:45:20Z
 *   mx 10 mx1.enforce.example address=secure tlsa=secure
 *   mx 20 mx2.enforce.example address=secure tlsa=none cname=a.example
 *   tlsa mx1.enforce.example 3 1 1 8cb0...
 *   txt valid                          valid | none | invalid | failed
 *   txt-id 20261101
 *   txt-until ...
 *   fetch failed                       ok | failed; absent: never tried
 *   fetch-id 20261101
 *   fetch-retry ...                    not again for this id before then
 *   fetch-error sts-webpki-invalid certificate expired
 *   fetch-earlier 20261031 2026-...    an id before that, and its back-off
 *   policy-id 20261101
 *   policy-fetched ...
 *   policy-until ...
 *   policy-digest <sha256 of the policy text>
 *   note <text for the log>            not stored, only between program and
 *                                      module
 *   policy-text
 *   version: STSv1
 *   ...
 */
#ifndef RTLS_RECORD_H
#define RTLS_RECORD_H

#include <stdint.h>

#include "domain.h"
#include "result.h"
#include "sts_policy.h"
#include "sts_record.h"
#include "text.h"
#include "timestamp.h"

#define RTLS_RECORD_SIZE_MAX 131072
#define RTLS_MX_MAX          64   /* hosts kept, best preference first */
#define RTLS_TLSA_MAX        64   /* TLSA records kept, of all hosts */
#define RTLS_TLSA_TEXT_MAX   1100 /* "3 1 2 " and 512 bytes in hex */
#define RTLS_NOTES_MAX       8
#define RTLS_EARLIER_MAX     4

enum rtls_mx_answer {
	RTLS_MX_UNKNOWN, /* never looked up */
	RTLS_MX_HOSTS,
	/* No MX but an address: the domain itself, as the only mx. */
	RTLS_MX_IMPLICIT,
	RTLS_MX_NULL,     /* RFC 7505 */
	RTLS_MX_NXDOMAIN, /* no such domain, or nothing mail could go to */
	RTLS_MX_FAILED,   /* SERVFAIL, time-out, bogus */
};

enum rtls_dnssec {
	RTLS_DNSSEC_UNKNOWN, /* lookup failed or not done */
	RTLS_DNSSEC_INSECURE,
	RTLS_DNSSEC_SECURE,
	RTLS_DNSSEC_BOGUS,
};

enum rtls_tlsa_state {
	RTLS_TLSA_UNKNOWN,  /* not asked: address or MX insecure */
	RTLS_TLSA_NONE,     /* proven absent, or insecure */
	RTLS_TLSA_SECURE,   /* at least one usable record, see tlsa */
	RTLS_TLSA_UNUSABLE, /* secure, none usable: TLS, not authenticated */
	/* No answer, or no usable one, here or for the addresses: the host must not be
	 * used. */
	RTLS_TLSA_FAILED,
	/* The same, and it is the zone's fault: validation said so. For the addresses
	 * that is in their own state. */
	RTLS_TLSA_BOGUS,
};

enum rtls_txt_state {
	RTLS_TXT_UNKNOWN,
	RTLS_TXT_VALID,
	RTLS_TXT_NONE,
	RTLS_TXT_INVALID,
	RTLS_TXT_FAILED,
};

enum rtls_fetch_state {
	RTLS_FETCH_NEVER,
	RTLS_FETCH_OK,
	RTLS_FETCH_FAILED,
	/* Begun by somebody, who holds the domain's lock or was killed: not to be
	 * begun again before fetch_retry_s, and until it ends nothing is known. */
	RTLS_FETCH_RUNNING,
};

struct rtls_mx {
	unsigned preference;
	struct rtls_slice host; /* normalized */
	enum rtls_dnssec address;
	enum rtls_tlsa_state tlsa;
	/* Whose the addresses are, normalized, when CNAMEs lead to another name;
	 * else empty. It is the name that Exim knows the host by, and asks for
	 * TLSA (RFC 7672 section 2.2.3). */
	struct rtls_slice cname;
};

struct rtls_tlsa {
	struct rtls_slice host;
	struct rtls_slice text; /* "usage selector matching hex" */
};

/* A fetch that failed for an id the domain has changed since. */
struct rtls_earlier {
	struct rtls_slice id;
	int64_t retry_s;
};

/* All slices borrow; times are 0 when absent. */
struct rtls_record {
	struct rtls_slice domain;
	int64_t used_s; /* what only a refresh asked for does not count */
	enum rtls_mx_answer mx_answer;
	enum rtls_dnssec mx_dnssec;
	int64_t mx_until_s;
	size_t mx_count;
	struct rtls_mx mx[RTLS_MX_MAX]; /* sorted by preference */
	size_t tlsa_count;
	struct rtls_tlsa tlsa[RTLS_TLSA_MAX];
	enum rtls_txt_state txt;
	struct rtls_slice txt_id;
	int64_t txt_until_s;
	enum rtls_fetch_state fetch;
	struct rtls_slice fetch_id;
	int64_t fetch_retry_s;
	struct rtls_slice fetch_error; /* result type and reason, quoted */
	size_t earlier_count;
	struct rtls_earlier earlier[RTLS_EARLIER_MAX];
	struct rtls_slice policy_id;
	int64_t policy_fetched_s;
	int64_t policy_until_s; /* fetched + max_age */
	struct rtls_slice policy_digest;
	struct rtls_slice policy_text; /* empty: no policy known */
	size_t note_count;
	struct rtls_slice note[RTLS_NOTES_MAX];
};

/*
 * text    at most RTLS_RECORD_SIZE_MAX bytes; borrowed
 * domain  whose record it must be, normalized
 * record  filled on RTLS_OK, else untouched
 * RTLS_INVALID  malformed, another version, another domain: a miss
 */
RTLS_MUST_CHECK enum rtls_status rtls_record_parse(struct rtls_slice text,
	const char *domain, struct rtls_record *record, struct rtls_err *err);

/*
 * Format; parse(format(x)) is x.
 *
 * RTLS_INVALID  does not fit out, or RTLS_RECORD_SIZE_MAX
 * RTLS_BUG      a record that parse would refuse; out holds a part of it
 */
RTLS_MUST_CHECK enum rtls_status rtls_record_format(
	const struct rtls_record *record, struct rtls_text *out);

/* How far ahead a stored time may lie before the clock is what is wrong. */
#define RTLS_CLOCK_SLACK_S RTLS_DAY_S
/* No answer is believed longer than this, whatever its TTL said. */
#define RTLS_TTL_MAX_S RTLS_DAY_S

/* MX and TXT answers are both within their lifetimes (and not from a future
 * clock), and a policy that the TXT id promises is there or backed off: nothing
 * to ask. */
bool rtls_record_is_fresh(const struct rtls_record *record, int64_t now_s);

/* The policy text is there and unexpired (RFC 8461 section 3.3), also when
 * newer attempts to fetch failed. max_age 0 lasts for the second it was fetched
 * in. Future fetch times beyond the slack: no. */
bool rtls_record_has_policy(const struct rtls_record *record, int64_t now_s);

/* Must the policy be fetched: TXT valid with an id that is not the policy's,
 * or the policy expired; and no back-off of this id in the way (one from a
 * future clock does not count), nor those of so many others that one more could
 * not be kept (RFC 8461 section 3.3). */
bool rtls_record_wants_fetch(const struct rtls_record *record, int64_t now_s);

/* Is a back-off that ends then still to be kept? */
bool rtls_record_holds_off(int64_t retry_s, int64_t now_s);

/* Should the policy be fetched anew in the background (RFC 8461 sections 3.3 and
 * 10.2): there is one, and its last fetch is 16 to 23 hours ago, which hour is
 * the domain's own (spread, any number; the same for a domain each day), or half
 * of its life if that is less; and the last attempt is no back-off ago. A fetch time
 * of the future counts as long ago. */
bool rtls_record_is_due(
	const struct rtls_record *record, uint64_t spread, int64_t now_s);

/* Would nothing be lost with the record: no policy in force, no back-off, and all
 * answers out of their time for a day? */
bool rtls_record_is_spent(const struct rtls_record *record, int64_t now_s);

/* The MX host's entry, or NULL. */
const struct rtls_mx *rtls_record_mx(
	const struct rtls_record *record, struct rtls_slice host);

/* Must it not be used, since a lookup failed or was bogus (RFC 7672 section 2.1.2)? */
bool rtls_record_lookup_failed(const struct rtls_mx *mx);

/* Is it one whose addresses could not be had, or not by a validated answer? */
bool rtls_record_lacks_address(const struct rtls_mx *mx);

#endif
