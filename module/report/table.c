/* table.c - chained hash table. The hash is FNV-1a: who fills a table is
 * bounded by the caps of aggregate.c, so chains cannot be made long enough to hurt. */
#include "table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 64

void rtls_table_init(struct rtls_table *table)
{
	*table = (struct rtls_table){ .buckets = NULL };
}

void rtls_table_free(struct rtls_table *table)
{
	for (size_t i = 0; i < table->bucket_count; i++) {
		struct rtls_table_entry *entry = table->buckets[i];

		while (entry != NULL) {
			struct rtls_table_entry *next = entry->next;

			free(entry);
			entry = next;
		}
	}
	free(table->buckets);
	rtls_table_init(table);
}

uint64_t rtls_table_hash(struct rtls_slice key)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < key.size; i++)
		hash = (hash ^ (unsigned char)key.data[i]) *
		       UINT64_C(1099511628211);
	return hash ^ hash >> 32;
}

static struct rtls_table_entry **bucket_of(
	const struct rtls_table *table, uint64_t hash)
{
	return &table->buckets[hash & (table->bucket_count - 1)];
}

void *rtls_table_get(const struct rtls_table *table, struct rtls_slice key)
{
	uint64_t hash = rtls_table_hash(key);

	if (table->bucket_count == 0)
		return NULL;
	for (struct rtls_table_entry *entry = *bucket_of(table, hash);
		entry != NULL; entry = entry->next)
		if (entry->hash == hash && rtls_slice_equal(entry->key, key))
			return entry->value;
	return NULL;
}

static void link_entry(struct rtls_table *table, struct rtls_table_entry *entry)
{
	struct rtls_table_entry **bucket = bucket_of(table, entry->hash);

	entry->next = *bucket;
	*bucket = entry;
}

/* Twice the buckets once there are as many entries. */
static bool grow(struct rtls_table *table)
{
	struct rtls_table larger = { .count = table->count };

	if (table->count < table->bucket_count)
		return true;
	larger.bucket_count = table->bucket_count == 0
				      ? BUCKETS_FIRST
				      : table->bucket_count * 2;
	larger.buckets =
		calloc(larger.bucket_count, sizeof(struct rtls_table_entry *));
	if (larger.buckets == NULL)
		return false;
	for (size_t i = 0; i < table->bucket_count; i++) {
		struct rtls_table_entry *entry = table->buckets[i];

		while (entry != NULL) {
			struct rtls_table_entry *next = entry->next;

			link_entry(&larger, entry);
			entry = next;
		}
	}
	free(table->buckets);
	*table = larger;
	return true;
}

static size_t align(size_t size)
{
	size_t unit = _Alignof(max_align_t);

	return (size + unit - 1) / unit * unit;
}

void *rtls_table_add(struct rtls_table *table, struct rtls_slice key,
	size_t value_size, struct rtls_slice *own)
{
	size_t head_size = align(sizeof(struct rtls_table_entry));
	struct rtls_table_entry *entry;
	char *memory, *text;

	if (!grow(table))
		return NULL;
	memory = calloc(1, head_size + align(value_size) + key.size + 1);
	if (memory == NULL)
		return NULL;
	entry = (struct rtls_table_entry *)(void *)memory;
	text = memory + head_size + align(value_size);
	if (key.size > 0)
		memcpy(text, key.data, key.size);
	entry->value = memory + head_size;
	entry->key = rtls_slice_n(text, key.size);
	entry->hash = rtls_table_hash(key);
	link_entry(table, entry);
	table->count++;
	if (own != NULL)
		*own = entry->key;
	return entry->value;
}
