/* resolve_tlsa.c - can the hosts' addresses be had, and behind a secure MX answer TLSA where these are
 * secure (RFC 7672 section 2.2.2).
 *
 * The addresses are asked for behind an insecure answer too: Exim will want them anyway, and one host
 * whose lookup fails would make its manualroute router put off the whole message.
 *
 * Where CNAMEs lead to another name, TLSA is asked for there, and not for the MX host
 * too, although RFC 7672 section 2.2.3 would: Exim does not either, and what is known
 * here must be what it will find. */
#include <stdio.h>
#include <stdlib.h>

#include "resolving.h"

#define FAILED_S 60

#define USAGE_DANE_TA   2
#define USAGE_DANE_EE   3
#define SELECTOR_MAX    1
#define SHA256_HEX_SIZE 64
#define SHA512_HEX_SIZE 128

bool rtls_tlsa_is_usable(struct rtls_slice text)
{
	unsigned long long usage, selector, matching;

	if (!rtls_slice_number(rtls_slice_take(&text, ' '), 255, &usage) ||
		!rtls_slice_number(
			rtls_slice_take(&text, ' '), 255, &selector) ||
		!rtls_slice_number(rtls_slice_take(&text, ' '), 255, &matching))
		return false;
	if (usage != USAGE_DANE_TA && usage != USAGE_DANE_EE)
		return false;
	if (selector > SELECTOR_MAX)
		return false;
	switch (matching) {
	case 0:
		return text.size > 0;
	case 1:
		return text.size == SHA256_HEX_SIZE;
	case 2:
		return text.size == SHA512_HEX_SIZE;
	default:
		return false;
	}
}

/* The MX part lives no longer than what it says about TLSA. */
static void lower_until(struct rtls_resolving *resolving, int64_t until_s)
{
	if (until_s < resolving->record->mx_until_s)
		resolving->record->mx_until_s = until_s;
}

static void lower_to_answer(
	struct rtls_resolving *resolving, const struct rtls_dns_query *query)
{
	if (query->outcome == RTLS_DNS_FAILED)
		lower_until(resolving, resolving->now_s + FAILED_S);
	else
		lower_until(
			resolving, rtls_resolving_until(resolving, query->ttl_s,
					   query->outcome == RTLS_DNS_FOUND
						   ? RTLS_TTL_MAX_S
						   : RTLS_DENIAL_MAX_S));
}

/* --- addresses -------------------------------------------------------------- */

static enum rtls_dnssec worst(enum rtls_dnssec a, enum rtls_dnssec b)
{
	if (a == RTLS_DNSSEC_BOGUS || b == RTLS_DNSSEC_BOGUS)
		return RTLS_DNSSEC_BOGUS;
	/* One family failed: the other one is what will be used. */
	if (a == RTLS_DNSSEC_UNKNOWN || b == RTLS_DNSSEC_UNKNOWN)
		return a == RTLS_DNSSEC_UNKNOWN ? b : a;
	return a == RTLS_DNSSEC_SECURE ? b : a;
}

/* None of either family, and it is not known that there is none. */
static bool has_failed(const struct rtls_dns_query *addresses)
{
	return addresses[0].outcome != RTLS_DNS_FOUND &&
	       addresses[1].outcome != RTLS_DNS_FOUND &&
	       (addresses[0].outcome == RTLS_DNS_FAILED ||
		       addresses[1].outcome == RTLS_DNS_FAILED);
}

static void judge_address(struct rtls_resolving *resolving, struct rtls_mx *mx,
	const struct rtls_dns_query *addresses)
{
	mx->address = worst(addresses[0].dnssec, addresses[1].dnssec);
	if (mx->address != RTLS_DNSSEC_BOGUS && has_failed(addresses))
		mx->address = RTLS_DNSSEC_UNKNOWN;
	/* RFC 7672 section 2.1.2: bogus means unreachable, not insecure. */
	if (mx->address == RTLS_DNSSEC_BOGUS || has_failed(addresses))
		mx->tlsa = RTLS_TLSA_FAILED;
	for (size_t i = 0; i < 2; i++)
		if (addresses[i].outcome == RTLS_DNS_FOUND &&
			addresses[i].end[0] != '\0')
			mx->cname = rtls_resolving_keep(
				resolving, rtls_slice(addresses[i].end));
	/* Addresses change often, their security hardly ever: only a failure
	 * makes the answer short-lived. */
	for (size_t i = 0; i < 2; i++)
		if (addresses[i].outcome == RTLS_DNS_FAILED)
			lower_to_answer(resolving, &addresses[i]);
}

static void name_query(struct rtls_dns_query *query, const char *prefix,
	struct rtls_slice host, enum rtls_dns_type type)
{
	snprintf(query->name, sizeof(query->name), "%s%.*s", prefix,
		(int)host.size, host.data);
	query->type = type;
}

