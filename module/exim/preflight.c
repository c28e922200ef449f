/* preflight.c - ${dlfunc{...}{requiretls_preflight}{address}[{next hop}[{elsewhere}]]}: with
 * which text a flagged message is going to be returned, for ACLs that would rather refuse it
 * (module/conf/acl.conf); "" when nothing is known against it.
 *
 * address    a recipient that is about to be accepted; "" for all there are: then the
 *            text is that of the first, and only where none of them would get it
 * next hop   as for requiretls_route()
 * elsewhere  domains that our router does not see: "+local_domains" when it is left out
 *
 * It is the router's own decision (request.h), made while a stranger waits: on a budget, and
 * not at all about messages of which nothing is demanded. Only what is for good
 * refuses. What cannot be said now, and any trouble of ours, is nothing. */
#include "exim/scan.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exim/ask.h"
#include "exim/request.h"
#include "store/smart_hosts.h"

/* In one connection, which is one process: how many lookups, and how many times
 * preflight_timeout. */
#define LOOKUPS_MAX 32
#define WAITS_MAX   4

struct preflight {
	const struct rtls_config *config;
	struct rtls_slice next_hop;
	const char *elsewhere;
	struct rtls_flags flags;
};

/* The caller says nothing to the client, so the operator has to be told: once. */
static void complain(const char *why)
{
	static bool complained;

	if (!complained)
		rtls_exim_log("preflight does not work: %s", why);
	complained = true;
}

/* --- whose mail it is ---------------------------------------------------------------- */

/* Can it stand in an expansion? As it came, for that is what Exim's lists have. */
static bool is_plain(struct rtls_slice domain)
{
	for (size_t i = 0; i < domain.size; i++) {
		const unsigned char c = (unsigned char)domain.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c >= 0x80 ||
			    (c != '\0' && strchr("-._:[]", c) != NULL)))
			return false;
	}
	return domain.size > 0;
}

static bool is_elsewhere(
	const struct preflight *preflight, struct rtls_slice domain)
{
	char what[2048];
	struct rtls_text text;
	const char *answer;

	if (!is_plain(domain))
		return true;
	rtls_text_init(&text, what, sizeof(what));
	rtls_text_printf(&text, "${if match_domain{%.*s}{%s}{yes}{no}}",
		(int)domain.size, domain.data, preflight->elsewhere);
	answer = text.overflow ? NULL : rtls_exim_expand(what);
	if (answer == NULL)
		complain(
			"it cannot be seen which domains are routed elsewhere");
	return answer == NULL || strcmp(answer, "no") != 0;
}

/* --- what becomes of it -------------------------------------------------------------- */

/* No lookup is made: neither by the program nor, for smart hosts, by Exim. A policy of which
 * there is a newer one may be no reason to refuse (RFC 8461 section 5.1). */
static bool fails_by_cache(struct rtls_request *request, struct rtls_plan *plan)
{
	rtls_request_answer_cached(request, plan);
	return plan->action == RTLS_FAIL && !(plan->recheck && plan->sts);
}

static bool fails(struct rtls_request *request, struct rtls_plan *plan)
{
	const bool by_name = rtls_request_is_by_name(request);

	if (by_name && rtls_smart_hosts_are_literal(request->via))
		request->question.literal = true;
	if (rtls_verdict_is_certain(&request->question, plan))
		return true;
	if (by_name) /* the rest would take lookups of Exim's */
		return false;
	if (request->config->preflight_timeout_ms == 0)
		return fails_by_cache(request, plan);
	rtls_request_answer(request, plan);
	return plan->action == RTLS_FAIL;
}

static bool is_refused(const struct preflight *preflight,
	struct rtls_slice domain, struct rtls_plan *plan)
{
	struct rtls_request request = { .config = preflight->config,
		.now_s = time(NULL) };
	struct rtls_question *question = &request.question;
	struct rtls_err err = { "" };

	if (is_elsewhere(preflight, domain))
		return false;
	question->config = preflight->config;
	question->wire_support = rtls_exim_speaks_requiretls();
	question->empty_sender = *rtls_exim_sender() == '\0';
	question->flags = preflight->flags;
	rtls_request_name(&request, domain, preflight->next_hop);
	if (rtls_request_ask_site(&request, &err) != RTLS_OK) {
		complain(err.text);
		return false;
	}
	return rtls_question_demands(question) && fails(&request, plan);
}

/* --- the answer ---------------------------------------------------------------------- */

static struct rtls_slice domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return rtls_slice(at == NULL ? "" : at + 1);
}

/* A refusal is for the whole message: as long as one recipient may get it there is none. */
static bool are_all_refused(
	const struct preflight *preflight, struct rtls_plan *first)
{
	const int count = rtls_exim_recipient_count();
	struct rtls_plan other;

	for (int i = 0; i < count; i++)
		if (!is_refused(preflight, domain_of(rtls_exim_recipient(i)),
			    i == 0 ? first : &other))
			return false;
	return count > 0;
}

static unsigned lesser(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* One command gets of the budget what is left for the connection, and not all of that. */
static bool answer(const struct preflight *preflight, const char *address,
	struct rtls_plan *plan)
{
	static unsigned lookups = LOOKUPS_MAX, waited_ms;
	const unsigned timeout_ms = preflight->config->preflight_timeout_ms;
	const unsigned granted_ms = lesser(
		timeout_ms, WAITS_MAX * timeout_ms -
				    lesser(waited_ms, WAITS_MAX * timeout_ms));
	struct rtls_ask_budget budget = { lookups, granted_ms };
	bool refused;

	rtls_ask_on(&budget);
	refused = *address != '\0'
			  ? is_refused(preflight, domain_of(address), plan)
			  : are_all_refused(preflight, plan);
	rtls_ask_on(NULL);
	lookups = budget.lookups;
	waited_ms += granted_ms - budget.wait_ms;
	return refused;
}

RTLS_EXPORT int requiretls_preflight(uschar **yield, int argc, uschar *argv[]);

int requiretls_preflight(uschar **yield, int argc, uschar *argv[])
{
	const char *address = argc > 0 ? (const char *)argv[0] : "";
	struct preflight preflight = { .config = rtls_exim_config(NULL),
		.next_hop = rtls_slice(argc > 1 ? (const char *)argv[1] : NULL),
		.elsewhere =
			argc > 2 ? (const char *)argv[2] : "+local_domains" };
	struct rtls_err err = { "" };
	struct rtls_plan plan;

	if (argc < 1 || argc > 3)
		complain("requiretls_preflight takes an address and perhaps a "
			 "next hop and a domain list");
	else if (preflight.config == NULL)
		; /* rtls_exim_config() has said why */
	else if (rtls_scan_ahead(preflight.config, address, &preflight.flags,
			 &err) != RTLS_OK)
		complain(err.text);
	else if (answer(&preflight, address, &plan))
		return rtls_exim_return(yield, rtls_slice(plan.text));
	return rtls_exim_return(yield, rtls_slice(""));
}
