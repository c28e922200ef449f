/* resolve_sts.c - the STS record, and the policy when it has to be fetched.
 * RFC 8461 sections 3.1, 3.3 and 5.1; RFC 8460 section 4.3.3 for what is
 * reported. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"
#include "policy/sts_record.h"
#include "resolving.h"
#include "store/journal.h"
#include "store/policies.h"

#define FAILED_S 300 /* after a failed lookup, and after a failed fetch */

/* A policy of max_age 0 is for the decision at hand: long enough for that. */
#define AT_HAND_S 60

/* --- TXT -------------------------------------------------------------------- */

static void set_txt(struct rtls_resolving *resolving, enum rtls_txt_state txt,
	int64_t until_s)
{
	resolving->record->txt = txt;
	resolving->record->txt_until_s = until_s;
}

/* Not "no record": what is known stays for the rest of its lifetime. */
static void set_txt_failed(struct rtls_resolving *resolving)
{
	const struct rtls_record *old = &resolving->old;

	if (old->txt != RTLS_TXT_UNKNOWN &&
		old->txt_until_s > resolving->now_s &&
		old->txt_until_s <= resolving->now_s + RTLS_TTL_MAX_S) {
		set_txt(resolving, old->txt, old->txt_until_s);
		resolving->record->txt_id = old->txt_id;
		return;
	}
	set_txt(resolving, RTLS_TXT_FAILED, resolving->now_s + FAILED_S);
}

static void set_txt_found(
	struct rtls_resolving *resolving, const struct rtls_dns_query *query)
{
	struct rtls_slice texts[RTLS_DNS_RECORDS_MAX];
	int64_t until_s =
		rtls_resolving_until(resolving, query->ttl_s, RTLS_TTL_MAX_S);
	struct rtls_sts_record sts;

	for (size_t i = 0; i < query->count; i++)
		texts[i] = query->record[i].text;
	switch (rtls_sts_record_select(texts, query->count, &sts, NULL)) {
	case RTLS_OK:
		set_txt(resolving, RTLS_TXT_VALID, until_s);
		resolving->record->txt_id =
			rtls_resolving_keep(resolving, sts.id);
		return;
	case RTLS_NONE:
		set_txt(resolving, RTLS_TXT_NONE, until_s);
		return;
	default:
		set_txt(resolving, RTLS_TXT_INVALID, until_s);
	}
}

/* The cached policy, while it is unexpired; else one of mode none, which asks for nothing. */
static struct rtls_sts_policy cached_policy(
	const struct rtls_resolving *resolving)
{
	const struct rtls_record *record = resolving->record;
	struct rtls_sts_policy policy;

	if (!rtls_record_has_policy(record, resolving->now_s) ||
		rtls_sts_policy_parse(record->policy_text, &policy, NULL) !=
			RTLS_OK)
		return (struct rtls_sts_policy){ .mode = RTLS_STS_NONE };
	return policy;
}

static enum rtls_sts_mode cached_mode(const struct rtls_resolving *resolving)
{
	return cached_policy(resolving).mode;
}

static const char *txt_text(enum rtls_txt_state txt)
{
	return txt == RTLS_TXT_NONE ? "is gone" : "is invalid";
}

/* Said when it happens, not at each lookup that finds it so. */
static void note_vanished(struct rtls_resolving *resolving)
{
	const struct rtls_record *record = resolving->record;
	enum rtls_sts_mode mode = cached_mode(resolving);

	if ((record->txt != RTLS_TXT_NONE && record->txt != RTLS_TXT_INVALID) ||
		record->txt == resolving->old.txt || mode == RTLS_STS_NONE)
		return;
	rtls_resolving_note(resolving,
		"possible downgrade: MTA-STS record of %s %s; its cached policy (%s) stays in force",
		resolving->domain, txt_text(record->txt),
		rtls_sts_mode_name(mode));
}

