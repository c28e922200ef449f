/* explanation_via.c - see explanation.h: smart hosts that are named by their host names, as far as
 * the cache knows them. */
#include <string.h>

#include "store/smart_hosts.h"
#include "tool/explanation.h"

struct cache {
	const struct rtls_explain_question *asked;
	bool as_cached;
};

bool rtls_explain_is_by_name(const struct rtls_explain_question *asked)
{
	return asked->via != NULL && asked->via->hops.count > 0 &&
	       !asked->via->hops.hop[0].by_mx;
}

bool rtls_explain_knows_tlsa(const struct rtls_explain_hop *hop)
{
	const struct rtls_record *record = &hop->known.record;

	return hop->known.known && record->mx_answer == RTLS_MX_IMPLICIT &&
	       (record->mx[0].address != RTLS_DNSSEC_SECURE || hop->port == 0 ||
		       hop->port == RTLS_SMART_PORT);
}

/* All that is asked about is there. */
static const struct rtls_explain_hop *find_hop(
	const struct cache *cache, const char *host)
{
	const struct rtls_explain_hop *hop = cache->asked->hop;

	while (strcmp(hop->name, host) != 0)
		hop++;
	return hop;
}

static enum rtls_dnssec address(void *context, const char *host)
{
	const struct rtls_explain_hop *hop = find_hop(context, host);

	if (rtls_explain_knows_tlsa(hop))
		return hop->known.record.mx[0].address;
	/* Whoever cannot find one thing of the name now cannot find the other. */
	return hop->known.known && hop->known.record.mx_answer == RTLS_MX_FAILED
		       ? RTLS_DNSSEC_UNKNOWN
		       : RTLS_DNSSEC_INSECURE;
}

static enum rtls_tlsa_state tlsa(void *context, const char *host, unsigned port)
{
	(void)port;
	return find_hop(context, host)->known.record.mx[0].tlsa;
}

static const struct rtls_known *known(void *context, const char *host)
{
	static struct rtls_known answer;
	const struct cache *cache = context;

	answer = find_hop(cache, host)->known;
	if (cache->as_cached)
		answer.resolved = answer.known;
	return &answer;
}

void rtls_explain_smart_hosts(const struct rtls_explain_question *asked,
	bool as_cached, struct rtls_question *question)
{
	static struct rtls_smart_hosts all;
	struct cache cache = { asked, as_cached };
	const struct rtls_smart_source source = { &cache, address, tlsa,
		known };

	rtls_smart_hosts_gather(&asked->via->hops, &source, &all, question);
}
