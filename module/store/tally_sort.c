/* tally_sort.c - the order of a compacted journal. */
#include "store/tally.h"

#include <stdlib.h>
#include <string.h>

static int compare_text(struct rtls_slice a, struct rtls_slice b)
{
	const int order =
		memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static struct rtls_slice domain_of(const struct rtls_tally_entry *entry)
{
	struct rtls_slice rest = rtls_slice_n(entry->key, entry->size);

	return rtls_slice_take(&rest, '\t');
}

static int compare_entries(const void *left, const void *right)
{
	const struct rtls_tally_entry *a =
		*(const struct rtls_tally_entry *const *)left;
	const struct rtls_tally_entry *b =
		*(const struct rtls_tally_entry *const *)right;
	const int order = compare_text(domain_of(a), domain_of(b));

	return order != 0 ? order
			  : compare_text(rtls_slice_n(a->key, a->size),
				    rtls_slice_n(b->key, b->size));
}

static int compare_orders(const void *left, const void *right)
{
	const struct rtls_tally_entry *a =
		*(const struct rtls_tally_entry *const *)left;
	const struct rtls_tally_entry *b =
		*(const struct rtls_tally_entry *const *)right;

	return (a->order > b->order) - (a->order < b->order);
}

void rtls_tally_sort(const struct rtls_tally_entry **list, size_t count)
{
	size_t begin = 0;

	qsort(list, count, sizeof(struct rtls_tally_entry *), compare_entries);
	for (size_t i = 1; i <= count; i++) {
		if (i < count && rtls_slice_equal(domain_of(list[begin]),
					 domain_of(list[i])))
			continue;
		if (i - begin > RTLS_TALLY_SORTED)
			qsort(list + begin, i - begin,
				sizeof(struct rtls_tally_entry *),
				compare_orders);
		begin = i;
	}
}