void rtls_resolve_txt(
	struct rtls_resolving *resolving, const struct rtls_dns_query *txt)
{
	/* Off: nothing is known, and there is nothing to ask before the MX has to be asked again. */
	if (txt == NULL) {
		set_txt(resolving, RTLS_TXT_UNKNOWN,
			resolving->record->mx_until_s);
		return;
	}
	if (txt->outcome == RTLS_DNS_FOUND)
		set_txt_found(resolving, txt);
	else if (txt->outcome == RTLS_DNS_FAILED)
		set_txt_failed(resolving);
	else
		set_txt(resolving, RTLS_TXT_NONE,
			rtls_resolving_until(
				resolving, txt->ttl_s, RTLS_DENIAL_MAX_S));
	note_vanished(resolving);
}

/* --- a policy that came ----------------------------------------------------- */

/* In a lower mode; or in force for less than half as long, after which nothing protects the domain
 * from who hides its record. */
static void note_weakened(
	struct rtls_resolving *resolving, const struct rtls_sts_policy *new)
{
	const struct rtls_sts_policy old = cached_policy(resolving);

	if (new->mode < old.mode)
		rtls_resolving_note(resolving,
			"possible downgrade: MTA-STS policy of %s got weaker: %s, was %s",
			resolving->domain, rtls_sts_mode_name(new->mode),
			rtls_sts_mode_name(old.mode));
	else if (old.mode != RTLS_STS_NONE &&
		 new->max_age_s < old.max_age_s / 2)
		rtls_resolving_note(resolving,
			"possible downgrade: MTA-STS policy of %s got weaker: max_age %lu, was %lu",
			resolving->domain, new->max_age_s, old.max_age_s);
}

static void set_fetched(struct rtls_resolving *resolving)
{
	struct rtls_record *record = resolving->record;

	record->fetch = RTLS_FETCH_OK;
	record->fetch_id = record->txt_id;
	record->fetch_retry_s = 0;
	record->fetch_error = rtls_slice("");
}

/* The text is kept for reports; that it cannot be is no reason not to use
 * the policy. */
static struct rtls_slice digest_of(
	struct rtls_resolving *resolving, struct rtls_slice text)
{
	char digest[RTLS_DIGEST_SIZE];

	if (rtls_policies_put(resolving->config->spool, text, digest, NULL) !=
			RTLS_OK &&
		rtls_policies_digest(text, digest) != RTLS_OK)
		return rtls_slice("");
	return rtls_resolving_keep(resolving, rtls_slice(digest));
}

static void set_policy(struct rtls_resolving *resolving,
	const struct rtls_sts_policy *policy, struct rtls_slice text)
{
	struct rtls_record *record = resolving->record;
	int64_t max_age_s = (int64_t)policy->max_age_s;

	note_weakened(resolving, policy);
	if (policy->max_age_clamped)
		rtls_resolving_note(resolving,
			"MTA-STS policy of %s: max_age cut to %d",
			resolving->domain, RTLS_STS_MAX_AGE_MAX);
	resolving->is_kept_out = max_age_s == 0;
	if (max_age_s == 0)
		max_age_s = AT_HAND_S;
	/* Without a TXT record (A5.5) the policy keeps the id it had. */
	if (record->txt == RTLS_TXT_VALID)
		record->policy_id = record->txt_id;
	record->policy_fetched_s = resolving->now_s;
	record->policy_until_s = resolving->now_s + max_age_s;
	record->policy_digest = digest_of(resolving, text);
	record->policy_text = text;
	set_fetched(resolving);
}

/* An id that failed has its back-off also when the domain has had another one
 * since: else ids that alternate would buy a fetch each. */
static void keep_earlier(struct rtls_resolving *resolving)
{
	struct rtls_record *record = resolving->record;

	if (record->fetch == RTLS_FETCH_FAILED && record->fetch_id.size > 0 &&
		!rtls_slice_equal(record->fetch_id, record->txt_id) &&
		rtls_record_holds_off(
			record->fetch_retry_s, resolving->now_s) &&
		record->earlier_count < RTLS_EARLIER_MAX)
		record->earlier[record->earlier_count++] =
			(struct rtls_earlier){ record->fetch_id,
				record->fetch_retry_s };
}

