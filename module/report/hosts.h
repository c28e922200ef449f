/* hosts.h - reports on MX hosts. With DANE the MX host, as TLSA base domain, is a policy domain
 * of its own and may ask for reports at _smtp._tls.<host> (RFC 8460 section 1.1): of all
 * sessions that met its TLSA records, whoever the mail was for.
 *
 * They are made of the finished reports on the recipient domains, not of the journal. A host
 * that is a recipient domain too gets one report with both in it. */
#ifndef RTLS_HOSTS_H
#define RTLS_HOSTS_H

#include "report/aggregate.h"

struct rtls_hosts;

/* One host; lives as long as its list. */
struct rtls_host {
	struct rtls_slice name; /* terminated */
	const struct rtls_report
		*own; /* on the host as recipient domain, or NULL */
	size_t domain_count;
	const struct rtls_report **domain; /* the others it took mail for */
};

/*
 * reports  finished; borrowed until rtls_hosts_free()
 * hosts    set on RTLS_OK
 */
RTLS_MUST_CHECK enum rtls_status rtls_hosts_find(
	const struct rtls_reports *reports, struct rtls_hosts **hosts);
void rtls_hosts_free(struct rtls_hosts *hosts);

/* In alphabetical order. */
size_t rtls_hosts_count(const struct rtls_hosts *hosts);
const struct rtls_host *rtls_hosts_get(
	const struct rtls_hosts *hosts, size_t index);

/* Failed sessions with the host, and with its own name as a recipient domain. */
uint64_t rtls_hosts_failures(const struct rtls_host *host);

/*
 * The report on one host, alone in a list of its own.
 *
 * left_out  a value for each of host->domain: is it without these sessions? NULL: all are in it
 * made      finished, to be freed by the caller; set on RTLS_OK
 * RTLS_NONE       there is no session in it
 * RTLS_NO_MEMORY
 */
RTLS_MUST_CHECK enum rtls_status rtls_hosts_report(const struct rtls_host *host,
	const bool *left_out, struct rtls_reports **made);

#endif
