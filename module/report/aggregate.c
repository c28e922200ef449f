/* aggregate.c - RFC 8460 sections 4.2 and 4.4. All nodes live in one table, whose
 * keys are the texts of the node behind one another:
 *
 *   domain
 *   domain TAB type TAB digest TAB domain of the policy
 *   ... TAB result TAB sending ip TAB MX TAB HELO TAB receiving ip TAB reason
 */
#include "aggregate.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S    86400
#define KEY_SIZE (2 * RTLS_JOURNAL_LINE_MAX)

struct rtls_reports *rtls_aggregate_begin(int64_t day_s)
{
	struct rtls_reports *reports = calloc(1, sizeof(*reports));

	if (reports != NULL)
		reports->begin_s = day_s;
	return reports;
}

void rtls_reports_free(struct rtls_reports *reports)
{
	if (reports == NULL)
		return;
	for (struct rtls_report *report = reports->list; report != NULL;
		report = report->next) {
		for (struct rtls_report_policy *policy = report->policies;
			policy != NULL; policy = policy->next)
			free(policy->detail);
		free(report->policy);
	}
	free(reports->report);
	rtls_table_free(&reports->table);
	free(reports);
}

/* --- one session, its texts in the one form that is counted ---------------- */

struct session {
	enum rtls_policy_type type;
	char domain[RTLS_DOMAIN_SIZE];
	char mx[RTLS_DOMAIN_SIZE];
	char sending_ip[INET6_ADDRSTRLEN];
	char receiving_ip[INET6_ADDRSTRLEN];
	struct rtls_slice digest;
	struct rtls_slice policy_domain;
	struct rtls_detail detail;
};

/* RFC 8460 section 4.4 wants RFC 5952; what is no address is left out. */
static struct rtls_slice normalize_ip(
	struct rtls_slice text, char out[INET6_ADDRSTRLEN])
{
	unsigned char address[16];
	char copy[INET6_ADDRSTRLEN];
	int family;

	out[0] = '\0';
	if (!rtls_slice_copy(text, copy, sizeof(copy)))
		return rtls_slice(out);
	family = strchr(copy, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(family, copy, address) != 1 ||
		inet_ntop(family, address, out, INET6_ADDRSTRLEN) == NULL)
		out[0] = '\0';
	return rtls_slice(out);
}

static enum rtls_status normalize(
	const struct rtls_session_result *result, struct session *session)
{
	struct rtls_detail *detail = &session->detail;

	if (rtls_domain_normalize(result->policy_domain, session->domain) !=
		RTLS_OK)
		return RTLS_INVALID;
	session->type = result->type;
	session->digest = result->digest;
	session->policy_domain = rtls_slice(session->domain);
	detail->result = result->result;
	detail->mx_host = result->mx_host; /* an address literal, perhaps */
	if (rtls_domain_normalize(result->mx_host, session->mx) == RTLS_OK) {
		detail->mx_host = rtls_slice(session->mx);
		/* RFC 8460 section 1.1: DANE is about the TLSA base domain. */
		if (result->type == RTLS_POLICY_TLSA)
			session->policy_domain = detail->mx_host;
	}
	detail->mx_helo = result->mx_helo;
	detail->reason = result->reason;
	detail->sending_ip =
		normalize_ip(result->sending_ip, session->sending_ip);
	detail->receiving_ip =
		normalize_ip(result->receiving_ip, session->receiving_ip);
	return RTLS_OK;
}

/* --- nodes: found or made -------------------------------------------------- */

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

static struct rtls_report *report_of(
	struct rtls_reports *reports, const struct session *session)
{
	struct rtls_slice key = rtls_slice(session->domain), own;
	struct rtls_report *report = rtls_table_get(&reports->table, key);

	if (report != NULL)
		return report;
	report = rtls_table_add(&reports->table, key, sizeof(*report), &own);
	if (report == NULL)
		return NULL;
	report->domain = own;
	report->begin_s = reports->begin_s;
	report->end_s = reports->begin_s + DAY_S - 1;
	report->next = reports->list;
	reports->list = report;
	reports->count++;
	return report;
}

