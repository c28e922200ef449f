/* explanation.c - see explanation.h: what is decided, host by host, and how it ends. */
#include "tool/explanation.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/decision.h"

#define PLAN_SIZE (RTLS_STS_POLICY_SIZE_MAX + 64 * 1024)

static const char *const outcome_names[] = {
	[RTLS_OUTCOME_DELIVER] = "deliver",
	[RTLS_OUTCOME_BOUNCE] = "bounce",
	[RTLS_OUTCOME_WAIT] = "wait",
};

const char *rtls_outcome_name(enum rtls_outcome_kind kind)
{
	return outcome_names[kind];
}

/* --- the question of routing -------------------------------------------------------- */

enum circumstances {
	AS_CACHED,  /* what is asked again is answered the same */
	UNANSWERED, /* it is not answered */
};

static struct rtls_question routing_question(
	const struct rtls_explain_question *asked,
	const struct rtls_flags *flags, bool patched,
	enum circumstances circumstances)
{
	const struct rtls_known *known = asked->known;
	struct rtls_question question = { .config = asked->config,
		.domain = rtls_slice(asked->domain),
		.flags = *flags,
		.empty_sender = asked->has_sender && asked->sender.size == 0,
		.level = asked->site->level,
		.required = asked->site->required,
		.exempt = asked->site->exempt,
		.wire_support = patched,
		.literal = asked->literal,
		.via = asked->via != NULL ? &asked->via->hops : NULL };

	if (!rtls_question_needs_record(&question)) {
		static const struct rtls_next_hops unnamed;

		question.resolved = true;
		question.via = asked->via != NULL ? &unnamed : NULL;
		return question;
	}
	if (rtls_explain_is_by_name(asked)) {
		rtls_explain_smart_hosts(
			asked, circumstances == AS_CACHED, &question);
		return question;
	}
	question.record = known->known ? &known->record : NULL;
	question.policy = known->has_policy ? &known->policy : NULL;
	question.resolved =
		known->known && (circumstances == AS_CACHED || known->resolved);
	return question;
}

/* --- hosts -------------------------------------------------------------------------- */

/* The plan as a session will read it. False: it does not fit, or has no form. */
static bool read_plan(
	const struct rtls_plan *plan, struct rtls_session_plan *session)
{
	static char buffer[PLAN_SIZE];
	struct rtls_text text;

	rtls_text_init(&text, buffer, sizeof(buffer));
	return rtls_plan_format(plan, &text) == RTLS_OK &&
	       rtls_session_plan_parse(rtls_text_slice(&text), session) ==
		       RTLS_OK;
}

static const char *name_of(
	const struct rtls_explained_host *host, char out[RTLS_DOMAIN_SIZE])
{
	(void)rtls_slice_copy(host->host, out, RTLS_DOMAIN_SIZE);
	return out;
}

/* Whose policy it is. */
static const char *policy_domain(const struct rtls_explain_question *asked,
	const struct rtls_mx *mx, char out[RTLS_DOMAIN_SIZE])
{
	if (!rtls_explain_is_by_name(asked))
		return asked->domain;
	(void)rtls_slice_copy(mx->host, out, RTLS_DOMAIN_SIZE);
	return out;
}

/* In the words in which a session refuses it. */
static void say_refused(const struct rtls_explain_question *asked,
	enum rtls_host_verdict verdict, const struct rtls_mx *mx,
	struct rtls_explained_host *host)
{
	char domain[RTLS_DOMAIN_SIZE];

	if (verdict == RTLS_HOST_NOT_IN_POLICY)
		snprintf(host->why, sizeof(host->why),
			"refused: not in the MTA-STS policy of %s",
			policy_domain(asked, mx, domain));
	else
		snprintf(host->why, sizeof(host->why), "refused: its %s failed",
			rtls_record_lacks_address(mx) ? "address lookup"
						      : "TLSA lookup");
}

static void say_in_policy(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, const struct rtls_mx *mx,
	struct rtls_text *out)
{
	const struct rtls_slice *pattern =
		rtls_sts_policy_match(plan->policy, mx->host);
	struct rtls_quoted q;

	if (pattern == NULL)
		return;
	if (rtls_explain_is_by_name(asked)) {
		rtls_text_printf(
			out, "no policy of its own keeps mail from it");
		return;
	}
	rtls_text_printf(out, "in the MTA-STS policy of %s, line %u (mx: %s)",
		asked->domain,
		rtls_explain_policy_line(&asked->known->record, pattern),
		rtls_quoted(&q, *pattern));
}

