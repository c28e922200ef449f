/* check_sts.c - findings about the STS record, the policy, and the TLS-RPT record. */
#include "policy/sts_record.h"
#include "policy/timestamp.h"
#include "policy/tlsrpt_record.h"
#include "report/rua.h"
#include "tool/check.h"

#define TEXTS_SHOWN 4
#define TEXTS_SIZE  640

static size_t texts_of(const struct rtls_dns_query *query,
	struct rtls_slice texts[RTLS_DNS_RECORDS_MAX])
{
	size_t count = query->outcome == RTLS_DNS_FOUND ? query->count : 0;

	for (size_t i = 0; i < count; i++)
		texts[i] = query->record[i].text;
	return count;
}

/* The records that claim to be of that version, as they are in DNS. */
static const char *show_texts(const struct rtls_slice *texts, size_t count,
	const char *version, char out[TEXTS_SIZE])
{
	struct rtls_quoted quoted;
	struct rtls_text text;
	size_t shown = 0;

	rtls_text_init(&text, out, TEXTS_SIZE);
	for (size_t i = 0; i < count && shown < TEXTS_SHOWN; i++) {
		if (!rtls_slice_starts(texts[i], version))
			continue;
		rtls_text_printf(&text, "%s\"%s\"", shown == 0 ? "" : ", ",
			rtls_quoted(&quoted, texts[i]));
		shown++;
	}
	return out;
}

/* A lookup that gave no answer. */
static bool has_failed(struct rtls_check *check, const char *topic,
	const struct rtls_dns_query *query)
{
	struct rtls_quoted why;

	if (query->outcome != RTLS_DNS_FAILED)
		return false;
	rtls_findings_add(&check->findings,
		query->dnssec == RTLS_DNSSEC_BOGUS ? RTLS_FINDING_BAD
						   : RTLS_FINDING_UNKNOWN,
		topic, "look at the domain's name servers and its DNSSEC",
		"the TXT lookup for %s failed: %s", query->name,
		rtls_quoted(&why, rtls_slice(query->why)));
	return true;
}

/* --- the record at _mta-sts -------------------------------------------------- */

static void judge_record(struct rtls_check *check)
{
	struct rtls_slice texts[RTLS_DNS_RECORDS_MAX];
	size_t count = texts_of(&check->sts_txt, texts);
	struct rtls_sts_record record;
	struct rtls_err err = { "" };
	char shown[TEXTS_SIZE];

	switch (rtls_sts_record_select(texts, count, &record, &err)) {
	case RTLS_OK:
		rtls_findings_add(&check->findings, RTLS_FINDING_GOOD,
			"sts-record", NULL, "_mta-sts.%s: id=%.*s",
			check->domain, (int)record.id.size, record.id.data);
		break;
	case RTLS_NONE:
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING,
			"sts-record",
			"publish a policy, then the record \"v=STSv1; "
			"id=...\" (RFC 8461)",
			"no MTA-STS record at _mta-sts.%s", check->domain);
		break;
	default:
		rtls_findings_add(&check->findings, RTLS_FINDING_BAD,
			"sts-record",
			"senders take it for no record at all: there must be "
			"exactly one, of the form \"v=STSv1; id=20261101\"",
			"_mta-sts.%s: %s (found %s)", check->domain, err.text,
			show_texts(texts, count, "v=STSv1", shown));
	}
}

/* --- the policy -------------------------------------------------------------- */

static const char *advise_fetch(struct rtls_slice error)
{
	if (rtls_slice_starts(error, "sts-webpki-invalid"))
		return "renew or replace the certificate of the policy host: it "
		       "must be valid for that name";
	if (rtls_slice_starts(error, "sts-policy-invalid"))
		return "correct that line of the policy, then change the id of "
		       "the TXT record";
	return "https://mta-sts.DOMAIN/.well-known/mta-sts.txt must answer 200 "
	       "with text/plain, without redirects";
}

static void judge_fetch(struct rtls_check *check)
{
	const struct rtls_record *record = check->record;
	char fetched[RTLS_TIMESTAMP_SIZE];

	if (record->fetch != RTLS_FETCH_FAILED)
		return;
	rtls_findings_add(&check->findings, RTLS_FINDING_BAD, "sts-policy",
		advise_fetch(record->fetch_error),
		"https://mta-sts.%s/.well-known/mta-sts.txt: %.*s",
		check->domain, (int)record->fetch_error.size,
		record->fetch_error.data);
	if (check->has_policy)
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING,
			"sts-policy", NULL,
			"the policy fetched %s (%s) stays in force here",
			rtls_timestamp_format(
				fetched, record->policy_fetched_s),
			rtls_sts_mode_name(check->policy.mode));
}

static void judge_mode(struct rtls_check *check)
{
	switch (check->policy.mode) {
	case RTLS_STS_ENFORCE:
		rtls_findings_add(&check->findings, RTLS_FINDING_GOOD,
			"sts-policy", NULL, "mode enforce");
		break;
	case RTLS_STS_TESTING:
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING,
			"sts-policy",
			"when the TLS reports are good, change it to enforce",
			"mode testing: failures are reported, mail is sent all "
			"the same");
		break;
	case RTLS_STS_NONE:
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING,
			"sts-policy",
			"right while MTA-STS is being taken down, and only "
			"then",
			"mode none: as without a policy");
		break;
	}
}

