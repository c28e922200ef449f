/* route.c - ${dlfunc{...}{requiretls_route}{domain}[{next hop}]}: what the
 * routers do with a message to this domain, as address_data (policy/verdict.h).
 *
 * Runs as root in every delivery: reads the configuration, the site's rules and
 * exemptions (site.c) and one cache record, and only when that is missing or
 * stale starts the program that asks the network (ask.h). The policy domain is the recipient domain as written, or the
 * smart host (RFC 8461 section 3.4): the next hop is a list as the site's manualroute
 * router has it, see policy/next_hop.h; an empty one is none. */
#include "exim/scan.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exim/ask.h"
#include "exim/smart_host.h"
#include "policy/decision.h"
#include "policy/domain.h"
#include "policy/flags.h"
#include "policy/next_hop.h"
#include "policy/verdict.h"
#include "store/config_file.h"
#include "store/refused.h"
#include "store/site.h"

#define PLAN_SIZE (RTLS_STS_POLICY_SIZE_MAX + 64 * 1024)

struct request {
	const struct rtls_config *config;
	const char *recipient; /* the recipient's domain, quoted */
	const char *domain;    /* the policy domain; of smart hosts the first */
	const struct rtls_next_hops *via;
	int64_t now_s;
	struct rtls_site site;
	struct rtls_question question;
};

static bool is_by_name(const struct request *request)
{
	return request->via != NULL && !request->via->hop[0].by_mx;
}

static void decide(struct request *request, const struct rtls_known *known,
	struct rtls_plan *plan)
{
	request->question.resolved = known->resolved;
	request->question.record = known->known ? &known->record : NULL;
	request->question.policy = known->has_policy ? &known->policy : NULL;
	rtls_verdict_route(&request->question, plan);
}

/* RFC 8461 section 5.1: no bounce by what the cache says before a look at
 * DNS. */
