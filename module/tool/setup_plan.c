/* setup_plan.c - see setup_plan.h. */
#include "tool/setup_plan.h"

#include <string.h>

#define BY_HAND                                                                \
	"by hand: .include_if_exists " RTLS_STANZAS "/main.conf before the "   \
	"first \"begin\", .../routers.conf before the router that sends to "   \
	"other hosts, .../transports.conf behind \"begin transports\""

#define FLAG_NOT_SMTP                                                          \
	".ifdef REQUIRETLS_EVENT\n"                                            \
	"acl_not_smtp = requiretls_flag_message\n"                             \
	".endif\n"
#define FLAG_SMTP                                                              \
	".ifdef REQUIRETLS_EVENT\n"                                            \
	"acl_smtp_data = requiretls_flag_message\n"                            \
	".endif\n"
#define FLAG_IN_ACL                                                            \
	".ifdef REQUIRETLS_EVENT\n"                                            \
	"  require acl = requiretls_flag_message\n"                            \
	".endif\n"

struct planner {
	const struct rtls_exim_conf *conf;
	const struct rtls_setup_wish *wish;
	struct rtls_setup_plan *plan;
	struct rtls_findings *findings;
	const struct rtls_exim_block *router; /* ours stand before */
	struct rtls_slice smart_host, login, protocol;
	char host[160];
	char acl_options[256];
};

#define SAY(planner, level, topic, advice, ...)                                \
	rtls_findings_add((planner)->findings, RTLS_FINDING_##level, (topic),  \
		(advice), __VA_ARGS__)

static bool refuse(struct planner *planner, const char *topic, const char *text)
{
	SAY(planner, BAD, topic, BY_HAND, "%s", text);
	return false;
}

/* --- the texts ------------------------------------------------------------------- */

static void define(
	struct rtls_text *out, const char *macro, struct rtls_slice value)
{
	if (value.size == 0)
		return;
	rtls_text_printf(out, ".ifndef %s\n%s = ", macro, macro);
	rtls_text_add(out, value);
	rtls_text_add(out, rtls_slice("\n.endif\n"));
}

void rtls_setup_main_text(struct rtls_text *out,
	const struct rtls_setup_wish *wish, struct rtls_slice smart_host,
	struct rtls_slice login, struct rtls_slice protocol,
	const char *acl_options)
{
	define(out, "REQUIRETLS_VIA", smart_host);
	define(out, "REQUIRETLS_LOGIN_HOSTS", login);
	define(out, "REMOTE_SMTP_SMARTHOST_PROTOCOL", protocol);
	if (wish->by_acl)
		define(out, "REQUIRETLS_BY_ACL", rtls_slice("yes"));
	rtls_text_add(out,
		rtls_slice(".include_if_exists " RTLS_STANZAS "/main.conf\n"));
	if (wish->by_acl)
		rtls_text_add(out, rtls_slice(acl_options));
}

const char *rtls_setup_observe_text(bool multi_domain)
{
	return multi_domain ? ".ifdef REQUIRETLS_EVENT\n"
			      "  event_action = REQUIRETLS_EVENT\n"
			      "  multi_domain = false\n"
			      ".endif\n"
			    : ".ifdef REQUIRETLS_EVENT\n"
			      "  event_action = REQUIRETLS_EVENT\n"
			      ".endif\n";
}

/* Blocks are kept sorted by where they go. */
static bool add(struct planner *planner, size_t at, const char *text)
{
	struct rtls_setup_plan *plan = planner->plan;
	size_t i = plan->count;

	if (plan->count == RTLS_SETUP_BLOCKS_MAX)
		return refuse(
			planner, "config", "too much would have to go in");
	for (; i > 0 && plan->block[i - 1].at > at; i--)
		plan->block[i] = plan->block[i - 1];
	plan->block[i] = (struct rtls_setup_block){ at, text };
	plan->count++;
	return true;
}

/* --- routers ----------------------------------------------------------------------- */

void rtls_setup_warn_of_routers(const struct rtls_exim_conf *conf,
	const struct rtls_exim_block *behind, struct rtls_findings *findings)
{
	for (size_t i = 0; i < conf->count; i++) {
		const struct rtls_exim_block *block = &conf->block[i];
		struct rtls_quoted name;

		if (behind != NULL && block->begin >= behind->begin)
			break;
		if (rtls_slice_is(block->name, "hubbed_hosts"))
			continue;
		if (rtls_exim_block_is_for_some(block) ||
			(behind == NULL && rtls_exim_block_is_remote(block)))
			rtls_findings_add(findings, RTLS_FINDING_WARNING,
				"routers",
				"right where they are hosts of your own; else "
				"move it behind ours",
				"the router %s stands before ours: nothing "
				"is looked at of the mail that it takes",
				rtls_quoted(&name, block->name));
	}
}

