/* upstream.h - which resolvers to ask: those of the configuration, else those of
 * resolv.conf(5), of which only the nameserver lines count. */
#ifndef RTLS_UPSTREAM_H
#define RTLS_UPSTREAM_H

#include "address.h"
#include "policy/config.h"

struct rtls_upstreams {
	size_t count;
	union rtls_address address[RTLS_RESOLVERS_MAX];
};

/*
 * text  the content of a resolv.conf; any bytes
 * The first RTLS_RESOLVERS_MAX usable nameserver lines; without any it is
 * 127.0.0.1, as in libc. Pure, but for the lookup of interface names.
 */
void rtls_upstreams_parse(
	struct rtls_slice text, struct rtls_upstreams *upstreams);

/*
 * config     resolver, dnssec, resolver_trusted
 * path       of resolv.conf; not read when config names resolvers; may be a
 *            link, as systemd-resolved and resolvconf make it
 * RTLS_INVALID  a configured resolver is no address, or the AD bit would come from a
 *               resolver that is neither on loopback nor trusted
 */
RTLS_MUST_CHECK enum rtls_status rtls_upstreams_load(
	const struct rtls_config *config, const char *path,
	struct rtls_upstreams *upstreams, struct rtls_err *err);

#endif
