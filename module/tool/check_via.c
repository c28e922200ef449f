/* check_via.c - where mail goes to smart hosts: their policies, their hosts, and what comes of mail
 * there. Beside it stays what was found about the domain itself, which others send to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/idna.h"
#include "store/smart_hosts.h"
#include "tool/check.h"
#include "tool/verb.h"

#define QUERIES_PER_HOST 3
#define DNS_PERCENT      40 /* of the time that is left, for each host */

/* A check of its own about the smart hosts, and all that it borrows. */
struct smart {
	struct rtls_check check;
	struct rtls_via via;
	struct rtls_smart_hosts all;
	struct rtls_question question;
	struct rtls_known known;
	size_t count; /* of those with a name */
	char name[RTLS_NEXT_HOPS_MAX][RTLS_DOMAIN_SIZE];
	unsigned port[RTLS_NEXT_HOPS_MAX];
	struct rtls_resolved *resolved[RTLS_NEXT_HOPS_MAX];
	bool has_failed; /* nothing at all could be found out about one */
};

/* --- what is asked ------------------------------------------------------------------ */

static void name_hops(struct smart *smart)
{
	for (size_t i = 0; i < smart->via.hops.count; i++) {
		const struct rtls_next_hop *hop = &smart->via.hops.hop[i];

		if (rtls_domain_is_literal(rtls_slice(hop->host)) ||
			rtls_idna_normalize(rtls_slice(hop->host),
				smart->name[smart->count]) != RTLS_OK)
			continue;
		smart->port[smart->count++] = hop->port;
	}
}

static void name_query(struct rtls_dns_query *query, enum rtls_dns_type type,
	const char *name, unsigned port)
{
	query->type = type;
	if (type == RTLS_DNS_TLSA)
		(void)snprintf(query->name, sizeof(query->name), "_%u._tcp.%s",
			port == 0 ? RTLS_SMART_PORT : port, name);
	else
		(void)snprintf(query->name, sizeof(query->name), "%s", name);
}

/* Addresses and TLSA records of all of them. */
static enum rtls_status ask_hosts(struct smart *smart, struct rtls_err *err)
{
	struct rtls_check *check = &smart->check;
	struct rtls_dns_query *query;

	check->host_query =
		calloc(smart->count * QUERIES_PER_HOST, sizeof(*query));
	if (check->host_query == NULL) {
		rtls_err_set(err, "out of memory");
		return RTLS_NO_MEMORY;
	}
	check->host_query_count = smart->count * QUERIES_PER_HOST;
	query = check->host_query;
	for (size_t i = 0; i < smart->count; i++, query += QUERIES_PER_HOST) {
		name_query(&query[0], RTLS_DNS_A, smart->name[i], 0);
		name_query(&query[1], RTLS_DNS_AAAA, smart->name[i], 0);
		name_query(&query[2], RTLS_DNS_TLSA, smart->name[i],
			smart->port[i]);
		check->host[i] = (struct rtls_check_host){ &query[0], &query[1],
			&query[2] };
		check->host_port[i] = smart->port[i];
	}
	return rtls_check_ask(
		check, check->host_query, check->host_query_count, err);
}

static void ask_policy(struct smart *smart, size_t index)
{
	struct rtls_check *check = &smart->check;
	const struct rtls_resolve_options options = { .force_dns = true,
		.now_s = check->now_s };
	unsigned left_ms = rtls_check_left_ms(check) * DNS_PERCENT / 100;
	struct rtls_config config = check->config;
	struct rtls_err err = { "" };

	if (config.resolve_timeout_ms > left_ms)
		config.resolve_timeout_ms = left_ms;
	if (rtls_resolve_domain(&config, smart->name[index], &options,
		    &smart->resolved[index], &err) == RTLS_OK)
		return;
	smart->has_failed = true;
	rtls_findings_add(&check->findings, RTLS_FINDING_UNKNOWN, "via", NULL,
		"%s: %s", smart->name[index], err.text);
}

/* --- the one question that is made of the answers -------------------------------------- */

static size_t find(const struct smart *smart, const char *host)
{
	size_t index = 0;

	while (strcmp(smart->name[index], host) != 0)
		index++;
	return index;
}

static bool is_insecure(const struct rtls_dns_query *query)
{
	return query->outcome == RTLS_DNS_FOUND &&
	       query->dnssec != RTLS_DNSSEC_SECURE;
}

static enum rtls_dnssec address(void *context, const char *host)
{
	const struct smart *smart = context;
	const struct rtls_check_host *found =
		&smart->check.host[find(smart, host)];

