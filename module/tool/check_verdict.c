/* check_verdict.c - what this installation would do with a message: the decision of
 * policy/verdict.h in the words of the log, once for ordinary mail and once for mail that
 * is flagged REQUIRETLS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decision.h"
#include "store/config_file.h"
#include "tool/check_outcome.h"
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
		rtls_findings_add(&check->findings,
			rtls_check_level_unread(check, status), "site",
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
		.domain = domain };
	if (check->via_question != NULL)
		*question = *check->via_question;
	question->level = rtls_rules_level(
		&site->rules, domain, check->config.requiretls);
	question->required = rtls_rules_required(&site->rules, domain);
	question->exempt = rtls_exemptions_in_force(
		&site->exemptions, domain, check->now_s);
	question->wire_support = site->exim.has_requiretls;
	if (flagged)
		rtls_flags_set(&question->flags, RTLS_BY_ESMTP);
	if (question->record != NULL || check->record == NULL)
		return;
	question->resolved = rtls_record_is_fresh(check->record, check->now_s);
	question->record = check->record;
	question->policy = check->has_policy ? &check->policy : NULL;
}

static const char *const outcome_names[] = {
	[RTLS_OUTCOME_DELIVERED] = "delivered",
	[RTLS_OUTCOME_RETURNED] = "returned",
	[RTLS_OUTCOME_PUT_OFF] = "put off",
	[RTLS_OUTCOME_NOT_KNOWN] = "not known",
};

/* Where routing has the last word, or the site's own routers have it. */
static bool ends_at_routing(
	const struct rtls_plan *plan, struct rtls_check_outcome *outcome)
{
	if (plan->action == RTLS_DELIVER && plan->record != NULL &&
		plan->record->mx_count > 0)
		return false;
	outcome->outcome = plan->action == RTLS_FAIL ? RTLS_OUTCOME_RETURNED
						     : RTLS_OUTCOME_PUT_OFF;
	if (plan->action != RTLS_DELIVER)
		return true;
	if (plan->record == NULL) {
		outcome->outcome = RTLS_OUTCOME_NOT_KNOWN;
		(void)snprintf(outcome->text, sizeof(outcome->text),
			"the site's own router sends it there, and an address "
			"has no name to verify");
		return true;
	}
	if (plan->record->mx_answer == RTLS_MX_NULL ||
		plan->record->mx_answer == RTLS_MX_NXDOMAIN)
		outcome->outcome = RTLS_OUTCOME_RETURNED;
	else
		outcome->is_unknown = true;
	(void)snprintf(outcome->text, sizeof(outcome->text),
		"the site's own routers decide");
	return true;
}

static enum rtls_finding_level level_of(const struct rtls_plan *plan,
	const struct rtls_check_outcome *outcome, bool flagged)
{
	if (outcome->outcome == RTLS_OUTCOME_DELIVERED)
		return RTLS_FINDING_GOOD;
	if (outcome->outcome == RTLS_OUTCOME_NOT_KNOWN)
		return RTLS_FINDING_WARNING;
	if (outcome->is_unknown)
		return RTLS_FINDING_UNKNOWN;
	return flagged || plan->record == NULL ||
			       plan->record->mx_answer == RTLS_MX_NULL
		       ? RTLS_FINDING_WARNING
		       : RTLS_FINDING_BAD;
}

struct answer {
	const char *topic;
	enum rtls_finding_level level;
	const struct rtls_plan *plan;
	const char *line;
	const struct rtls_check_outcome *outcome;
};

static void add_findings(struct rtls_check *check, const struct answer *answer)
{
	const struct rtls_check_outcome *outcome = answer->outcome;
	struct rtls_findings *findings = &check->findings;

	rtls_findings_add(findings, answer->level, answer->topic, NULL, "%s",
		answer->line);
	for (size_t i = 0; i < outcome->refused_count; i++)
		rtls_findings_add(findings,
			answer->level == RTLS_FINDING_GOOD
				? RTLS_FINDING_WARNING
				: answer->level,
			answer->topic, NULL, "%s", outcome->refused[i]);
	if (outcome->host.size > 0)
		rtls_findings_add(findings, answer->level, answer->topic, NULL,
			"delivered to %.*s, %s", (int)outcome->host.size,
			outcome->host.data,
			outcome->is_tls ? "over TLS" : "in clear");
	else if (outcome->text[0] != '\0')
		rtls_findings_add(findings, answer->level, answer->topic, NULL,
			"%s: %s", outcome_names[outcome->outcome],
			outcome->text);
}

static void add_json(struct rtls_check *check, const struct answer *answer)
{
	const struct rtls_check_outcome *outcome = answer->outcome;
	json_t *refused = json_array();

	for (size_t i = 0; i < outcome->refused_count && refused != NULL; i++)
		(void)json_array_append_new(
			refused, json_string(outcome->refused[i]));
	if (json_object_set_new(check->verdicts, answer->topic,
		    json_pack("{s:s, s:s, s:s, s:o, s:s, s:b, s:o}", "outcome",
			    outcome_names[outcome->outcome], "class",
			    rtls_class_name(answer->plan->class), "line",
			    answer->line, "host", rtls_verb_json(outcome->host),
			    "text", outcome->text, "tls", (int)outcome->is_tls,
			    "refused", refused)) != 0)
		check->findings.is_cut = true;
}

static void judge(struct rtls_check *check, const struct site *site,
	bool flagged, struct rtls_check_outcome *outcome)
{
	struct rtls_question question;
	struct rtls_plan plan;
	struct rtls_decision decision = {
		.recipient = check->recipient != NULL ? check->recipient
						      : check->domain,
		.question = &question,
		.plan = &plan,
		.via = check->via_question != NULL ? check->via_question->via
						   : NULL,
		.exemptions = &site->exemptions,
		.now_s = check->now_s,
	};
	struct answer answer = { .topic = flagged ? "flagged" : "ordinary",
		.plan = &plan,
		.outcome = outcome };
	char line[LINE_SIZE];
	struct rtls_text out;

	ask(check, site, flagged, &question);
	rtls_verdict_route(&question, &plan);
	rtls_text_init(&out, line, sizeof(line));
	rtls_decision_format(&decision, &out);
	answer.line = line;
	memset(outcome, 0, sizeof(*outcome));
	if (!ends_at_routing(&plan, outcome) &&
		rtls_check_outcome(check, &plan, outcome) != RTLS_OK) {
		check->findings.is_cut = true;
		return;
	}
	answer.level = level_of(&plan, outcome, flagged);
	add_findings(check, &answer);
	add_json(check, &answer);
}

void rtls_check_verdict(struct rtls_check *check)
{
	struct site *site = calloc(1, sizeof(*site));
	struct rtls_check_outcome *outcome = calloc(1, sizeof(*outcome));

	if (site == NULL || outcome == NULL)
		check->findings.is_cut = true;
	else if (read_site(check, site)) {
		judge(check, site, false, outcome);
		judge(check, site, true, outcome);
	}
	free(site);
	free(outcome);
}
