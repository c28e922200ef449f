/* check_dns.c - ask all that a check wants to know of DNS and the policy host: by
 * rtls_resolve_domain(), as for mail, and beside it what a record does not keep. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/sts_record.h"
#include "store/cache.h"
#include "tool/check.h"
#include "tool/verb.h"

#define QUERIES_PER_HOST 3
#define DNS_PERCENT      40 /* of the time that is left */

static void name_query(struct rtls_dns_query *query, const char *prefix,
	struct rtls_slice name, enum rtls_dns_type type)
{
	(void)snprintf(query->name, sizeof(query->name), "%s%.*s", prefix,
		(int)name.size, name.data);
	query->type = type;
}

enum rtls_status rtls_check_ask(struct rtls_check *check,
	struct rtls_dns_query *queries, size_t count, struct rtls_err *err)
{
	struct rtls_dns *dns = NULL;
	enum rtls_status status = rtls_dns_open(&check->config, &dns, err);

	if (status != RTLS_OK)
		return status;
	rtls_dns_limit(dns, rtls_check_left_ms(check) * DNS_PERCENT / 100);
	status = rtls_dns_run(dns, queries, count, err);
	if (status == RTLS_OK && !rtls_dns_can_validate(dns))
		rtls_findings_add(&check->findings, RTLS_FINDING_UNKNOWN,
			"resolver",
			"ask one that gives DNSSEC data: see \"The resolver\" in "
			"OPERATING.md",
			"the resolver cannot do DNSSEC: every answer counts as insecure");
	rtls_dns_close(dns);
	return status;
}

static enum rtls_status ask_texts(
	struct rtls_check *check, struct rtls_err *err)
{
	struct rtls_dns_query *queries = calloc(2, sizeof(*queries));
	struct rtls_slice domain = rtls_slice(check->domain);
	enum rtls_status status;

	if (queries == NULL) {
		rtls_err_set(err, "out of memory");
		return RTLS_NO_MEMORY;
	}
	name_query(&queries[0], "_mta-sts.", domain, RTLS_DNS_TXT);
	name_query(&queries[1], "_smtp._tls.", domain, RTLS_DNS_TXT);
	status = rtls_check_ask(check, queries, 2, err);
	/* Their storage goes along. */
	check->sts_txt = queries[0];
	check->tlsrpt_txt = queries[1];
	free(queries);
	return status;
}

static bool has_sts_record(const struct rtls_check *check)
{
	const struct rtls_dns_query *query = &check->sts_txt;
	struct rtls_slice texts[RTLS_DNS_RECORDS_MAX];
	struct rtls_sts_record record;

	if (query->outcome != RTLS_DNS_FOUND)
		return false;
	for (size_t i = 0; i < query->count; i++)
		texts[i] = query->record[i].text;
	return rtls_sts_record_select(texts, query->count, &record, NULL) ==
	       RTLS_OK;
}

/* As for mail, but nothing is taken from the cache that can be asked anew. */
static enum rtls_status resolve(struct rtls_check *check, struct rtls_err *err)
{
	const struct rtls_resolve_options options = { .force_dns = true,
		.force_fetch = check->config.mta_sts && has_sts_record(check),
		.now_s = check->now_s };
	unsigned left_ms = rtls_check_left_ms(check);
	enum rtls_status status;

	if (check->config.resolve_timeout_ms > left_ms)
		check->config.resolve_timeout_ms = left_ms;
	status = rtls_resolve_domain(
		&check->config, check->domain, &options, &check->resolved, err);
	if (status != RTLS_OK)
		return status;
	check->record = rtls_resolved_record(check->resolved);
	check->has_policy =
		rtls_record_has_policy(check->record, check->now_s) &&
		rtls_sts_policy_parse(check->record->policy_text,
			&check->policy, NULL) == RTLS_OK;
	return RTLS_OK;
}

/* Three queries a host; the last one is skipped when the record has the answer. */
static void name_queries(struct rtls_check *check)
{
	const struct rtls_record *record = check->record;
	struct rtls_dns_query *queries = check->host_query;
	size_t count = 0;

	for (size_t i = 0; i < record->mx_count; i++) {
		struct rtls_slice host = record->mx[i].host;
		struct rtls_check_host *found = &check->host[i];

		name_query(&queries[count], "", host, RTLS_DNS_A);
		found->a = &queries[count++];
		name_query(&queries[count], "", host, RTLS_DNS_AAAA);
		found->aaaa = &queries[count++];
		if (record->mx[i].tlsa != RTLS_TLSA_UNKNOWN)
			continue;
		name_query(&queries[count], "_25._tcp.", host, RTLS_DNS_TLSA);
		found->tlsa = &queries[count++];
	}
	if (check->has_policy || check->record->txt == RTLS_TXT_VALID) {
		struct rtls_slice domain = rtls_slice(check->domain);

		name_query(&queries[count], "mta-sts.", domain, RTLS_DNS_A);
		check->policy_host.a = &queries[count++];
		name_query(&queries[count], "mta-sts.", domain, RTLS_DNS_AAAA);
		check->policy_host.aaaa = &queries[count++];
	}
	check->host_query_count = count;
}

static enum rtls_status ask_hosts(
	struct rtls_check *check, struct rtls_err *err)
{
	size_t most = QUERIES_PER_HOST * (check->record->mx_count + 1);

	check->host_query = calloc(most, sizeof(*check->host_query));
	if (check->host_query == NULL) {
		rtls_err_set(err, "out of memory");
		return RTLS_NO_MEMORY;
	}
	name_queries(check);
	if (check->host_query_count == 0)
		return RTLS_OK;
	return rtls_check_ask(
		check, check->host_query, check->host_query_count, err);
}

/* What nobody can read, or what is not there, is nothing to compare with. */
static void read_before(struct rtls_check *check)
{
	check->before_text = malloc(RTLS_RECORD_SIZE_MAX + 1);
	check->before = malloc(sizeof(*check->before));
	if (check->before_text != NULL && check->before != NULL &&
		rtls_cache_get(check->config.spool, check->domain,
			check->before_text, check->before, NULL) == RTLS_OK)
		return;
	free(check->before);
	check->before = NULL;
}

int rtls_check_look_up(struct rtls_check *check)
{
	struct rtls_err err = { "" };
	enum rtls_status status;

	rtls_check_progress(check, "asking DNS and the policy host");
	if (check->is_own)
		read_before(check);
	status = ask_texts(check, &err);
	if (status == RTLS_OK)
		status = resolve(check, &err);
	if (status == RTLS_OK)
		status = ask_hosts(check, &err);
	if (status == RTLS_OK)
		return EX_OK;
	return rtls_verb_fail(EX_TEMPFAIL, "%s: %s", check->domain, err.text);
}

void rtls_check_look_up_free(struct rtls_check *check)
{
	rtls_dns_query_free(&check->sts_txt);
	rtls_dns_query_free(&check->tlsrpt_txt);
	for (size_t i = 0; i < check->host_query_count; i++)
		rtls_dns_query_free(&check->host_query[i]);
	free(check->host_query);
	free(check->before);
	free(check->before_text);
	rtls_resolved_free(check->resolved);
}
