/* page_model_find.c - find or make the nodes of the model. Behind each limit there is one node more,
 * with no text, for the others. */
#include <stdlib.h>
#include <string.h>

#include "page_model_nodes.h"
#include "page_read.h"
#include "policy/domain.h"

#define DOMAIN_REPORTERS_MAX 30

enum rtls_status rtls_page_find_domain(
	struct rtls_page_adding *adding, struct rtls_slice name)
{
	static const struct rtls_page_place place = { 'd', NULL, 1,
		sizeof(struct rtls_page_domain) };
	struct rtls_page_model *model = adding->model;
	bool may_be_new = model->domain_count < RTLS_PAGE_DOMAINS_MAX, is_new;
	struct rtls_slice piece[RTLS_PAGE_PIECES_MAX] = { name };
	char normal[RTLS_DOMAIN_SIZE];

	if (rtls_domain_normalize(name, normal) == RTLS_OK)
		piece[0] = rtls_slice(normal);
	adding->domain =
		rtls_page_model_node(model, &place, piece, may_be_new, &is_new);
	if (adding->domain == NULL)
		return may_be_new ? RTLS_NO_MEMORY : RTLS_OK;
	if (!is_new)
		return RTLS_OK;
	adding->domain->name = piece[0];
	adding->domain->next = model->domains;
	model->domains = adding->domain;
	model->domain_count++;
	return RTLS_OK;
}

/* Days are kept in order; mostly the last one is meant. */
struct rtls_page_day *rtls_page_find_day(struct rtls_page_adding *adding)
{
	struct rtls_page_domain *domain = adding->domain;
	size_t day = adding->day;
	size_t at = domain->day_count;

	while (at > 0 && domain->days[at - 1].day > day)
		at--;
	if (at > 0 && domain->days[at - 1].day == day)
		return &domain->days[at - 1];
	if (domain->day_count == domain->day_room) {
		size_t room = domain->day_room == 0 ? 4 : 2 * domain->day_room;
		struct rtls_page_day *grown = realloc(
			domain->days, room * sizeof(struct rtls_page_day));

		if (grown == NULL)
			return NULL;
		domain->days = grown;
		domain->day_room = room;
	}
	memmove(&domain->days[at + 1], &domain->days[at],
		(domain->day_count - at) * sizeof(struct rtls_page_day));
	domain->days[at] = (struct rtls_page_day){ .day = day };
	domain->day_count++;
	return &domain->days[at];
}

struct rtls_page_type *rtls_page_find_type(
	struct rtls_page_adding *adding, struct rtls_slice name)
{
	struct rtls_page_model *model = adding->model;
	struct rtls_page_domain *domain = adding->domain;
	const struct rtls_page_place place = { 't', domain, 1,
		sizeof(struct rtls_page_type) };
	struct rtls_slice piece[RTLS_PAGE_PIECES_MAX] = { name };
	bool is_new;
	struct rtls_page_type *type = rtls_page_model_node(model, &place, piece,
		domain->type_count < RTLS_PAGE_TYPES_MAX, &is_new);

	if (type == NULL && domain->type_count >= RTLS_PAGE_TYPES_MAX) {
		piece[0] = rtls_slice("");
		type = rtls_page_model_node(
			model, &place, piece, true, &is_new);
	}
	if (type == NULL || !is_new)
		return type;
	type->name = piece[0];
	type->next = domain->types;
	domain->types = type;
	domain->type_count++;
	return type;
}

