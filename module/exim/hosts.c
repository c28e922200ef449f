/* hosts.c - ${dlfunc{...}{requiretls_hosts}{IGNORED}}: the plan's host list as the
 * route_data of our manualroute routers, which does not do for it all that a dnslookup router does.
 * IGNORED is the router's ignore_target_hosts: such addresses are nobody's.
 *
 * - It takes the list as one order and cuts it where a host is this machine. RFC 5321
 *   section 5.1 discards the hosts of the same preference too: so such a host goes to
 *   the front of its group.
 * - It takes a list in which no host is left before this machine for a loop. While it is not
 *   known what addresses those have, this machine is left out, and the message waits.
 *
 * One host alone needs neither, and is not looked up here. */
#include "exim/api.h"

#include <string.h>

#include "policy/record.h"
#include "policy/text.h"
#include "policy/verdict.h"

#define LIST_SIZE (RTLS_MX_MAX * (RTLS_DOMAIN_SIZE + 16) + 16)

struct listed {
	struct rtls_slice text; /* "host" or "host::port" */
	unsigned group;         /* of equal preference */
	enum {
		NO_ADDRESS, /* proven: Exim passes over it */
		REMOTE,
		OURSELVES,
		FAILED /* nobody knows its addresses now */
	} state;
};

struct list {
	struct listed host[RTLS_MX_MAX];
	size_t count;
};

/* "a:+:b::25:c". False: too many. */
static bool list_read(struct rtls_slice text, struct list *list)
{
	unsigned group = 0;

	list->count = 0;
	while (text.size > 0) {
		struct rtls_slice host = rtls_slice_take(&text, ':');

		if (rtls_slice_is(host, "+")) {
			group++;
			continue;
		}
		if (rtls_slice_starts(text, ":")) { /* a port follows */
			(void)rtls_slice_take(&text, ':');
			host.size = (size_t)(text.data - host.data);
			host.size += rtls_slice_take(&text, ':').size;
		}
		if (list->count == RTLS_MX_MAX)
			return false;
		list->host[list->count++] = (struct listed){
			.text = host, .group = group, .state = REMOTE
		};
	}
	return true;
}

/* As Exim itself is about to look: by its own resolver, its own view of which
 * addresses are this machine's. The expansion fails when the lookup does. */
static void look_up(struct listed *host, const char *ignored)
{
	char what[1024];
	struct rtls_slice rest = host->text, name = rtls_slice_take(&rest, ':');
	struct rtls_text text;
	struct rtls_slice found;

	if (rtls_slice_is(name, RTLS_NO_ADDRESS)) {
		host->state = FAILED;
		return;
	}
	rtls_text_init(&text, what, sizeof(what));
	rtls_text_printf(&text,
		"${lookup dnsdb{>; a+=%.*s}{${if forany{<; $value}"
		"{and{{match_ip{$item}{@[]}}{!match_ip{$item}{%s}}}}"
		"{self}{remote}}}{none}}",
		(int)name.size, name.data, ignored);
	found = rtls_exim_value(text.overflow ? "" : what);
	if (rtls_slice_is(found, "self"))
		host->state = OURSELVES;
	else if (rtls_slice_is(found, "remote"))
		host->state = REMOTE;
	else
		host->state =
			rtls_slice_is(found, "none") ? NO_ADDRESS : FAILED;
}

static const struct listed *find_ourselves(const struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->host[i].state == OURSELVES)
			return &list->host[i];
	return NULL;
}

/* Is there a host before this machine that Exim may use? */
static bool has_better(const struct list *list, const struct listed *ourselves)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->host[i].group < ourselves->group &&
			list->host[i].state == REMOTE)
			return true;
	return false;
}

static void add(struct rtls_text *out, const struct listed *host,
	const struct listed *before)
{
	if (before != NULL)
		rtls_text_printf(
			out, "%s", before->group == host->group ? ":" : ":+:");
	rtls_text_add(out, host->text);
}

/* The hosts before this machine, and then it, for Exim to find: it notes that the list was
 * cut. Except where nothing before it can be used now: that is no loop, and the
 * message waits for the lookups. */
static void add_before_ourselves(const struct list *list,
	const struct listed *ourselves, struct rtls_text *out)
{
	const struct listed *last = NULL;

	for (size_t i = 0; i < list->count; i++) {
		const struct listed *host = &list->host[i];

		if (host->group >= ourselves->group)
			break;
		add(out, host, last);
		last = host;
	}
	if (last == NULL || has_better(list, ourselves))
		add(out, ourselves, last);
}

/* False: this machine is none of them, and the list stays as it is. */
static bool cut(struct list *list, const char *ignored, struct rtls_text *out)
{
	const struct listed *ourselves;

	for (size_t i = 0; i < list->count; i++)
		look_up(&list->host[i], ignored);
	ourselves = find_ourselves(list);
	if (ourselves != NULL)
		add_before_ourselves(list, ourselves, out);
	return ourselves != NULL;
}

RTLS_EXPORT int requiretls_hosts(uschar **yield, int argc, uschar *argv[]);

/* Smart hosts are looked up as the site does it, by name, also in /etc/hosts. DANE is for
 * what DNS says. */
static bool is_by_name(void)
{
	return rtls_exim_value("${extract{via}{$address_data}}").size > 0 &&
	       rtls_slice_is(
		       rtls_exim_value("${extract{implicit}{$address_data}}"),
		       "yes") &&
	       rtls_exim_value("${extract{dane}{$address_data}}").size == 0 &&
	       rtls_exim_value("${extract{tlsafail}{$address_data}}").size == 0;
}

/* fits: they are a copy of ours, which outlives the lookups. */
static void add_hosts(struct rtls_slice hosts, bool fits, const char *ignored,
	struct rtls_text *out)
{
	static struct list list;

	if (!fits || !list_read(hosts, &list) || list.count < 2 ||
		!cut(&list, ignored, out))
		rtls_text_add(out, hosts);
}

int requiretls_hosts(uschar **yield, int argc, uschar *argv[])
{
	static char text[LIST_SIZE], answer[LIST_SIZE];
	const char *ignored = argc > 0 ? (const char *)argv[0] : "";
	struct rtls_text out;
	struct rtls_slice hosts =
		rtls_exim_value("${extract{hosts}{$address_data}}");
	const bool fits = rtls_slice_copy(hosts, text, sizeof(text));

	if (fits)
		hosts = rtls_slice(text);
	rtls_text_init(&out, answer, sizeof(answer));
	if (hosts.size > 0 && is_by_name()) {
		rtls_text_add(&out, hosts);
		rtls_text_printf(&out, " byname");
	} else if (hosts.size > 0) {
		add_hosts(hosts, fits, ignored, &out);
		rtls_text_printf(&out, " bydns");
	}
	return rtls_exim_return(
		yield, out.overflow ? rtls_slice("") : rtls_text_slice(&out));
}