/* NOT_IN_POLICY, and used all the same. */
static void say_tolerated(const struct rtls_explain_question *asked,
	const struct rtls_session_plan *session, const struct rtls_mx *mx,
	struct rtls_text *out)
{
	char name[RTLS_DOMAIN_SIZE];
	const char *domain = policy_domain(asked, mx, name);

	if (session->sts_exempt)
		rtls_text_printf(out,
			"would be refused, were %s not exempt from its MTA-STS "
			"policy: sts-mx-mismatch",
			domain);
	else
		rtls_text_printf(out,
			"would be refused, were the MTA-STS policy of %s not "
			"in testing: sts-mx-mismatch",
			domain);
}

/* What it has to show, once it is connected to. */
static void say_demand(const struct rtls_session_plan *session,
	enum rtls_host_verdict verdict, struct rtls_explained_host *host,
	struct rtls_text *out)
{
	char name[RTLS_DOMAIN_SIZE];

	if (verdict == RTLS_HOST_DANE)
		rtls_text_printf(out, "%s",
			rtls_session_plan_insists(session)
				? "TLS, and a certificate that fits the TLSA records"
				: "TLS by DANE, where your transport does it");
	else if (rtls_session_plan_insists(session))
		rtls_text_printf(out, "TLS, and a good certificate for %s",
			name_of(host, name));
	else
		rtls_text_printf(out, "TLS where it is offered");
}

static void say_used(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, const struct rtls_session_plan *session,
	const struct rtls_mx *mx, struct rtls_explained_host *host)
{
	enum rtls_host_verdict verdict = rtls_verdict_host(session, mx->host);
	struct rtls_text out;

	rtls_text_init(&out, host->why, sizeof(host->why));
	if (verdict == RTLS_HOST_DANE)
		rtls_text_printf(&out, "DANE decides, no policy");
	else if (verdict == RTLS_HOST_TLSA_FAILED)
		rtls_text_printf(&out,
			"its %s failed, so Exim passes over it when it finds "
			"the same",
			rtls_record_lacks_address(mx) ? "address lookup"
						      : "TLSA lookup");
	else if (verdict == RTLS_HOST_NOT_IN_POLICY)
		say_tolerated(asked, session, mx, &out);
	else if (plan->sts)
		say_in_policy(asked, plan, mx, &out);
	else if (plan->class == RTLS_CLASS_STRICT)
		rtls_text_printf(&out, "%s",
			rtls_explain_is_by_name(asked)
				? "your configuration names it"
			: session->mx_secure ? "DNSSEC vouches for it"
					     : "it is the domain itself");
	else
		rtls_text_printf(&out, "no policy applies");
	rtls_text_printf(&out, "; ");
	say_demand(session, verdict, host, &out);
	if (rtls_verdict_tlsa_is_bad(session, mx->host))
		rtls_text_printf(&out, "; no usable TLSA record");
}

static struct rtls_explained_host *next_host(
	const struct rtls_mx *mx, struct rtls_explanation *explanation)
{
	struct rtls_explained_host *host =
		&explanation->host[explanation->host_count++];

	*host = (struct rtls_explained_host){ .preference = mx->preference,
		.host = mx->host };
	return host;
}

static void add_host(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, const struct rtls_session_plan *session,
	const struct rtls_mx *mx, struct rtls_explanation *explanation)
{
	struct rtls_explained_host *host = next_host(mx, explanation);
	const enum rtls_host_verdict verdict =
		rtls_verdict_host(session, mx->host);

	host->use = !rtls_verdict_refuses(session, verdict);
	if (host->use)
		say_used(asked, plan, session, mx, host);
	else
		say_refused(asked, verdict, mx, host);
}

/* The decision is not about them: whoever Exim finds. */
static void add_any(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation)
{
	const struct rtls_record *record = &asked->known->record;

	for (size_t i = 0; asked->known->known && i < record->mx_count; i++) {
		struct rtls_explained_host *host =
			next_host(&record->mx[i], explanation);

		host->use = true;
		snprintf(host->why, sizeof(host->why),
			"not looked at; TLS if it works");
	}
}

/* They are there, and nobody connects to them. */
static void add_unused(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, struct rtls_explanation *explanation)
{
	const struct rtls_record *record = plan->record;

	for (size_t i = 0; i < record->mx_count; i++) {
		struct rtls_explained_host *host =
			next_host(&record->mx[i], explanation);

		if (plan->policy != NULL &&
			!rtls_sts_policy_allows(plan->policy, host->host))
			snprintf(host->why, sizeof(host->why),
				"not in the MTA-STS policy of %s",
				asked->domain);
		else
			snprintf(host->why, sizeof(host->why),
				"the message is not sent");
	}
}

