/* hosts.c - see hosts.h. */
#include "report/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "report/recount.h"

struct use {
	const struct rtls_report *report;
	struct use *next;
};

struct node {
	struct rtls_host host;
	struct use *uses; /* while collecting, the last one first */
	struct node *next;
};

struct rtls_hosts {
	struct rtls_table table; /* owns the nodes */
	size_t count;
	struct node *list;
	struct rtls_host **sorted;
};

/* --- which hosts ------------------------------------------------------------ */

static bool is_elsewhere(const struct rtls_report *report,
	const struct rtls_report_policy *policy)
{
	return policy->type == RTLS_POLICY_TLSA &&
	       !rtls_slice_equal(policy->domain, report->domain);
}

static struct node *node_of(struct rtls_hosts *hosts, struct rtls_slice name)
{
	struct node *node = rtls_table_get(&hosts->table, name);

	if (node != NULL)
		return node;
	node = rtls_table_add(&hosts->table, name, sizeof(*node), &name);
	if (node == NULL)
		return NULL;
	node->host.name = name;
	node->next = hosts->list;
	hosts->list = node;
	hosts->count++;
	return node;
}

/* A host has a policy for each of its TLSA texts; the domain is noted once. */
static enum rtls_status note_use(struct rtls_hosts *hosts,
	const struct rtls_report *report, struct rtls_slice name)
{
	struct node *node = node_of(hosts, name);
	struct use *use;

	if (node == NULL)
		return RTLS_NO_MEMORY;
	if (node->uses != NULL && node->uses->report == report)
		return RTLS_OK;
	use = calloc(1, sizeof(*use));
	if (use == NULL)
		return RTLS_NO_MEMORY;
	*use = (struct use){ report, node->uses };
	node->uses = use;
	node->host.domain_count++;
	return RTLS_OK;
}

static enum rtls_status collect(
	struct rtls_hosts *hosts, const struct rtls_reports *reports)
{
	enum rtls_status status = RTLS_OK;

	for (size_t i = 0; i < reports->count; i++) {
		const struct rtls_report *report = reports->report[i];

		for (size_t k = 0; k < report->policy_count; k++) {
			if (!is_elsewhere(report, report->policy[k]))
				continue;
			status = note_use(
				hosts, report, report->policy[k]->domain);
			if (status != RTLS_OK)
				return status;
		}
	}
	for (size_t i = 0; i < reports->count; i++) {
		struct node *node = rtls_table_get(
			&hosts->table, reports->report[i]->domain);

		if (node != NULL)
			node->host.own = reports->report[i];
	}
	return RTLS_OK;
}

/* From last to first, so that the domains are in the order of the reports. */
static enum rtls_status list_domains(struct node *node)
{
	size_t n = node->host.domain_count;

	node->host.domain = calloc(n, sizeof(struct rtls_report *));
	if (node->host.domain == NULL)
		return RTLS_NO_MEMORY;
	for (const struct use *use = node->uses; use != NULL; use = use->next)
		node->host.domain[--n] = use->report;
	return RTLS_OK;
}

static int compare_hosts(const void *a, const void *b)
{
	const struct rtls_host *const *left = a, *const *right = b;

	return strcmp((*left)->name.data, (*right)->name.data);
}

static enum rtls_status sort(struct rtls_hosts *hosts)
{
	size_t n = 0;

	if (hosts->count == 0)
		return RTLS_OK;
	hosts->sorted = calloc(hosts->count, sizeof(struct rtls_host *));
	if (hosts->sorted == NULL)
		return RTLS_NO_MEMORY;
	for (struct node *node = hosts->list; node != NULL; node = node->next) {
		if (list_domains(node) != RTLS_OK)
			return RTLS_NO_MEMORY;
		hosts->sorted[n++] = &node->host;
	}
	qsort(hosts->sorted, n, sizeof(struct rtls_host *), compare_hosts);
	return RTLS_OK;
}

