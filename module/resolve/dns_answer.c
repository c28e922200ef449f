/* dns_answer.c - read a DNS reply out of getdns's dictionaries. */
#include "dns_answer.h"

#include <stdlib.h>
#include <string.h>

#include "dns_rdata.h"
#include "policy/domain.h"

#define TYPE_CNAME 5
#define TYPE_SOA   6
#define TYPE_OPT   41
#define TYPE_RRSIG 46

#define RCODE_NOERROR  0
#define RCODE_NXDOMAIN 3

struct rr {
	getdns_dict *dict;
	getdns_bindata *name; /* uncompressed, in wire form */
	uint32_t type;
	uint32_t ttl_s;
};

static bool get_rr(const getdns_list *section, size_t index, struct rr *rr)
{
	return getdns_list_get_dict(section, index, &rr->dict) == 0 &&
	       getdns_dict_get_bindata(rr->dict, "name", &rr->name) == 0 &&
	       getdns_dict_get_int(rr->dict, "type", &rr->type) == 0 &&
	       getdns_dict_get_int(rr->dict, "ttl", &rr->ttl_s) == 0;
}

static size_t section_size(const getdns_list *section)
{
	size_t size = 0;

	if (getdns_list_get_length(section, &size) != 0)
		return 0;
	return size;
}

/* Length octets are below 64, so lower-casing every octet leaves them alone. */
static bool names_equal(const getdns_bindata *a, const getdns_bindata *b)
{
	if (a->size != b->size)
		return false;
	for (size_t i = 0; i < a->size; i++) {
		unsigned char x = a->data[i], y = b->data[i];

		if (x >= 'A' && x <= 'Z')
			x = (unsigned char)(x + 'a' - 'A');
		if (y >= 'A' && y <= 'Z')
			y = (unsigned char)(y + 'a' - 'A');
		if (x != y)
			return false;
	}
	return true;
}

static void lower_ttl(struct rtls_dns_query *query, uint32_t ttl_s)
{
	if (ttl_s < query->ttl_s)
		query->ttl_s = ttl_s;
}

void rtls_dns_answer_fail(struct rtls_dns_query *query, const char *why)
{
	rtls_dns_query_free(query);
	query->outcome = RTLS_DNS_FAILED;
	query->ttl_s = 0;
	query->end[0] = '\0';
	rtls_slice_copy(rtls_slice(why), query->why, sizeof(query->why));
}

/* --- the chain and its end -------------------------------------------------- */

static bool find_rr(const getdns_list *answer, const getdns_bindata *owner,
	uint32_t type, struct rr *rr)
{
	size_t size = section_size(answer);

	for (size_t i = 0; i < size; i++)
		if (get_rr(answer, i, rr) && rr->type == type &&
			names_equal(rr->name, owner))
			return true;
	return false;
}

/* Follow the CNAMEs from owner on; false when there are too many of them. */
static bool follow_chain(const getdns_list *answer, getdns_bindata **owner,
	struct rtls_dns_query *query)
{
	struct rr rr;

	for (size_t i = 0; i <= RTLS_CNAME_MAX; i++) {
		if (find_rr(answer, *owner, query->type, &rr) ||
			!find_rr(answer, *owner, TYPE_CNAME, &rr))
			return true;
		lower_ttl(query, rr.ttl_s);
		if (getdns_dict_get_bindata(rr.dict, "/rdata/cname", owner) !=
			0)
			return false;
	}
	return false;
}

static size_t count_records(const getdns_list *answer,
	const getdns_bindata *owner, enum rtls_dns_type type)
{
	size_t size = section_size(answer), count = 0;
	struct rr rr;

	for (size_t i = 0; i < size; i++)
		if (get_rr(answer, i, &rr) && rr.type == type &&
			names_equal(rr.name, owner))
			count++;
	return count;
}