static void add_hosts(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, struct rtls_explanation *explanation)
{
	struct rtls_session_plan session;

	if (plan->class == RTLS_CLASS_RELAXED)
		add_any(asked, explanation);
	if (plan->record == NULL)
		return;
	if (plan->action != RTLS_DELIVER || !read_plan(plan, &session)) {
		add_unused(asked, plan, explanation);
		return;
	}
	for (size_t i = 0; i < plan->record->mx_count; i++)
		add_host(asked, plan, &session, &plan->record->mx[i],
			explanation);
}

/* --- how it ends -------------------------------------------------------------------- */

RTLS_PRINTF(4, 5)
static void end(struct rtls_outcome *outcome, enum rtls_outcome_kind kind,
	const char *code, const char *format, ...)
{
	va_list args;

	outcome->kind = kind;
	snprintf(outcome->code, sizeof(outcome->code), "%s", code);
	va_start(args, format);
	(void)vsnprintf(outcome->text, sizeof(outcome->text), format, args);
	va_end(args);
}

/* A text "5.7.10 why" of a verdict. */
static void end_undelivered(
	const struct rtls_plan *plan, struct rtls_outcome *outcome)
{
	struct rtls_slice text = rtls_slice(plan->text), code;
	char word[sizeof(outcome->code)];

	(void)rtls_slice_word(&text, &code);
	(void)rtls_slice_copy(code, word, sizeof(word));
	end(outcome,
		plan->action == RTLS_FAIL ? RTLS_OUTCOME_BOUNCE
					  : RTLS_OUTCOME_WAIT,
		word, "%s%s", plan->text,
		plan->action == RTLS_FAIL && plan->recheck
			? " (DNS is asked once more before that)"
			: "");
}

static size_t count_used(const struct rtls_explanation *explanation)
{
	size_t used = 0;

	for (size_t i = 0; i < explanation->host_count; i++)
		used += explanation->host[i].use ? 1 : 0;
	return used;
}

/* Are all of them refused for what they are, and not for a lookup that failed? */
static bool are_refused_for_good(const struct rtls_plan *plan)
{
	for (size_t i = 0; i < plan->record->mx_count; i++)
		if (plan->record->mx[i].tlsa == RTLS_TLSA_FAILED)
			return false;
	return true;
}

/* Every host is refused. session.c leaves a note, and the next routing goes by it. */
static void end_without_hosts(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, struct rtls_outcome *outcome)
{
	if (plan->class != RTLS_CLASS_STRICT || !are_refused_for_good(plan))
		end(outcome, RTLS_OUTCOME_WAIT, "",
			"no host may be used: it waits for another answer, and "
			"comes back by Exim's retry rules");
	else
		end(outcome, RTLS_OUTCOME_BOUNCE, "5.7.10",
			"5.7.10 no %s of %s qualifies for REQUIRETLS "
			"(with the attempt after the one that finds it so)",
			asked->via != NULL ? "host" : "MX host", asked->domain);
}

static void end_with_hosts(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, bool patched,
	struct rtls_outcome *outcome)
{
	const char *wire = patched && plan->class == RTLS_CLASS_STRICT &&
					   plan->demand == RTLS_LEVEL_ENFORCE
				   ? " and offers REQUIRETLS"
				   : "";

	if (plan->class == RTLS_CLASS_STRICT)
		end(outcome, RTLS_OUTCOME_DELIVER, "",
			"by the transport requiretls_strict, to the first host "
			"that has good TLS%s; it comes back (5.7.10%s) when "
			"all are refused",
			wire, wire[0] == '\0' ? "" : ", 5.7.30");
	else
		end(outcome, RTLS_OUTCOME_DELIVER, "",
			"by the transport requiretls_enforce, to the first host "
			"that has good TLS; it waits while none of %s has",
			asked->domain);
}

