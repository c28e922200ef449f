/* published.c - see published.h. */
#include "resolve/published.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/tlsrpt_record.h"

/* The first queries; behind them two for each name. */
enum {
	ASK_MX,
	ASK_STS,
	ASK_TLSRPT,
	ASK_HOST_A,
	ASK_HOST_AAAA,
	ASK_NAMES,
};

#define QUERIES_MAX (ASK_NAMES + 2 * RTLS_PUBLISHED_MX_MAX)

static void ask(struct rtls_dns_query *query, enum rtls_dns_type type,
	const char *prefix, const char *name)
{
	query->type = type;
	(void)snprintf(query->name, sizeof(query->name), "%s%s", prefix, name);
}

static size_t ask_all(const char *domain,
	const struct rtls_published *published, struct rtls_dns_query *query)
{
	size_t count = ASK_NAMES;

	ask(&query[ASK_MX], RTLS_DNS_MX, "", domain);
	ask(&query[ASK_STS], RTLS_DNS_TXT, "_mta-sts.", domain);
	ask(&query[ASK_TLSRPT], RTLS_DNS_TXT, "_smtp._tls.", domain);
	ask(&query[ASK_HOST_A], RTLS_DNS_A, "mta-sts.", domain);
	ask(&query[ASK_HOST_AAAA], RTLS_DNS_AAAA, "mta-sts.", domain);
	for (size_t i = 0; i < published->name_count; i++) {
		const char *name = published->name[i].name;

		ask(&query[count++], RTLS_DNS_A, "", name);
		ask(&query[count++], RTLS_DNS_AAAA, "", name);
	}
	return count;
}

/* --- answers ---------------------------------------------------------------------------- */

/* Of A and AAAA: found when either is, failed when that leaves it open. */
static void take_name(
	const struct rtls_dns_query pair[2], struct rtls_published_name *name)
{
	const bool failed = pair[0].outcome == RTLS_DNS_FAILED ||
			    pair[1].outcome == RTLS_DNS_FAILED;

	name->is_cname = pair[0].end[0] != '\0' || pair[1].end[0] != '\0';
	if (pair[0].outcome == RTLS_DNS_FOUND ||
		pair[1].outcome == RTLS_DNS_FOUND)
		name->outcome = RTLS_DNS_FOUND;
	else
		name->outcome = failed ? RTLS_DNS_FAILED : pair[0].outcome;
}

static bool has_host(const struct rtls_published *published, const char *host)
{
	for (size_t i = 0; i < published->mx_count; i++)
		if (strcmp(published->mx_host[i], host) == 0)
			return true;
	return false;
}

/* Best preference first, in DNS order among equals. */
static void insert_host(
	struct rtls_published *published, const char *host, unsigned preference)
{
	size_t at = published->mx_count;

	if (at == RTLS_PUBLISHED_MX_MAX || has_host(published, host))
		return;
	for (; at > 0 && published->mx_preference[at - 1] > preference; at--) {
		memcpy(published->mx_host[at], published->mx_host[at - 1],
			RTLS_DOMAIN_SIZE);
		published->mx_preference[at] = published->mx_preference[at - 1];
	}
	(void)snprintf(published->mx_host[at], RTLS_DOMAIN_SIZE, "%s", host);
	published->mx_preference[at] = preference;
	published->mx_count++;
}

static void take_mx(
	const struct rtls_dns_query *query, struct rtls_published *published)
{
	char host[RTLS_DOMAIN_SIZE];

	published->mx = RTLS_MX_HOSTS;
	if (query->outcome == RTLS_DNS_FAILED)
		published->mx = RTLS_MX_FAILED;
	else if (query->outcome != RTLS_DNS_FOUND)
		published->mx = RTLS_MX_NXDOMAIN;
	for (size_t i = 0; i < query->count; i++)
		if (rtls_domain_normalize(query->record[i].text, host) ==
			RTLS_OK)
			insert_host(
				published, host, query->record[i].preference);
	if (published->mx == RTLS_MX_HOSTS && published->mx_count == 0)
		published->mx = RTLS_MX_NULL;
}

static void take_state(enum rtls_status status, const struct rtls_err *err,
	struct rtls_published_txt *txt)
{
	txt->state = status == RTLS_OK     ? RTLS_TXT_VALID
		     : status == RTLS_NONE ? RTLS_TXT_NONE
					   : RTLS_TXT_INVALID;
	(void)snprintf(txt->why, sizeof(txt->why), "%s", err->text);
}

