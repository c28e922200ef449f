/* request.c - see request.h. */
#include "exim/request.h"

#include <stdio.h>
#include <string.h>

#include "exim/ask.h"
#include "exim/smart_host.h"
#include "policy/domain.h"

bool rtls_request_is_by_name(const struct rtls_request *request)
{
	return request->via != NULL && !request->via->hop[0].by_mx;
}

/* What is no name DNS could know gets the treatment of an address: the
 * site's routers say no to it, unless the message is flagged. */
static void name_domain(struct rtls_request *request, struct rtls_slice domain)
{
	static char normalized[RTLS_DOMAIN_SIZE];

	request->question.literal =
		rtls_domain_is_literal(domain) ||
		rtls_exim_domain(domain, normalized) != RTLS_OK;
	if (request->question.literal)
		rtls_quote(normalized, sizeof(normalized), domain);
	request->domain = normalized;
	request->question.domain = rtls_slice(normalized);
}

/* The plan names it, so it is normalized; those by name are in smart_host.h. */
static void name_next_hop(
	struct rtls_request *request, struct rtls_next_hops *hops)
{
	request->via = hops;
	name_domain(request, rtls_slice(hops->hop[0].host));
	if (rtls_request_is_by_name(
		    request)) /* smart_host.h says whether all are */
		request->question.literal = false;
	else if (!request->question.literal)
		memcpy(hops->hop[0].host, request->domain, RTLS_DOMAIN_SIZE);
}

void rtls_request_name(struct rtls_request *request, struct rtls_slice domain,
	struct rtls_slice next_hop)
{
	static char recipient[RTLS_DOMAIN_SIZE];
	static struct rtls_next_hops hops;

	rtls_quote(recipient, sizeof(recipient), domain);
	request->recipient = recipient;
	switch (rtls_next_hops_parse(next_hop, &hops)) {
	case RTLS_OK:
		name_next_hop(request, &hops);
		return;
	case RTLS_NONE:
		name_domain(request, domain);
		return;
	default:
		rtls_exim_log("smart hosts not understood, their policies are "
			      "not looked at: too many, or /mx beside others");
		hops.count = 0;
		request->via = &hops;
		name_domain(request, next_hop);
		request->question.literal = true;
	}
}

enum rtls_status rtls_request_ask_site(
	struct rtls_request *request, struct rtls_err *err)
{
	struct rtls_question *question = &request->question;
	const enum rtls_status status =
		rtls_exim_load_site(request->config, err);

	if (status != RTLS_OK)
		return status;
	rtls_site_look_up(request->config, request->domain, request->now_s,
		&request->site);
	question->level = request->site.level;
	question->required = request->site.required;
	question->exempt = request->site.exempt;
	return RTLS_OK;
}

static void decide(struct rtls_request *request, const struct rtls_known *known,
	struct rtls_plan *plan)
{
	request->question.resolved = known->resolved;
	request->question.record = known->known ? &known->record : NULL;
	request->question.policy = known->has_policy ? &known->policy : NULL;
	rtls_verdict_route(&request->question, plan);
}

void rtls_request_look_again(
	struct rtls_request *request, struct rtls_plan *plan)
{
	const struct rtls_known *known = NULL;

	if (rtls_request_is_by_name(request)) {
		if (rtls_smart_host_ask(request->via, request->now_s, true,
			    &request->question)) {
			rtls_verdict_route(&request->question, plan);
			return;
		}
	} else {
		known = rtls_ask_again(
			request->config, request->domain, request->now_s);
	}
	if (known != NULL) {
		decide(request, known, plan);
		return;
	}
	plan->action = RTLS_DEFER;
	snprintf(plan->text, sizeof(plan->text),
		"4.7.0 %s does not qualify by what is known of it, and DNS "
		"cannot be asked again now",
		request->domain);
}

/* Neither can the cache be read nor the program be asked, say for want of
 * descriptors: an unexpired policy may be in force, so the message waits. */
static void put_off_unreadable(
	const struct rtls_request *request, struct rtls_plan *plan)
{
	if (plan->action != RTLS_DELIVER)
		return;
	plan->action = RTLS_DEFER;
	snprintf(plan->text, sizeof(plan->text),
		"4.3.0 what is known of %s cannot be read now",
		request->domain);
}

static bool answer_by_mx(struct rtls_request *request, struct rtls_plan *plan)
{
	const struct rtls_known *known = rtls_ask_known(
		request->config, request->domain, request->now_s);
	const bool fresh = known->asked;
	const bool unreadable = known->unreadable;

	decide(request, known, plan);
	if (plan->action == RTLS_FAIL && plan->recheck && !fresh)
		rtls_request_look_again(request, plan);
	if (unreadable)
		put_off_unreadable(request, plan);
	return fresh;
}

static void answer_by_name(struct rtls_request *request, struct rtls_plan *plan)
{
	const bool readable = rtls_smart_host_ask(
		request->via, request->now_s, false, &request->question);

	rtls_verdict_route(&request->question, plan);
	if (!request->question.literal)
		request->domain = request->question.domain.data;
	if (plan->action == RTLS_FAIL && plan->recheck)
		rtls_request_look_again(request, plan);
	if (!readable)
		put_off_unreadable(request, plan);
}

void rtls_request_answer_cached(
	struct rtls_request *request, struct rtls_plan *plan)
{
	request->question.via = request->via;
	decide(request,
		rtls_ask_cache(
			request->config, request->domain, request->now_s),
		plan);
}

/* Nobody's policy is looked at. */
static void answer_unasked(struct rtls_request *request, struct rtls_plan *plan)
{
	static const struct rtls_next_hops unnamed;

	if (request->via != NULL)
		request->question.via = &unnamed;
	request->question.resolved = true;
	rtls_verdict_route(&request->question, plan);
}

bool rtls_request_answer(struct rtls_request *request, struct rtls_plan *plan)
{
	struct rtls_question *question = &request->question;

	question->via = request->via;
	if (!rtls_question_needs_record(question)) {
		answer_unasked(request, plan);
		return false;
	}
	if (rtls_request_is_by_name(request)) {
		answer_by_name(request, plan);
		return false;
	}
	return answer_by_mx(request, plan);
}
