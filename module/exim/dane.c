/* dane.c - what a session has to know about DANE beyond what Exim says (session.h). */
#include <string.h>

#include "exim/session.h"
#include "store/cache.h"
#include "tls/tlsa.h"

const struct rtls_record *rtls_session_record(
	const struct rtls_config *config, const struct rtls_session *session)
{
	static char buffer[RTLS_RECORD_SIZE_MAX + 1];
	static struct rtls_record record;

	if (rtls_cache_get(config->spool, session->policy_domain, buffer,
		    &record, NULL) != RTLS_OK)
		return NULL;
	return &record;
}

/* By a record of usage DANE-EE the leaf is right whatever it is called. */
static bool is_pinned(
	const struct rtls_config *config, const struct rtls_session *session)
{
	const struct rtls_record *record = rtls_session_record(config, session);

	for (size_t i = 0; record != NULL && i < record->tlsa_count; i++)
		if (rtls_slice_is(record->tlsa[i].host, session->host) &&
			rtls_tlsa_is_leaf(
				&session->chain, record->tlsa[i].text))
			return true;
	return false;
}

bool rtls_session_dane_names(
	const struct rtls_config *config, const struct rtls_session *session)
{
	if ((session->tlsa_usages & RTLS_USAGE_DANE_TA) == 0)
		return true;
	if (rtls_tlsa_names_host(&session->chain, session->base))
		return true;
	/* The other name it may have: of the domain that the MX answer is about. */
	if (session->plan.mx_secure &&
		rtls_tlsa_names_host(&session->chain, session->policy_domain))
		return true;
	return (session->tlsa_usages & RTLS_USAGE_DANE_EE) != 0 &&
	       is_pinned(config, session);
}

/* A policy in testing asks nothing of a message that insists for another reason. */
bool rtls_session_dane_suffices(const struct rtls_session *session)
{
	return session->verdict == RTLS_HOST_DANE || session->plan.mx_secure ||
	       !session->plan.sts ||
	       (session->plan.sts_mode != RTLS_STS_ENFORCE &&
		       rtls_session_plan_insists(&session->plan));
}

/* Those whose addresses could not be had are all called the same in Exim's list. */
static bool is_candidate(
	const struct rtls_session *session, const struct rtls_mx *mx)
{
	if (strcmp(session->host, RTLS_NO_ADDRESS) == 0)
		return rtls_record_lacks_address(mx);
	return rtls_slice_is(mx->host, session->host);
}

static bool is_bogus(const struct rtls_mx *mx)
{
	return mx->address == RTLS_DNSSEC_BOGUS || mx->tlsa == RTLS_TLSA_BOGUS;
}

/* Not: "was not asked", or "could not be had". */
static bool is_without_tlsa(
	const struct rtls_record *record, const struct rtls_mx *mx)
{
	return mx->tlsa == RTLS_TLSA_NONE ||
	       mx->address == RTLS_DNSSEC_INSECURE ||
	       (record->mx_dnssec == RTLS_DNSSEC_INSECURE &&
		       !rtls_record_lookup_failed(mx));
}

enum rtls_result rtls_session_dane_lookup(const struct rtls_config *config,
	const struct rtls_session *session, bool required,
	char mx_host[RTLS_DOMAIN_SIZE])
{
	const struct rtls_record *record = rtls_session_record(config, session);
	const struct rtls_mx *found = NULL;
	size_t count = 0, bogus = 0, without = 0;

	for (size_t i = 0; record != NULL && i < record->mx_count; i++) {
		const struct rtls_mx *mx = &record->mx[i];

		if (!is_candidate(session, mx))
			continue;
		found = mx;
		count++;
		bogus += is_bogus(mx);
		without += is_without_tlsa(record, mx);
	}
	mx_host[0] = '\0';
	if (count == 1)
		(void)rtls_slice_copy(
			found->cname.size > 0 ? found->cname : found->host,
			mx_host, RTLS_DOMAIN_SIZE);
	if (count > 0 && bogus == count &&
		record->mx_dnssec == RTLS_DNSSEC_SECURE)
		return RTLS_RESULT_DNSSEC_INVALID;
	if (required && count > 0 && without == count)
		return RTLS_RESULT_DANE_REQUIRED;
	return RTLS_RESULT_SUCCESS;
}
