/* dns_attempt.h - ask one upstream several questions at once and wait, for a time. */
#ifndef RTLS_DNS_ATTEMPT_H
#define RTLS_DNS_ATTEMPT_H

#include <getdns/getdns.h>

#include "dns.h"

/* So many lookups at once: each of them may need ten more for its chain of
 * trust, each with a socket of its own. */
#define RTLS_DNS_BATCH_MAX 16

#define RTLS_DNS_NO_REPLY UINT32_MAX

/* One question, and the reply to it as it came: nothing is judged yet. */
struct rtls_dns_lookup {
	struct rtls_dns_query *query; /* all but its dnssec is filled */
	uint32_t rcode;               /* or RTLS_DNS_NO_REPLY */
	uint32_t
		dnssec_status; /* getdns's, or as the AD bit says; 0: neither */
	bool is_signed;        /* there are signatures in the answer */
	struct rtls_dns_batch *batch; /* the rest is the attempt's own */
	getdns_transaction_t id;
	bool is_pending;
};

struct rtls_dns_batch {
	enum rtls_dns_mode mode;
	getdns_context *context;
	getdns_dict *extensions; /* may be NULL */
	size_t count;
	struct rtls_dns_lookup lookup[RTLS_DNS_BATCH_MAX];
	size_t pending;
	bool no_memory;
	void (*meanwhile)(
		void *context); /* see rtls_dns_meanwhile(); or NULL */
	void *meanwhile_context;
};

/* On the monotonic clock. */
int64_t rtls_dns_now_ms(void);

/* Put the query at the end of the batch; it is not asked yet. */
void rtls_dns_batch_add(
	struct rtls_dns_batch *batch, struct rtls_dns_query *query);

/* Ask. */
void rtls_dns_lookup_start(struct rtls_dns_lookup *lookup);

/* Wait until every reply has come or the time is up; what is missing then is
 * given up. After this nothing refers to the batch any more. */
void rtls_dns_batch_wait(struct rtls_dns_batch *batch, int64_t until_ms);

#endif
