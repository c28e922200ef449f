/* table.h - a hash table from text to a zeroed value, for counting.
 * Entries are never removed and never move; all memory is one call to calloc
 * per entry, plus the buckets. */
#ifndef RTLS_TABLE_H
#define RTLS_TABLE_H

#include <stdint.h>

#include "policy/slice.h"
#include "policy/status.h"

struct rtls_table_entry {
	struct rtls_table_entry *next; /* of the bucket */
	uint64_t hash;
	void *value;           /* value_size bytes, aligned for any type */
	struct rtls_slice key; /* the entry's own copy */
};

struct rtls_table {
	struct rtls_table_entry **buckets; /* NULL while empty */
	size_t bucket_count;               /* a power of two */
	size_t count;
};

/* All zero is an empty table, too. */
void rtls_table_init(struct rtls_table *table);
void rtls_table_free(struct rtls_table *table);

uint64_t rtls_table_hash(struct rtls_slice key);

/* The value of the key, or NULL. */
void *rtls_table_get(const struct rtls_table *table, struct rtls_slice key);

/*
 * Add a key that is not there yet.
 *
 * key    copied
 * own    the table's copy, which lives as long as the table; may be NULL
 * Returns the zeroed value; NULL when there is no memory, and the table is as
 * before.
 */
void *rtls_table_add(struct rtls_table *table, struct rtls_slice key,
	size_t value_size, struct rtls_slice *own);

#endif
