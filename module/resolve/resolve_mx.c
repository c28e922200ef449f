/* resolve_mx.c - the MX answer: hosts, the domain itself, null MX, or none.
 * RFC 5321 section 5.1, RFC 7505, RFC 7672 section 2.2. */
#include <stdlib.h>

#include "policy/domain.h"
#include "resolving.h"

#define FAILED_S 60

static void set_answer(struct rtls_resolving *resolving,
	enum rtls_mx_answer answer, enum rtls_dnssec dnssec, int64_t until_s)
{
	resolving->record->mx_answer = answer;
	resolving->record->mx_dnssec = dnssec;
	resolving->record->mx_until_s = until_s;
}

/* --- no answer -------------------------------------------------------------- */

void rtls_resolve_mx_keep(struct rtls_resolving *resolving)
{
	const struct rtls_record *old = &resolving->old;
	struct rtls_record *record = resolving->record;

	set_answer(resolving, old->mx_answer, old->mx_dnssec, old->mx_until_s);
	record->mx_count = old->mx_count;
	for (size_t i = 0; i < old->mx_count; i++)
		record->mx[i] = old->mx[i];
	record->tlsa_count = old->tlsa_count;
	for (size_t i = 0; i < old->tlsa_count; i++)
		record->tlsa[i] = old->tlsa[i];
}

/* What is known keeps its lifetime, but does not get more of it. A bogus
 * answer is no accident: it counts (RFC 7672 section 2.1.2). */
static void set_failed(
	struct rtls_resolving *resolving, enum rtls_dnssec dnssec)
{
	const struct rtls_record *old = &resolving->old;

	if (dnssec != RTLS_DNSSEC_BOGUS && old->mx_answer != RTLS_MX_UNKNOWN &&
		old->mx_until_s > resolving->now_s &&
		old->mx_until_s <= resolving->now_s + RTLS_TTL_MAX_S)
		rtls_resolve_mx_keep(resolving);
	else
		set_answer(resolving, RTLS_MX_FAILED, dnssec,
			resolving->now_s + FAILED_S);
}

/* --- hosts ------------------------------------------------------------------ */

static bool is_known(const struct rtls_record *record, struct rtls_slice host,
	unsigned preference)
{
	const struct rtls_mx *mx = rtls_record_mx(record, host);

	return mx != NULL && mx->preference <= preference;
}

static void remove_host(struct rtls_record *record, struct rtls_slice host)
{
	size_t kept = 0;

	for (size_t i = 0; i < record->mx_count; i++)
		if (!rtls_slice_equal(record->mx[i].host, host))
			record->mx[kept++] = record->mx[i];
	record->mx_count = kept;
}

/* Keep the list sorted, in DNS order among equals; the worst goes when it is
 * full. A host listed twice counts with its best preference. */
static void insert_host(struct rtls_resolving *resolving,
	const char *normalized, unsigned preference)
{
	struct rtls_record *record = resolving->record;
	struct rtls_mx mx = { .preference = preference };
	size_t at;

	if (is_known(record, rtls_slice(normalized), preference))
		return;
	remove_host(record, rtls_slice(normalized));
	at = record->mx_count;
	while (at > 0 && record->mx[at - 1].preference > preference)
		at--;
	if (at == RTLS_MX_MAX)
		return;
	mx.host = rtls_resolving_keep(resolving, rtls_slice(normalized));
	if (mx.host.size == 0)
		return;
	if (record->mx_count < RTLS_MX_MAX)
		record->mx_count++;
	for (size_t i = record->mx_count - 1; i > at; i--)
		record->mx[i] = record->mx[i - 1];
	record->mx[at] = mx;
}

/* A target that is no host name, once more at each lookup: worth a line only when
 * the hosts are others than before. */
static bool has_changed(const struct rtls_resolving *resolving)
{
	const struct rtls_record *old = &resolving->old;
	const struct rtls_record *new = resolving->record;

	if (old->mx_count != new->mx_count || old->domain.size == 0)
		return true;
	for (size_t i = 0; i < new->mx_count; i++)
		if (rtls_record_mx(old, new->mx[i].host) == NULL)
			return true;
	return false;
}

static void set_hosts(
	struct rtls_resolving *resolving, const struct rtls_dns_query *query)
{
	struct rtls_slice bad = { NULL, 0 };
	char normalized[RTLS_DOMAIN_SIZE];
	struct rtls_quoted quoted;

