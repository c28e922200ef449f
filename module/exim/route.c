/* route.c - ${dlfunc{...}{requiretls_route}{domain}[{next hop}]}: what the
 * routers do with a message to this domain, as address_data (policy/verdict.h).
 *
 * Runs as root in every delivery: reads the configuration, the site's rules and
 * exemptions (site.c) and one cache record, and only when that is missing or
 * stale starts the program that asks the network. The policy domain is the recipient domain as written, or the
 * smart host (RFC 8461 section 3.4). */
#include "exim/scan.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exim/helper.h"
#include "exim/site.h"
#include "policy/domain.h"
#include "policy/flags.h"
#include "policy/verdict.h"
#include "store/cache.h"
#include "store/config_file.h"
#include "store/refused.h"

#define PLAN_SIZE     (RTLS_STS_POLICY_SIZE_MAX + 64 * 1024)
#define ASKED_AGAIN_S 10

/* What is known about the domain; too large for the stack of a host we do
 * not own, and one routing at a time is all there is. */
struct knowledge {
	char buffer[RTLS_RECORD_SIZE_MAX + 1];
	struct rtls_record record; /* borrows from buffer */
	bool known;                /* record is filled */
	bool resolved;             /* and it is fresh */
	bool unreadable;           /* there may be one, for all we know */
	struct rtls_sts_policy policy;
	bool has_policy;
};

/* What the cache said stays as it is while the program is asked. */
static struct knowledge from_cache, from_network;

struct request {
	const struct rtls_config *config;
	const char *domain;
	int64_t now_s;
	struct rtls_site site;
	struct rtls_question question;
};

/* Our notes come from the program once per lookup, not once per message. The record's
 * parser lets in nothing but printable ASCII, so they need not be quoted again. */
static void log_notes(const char *domain, const struct rtls_record *record)
{
	for (size_t i = 0; i < record->note_count; i++)
		rtls_exim_log("%s: %.*s", domain, (int)record->note[i].size,
			record->note[i].data);
}

static void ask_cache(const struct request *request)
{
	struct knowledge *known = &from_cache;
	struct rtls_err err = { "" };
	enum rtls_status status = rtls_cache_get(request->config->spool,
		request->domain, known->buffer, &known->record, &err);

	known->known = status == RTLS_OK;
	known->unreadable = status == RTLS_TEMPORARY;
	known->resolved = known->known &&
			  rtls_record_is_fresh(&known->record, request->now_s);
	if (status != RTLS_OK && status != RTLS_NONE)
		rtls_exim_log("%s: cache record ignored: %s", request->domain,
			err.text);
}

/* A message with many recipients in one domain is routed in one process: ask
 * afresh once for all of them. */
static bool is_asked(const struct request *request)
{
	static char domain[RTLS_DOMAIN_SIZE];
	static int64_t asked_s;

	if (from_network.known && strcmp(domain, request->domain) == 0 &&
		request->now_s - asked_s < ASKED_AGAIN_S &&
		request->now_s >= asked_s)
		return true;
	snprintf(domain, sizeof(domain), "%s", request->domain);
	asked_s = request->now_s;
	return false;
}

/* False: the program has no answer, and what the cache said still counts. */
static bool ask_network(const struct request *request, bool fresh)
{
	struct knowledge *known = &from_network;
	struct rtls_err err = { "" };
	struct rtls_text answer;
	enum rtls_status status;

	if (is_asked(request) && fresh)
		return true;

	rtls_text_init(&answer, known->buffer, sizeof(known->buffer));
	status = rtls_helper_resolve(
		request->config, request->domain, fresh, &answer, &err);
	if (status == RTLS_OK)
		status = rtls_record_parse(rtls_text_slice(&answer),
			request->domain, &known->record, &err);
	known->known = known->resolved = status == RTLS_OK;
	if (known->known)
		log_notes(request->domain, &known->record);
	else
		rtls_exim_log("%s: %s could not resolve it: %s",
			request->domain, request->config->program, err.text);
	return known->known;
}

/* The text was valid when it was stored; a hand that edited it may have
 * erred. */
static void read_policy(const struct request *request, struct knowledge *known)
{
	struct rtls_err err = { "" };

	known->has_policy = false;
	if (!known->known ||
		!rtls_record_has_policy(&known->record, request->now_s))
		return;
	if (rtls_sts_policy_parse(
		    known->record.policy_text, &known->policy, &err) == RTLS_OK)
		known->has_policy = true;
	else
		rtls_exim_log("%s: cached policy ignored: %s", request->domain,
			err.text);
}

static void decide(struct request *request, struct knowledge *known,
	struct rtls_plan *plan)
{
	read_policy(request, known);
	request->question.resolved = known->resolved;
	request->question.record = known->known ? &known->record : NULL;
	request->question.policy = known->has_policy ? &known->policy : NULL;
	rtls_verdict_route(&request->question, plan);
}

/* RFC 8461 section 5.1: no bounce by what the cache says before a look at
 * DNS. */
