/* check_spf.c - the SPF record of a domain of one's own, with those that it includes: what it says,
 * and what its lookups come to (RFC 7208 section 4.6.4). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/spf.h"
#include "tool/check.h"
#include "tool/check_own.h"

#define GOOD    RTLS_FINDING_GOOD
#define WARNING RTLS_FINDING_WARNING
#define BAD     RTLS_FINDING_BAD
#define UNKNOWN RTLS_FINDING_UNKNOWN

#define NEAR_LIMIT  9
#define QUERIES_MAX 60 /* of ours; who needs more is far over the limit */
#define DEPTH_MAX   RTLS_SPF_LOOKUPS_MAX
#define PERCENT     30 /* of the time that is left */
#define LIST_SIZE   512

/* One record in a walk through all of them; the first has no parent. */
struct record {
	const struct record *parent;
	char domain[RTLS_DOMAIN_SIZE];
	struct rtls_slice text;
	struct rtls_spf spf;
};

struct walk {
	struct rtls_check *check;
	struct rtls_dns *dns;
	unsigned queries;
	unsigned lookups, voids;
	bool is_cut; /* the budget is used up, or a lookup failed */
	bool has_macros; /* something depends on the message, and was not looked at */
	struct rtls_text costs; /* "mx 1, include:a.example 3" */
	struct rtls_text found_nothing;
};

static void walk_record(struct walk *walk, const struct record *record);

/* --- lookups -------------------------------------------------------------------------------- */

