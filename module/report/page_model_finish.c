/* page_model_finish.c - the order in which a page shows things: the worst first, and where that
 * is the same, by name, so that the same reports give the same page. */
#include <stdlib.h>
#include <string.h>

#include "page_model_nodes.h"

static int compare_texts(struct rtls_slice a, struct rtls_slice b)
{
	size_t size = a.size < b.size ? a.size : b.size;
	int order = size == 0 ? 0 : memcmp(a.data, b.data, size);

	if (order != 0)
		return order;
	return (a.size > b.size) - (a.size < b.size);
}

/* The larger one first. */
static int compare_counts(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

static int compare_results(
	const struct rtls_page_count *a, const struct rtls_page_count *b)
{
	int order = compare_counts(a->failures, b->failures);

	return order != 0 ? order : compare_counts(a->successes, b->successes);
}

static int compare_domains(const void *a, const void *b)
{
	const struct rtls_page_domain *left =
		*(const struct rtls_page_domain *const *)a;
	const struct rtls_page_domain *right =
		*(const struct rtls_page_domain *const *)b;
	int order = compare_results(&left->count, &right->count);

	return order != 0 ? order : compare_texts(left->name, right->name);
}

static int compare_types(const void *a, const void *b)
{
	const struct rtls_page_type *left = a, *right = b;
	int order = compare_counts(left->count, right->count);

	return order != 0 ? order : compare_texts(left->name, right->name);
}

static int compare_failures(const void *a, const void *b)
{
	const struct rtls_page_failure *left = a, *right = b;
	int order = compare_counts(left->count, right->count);

	if (order == 0)
		order = compare_texts(left->mx_host, right->mx_host);
	if (order == 0)
		order = compare_texts(left->receiving_ip, right->receiving_ip);
	if (order == 0)
		order = compare_texts(left->sending_ip, right->sending_ip);
	if (order == 0)
		order = compare_texts(left->reason, right->reason);
	if (order == 0)
		order = compare_texts(left->helo, right->helo);
	return order != 0 ? order : compare_texts(left->more, right->more);
}

static int compare_policies(const void *a, const void *b)
{
	const struct rtls_page_policy *left = a, *right = b;
	int order = (left->last_day < right->last_day) -
		    (left->last_day > right->last_day);

	if (order == 0)
		order = compare_results(&left->count, &right->count);
	if (order == 0)
		order = compare_texts(left->type, right->type);
	if (order == 0)
		order = compare_texts(left->domain, right->domain);
	if (order == 0)
		order = compare_texts(left->lines, right->lines);
	return order != 0 ? order : compare_texts(left->hosts, right->hosts);
}

static int compare_reporters(const void *a, const void *b)
{
	const struct rtls_page_reporter *left = a, *right = b;
	int order = compare_results(&left->count, &right->count);

	return order != 0 ? order : compare_texts(left->name, right->name);
}

/* Each kind of node has its own way to the next one. */
#define DEFINE_SORT(name, node, compare)                                       \
	static void name(struct node **list)                                   \
	{                                                                      \
		struct node *rest = *list;                                     \
                                                                               \
		*list = NULL;                                                  \
		while (rest != NULL) {                                         \
			struct node *taken = rest, **at = list;                \
                                                                               \
			rest = rest->next;                                     \
			while (*at != NULL && compare(*at, taken) < 0)         \
				at = &(*at)->next;                             \
			taken->next = *at;                                     \
			*at = taken;                                           \
		}                                                              \
	}

/* By insertion: the lists are short, see the limits. */
DEFINE_SORT(sort_types, rtls_page_type, compare_types)
DEFINE_SORT(sort_failures, rtls_page_failure, compare_failures)
DEFINE_SORT(sort_policies, rtls_page_policy, compare_policies)
DEFINE_SORT(sort_reporters, rtls_page_reporter, compare_reporters)

static void sort_domain(struct rtls_page_domain *domain)
{
	for (struct rtls_page_type *type = domain->types; type != NULL;
		type = type->next)
		sort_failures(&type->failures);
	sort_types(&domain->types);
	sort_policies(&domain->policies);
	sort_reporters(&domain->reporters);
}

enum rtls_status rtls_page_model_finish(struct rtls_page_model *model)
{
	size_t n = 0;

	sort_reporters(&model->sums.reporters);
	if (model->domain_count == 0)
		return RTLS_OK;
	model->domain =
		calloc(model->domain_count, sizeof(struct rtls_page_domain *));
	if (model->domain == NULL)
		return RTLS_NO_MEMORY;
	for (struct rtls_page_domain *domain = model->domains; domain != NULL;
		domain = domain->next) {
		sort_domain(domain);
		model->sums.failing_domains += domain->count.failures > 0;
		model->domain[n++] = domain;
	}
	qsort(model->domain, n, sizeof(struct rtls_page_domain *),
		compare_domains);
	return RTLS_OK;
}