static void recheck(struct request *request, struct rtls_plan *plan)
{
	if (ask_network(request, true)) {
		decide(request, &from_network, plan);
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
		recheck(request, plan);
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
	if (!from_cache.unreadable || plan->action != RTLS_DELIVER)
		return;
	plan->action = RTLS_DEFER;
	snprintf(plan->text, sizeof(plan->text),
		"4.3.0 what is known of %s cannot be read now",
		request->domain);
}

static void route(struct request *request, struct rtls_plan *plan)
{
	bool fresh = false;

	from_cache.known = from_cache.resolved = from_cache.unreadable = false;
	if (rtls_question_needs_record(&request->question))
		ask_cache(request);
	else
		from_cache.resolved = true; /* nothing to ask */
	if (!from_cache.resolved && ask_network(request, false)) {
		decide(request, &from_network, plan);
		fresh = true;
	} else {
		decide(request, &from_cache, plan);
		if (plan->action == RTLS_FAIL && plan->recheck)
			recheck(request, plan);
		put_off_unreadable(request, plan);
	}
	apply_refused_note(request, fresh, plan);
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
static void log_site(const struct request *request,
	const struct rtls_plan *plan, struct rtls_text *out)
{
	for (unsigned one = 1; one <= plan->required; one <<= 1)
		if ((plan->required & one) != 0)
			rtls_text_printf(out, " rule=require-%s",
				rtls_protection_name(one));
	if (plan->exempt != 0)
		rtls_exemptions_describe(request->site.exemptions,
			request->question.domain, request->now_s, plan->exempt,
			out);
}

/* One line per decision that is more than plain (DESIGN: "What the log says"). */
static void log_plan(
	const struct request *request, const struct rtls_plan *plan)
{
	static char line[2048];
	struct rtls_text out;
	const struct rtls_flags *flags = &request->question.flags;

	if (plan->action == RTLS_DELIVER && plan->class == RTLS_CLASS_OBSERVE &&
		flags->dnssec == RTLS_DNSSEC_NO && plan->exempt == 0)
		return;
	rtls_text_init(&out, line, sizeof(line));
	rtls_text_printf(&out, "%s", request->domain);
	if (plan->action == RTLS_DELIVER)
		rtls_text_printf(
			&out, " class=%s", rtls_class_name(plan->class));
	else
		rtls_text_printf(&out, " %s: %s",
			plan->action == RTLS_FAIL ? "refused" : "put off",
			plan->text);
	if (flags->requiretls != RTLS_REQUIRETLS_NO)
		rtls_text_printf(
			&out, " by=%s", rtls_flagged_by_name(flags->by));
	if (flags->dnssec != RTLS_DNSSEC_NO)
		rtls_text_printf(&out, " rule=dnssec%s",
			flags->dnssec == RTLS_DNSSEC_REQUIRE ? "-secure" : "");
	log_site(request, plan, &out);
	if (plan->action == RTLS_DELIVER && plan->sts)
		rtls_text_printf(&out, " sts=%s id=%.*s",
			rtls_sts_mode_name(plan->sts_mode),
			(int)plan->policy_id.size, plan->policy_id.data);
	if (plan->action == RTLS_DELIVER && plan->record != NULL &&
		plan->class != RTLS_CLASS_RELAXED)
		log_hosts(plan, &out);
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
	const enum rtls_status status = rtls_site_read(request->config,
		request->domain, request->now_s, &request->site);

	if (status != RTLS_OK)
		return status;
	question->level = request->site.level;
	question->required = request->site.required;
	question->exempt = request->site.exempt;
	return RTLS_OK;
}

static int route_domain(uschar **yield, const struct rtls_config *config,
	struct rtls_slice domain)
{
	static char normalized[RTLS_DOMAIN_SIZE];
	struct request request = {
		.config = config, .domain = normalized, .now_s = time(NULL)
	};
	struct rtls_plan plan;

	request.question.config = config;
	request.question.wire_support = rtls_exim_speaks_requiretls();
	request.question.empty_sender =
		rtls_exim_value("$sender_address").size == 0;
	flags_of_message(config, &request.question.flags);
	/* What is no name DNS could know gets the treatment of an address: the
	 * site's routers say no to it, unless the message is flagged. */
	request.question.literal =
		rtls_domain_is_literal(domain) ||
		rtls_exim_domain(domain, normalized) != RTLS_OK;
	if (request.question.literal)
		rtls_quote(normalized, sizeof(normalized), domain);
	request.question.domain = rtls_slice(normalized);
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
	struct rtls_slice domain;

	if (config == NULL)
		return rtls_exim_return(yield,
			rtls_slice(
				"defer=\"4.3.5 local configuration error\""));
	if (argc < 1 || argc > 2)
		return rtls_exim_return(yield,
			rtls_slice("defer=\"4.3.5 requiretls_route takes a "
				   "domain and perhaps a next hop\""));
	domain = rtls_slice((const char *)argv[argc - 1]);
	if (domain.size == 0)
		domain = rtls_slice((const char *)argv[0]);
	return route_domain(yield, config, domain);
}
