/* dkim_record.h - the TXT record at <selector>._domainkey.<domain> (RFC 6376 section 3.6.1, RFC
 * 8463). Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_DKIM_RECORD_H
#define RTLS_DKIM_RECORD_H

#include "slice.h"
#include "status.h"

enum rtls_dkim_type {
	RTLS_DKIM_RSA,
	RTLS_DKIM_ED25519,
};

struct rtls_dkim_record {
	enum rtls_dkim_type type;
	/* p: base64, blanks may stand in it; empty: the key was revoked. Borrowed. */
	struct rtls_slice key;
	bool is_testing; /* t=y: receivers treat a failure as no signature */
	bool has_mail;   /* s allows mail, */
	bool has_tlsrpt; /* and TLS reports (RFC 8460 section 3) */
};

/* RTLS_INVALID: receivers take it for no key; err says why, record is untouched. */
RTLS_MUST_CHECK enum rtls_status rtls_dkim_record_parse(struct rtls_slice text,
	struct rtls_dkim_record *record, struct rtls_err *err);

#endif