	if (is_insecure(found->a) || is_insecure(found->aaaa))
		return RTLS_DNSSEC_INSECURE;
	if (found->a->outcome == RTLS_DNS_FOUND ||
		found->aaaa->outcome == RTLS_DNS_FOUND)
		return RTLS_DNSSEC_SECURE;
	return found->a->outcome == RTLS_DNS_FAILED ||
			       found->aaaa->outcome == RTLS_DNS_FAILED
		       ? RTLS_DNSSEC_UNKNOWN
		       : RTLS_DNSSEC_INSECURE;
}

static enum rtls_tlsa_state tlsa(void *context, const char *host, unsigned port)
{
	const struct smart *smart = context;
	const struct rtls_dns_query *query =
		smart->check.host[find(smart, host)].tlsa;

	(void)port;
	if (query->outcome == RTLS_DNS_FAILED)
		return RTLS_TLSA_FAILED;
	return query->outcome == RTLS_DNS_FOUND &&
			       query->dnssec == RTLS_DNSSEC_SECURE
		       ? RTLS_TLSA_SECURE
		       : RTLS_TLSA_NONE;
}

static const struct rtls_known *known(void *context, const char *host)
{
	struct smart *smart = context;
	const struct rtls_resolved *resolved =
		smart->resolved[find(smart, host)];
	struct rtls_known *known = &smart->known;

	memset(known, 0, sizeof(*known));
	if (resolved == NULL)
		return known;
	known->record = *rtls_resolved_record(resolved);
	known->known = true;
	known->resolved =
		rtls_record_is_fresh(&known->record, smart->check.now_s);
	/* That it does not parse is a finding of whoever checks that domain. */
	if (rtls_known_read_policy(known, smart->check.now_s, NULL) != RTLS_OK)
		known->has_policy = false;
	return known;
}

/* For whoever judges a chain by them. */
static void keep_tlsa(struct smart *smart)
{
	struct rtls_record *record = &smart->all.record;

	for (size_t i = 0; i < record->mx_count; i++) {
		const struct rtls_dns_query *query = smart->check.host[i].tlsa;

		if (record->mx[i].tlsa != RTLS_TLSA_SECURE)
			continue;
		for (size_t j = 0;
			j < query->count && record->tlsa_count < RTLS_TLSA_MAX;
			j++)
			record->tlsa[record->tlsa_count++] =
				(struct rtls_tlsa){ record->mx[i].host,
					query->record[j].text };
	}
}

/* --- findings about them -------------------------------------------------------------- */

static void judge_policy(struct smart *smart, size_t index)
{
	const struct rtls_known *found = known(smart, smart->name[index]);
	struct rtls_findings *findings = &smart->check.findings;

	if (!found->known)
		return;
	if (found->record.txt == RTLS_TXT_FAILED)
		rtls_findings_add(findings, RTLS_FINDING_UNKNOWN, "via", NULL,
			"%s: the lookup of its MTA-STS record failed",
			smart->name[index]);
	else if (found->has_policy)
		rtls_findings_add(findings,
			found->policy.mode == RTLS_STS_ENFORCE &&
					!rtls_sts_policy_allows(&found->policy,
						rtls_slice(smart->name[index]))
				? RTLS_FINDING_BAD
				: RTLS_FINDING_GOOD,
			"via", NULL, "%s: MTA-STS policy of mode %s%s",
			smart->name[index],
			rtls_sts_mode_name(found->policy.mode),
			rtls_sts_policy_allows(
				&found->policy, rtls_slice(smart->name[index]))
				? ""
				: ", which does not name it");
	else
		rtls_findings_add(findings, RTLS_FINDING_GOOD, "via", NULL,
			"%s: no MTA-STS policy", smart->name[index]);
}

static int look_up_by_name(struct smart *smart)
{
	const struct rtls_smart_source source = { smart, address, tlsa, known };
	struct rtls_check *check = &smart->check;
	struct rtls_err err = { "" };

	rtls_check_progress(check, "asking DNS about the smart hosts");
	name_hops(smart);
	if (smart->count > 0 && ask_hosts(smart, &err) != RTLS_OK)
		return rtls_verb_fail(EX_TEMPFAIL, "%s", err.text);
	for (size_t i = 0; i < smart->count; i++)
		ask_policy(smart, i);
	for (size_t i = 0; i < smart->count; i++)
		judge_policy(smart, i);
	rtls_smart_hosts_gather(
		&smart->via.hops, &source, &smart->all, &smart->question);
	keep_tlsa(smart);
	check->record = &smart->all.record;
	check->policy = smart->all.policy;
	check->has_policy = smart->all.has_policy;
	if (check->record->mx_count > 0)
		rtls_check_hosts(check);
	return EX_OK;
}

