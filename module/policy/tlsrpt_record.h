/* tlsrpt_record.h - the TXT record at _smtp._tls.<domain> (RFC 8460 section
 * 3). Pure: no allocation, no I/O, safe on any bytes of any length. */
#ifndef RTLS_TLSRPT_RECORD_H
#define RTLS_TLSRPT_RECORD_H

#include "slice.h"
#include "status.h"

#define RTLS_TLSRPT_RUA_MAX 16

struct rtls_tlsrpt_record {
	size_t rua_count;
	struct rtls_slice rua[RTLS_TLSRPT_RUA_MAX]; /* borrowed */
};

/*
 * rua holds the usable URIs only: mailto with an address, https with a host;
 * each once, as written, in order. Others (and bare addresses) are skipped: a record
 * whose URIs are all of other schemes is valid and has none. A record in whose rua
 * nothing is a URI at all is invalid.
 * Fields other than rua may stand before or behind it and are ignored.
 *
 * RTLS_NONE     some other TXT record
 * RTLS_INVALID  claims to be TLSRPTv1 but is malformed; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_tlsrpt_record_parse(
	struct rtls_slice text, struct rtls_tlsrpt_record *record,
	struct rtls_err *err);

/* All TXT records of the name; exactly one must remain (RFC 8460 section 3). */
RTLS_MUST_CHECK enum rtls_status rtls_tlsrpt_record_select(
	const struct rtls_slice *texts, size_t count,
	struct rtls_tlsrpt_record *record, struct rtls_err *err);

#endif