/* --- a policy that did not come --------------------------------------------- */

/* RFC 8461 section 6: a failure counts with a valid TXT record, or while a
 * cached policy applies; never when that policy's mode is none. */
static bool is_reportable(const struct rtls_resolving *resolving)
{
	const struct rtls_record *record = resolving->record;

	if (!resolving->config->tlsrpt)
		return false;
	if (rtls_record_has_policy(record, resolving->now_s))
		return cached_mode(resolving) != RTLS_STS_NONE;
	return record->txt == RTLS_TXT_VALID;
}

/* body is the invalid policy; empty when there is none: then the cached one, if
 * any, is what the report is about. */
static void report_failure(struct rtls_resolving *resolving,
	enum rtls_result failure, const char *reason, struct rtls_slice body)
{
	struct rtls_session_result result = { .time_s = resolving->now_s,
		.policy_domain = rtls_slice(resolving->domain),
		.type = RTLS_POLICY_STS,
		.result = failure,
		.reason = rtls_slice(reason) };
	struct rtls_err err;

	if (!is_reportable(resolving))
		return;
	if (body.size == 0 &&
		rtls_record_has_policy(resolving->record, resolving->now_s))
		body = resolving->record->policy_text;
	if (body.size > 0)
		result.digest = digest_of(resolving, body);
	if (rtls_journal_append(resolving->config->spool, &result, &err) !=
		RTLS_OK)
		rtls_resolving_note(resolving, "TLS-RPT journal: %s", err.text);
}

/* What it costs: the domain goes unprotected, or the cached policy stays. */
static void note_failure(struct rtls_resolving *resolving, const char *text,
	const struct rtls_fetch_result *failed)
{
	enum rtls_sts_mode mode = cached_mode(resolving);

	if (mode != RTLS_STS_NONE)
		rtls_resolving_note(resolving,
			"MTA-STS policy of %s not fetched (%s); the cached one (%s) stays in force",
			resolving->domain, text, rtls_sts_mode_name(mode));
	else if (failed->is_ours)
		rtls_resolving_note(resolving,
			"MTA-STS policy of %s not fetched for a reason of ours: %s",
			resolving->domain, failed->reason);
}

/* failed->body: the invalid policy, when there is one. */
static void set_failure(struct rtls_resolving *resolving,
	const struct rtls_fetch_result *failed)
{
	struct rtls_record *record = resolving->record;
	char text[RTLS_ERR_SIZE + 32];

	if (!failed->is_ours)
		report_failure(resolving, failed->failure, failed->reason,
			failed->body);
	snprintf(text, sizeof(text), "%s %s", rtls_result_name(failed->failure),
		failed->reason);
	record->fetch = RTLS_FETCH_FAILED;
	record->fetch_id = record->txt_id;
	/* RFC 8461 section 3.3: not again for this id within five minutes. */
	record->fetch_retry_s = resolving->now_s + FAILED_S;
	record->fetch_error = rtls_resolving_keep(
		resolving, rtls_slice_trim(rtls_slice(text)));
	note_failure(resolving, text, failed);
}

/* Has the policy host an address? By our own resolver, which tells "none" from "no answer". */
static bool lacks_address(struct rtls_dns *dns, const char *domain,
	struct rtls_dns_query query[2])
{
	static const enum rtls_dns_type types[] = { RTLS_DNS_A, RTLS_DNS_AAAA };

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(query[i].name, sizeof(query[i].name),
			"mta-sts.%s", domain);
		query[i].type = types[i];
	}
	return rtls_dns_run(dns, query, 2, NULL) == RTLS_OK &&
	       query[0].outcome > RTLS_DNS_FOUND &&
	       query[1].outcome > RTLS_DNS_FOUND;
}