enum rtls_status rtls_hosts_find(
	const struct rtls_reports *reports, struct rtls_hosts **hosts)
{
	struct rtls_hosts *found = calloc(1, sizeof(*found));
	enum rtls_status status;

	if (found == NULL)
		return RTLS_NO_MEMORY;
	status = collect(found, reports);
	if (status == RTLS_OK)
		status = sort(found);
	if (status != RTLS_OK)
		rtls_hosts_free(found);
	else
		*hosts = found;
	return status;
}

void rtls_hosts_free(struct rtls_hosts *hosts)
{
	if (hosts == NULL)
		return;
	for (struct node *node = hosts->list; node != NULL; node = node->next) {
		while (node->uses != NULL) {
			struct use *next = node->uses->next;

			free(node->uses);
			node->uses = next;
		}
		free(node->host.domain);
	}
	free(hosts->sorted);
	rtls_table_free(&hosts->table);
	free(hosts);
}

size_t rtls_hosts_count(const struct rtls_hosts *hosts)
{
	return hosts->count;
}

const struct rtls_host *rtls_hosts_get(
	const struct rtls_hosts *hosts, size_t index)
{
	return hosts->sorted[index];
}

/* --- the report on one -------------------------------------------------------- */

static enum rtls_status add_own(
	struct rtls_reports *made, const struct rtls_report *own)
{
	enum rtls_status status = RTLS_OK;

	for (size_t i = 0; i < own->policy_count && status == RTLS_OK; i++)
		status = rtls_recount(
			made, own->domain, own->policy[i], NULL, NULL);
	return status;
}

static bool is_about(const struct rtls_report *report,
	const struct rtls_report_policy *policy, const struct rtls_host *host)
{
	return is_elsewhere(report, policy) &&
	       rtls_slice_equal(policy->domain, host->name);
}

/* What the report on a recipient domain says about the host. */
static enum rtls_status add_domain(struct rtls_reports *made,
	const struct rtls_host *host, const struct rtls_report *report)
{
	enum rtls_status status = RTLS_OK;

	for (size_t i = 0; i < report->policy_count && status == RTLS_OK; i++)
		if (is_about(report, report->policy[i], host))
			status = rtls_recount(made, host->name,
				report->policy[i], NULL, NULL);
	return status;
}

static enum rtls_status fill(struct rtls_reports *made,
	const struct rtls_host *host, const bool *left_out)
{
	enum rtls_status status = RTLS_OK;

	if (host->own != NULL)
		status = add_own(made, host->own);
	for (size_t i = 0; i < host->domain_count && status == RTLS_OK; i++)
		if (left_out == NULL || !left_out[i])
			status = add_domain(made, host, host->domain[i]);
	if (status == RTLS_OK)
		status = rtls_aggregate_finish(made);
	return status == RTLS_OK && made->count == 0 ? RTLS_NONE : status;
}

uint64_t rtls_hosts_failures(const struct rtls_host *host)
{
	uint64_t failures = host->own != NULL ? host->own->failures : 0;

	for (size_t i = 0; i < host->domain_count; i++) {
		const struct rtls_report *report = host->domain[i];

		for (size_t k = 0; k < report->policy_count; k++)
			if (is_about(report, report->policy[k], host))
				failures += report->policy[k]->failures;
	}
	return failures;
}

enum rtls_status rtls_hosts_report(const struct rtls_host *host,
	const bool *left_out, struct rtls_reports **made)
{
	const struct rtls_report *any =
		host->own != NULL ? host->own : host->domain[0];
	struct rtls_reports *reports = rtls_aggregate_begin(any->begin_s);
	enum rtls_status status;

	if (reports == NULL)
		return RTLS_NO_MEMORY;
	status = fill(reports, host, left_out);
	if (status == RTLS_OK)
		*made = reports;
	else
		rtls_reports_free(reports);
	return status;
}