/* Texts of the answer; false: there are none, and the state says so. */
static bool take_texts(const struct rtls_dns_query *query,
	struct rtls_slice texts[RTLS_DNS_RECORDS_MAX],
	struct rtls_published_txt *txt)
{
	if (query->outcome == RTLS_DNS_FAILED) {
		txt->state = RTLS_TXT_FAILED;
		(void)snprintf(
			txt->why, sizeof(txt->why), "%.120s", query->why);
		return false;
	}
	txt->state = RTLS_TXT_NONE;
	for (size_t i = 0; i < query->count; i++)
		texts[i] = query->record[i].text;
	return query->outcome == RTLS_DNS_FOUND;
}

/* Which of the texts it is that was selected. */
static void keep_text(const struct rtls_slice *texts, size_t count,
	const char *prefix, struct rtls_published_txt *txt)
{
	for (size_t i = 0; i < count; i++)
		if (rtls_slice_starts(texts[i], prefix))
			(void)rtls_slice_copy(
				texts[i], txt->text, sizeof(txt->text));
}

static void take_sts(
	const struct rtls_dns_query *query, struct rtls_published *published)
{
	static struct rtls_slice texts[RTLS_DNS_RECORDS_MAX];
	struct rtls_sts_record record;
	struct rtls_err err = { "" };

	if (!take_texts(query, texts, &published->sts))
		return;
	take_state(rtls_sts_record_select(texts, query->count, &record, &err),
		&err, &published->sts);
	if (published->sts.state != RTLS_TXT_VALID)
		return;
	(void)rtls_slice_copy(
		record.id, published->sts_id, sizeof(published->sts_id));
	keep_text(texts, query->count, "v=STSv1", &published->sts);
}

static void take_tlsrpt(
	const struct rtls_dns_query *query, struct rtls_published *published)
{
	static struct rtls_slice texts[RTLS_DNS_RECORDS_MAX];
	struct rtls_tlsrpt_record record;
	struct rtls_err err = { "" };

	if (!take_texts(query, texts, &published->tlsrpt))
		return;
	take_state(
		rtls_tlsrpt_record_select(texts, query->count, &record, &err),
		&err, &published->tlsrpt);
	keep_text(texts, query->count, "v=TLSRPTv1", &published->tlsrpt);
}

static void fetch_policy(const struct rtls_config *config, const char *domain,
	struct rtls_published *published)
{
	struct rtls_err err = { "" };

	published->fetched = rtls_fetch_policy(config, domain, published->body,
				     &published->fetch) == RTLS_OK;
	if (!published->fetched)
		return;
	published->has_policy = rtls_sts_policy_parse(published->fetch.body,
					&published->policy, &err) == RTLS_OK;
	(void)snprintf(published->policy_why, sizeof(published->policy_why),
		"%s", err.text);
}

static void take_all(
	const struct rtls_dns_query *query, struct rtls_published *published)
{
	take_mx(&query[ASK_MX], published);
	take_sts(&query[ASK_STS], published);
	take_tlsrpt(&query[ASK_TLSRPT], published);
	take_name(&query[ASK_HOST_A], &published->policy_host);
	for (size_t i = 0; i < published->name_count; i++)
		take_name(&query[ASK_NAMES + 2 * i], &published->name[i]);
}

enum rtls_status rtls_published_look(const struct rtls_config *config,
	const char *domain, struct rtls_published *published,
	struct rtls_err *err)
{
	struct rtls_dns_query *query = calloc(QUERIES_MAX, sizeof(*query));
	struct rtls_dns *dns = NULL;
	enum rtls_status status;
	size_t count;

	if (query == NULL) {
		rtls_err_set(err, "no memory");
		return RTLS_NO_MEMORY;
	}
	count = ask_all(domain, published, query);
	status = rtls_dns_open(config, &dns, err);
	if (status == RTLS_OK) {
		status = rtls_dns_run(dns, query, count, err);
		if (status == RTLS_OK)
			take_all(query, published);
		for (size_t i = 0; i < count; i++)
			rtls_dns_query_free(&query[i]);
		rtls_dns_close(dns);
	}
	free(query);
	if (status == RTLS_OK &&
		published->policy_host.outcome == RTLS_DNS_FOUND)
		fetch_policy(config, domain, published);
	return status;
}
