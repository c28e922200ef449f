/* verdict.c - see verdict.h. rtls_verdict_route() is a row of steps; each
 * either gives the final answer or leaves the question to the next. */
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>

/* What the question comes down to once levels and exceptions are applied. */
struct demand {
	const struct rtls_question *question;
	const struct rtls_record *record;     /* NULL: nothing is known */
	const struct rtls_sts_policy *policy; /* testing or enforce, or NULL */
	enum rtls_sts_mode sts_mode; /* of the policy, as it counts here */
	bool fresh;                  /* the record is an answer of now */
	bool strict;                 /* flagged, and the demand is to be met */
	bool secure;       /* a SECURE rule, or "require ... dnssec" */
	unsigned required; /* by "require" rules, and not lifted */
	unsigned exempt;   /* lifted, and else it would count */
	struct rtls_quoted domain;
};

static const char *const class_names[] = {
	[RTLS_CLASS_STRICT] = "strict",
	[RTLS_CLASS_ENFORCE] = "enforce",
	[RTLS_CLASS_OBSERVE] = "observe",
	[RTLS_CLASS_RELAXED] = "relaxed",
};

const char *rtls_class_name(enum rtls_class class)
{
	return class_names[class];
}

enum refusal {
	FAIL_FOR_GOOD,
	FAIL_UNLESS_CHANGED, /* fresh DNS data could turn it into success */
	DEFER,
};

RTLS_PRINTF(3, 4)
static bool refuse(
	struct rtls_plan *plan, enum refusal refusal, const char *format, ...)
{
	va_list args;

	plan->action = refusal == DEFER ? RTLS_DEFER : RTLS_FAIL;
	plan->recheck = refusal == FAIL_UNLESS_CHANGED;
	va_start(args, format);
	(void)vsnprintf(plan->text, sizeof(plan->text), format, args);
	va_end(args);
	return true;
}

static bool deliver(struct rtls_plan *plan, enum rtls_class class)
{
	plan->action = RTLS_DELIVER;
	plan->class = class;
	plan->own_mx =
		class == RTLS_CLASS_STRICT || class == RTLS_CLASS_ENFORCE;
	return true;
}

/* What "require" rules want of this domain, and no exemption lifts. Of each kind the
 * exemption has the last word. */
static unsigned required_of(const struct rtls_question *question)
{
	return question->required & ~question->exempt;
}

static bool is_relaxed(const struct rtls_question *question)
{
	return question->flags.requiretls == RTLS_REQUIRETLS_RELAXED &&
	       required_of(question) == 0;
}

bool rtls_question_needs_record(const struct rtls_question *question)
{
	return !question->literal && !is_relaxed(question);
}

static bool enforces_sts(const struct demand *demand)
{
	return demand->policy != NULL && demand->sts_mode == RTLS_STS_ENFORCE;
}

/* Do the hosts have to be ours, whatever the site's routers would do? */
static bool needs_own_mx(const struct demand *demand)
{
	return demand->strict || demand->secure || demand->required != 0 ||
	       demand->question->dane || enforces_sts(demand);
}

static enum rtls_class wanted_class(const struct demand *demand)
{
	if (demand->strict)
		return RTLS_CLASS_STRICT;
	return needs_own_mx(demand) ? RTLS_CLASS_ENFORCE : RTLS_CLASS_OBSERVE;
}

static bool has_hosts(const struct rtls_record *record)
{
	return (record->mx_answer == RTLS_MX_HOSTS ||
		       record->mx_answer == RTLS_MX_IMPLICIT) &&
	       record->mx_dnssec != RTLS_DNSSEC_BOGUS && record->mx_count != 0;
}

/* RFC 8689 section 5: a report is not dropped because the next host lacks
 * REQUIRETLS. Whom this site flagged itself is another matter: a receipt, say,
 * has no sender either, and must not go in clear. */
static bool is_only_asking(const struct rtls_flags *flags)
{
	return flags->by != RTLS_BY_TAG && flags->by != RTLS_BY_ACL &&
	       flags->by != RTLS_BY_RULE;
}

