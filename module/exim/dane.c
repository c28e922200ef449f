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
