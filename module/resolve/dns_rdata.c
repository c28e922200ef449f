/* dns_rdata.c - one resource record as text. */
#include "dns_rdata.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define NAME_TEXT_MAX 1024 /* 255 octets, each written as \DDD at worst */

static void name_text(const getdns_bindata *name, struct rtls_text *out)
{
	char *fqdn = NULL;
	struct rtls_slice text;

	if (getdns_convert_dns_name_to_fqdn(name, &fqdn) != 0)
		return;
	text = rtls_slice(fqdn);
	if (text.size > 1 && text.data[text.size - 1] == '.')
		text.size--;
	rtls_text_add(out, text);
	free(fqdn);
}

static bool read_mx(const getdns_dict *rr, struct rtls_dns_record *record,
	struct rtls_text *out)
{
	getdns_bindata *exchange;
	uint32_t preference;

	if (getdns_dict_get_int(rr, "/rdata/preference", &preference) != 0 ||
		getdns_dict_get_bindata(rr, "/rdata/exchange", &exchange) != 0)
		return false;
	record->preference = preference;
	name_text(exchange, out);
	return true;
}

/* RFC 8461 section 3.1: the strings are joined without a space. */
static bool read_txt(const getdns_dict *rr, struct rtls_text *out)
{
	getdns_bindata *string;
	getdns_list *strings;

	if (getdns_dict_get_list(rr, "/rdata/txt_strings", &strings) != 0)
		return false;
	for (size_t i = 0; getdns_list_get_bindata(strings, i, &string) == 0;
		i++)
		rtls_text_add(out,
			rtls_slice_n((const char *)string->data, string->size));
	return true;
}

static bool read_address(
	const getdns_dict *rr, int family, struct rtls_text *out)
{
	bool v4 = family == AF_INET;
	char text[INET6_ADDRSTRLEN];
	getdns_bindata *address;

	if (getdns_dict_get_bindata(rr,
		    v4 ? "/rdata/ipv4_address" : "/rdata/ipv6_address",
		    &address) != 0 ||
		address->size != (v4 ? 4 : 16) ||
		inet_ntop(family, address->data, text, sizeof(text)) == NULL)
		return false;
	rtls_text_add(out, rtls_slice(text));
	return true;
}

/* A certificate that does not fit is cut: what says whether the record is usable stands
 * at the beginning, and digests always fit. */
static void hex_text(const getdns_bindata *data, struct rtls_text *out)
{
	size_t room = (out->cap - out->size - 1) / 2;

	for (size_t i = 0; i < data->size && i < room; i++)
		rtls_text_printf(out, "%02x", data->data[i]);
}

/* Whatever cannot be read as TLSA gives a text that nobody can use, but it stays a
 * record: RFC 7672 section 2.2 wants TLS where there are only unusable ones. */
static bool read_tlsa(const getdns_dict *rr, struct rtls_text *out)
{
	uint32_t usage = 255, selector = 255, matching = 255;
	getdns_bindata *data = NULL;

	(void)getdns_dict_get_int(rr, "/rdata/certificate_usage", &usage);
	(void)getdns_dict_get_int(rr, "/rdata/selector", &selector);
	(void)getdns_dict_get_int(rr, "/rdata/matching_type", &matching);
	rtls_text_printf(out, "%u %u %u ", (unsigned)usage, (unsigned)selector,
		(unsigned)matching);
	if (getdns_dict_get_bindata(
		    rr, "/rdata/certificate_association_data", &data) == 0)
		hex_text(data, out);
	return true;
}

bool rtls_dns_rdata_read(const getdns_dict *rr, enum rtls_dns_type type,
	struct rtls_dns_record *record, struct rtls_text *out)
{
	switch (type) {
	case RTLS_DNS_A:
		return read_address(rr, AF_INET, out);
	case RTLS_DNS_AAAA:
		return read_address(rr, AF_INET6, out);
	case RTLS_DNS_MX:
		return read_mx(rr, record, out);
	case RTLS_DNS_TXT:
		return read_txt(rr, out);
	case RTLS_DNS_TLSA:
		return read_tlsa(rr, out);
	}
	return false;
}

size_t rtls_dns_rdata_max(enum rtls_dns_type type)
{
	return type == RTLS_DNS_TXT || type == RTLS_DNS_TLSA ? RTLS_DNS_TEXT_MAX
							     : NAME_TEXT_MAX;
}