/* The policy, and the mode that this site's rules and exemptions make of its own. */
static void understand_policy(
	const struct rtls_question *question, struct demand *demand)
{
	const struct rtls_sts_policy *policy = question->policy;

	if (!question->config->mta_sts || policy == NULL ||
		policy->mode == RTLS_STS_NONE)
		return;
	demand->policy = policy;
	demand->sts_mode = policy->mode;
	if ((demand->required & RTLS_PROTECT_STS) != 0)
		demand->sts_mode = RTLS_STS_ENFORCE;
	if (demand->sts_mode == RTLS_STS_ENFORCE &&
		(question->exempt & RTLS_PROTECT_STS) != 0) {
		demand->sts_mode = RTLS_STS_TESTING;
		demand->exempt |= RTLS_PROTECT_STS;
	}
}

static bool insists(const struct rtls_question *question)
{
	return question->flags.requiretls == RTLS_REQUIRETLS_YES &&
	       !(question->empty_sender && is_only_asking(&question->flags)) &&
	       (question->level == RTLS_LEVEL_ENFORCE ||
		       question->level == RTLS_LEVEL_VERIFIED);
}

static void understand_flags(
	const struct rtls_question *question, struct demand *demand)
{
	const bool secure = question->flags.dnssec == RTLS_DNSSEC_REQUIRE;
	unsigned wanted = (insists(question) ? RTLS_PROTECT_REQUIRETLS : 0U) |
			  (secure ? RTLS_PROTECT_DNSSEC : 0U);

	demand->exempt |= wanted & question->exempt;
	wanted &= ~question->exempt;
	demand->strict = (wanted & RTLS_PROTECT_REQUIRETLS) != 0;
	demand->secure =
		((wanted | demand->required) & RTLS_PROTECT_DNSSEC) != 0;
}

static struct demand understand(const struct rtls_question *question)
{
	struct demand demand = { .question = question };

	demand.required = required_of(question);
	demand.exempt = question->required & question->exempt;
	understand_policy(question, &demand);
	understand_flags(question, &demand);
	demand.record = question->record;
	demand.fresh = question->resolved && question->record != NULL;
	rtls_quoted(&demand.domain, question->domain.size != 0
					    ? question->domain
					    : rtls_slice("of the recipient"));
	return demand;
}

/* Whichever host it is going to be, does something vouch for its name? Without that the
 * parameter must not be sent, not even by who only asks (RFC 8689 section 2). */
static bool all_names_hold(const struct demand *demand)
{
	const struct rtls_record *record = demand->record;

	if (!demand->fresh)
		return false;
	if (record->mx_dnssec == RTLS_DNSSEC_SECURE ||
		record->mx_answer == RTLS_MX_IMPLICIT)
		return true;
	for (size_t i = 0; i < record->mx_count; i++)
		if (demand->policy == NULL ||
			!rtls_sts_policy_allows(
				demand->policy, record->mx[i].host))
			return false;
	return record->mx_count > 0;
}

/* The part of the plan that needs no decision. An answer out of its time
 * proves nothing: then its DNSSEC state does not count. */
static void describe(const struct demand *demand, struct rtls_plan *plan)
{
	const struct rtls_question *question = demand->question;

	plan->class = wanted_class(demand);
	plan->flagged = question->flags.requiretls == RTLS_REQUIRETLS_YES;
	plan->demand = question->level;
	plan->required = demand->required;
	plan->exempt = demand->exempt;
	if (!demand->strict && plan->demand != RTLS_LEVEL_DISABLE)
		plan->demand = all_names_hold(demand) ? RTLS_LEVEL_OPPORTUNISTIC
						      : RTLS_LEVEL_DISABLE;
	plan->record = demand->record;
	if (demand->fresh)
		plan->mx_dnssec = demand->record->mx_dnssec;
	plan->unresolved = question->policy == NULL &&
			   (!demand->fresh || (question->config->mta_sts &&
						      demand->record->txt ==
							      RTLS_TXT_FAILED));
	if (demand->policy == NULL)
		return;
	plan->sts = true;
	plan->sts_mode = demand->sts_mode;
	plan->policy = demand->policy;
	if (demand->record != NULL) {
		plan->policy_id = demand->record->policy_id;
		plan->policy_digest = demand->record->policy_digest;
	}
}

static bool decide_relaxed(
	const struct rtls_question *question, struct rtls_plan *plan)
{
	if (!is_relaxed(question))
		return false;
	plan->exempt = question->required & question->exempt;
	return deliver(plan, RTLS_CLASS_RELAXED);
}

