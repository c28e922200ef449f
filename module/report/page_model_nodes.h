/* page_model_nodes.h - the inside of the model; for page_model*.c only. */
#ifndef RTLS_PAGE_MODEL_NODES_H
#define RTLS_PAGE_MODEL_NODES_H

#include "policy/text.h"
#include "report/page_model.h"
#include "report/table.h"

struct rtls_page_model {
	struct rtls_table table; /* owns all nodes but days, and their texts */
	int64_t begin_s;         /* of the first day */
	size_t day_count;
	struct rtls_page_day day[RTLS_PAGE_DAYS_MAX];
	struct rtls_page_sums sums;
	size_t domain_count;
	struct rtls_page_domain *domains; /* as they came */
	struct rtls_page_domain **domain; /* once finished */
};

/* One kind of node below one parent. */
struct rtls_page_place {
	char kind;          /* a letter of its own */
	const void *parent; /* NULL: the model */
	size_t pieces;      /* texts that tell the nodes apart */
	size_t value_size;
};

/* Bytes of a piece: more characters than a page shows; two may be a policy's lines. */
#define RTLS_PAGE_PIECES_MAX 6
#define RTLS_PAGE_PIECE_MAX  (4 * 301)
#define RTLS_PAGE_LINES_MAX  8192

/*
 * Find or make a node.
 *
 * piece       what it is called, without NULs; when it was made, on return the node's copies
 * may_be_new  false: only find it
 * is_new      set when it was made, zeroed
 * NULL: not there, or no memory; which one is told by may_be_new
 */
void *rtls_page_model_node(struct rtls_page_model *model,
	const struct rtls_page_place *place,
	struct rtls_slice piece[RTLS_PAGE_PIECES_MAX], bool may_be_new,
	bool *is_new);

/* What is being counted. */
struct rtls_page_adding {
	struct rtls_page_model *model;
	struct rtls_slice organization;
	size_t day;
	struct rtls_page_domain *domain; /* NULL: beyond the last that counts */
	struct rtls_page_count count;
};

/* Each finds a node or makes it; NULL, and RTLS_NO_MEMORY: no memory. */

/* Sets adding->domain; NULL beyond RTLS_PAGE_DOMAINS_MAX. */
RTLS_MUST_CHECK enum rtls_status rtls_page_find_domain(
	struct rtls_page_adding *adding, struct rtls_slice name);
/* The rest is of adding->domain. A day is good until the next one is made. */
struct rtls_page_day *rtls_page_find_day(struct rtls_page_adding *adding);
struct rtls_page_type *rtls_page_find_type(
	struct rtls_page_adding *adding, struct rtls_slice name);
struct rtls_page_failure *rtls_page_find_failure(
	struct rtls_page_adding *adding, struct rtls_page_type *type,
	const json_t *detail);
struct rtls_page_policy *rtls_page_find_policy(
	struct rtls_page_adding *adding, const json_t *policy);
/* domain: NULL for the list of the whole page. */
struct rtls_page_reporter *rtls_page_find_reporter(
	struct rtls_page_adding *adding, struct rtls_page_domain *domain);

void rtls_page_counts_add(
	struct rtls_page_count *sum, const struct rtls_page_count *more);

#endif