/* Where a condition around it begins, else where its name stands. */
static bool find_place(struct planner *planner, size_t *at)
{
	const struct rtls_exim_block *router = planner->router;

	*at = router->begin;
	if (router->condition == RTLS_EXIM_NOWHERE)
		return true;
	if (router->condition <= planner->conf->begin[RTLS_EXIM_ROUTERS])
		return refuse(planner, "routers",
			"an .if that began before the routers is still open");
	for (size_t i = 0; i < planner->conf->count; i++) {
		const struct rtls_exim_block *block = &planner->conf->block[i];

		if (block->begin > router->condition &&
			block->begin < router->begin &&
			block->condition == router->condition)
			return refuse(planner, "routers",
				"the router that sends to other hosts stands "
				"behind others in an .if");
	}
	*at = router->condition;
	return true;
}

static const struct rtls_exim_block *find_router(
	const struct rtls_exim_conf *conf)
{
	for (size_t i = 0; i < conf->count; i++)
		if (rtls_exim_block_is_remote(&conf->block[i]))
			return &conf->block[i];
	for (size_t i = 0; i < conf->count; i++)
		if (rtls_exim_block_is_for_some(&conf->block[i]) &&
			rtls_slice_is(conf->block[i].driver, "dnslookup"))
			return &conf->block[i];
	return NULL;
}

static bool plan_routers(struct planner *planner)
{
	struct rtls_quoted name;
	size_t at;

	planner->router = find_router(planner->conf);
	if (planner->router == NULL)
		return refuse(planner, "routers",
			planner->conf->has_include[RTLS_EXIM_ROUTERS]
				? "no router here sends to other hosts, and "
				  "what is included I do not change"
				: "no router here sends to other hosts");
	if (!find_place(planner, &at))
		return false;
	planner->plan->before = planner->router->name;
	SAY(planner, GOOD, "routers", NULL, "ours go before the router %s",
		rtls_quoted(&name, planner->router->name));
	rtls_setup_warn_of_routers(
		planner->conf, planner->router, planner->findings);
	return add(planner, at,
		".include_if_exists " RTLS_STANZAS "/routers.conf\n");
}

/* --- a smart host ---------------------------------------------------------------------- */

/* Host names, ports and macros, nothing that would be expanded. */
static bool is_plain_list(struct rtls_slice hosts)
{
	for (size_t i = 0; i < hosts.size; i++) {
		const char c = hosts.data[i];

		if (c == '\0' ||
			!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				(c >= '0' && c <= '9') ||
				strchr(".-_:[] +", c) != NULL))
			return false;
	}
	return hosts.size > 0;
}

/* route_list = * "a.example : b.example::587" byname */
static bool read_route(struct rtls_slice list, struct rtls_slice *hosts)
{
	struct rtls_slice word;

	if (list.size == 0 || memchr(list.data, ';', list.size) != NULL ||
		!rtls_slice_word(&list, &word) || !rtls_slice_is(word, "*"))
		return false;
	list = rtls_slice_trim(list);
	if (list.size > 0 && list.data[0] == '"') {
		list = rtls_slice_n(list.data + 1, list.size - 1);
		*hosts = rtls_slice_trim(rtls_slice_take(&list, '"'));
	} else if (!rtls_slice_word(&list, hosts)) {
		return false;
	}
	return is_plain_list(*hosts);
}

/* The port may stand in the transport. */
static bool add_port(struct planner *planner, struct rtls_slice port)
{
	struct rtls_slice *hosts = &planner->smart_host;
	struct rtls_text text;
	unsigned long long number;

	if (port.size == 0 || memmem(hosts->data, hosts->size, "::", 2) != NULL)
		return true;
	if (memchr(hosts->data, ':', hosts->size) != NULL ||
		!rtls_slice_number(port, 65535, &number))
		return false;
	rtls_text_init(&text, planner->host, sizeof(planner->host));
	rtls_text_add(&text, *hosts);
	rtls_text_printf(&text, "::%llu", number);
	*hosts = rtls_text_slice(&text);
	return !text.overflow;
}

