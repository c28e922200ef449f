/* known.c - see known.h. */
#include "store/known.h"

#include "store/cache.h"

enum rtls_status rtls_known_read(const struct rtls_config *config,
	const char *domain, int64_t now_s, struct rtls_known *known,
	struct rtls_err *err)
{
	enum rtls_status status = rtls_cache_get(
		config->spool, domain, known->buffer, &known->record, err);

	known->known = status == RTLS_OK;
	known->unreadable = status == RTLS_TEMPORARY;
	known->resolved =
		known->known && rtls_record_is_fresh(&known->record, now_s);
	known->asked = false;
	known->has_policy = false;
	return status;
}

/* The text was valid when it was stored; a hand that edited it may have
 * erred. */
enum rtls_status rtls_known_read_policy(
	struct rtls_known *known, int64_t now_s, struct rtls_err *err)
{
	enum rtls_status status;

	known->has_policy = false;
	if (!known->known || !rtls_record_has_policy(&known->record, now_s))
		return RTLS_OK;
	status = rtls_sts_policy_parse(
		known->record.policy_text, &known->policy, err);
	known->has_policy = status == RTLS_OK;
	return status;
}
