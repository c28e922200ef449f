/* aggregate_nodes.c - see aggregate_nodes.h. */
#include "report/aggregate_nodes.h"

#include <stdlib.h>

#include "policy/timestamp.h"

#define KEY_SIZE (2 * RTLS_JOURNAL_LINE_MAX)

/* The n-th piece of a key; pieces hold no tab, the journal is separated by tabs. */
static struct rtls_slice key_piece(struct rtls_slice key, size_t n)
{
	struct rtls_slice piece = rtls_slice_take(&key, '\t');

	while (n-- > 0)
		piece = rtls_slice_take(&key, '\t');
	return piece;
}

static void key_add(struct rtls_text *key, struct rtls_slice piece)
{
	rtls_text_add(key, rtls_slice("\t"));
	rtls_text_add(key, piece);
}

struct rtls_report *rtls_aggregate_report(
	struct rtls_reports *reports, const struct rtls_counted *counted)
{
	struct rtls_slice key = rtls_slice(counted->domain), own;
	struct rtls_report *report = rtls_table_get(&reports->table, key);

	if (report != NULL)
		return report;
	report = rtls_table_add(&reports->table, key, sizeof(*report), &own);
	if (report == NULL)
		return NULL;
	report->domain = own;
	report->begin_s = reports->begin_s;
	report->end_s = reports->begin_s + RTLS_DAY_S - 1;
	report->next = reports->list;
	reports->list = report;
	reports->count++;
	return report;
}

static void format_policy_key(const struct rtls_counted *counted,
	struct rtls_text *key, char buffer[KEY_SIZE])
{
	rtls_text_init(key, buffer, KEY_SIZE);
	rtls_text_add(key, rtls_slice(counted->domain));
	key_add(key, rtls_slice(rtls_policy_type_name(counted->type)));
	key_add(key, counted->digest);
	key_add(key, counted->policy_domain);
}

struct rtls_report_policy *rtls_aggregate_policy(struct rtls_reports *reports,
	struct rtls_report *report, struct rtls_counted *counted)
{
	struct rtls_report_policy *policy;
	struct rtls_slice own;
	struct rtls_text key;
	char buffer[KEY_SIZE];

	format_policy_key(counted, &key, buffer);
	policy = rtls_table_get(&reports->table, rtls_text_slice(&key));
	if (policy == NULL && report->policy_count >= RTLS_POLICIES_MAX) {
		counted->digest = rtls_slice("");
		counted->policy_domain = rtls_slice(counted->domain);
		format_policy_key(counted, &key, buffer);
		policy = rtls_table_get(&reports->table, rtls_text_slice(&key));
	}
	if (policy != NULL)
		return policy;
	policy = rtls_table_add(
		&reports->table, rtls_text_slice(&key), sizeof(*policy), &own);
	if (policy == NULL)
		return NULL;
	policy->type = counted->type;
	policy->digest = key_piece(own, 2);
	policy->domain = key_piece(own, 3);
	policy->next = report->policies;
	report->policies = policy;
	report->policy_count++;
	return policy;
}

static void format_detail_key(const struct rtls_counted *counted,
	struct rtls_text *key, char buffer[KEY_SIZE])
{
	const struct rtls_detail *detail = &counted->detail;

	format_policy_key(counted, key, buffer);
	key_add(key, rtls_slice(rtls_result_name(detail->result)));
	key_add(key, detail->sending_ip);
	key_add(key, detail->mx_host);
	key_add(key, detail->mx_helo);
	key_add(key, detail->receiving_ip);
	key_add(key, detail->reason);
}

static struct rtls_detail *add_detail(struct rtls_reports *reports,
	struct rtls_report *report, struct rtls_report_policy *policy,
	struct rtls_slice key, enum rtls_result result)
{
	struct rtls_slice own;
	struct rtls_detail *detail =
		rtls_table_add(&reports->table, key, sizeof(*detail), &own);

