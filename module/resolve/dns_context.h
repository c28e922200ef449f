/* dns_context.h - a getdns context for exactly one upstream, told all it would otherwise
 * find out by itself: kind of resolution, upstream, anchors, no search list, no
 * hosts file, nothing below a home directory. */
#ifndef RTLS_DNS_CONTEXT_H
#define RTLS_DNS_CONTEXT_H

#include <getdns/getdns.h>
#include <getdns/getdns_extra.h>

#include "address.h"
#include "policy/config.h"

/*
 * The anchors of RTLS_DNS_VALIDATE.
 *
 * path     DNSKEY records in presentation form, as in Debian's dns-root-data
 * anchors  to be destroyed by the caller
 * RTLS_INVALID  no such file, or no DNSKEY of the root zone in it
 */
RTLS_MUST_CHECK enum rtls_status rtls_dns_anchors_load(
	const char *path, getdns_list **anchors, struct rtls_err *err);

/* The extensions of a query; NULL when there is no memory. To be destroyed by
 * the caller. */
getdns_dict *rtls_dns_extensions_make(enum rtls_dns_mode mode);

/* getdns 1.6.0 takes UDP answers from whoever sends one, through any interface. A guard
 * stands in its event loop and binds each socket to the upstream. */
struct rtls_dns_guard {
	getdns_eventloop_vmt vmt; /* first: the loop points to it */
	getdns_eventloop_schedule schedule;
	union rtls_address upstream;
};

/* anchors may be NULL in RTLS_DNS_AD. NULL when getdns refused something. The
 * context is to be destroyed by the caller; the guard must outlive it. */
getdns_context *rtls_dns_context_open(enum rtls_dns_mode mode,
	const union rtls_address *upstream, const getdns_list *anchors,
	unsigned timeout_ms, struct rtls_dns_guard *guard);

#endif
