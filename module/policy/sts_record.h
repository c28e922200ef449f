/* sts_record.h - the TXT record at _mta-sts.<domain> (RFC 8461 section 3.1,
 * EID 6285). Pure: no allocation, no I/O, safe on any bytes of any length. */
#ifndef RTLS_STS_RECORD_H
#define RTLS_STS_RECORD_H

#include "slice.h"
#include "status.h"

#define RTLS_STS_ID_MAX 32

struct rtls_sts_record {
	struct rtls_slice id; /* 1 to 32 letters and digits, borrowed */
};

/*
 * text    one TXT record, its strings already joined; borrowed
 * record  filled on RTLS_OK, else untouched
 * err     why, on RTLS_INVALID; may be NULL
 * RTLS_NONE     some other TXT record: not ours, not an error
 * RTLS_INVALID  claims to be STSv1 but is malformed
 */
RTLS_MUST_CHECK enum rtls_status rtls_sts_record_parse(struct rtls_slice text,
	struct rtls_sts_record *record, struct rtls_err *err);

/*
 * All TXT records of the name: those that are not STSv1 are discarded, then
 * exactly one valid one must be left (RFC 8461 section 3.1).
 *
 * RTLS_NONE     no STSv1 record at all
 * RTLS_INVALID  several, or the only one is malformed
 */
RTLS_MUST_CHECK enum rtls_status rtls_sts_record_select(
	const struct rtls_slice *texts, size_t count,
	struct rtls_sts_record *record, struct rtls_err *err);

#endif
