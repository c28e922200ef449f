/* dmarc.h - the TXT record at _dmarc.<domain> (RFC 7489 section 6.3).
 * Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_DMARC_H
#define RTLS_DMARC_H

#include "slice.h"
#include "status.h"

enum rtls_dmarc_policy {
	RTLS_DMARC_NONE,
	RTLS_DMARC_QUARANTINE,
	RTLS_DMARC_REJECT,
};

struct rtls_dmarc {
	enum rtls_dmarc_policy policy;
	unsigned percent;      /* of the mail it is for */
	struct rtls_slice rua; /* addresses with commas between; may be empty */
};

/*
 * RTLS_NONE     another record: does not begin with v=DMARC1
 * RTLS_INVALID  receivers take it for none; err says why, record is untouched
 */
RTLS_MUST_CHECK enum rtls_status rtls_dmarc_parse(struct rtls_slice text,
	struct rtls_dmarc *record, struct rtls_err *err);

const char *rtls_dmarc_policy_name(enum rtls_dmarc_policy policy);

#endif