/* False: no answer, or no more of them are asked. */
static bool ask(struct walk *walk, struct rtls_dns_query *queries, size_t count)
{
	struct rtls_err err = { "" };

	walk->queries += (unsigned)count;
	if (walk->queries > QUERIES_MAX ||
		rtls_dns_run(walk->dns, queries, count, &err) != RTLS_OK) {
		walk->is_cut = true;
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (queries[i].outcome == RTLS_DNS_FAILED) {
			struct rtls_quoted why;

			walk->is_cut = true;
			rtls_findings_add(&walk->check->findings, UNKNOWN,
				"spf", "look at the name servers of its zone",
				"the lookup for %s failed: %s", queries[i].name,
				rtls_quoted(&why, rtls_slice(queries[i].why)));
			return false;
		}
	return true;
}

/* The name a term is about. False: it is none that DNS has; said. */
static bool name_of(struct walk *walk, const struct record *record,
	const struct rtls_spf_term *term, char name[RTLS_DOMAIN_SIZE])
{
	struct rtls_slice domain = term->domain;
	struct rtls_quoted quoted;

	if (domain.size == 0) {
		memcpy(name, record->domain, RTLS_DOMAIN_SIZE);
		return true;
	}
	if (domain.data[domain.size - 1] == '.')
		domain.size--;
	if (rtls_domain_normalize(domain, name) == RTLS_OK)
		return true;
	rtls_findings_add(&walk->check->findings, BAD, "spf",
		"receivers take it for broken: correct it",
		"%s: no domain name: \"%s\"", record->domain,
		rtls_quoted(&quoted, term->text));
	return false;
}

static void name_query(
	struct rtls_dns_query *query, const char *name, enum rtls_dns_type type)
{
	(void)snprintf(query->name, sizeof(query->name), "%s", name);
	query->type = type;
}

static bool finds(const struct rtls_dns_query *query)
{
	return query->outcome == RTLS_DNS_FOUND && query->count > 0;
}

static void add_void(struct walk *walk, const struct rtls_spf_term *term)
{
	struct rtls_quoted quoted;

	walk->voids++;
	rtls_text_printf(&walk->found_nothing, "%s%s",
		walk->voids == 1 ? "" : ", ", rtls_quoted(&quoted, term->text));
}

/* Does it find something, and not too much? */
static void look_up(
	struct walk *walk, const struct rtls_spf_term *term, const char *name)
{
	struct rtls_dns_query *queries = calloc(2, sizeof(*queries));
	const bool is_mx = term->kind == RTLS_SPF_MX;

	if (queries == NULL) {
		walk->is_cut = true;
		return;
	}
	name_query(&queries[0], name, is_mx ? RTLS_DNS_MX : RTLS_DNS_A);
	name_query(&queries[1], name, RTLS_DNS_AAAA);
	if (ask(walk, queries, term->kind == RTLS_SPF_A ? 2 : 1)) {
		if (!finds(&queries[0]) && !finds(&queries[1]))
			add_void(walk, term);
		if (is_mx && queries[0].count > RTLS_SPF_MX_MAX)
			rtls_findings_add(&walk->check->findings, BAD, "spf",
				"receivers take it for broken: name addresses "
				"in place of mx",
				"mx: %s has %zu MX hosts, and 10 are allowed",
				name, queries[0].count);
	}
	rtls_dns_query_free(&queries[0]);
	rtls_dns_query_free(&queries[1]);
	free(queries);
}

/* --- records that are included ------------------------------------------------------------------ */

static bool is_loop(const struct record *record, const char *name)
{
	for (; record != NULL; record = record->parent)
		if (strcmp(record->domain, name) == 0)
			return true;
	return false;
}

static unsigned depth_of(const struct record *record)
{
	unsigned depth = 0;

	for (; record != NULL; record = record->parent)
		depth++;
	return depth;
}

/* Receivers take the whole for broken, whatever includes it. */
static void refuse(struct walk *walk, const struct record *record,
	const struct rtls_spf_term *term, const char *why)
{
	struct rtls_quoted quoted;

	rtls_findings_add(&walk->check->findings, BAD, "spf",
		"receivers take yours for broken with it: take it out, or have "
		"it corrected",
		"%s, %s: %s", record->domain, rtls_quoted(&quoted, term->text),
		why);
}

/* The one SPF record of an answer. */
static bool select_record(struct walk *walk, const struct record *record,
	const struct rtls_spf_term *term, const struct rtls_dns_query *query,
	struct record *found)
{
	struct rtls_err err = { "" };
	size_t count = 0;

	for (size_t i = 0; query->outcome == RTLS_DNS_FOUND && i < query->count;
		i++) {
		enum rtls_status status = rtls_spf_parse(
			query->record[i].text, &found->spf, &err);

		if (status == RTLS_NONE)
			continue;
		count++;
		found->text = query->record[i].text;
		if (status != RTLS_OK) {
			refuse(walk, record, term, err.text);
			return false;
		}
	}
	if (count == 1)
		return true;
	if (query->outcome != RTLS_DNS_FOUND)
		add_void(walk, term);
	refuse(walk, record, term,
		count == 0 ? "no SPF record there"
			   : "several SPF records there");
	return false;
}

static const char *const all_texts[] = {
	[RTLS_SPF_ALL_MISSING] = "says nothing of all other senders",
	[RTLS_SPF_ALL_PASS] = "lets everybody send as the domain (+all)",
	[RTLS_SPF_ALL_NEUTRAL] = "says nothing of all other senders (?all)",
	[RTLS_SPF_ALL_SOFTFAIL] = "other senders fail softly (~all)",
	[RTLS_SPF_ALL_FAIL] = "other senders fail (-all)",
};

/* What becomes of all other senders is said where the redirections end. */
static void judge_all(struct walk *walk, const struct record *record)
{
	const enum rtls_spf_all all = record->spf.all;
	enum rtls_finding_level level = WARNING;

	if (all == RTLS_SPF_ALL_MISSING && record->spf.has_redirect)
		return;
	if (all == RTLS_SPF_ALL_PASS)
		level = BAD;
	else if (all == RTLS_SPF_ALL_FAIL || all == RTLS_SPF_ALL_SOFTFAIL)
		level = GOOD;
	rtls_findings_add(&walk->check->findings, level, "spf",
		level == GOOD ? NULL : "end it with -all or ~all", "%s: %s",
		record->domain, all_texts[all]);
}

static void judge_terms(struct walk *walk, const struct record *record)
{
	struct rtls_findings *findings = &walk->check->findings;

	if (record->spf.has_ptr)
		rtls_findings_add(findings, WARNING, "spf",
			"take it out (RFC 7208 section 5.5)", "%s: has ptr",
			record->domain);
	if (record->spf.has_more ||
		(record->spf.has_redirect &&
			record->spf.all != RTLS_SPF_ALL_MISSING))
		rtls_findings_add(findings, WARNING, "spf",
			"put all at the end, without redirect",
			"%s: nobody looks at what is behind all, or at "
			"redirect beside it",
			record->domain);
}

static void judge_found(struct walk *walk, const struct record *record,
	const struct rtls_spf_term *term, const struct record *found)
{
	judge_terms(walk, found);
	if (term->kind == RTLS_SPF_REDIRECT && record->parent == NULL)
		judge_all(walk, found);
	else if (found->spf.all == RTLS_SPF_ALL_PASS)
		refuse(walk, record, term,
			"lets everybody send as the domain (+all)");
	walk_record(walk, found);
}

static void follow(struct walk *walk, const struct record *record,
	const struct rtls_spf_term *term, const char *name)
{
	struct rtls_dns_query *query = calloc(1, sizeof(*query));
	struct record *found = calloc(1, sizeof(*found));

	if (is_loop(record, name)) {
		refuse(walk, record, term, "it includes itself");
	} else if (query == NULL || found == NULL ||
		   depth_of(record) > DEPTH_MAX) {
		walk->is_cut = true;
	} else {
		found->parent = record;
		(void)snprintf(
			found->domain, sizeof(found->domain), "%s", name);
		name_query(query, name, RTLS_DNS_TXT);
		if (ask(walk, query, 1) &&
			select_record(walk, record, term, query, found))
			judge_found(walk, record, term, found);
		rtls_dns_query_free(query);
	}
	free(query);
	free(found);
}

/* --- the walk --------------------------------------------------------------------------------- */

static void take_term(struct walk *walk, const struct record *record,
	const struct rtls_spf_term *term)
{
	char name[RTLS_DOMAIN_SIZE];

	walk->lookups++;
	if (term->has_macro) {
		walk->has_macros = true;
		return;
	}
	if (term->kind == RTLS_SPF_PTR || !name_of(walk, record, term, name))
		return;
	if (term->kind == RTLS_SPF_INCLUDE || term->kind == RTLS_SPF_REDIRECT)
		follow(walk, record, term, name);
	else
		look_up(walk, term, name);
}

static void walk_record(struct walk *walk, const struct record *record)
{
	struct rtls_slice rest = record->text;
	struct rtls_spf_term term;
	struct rtls_quoted quoted;

	while (rtls_spf_next(&record->spf, record->text, &rest, &term)) {
		const unsigned before = walk->lookups;

		take_term(walk, record, &term);
		if (record->parent == NULL)
			rtls_text_printf(&walk->costs, "%s%s %u",
				before == 0 ? "" : ", ",
				rtls_quoted(&quoted, term.text),
				walk->lookups - before);
	}
}

static void judge_costs(struct walk *walk)
{
	const bool is_over = walk->lookups > RTLS_SPF_LOOKUPS_MAX;
	struct rtls_findings *findings = &walk->check->findings;

	if (walk->lookups > 0)
		rtls_findings_add(findings,
			is_over                       ? BAD
			: walk->lookups >= NEAR_LIMIT ? WARNING
						      : GOOD,
			"spf",
			is_over ? "receivers take it for broken: name "
				  "networks (ip4, ip6) in place of what costs "
				  "most"
			: walk->lookups >= NEAR_LIMIT
				? "who is included may add one any day: make "
				  "room"
				: NULL,
			"%s: %s%u of 10 lookups: %s%s", walk->check->domain,
			walk->is_cut ? "at least " : "", walk->lookups,
			walk->costs.data, walk->costs.overflow ? " ..." : "");
	if (walk->voids > 0)
		rtls_findings_add(findings,
			walk->voids > RTLS_SPF_VOIDS_MAX ? BAD : WARNING, "spf",
			walk->voids > RTLS_SPF_VOIDS_MAX
				? "receivers give up after two (RFC 7208 "
				  "section 4.6.4): take them out"
				: "take out what finds nothing",
			"%s: terms that find nothing (%u): %s%s",
			walk->check->domain, walk->voids,
			walk->found_nothing.data,
			walk->found_nothing.overflow ? " ..." : "");
	if (walk->has_macros)
		rtls_findings_add(findings, GOOD, "spf", NULL,
			"%s: terms with macros depend on the message; they "
			"were counted, and not looked at",
			walk->check->domain);
}

void rtls_check_spf(struct rtls_check *check, struct rtls_slice text,
	const struct rtls_spf *spf)
{
	char costs[LIST_SIZE], found_nothing[LIST_SIZE];
	struct record record = { .text = text, .spf = *spf };
	struct walk walk = { .check = check };
	struct rtls_err err = { "" };

	(void)snprintf(
		record.domain, sizeof(record.domain), "%s", check->domain);
	rtls_text_init(&walk.costs, costs, sizeof(costs));
	rtls_text_init(
		&walk.found_nothing, found_nothing, sizeof(found_nothing));
	judge_all(&walk, &record);
	judge_terms(&walk, &record);
	if (rtls_dns_open(&check->config, &walk.dns, &err) != RTLS_OK) {
		rtls_findings_add(
			&check->findings, UNKNOWN, "spf", NULL, "%s", err.text);
		return;
	}
	rtls_dns_limit(walk.dns, rtls_check_left_ms(check) * PERCENT / 100);
	walk_record(&walk, &record);
	rtls_dns_close(walk.dns);
	judge_costs(&walk);
}
