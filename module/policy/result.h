/* result.h - result types of TLS-RPT (RFC 8460 section 4.3) and the journal
 * line that keeps one judged session until the daily report.
 * Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_RESULT_H
#define RTLS_RESULT_H

#include <stdint.h>

#include "domain.h"
#include "text.h"

/* The order is that of the names table in result.c. */
enum rtls_result {
	RTLS_RESULT_SUCCESS,
	RTLS_RESULT_STARTTLS_NOT_SUPPORTED,
	RTLS_RESULT_CERTIFICATE_HOST_MISMATCH,
	RTLS_RESULT_CERTIFICATE_EXPIRED,
	RTLS_RESULT_CERTIFICATE_NOT_TRUSTED,
	RTLS_RESULT_VALIDATION_FAILURE,
	RTLS_RESULT_TLSA_INVALID,
	RTLS_RESULT_DNSSEC_INVALID,
	RTLS_RESULT_DANE_REQUIRED,
	RTLS_RESULT_STS_POLICY_FETCH_ERROR,
	RTLS_RESULT_STS_POLICY_INVALID,
	RTLS_RESULT_STS_WEBPKI_INVALID,
	RTLS_RESULT_COUNT
};

/* "success" or the IANA-registered string. */
const char *rtls_result_name(enum rtls_result result);
RTLS_MUST_CHECK enum rtls_status rtls_result_parse(
	struct rtls_slice name, enum rtls_result *result);

enum rtls_policy_type {
	RTLS_POLICY_NONE_FOUND, /* "no-policy-found" */
	RTLS_POLICY_STS,
	RTLS_POLICY_TLSA,
};

const char *rtls_policy_type_name(enum rtls_policy_type type);

#define RTLS_DIGEST_SIZE      65 /* SHA-256 in lower-case hex and NUL */
#define RTLS_JOURNAL_LINE_MAX 2048
#define RTLS_SESSIONS_MAX     UINT64_C(999999999999999) /* in one line */

/* One judged session under one policy, or several that differ in nothing but their time.
 * Unknown texts are empty; slices borrow. */
struct rtls_session_result {
	int64_t time_s; /* of several the first */
	uint64_t count; /* sessions; 0 is 1, too */
	/* The recipient's, or the smart host's: whose report it goes into. With DANE too,
	 * where the policy itself is that of mx_host (RFC 8460 section 1.1). */
	struct rtls_slice policy_domain;
	enum rtls_policy_type type;
	struct rtls_slice digest; /* of the policy, see store/policies.h */
	enum rtls_result result;
	struct rtls_slice
		sending_ip; /* out of a journal: RFC 5952 form, or empty */
	struct rtls_slice mx_host; /* with DANE the TLSA base domain */
	struct rtls_slice mx_helo; /* already quoted, see text.h */
	struct rtls_slice receiving_ip;
	struct rtls_slice reason; /* failure-reason-code, already quoted */
};

/*
 * "1 TAB epoch TAB domain TAB type TAB digest TAB result TAB sending ip TAB mx
 * TAB helo TAB receiving ip TAB reason LF"; an empty field is "-". Tabs and
 * line ends inside a field cannot occur: the writer turns any byte that is not
 * printable ASCII into "?" and caps each field, so that every line fits
 * RTLS_JOURNAL_LINE_MAX. Addresses are written as RFC 5952 says; what is no
 * address becomes "-".
 *
 * Several sessions, once a day is compacted, are a line "2 TAB ... TAB result TAB
 * count TAB sending ip ..." with count at least 2. There it cannot be met by half a line
 * with a whole one behind it.
 *
 * RTLS_INVALID  does not fit the text
 * RTLS_BUG      no normalized policy domain, a malformed digest or time, a count
 *               above RTLS_SESSIONS_MAX
 */
RTLS_MUST_CHECK enum rtls_status rtls_journal_line_format(
	const struct rtls_session_result *result, struct rtls_text *line);

/*
 * line      without its LF; borrowed by result
 * result    filled on RTLS_OK, else untouched; its count is at least 1
 * RTLS_INVALID  torn or foreign: the reader skips and counts it
 */
RTLS_MUST_CHECK enum rtls_status rtls_journal_line_parse(
	struct rtls_slice line, struct rtls_session_result *result);

#endif
