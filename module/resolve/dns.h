/* dns.h - the one wrapper around getdns: several lookups at once, each with
 * its DNSSEC state (RFC 7672 section 2.1).
 *
 * Stub mode, explicit upstreams and anchors, no anchors fetched, no search list,
 * no hosts file. "secure", "insecure" and everything else are three different
 * answers; NXDOMAIN is not NODATA. */
#ifndef RTLS_DNS_H
#define RTLS_DNS_H

#include <stdint.h>

#include "policy/config.h"
#include "policy/record.h"

struct rtls_dns;

enum rtls_dns_type {
	RTLS_DNS_A = 1,
	RTLS_DNS_MX = 15,
	RTLS_DNS_TXT = 16,
	RTLS_DNS_AAAA = 28,
	RTLS_DNS_TLSA = 52,
};

enum rtls_dns_outcome {
	RTLS_DNS_FAILED, /* SERVFAIL, time-out, bogus, indeterminate */
	RTLS_DNS_FOUND,
	RTLS_DNS_NODATA,
	RTLS_DNS_NXDOMAIN,
};

#define RTLS_DNS_RECORDS_MAX 256
#define RTLS_DNS_NO_ANSWER   "no answer in time" /* as a query's why */
#define RTLS_DNS_TEXT_MAX    4096

struct rtls_dns_record {
	struct rtls_slice text; /* MX: host as in DNS; TXT: strings joined;
	                         * A, AAAA: address; TLSA: "u s m hex" */
	unsigned preference;    /* MX only */
};

/* One lookup: the caller fills name and type, rtls_dns_run() the rest. */
struct rtls_dns_query {
	char name[RTLS_DOMAIN_SIZE + 16]; /* no trailing dot */
	enum rtls_dns_type type;
	enum rtls_dns_outcome outcome;
	enum rtls_dnssec dnssec; /* whole chain, CNAMEs included */
	uint32_t
		ttl_s; /* smallest of the answer; of a denial the SOA's minimum */
	size_t count;
	struct rtls_dns_record record[RTLS_DNS_RECORDS_MAX];
	/* Where CNAMEs lead, normalized; "" without any, or to no host name. */
	char end[RTLS_DOMAIN_SIZE];
	char why[128]; /* on FAILED: for the log */
	char *storage; /* owned, freed by rtls_dns_query_free() */
};

/*
 * config  resolver, dnssec, trust_anchor, dns_timeout; borrowed
 * dns     owned by the caller until rtls_dns_close()
 * RTLS_INVALID    no usable resolver, anchor unreadable, or AD mode with a
 *                 resolver that is neither on loopback nor trusted
 */
RTLS_MUST_CHECK enum rtls_status rtls_dns_open(const struct rtls_config *config,
	struct rtls_dns **dns, struct rtls_err *err);
void rtls_dns_close(struct rtls_dns *dns);

/* No lookup ends later than in that many ms from now; what is not answered by
 * then has failed. Without it each takes dns_timeout at most. */
void rtls_dns_limit(struct rtls_dns *dns, unsigned time_ms);

/* While rtls_dns_run() waits, call this every few ms; NULL: no more. For whoever has other
 * connections to look after. */
void rtls_dns_meanwhile(
	struct rtls_dns *dns, void (*meanwhile)(void *context), void *context);

/*
 * Run all queries at once (if there are many: 16 at a time) and wait for the last.
 * RTLS_OK  each query has its outcome; others are about the machinery
 */
RTLS_MUST_CHECK enum rtls_status rtls_dns_run(struct rtls_dns *dns,
	struct rtls_dns_query *queries, size_t count, struct rtls_err *err);
void rtls_dns_query_free(struct rtls_dns_query *query);

/* False once an upstream turned out unable to do DNSSEC: from then on all answers are
 * insecure, and the caller says so loudly, once. */
bool rtls_dns_can_validate(const struct rtls_dns *dns);

#endif
