/* smart_host.c - see smart_host.h. */
#include "exim/smart_host.h"

#include <stdio.h>

#include "exim/api.h"
#include "exim/ask.h"
#include "store/smart_hosts.h"

struct asking {
	const struct rtls_config *config;
	int64_t now_s;
	bool again;
	bool is_partial; /* of one of them this is not all */
};

/* --- what Exim's own resolver says, because it is Exim that does DANE ----------- */

/* UNKNOWN: the lookup failed, and so does the expansion. */
static enum rtls_dnssec ask_address(void *context, const char *host)
{
	char what[RTLS_DOMAIN_SIZE + 128];
	struct rtls_slice found;

	(void)context;
	(void)snprintf(what, sizeof(what),
		"${lookup dnsdb{a+=%s}{$lookup_dnssec_authenticated}{no}}",
		host);
	found = rtls_exim_value(what);
	if (rtls_slice_is(found, "yes"))
		return RTLS_DNSSEC_SECURE;
	return found.size > 0 ? RTLS_DNSSEC_INSECURE : RTLS_DNSSEC_UNKNOWN;
}

static enum rtls_tlsa_state ask_tlsa(
	void *context, const char *host, unsigned port)
{
	char what[RTLS_DOMAIN_SIZE + 192];
	struct rtls_slice found;

	(void)context;
	(void)snprintf(what, sizeof(what),
		"${lookup dnsdb{tlsa=_%u._tcp.%s}{${if "
		"eq{$lookup_dnssec_authenticated}{yes}{secure}{none}}}{none}}",
		port, host);
	found = rtls_exim_value(what);
	if (rtls_slice_is(found, "secure"))
		return RTLS_TLSA_SECURE;
	return rtls_slice_is(found, "none") ? RTLS_TLSA_NONE : RTLS_TLSA_FAILED;
}

/* --- record and policy ------------------------------------------------------------ */

static const struct rtls_known *ask_known(void *context, const char *host)
{
	struct asking *asking = context;
	const struct rtls_known *known = NULL;

	if (asking->again)
		known = rtls_ask_again(asking->config, host, asking->now_s);
	if (known == NULL) {
		known = rtls_ask_known(asking->config, host, asking->now_s);
		asking->is_partial = asking->is_partial || asking->again ||
				     known->unreadable;
	}
	return known;
}

bool rtls_smart_host_ask(const struct rtls_next_hops *hops, int64_t now_s,
	bool again, struct rtls_question *question)
{
	/* What the question borrows is kept here, for ask.h keeps one domain. */
	static struct rtls_smart_hosts all;
	struct asking asking = {
		.config = question->config, .now_s = now_s, .again = again
	};
	const struct rtls_smart_source source = { &asking, ask_address,
		ask_tlsa, ask_known };

	rtls_smart_hosts_gather(hops, &source, &all, question);
	return !asking.is_partial;
}