/* The site's own router looks the domain up by itself; this is what it will find. */
static void end_elsewhere(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, struct rtls_outcome *outcome)
{
	const struct rtls_known *known = asked->known;
	const char *by = plan->class == RTLS_CLASS_RELAXED && asked->via == NULL
				 ? "by the transport requiretls_relaxed"
				 : "by your own router and transport";
	const enum rtls_mx_answer answer = known->known && !asked->literal
						   ? known->record.mx_answer
						   : RTLS_MX_UNKNOWN;

	if (answer == RTLS_MX_NULL)
		end(outcome, RTLS_OUTCOME_BOUNCE, "",
			"%s: it accepts no mail (null MX)", by);
	else if (answer == RTLS_MX_NXDOMAIN)
		end(outcome, RTLS_OUTCOME_BOUNCE, "",
			"%s: no such domain, or no mail host", by);
	else if (answer == RTLS_MX_FAILED)
		end(outcome, RTLS_OUTCOME_WAIT, "", "%s: the MX lookup fails",
			by);
	else
		end(outcome, RTLS_OUTCOME_DELIVER, "", "%s", by);
}

static void find_outcome(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, bool patched,
	const struct rtls_explanation *explanation,
	struct rtls_outcome *outcome)
{
	if (plan->action != RTLS_DELIVER)
		end_undelivered(plan, outcome);
	else if (!plan->own_mx)
		end_elsewhere(asked, plan, outcome);
	else if (count_used(explanation) == 0)
		end_without_hosts(asked, plan, outcome);
	else
		end_with_hosts(asked, plan, patched, outcome);
}

/* --- all of it ---------------------------------------------------------------------- */

/* The hosts are those of the last decision. */
static void decide(const struct rtls_explain_question *asked, bool patched,
	enum circumstances circumstances, struct rtls_explanation *explanation,
	struct rtls_outcome *outcome)
{
	const struct rtls_question question = routing_question(
		asked, &explanation->flags, patched, circumstances);
	struct rtls_plan plan;

	rtls_verdict_route(&question, &plan);
	explanation->host_count = 0;
	add_hosts(asked, &plan, explanation);
	find_outcome(asked, &plan, patched, explanation, outcome);
}

static bool is_decided(const struct rtls_explain_question *asked,
	const struct rtls_question *question)
{
	return asked->known->known || !rtls_question_needs_record(question);
}

static void name_class(const struct rtls_explain_question *asked,
	const struct rtls_decision *decision,
	struct rtls_explanation *explanation)
{
	const struct rtls_plan *plan = decision->plan;

	if (!is_decided(asked, decision->question))
		explanation->class = "unknown";
	else if (rtls_decision_is_plain(decision) && !plan->sts)
		explanation->class = "plain";
	else
		explanation->class = rtls_class_name(plan->class);
}

/* What a stock or a patched Exim decides by the cache; stock gives class and reasons. */
static void explain_decision(const struct rtls_explain_question *asked,
	bool patched, struct rtls_explanation *explanation)
{
	const struct rtls_question question = routing_question(
		asked, &explanation->flags, patched, AS_CACHED);
	struct rtls_plan plan;
	const struct rtls_decision decision = {
		.recipient =
			asked->via != NULL ? asked->recipient : asked->domain,
		.question = &question,
		.plan = &plan,
		.via = asked->via != NULL ? &asked->via->hops : NULL,
		.exemptions = asked->site->exemptions,
		.now_s = asked->now_s
	};
	struct rtls_text line;

	rtls_verdict_route(&question, &plan);
	rtls_text_init(&line,
		patched ? explanation->patched_log : explanation->log,
		RTLS_EXPLAIN_LOG_MAX);
	if (is_decided(asked, &question) && !rtls_decision_is_plain(&decision))
		rtls_decision_format(&decision, &line);
	if (patched)
		return;
	name_class(asked, &decision, explanation);
	rtls_explain_plan(asked, &plan, explanation);
}

void rtls_explain(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation)
{
	struct rtls_question question;

	memset(explanation, 0, sizeof(*explanation));
	rtls_explain_flags(asked, explanation);
	question =
		routing_question(asked, &explanation->flags, false, AS_CACHED);
	explanation->asks_first = rtls_question_needs_record(&question) &&
				  !asked->known->resolved;
	if (explanation->asks_first)
		decide(asked, false, UNANSWERED, explanation,
			&explanation->unanswered);
	decide(asked, false, AS_CACHED, explanation, &explanation->stock);
	/* The hosts shown are those of this one: where only one delivers, it is this. */
	decide(asked, true, AS_CACHED, explanation, &explanation->patched);
	explain_decision(asked, false, explanation);
	explain_decision(asked, true, explanation);
	/* Of those by name there are hosts in any case, and nothing is known of them. */
	if (explanation->asks_first && !asked->known->known)
		explanation->host_count = 0;
}
