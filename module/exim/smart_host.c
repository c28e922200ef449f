/* smart_host.c - see smart_host.h. */
#include "exim/smart_host.h"

#include <stdio.h>
#include <string.h>

#include "exim/api.h"
#include "exim/ask.h"

#define SMTP_PORT 25

/* All of them in one; what it borrows is kept here, for ask.h keeps one domain. */
static struct {
	struct rtls_record record;
	struct rtls_sts_policy policy;
	bool has_policy;
	bool is_partial;             /* of one of them this is not all */
	struct rtls_next_hops named; /* those with a name, normalized */
	char policy_id[RTLS_STS_ID_MAX + 1];
	char policy_digest[RTLS_DIGEST_SIZE];
} all;

/* --- what Exim's own resolver says, because it is Exim that does DANE ----------- */

/* UNKNOWN: the lookup failed, and so does the expansion. */
static enum rtls_dnssec ask_address(const char *host)
{
	char what[RTLS_DOMAIN_SIZE + 128];
	struct rtls_slice found;

	(void)snprintf(what, sizeof(what),
		"${lookup dnsdb{a+=%s}{$lookup_dnssec_authenticated}{no}}",
		host);
	found = rtls_exim_value(what);
	if (rtls_slice_is(found, "yes"))
		return RTLS_DNSSEC_SECURE;
	return found.size > 0 ? RTLS_DNSSEC_INSECURE : RTLS_DNSSEC_UNKNOWN;
}

static enum rtls_tlsa_state ask_tlsa(const char *host, unsigned port)
{
	char what[RTLS_DOMAIN_SIZE + 192];
	struct rtls_slice found;

	(void)snprintf(what, sizeof(what),
		"${lookup dnsdb{tlsa=_%u._tcp.%s}{${if "
		"eq{$lookup_dnssec_authenticated}{yes}{secure}{none}}}{none}}",
		port == 0 ? SMTP_PORT : port, host);
	found = rtls_exim_value(what);
	if (rtls_slice_is(found, "secure"))
		return RTLS_TLSA_SECURE;
	return rtls_slice_is(found, "none") ? RTLS_TLSA_NONE : RTLS_TLSA_FAILED;
}

static const char *add_host(const char *name, unsigned port)
{
	struct rtls_record *record = &all.record;
	struct rtls_mx *mx = &record->mx[record->mx_count];
	struct rtls_next_hop *hop = &all.named.hop[all.named.count++];
	const char *host = hop->host;

	hop->port = port;
	memcpy(hop->host, name, RTLS_DOMAIN_SIZE);
	*mx = (struct rtls_mx){ .preference = (unsigned)record->mx_count,
		.host = rtls_slice(host),
		.address = ask_address(host) };
	record->mx_count++;
	if (mx->address != RTLS_DNSSEC_SECURE)
		record->mx_dnssec = RTLS_DNSSEC_INSECURE;
	/* RFC 7672 section 2.1.2: what fails means that the host must not be used.
	 * By name it might be found all the same, and DANE got around. */
	if (mx->address == RTLS_DNSSEC_SECURE)
		mx->tlsa = ask_tlsa(host, port);
	else if (mx->address == RTLS_DNSSEC_UNKNOWN)
		mx->tlsa = RTLS_TLSA_FAILED;
	return host;
}

/* --- policies -------------------------------------------------------------------- */

/* A report names one policy: none, when they are several. */
static void add_policy_name(const struct rtls_record *record, bool first)
{
	if (first) {
		(void)rtls_slice_copy(record->policy_id, all.policy_id,
			sizeof(all.policy_id));
		(void)rtls_slice_copy(record->policy_digest, all.policy_digest,
			sizeof(all.policy_digest));
	} else if (!rtls_slice_is(record->policy_digest, all.policy_digest)) {
		all.policy_id[0] = all.policy_digest[0] = '\0';
	}
}

static void add_policy(const struct rtls_known *known, struct rtls_slice host)
{
	struct rtls_sts_policy *policy = &all.policy;
	bool binds = known->has_policy && known->policy.mode != RTLS_STS_NONE;

	if (binds)
		add_policy_name(&known->record, policy->mode == RTLS_STS_NONE);
	if (binds && known->policy.mode > policy->mode)
		policy->mode = known->policy.mode;
	if (!binds || rtls_sts_policy_allows(&known->policy, host))
		policy->mx[policy->mx_count++] = host;
	all.has_policy = all.has_policy || known->has_policy;
	if (!known->has_policy &&
		(!known->resolved || known->record.txt == RTLS_TXT_FAILED))
		all.record.txt = RTLS_TXT_FAILED;
}

/* --- all of them ------------------------------------------------------------------ */

static void add_hop(const struct rtls_config *config,
	const struct rtls_next_hop *hop, int64_t now_s, bool again)
{
	const struct rtls_known *known = NULL;
	char name[RTLS_DOMAIN_SIZE];
	const char *host;

	if (rtls_domain_is_literal(rtls_slice(hop->host)) ||
		rtls_exim_domain(rtls_slice(hop->host), name) != RTLS_OK)
		return;
	host = add_host(name, hop->port);
	if (again)
		known = rtls_ask_again(config, host, now_s);
	if (known == NULL) {
		known = rtls_ask_known(config, host, now_s);
		all.is_partial = all.is_partial || again || known->unreadable;
	}
	add_policy(known, rtls_slice(host));
}

/* The site's own router finds a smart host by name, and then Exim does no DANE. */
static bool needs_dane(void)
{
	for (size_t i = 0; i < all.record.mx_count; i++)
		if (all.record.mx[i].tlsa == RTLS_TLSA_SECURE ||
			rtls_record_lookup_failed(&all.record.mx[i]))
			return true;
	return false;
}

bool rtls_smart_host_ask(const struct rtls_next_hops *hops, int64_t now_s,
	bool again, struct rtls_question *question)
{
	memset(&all, 0, sizeof(all));
	all.record.mx_answer = RTLS_MX_IMPLICIT;
	all.record.mx_dnssec = RTLS_DNSSEC_SECURE;
	all.record.txt = RTLS_TXT_NONE;
	for (size_t i = 0; i < hops->count; i++)
		add_hop(question->config, &hops->hop[i], now_s, again);
	all.record.policy_id = rtls_slice(all.policy_id);
	all.record.policy_digest = rtls_slice(all.policy_digest);
	question->via = &all.named;
	question->literal = all.record.mx_count == 0;
	question->resolved = true;
	question->record = &all.record;
	question->policy = all.has_policy ? &all.policy : NULL;
	question->dane = needs_dane();
	if (!question->literal) {
		question->domain = all.record.mx[0].host;
		all.record.domain = question->domain;
	}
	return !all.is_partial;
}