static bool plan_smart_host(struct planner *planner)
{
	const struct rtls_exim_block *router = planner->router, *transport;
	static const char advice[] =
		"write REQUIRETLS_VIA = and its host list into the main "
		"section, see \"Smart hosts\" in OPERATING.md";
	struct rtls_quoted hosts;

	if (!rtls_slice_is(router->driver, "manualroute") ||
		planner->wish->is_debian || planner->conf->has_via)
		return true;
	transport = rtls_exim_conf_find(
		planner->conf, RTLS_EXIM_TRANSPORTS, router->transport);
	if (transport == NULL ||
		!read_route(router->route_list, &planner->smart_host) ||
		!add_port(planner, transport->port)) {
		SAY(planner, BAD, "smart-host", advice,
			"the router %s sends all mail to a smart host, and "
			"which one I do not understand",
			rtls_quoted(&hosts, router->name));
		return false;
	}
	planner->login = transport->login;
	if (planner->login.size > 0 &&
		planner->login.data[planner->login.size - 1] == '\\') {
		planner->login.size = 0;
		SAY(planner, WARNING, "smart-host",
			"define REQUIRETLS_LOGIN_HOSTS as it in the main "
			"section",
			"hosts_try_auth of its transport goes over several "
			"lines: ours will not log in");
	}
	if (rtls_slice_is(transport->protocol, "smtps"))
		planner->protocol = transport->protocol;
	SAY(planner, GOOD, "smart-host", NULL,
		"all mail goes to %s: its policies count",
		rtls_quoted(&hosts, planner->smart_host));
	return true;
}

/* --- transports --------------------------------------------------------------------- */

bool rtls_setup_may_observe(const struct rtls_exim_block *transport,
	bool *multi_domain, struct rtls_findings *findings)
{
	struct rtls_quoted name;

	(void)rtls_quoted(&name, transport->name);
	*multi_domain = transport->multi_domain.size == 0;
	if (!rtls_slice_is(transport->driver, "smtp") ||
		rtls_slice_is(transport->protocol, "lmtp"))
		return false;
	if (transport->event_action.size == 0) {
		rtls_findings_add(findings, RTLS_FINDING_GOOD, "transport",
			NULL, "%s gets event_action: its mail is judged",
			name.text);
		return true;
	}
	if (transport->mentions_us)
		rtls_findings_add(findings, RTLS_FINDING_GOOD, "transport",
			NULL, "%s has our event_action already", name.text);
	else
		rtls_findings_add(findings, RTLS_FINDING_WARNING, "transport",
			"its mail is not judged and not reported; flags and "
			"policies of mode enforce count all the same",
			"%s has an event_action of somebody else, which stays",
			name.text);
	return false;
}

static bool is_seen(
	const struct rtls_setup_plan *plan, struct rtls_slice transport)
{
	for (size_t i = 0; i < plan->observed_count; i++)
		if (rtls_slice_equal(plan->observed[i], transport))
			return true;
	return false;
}

static bool observe(
	struct planner *planner, const struct rtls_exim_block *router)
{
	struct rtls_setup_plan *plan = planner->plan;
	const struct rtls_exim_block *transport = rtls_exim_conf_find(
		planner->conf, RTLS_EXIM_TRANSPORTS, router->transport);
	struct rtls_quoted name;
	bool multi_domain;

	if (is_seen(plan, router->transport) ||
		plan->observed_count == RTLS_SETUP_TRANSPORTS_MAX)
		return true;
	if (transport == NULL ||
		transport->behind_driver == RTLS_EXIM_NOWHERE) {
		SAY(planner, WARNING, "transport",
			"add event_action = REQUIRETLS_EVENT to it by hand, if "
			"you want its mail judged and reported",
			"the transport of the router %s is not to be seen "
			"here",
			rtls_quoted(&name, router->name));
		return true;
	}
	if (!rtls_setup_may_observe(
		    transport, &multi_domain, planner->findings))
		return true;
	if (rtls_slice_is(router->driver, "manualroute"))
		multi_domain = false; /* all have the same policies */
	plan->observed[plan->observed_count++] = transport->name;
	return add(planner, transport->behind_driver,
		rtls_setup_observe_text(multi_domain));
}

