/* recount.c - see recount.h. */
#include "report/recount.h"

static struct rtls_session_result session_of(struct rtls_slice domain,
	const struct rtls_report_policy *policy,
	const struct rtls_detail *detail)
{
	/* Only a TLSA policy has a domain of its own, its MX host: known even where the details got
	 * too many to name it, and of good sessions, which have none. */
	const bool is_named = !rtls_slice_equal(policy->domain, domain);

	return (struct rtls_session_result){
		.policy_domain = domain,
		.type = policy->type,
		.digest = policy->digest,
		.count = detail->count,
		.result = detail->result,
		.sending_ip = detail->sending_ip,
		.mx_host = is_named ? policy->domain : detail->mx_host,
		.mx_helo = detail->mx_helo,
		.receiving_ip = detail->receiving_ip,
		.reason = detail->reason,
	};
}

enum rtls_status rtls_recount(struct rtls_reports *made,
	struct rtls_slice domain, const struct rtls_report_policy *policy,
	rtls_recount_change *change, void *context)
{
	const struct rtls_detail good = { .result = RTLS_RESULT_SUCCESS,
		.count = policy->successes };
	struct rtls_session_result session = session_of(domain, policy, &good);
	enum rtls_status status = RTLS_OK;

	if (policy->successes > 0) {
		if (change != NULL)
			change(&session, NULL, context);
		status = rtls_aggregate_add(made, &session);
	}
	for (size_t i = 0; i < policy->detail_count && status == RTLS_OK; i++) {
		const struct rtls_detail *detail = policy->detail[i];

		session = session_of(domain, policy, detail);
		if (change != NULL)
			change(&session, detail, context);
		status = rtls_aggregate_add(made, &session);
	}
	return status;
}