	for (size_t i = 0; i < query->count; i++) {
		const struct rtls_dns_record *mx = &query->record[i];

		if (rtls_domain_is_literal(mx->text) ||
			rtls_domain_normalize(mx->text, normalized) != RTLS_OK)
			bad = mx->text;
		else
			insert_host(resolving, normalized, mx->preference);
	}
	if (bad.size > 0 && has_changed(resolving))
		rtls_resolving_note(resolving,
			"MX of %s: \"%s\" is not a host name, ignored",
			resolving->domain, rtls_quoted(&quoted, bad));
}

/* RFC 7505 section 3: a null MX stands alone; beside others "." is an error,
 * and just no host. */
static bool is_null_mx(const struct rtls_dns_query *query)
{
	for (size_t i = 0; i < query->count; i++)
		if (!rtls_slice_is(query->record[i].text, "."))
			return false;
	return query->count > 0;
}

static enum rtls_status set_found(struct rtls_resolving *resolving,
	const struct rtls_dns_query *query, struct rtls_err *err)
{
	int64_t until_s =
		rtls_resolving_until(resolving, query->ttl_s, RTLS_TTL_MAX_S);

	if (is_null_mx(query)) {
		set_answer(resolving, RTLS_MX_NULL, query->dnssec, until_s);
		return RTLS_OK;
	}
	set_hosts(resolving, query);
	set_answer(resolving,
		resolving->record->mx_count > 0 ? RTLS_MX_HOSTS
						: RTLS_MX_NXDOMAIN,
		query->dnssec, until_s);
	return rtls_resolve_tlsa(resolving, err);
}

/* --- the domain as its own host --------------------------------------------- */

/* RFC 5321 section 5.1: no MX at all, then the domain's addresses, if any. Whether
 * that is secure, the denial of the MX decides. */
static void set_implicit(struct rtls_resolving *resolving,
	const struct rtls_dns_query *mx, const struct rtls_dns_query *addresses)
{
	int64_t until_s =
		rtls_resolving_until(resolving, mx->ttl_s, RTLS_DENIAL_MAX_S);
	bool has_address = addresses[0].outcome == RTLS_DNS_FOUND ||
			   addresses[1].outcome == RTLS_DNS_FOUND;
	bool has_failed = addresses[0].outcome == RTLS_DNS_FAILED ||
			  addresses[1].outcome == RTLS_DNS_FAILED;

	if (has_address) {
		insert_host(resolving, resolving->domain, 0);
		set_answer(resolving, RTLS_MX_IMPLICIT, mx->dnssec, until_s);
	} else if (has_failed) {
		set_failed(resolving, RTLS_DNSSEC_UNKNOWN);
	} else {
		set_answer(resolving, RTLS_MX_NXDOMAIN, mx->dnssec, until_s);
	}
}

static enum rtls_status ask_addresses(struct rtls_resolving *resolving,
	const struct rtls_dns_query *mx, struct rtls_err *err)
{
	struct rtls_dns_query *addresses = calloc(2, sizeof(*addresses));
	enum rtls_status status;

	if (addresses == NULL) {
		rtls_err_set(err, "out of memory");
		return RTLS_NO_MEMORY;
	}
	for (size_t i = 0; i < 2; i++)
		(void)rtls_slice_copy(rtls_slice(resolving->domain),
			addresses[i].name, sizeof(addresses[i].name));
	addresses[0].type = RTLS_DNS_A;
	addresses[1].type = RTLS_DNS_AAAA;
	status = rtls_dns_run(resolving->dns, addresses, 2, err);
	if (status == RTLS_OK)
		set_implicit(resolving, mx, addresses);
	rtls_dns_query_free(&addresses[0]);
	rtls_dns_query_free(&addresses[1]);
	free(addresses);
	if (status == RTLS_OK &&
		resolving->record->mx_answer == RTLS_MX_IMPLICIT)
		status = rtls_resolve_tlsa(resolving, err);
	return status;
}

enum rtls_status rtls_resolve_mx(struct rtls_resolving *resolving,
	const struct rtls_dns_query *mx, struct rtls_err *err)
{
	switch (mx->outcome) {
	case RTLS_DNS_FOUND:
		return set_found(resolving, mx, err);
	case RTLS_DNS_NODATA:
		return ask_addresses(resolving, mx, err);
	case RTLS_DNS_NXDOMAIN:
		set_answer(resolving, RTLS_MX_NXDOMAIN, mx->dnssec,
			rtls_resolving_until(
				resolving, mx->ttl_s, RTLS_DENIAL_MAX_S));
		return RTLS_OK;
	case RTLS_DNS_FAILED:
		break;
	}
	set_failed(resolving, mx->dnssec);
	return RTLS_OK;
}