/* A policy host without address is the domain's doing; a resolver that gives none is not. */
static bool is_missing(struct rtls_resolving *resolving)
{
	struct rtls_dns_query *query = calloc(2, sizeof(*query));
	struct rtls_dns *dns = resolving->dns;
	bool missing = false;

	if (query == NULL)
		return false;
	if (dns != NULL ||
		rtls_dns_open(resolving->config, &dns, NULL) == RTLS_OK)
		missing = lacks_address(dns, resolving->domain, query);
	if (resolving->dns == NULL && dns != NULL)
		rtls_dns_close(dns);
	for (size_t i = 0; i < 2; i++)
		rtls_dns_query_free(&query[i]);
	free(query);
	return missing;
}

void rtls_resolve_fetched(
	struct rtls_resolving *resolving, struct rtls_fetch_result *fetched)
{
	struct rtls_sts_policy policy;
	struct rtls_err err = { "" };

	keep_earlier(resolving);
	if (fetched->failure != RTLS_RESULT_SUCCESS) {
		if (fetched->is_unresolved && !is_missing(resolving))
			fetched->is_ours = true;
		fetched->body = rtls_slice("");
		set_failure(resolving, fetched);
		return;
	}
	if (rtls_sts_policy_parse(fetched->body, &policy, &err) == RTLS_OK) {
		set_policy(resolving, &policy, fetched->body);
		return;
	}
	fetched->failure = RTLS_RESULT_STS_POLICY_INVALID;
	rtls_quote(
		fetched->reason, sizeof(fetched->reason), rtls_slice(err.text));
	set_failure(resolving, fetched);
}

static void fetch(struct rtls_resolving *resolving)
{
	struct rtls_config config = *resolving->config;
	unsigned left_ms = rtls_resolving_left_ms(resolving);
	struct rtls_fetch_result fetched;
	enum rtls_status status;

	/* To libcurl, 0 would mean no limit. */
	if (config.fetch_timeout_ms > left_ms)
		config.fetch_timeout_ms = left_ms > 0 ? left_ms : 1;
	status = rtls_fetch_policy(&config, resolving->domain,
		resolving->resolved->body, &fetched);
	(void)status; /* as fetched.failure */
	rtls_resolve_fetched(resolving, &fetched);
}

/* The back-off is on disk before the fetch begins, and with it what DNS said:
 * whoever is killed while a policy host stalls leaves that behind. Nobody takes
 * it for an answer: there may be a policy. */
static void mark_attempt(struct rtls_resolving *resolving)
{
	struct rtls_record *record = resolving->record;

	keep_earlier(resolving);
	record->fetch = RTLS_FETCH_RUNNING;
	record->fetch_id = record->txt_id;
	record->fetch_retry_s = resolving->now_s + FAILED_S;
	record->fetch_error = rtls_slice("sts-policy-fetch-error not finished");
	rtls_resolving_write(resolving);
}

/* A policy that protected the domain, ran out, and was not replaced. */
static void note_expired(struct rtls_resolving *resolving)
{
	const struct rtls_record *old = &resolving->old;
	struct rtls_sts_policy policy;

	if (old->policy_text.size == 0 ||
		resolving->record->policy_text.size > 0 ||
		rtls_sts_policy_parse(old->policy_text, &policy, NULL) !=
			RTLS_OK ||
		policy.mode == RTLS_STS_NONE)
		return;
	rtls_resolving_note(resolving,
		"MTA-STS policy of %s (%s) ran out and could not be fetched anew: the domain goes without it",
		resolving->domain, rtls_sts_mode_name(policy.mode));
}

void rtls_resolve_policy(struct rtls_resolving *resolving)
{
	if (!resolving->config->mta_sts)
		return;
	if (resolving->force_fetch ||
		rtls_record_wants_fetch(resolving->record, resolving->now_s)) {
		mark_attempt(resolving);
		fetch(resolving);
	}
	note_expired(resolving);
}
