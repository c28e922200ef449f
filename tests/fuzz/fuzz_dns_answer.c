/* fuzz_dns_answer.c - a DNS reply: the first byte chooses the type, the rest is the message on
 * the wire, taken apart by getdns as it does in a lookup of d.example.
 *
 * getdns 1.6 reads behind a message whose counts or lengths promise more than there is (its
 * issue 549). That is not what is tested here, so there are zeros to read. */
#include <arpa/inet.h>
#include <getdns/getdns_extra.h>
#include <string.h>

#include "fuzz.h"
#include "policy/record.h"
#include "resolve/dns_answer.h"
#include "resolve/dns_rdata.h"

#define MESSAGE_MAX 4096

static const enum rtls_dns_type types[] = { RTLS_DNS_A, RTLS_DNS_AAAA,
	RTLS_DNS_MX, RTLS_DNS_TXT, RTLS_DNS_TLSA };

static void check_address(struct rtls_slice text, int family)
{
	char copy[INET6_ADDRSTRLEN], binary[16];

	PROPERTY(rtls_slice_copy(text, copy, sizeof(copy)));
	PROPERTY(inet_pton(family, copy, binary) == 1);
}

/* "u s m hex" */
static void check_tlsa(struct rtls_slice text)
{
	unsigned long long value;

	for (int i = 0; i < 3; i++)
		PROPERTY(rtls_slice_number(
			rtls_slice_take(&text, ' '), 255, &value));
	PROPERTY(text.size % 2 == 0);
	for (size_t i = 0; i < text.size; i++)
		PROPERTY(strchr("0123456789abcdef", text.data[i]) != NULL);
}

/* getdns writes what is not printable as \DDD. */
static void check_host(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++)
		PROPERTY(text.data[i] > ' ' && text.data[i] <= '~');
}

static void check_record(const struct rtls_dns_query *query, size_t i)
{
	const struct rtls_dns_record *record = &query->record[i];

	PROPERTY(record->text.size <= rtls_dns_rdata_max(query->type));
	PROPERTY(record->preference <= UINT16_MAX);
	PROPERTY(query->type == RTLS_DNS_MX || record->preference == 0);
	if (query->type == RTLS_DNS_A)
		check_address(record->text, AF_INET);
	else if (query->type == RTLS_DNS_AAAA)
		check_address(record->text, AF_INET6);
	else if (query->type == RTLS_DNS_TLSA)
		check_tlsa(record->text);
	else if (query->type == RTLS_DNS_MX)
		check_host(record->text);
	for (size_t k = 0; k < record->text.size; k++)
		(void)*(volatile const char *)&record->text.data[k];
}

static void check_query(const struct rtls_dns_query *query)
{
	PROPERTY(query->ttl_s <= RTLS_TTL_MAX_S);
	PROPERTY(query->count <= RTLS_DNS_RECORDS_MAX);
	PROPERTY((query->count > 0) == (query->outcome == RTLS_DNS_FOUND));
	PROPERTY(
		(query->why[0] != '\0') == (query->outcome == RTLS_DNS_FAILED));
	for (size_t i = 0; i < query->count; i++)
		check_record(query, i);
}

/* No length in a message is more than 65535, no pointer reaches further than 16383. */
static const uint8_t *with_zeros(const uint8_t *data, size_t size)
{
	static uint8_t message[MESSAGE_MAX + 2 * 65536];
	static size_t used;

	if (size > MESSAGE_MAX)
		return NULL;
	memset(message, 0, used);
	if (size > 0)
		memcpy(message, data, size);
	used = size;
	return message;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtls_dns_query query;
	const uint8_t *message = with_zeros(data, size);
	getdns_dict *reply = NULL;

	if (size == 0 || message == NULL ||
		getdns_wire2msg_dict(message + 1, size - 1, &reply) != 0)
		return 0;
	query = (struct rtls_dns_query){ .name = "d.example" };
	query.type = types[data[0] % (sizeof(types) / sizeof(types[0]))];
	PROPERTY(rtls_dns_answer_read(reply, &query) == RTLS_OK);
	check_query(&query);
	(void)rtls_dns_answer_is_signed(reply);
	rtls_dns_query_free(&query);
	getdns_dict_destroy(reply);
	return 0;
}