static void judge_max_age(struct rtls_check *check)
{
	unsigned long max_age_s = check->policy.max_age_s;

	if (check->policy.max_age_clamped)
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING,
			"sts-policy", "a year, 31557600, is the most",
			"max_age is more than a year and is cut");
	else if (max_age_s < RTLS_DAY_S)
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING,
			"sts-policy",
			"some weeks: who hides the policy for so long has the "
			"domain go without",
			"max_age %lu is less than a day", max_age_s);
	else
		rtls_findings_add(&check->findings,
			max_age_s < RTLS_WEEK_S ? RTLS_FINDING_WARNING
						: RTLS_FINDING_GOOD,
			"sts-policy",
			max_age_s < RTLS_WEEK_S
				? "some weeks are usual (RFC 8461 section 3.2)"
				: NULL,
			"max_age %lu (%lu days)", max_age_s,
			max_age_s / RTLS_DAY_S);
}

static bool matches_any(
	const struct rtls_record *record, struct rtls_slice pattern)
{
	for (size_t i = 0; i < record->mx_count; i++)
		if (rtls_domain_matches(pattern, record->mx[i].host))
			return true;
	return false;
}

static void judge_names(struct rtls_check *check)
{
	const struct rtls_record *record = check->record;
	const struct rtls_sts_policy *policy = &check->policy;
	const bool is_enforced = policy->mode == RTLS_STS_ENFORCE;
	size_t missing = 0;

	for (size_t i = 0; i < record->mx_count; i++) {
		struct rtls_slice host = record->mx[i].host;

		if (rtls_sts_policy_allows(policy, host))
			continue;
		missing++;
		rtls_findings_add(&check->findings,
			is_enforced ? RTLS_FINDING_BAD : RTLS_FINDING_WARNING,
			"sts-policy",
			"add it to the policy and change the id, or take it out "
			"of the MX records",
			"MX host %.*s matches no mx line of the policy",
			(int)host.size, host.data);
	}
	for (size_t i = 0; i < policy->mx_count && record->mx_count > 0; i++)
		if (!matches_any(record, policy->mx[i]))
			rtls_findings_add(&check->findings,
				RTLS_FINDING_WARNING, "sts-policy",
				"harmless while hosts are moved; else take the "
				"line out",
				"\"mx: %.*s\" matches no MX host",
				(int)policy->mx[i].size, policy->mx[i].data);
	if (missing == 0 && record->mx_count > 0)
		rtls_findings_add(&check->findings, RTLS_FINDING_GOOD,
			"sts-policy", NULL, "its mx lines match every MX host");
}

void rtls_check_sts(struct rtls_check *check)
{
	if (!check->config.mta_sts) {
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING,
			"sts-policy", "set mta_sts = yes to have it checked",
			"MTA-STS is off in the configuration here");
		return;
	}
	if (!has_failed(check, "sts-record", &check->sts_txt))
		judge_record(check);
	judge_fetch(check);
	if (!check->has_policy)
		return;
	judge_mode(check);
	judge_max_age(check);
	if (check->policy.mode != RTLS_STS_NONE)
		judge_names(check);
}

/* --- the record at _smtp._tls ------------------------------------------------ */

static void judge_uris(
	struct rtls_check *check, const struct rtls_tlsrpt_record *record)
{
	struct rtls_quoted quoted;

	if (record->rua_count == 0)
		rtls_findings_add(&check->findings, RTLS_FINDING_BAD, "tlsrpt",
			"name a mailto: or https: address",
			"_smtp._tls.%s: no rua that reports can go to",
			check->domain);
	for (size_t i = 0; i < record->rua_count; i++) {
		struct rtls_err err = { "" };
		struct rtls_rua rua;
		bool is_good =
			rtls_rua_parse(record->rua[i], &rua, &err) == RTLS_OK;

		rtls_findings_add(&check->findings,
			is_good ? RTLS_FINDING_GOOD : RTLS_FINDING_BAD,
			"tlsrpt",
			is_good ? NULL : "reports cannot go there: correct it",
			"rua %s%s%s", rtls_quoted(&quoted, record->rua[i]),
			is_good ? "" : ": ", err.text);
	}
}

void rtls_check_tlsrpt(struct rtls_check *check)
{
	struct rtls_slice texts[RTLS_DNS_RECORDS_MAX];
	size_t count = texts_of(&check->tlsrpt_txt, texts);
	struct rtls_tlsrpt_record record;
	struct rtls_err err = { "" };
	char shown[TEXTS_SIZE];

	if (has_failed(check, "tlsrpt", &check->tlsrpt_txt))
		return;
	switch (rtls_tlsrpt_record_select(texts, count, &record, &err)) {
	case RTLS_OK:
		judge_uris(check, &record);
		break;
	case RTLS_NONE:
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING,
			"tlsrpt",
			"publish \"v=TLSRPTv1; rua=mailto:...\" to be told of "
			"failures (RFC 8460)",
			"no TLS-RPT record at _smtp._tls.%s", check->domain);
		break;
	default:
		rtls_findings_add(&check->findings, RTLS_FINDING_BAD, "tlsrpt",
			"there must be exactly one, of the form "
			"\"v=TLSRPTv1; rua=mailto:...\"",
			"_smtp._tls.%s: %s (found %s)", check->domain, err.text,
			show_texts(texts, count, "v=TLSRPTv1", shown));
	}
}