static bool plan_transports(struct planner *planner)
{
	const struct rtls_exim_conf *conf = planner->conf;

	if (conf->behind[RTLS_EXIM_TRANSPORTS] == RTLS_EXIM_NOWHERE ||
		conf->is_conditional[RTLS_EXIM_TRANSPORTS])
		return refuse(planner, "transports",
			"\"begin transports\" is not here, or within an .if");
	if (!add(planner, conf->behind[RTLS_EXIM_TRANSPORTS],
		    ".include_if_exists " RTLS_STANZAS "/transports.conf\n"))
		return false;
	for (size_t i = 0; planner->wish->observes && i < conf->count; i++)
		if (rtls_exim_block_is_remote(&conf->block[i]) &&
			conf->block[i].begin >= planner->router->begin &&
			!observe(planner, &conf->block[i]))
			return false;
	return true;
}

/* --- ACLs, where there is no local_scan() --------------------------------------------- */

static struct rtls_slice data_acl(const struct planner *planner)
{
	/* Debian's macro for it. */
	if (rtls_slice_is(planner->conf->acl_smtp_data, "MAIN_ACL_CHECK_DATA"))
		return rtls_slice("acl_check_data");
	return planner->conf->acl_smtp_data;
}

/* They do nothing until an ACL of the site names one; preflight.conf does, on Debian. */
static bool include_acls(struct planner *planner)
{
	return add(planner, planner->conf->behind[RTLS_EXIM_ACL],
		".include_if_exists " RTLS_STANZAS "/acl.conf\n");
}

static bool plan_acl(struct planner *planner)
{
	const struct rtls_exim_conf *conf = planner->conf;
	const struct rtls_exim_block *acl =
		rtls_exim_conf_find(conf, RTLS_EXIM_ACL, data_acl(planner));
	const bool has_acls =
		conf->behind[RTLS_EXIM_ACL] != RTLS_EXIM_NOWHERE &&
		!conf->is_conditional[RTLS_EXIM_ACL];
	struct rtls_text options;

	if (!planner->wish->by_acl)
		return !has_acls || include_acls(planner);
	rtls_text_init(
		&options, planner->acl_options, sizeof(planner->acl_options));
	if (!has_acls || (acl == NULL && conf->acl_smtp_data.size > 0) ||
		conf->acl_not_smtp.size > 0) {
		SAY(planner, BAD, "acl",
			"see \"An Exim that loads no local_scan()\" in "
			"OPERATING.md",
			"messages have to be flagged by ACL, and yours I do "
			"not understand");
		return false;
	}
	rtls_text_add(&options, rtls_slice(FLAG_NOT_SMTP));
	if (acl == NULL)
		rtls_text_add(&options, rtls_slice(FLAG_SMTP));
	else if (!acl->mentions_us &&
		 !add(planner, acl->behind_name, FLAG_IN_ACL))
		return false;
	SAY(planner, GOOD, "acl", NULL,
		"messages are flagged by ACL, for local_scan() is not ours");
	return include_acls(planner);
}

/* --- all ----------------------------------------------------------------------------- */

static bool plan_main(struct planner *planner)
{
	const struct rtls_exim_conf *conf = planner->conf;
	struct rtls_setup_plan *plan = planner->plan;
	const char *text = plan->text.data + plan->text.size;

	if (conf->begin[RTLS_EXIM_ROUTERS] == RTLS_EXIM_NOWHERE ||
		conf->is_conditional[RTLS_EXIM_MAIN])
		return refuse(planner, "config",
			"\"begin routers\" is not here, or the first \"begin\" "
			"is within an .if");
	if (!conf->has_local_domains && !conf->has_include[RTLS_EXIM_MAIN]) {
		SAY(planner, BAD, "config",
			"domainlist local_domains = and yours",
			"there is no domain list local_domains");
		return false;
	}
	rtls_setup_main_text(&plan->text, planner->wish, planner->smart_host,
		planner->login, planner->protocol, planner->acl_options);
	return add(planner, conf->begin[RTLS_EXIM_MAIN], text);
}

bool rtls_setup_plan(const struct rtls_exim_conf *conf,
	const struct rtls_setup_wish *wish, struct rtls_setup_plan *plan,
	struct rtls_findings *findings)
{
	struct planner planner = {
		.conf = conf, .wish = wish, .plan = plan, .findings = findings
	};

	memset(plan, 0, sizeof(*plan));
	rtls_text_init(&plan->text, plan->storage, sizeof(plan->storage));
	if (conf->includes_us) {
		SAY(&planner, WARNING, "config",
			"all right; or take the lines out and start me again",
			"the stanzas are included by hand: I change nothing");
		return false;
	}
	if (!plan_routers(&planner) || !plan_smart_host(&planner) ||
		!plan_acl(&planner) || !plan_transports(&planner) ||
		!plan_main(&planner))
		return false;
	return !plan->text.overflow;
}
