/* route.c - ${dlfunc{...}{requiretls_route}{domain}[{next hop}]}: what the
 * routers do with a message to this domain, as address_data (policy/verdict.h).
 *
 * Runs as root in every delivery: reads the configuration, the site's rules and
 * exemptions (site.c) and one cache record, and only when that is missing or
 * stale starts the program that asks the network (ask.h). What is asked is request.h's. */
#include "exim/scan.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exim/count.h"
#include "exim/request.h"
#include "policy/decision.h"
#include "policy/flags.h"
#include "policy/verdict.h"
#include "store/config_file.h"
#include "store/refused.h"

#define PLAN_SIZE (RTLS_STS_POLICY_SIZE_MAX + 64 * 1024)

/* The text of the note that all hosts were refused for this message; not of one that is about
 * other hosts, or another policy. */
static bool has_refused_note(const struct rtls_request *request,
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
	struct rtls_request *request, bool fresh, struct rtls_plan *plan)
{
	char text[RTLS_ERR_SIZE];

	if (!has_refused_note(request, plan, text))
		return;
	if (!fresh) {
		rtls_request_look_again(request, plan);
		if (!has_refused_note(request, plan, text))
			return;
	}
	plan->action = RTLS_FAIL;
	plan->recheck = false;
	snprintf(plan->text, sizeof(plan->text), "%s", text);
}

/* One line per decision that is more than plain. */
static void log_plan(
	const struct rtls_request *request, const struct rtls_plan *plan)
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

static void count_plan(
	const struct rtls_config *config, const struct rtls_plan *plan)
{
	const char *class = rtls_class_name(plan->class);

	if (plan->action == RTLS_FAIL)
		rtls_count_bounce(config, class, rtls_slice(plan->text));
	else if (plan->action == RTLS_DEFER)
		rtls_count_put_off(config, class, rtls_slice(plan->text));
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

static int route_domain(uschar **yield, const struct rtls_config *config,
	struct rtls_slice domain, struct rtls_slice next_hop)
{
	struct rtls_request request = { .config = config, .now_s = time(NULL) };
	struct rtls_err err = { "" };
	struct rtls_plan plan;
	bool fresh;

	request.question.config = config;
	request.question.wire_support = rtls_exim_speaks_requiretls();
	request.question.empty_sender =
		rtls_exim_value("$sender_address").size == 0;
	flags_of_message(config, &request.question.flags);
	rtls_request_name(&request, domain, next_hop);
	if (rtls_request_ask_site(&request, &err) != RTLS_OK) {
		rtls_exim_log("configuration error: %s", err.text);
		rtls_count_put_off(config, "unknown", rtls_slice("4.3.5"));
		return rtls_exim_return(yield,
			rtls_slice(
				"defer=\"4.3.5 local configuration error\""));
	}
	fresh = rtls_request_answer(&request, &plan);
	apply_refused_note(&request, fresh, &plan);
	log_plan(&request, &plan);
	count_plan(config, &plan);
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
