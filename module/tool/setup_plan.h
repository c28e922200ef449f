/* setup_plan.h - what has to go where in a configuration, and what is said about it.
 * Pure text: reads no file and asks nobody. */
#ifndef RTLS_SETUP_PLAN_H
#define RTLS_SETUP_PLAN_H

#include "tool/exim_conf.h"
#include "tool/findings.h"
#include "tool/setup_text.h"

#ifndef RTLS_STANZAS
#define RTLS_STANZAS "/usr/share/exim-requiretls"
#endif

#define RTLS_SETUP_TRANSPORTS_MAX 16
#define RTLS_SETUP_PLAN_SIZE      16384

/* What counts beside the text. */
struct rtls_setup_wish {
	bool observes;  /* ordinary mail is judged, too */
	bool by_acl;    /* no local_scan() that we may have */
	bool is_debian; /* its template: main.conf knows the smart host */
};

struct rtls_setup_plan {
	struct rtls_setup_block block[RTLS_SETUP_BLOCKS_MAX];
	size_t count;
	/* The router that ours stand before; the transports that are observed then. */
	struct rtls_slice before;
	struct rtls_slice observed[RTLS_SETUP_TRANSPORTS_MAX];
	size_t observed_count;
	struct rtls_text text; /* of the blocks, in storage */
	char storage[RTLS_SETUP_PLAN_SIZE];
};

/*
 * A configuration in one file.
 *
 * conf      of a text without blocks of ours
 * plan      borrows from conf's text
 * findings  what was decided, what is warned of, and what stands in the way (bad)
 * False: it was not understood well enough, and nothing is to be changed.
 */
RTLS_MUST_CHECK bool rtls_setup_plan(const struct rtls_exim_conf *conf,
	const struct rtls_setup_wish *wish, struct rtls_setup_plan *plan,
	struct rtls_findings *findings);

/* Warn of each router that takes mail to other hosts before ours get to see it. Debian's
 * hubbed_hosts is not meant: whether it does depends on a file.
 * behind  the first router that ours stand before; NULL: all stand before ours */
void rtls_setup_warn_of_routers(const struct rtls_exim_conf *conf,
	const struct rtls_exim_block *behind, struct rtls_findings *findings);

/* What the main section gets, for Debian's conf.d and all in one file alike.
 * smart_host, login, protocol: may be empty */
void rtls_setup_main_text(struct rtls_text *out,
	const struct rtls_setup_wish *wish, struct rtls_slice smart_host,
	struct rtls_slice login, struct rtls_slice protocol,
	const char *acl_options);

/* May the event_action of this transport be ours? Says what it found.
 * multi_domain  set: the line may be added, too */
RTLS_MUST_CHECK bool rtls_setup_may_observe(
	const struct rtls_exim_block *transport, bool *multi_domain,
	struct rtls_findings *findings);

/* The lines of a transport that is observed. */
const char *rtls_setup_observe_text(bool multi_domain);

#endif
