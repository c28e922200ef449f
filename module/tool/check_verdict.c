/* check_verdict.c - what this installation would do with a message: the decision of
 * policy/verdict.h in the words of the log, once for ordinary mail and once for mail that
 * is flagged REQUIRETLS. */
#include <stdio.h>
#include <stdlib.h>

#include "policy/decision.h"
#include "store/config_file.h"
#include "tool/check.h"
#include "tool/exim.h"
#include "tool/verb.h"

#define LINE_SIZE 2048

/* This site's own files, and its Exim. */
struct site {
	char rules_text[RTLS_RULES_SIZE_MAX + 1];
	char exempt_text[RTLS_EXEMPT_SIZE_MAX + 1];
	struct rtls_rules rules;
	struct rtls_exemptions exemptions;
	struct rtls_exim_version exim;
};

static bool read_site(struct rtls_check *check, struct site *site)
{
	struct rtls_err err = { "" };
	enum rtls_status status;

	status = rtls_rules_load(
		&check->config, site->rules_text, &site->rules, &err);
	if (status == RTLS_OK)
		status = rtls_exempt_load(&check->config, site->exempt_text,
			&site->exemptions, &err);
	if (status != RTLS_OK) {
		rtls_findings_add(&check->findings, RTLS_FINDING_BAD, "site",
			"see exim-requiretls config: until it is mended mail "
			"waits here",
			"%s", err.text);
		return false;
	}
	if (rtls_exim_ask(check->config.sendmail, &site->exim, &err) != RTLS_OK)
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING,
			"site", "look at the key sendmail",
			"%s: taken for an Exim without the REQUIRETLS patches",
			err.text);
	return true;
}

static void ask(const struct rtls_check *check, const struct site *site,
	bool flagged, struct rtls_question *question)
{
	struct rtls_slice domain = rtls_slice(check->domain);

	*question = (struct rtls_question){ .config = &check->config,
		.domain = domain,
		.level = rtls_rules_level(
			&site->rules, domain, check->config.requiretls),
		.required = rtls_rules_required(&site->rules, domain),
		.exempt = rtls_exemptions_in_force(
			&site->exemptions, domain, check->now_s),
		.wire_support = site->exim.has_requiretls,
		.resolved = rtls_record_is_fresh(check->record, check->now_s),
		.record = check->record,
		.policy = check->has_policy ? &check->policy : NULL };
	if (flagged)
		rtls_flags_set(&question->flags, RTLS_BY_ESMTP);
}

/* Where the site's own routers decide, and there is nowhere to send it. */
static enum rtls_finding_level level_of(
	const struct rtls_plan *plan, bool flagged)
{
	if (plan->action != RTLS_DELIVER)
		return flagged ? RTLS_FINDING_WARNING : RTLS_FINDING_BAD;
	switch (plan->record->mx_answer) {
	case RTLS_MX_HOSTS:
	case RTLS_MX_IMPLICIT:
		return RTLS_FINDING_GOOD;
	case RTLS_MX_NULL:
		return RTLS_FINDING_WARNING;
	case RTLS_MX_NXDOMAIN:
		return RTLS_FINDING_BAD;
	case RTLS_MX_UNKNOWN:
	case RTLS_MX_FAILED:
		break;
	}
	return RTLS_FINDING_UNKNOWN;
}

static void judge(
	struct rtls_check *check, const struct site *site, bool flagged)
{
	static const char *const outcomes[] = { [RTLS_DELIVER] = "delivered",
		[RTLS_FAIL] = "returned",
		[RTLS_DEFER] = "put off" };
	struct rtls_question question;
	struct rtls_plan plan;
	struct rtls_decision decision = {
		.recipient = check->domain,
		.question = &question,
		.plan = &plan,
		.exemptions = &site->exemptions,
		.now_s = check->now_s,
	};
	const char *topic = flagged ? "flagged" : "ordinary";
	char line[LINE_SIZE];
	struct rtls_text out;

	ask(check, site, flagged, &question);
	rtls_verdict_route(&question, &plan);
	rtls_text_init(&out, line, sizeof(line));
	rtls_decision_format(&decision, &out);
	rtls_findings_add(&check->findings, level_of(&plan, flagged), topic,
		NULL, "%s", line);
	if (check->verdicts != NULL &&
		json_object_set_new(check->verdicts, topic,
			json_pack("{s:s, s:s, s:s}", "outcome",
				outcomes[plan.action], "class",
				rtls_class_name(plan.class), "line", line)) !=
			0)
		check->findings.is_cut = true;
}

void rtls_check_verdict(struct rtls_check *check)
{
	struct site *site = calloc(1, sizeof(*site));

	if (site == NULL)
		check->findings.is_cut = true;
	else if (read_site(check, site)) {
		judge(check, site, false);
		judge(check, site, true);
	}
	free(site);
}