static void format_policy_key(const struct session *session,
	struct rtls_text *key, char buffer[KEY_SIZE])
{
	rtls_text_init(key, buffer, KEY_SIZE);
	rtls_text_add(key, rtls_slice(session->domain));
	key_add(key, rtls_slice(rtls_policy_type_name(session->type)));
	key_add(key, session->digest);
	key_add(key, session->policy_domain);
}

static struct rtls_report_policy *policy_of(struct rtls_reports *reports,
	struct rtls_report *report, struct session *session)
{
	struct rtls_report_policy *policy;
	struct rtls_slice own;
	struct rtls_text key;
	char buffer[KEY_SIZE];

	format_policy_key(session, &key, buffer);
	policy = rtls_table_get(&reports->table, rtls_text_slice(&key));
	if (policy == NULL && report->policy_count >= RTLS_POLICIES_MAX) {
		session->digest = rtls_slice("");
		session->policy_domain = rtls_slice(session->domain);
		format_policy_key(session, &key, buffer);
		policy = rtls_table_get(&reports->table, rtls_text_slice(&key));
	}
	if (policy != NULL)
		return policy;
	policy = rtls_table_add(
		&reports->table, rtls_text_slice(&key), sizeof(*policy), &own);
	if (policy == NULL)
		return NULL;
	policy->type = session->type;
	policy->digest = key_piece(own, 2);
	policy->domain = key_piece(own, 3);
	policy->next = report->policies;
	report->policies = policy;
	report->policy_count++;
	return policy;
}

static void format_detail_key(const struct session *session,
	struct rtls_text *key, char buffer[KEY_SIZE])
{
	const struct rtls_detail *detail = &session->detail;

	format_policy_key(session, key, buffer);
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
	report->detail_count++;
	return detail;
}

/* What is left of a failure once there are too many different ones. */
static void make_coarser(struct rtls_detail *detail, size_t step)
{
	struct rtls_slice none = rtls_slice("");

	detail->sending_ip = none;
	detail->mx_helo = none;
	detail->receiving_ip = none;
	detail->reason = none;
	if (step > 0)
		detail->mx_host = none;
}

static struct rtls_detail *detail_of(struct rtls_reports *reports,
	struct rtls_report *report, struct rtls_report_policy *policy,
	struct session *session)
{
	static const size_t limit[] = { RTLS_DETAILS_MAX,
		RTLS_DETAILS_HOSTS_MAX };
	struct rtls_detail *detail;
	struct rtls_text key;
	char buffer[KEY_SIZE];

	for (size_t step = 0;; step++) {
		format_detail_key(session, &key, buffer);
		detail = rtls_table_get(&reports->table, rtls_text_slice(&key));
		if (detail != NULL)
			return detail;
		if (step == 2 || report->detail_count < limit[step])
			break;
		make_coarser(&session->detail, step);
	}
	return add_detail(reports, report, policy, rtls_text_slice(&key),
		session->detail.result);
}

enum rtls_status rtls_aggregate_add(
	struct rtls_reports *reports, const struct rtls_session_result *result)
{
	const uint64_t count = result->count == 0 ? 1 : result->count;
	struct rtls_report_policy *policy;
	struct rtls_report *report;
	struct rtls_detail *detail;
	struct session session;

	if (normalize(result, &session) != RTLS_OK) {
		reports->skipped += count;
		return RTLS_OK;
	}
	report = report_of(reports, &session);
	if (report == NULL)
		return RTLS_NO_MEMORY;
	policy = policy_of(reports, report, &session);
	if (policy == NULL)
		return RTLS_NO_MEMORY;
	reports->lines += count;
	if (result->result == RTLS_RESULT_SUCCESS) {
		report->successes += count;
		policy->successes += count;
		return RTLS_OK;
	}
	report->failures += count;
	policy->failures += count;
	detail = detail_of(reports, report, policy, &session);
	if (detail == NULL)
		return RTLS_NO_MEMORY;
	detail->count += count;
	return RTLS_OK;
}
