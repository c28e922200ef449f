/* smart_hosts.c - see smart_hosts.h. */
#include "store/smart_hosts.h"

#include <string.h>

#include "store/idna.h"

static const char *add_host(const struct rtls_smart_source *source,
	const char *name, unsigned port, struct rtls_smart_hosts *all)
{
	struct rtls_record *record = &all->record;
	struct rtls_mx *mx = &record->mx[record->mx_count];
	struct rtls_next_hop *hop = &all->named.hop[all->named.count++];
	const char *host = hop->host;

	hop->port = port;
	memcpy(hop->host, name, RTLS_DOMAIN_SIZE);
	*mx = (struct rtls_mx){ .preference = (unsigned)record->mx_count,
		.host = rtls_slice(host),
		.address = source->address(source->context, host) };
	record->mx_count++;
	if (mx->address != RTLS_DNSSEC_SECURE)
		record->mx_dnssec = RTLS_DNSSEC_INSECURE;
	/* RFC 7672 section 2.1.2: what fails means that the host must not be used.
	 * By name it might be found all the same, and DANE got around. */
	if (mx->address == RTLS_DNSSEC_SECURE)
		mx->tlsa = source->tlsa(source->context, host,
			port == 0 ? RTLS_SMART_PORT : port);
	else if (mx->address == RTLS_DNSSEC_UNKNOWN)
		mx->tlsa = RTLS_TLSA_FAILED;
	return host;
}

/* A report names one policy: none, when they are several. */
static void add_policy_name(const struct rtls_record *record, bool first,
	struct rtls_smart_hosts *all)
{
	if (first) {
		(void)rtls_slice_copy(record->policy_id, all->policy_id,
			sizeof(all->policy_id));
		(void)rtls_slice_copy(record->policy_digest, all->policy_digest,
			sizeof(all->policy_digest));
	} else if (!rtls_slice_is(record->policy_digest, all->policy_digest)) {
		all->policy_id[0] = all->policy_digest[0] = '\0';
	}
}

static void add_policy(const struct rtls_known *known, struct rtls_slice host,
	struct rtls_smart_hosts *all)
{
	struct rtls_sts_policy *policy = &all->policy;
	bool binds = known->has_policy && known->policy.mode != RTLS_STS_NONE;

	if (binds)
		add_policy_name(
			&known->record, policy->mode == RTLS_STS_NONE, all);
	if (binds && known->policy.mode > policy->mode)
		policy->mode = known->policy.mode;
	if (!binds || rtls_sts_policy_allows(&known->policy, host))
		policy->mx[policy->mx_count++] = host;
	all->has_policy = all->has_policy || known->has_policy;
	if (!known->has_policy &&
		(!known->resolved || known->record.txt == RTLS_TXT_FAILED))
		all->record.txt = RTLS_TXT_FAILED;
}

/* Has it a name, which is looked up and verified? */
static bool has_name(
	const struct rtls_next_hop *hop, char name[RTLS_DOMAIN_SIZE])
{
	return !rtls_domain_is_literal(rtls_slice(hop->host)) &&
	       rtls_idna_normalize(rtls_slice(hop->host), name) == RTLS_OK;
}

bool rtls_smart_hosts_are_literal(const struct rtls_next_hops *hops)
{
	char name[RTLS_DOMAIN_SIZE];

	for (size_t i = 0; i < hops->count; i++)
		if (has_name(&hops->hop[i], name))
			return false;
	return true;
}

static void add_hop(const struct rtls_next_hop *hop,
	const struct rtls_smart_source *source, struct rtls_smart_hosts *all)
{
	char name[RTLS_DOMAIN_SIZE];
	const char *host;

	if (!has_name(hop, name))
		return;
	host = add_host(source, name, hop->port, all);
	add_policy(source->known(source->context, host), rtls_slice(host), all);
}

/* The site's own router finds a smart host by name, and then Exim does no DANE. */
static bool needs_dane(const struct rtls_record *record)
{
	for (size_t i = 0; i < record->mx_count; i++)
		if (record->mx[i].tlsa == RTLS_TLSA_SECURE ||
			rtls_record_lookup_failed(&record->mx[i]))
			return true;
	return false;
}

void rtls_smart_hosts_gather(const struct rtls_next_hops *hops,
	const struct rtls_smart_source *source, struct rtls_smart_hosts *all,
	struct rtls_question *question)
{
	memset(all, 0, sizeof(*all));
	all->record.mx_answer = RTLS_MX_IMPLICIT;
	all->record.mx_dnssec = RTLS_DNSSEC_SECURE;
	all->record.txt = RTLS_TXT_NONE;
	for (size_t i = 0; i < hops->count; i++)
		add_hop(&hops->hop[i], source, all);
	all->record.policy_id = rtls_slice(all->policy_id);
	all->record.policy_digest = rtls_slice(all->policy_digest);
	question->via = &all->named;
	question->literal = all->record.mx_count == 0;
	question->resolved = true;
	question->record = &all->record;
	question->policy = all->has_policy ? &all->policy : NULL;
	question->dane = needs_dane(&all->record);
	if (!question->literal) {
		question->domain = all->record.mx[0].host;
		all->record.domain = question->domain;
	}
}