	if (detail == NULL)
		return NULL;
	detail->result = result;
	detail->sending_ip = key_piece(own, 5);
	detail->mx_host = key_piece(own, 6);
	detail->mx_helo = key_piece(own, 7);
	detail->receiving_ip = key_piece(own, 8);
	detail->reason = key_piece(own, 9);
	detail->next = policy->details;
	policy->details = detail;
	policy->detail_count++;
	detail->order = report->detail_count++;
	reports->detail_count++;
	return detail;
}

struct rtls_found *rtls_aggregate_list(const struct rtls_report *report)
{
	struct rtls_found *list =
		calloc(report->detail_count + 1, sizeof(*list));

	if (list == NULL)
		return NULL;
	for (struct rtls_report_policy *policy = report->policies;
		policy != NULL; policy = policy->next)
		for (struct rtls_detail *detail = policy->details;
			detail != NULL; detail = detail->next)
			list[detail->order] =
				(struct rtls_found){ policy, detail };
	return list;
}

/* --- failures beyond the limit ------------------------------------------------ */

/* What is left of a failure once there are too many different ones. */
static void make_coarser(struct rtls_detail *detail, size_t step)
{
	struct rtls_slice none = rtls_slice("");

	detail->sending_ip = none;
	detail->mx_helo = none;
	detail->receiving_ip = none;
	detail->reason = rtls_slice(RTLS_ADDED_UP_REASON);
	if (step > 0)
		detail->mx_host = none;
}

struct rtls_counted rtls_aggregate_again(const struct rtls_report *report,
	const struct rtls_report_policy *policy,
	const struct rtls_detail *detail)
{
	struct rtls_counted counted = { .type = policy->type,
		.digest = policy->digest,
		.policy_domain = policy->domain };

	if (detail != NULL)
		counted.detail = *detail;

	(void)rtls_slice_copy(
		report->domain, counted.domain, sizeof(counted.domain));
	return counted;
}

/* Is the MX host of this failure, made coarser, one of the first that failed so? Which these are must not
 * depend on the limit, for the limit may come to be another one. */
static bool is_early_host(const struct rtls_reports *reports,
	struct rtls_report *report, struct rtls_slice key)
{
	const uint64_t hash = rtls_table_hash(key);

	for (size_t i = 0; i < report->host_count; i++)
		if (report->host[i] == hash)
			return true;
	if (report->host_count >= reports->details_hosts)
		return false;
	report->host[report->host_count++] = hash;
	return true;
}

/* The first time: what is kept in full came before. */
static bool note_early_hosts(
	const struct rtls_reports *reports, struct rtls_report *report)
{
	struct rtls_found *list;
	struct rtls_text key;
	char buffer[KEY_SIZE];

	if (report->host != NULL || reports->details_hosts == 0)
		return true;
	list = rtls_aggregate_list(report);
	report->host = calloc(reports->details_hosts, sizeof(*report->host));
	/* The policy is always there; the analyzer does not know it. */
	for (size_t i = 0; list != NULL && report->host != NULL &&
			   i < report->detail_count && list[i].policy != NULL;
		i++) {
		struct rtls_counted counted = rtls_aggregate_again(
			report, list[i].policy, list[i].detail);

		make_coarser(&counted.detail, 0);
		format_detail_key(&counted, &key, buffer);
		(void)is_early_host(reports, report, rtls_text_slice(&key));
	}
	free(list);
	return list != NULL && report->host != NULL;
}

struct rtls_detail *rtls_aggregate_detail(struct rtls_reports *reports,
	struct rtls_report *report, struct rtls_report_policy *policy,
	struct rtls_counted *counted)
{
	struct rtls_detail *detail;
	struct rtls_text key;
	char buffer[KEY_SIZE];

	for (size_t step = 0;; step++) {
		format_detail_key(counted, &key, buffer);
		detail = rtls_table_get(&reports->table, rtls_text_slice(&key));
		if (detail != NULL)
			return detail;
		if (step == 0 && report->detail_count < reports->details_max)
			break;
		if (step == 0 && !note_early_hosts(reports, report))
			return NULL;
		if (step == 1 &&
			is_early_host(reports, report, rtls_text_slice(&key)))
			break;
		if (step == 2)
			break;
		make_coarser(&counted->detail, step);
	}
	return add_detail(reports, report, policy, rtls_text_slice(&key),
		counted->detail.result);
}
