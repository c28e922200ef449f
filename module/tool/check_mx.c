/* check_mx.c - findings about the MX answer, DNSSEC and TLSA. */
#include "tool/check.h"

#define HOSTS_SIZE 1024

static void add_hosts(struct rtls_check *check)
{
	const struct rtls_record *record = check->record;
	char buffer[HOSTS_SIZE];
	struct rtls_text text;

	rtls_text_init(&text, buffer, sizeof(buffer));
	for (size_t i = 0; i < record->mx_count; i++)
		rtls_text_printf(&text, "%s%u %.*s", i == 0 ? "" : ", ",
			record->mx[i].preference, (int)record->mx[i].host.size,
			record->mx[i].host.data);
	rtls_findings_add(&check->findings, RTLS_FINDING_GOOD, "mx", NULL,
		"%s%s", buffer, text.overflow ? " ..." : "");
}

static void add_failure(struct rtls_check *check)
{
	if (check->record->mx_dnssec == RTLS_DNSSEC_BOGUS)
		rtls_findings_add(&check->findings, RTLS_FINDING_BAD, "dnssec",
			"mail waits everywhere where DNSSEC is validated: look at "
			"the zone's signatures and its DS records",
			"the MX answer for %s failed DNSSEC validation (bogus)",
			check->domain);
	else
		rtls_findings_add(&check->findings, RTLS_FINDING_UNKNOWN, "mx",
			"try again later; if it stays so, look at the domain's "
			"name servers and at the resolver here",
			"the MX lookup for %s failed", check->domain);
}

static void judge_answer(struct rtls_check *check)
{
	switch (check->record->mx_answer) {
	case RTLS_MX_HOSTS:
		add_hosts(check);
		break;
	case RTLS_MX_IMPLICIT:
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING, "mx",
			"publish an MX record",
			"%s has no MX record, its own address counts",
			check->domain);
		break;
	case RTLS_MX_NULL:
		rtls_findings_add(&check->findings, RTLS_FINDING_GOOD, "mx",
			NULL, "domain %s accepts no mail (null MX)",
			check->domain);
		break;
	case RTLS_MX_NXDOMAIN:
		rtls_findings_add(&check->findings, RTLS_FINDING_BAD, "mx",
			"no mail can go there: is the name right?",
			"domain %s does not exist or has no mail host",
			check->domain);
		break;
	case RTLS_MX_UNKNOWN:
	case RTLS_MX_FAILED:
		add_failure(check);
		break;
	}
}

static void judge_dnssec(struct rtls_check *check)
{
	if (check->record->mx_dnssec == RTLS_DNSSEC_SECURE)
		rtls_findings_add(&check->findings, RTLS_FINDING_GOOD, "dnssec",
			NULL, "the MX answer is signed and holds (secure)");
	else if (check->record->mx_dnssec == RTLS_DNSSEC_INSECURE)
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING,
			"dnssec",
			"sign the zone: without it there is no DANE, and only an "
			"MTA-STS policy vouches for the MX hosts",
			"the MX answer is not signed (insecure)");
}

static size_t count_usable(
	const struct rtls_check *check, struct rtls_slice host, size_t *all)
{
	const struct rtls_record *record = check->record;
	size_t usable = 0;

	*all = 0;
	for (size_t i = 0; i < record->tlsa_count; i++) {
		if (!rtls_slice_equal(record->tlsa[i].host, host))
			continue;
		(*all)++;
		usable += rtls_tlsa_is_usable(record->tlsa[i].text) ? 1 : 0;
	}
	return usable;
}

static void judge_usable(struct rtls_check *check, const struct rtls_mx *mx)
{
	size_t all, usable = count_usable(check, mx->host, &all);
	bool is_mixed = usable < all;

	rtls_findings_add(&check->findings,
		is_mixed ? RTLS_FINDING_WARNING : RTLS_FINDING_GOOD, "tlsa",
		is_mixed ? "SMTP knows 2 x x and 3 x x only (RFC 7672 section "
			   "3.1): remove the others"
			 : NULL,
		"%.*s: %zu TLSA record%s, %zu usable", (int)mx->host.size,
		mx->host.data, all, all == 1 ? "" : "s", usable);
}

/* Behind what is not signed senders must not look at them. */
static void judge_unasked(struct rtls_check *check, const struct rtls_mx *mx,
	const struct rtls_dns_query *tlsa)
{
	if (tlsa == NULL || tlsa->outcome != RTLS_DNS_FOUND)
		return;
	rtls_findings_add(&check->findings, RTLS_FINDING_WARNING, "tlsa",
		"they count only behind a signed MX answer and signed addresses: "
		"sign these zones too",
		"%.*s: TLSA records, which nobody uses: %s is not signed",
		(int)mx->host.size, mx->host.data,
		check->record->mx_dnssec == RTLS_DNSSEC_SECURE
			? "its address"
			: "the MX answer");
}

static void judge_tlsa(struct rtls_check *check, size_t index)
{
	const struct rtls_mx *mx = &check->record->mx[index];
	const int size = (int)mx->host.size;

	switch (mx->tlsa) {
	case RTLS_TLSA_UNKNOWN:
		judge_unasked(check, mx, check->host[index].tlsa);
		break;
	case RTLS_TLSA_NONE:
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING,
			"tlsa",
			"the zones are signed: TLSA records (3 1 1) would protect "
			"the host by DANE",
			"%.*s: no TLSA records", size, mx->host.data);
		break;
	case RTLS_TLSA_SECURE:
		judge_usable(check, mx);
		break;
	case RTLS_TLSA_UNUSABLE:
		rtls_findings_add(&check->findings, RTLS_FINDING_BAD, "tlsa",
			"SMTP knows 2 x x and 3 x x with a digest of the right "
			"length only (RFC 7672 section 3.1): publish 3 1 1",
			"%.*s: TLSA records, and none is usable", size,
			mx->host.data);
		break;
	case RTLS_TLSA_BOGUS:
		rtls_findings_add(&check->findings, RTLS_FINDING_BAD, "tlsa",
			"senders that know DANE do not use the host: sign its "
			"zone anew, or mend the DS record above it",
			"%.*s: its TLSA records are bogus", size,
			mx->host.data);
		break;
	case RTLS_TLSA_FAILED:
		rtls_findings_add(&check->findings, RTLS_FINDING_BAD, "tlsa",
			"senders that know DANE do not use the host: its name "
			"servers must answer A, AAAA and TLSA questions",
			"%.*s: its %s lookup failed", size, mx->host.data,
			rtls_record_lacks_address(mx) ? "address" : "TLSA");
		break;
	}
}

void rtls_check_mx(struct rtls_check *check)
{
	judge_answer(check);
	if (check->record->mx_count > 0)
		judge_dnssec(check);
	for (size_t i = 0; i < check->record->mx_count; i++)
		judge_tlsa(check, i);
}
