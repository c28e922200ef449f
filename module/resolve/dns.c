/* dns.c - lookups by getdns: a stub resolver that validates by itself, or takes
 * the AD bit of a resolver it may trust.
 *
 * getdns 1.6.0 does not repeat a UDP query that got lost, and its way of changing to another
 * upstream can end in a double free. So it gets contexts of one upstream each, and
 * a lookup gets several attempts that share dns_timeout: the next upstream is asked when
 * the one before did not answer. */
#include "dns.h"

#include <getdns/getdns.h>
#include <stdlib.h>
#include <string.h>

#include "dns_answer.h"
#include "dns_attempt.h"
#include "dns_context.h"
#include "upstream.h"

#define RESOLV_CONF  "/etc/resolv.conf"
#define ATTEMPTS_MIN 2
#define TYPE_SOA     6

struct rtls_dns {
	struct rtls_config config; /* a copy */
	enum rtls_dns_mode mode;
	struct rtls_upstreams upstreams;
	getdns_context *context[RTLS_RESOLVERS_MAX]; /* made when needed */
	struct rtls_dns_guard guard[RTLS_RESOLVERS_MAX];
	size_t current; /* upstream */
	getdns_list *anchors;
	getdns_dict *extensions;
	size_t attempts;
	unsigned attempt_ms;
	int64_t deadline_ms; /* of everything */
	void (*meanwhile)(void *context);
	void *meanwhile_context;
	bool can_validate;
	bool probed; /* the root was asked: is it us, or the domain? */
	struct rtls_dns *second; /* see ask_again() */
	bool second_tried;
};

/* --- attempts --------------------------------------------------------------- */

static bool is_judged(const struct rtls_dns_lookup *lookup)
{
	return lookup->dnssec_status == GETDNS_DNSSEC_SECURE ||
	       lookup->dnssec_status == GETDNS_DNSSEC_INSECURE;
}

/* An error of the upstream is an answer. No answer, or a chain of trust with a
 * hole in it, may be due to a lost packet. */
static bool is_worth_repeating(
	const struct rtls_dns_lookup *lookup, bool can_validate)
{
	if (lookup->query->outcome == RTLS_DNS_FAILED)
		return lookup->rcode == RTLS_DNS_NO_REPLY;
	return can_validate && !is_judged(lookup);
}

static bool has_silence(const struct rtls_dns_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->lookup[i].rcode == RTLS_DNS_NO_REPLY)
			return true;
	return false;
}

static getdns_context *current_context(struct rtls_dns *dns)
{
	getdns_context **context = &dns->context[dns->current];

	if (*context == NULL)
		*context = rtls_dns_context_open(dns->mode,
			&dns->upstreams.address[dns->current], dns->anchors,
			dns->attempt_ms, &dns->guard[dns->current]);
	return *context;
}

static void run_attempt(
	struct rtls_dns *dns, struct rtls_dns_batch *batch, bool is_first)
{
	int64_t until_ms = rtls_dns_now_ms() + dns->attempt_ms;

	batch->mode = dns->mode;
	batch->meanwhile = dns->meanwhile;
	batch->meanwhile_context = dns->meanwhile_context;
	batch->context = current_context(dns);
	batch->extensions = dns->can_validate ? dns->extensions : NULL;
	if (batch->context == NULL)
		return;
	for (size_t i = 0; i < batch->count; i++) {
		struct rtls_dns_lookup *lookup = &batch->lookup[i];

		if (is_first || is_worth_repeating(lookup, dns->can_validate))
			rtls_dns_lookup_start(lookup);
	}
	rtls_dns_batch_wait(batch,
		until_ms < dns->deadline_ms ? until_ms : dns->deadline_ms);
}

/* --- can the upstream do DNSSEC? -------------------------------------------- */

static bool needs_probe(
	const struct rtls_dns *dns, const struct rtls_dns_batch *batch)
{
	for (size_t i = 0; i < batch->count && !dns->probed; i++) {
		const struct rtls_dns_lookup *lookup = &batch->lookup[i];

		if (lookup->query->outcome == RTLS_DNS_FAILED)
			continue;
		if (dns->mode == RTLS_DNS_AD
				? lookup->dnssec_status != GETDNS_DNSSEC_SECURE
				: !is_judged(lookup))
			return true;
	}
	return false;
}