/* No name: no policy, no DNSSEC, nothing a certificate could prove. */
static bool decide_literal(
	const struct rtls_question *question, struct rtls_plan *plan)
{
	struct demand demand = understand(question);

	if (!question->literal)
		return false;
	demand.record = NULL;
	demand.policy = NULL;
	demand.fresh = false;
	describe(&demand, plan);
	plan->unresolved = false; /* there is nothing to look up */
	if (demand.strict || demand.secure || demand.required != 0)
		return refuse(plan, FAIL_FOR_GOOD,
			"5.7.10 an address literal has no name that could be "
			"verified");
	return deliver(plan, RTLS_CLASS_OBSERVE);
}

/* RFC 8461 section 5.1 goes on with the cached policy; a policy can be cached
 * for a year, so its hosts may be out of their time, but they must be known. */
static bool decide_unresolved(
	const struct demand *demand, struct rtls_plan *plan)
{
	if (demand->fresh)
		return false;
	if (demand->strict || demand->secure)
		return refuse(plan, DEFER,
			"4.4.3 domain %s could not be looked up, and the "
			"message demands verified delivery",
			demand->domain.text);
	/* No policy bounds how old the hosts may be. */
	if (demand->required != 0 && !enforces_sts(demand))
		return refuse(plan, DEFER,
			"4.4.3 domain %s could not be looked up, and a rule of "
			"this site demands protection of all mail to it",
			demand->domain.text);
	if (needs_own_mx(demand) &&
		(demand->record == NULL || !has_hosts(demand->record)))
		return refuse(plan, DEFER,
			"4.4.3 the MX hosts of domain %s, which enforces "
			"MTA-STS, could not be looked up",
			demand->domain.text);
	return false;
}

static bool decide_failed_mx(
	const struct demand *demand, struct rtls_plan *plan)
{
	const struct rtls_record *record = demand->record;

	if (!demand->fresh || record->mx_answer == RTLS_MX_NULL ||
		record->mx_answer == RTLS_MX_NXDOMAIN || has_hosts(record))
		return false;
	if (record->mx_dnssec == RTLS_DNSSEC_BOGUS)
		return refuse(plan, DEFER,
			"4.7.0 the MX answer for %s failed DNSSEC validation",
			demand->domain.text);
	if (!needs_own_mx(demand))
		return false; /* the site's own lookup decides */
	return refuse(plan, DEFER, "4.4.3 the MX lookup for %s failed",
		demand->domain.text);
}

/* RFC 7505, and RFC 5321 section 5.1; in the other classes the site's own
 * router says so. */
static bool decide_no_mx(const struct demand *demand, struct rtls_plan *plan)
{
	if (!demand->fresh || !needs_own_mx(demand))
		return false;
	if (demand->record->mx_answer == RTLS_MX_NULL)
		return refuse(plan, FAIL_UNLESS_CHANGED,
			"5.1.10 domain %s accepts no mail (null MX)",
			demand->domain.text);
	if (demand->record->mx_answer == RTLS_MX_NXDOMAIN)
		return refuse(plan, FAIL_UNLESS_CHANGED,
			"5.1.2 domain %s does not exist or has no mail host",
			demand->domain.text);
	return false;
}

/* A SECURE rule wants it proven that these are the hosts, and so also that an
 * implicit MX has no other. */
static bool decide_insecure(const struct demand *demand, struct rtls_plan *plan)
{
	if (!demand->secure || plan->mx_dnssec == RTLS_DNSSEC_SECURE)
		return false;
	return refuse(plan, FAIL_UNLESS_CHANGED,
		"5.7.10 the MX answer for %s is not signed with DNSSEC, which "
		"a rule of this site requires for the message",
		demand->domain.text);
}

/* "require ... sts": no policy, or none that is in force, is no reason to send. Nor is it
 * one to return the mail: that would be for whoever hides the policy to decide. */
static bool decide_no_policy(
	const struct demand *demand, struct rtls_plan *plan)
{
	if ((demand->required & RTLS_PROTECT_STS) == 0 ||
		demand->policy != NULL)
		return false;
	if (!demand->question->config->mta_sts)
		return refuse(plan, DEFER,
			"4.7.0 a rule of this site requires an MTA-STS policy "
			"of %s, and mta_sts = no keeps it from having one",
			demand->domain.text);
	return refuse(plan, DEFER,
		"4.7.0 a rule of this site requires an MTA-STS policy of %s, "
		"and none is known",
		demand->domain.text);
}