/* False when a TXT record is too long: a cut record would be another record. */
static bool add_record(const struct rr *rr, struct rtls_dns_query *query)
{
	size_t room = rtls_dns_rdata_max(query->type) + 1;
	struct rtls_dns_record *record = &query->record[query->count];
	struct rtls_text text;

	rtls_text_init(&text, query->storage + query->count * room, room);
	record->preference = 0;
	if (!rtls_dns_rdata_read(rr->dict, query->type, record, &text))
		return true;
	if (text.overflow)
		return query->type != RTLS_DNS_TXT;
	record->text = rtls_text_slice(&text);
	query->count++;
	lower_ttl(query, rr->ttl_s);
	return true;
}

static enum rtls_status read_records(const getdns_list *answer,
	const getdns_bindata *owner, struct rtls_dns_query *query)
{
	size_t size = section_size(answer);
	size_t count = count_records(answer, owner, query->type);
	struct rr rr;

	if (count > RTLS_DNS_RECORDS_MAX && query->type == RTLS_DNS_TXT) {
		rtls_dns_answer_fail(query, "too many TXT records");
		return RTLS_OK;
	}
	if (count > RTLS_DNS_RECORDS_MAX)
		count = RTLS_DNS_RECORDS_MAX;
	query->storage = calloc(count + 1, rtls_dns_rdata_max(query->type) + 1);
	if (query->storage == NULL) {
		rtls_dns_answer_fail(query, "out of memory");
		return RTLS_NO_MEMORY;
	}
	for (size_t i = 0; i < size && query->count < count; i++) {
		if (!get_rr(answer, i, &rr) || rr.type != query->type ||
			!names_equal(rr.name, owner) || add_record(&rr, query))
			continue;
		rtls_dns_answer_fail(query, "TXT record too long");
		return RTLS_OK;
	}
	if (query->count > 0)
		query->outcome = RTLS_DNS_FOUND;
	else if (count == 0)
		query->outcome = RTLS_DNS_NODATA;
	else
		rtls_dns_answer_fail(query, "unreadable records");
	return RTLS_OK;
}

/* RFC 2308 section 5: a denial lives as long as the smaller of the SOA's TTL and
 * its minimum; without SOA it must not be kept. */
static void read_denial_ttl(
	const getdns_dict *reply, struct rtls_dns_query *query)
{
	getdns_list *authority;
	uint32_t minimum;
	struct rr rr;
	size_t size;

	if (getdns_dict_get_list(reply, "authority", &authority) != 0) {
		query->ttl_s = 0;
		return;
	}
	size = section_size(authority);
	for (size_t i = 0; i < size; i++) {
		if (!get_rr(authority, i, &rr) || rr.type != TYPE_SOA ||
			getdns_dict_get_int(
				rr.dict, "/rdata/minimum", &minimum) != 0)
			continue;
		lower_ttl(query, rr.ttl_s);
		lower_ttl(query, minimum);
		return;
	}
	query->ttl_s = 0;
}

static const char *rcode_text(uint32_t rcode)
{
	static const char *const names[] = { "no error", "FORMERR", "SERVFAIL",
		"NXDOMAIN", "NOTIMP", "REFUSED" };

	if (rcode < sizeof(names) / sizeof(*names))
		return names[rcode];
	return "an error code";
}

static void read_end(getdns_bindata *owner, struct rtls_dns_query *query)
{
	char *name = NULL;

	if (getdns_convert_dns_name_to_fqdn(owner, &name) != 0)
		return;
	if (rtls_domain_normalize(rtls_slice(name), query->end) != RTLS_OK)
		query->end[0] = '\0';
	free(name);
}

