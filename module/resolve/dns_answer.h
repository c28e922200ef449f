/* dns_answer.h - from one DNS reply, as getdns gives it, to the answer of a
 * query: only what stands at the end of the CNAME chain that begins at the name
 * asked for. Pure: no I/O, safe on whatever a server sent. */
#ifndef RTLS_DNS_ANSWER_H
#define RTLS_DNS_ANSWER_H

#include <getdns/getdns.h>

#include "dns.h"

#define RTLS_CNAME_MAX 16

/*
 * reply  one element of getdns's replies_tree; borrowed
 * query  name and type are given; outcome, ttl_s, count, record, why and storage
 *        are filled; dnssec is left alone, since it is not in the reply
 * RTLS_NO_MEMORY  outcome is RTLS_DNS_FAILED
 */
RTLS_MUST_CHECK enum rtls_status rtls_dns_answer_read(
	const getdns_dict *reply, struct rtls_dns_query *query);

/* Is the reply one to this very question, and all of it readable? getdns compares the id
 * only, and of a message that it cannot read to its end it gives the beginning.
 * What is not whole is no answer: it must not become "there is no record". */
bool rtls_dns_answer_is_whole(
	const getdns_dict *reply, const struct rtls_dns_query *query);

/* Does the answer section hold a signature: did the server heed the DO bit? */
bool rtls_dns_answer_is_signed(const getdns_dict *reply);

/* Give up on the query: FAILED, no records, and why. */
void rtls_dns_answer_fail(struct rtls_dns_query *query, const char *why);

#endif
