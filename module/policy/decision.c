/* decision.c - see decision.h. */
#include "decision.h"

bool rtls_decision_is_plain(const struct rtls_decision *decision)
{
	const struct rtls_plan *plan = decision->plan;

	return plan->action == RTLS_DELIVER &&
	       plan->class == RTLS_CLASS_OBSERVE &&
	       decision->question->flags.dnssec == RTLS_DNSSEC_NO &&
	       plan->exempt == 0;
}

/* What the plan says of DNSSEC, not the record: that may be out of its time. */
static void log_hosts(const struct rtls_plan *plan, struct rtls_text *out)
{
	const struct rtls_record *record = plan->record;

	for (size_t i = 0; i < record->mx_count && !out->overflow; i++)
		rtls_text_printf(out, " %s%.*s%s", i == 0 ? "mx=" : "",
			(int)record->mx[i].host.size, record->mx[i].host.data,
			plan->mx_dnssec == RTLS_DNSSEC_SECURE ? " (DNSSEC)"
							      : "");
}

/* What this site's files did to the decision. */
static void log_site(
	const struct rtls_decision *decision, struct rtls_text *out)
{
	const struct rtls_plan *plan = decision->plan;

	for (unsigned one = 1; one <= plan->required; one <<= 1)
		if ((plan->required & one) != 0)
			rtls_text_printf(out, " rule=require-%s",
				rtls_protection_name(one));
	if (plan->exempt != 0)
		rtls_exemptions_describe(decision->exemptions,
			decision->question->domain, decision->now_s,
			plan->exempt, out);
}

static void log_via(const struct rtls_next_hops *via, struct rtls_text *out)
{
	for (size_t i = 0; i < via->count; i++)
		rtls_text_printf(
			out, " %s%s", i == 0 ? "via=" : "", via->hop[i].host);
}

static void log_action(const struct rtls_plan *plan, struct rtls_text *out)
{
	if (plan->action == RTLS_DELIVER)
		rtls_text_printf(
			out, " class=%s", rtls_class_name(plan->class));
	else
		rtls_text_printf(out, " %s: %s",
			plan->action == RTLS_FAIL ? "refused" : "put off",
			plan->text);
}

static void log_flags(const struct rtls_flags *flags, struct rtls_text *out)
{
	if (flags->requiretls != RTLS_REQUIRETLS_NO)
		rtls_text_printf(
			out, " by=%s", rtls_flagged_by_name(flags->by));
	if (flags->dnssec != RTLS_DNSSEC_NO)
		rtls_text_printf(out, " rule=dnssec%s",
			flags->dnssec == RTLS_DNSSEC_REQUIRE ? "-secure" : "");
}

/* The hosts of smart hosts that are named stand behind via= already. */
static bool has_hosts_to_show(const struct rtls_decision *decision)
{
	const struct rtls_plan *plan = decision->plan;

	return plan->action == RTLS_DELIVER && plan->record != NULL &&
	       plan->class != RTLS_CLASS_RELAXED &&
	       (decision->via == NULL || decision->via->hop[0].by_mx);
}

void rtls_decision_format(
	const struct rtls_decision *decision, struct rtls_text *out)
{
	const struct rtls_plan *plan = decision->plan;

	rtls_text_printf(out, "%s", decision->recipient);
	if (plan->via != NULL)
		log_via(plan->via, out);
	log_action(plan, out);
	log_flags(&decision->question->flags, out);
	log_site(decision, out);
	if (plan->action == RTLS_DELIVER && plan->sts)
		rtls_text_printf(out, " sts=%s id=%.*s",
			rtls_sts_mode_name(plan->sts_mode),
			(int)plan->policy_id.size, plan->policy_id.data);
	if (has_hosts_to_show(decision))
		log_hosts(plan, out);
}
