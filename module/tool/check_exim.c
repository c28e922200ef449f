/* check_exim.c - does Exim's configuration use the module: our routers and transports, and what the
 * site's own transports leave out. */
#include "tool/check_exim.h"

#include <stdlib.h>
#include <string.h>

#include "policy/exim_block.h"
#include "tool/exim.h"

#define GOOD    RTLS_FINDING_GOOD
#define WARNING RTLS_FINDING_WARNING
#define BAD     RTLS_FINDING_BAD
#define UNKNOWN RTLS_FINDING_UNKNOWN

#define VALUE_SIZE  256
#define PRINTED_MAX (2 * 1024 * 1024)
#define DECIDE      "requiretls_decide"
#define OURS        "requiretls_"
#define EVENT       "{requiretls_session}"

struct printed {
	struct rtls_slice routers, transports;
	bool is_relayed; /* to smart hosts, as far as that is known */
};

static void check_user(struct rtls_check *check)
{
	char value[VALUE_SIZE];

	if (rtls_exim_option(check->config.sendmail, "exim_user", value,
		    sizeof(value)) != RTLS_OK ||
		strcmp(value, check->config.user) == 0)
		return;
	rtls_findings_add(&check->findings, BAD, "exim",
		"set the key user to Exim's: it reads and writes the spool",
		"Exim runs as %s, and the key user is %s", value,
		check->config.user);
}

/* --- routers ---------------------------------------------------------------------------------- */

/* One that looks MX hosts up before ours has the mail first. */
static void check_order(struct rtls_check *check, struct rtls_slice routers)
{
	struct rtls_exim_block block;
	struct rtls_quoted quoted;

	while (rtls_exim_block_next(&routers, "router", &block) &&
		!rtls_slice_is(block.name, DECIDE))
		if (!rtls_slice_starts(block.name, OURS) &&
			rtls_slice_is(rtls_exim_block_option(&block, "driver"),
				"dnslookup"))
			rtls_findings_add(&check->findings, WARNING, "routers",
				"include routers.conf before it, unless it is "
				"for some domains only",
				"the router %s comes before ours: what it "
				"takes is not protected",
				rtls_quoted(&quoted, block.name));
}

static void check_routers(struct rtls_check *check, struct rtls_slice routers)
{
	struct rtls_exim_block block;

	if (routers.size == 0) {
		rtls_findings_add(&check->findings, UNKNOWN, "routers",
			"look at exim4 -bP routers", "Exim prints none");
		return;
	}
	if (!rtls_exim_block_find(
		    routers, "router", rtls_slice(DECIDE), &block)) {
		rtls_findings_add(&check->findings, BAD, "routers",
			"include routers.conf and transports.conf: see "
			"\"Install\" in OPERATING.md",
			"Exim has no router " DECIDE ": no mail is protected");
		return;
	}
	rtls_findings_add(&check->findings, GOOD, "routers", NULL,
		"Exim has the router " DECIDE);
	check_order(check, routers);
}

/* --- transports --------------------------------------------------------------------------------- */

static void check_ours(struct rtls_check *check, const char *name,
	struct rtls_slice transports)
{
	struct rtls_exim_block block;

	if (!rtls_exim_block_find(
		    transports, "transport", rtls_slice(name), &block))
		rtls_findings_add(&check->findings, BAD, "transports",
			"include transports.conf: see \"Install\" in "
			"OPERATING.md",
			"Exim has no transport %s", name);
}

/* A content filter on this machine, say. */
static bool is_local(const struct rtls_exim_block *block)
{
	static const char *const here[] = { "127.", "localhost", "::1",
		"<; ::1" };
	struct rtls_slice hosts = rtls_exim_block_option(block, "hosts");

	for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
		if (rtls_slice_starts(hosts, here[i]))
			return true;
	return rtls_slice_is(rtls_exim_block_option(block, "protocol"), "lmtp");
}

static bool contains(struct rtls_slice text, const char *what)
{
	return text.size > 0 &&
	       memmem(text.data, text.size, what, strlen(what)) != NULL;
}

/* One of the site's own that sends to other hosts. */
static void check_theirs(struct rtls_check *check,
	const struct rtls_exim_block *block, bool is_relayed)
{
	struct rtls_quoted quoted;

	if (!contains(rtls_exim_block_option(block, "event_action"), EVENT))
		rtls_findings_add(&check->findings, WARNING, "transports",
			"add to it: event_action = REQUIRETLS_EVENT",
			"the transport %s does not report: mail that nothing "
			"protects is in no TLS report",
			rtls_quoted(&quoted, block->name));
	else if (!is_relayed && rtls_exim_block_has(block, "multi_domain"))
		rtls_findings_add(&check->findings, WARNING, "transports",
			"add to it: multi_domain = false",
			"the transport %s reports what is for several domains "
			"under one of them",
			rtls_quoted(&quoted, block->name));
	else
		rtls_findings_add(&check->findings, GOOD, "transports", NULL,
			"the transport %s reports",
			rtls_quoted(&quoted, block->name));
}

/* Has an earlier router the same transport? Then it is said. */
static bool is_said(const struct printed *printed, struct rtls_slice router,
	struct rtls_slice transport)
{
	struct rtls_slice rest = printed->routers;
	struct rtls_exim_block block;

	while (rtls_exim_block_next(&rest, "router", &block) &&
		!rtls_slice_equal(block.name, router))
		if (rtls_slice_equal(
			    rtls_exim_block_option(&block, "transport"),
			    transport))
			return true;
	return false;
}

/* Those that a router of the site uses. */
static void check_used(struct rtls_check *check, const struct printed *printed)
{
	struct rtls_slice rest = printed->routers;
	struct rtls_exim_block router, transport;

	while (rtls_exim_block_next(&rest, "router", &router)) {
		struct rtls_slice name =
			rtls_exim_block_option(&router, "transport");

		if (rtls_slice_starts(router.name, OURS) ||
			!rtls_exim_block_find(printed->transports, "transport",
				name, &transport) ||
			!rtls_slice_is(
				rtls_exim_block_option(&transport, "driver"),
				"smtp") ||
			is_local(&transport) ||
			is_said(printed, router.name, name))
			continue;
		check_theirs(check, &transport, printed->is_relayed);
	}
}

/* All mail to a smart host has the same policies, so it is no matter which domain it counts for. */
static bool is_relayed(const struct rtls_check *check)
{
	struct rtls_via via;

	rtls_via_find(&check->config, NULL, &via);
	return rtls_via_counts(&via) || via.state == RTLS_VIA_VARIES;
}

void rtls_check_exim_use(struct rtls_check *check)
{
	char *routers = malloc(PRINTED_MAX), *transports = malloc(PRINTED_MAX);
	struct printed printed;
	struct rtls_exim_block block;

	check_user(check);
	if (routers == NULL || transports == NULL) {
		check->findings.is_cut = true;
	} else {
		printed.routers = rtls_exim_print(check->config.sendmail,
			"routers", routers, PRINTED_MAX);
		printed.transports = rtls_exim_print(check->config.sendmail,
			"transports", transports, PRINTED_MAX);
		check_routers(check, printed.routers);
		if (rtls_exim_block_find(printed.routers, "router",
			    rtls_slice(DECIDE), &block)) {
			check_ours(
				check, "requiretls_strict", printed.transports);
			check_ours(check, "requiretls_enforce",
				printed.transports);
			printed.is_relayed = is_relayed(check);
			check_used(check, &printed);
		}
	}
	free(routers);
	free(transports);
}