static void look_again(struct request *request, struct rtls_plan *plan)
{
	const struct rtls_known *known = NULL;

	if (is_by_name(request)) {
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

/* The text of the note that all hosts were refused for this message; not of one that is about
 * other hosts, or another policy. */
static bool has_refused_note(const struct request *request,
	const struct rtls_plan *plan, char text[RTLS_ERR_SIZE])
{
	const char *id = rtls_exim_expand("$message_exim_id");
	char mark[16];
	size_t size;

	if (plan->action != RTLS_DELIVER || plan->class != RTLS_CLASS_STRICT ||
		id == NULL || *id == '\0' ||
		rtls_refused_get(request->config->spool, id, request->domain,
			text, NULL) != RTLS_OK)
		return false;
	size = (size_t)snprintf(
		mark, sizeof(mark), "%08x ", rtls_plan_mark(plan));
	if (!rtls_slice_starts(rtls_slice(text), mark))
		return false;
	memmove(text, text + size, strlen(text + size) + 1);
	return true;
}

/* On an Exim without the patches a transport cannot bounce: session.c left a
 * note, and the bounce is made here; not without a look at DNS either. */
static void apply_refused_note(
	struct request *request, bool fresh, struct rtls_plan *plan)
{
	char text[RTLS_ERR_SIZE];

	if (!has_refused_note(request, plan, text))
		return;
	if (!fresh) {
		look_again(request, plan);
		if (!has_refused_note(request, plan, text))
			return;
	}
	plan->action = RTLS_FAIL;
	plan->recheck = false;
	snprintf(plan->text, sizeof(plan->text), "%s", text);
}

/* Neither can the cache be read nor the program be asked, say for want of
 * descriptors: an unexpired policy may be in force, so the message waits. */
static void put_off_unreadable(
	const struct request *request, struct rtls_plan *plan)
{
	if (plan->action != RTLS_DELIVER)
		return;
	plan->action = RTLS_DEFER;
	snprintf(plan->text, sizeof(plan->text),
		"4.3.0 what is known of %s cannot be read now",
		request->domain);
}

static void route_by_mx(struct request *request, struct rtls_plan *plan)
{
	const struct rtls_known *known = rtls_ask_known(
		request->config, request->domain, request->now_s);
	const bool fresh = known->asked;
	const bool unreadable = known->unreadable;

	decide(request, known, plan);
	if (plan->action == RTLS_FAIL && plan->recheck && !fresh)
		look_again(request, plan);
	if (unreadable)
		put_off_unreadable(request, plan);
	apply_refused_note(request, fresh, plan);
}

static void route_by_name(struct request *request, struct rtls_plan *plan)
{
	const bool readable = rtls_smart_host_ask(
		request->via, request->now_s, false, &request->question);

	rtls_verdict_route(&request->question, plan);
	if (!request->question.literal)
		request->domain = request->question.domain.data;
	if (plan->action == RTLS_FAIL && plan->recheck)
		look_again(request, plan);
	if (!readable)
		put_off_unreadable(request, plan);
	apply_refused_note(request, false, plan);
}

/* Nobody's policy is looked at. */
static void route_unasked(struct request *request, struct rtls_plan *plan)
{
	static const struct rtls_next_hops unnamed;

	if (request->via != NULL)
		request->question.via = &unnamed;
	request->question.resolved = true;
	rtls_verdict_route(&request->question, plan);
}

static void route(struct request *request, struct rtls_plan *plan)
{
	struct rtls_question *question = &request->question;

	question->via = request->via;
	if (!rtls_question_needs_record(question))
		route_unasked(request, plan);
	else if (is_by_name(request))
		route_by_name(request, plan);
	else
		route_by_mx(request, plan);
}

/* One line per decision that is more than plain. */
static void log_plan(
	const struct request *request, const struct rtls_plan *plan)
{
	static char line[2048];
	struct rtls_text out;
	const struct rtls_decision decision = {
		.recipient = request->via == NULL ? request->domain
						  : request->recipient,
		.question = &request->question,
		.plan = plan,
		.via = request->via,
		.exemptions = request->site.exemptions,
		.now_s = request->now_s,
	};

	if (rtls_decision_is_plain(&decision))
		return;
	rtls_text_init(&out, line, sizeof(line));
	rtls_decision_format(&decision, &out);
	rtls_exim_log("%s", line);
}

static int answer(uschar **yield, const struct rtls_plan *plan)
{
	static char buffer[PLAN_SIZE];
	struct rtls_text text;

	rtls_text_init(&text, buffer, sizeof(buffer));
	if (rtls_plan_format(plan, &text) != RTLS_OK)
		return rtls_exim_return(yield,
			rtls_slice("defer=\"4.3.0 requiretls: the plan does "
				   "not fit\""));
	return rtls_exim_return(yield, rtls_text_slice(&text));
}

/* The tag is taken off when a message is received. Here it still is on an
 * address that is only being verified, and on one an alias leads to. Where a
 * router takes it off, it was on the address this one comes from. */
static bool has_tag(const struct rtls_config *config)
{
	static const char *const names[] = { "$local_part",
		"$parent_local_part", "$original_local_part" };
	struct rtls_slice tag = rtls_slice(config->tag);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct rtls_slice local_part = rtls_exim_value(names[i]);

		if (tag.size > 0 && local_part.size > tag.size &&
			rtls_slice_ends_nocase(local_part, tag))
			return true;
	}
	return false;
}

static void flags_of_message(
	const struct rtls_config *config, struct rtls_flags *flags)
{
	rtls_scan_flags(flags);
	/* Exim's own flag, whoever set it, and when. */
	if (rtls_flag_value_is_yes(rtls_exim_value("$requiretls")))
		rtls_flags_set(flags, RTLS_BY_ESMTP);
	if (has_tag(config))
		rtls_flags_set(flags, RTLS_BY_TAG);
}

static enum rtls_status ask_site(struct request *request)
{
	struct rtls_question *question = &request->question;
	struct rtls_err err = { "" };
	const enum rtls_status status = rtls_site_read(request->config,
		request->domain, request->now_s, &request->site, &err);

	if (status != RTLS_OK) {
		rtls_exim_log("configuration error: %s", err.text);
		return status;
	}
	question->level = request->site.level;
	question->required = request->site.required;
	question->exempt = request->site.exempt;
	return RTLS_OK;
}

/* What is no name DNS could know gets the treatment of an address: the
 * site's routers say no to it, unless the message is flagged. */
static void name_domain(struct request *request, struct rtls_slice domain)
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
static void name_next_hop(struct request *request, struct rtls_next_hops *hops)
{
	request->via = hops;
	name_domain(request, rtls_slice(hops->hop[0].host));
	if (is_by_name(request)) /* smart_host.h says whether all are */
		request->question.literal = false;
	else if (!request->question.literal)
		memcpy(hops->hop[0].host, request->domain, RTLS_DOMAIN_SIZE);
}

static void name_policy_domain(struct request *request,
	struct rtls_slice domain, struct rtls_slice next_hop)
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

static int route_domain(uschar **yield, const struct rtls_config *config,
	struct rtls_slice domain, struct rtls_slice next_hop)
{
	struct request request = { .config = config, .now_s = time(NULL) };
	struct rtls_plan plan;

	request.question.config = config;
	request.question.wire_support = rtls_exim_speaks_requiretls();
	request.question.empty_sender =
		rtls_exim_value("$sender_address").size == 0;
	flags_of_message(config, &request.question.flags);
	name_policy_domain(&request, domain, next_hop);
	if (ask_site(&request) != RTLS_OK)
		return rtls_exim_return(yield,
			rtls_slice(
				"defer=\"4.3.5 local configuration error\""));
	route(&request, &plan);
	log_plan(&request, &plan);
	return answer(yield, &plan);
}

RTLS_EXPORT int requiretls_route(uschar **yield, int argc, uschar *argv[]);

int requiretls_route(uschar **yield, int argc, uschar *argv[])
{
	const struct rtls_config *config = rtls_exim_config(NULL);

	if (config == NULL)
		return rtls_exim_return(yield,
			rtls_slice(
				"defer=\"4.3.5 local configuration error\""));
	if (argc < 1 || argc > 2)
		return rtls_exim_return(yield,
			rtls_slice("defer=\"4.3.5 requiretls_route takes a "
				   "domain and perhaps a next hop\""));
	return route_domain(yield, config, rtls_slice((const char *)argv[0]),
		rtls_slice(argc > 1 ? (const char *)argv[1] : NULL));
}