static bool allows_any(
	const struct rtls_sts_policy *policy, const struct rtls_record *record)
{
	for (size_t i = 0; i < record->mx_count; i++)
		if (rtls_sts_policy_allows(policy, record->mx[i].host))
			return true;
	return false;
}

/* RFC 8689 section 4.2.1, step 2: who says that these names are right? DNSSEC,
 * the policy, or nobody has to: without MX the name is the domain itself. While
 * the TXT lookup fails a newer policy cannot be ruled out, so nothing bounces
 * (RFC 8461 section 5.1). */
static bool decide_names(const struct demand *demand, struct rtls_plan *plan)
{
	const struct rtls_record *record = demand->record;

	if (!demand->strict || plan->mx_dnssec == RTLS_DNSSEC_SECURE ||
		record->mx_answer == RTLS_MX_IMPLICIT)
		return false;
	if (demand->policy != NULL && allows_any(demand->policy, record))
		return false;
	if (demand->question->config->mta_sts && record->txt == RTLS_TXT_FAILED)
		return refuse(plan, DEFER,
			"4.7.0 REQUIRETLS: the MTA-STS lookup for %s failed, "
			"and nothing else vouches for its MX hosts",
			demand->domain.text);
	/* A policy is announced, and its host is down: not the domain's last
	 * word. */
	if (demand->question->policy == NULL &&
		demand->question->config->mta_sts &&
		record->txt == RTLS_TXT_VALID &&
		(record->fetch == RTLS_FETCH_FAILED ||
			record->fetch == RTLS_FETCH_RUNNING))
		return refuse(plan, DEFER,
			"4.7.0 REQUIRETLS: the MTA-STS policy of %s could not "
			"be fetched, and nothing else vouches for its MX hosts",
			demand->domain.text);
	if (demand->policy != NULL)
		return refuse(plan, FAIL_UNLESS_CHANGED,
			"5.7.10 REQUIRETLS: the MTA-STS policy of %s names no "
			"MX host of it, and its MX answer is not signed with "
			"DNSSEC",
			demand->domain.text);
	return refuse(plan, FAIL_UNLESS_CHANGED,
		"5.7.10 REQUIRETLS: nothing vouches for the MX hosts of %s: no "
		"DNSSEC and no MTA-STS policy",
		demand->domain.text);
}

static bool decide_strict(const struct demand *demand, struct rtls_plan *plan)
{
	if (!demand->strict)
		return false;
	if (demand->question->level == RTLS_LEVEL_ENFORCE &&
		!demand->question->wire_support)
		return refuse(plan, FAIL_FOR_GOOD,
			"5.7.30 REQUIRETLS support required: this Exim lacks "
			"the REQUIRETLS patches (see requiretls(7), or set "
			"requiretls = verified)");
	return deliver(plan, RTLS_CLASS_STRICT);
}

/* First contact with a domain while its TXT lookup fails (A5.7): a policy may
 * be there or not. A cached one, even of mode none, answers that; one that an
 * exemption keeps from being enforced is no reason to wait. */
static bool decide_unknown_policy(
	const struct demand *demand, struct rtls_plan *plan)
{
	const struct rtls_question *question = demand->question;

	if (!question->config->mta_sts || question->policy != NULL ||
		question->config->sts_dns_error != RTLS_DNS_ERROR_DEFER ||
		demand->strict || demand->secure ||
		(demand->fresh && demand->record->txt != RTLS_TXT_FAILED))
		return false;
	if ((question->exempt & RTLS_PROTECT_STS) != 0) {
		plan->exempt |= RTLS_PROTECT_STS;
		return false;
	}
	return refuse(plan, DEFER,
		"4.7.0 the MTA-STS lookup for domain %s failed",
		demand->domain.text);
}

