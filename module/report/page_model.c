/* page_model.c - the nodes of the model, found by a key: kind, parent, then each text with a
 * NUL behind it. JSON texts hold none: jansson rejects them. */
#include "page_model_nodes.h"

#include <stdlib.h>

#include "policy/timestamp.h"

#define KEY_SIZE                                                               \
	(2 * RTLS_PAGE_LINES_MAX +                                             \
		RTLS_PAGE_PIECES_MAX * (RTLS_PAGE_PIECE_MAX + 1) + 32)

struct rtls_page_model *rtls_page_model_begin(
	int64_t first_day_s, int64_t last_day_s)
{
	struct rtls_page_model *model = calloc(1, sizeof(*model));
	int64_t first = first_day_s / RTLS_DAY_S,
		last = last_day_s / RTLS_DAY_S;

	if (model == NULL)
		return NULL;
	if (last < first)
		last = first;
	if (last - first >= RTLS_PAGE_DAYS_MAX)
		first = last - RTLS_PAGE_DAYS_MAX + 1;
	model->begin_s = first * RTLS_DAY_S;
	model->day_count = (size_t)(last - first) + 1;
	for (size_t i = 0; i < RTLS_PAGE_DAYS_MAX; i++)
		model->day[i].day = i;
	model->sums.days = model->day;
	model->sums.first_day = RTLS_PAGE_DAYS_MAX;
	return model;
}

void rtls_page_model_free(struct rtls_page_model *model)
{
	if (model == NULL)
		return;
	for (struct rtls_page_domain *domain = model->domains; domain != NULL;
		domain = domain->next)
		free(domain->days);
	free(model->domain);
	rtls_table_free(&model->table);
	free(model);
}

static struct rtls_slice format_key(const struct rtls_page_place *place,
	const struct rtls_slice piece[], char buffer[KEY_SIZE])
{
	struct rtls_text key;

	rtls_text_init(&key, buffer, KEY_SIZE);
	rtls_text_add(&key, rtls_slice_n(&place->kind, 1));
	rtls_text_add(&key, rtls_slice_n((const char *)&place->parent,
				    sizeof(place->parent)));
	for (size_t i = 0; i < place->pieces; i++) {
		rtls_text_add(&key, piece[i]);
		rtls_text_add(&key, rtls_slice_n("", 1));
	}
	return rtls_text_slice(&key);
}

void *rtls_page_model_node(struct rtls_page_model *model,
	const struct rtls_page_place *place,
	struct rtls_slice piece[RTLS_PAGE_PIECES_MAX], bool may_be_new,
	bool *is_new)
{
	char buffer[KEY_SIZE];
	struct rtls_slice key = format_key(place, piece, buffer), own;
	void *node = rtls_table_get(&model->table, key);

	*is_new = false;
	if (node != NULL || !may_be_new)
		return node;
	node = rtls_table_add(&model->table, key, place->value_size, &own);
	if (node == NULL)
		return NULL;
	*is_new = true;
	own.data += 1 + sizeof(place->parent);
	own.size -= 1 + sizeof(place->parent);
	for (size_t i = 0; i < place->pieces; i++)
		piece[i] = rtls_slice_take(&own, '\0');
	return node;
}

void rtls_page_count_add(uint64_t *sum, uint64_t more)
{
	*sum = more > UINT64_MAX - *sum ? UINT64_MAX : *sum + more;
}

void rtls_page_counts_add(
	struct rtls_page_count *sum, const struct rtls_page_count *more)
{
	rtls_page_count_add(&sum->successes, more->successes);
	rtls_page_count_add(&sum->failures, more->failures);
}

size_t rtls_page_model_count(const struct rtls_page_model *model)
{
	return model->domain_count;
}

const struct rtls_page_domain *rtls_page_model_domain(
	const struct rtls_page_model *model, size_t index)
{
	return model->domain[index];
}

const struct rtls_page_sums *rtls_page_model_sums(
	const struct rtls_page_model *model)
{
	return &model->sums;
}

int64_t rtls_page_model_day_s(const struct rtls_page_model *model, size_t day)
{
	return model->begin_s + (int64_t)day * RTLS_DAY_S;
}