struct rtls_page_failure *rtls_page_find_failure(
	struct rtls_page_adding *adding, struct rtls_page_type *type,
	const json_t *detail)
{
	const struct rtls_page_place place = { 'f', type, 6,
		sizeof(struct rtls_page_failure) };
	struct rtls_slice piece[RTLS_PAGE_PIECES_MAX] = {
		rtls_page_read_text(detail, "receiving-mx-hostname"),
		rtls_page_read_text(detail, "receiving-ip"),
		rtls_page_read_text(detail, "sending-mta-ip"),
		rtls_page_read_text(detail, "receiving-mx-helo"),
		rtls_page_read_text(detail, "failure-reason-code"),
		rtls_page_read_text(detail, "additional-information"),
	};
	bool is_full = adding->domain->failure_count >= RTLS_PAGE_FAILURES_MAX;
	bool is_new;
	struct rtls_page_failure *failure = rtls_page_model_node(
		adding->model, &place, piece, !is_full, &is_new);

	if (failure == NULL && is_full) {
		memset(piece, 0, sizeof(piece));
		failure = rtls_page_model_node(
			adding->model, &place, piece, true, &is_new);
	}
	if (failure == NULL || !is_new)
		return failure;
	failure->mx_host = piece[0];
	failure->receiving_ip = piece[1];
	failure->sending_ip = piece[2];
	failure->helo = piece[3];
	failure->reason = piece[4];
	failure->more = piece[5];
	failure->first_day = failure->last_day = adding->day;
	failure->next = type->failures;
	type->failures = failure;
	type->failure_count++;
	adding->domain->failure_count++;
	return failure;
}

/* RFC 8461 section 3.2: the line "mode: enforce". */
static struct rtls_slice mode_of(struct rtls_slice lines)
{
	struct rtls_slice line;

	while (rtls_slice_line(&lines, &line)) {
		struct rtls_slice name = rtls_slice_take(&line, ':');

		if (rtls_slice_is(rtls_slice_trim(name), "mode"))
			return rtls_slice_trim(line);
	}
	return rtls_slice("");
}

struct rtls_page_policy *rtls_page_find_policy(
	struct rtls_page_adding *adding, const json_t *policy)
{
	struct rtls_page_domain *domain = adding->domain;
	const struct rtls_page_place place = { 'p', domain, 4,
		sizeof(struct rtls_page_policy) };
	char lines[RTLS_PAGE_LINES_MAX], hosts[RTLS_PAGE_LINES_MAX];
	struct rtls_slice piece[RTLS_PAGE_PIECES_MAX] = {
		rtls_page_read_text(policy, "policy-type"),
		rtls_page_read_text(policy, "policy-domain"),
		rtls_page_read_lines(policy, "policy-string", lines),
		rtls_page_read_lines(policy, "mx-host", hosts),
	};
	bool is_full = domain->policy_count >= RTLS_PAGE_POLICIES_MAX, is_new;
	struct rtls_page_policy *node = rtls_page_model_node(
		adding->model, &place, piece, !is_full, &is_new);

	if (node == NULL && is_full) {
		memset(piece, 0, sizeof(piece));
		node = rtls_page_model_node(
			adding->model, &place, piece, true, &is_new);
	}
	if (node == NULL || !is_new)
		return node;
	node->type = piece[0];
	node->domain = piece[1];
	node->lines = piece[2];
	node->hosts = piece[3];
	if (rtls_slice_is(node->type, "sts"))
		node->mode = mode_of(node->lines);
	node->next = domain->policies;
	domain->policies = node;
	domain->policy_count++;
	return node;
}

static struct rtls_page_reporter *find_reporter(struct rtls_page_adding *adding,
	const void *parent, struct rtls_page_reporter **list, size_t *count,
	size_t count_max)
{
	const struct rtls_page_place place = { 'o', parent, 1,
		sizeof(struct rtls_page_reporter) };
	struct rtls_slice piece[RTLS_PAGE_PIECES_MAX] = {
		adding->organization
	};
	bool is_full = *count >= count_max, is_new;
	struct rtls_page_reporter *node = rtls_page_model_node(
		adding->model, &place, piece, !is_full, &is_new);

	if (node == NULL && is_full) {
		piece[0] = rtls_slice("");
		node = rtls_page_model_node(
			adding->model, &place, piece, true, &is_new);
	}
	if (node == NULL || !is_new)
		return node;
	node->name = piece[0];
	node->next = *list;
	*list = node;
	(*count)++;
	return node;
}

struct rtls_page_reporter *rtls_page_find_reporter(
	struct rtls_page_adding *adding, struct rtls_page_domain *domain)
{
	struct rtls_page_sums *sums = &adding->model->sums;

	if (domain == NULL)
		return find_reporter(adding, NULL, &sums->reporters,
			&sums->reporter_count, RTLS_PAGE_REPORTERS_MAX);
	return find_reporter(adding, domain, &domain->reporters,
		&domain->reporter_count, DOMAIN_REPORTERS_MAX);
}
