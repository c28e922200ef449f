/* explanation_reasons.c - see explanation.h: what a decision went by, each with the place where
 * it stands. */
#include "tool/explanation.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/config_file.h"
#include "tool/view.h"

#define UNSEEN_RULES_MAX 8

/* Somebody may have edited the record: nothing that no terminal should get. */
static void make_printable(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* NULL: no room for more. */
RTLS_PRINTF(3, 4)
static struct rtls_reason *add(struct rtls_explanation *explanation,
	const char *kind, const char *format, ...)
{
	struct rtls_reason *reason;
	va_list args;

	if (explanation->reason_count == RTLS_REASONS_MAX)
		return NULL;
	reason = &explanation->reason[explanation->reason_count++];
	reason->kind = kind;
	reason->source[0] = '\0';
	va_start(args, format);
	(void)vsnprintf(reason->text, sizeof(reason->text), format, args);
	va_end(args);
	make_printable(reason->text);
	return reason;
}

RTLS_PRINTF(2, 3)
static void from(struct rtls_reason *reason, const char *format, ...)
{
	va_list args;

	if (reason == NULL)
		return;
	va_start(args, format);
	(void)vsnprintf(reason->source, sizeof(reason->source), format, args);
	va_end(args);
}

static void from_line(
	struct rtls_reason *reason, const char *path, unsigned line)
{
	struct rtls_quoted q;

	from(reason, "%s, line %u", rtls_quoted(&q, rtls_slice(path)), line);
}

static void from_key(
	struct rtls_reason *reason, const char *key, const char *value)
{
	from(reason, "%s, %s = %s", RTLS_CONFIG_PATH, key, value);
}

/* --- what the message asks for ------------------------------------------------------- */

/* What is known of a header field that is not given: its address, or nothing. */
static struct rtls_slice guess_value(
	const struct rtls_explain_question *asked, struct rtls_slice field)
{
	if (rtls_slice_is_nocase(field, "To"))
		return asked->address;
	if (rtls_slice_is_nocase(field, "From"))
		return asked->sender;
	return rtls_slice("");
}

enum seen {
	SEEN_MATCHES,
	SEEN_OTHER,
	UNSEEN,
};

static enum seen look_at(
	const struct rtls_explain_question *asked, const struct rtls_rule *rule)
{
	const struct rtls_message_field *field = NULL;
	struct rtls_slice value;

	if (asked->message != NULL)
		field = rtls_message_field(asked->message, rule->field);
	if (field != NULL)
		return rtls_rule_matches(rule, field->value, field->addresses)
			       ? SEEN_MATCHES
			       : SEEN_OTHER;
	value = guess_value(asked, rule->field);
	if (value.size == 0)
		return UNSEEN;
	return rtls_rule_matches(rule, value, value) ? SEEN_MATCHES
						     : SEEN_OTHER;
}

static void apply_rule(const struct rtls_explain_question *asked,
	const struct rtls_rule *rule, struct rtls_explanation *explanation)
{
	const struct rtls_flags before = explanation->flags;
	struct rtls_quoted q;
	struct rtls_reason *reason;

	rtls_rule_apply(rule, &explanation->flags);
	if (memcmp(&before, &explanation->flags, sizeof(before)) == 0)
		return;
	rtls_quoted(&q, rule->pattern);
	if (rule->flag)
		reason = add(explanation, "flag",
			"by=rule: the field %.*s is like %s",
			(int)rule->field.size, rule->field.data, q.text);
	else
		reason = add(explanation, "rule",
			"rule=dnssec%s: the field %.*s is like %s",
			rule->secure ? "-secure" : "", (int)rule->field.size,
			rule->field.data, q.text);
	from_line(reason, asked->config->rules, rule->line);
}

/* A rule about what is not given here. */
static void mention_rule(const struct rtls_explain_question *asked,
	const struct rtls_rule *rule, struct rtls_explanation *explanation)
{
	struct rtls_quoted q;

	from_line(add(explanation, "unseen",
			  "a field %.*s like %s would have it %s",
			  (int)rule->field.size, rule->field.data,
			  rtls_quoted(&q, rule->pattern),
			  rule->flag     ? "flagged"
			  : rule->secure ? "demand DNSSEC"
					 : "ask for DNSSEC"),
		asked->config->rules, rule->line);
}

static void apply_rules(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation)
{
	const struct rtls_rules *rules = asked->site->rules;
	size_t unseen = 0;

	for (size_t i = 0; i < rules->count; i++) {
		const struct rtls_rule *rule = &rules->rule[i];
		const enum seen seen = look_at(asked, rule);

		if (seen == SEEN_MATCHES)
			apply_rule(asked, rule, explanation);
		else if (seen == UNSEEN && ++unseen <= UNSEEN_RULES_MAX)
			mention_rule(asked, rule, explanation);
	}
	if (unseen > UNSEEN_RULES_MAX)
		from(add(explanation, "unseen",
			     "%zu more rules about header fields that are not "
			     "known here",
			     unseen - UNSEEN_RULES_MAX),
			"%s", asked->config->rules);
	rtls_rules_settle(
		rules, asked->config->requiretls, &explanation->flags);
}

/* What the header says does not count; NULL: it does, as far as that goes. */
static const char *misfit(const struct rtls_explain_question *asked)
{
	const struct rtls_message *message = asked->message;

	if (asked->relaxed || message == NULL)
		return NULL;
	if (message->tls_required > 1)
		return "there is more than one";
	return message->tls_required_no ? NULL : "its value is not No";
}

static bool has_tls_required(const struct rtls_explain_question *asked)
{
	return asked->relaxed ||
	       (asked->message != NULL && asked->message->tls_required > 0);
}

static void relax(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation)
{
	const char *ignored;

	if (!asked->config->honour_tls_required_no) {
		from_key(
			add(explanation, "flag", "TLS-Required: No is ignored"),
			"tls_required_no", "no");
		return;
	}
	ignored = misfit(asked);
	if (ignored == NULL)
		ignored = rtls_rules_relax(&explanation->flags);
	if (ignored == NULL)
		from(add(explanation, "flag",
			     "by=header: the sender prefers delivery to "
			     "protection"),
			"%sthe header TLS-Required: No",
			asked->relaxed ? "--relaxed: " : "");
	else
		(void)add(explanation, "flag",
			"TLS-Required header ignored: %s",
			ignored[0] == '\0' ? "the message is flagged"
					   : ignored);
}

void rtls_explain_flags(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation)
{
	struct rtls_flags *flags = &explanation->flags;

	if (asked->flagged) {
		rtls_flags_set(flags, RTLS_BY_ESMTP);
		from(add(explanation, "flag",
			     "by=esmtp: whoever handed it in flagged it"),
			"--flagged");
	}
	if (asked->tagged) {
		rtls_flags_set(flags, RTLS_BY_TAG);
		from_key(add(explanation, "flag",
				 "by=%s: the recipient has the tag",
				 rtls_flagged_by_name(RTLS_BY_TAG)),
			"requiretls_tag", asked->config->tag);
	}
	apply_rules(asked, explanation);
	if (has_tls_required(asked))
		relax(asked, explanation);
}

/* --- what the site's files say of the domain ----------------------------------------- */

static void explain_level(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation)
{
	const char *level = rtls_level_name(asked->site->level);
	const struct rtls_level_rule *rule = rtls_rules_level_rule(
		asked->site->rules, rtls_slice(asked->domain));
	struct rtls_reason *reason;

	if (explanation->flags.requiretls != RTLS_REQUIRETLS_YES)
		return;
	reason = add(explanation, "level", "flagged mail demands: %s", level);
	if (rule != NULL)
		from_line(reason, asked->config->rules, rule->line);
	else
		from_key(reason, "requiretls", level);
	if (asked->has_sender && asked->sender.size == 0)
		from(add(explanation, "level",
			     "a bounce asks, and does not insist, unless this "
			     "site flagged it"),
			"RFC 8689, section 5");
}

static void explain_required(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation)
{
	for (unsigned one = 1; one <= RTLS_PROTECT_VERIFIED; one <<= 1) {
		const struct rtls_require_rule *rule = rtls_rules_require_rule(
			asked->site->rules, rtls_slice(asked->domain), one);

		if (rule != NULL)
			from_line(add(explanation, "rule", "rule=require-%s",
					  rtls_protection_name(one)),
				asked->config->rules, rule->line);
	}
}

/* What is over is told too: it is what people look for. */
static void explain_exempt(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, struct rtls_explanation *explanation)
{
	const struct rtls_exemptions *list = asked->site->exemptions;

	for (size_t i = 0; i < list->count; i++) {
		const struct rtls_exemption *one = &list->exemption[i];
		const bool over = rtls_exemption_is_over(one, asked->now_s);
		const bool counts = !over && (one->lifts & plan->exempt) != 0;
		char kinds[64];
		struct rtls_text text;
		struct rtls_quoted why;

		if (!rtls_wildcard_matches(
			    one->domain, rtls_slice(asked->domain)))
			continue;
		rtls_text_init(&text, kinds, sizeof(kinds));
		rtls_protections_format(one->lifts, &text);
		from_line(
			add(explanation, "exempt", "exempt=%s until=%.*s%s: %s",
				kinds, (int)one->until.size, one->until.data,
				over     ? ", over"
				: counts ? ""
					 : ", makes no difference",
				rtls_quoted(&why, one->reason)),
			asked->config->exempt, one->line);
	}
}

/* --- what the cache knows ------------------------------------------------------------ */

static void from_record(const struct rtls_explain_question *asked,
	struct rtls_reason *reason, const char *verb, int64_t until_s)
{
	char age[RTLS_VIEW_AGE_SIZE];

	from(reason, "cache record of %s%s, %s %s", asked->domain, verb,
		until_s > asked->now_s ? "expires" : "expired",
		rtls_view_age(age, until_s, asked->now_s));
}

static void explain_mx(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation)
{
	const struct rtls_record *record = &asked->known->record;
	char state[RTLS_VIEW_STATE_SIZE];

	from_record(asked,
		add(explanation, "mx", "MX: %s",
			rtls_view_mx_state(state, record)),
		"", record->mx_until_s);
}

static void explain_txt(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation)
{
	const struct rtls_record *record = &asked->known->record;
	char id[64] = "";

	if (!asked->config->mta_sts) {
		from_key(add(explanation, "policy", "MTA-STS is not looked at"),
			"mta_sts", "no");
		return;
	}
	if (record->txt_id.size > 0)
		snprintf(id, sizeof(id), ", id %.*s", (int)record->txt_id.size,
			record->txt_id.data);
	from_record(asked,
		add(explanation, "sts-record", "MTA-STS record: %s%s",
			rtls_view_txt_name(record->txt), id),
		"", record->txt_until_s);
	if (record->fetch == RTLS_FETCH_FAILED)
		from(add(explanation, "fetch", "the last fetch failed: %.*s",
			     (int)record->fetch_error.size,
			     record->fetch_error.data),
			"cache record of %s", asked->domain);
}

static void explain_policy(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, struct rtls_explanation *explanation)
{
	const struct rtls_known *known = asked->known;
	const struct rtls_record *record = &known->record;
	struct rtls_reason *reason;
	char age[RTLS_VIEW_AGE_SIZE], fetched[80];

	if (!asked->config->mta_sts || record->policy_text.size == 0)
		return;
	if (!known->has_policy)
		reason = add(explanation, "policy",
			"MTA-STS policy, id %.*s: out of its time, or does not "
			"parse",
			(int)record->policy_id.size, record->policy_id.data);
	else
		reason = add(explanation, "policy",
			"MTA-STS policy: mode %s%s%s, id %.*s",
			rtls_sts_mode_name(known->policy.mode),
			plan->sts && plan->sts_mode != known->policy.mode
				? ", counts as "
				: "",
			plan->sts && plan->sts_mode != known->policy.mode
				? rtls_sts_mode_name(plan->sts_mode)
				: "",
			(int)record->policy_id.size, record->policy_id.data);
	snprintf(fetched, sizeof(fetched), ", fetched %s",
		rtls_view_age(age, record->policy_fetched_s, asked->now_s));
	from_record(asked, reason, fetched, record->policy_until_s);
}

unsigned rtls_explain_policy_line(
	const struct rtls_record *record, const struct rtls_slice *pattern)
{
	unsigned line = 1;

	for (const char *at = record->policy_text.data; at < pattern->data;
		at++)
		line += *at == '\n' ? 1 : 0;
	return line;
}

static void explain_nothing(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation)
{
	from(add(explanation, "cache",
		     "nothing is cached: the delivery first runs "
		     "\"exim-requiretls resolve %s\", which asks DNS for MX, "
		     "addresses, TLSA and the MTA-STS record, and the policy "
		     "host for the policy",
		     asked->domain),
		"%s/cache", asked->config->spool);
}

static void explain_unasked(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation)
{
	if (asked->literal)
		(void)add(explanation, "cache",
			"%s is an address, or no name that DNS could know: "
			"there is nothing to look up",
			asked->domain);
}

/* --- smart hosts ----------------------------------------------------------------------- */

static void explain_via(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation)
{
	if (asked->via == NULL)
		return;
	from(add(explanation, "via",
		     asked->via->state == RTLS_VIA_BROKEN
			     ? "smart hosts that are not understood, too many "
			       "or /mx beside others: %s"
			     : "all mail goes to smart hosts, whose policies "
			       "count: %s",
		     asked->via->text),
		"%s", asked->via->source);
}

/* That part Exim asks DNS for by itself, each time. */
static void explain_hop_tlsa(const struct rtls_explain_hop *hop,
	struct rtls_explanation *explanation)
{
	if (!rtls_explain_knows_tlsa(hop))
		(void)add(explanation, "unseen",
			"TLSA records at _%u._tcp.%s, which DNS is asked for "
			"when mail goes: this is what comes of none",
			hop->port == 0 ? 25 : hop->port, hop->name);
}

static void explain_hops(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, struct rtls_explanation *explanation)
{
	for (size_t i = 0; i < asked->hop_count; i++) {
		struct rtls_explain_question one = *asked;

		one.domain = asked->hop[i].name;
		one.known = &asked->hop[i].known;
		if (one.known->known) {
			explain_txt(&one, explanation);
			explain_policy(&one, plan, explanation);
		} else {
			explain_nothing(&one, explanation);
		}
		explain_hop_tlsa(&asked->hop[i], explanation);
	}
}

void rtls_explain_plan(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, struct rtls_explanation *explanation)
{
	explain_via(asked, explanation);
	explain_level(asked, explanation);
	explain_required(asked, explanation);
	explain_exempt(asked, plan, explanation);
	if (asked->literal) {
		explain_unasked(asked, explanation);
		return;
	}
	if (rtls_explain_is_by_name(asked)) {
		explain_hops(asked, plan, explanation);
		return;
	}
	if (!asked->known->known) {
		explain_nothing(asked, explanation);
		return;
	}
	explain_mx(asked, explanation);
	explain_txt(asked, explanation);
	explain_policy(asked, plan, explanation);
}