/* The MX hosts of another domain than the recipient's. */
static int look_up_by_mx(struct smart *smart)
{
	struct rtls_check *check = &smart->check;
	int exit_status = rtls_check_look_up(check);

	if (exit_status != EX_OK)
		return exit_status;
	for (size_t i = 0; i < check->record->mx_count; i++)
		check->host_port[i] = smart->via.hops.hop[0].port;
	rtls_check_mx(check);
	if (check->record->mx_answer == RTLS_MX_NULL ||
		check->record->mx_answer == RTLS_MX_NXDOMAIN)
		return EX_OK;
	rtls_check_sts(check);
	rtls_check_hosts(check);
	return EX_OK;
}

/* As exim/route.c does it. */
static int look_up(struct smart *smart)
{
	struct rtls_next_hop *first = &smart->via.hops.hop[0];
	struct rtls_check *check = &smart->check;
	bool is_name = smart->via.state == RTLS_VIA_HOSTS &&
		       !rtls_domain_is_literal(rtls_slice(first->host)) &&
		       rtls_idna_normalize(rtls_slice(first->host),
			       check->domain) == RTLS_OK;

	if (!is_name)
		rtls_quote(check->domain, sizeof(check->domain),
			rtls_slice(smart->via.state == RTLS_VIA_HOSTS
					   ? first->host
					   : smart->via.text));
	smart->question = (struct rtls_question){ .config = &check->config,
		.domain = rtls_slice(check->domain),
		.literal = !is_name,
		.via = &smart->via.hops };
	check->via_question = &smart->question;
	if (smart->via.state != RTLS_VIA_HOSTS)
		return EX_OK;
	check->is_named = !first->by_mx;
	if (check->is_named)
		return look_up_by_name(smart);
	if (is_name)
		memcpy(first->host, check->domain, sizeof(check->domain));
	return is_name ? look_up_by_mx(smart) : EX_OK;
}

/* --- all of it --------------------------------------------------------------------------- */

static void announce(struct rtls_check *check, const struct rtls_via *via)
{
	rtls_findings_add(&check->findings,
		via->state == RTLS_VIA_BROKEN ? RTLS_FINDING_BAD
					      : RTLS_FINDING_GOOD,
		"via",
		via->state == RTLS_VIA_BROKEN
			? "too many, or /mx beside others: their policies are "
			  "not looked at"
			: NULL,
		"from here all mail goes to smart hosts (%s): %s", via->source,
		via->text);
}

static void free_smart(struct smart *smart)
{
	rtls_check_look_up_free(&smart->check);
	rtls_findings_free(&smart->check.findings);
	for (size_t i = 0; i < smart->count; i++)
		if (smart->resolved[i] != NULL)
			rtls_resolved_free(smart->resolved[i]);
	free(smart);
}

static int check_smart_hosts(struct rtls_check *check, struct smart *smart)
{
	int exit_status;

	smart->check.config = check->config;
	smart->check.now_s = check->now_s;
	smart->check.deadline_ms = check->deadline_ms;
	smart->check.shows_progress = check->shows_progress;
	smart->check.verdicts = check->verdicts;
	smart->check.recipient = check->domain;
	announce(&smart->check, &smart->via);
	exit_status = look_up(smart);
	if (exit_status == EX_OK)
		rtls_check_verdict(&smart->check);
	json_decref(check->via_hosts);
	check->via_hosts = rtls_check_hosts_json(&smart->check);
	json_decref(check->via);
	check->via = rtls_via_json(&smart->via);
	rtls_findings_move(&smart->check.findings, &check->findings);
	return exit_status;
}

int rtls_check_via(
	struct rtls_check *check, const struct rtls_check_options *options)
{
	struct smart *smart = calloc(1, sizeof(*smart));
	int exit_status = EX_OK;

	if (smart == NULL)
		return rtls_verb_fail(EX_OSERR, "out of memory");
	rtls_via_find(&check->config, options->via, &smart->via);
	if (rtls_via_doubt(&smart->via) != NULL)
		rtls_findings_add(&check->findings, RTLS_FINDING_WARNING, "via",
			NULL, "%s", rtls_via_doubt(&smart->via));
	if (rtls_via_counts(&smart->via))
		exit_status = check_smart_hosts(check, smart);
	else
		rtls_check_verdict(check);
	free_smart(smart);
	return exit_status;
}