static enum rtls_status read_answer(
	const getdns_dict *reply, struct rtls_dns_query *query)
{
	getdns_bindata *asked = NULL, *owner;
	enum rtls_status status = RTLS_OK;
	getdns_list *answer;

	if (getdns_dict_get_list(reply, "answer", &answer) != 0 ||
		getdns_convert_fqdn_to_dns_name(query->name, &asked) != 0) {
		rtls_dns_answer_fail(query, "unreadable answer");
		return RTLS_OK;
	}
	owner = asked;
	if (follow_chain(answer, &owner, query)) {
		if (owner != asked)
			read_end(owner, query);
		status = read_records(answer, owner, query);
	} else {
		rtls_dns_answer_fail(query, "CNAME chain too long");
	}
	free(asked->data);
	free(asked);
	return status;
}

/* With its upper bits (RFC 6891 section 6.1.3): of BADVERS the lower ones alone would
 * say "no error". */
static bool read_rcode(const getdns_dict *reply, uint32_t *rcode)
{
	getdns_list *additional;
	uint32_t type, upper;
	getdns_dict *rr;

	if (getdns_dict_get_int(reply, "/header/rcode", rcode) != 0)
		return false;
	*rcode &= 15;
	if (getdns_dict_get_list(reply, "additional", &additional) != 0)
		return true;
	for (size_t i = 0; getdns_list_get_dict(additional, i, &rr) == 0; i++)
		if (getdns_dict_get_int(rr, "type", &type) == 0 &&
			type == TYPE_OPT &&
			getdns_dict_get_int(rr, "extended_rcode", &upper) == 0)
			*rcode |= upper << 4;
	return true;
}

enum rtls_status rtls_dns_answer_read(
	const getdns_dict *reply, struct rtls_dns_query *query)
{
	enum rtls_status status;
	char why[64] = "upstream says ";
	uint32_t rcode;

	rtls_dns_answer_fail(query, "unreadable answer");
	if (!read_rcode(reply, &rcode))
		return RTLS_OK;
	if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN) {
		strncat(why, rcode_text(rcode), sizeof(why) - strlen(why) - 1);
		rtls_dns_answer_fail(query, why);
		return RTLS_OK;
	}
	query->why[0] = '\0';
	query->ttl_s = RTLS_TTL_MAX_S;
	status = read_answer(reply, query);
	if (query->outcome != RTLS_DNS_NODATA)
		return status;
	if (rcode == RCODE_NXDOMAIN)
		query->outcome = RTLS_DNS_NXDOMAIN;
	read_denial_ttl(reply, query);
	return status;
}

static bool is_number(const getdns_dict *reply, const char *path, size_t wanted)
{
	uint32_t value;

	return getdns_dict_get_int(reply, path, &value) == 0 && value == wanted;
}

static bool is_question(
	const getdns_dict *reply, const struct rtls_dns_query *query)
{
	getdns_bindata *asked = NULL, *name;
	bool same;

	if (!is_number(reply, "/question/qtype", query->type) ||
		getdns_dict_get_bindata(reply, "/question/qname", &name) != 0 ||
		getdns_convert_fqdn_to_dns_name(
			query->name[0] == '\0' ? "." : query->name, &asked) !=
			0)
		return false;
	same = names_equal(asked, name);
	free(asked->data);
	free(asked);
	return same;
}

bool rtls_dns_answer_is_whole(
	const getdns_dict *reply, const struct rtls_dns_query *query)
{
	getdns_list *answer;

	return getdns_dict_get_list(reply, "answer", &answer) == 0 &&
	       is_number(reply, "/header/qr", 1) &&
	       is_number(reply, "/header/tc", 0) &&
	       is_number(reply, "/header/qdcount", 1) &&
	       is_number(reply, "/header/ancount", section_size(answer)) &&
	       is_question(reply, query);
}

bool rtls_dns_answer_is_signed(const getdns_dict *reply)
{
	getdns_list *answer;
	size_t size;
	struct rr rr;

	if (getdns_dict_get_list(reply, "answer", &answer) != 0)
		return false;
	size = section_size(answer);
	for (size_t i = 0; i < size; i++)
		if (get_rr(answer, i, &rr) && rr.type == TYPE_RRSIG)
			return true;
	return false;
}
