/* dns_rdata.h - one resource record, as getdns gives it, as the text that
 * struct rtls_dns_record promises. */
#ifndef RTLS_DNS_RDATA_H
#define RTLS_DNS_RDATA_H

#include <getdns/getdns.h>

#include "dns.h"

/* The longest text of that type. */
size_t rtls_dns_rdata_max(enum rtls_dns_type type);

/*
 * rr      one element of a section
 * record  its preference is set, for MX
 * out     gets the text; overflow means that the record was longer
 * False: not a record of that type after all
 */
bool rtls_dns_rdata_read(const getdns_dict *rr, enum rtls_dns_type type,
	struct rtls_dns_record *record, struct rtls_text *out);

#endif