/*
 * The root's SOA decides. One domain that is bogus, or an upstream that fails, proves
 * nothing; only a root zone that comes without signatures does. A root that has them, but
 * of other keys, stays bogus: the anchor or the clock is wrong.
 */
static void probe_root(struct rtls_dns *dns)
{
	struct rtls_dns_query *query = calloc(1, sizeof(*query));
	struct rtls_dns_batch batch = { .count = 0 };
	const struct rtls_dns_lookup *lookup = &batch.lookup[0];

	dns->probed = true;
	if (query == NULL)
		return;
	/* Its name stays empty: that is the root. */
	query->type = (enum rtls_dns_type)TYPE_SOA;
	rtls_dns_batch_add(&batch, query);
	for (size_t i = 0; i < ATTEMPTS_MIN; i++)
		if (lookup->rcode == RTLS_DNS_NO_REPLY)
			run_attempt(dns, &batch, true);
	if (lookup->rcode == GETDNS_RCODE_NOERROR)
		dns->can_validate =
			dns->mode == RTLS_DNS_AD
				? lookup->dnssec_status == GETDNS_DNSSEC_SECURE
				: lookup->is_signed;
	rtls_dns_query_free(query);
	free(query);
}

/* --- batches ---------------------------------------------------------------- */

static void judge(const struct rtls_dns_lookup *lookup, bool can_validate)
{
	struct rtls_dns_query *query = lookup->query;

	query->dnssec = RTLS_DNSSEC_UNKNOWN;
	if (query->outcome == RTLS_DNS_FAILED)
		return;
	query->dnssec = RTLS_DNSSEC_INSECURE;
	if (!can_validate || lookup->dnssec_status == GETDNS_DNSSEC_INSECURE)
		return;
	if (lookup->dnssec_status == GETDNS_DNSSEC_SECURE) {
		query->dnssec = RTLS_DNSSEC_SECURE;
		return;
	}
	/* RFC 7672 section 2.1.1: bogus and indeterminate are failures. */
	if (lookup->dnssec_status == GETDNS_DNSSEC_BOGUS) {
		rtls_dns_answer_fail(query, "DNSSEC validation failed");
		query->dnssec = RTLS_DNSSEC_BOGUS;
		return;
	}
	rtls_dns_answer_fail(query, "DNSSEC state could not be determined");
	query->dnssec = RTLS_DNSSEC_UNKNOWN;
}

static bool run_batch(
	struct rtls_dns *dns, struct rtls_dns_query *queries, size_t count)
{
	struct rtls_dns_batch batch = { .count = 0 };

	for (size_t i = 0; i < count; i++)
		rtls_dns_batch_add(&batch, &queries[i]);
	for (size_t i = 0; i < dns->attempts; i++) {
		if (rtls_dns_now_ms() >= dns->deadline_ms)
			break;
		run_attempt(dns, &batch, i == 0);
		if (has_silence(&batch))
			dns->current =
				(dns->current + 1) % dns->upstreams.count;
		/* Before repeating what looks bogus: does all look so? */
		if (needs_probe(dns, &batch))
			probe_root(dns);
	}
	for (size_t i = 0; i < count; i++)
		judge(&batch.lookup[i], dns->can_validate);
	return !batch.no_memory;
}

/* --- a second opinion ------------------------------------------------------- */

/*
 * getdns 1.6.0 calls some signed CNAMEs bogus that are not, and mail to such a
 * domain would wait for ever. A resolver that the operator trusts to validate
 * (resolver_trusted), and that shows that it does, is asked what it makes of
 * the name: what it finds bogus it does not answer. That it is on loopback is
 * not enough here: a forwarder there may pass on what was forged behind it.
 */
static struct rtls_dns *second_resolver(struct rtls_dns *dns)
{
	if (!dns->second_tried && dns->mode == RTLS_DNS_VALIDATE &&
		dns->config.resolver_trusted) {
		dns->config.dnssec = RTLS_DNS_AD;
		if (rtls_dns_open(&dns->config, &dns->second, NULL) != RTLS_OK)
			dns->second = NULL;
	}
	dns->second_tried = true;
	return dns->second;
}

