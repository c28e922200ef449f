/* delivery.h - what Exim 4.96 does with MX hosts in the transports of module/conf and in a site's
 * own, raising events at the module in Exim's order; without a network.
 *
 * Read off Exim's source (smtp.c, host.c, tls-gnu.c) and docs/ARCHITECTURE.md; the matrix of
 * tests/scenarios compares a part of it with a real Exim. */
#ifndef RTLS_TESTS_DELIVERY_H
#define RTLS_TESTS_DELIVERY_H

#include "policy/verdict.h"

enum tlsa {
	TLSA_ABSENT,
	TLSA_GOOD, /* usage 3, of whatever certificate there is */
	TLSA_BAD,
	TLSA_UNUSABLE,
	TLSA_SERVFAIL,
};

enum starttls {
	STARTTLS_YES,
	STARTTLS_NO,
	STARTTLS_BREAKS, /* 220, then the connection ends */
	STARTTLS_4XX,
};

#define SHOWN_MAX 8

/* What a server shows, and what Exim's own check would say of it. */
struct shown {
	char *base64[SHOWN_MAX]; /* [0]: the leaf */
	unsigned count;
	bool chain_holds; /* gnutls_certificate_verify_peers2() */
	bool name_holds;  /* gnutls_x509_crt_check_hostname() */
};

/* An MX host. Its own zone is signed. */
struct host_facts {
	const char *name;
	bool mx_secure;
	enum tlsa tlsa; /* at port 25 */
	enum starttls starttls;
	const struct shown *shown;
};

struct delivered {
	bool done;
	size_t host; /* which one it was */
	bool tls;
	bool insisted; /* Exim or the module had to be content with the host */
};

/* One attempt at these hosts, in their order, in this class, as in a process of its own; address_data
 * is the plan. host.h is told what Exim's variables hold as it goes on. */
struct delivered delivery_attempt(const struct host_facts *facts, size_t count,
	enum rtls_class class, const char *address_data);

#endif