static void free_queries(struct rtls_dns_query *queries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rtls_dns_query_free(&queries[i]);
	free(queries);
}

static enum rtls_status ask_addresses(
	struct rtls_resolving *resolving, struct rtls_err *err)
{
	struct rtls_record *record = resolving->record;
	size_t count = 2 * record->mx_count;
	struct rtls_dns_query *queries = calloc(count, sizeof(*queries));
	enum rtls_status status;

	if (queries == NULL) {
		rtls_err_set(err, "out of memory");
		return RTLS_NO_MEMORY;
	}
	for (size_t i = 0; i < record->mx_count; i++) {
		name_query(&queries[2 * i], "", record->mx[i].host, RTLS_DNS_A);
		name_query(&queries[2 * i + 1], "", record->mx[i].host,
			RTLS_DNS_AAAA);
	}
	status = rtls_dns_run(resolving->dns, queries, count, err);
	for (size_t i = 0; i < record->mx_count && status == RTLS_OK; i++)
		judge_address(resolving, &record->mx[i], &queries[2 * i]);
	free_queries(queries, count);
	return status;
}

/* --- TLSA ------------------------------------------------------------------- */

/* What cannot be written down (malformed, or larger than a record may be)
 * counts for the state of the host all the same. */
static void keep_tlsa(struct rtls_resolving *resolving, struct rtls_slice host,
	struct rtls_slice text)
{
	struct rtls_record *record = resolving->record;
	struct rtls_tlsa tlsa = { .host = host };
	size_t kept = 0;

	for (size_t i = 0; i < record->tlsa_count; i++)
		kept += record->tlsa[i].text.size;
	if (record->tlsa_count == RTLS_TLSA_MAX ||
		text.size > RTLS_TLSA_TEXT_MAX ||
		kept + text.size > RTLS_TLSA_TEXTS_MAX ||
		text.data[text.size - 1] == ' ')
		return;
	tlsa.text = rtls_resolving_keep(resolving, text);
	if (tlsa.text.size > 0)
		record->tlsa[record->tlsa_count++] = tlsa;
}

static void judge_tlsa(struct rtls_resolving *resolving, struct rtls_mx *mx,
	const struct rtls_dns_query *query)
{
	bool is_usable = false;

	lower_to_answer(resolving, query);
	mx->tlsa = RTLS_TLSA_NONE;
	if (query->outcome == RTLS_DNS_FAILED)
		mx->tlsa = query->dnssec == RTLS_DNSSEC_BOGUS
				   ? RTLS_TLSA_BOGUS
				   : RTLS_TLSA_FAILED;
	if (query->outcome != RTLS_DNS_FOUND ||
		query->dnssec != RTLS_DNSSEC_SECURE)
		return;
	for (size_t i = 0; i < query->count; i++) {
		struct rtls_slice text = query->record[i].text;

		is_usable = is_usable || rtls_tlsa_is_usable(text);
		keep_tlsa(resolving, mx->host, text);
	}
	mx->tlsa = is_usable ? RTLS_TLSA_SECURE : RTLS_TLSA_UNUSABLE;
}

static enum rtls_status ask_tlsa(
	struct rtls_resolving *resolving, struct rtls_err *err)
{
	struct rtls_record *record = resolving->record;
	struct rtls_dns_query *queries =
		calloc(record->mx_count, sizeof(*queries));
	enum rtls_status status = RTLS_OK;
	size_t count = 0;

	if (queries == NULL) {
		rtls_err_set(err, "out of memory");
		return RTLS_NO_MEMORY;
	}
	for (size_t i = 0; i < record->mx_count; i++)
		if (record->mx[i].address == RTLS_DNSSEC_SECURE)
			name_query(&queries[count++], "_25._tcp.",
				record->mx[i].cname.size > 0
					? record->mx[i].cname
					: record->mx[i].host,
				RTLS_DNS_TLSA);
	if (count > 0)
		status = rtls_dns_run(resolving->dns, queries, count, err);
	count = 0;
	for (size_t i = 0; i < record->mx_count && status == RTLS_OK; i++)
		if (record->mx[i].address == RTLS_DNSSEC_SECURE)
			judge_tlsa(
				resolving, &record->mx[i], &queries[count++]);
	free_queries(queries, record->mx_count);
	return status;
}

enum rtls_status rtls_resolve_tlsa(
	struct rtls_resolving *resolving, struct rtls_err *err)
{
	enum rtls_status status;

	if (resolving->record->mx_count == 0)
		return RTLS_OK;
	status = ask_addresses(resolving, err);
	if (status == RTLS_OK &&
		resolving->record->mx_dnssec == RTLS_DNSSEC_SECURE)
		status = ask_tlsa(resolving, err);
	return status;
}