void rtls_verdict_route(
	const struct rtls_question *question, struct rtls_plan *plan)
{
	static bool (*const steps[])(
		const struct demand *, struct rtls_plan *) = {
		decide_unresolved,
		decide_failed_mx,
		decide_no_mx,
		decide_insecure,
		decide_no_policy,
		decide_names,
		decide_strict,
		decide_unknown_policy,
	};
	struct demand demand;

	*plan = (struct rtls_plan){ .class = RTLS_CLASS_OBSERVE,
		.via = question->via };
	if (decide_relaxed(question, plan) || decide_literal(question, plan))
		return;
	demand = understand(question);
	describe(&demand, plan);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i](&demand, plan))
			return;
	deliver(plan, wanted_class(&demand));
}

bool rtls_question_demands(const struct rtls_question *question)
{
	const struct demand demand = understand(question);

	return !is_relaxed(question) &&
	       (demand.strict || demand.secure || demand.required != 0);
}

bool rtls_verdict_is_certain(
	const struct rtls_question *question, struct rtls_plan *plan)
{
	struct demand demand;

	*plan = (struct rtls_plan){ .class = RTLS_CLASS_OBSERVE,
		.via = question->via };
	if (decide_relaxed(question, plan))
		return false;
	if (decide_literal(question, plan))
		return plan->action == RTLS_FAIL;
	demand = understand(question);
	demand.record = NULL;
	demand.policy = NULL;
	demand.fresh = false;
	describe(&demand, plan);
	return decide_strict(&demand, plan) && plan->action == RTLS_FAIL;
}

/* Is host one of the names in the list, which blanks separate? */
static bool names_host(struct rtls_slice list, struct rtls_slice host)
{
	struct rtls_slice name;

	while (rtls_slice_word(&list, &name))
		if (rtls_slice_equal_nocase(name, host))
			return true;
	return false;
}

static bool matches_any(struct rtls_slice patterns, struct rtls_slice host)
{
	struct rtls_slice pattern;

	while (rtls_slice_word(&patterns, &pattern))
		if (rtls_domain_matches(pattern, host))
			return true;
	return false;
}

/* A failed TLSA lookup goes before all: whether DANE applies is not known (RFC
 * 7672 section 2.1.2). Then DANE, which the policy never overrides (RFC 8461
 * section 2). */
enum rtls_host_verdict rtls_verdict_host(
	const struct rtls_session_plan *plan, struct rtls_slice host)
{
	if (host.size != 0 && host.data[host.size - 1] == '.')
		host.size--;
	if (names_host(plan->tlsafail, host) ||
		rtls_slice_is(host, RTLS_NO_ADDRESS))
		return RTLS_HOST_TLSA_FAILED;
	if (names_host(plan->dane, host))
		return RTLS_HOST_DANE;
	if (!plan->sts || matches_any(plan->mx, host))
		return RTLS_HOST_OK;
	return RTLS_HOST_NOT_IN_POLICY;
}

struct rtls_slice rtls_session_plan_mx(
	const struct rtls_session_plan *plan, struct rtls_slice name)
{
	struct rtls_slice rest = plan->cname, pair;

	while (rtls_slice_word(&rest, &pair))
		if (rtls_slice_equal_nocase(rtls_slice_take(&pair, '='), name))
			return pair;
	return name;
}

bool rtls_verdict_tlsa_is_bad(
	const struct rtls_session_plan *plan, struct rtls_slice host)
{
	return names_host(plan->tlsabad, host);
}

struct rtls_slice rtls_session_plan_domain(const struct rtls_session_plan *plan,
	struct rtls_slice host, struct rtls_slice domain)
{
	struct rtls_slice via = plan->via, first;

	if (!rtls_slice_word(&via, &first))
		return domain;
	return names_host(plan->via, host) ? host : first;
}

bool rtls_session_plan_insists(const struct rtls_session_plan *plan)
{
	return plan->class == RTLS_CLASS_STRICT ||
	       plan->class == RTLS_CLASS_ENFORCE;
}

bool rtls_verdict_refuses(
	const struct rtls_session_plan *plan, enum rtls_host_verdict verdict)
{
	if (!rtls_session_plan_insists(plan))
		return false;
	if (verdict == RTLS_HOST_TLSA_FAILED)
		return true;
	if (verdict != RTLS_HOST_NOT_IN_POLICY)
		return false;
	return plan->sts_mode == RTLS_STS_ENFORCE ||
	       (plan->class == RTLS_CLASS_STRICT && !plan->mx_secure &&
		       !plan->mx_implicit);
}