static void ask_again(struct rtls_dns *dns, struct rtls_dns_query *query)
{
	struct rtls_dns *second = second_resolver(dns);
	struct rtls_dns_query *again =
		second == NULL ? NULL : calloc(1, sizeof(*again));

	if (again == NULL)
		return;
	second->deadline_ms = dns->deadline_ms;
	memcpy(again->name, query->name, sizeof(again->name));
	again->type = query->type;
	if (rtls_dns_run(second, again, 1, NULL) == RTLS_OK &&
		again->outcome != RTLS_DNS_FAILED &&
		rtls_dns_can_validate(second)) {
		rtls_dns_query_free(query);
		*query = *again;
	} else {
		rtls_dns_query_free(again);
	}
	free(again);
}

enum rtls_status rtls_dns_run(struct rtls_dns *dns,
	struct rtls_dns_query *queries, size_t count, struct rtls_err *err)
{
	for (size_t i = 0; i < count; i += RTLS_DNS_BATCH_MAX) {
		size_t n = count - i < RTLS_DNS_BATCH_MAX ? count - i
							  : RTLS_DNS_BATCH_MAX;

		if (run_batch(dns, queries + i, n))
			continue;
		rtls_err_set(err, "out of memory");
		return RTLS_NO_MEMORY;
	}
	for (size_t i = 0; i < count; i++)
		if (queries[i].dnssec == RTLS_DNSSEC_BOGUS)
			ask_again(dns, &queries[i]);
	return RTLS_OK;
}

void rtls_dns_limit(struct rtls_dns *dns, unsigned time_ms)
{
	dns->deadline_ms = rtls_dns_now_ms() + time_ms;
}

void rtls_dns_meanwhile(
	struct rtls_dns *dns, void (*meanwhile)(void *context), void *context)
{
	dns->meanwhile = meanwhile;
	dns->meanwhile_context = context;
}

void rtls_dns_query_free(struct rtls_dns_query *query)
{
	free(query->storage);
	query->storage = NULL;
	query->count = 0;
}

bool rtls_dns_can_validate(const struct rtls_dns *dns)
{
	return dns->can_validate;
}

/* --- open and close --------------------------------------------------------- */

static enum rtls_status set_up(struct rtls_dns *dns,
	const struct rtls_config *config, struct rtls_err *err)
{
	enum rtls_status status;

	status = rtls_upstreams_load(config, RESOLV_CONF, &dns->upstreams, err);
	if (status == RTLS_OK && config->dnssec == RTLS_DNS_VALIDATE)
		status = rtls_dns_anchors_load(
			config->trust_anchor, &dns->anchors, err);
	if (status != RTLS_OK)
		return status;
	dns->config = *config;
	dns->mode = config->dnssec;
	dns->can_validate = true;
	dns->attempts = dns->upstreams.count < ATTEMPTS_MIN
				? ATTEMPTS_MIN
				: dns->upstreams.count;
	dns->attempt_ms = config->dns_timeout_ms / (unsigned)dns->attempts + 1;
	dns->deadline_ms = INT64_MAX;
	dns->extensions = rtls_dns_extensions_make(config->dnssec);
	if (dns->extensions != NULL && current_context(dns) != NULL)
		return RTLS_OK;
	rtls_err_set(err, "getdns could not be set up");
	return RTLS_INVALID;
}

enum rtls_status rtls_dns_open(const struct rtls_config *config,
	struct rtls_dns **dns, struct rtls_err *err)
{
	struct rtls_dns *opened = calloc(1, sizeof(*opened));
	enum rtls_status status;

	if (opened == NULL) {
		rtls_err_set(err, "out of memory");
		return RTLS_NO_MEMORY;
	}
	status = set_up(opened, config, err);
	if (status != RTLS_OK) {
		rtls_dns_close(opened);
		return status;
	}
	*dns = opened;
	return RTLS_OK;
}

void rtls_dns_close(struct rtls_dns *dns)
{
	if (dns == NULL)
		return;
	for (size_t i = 0; i < RTLS_RESOLVERS_MAX; i++)
		getdns_context_destroy(dns->context[i]);
	getdns_list_destroy(dns->anchors);
	getdns_dict_destroy(dns->extensions);
	rtls_dns_close(dns->second);
	free(dns);
}
