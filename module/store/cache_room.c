/* cache_room.c - keep the cache within its bound (cache.h): a bucket that has its share of domains
 * gives some up before it takes another one. */
#include "store/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/file.h"

/* How much of a full bucket goes at once, so that most new domains need not look further than at the
 * number of files. */
#define GIVEN_UP_PART 8

struct entry {
	char domain[RTLS_DOMAIN_SIZE];
	int64_t used_s;
	bool has_policy;
};

struct bucket {
	size_t count;
	size_t room; /* of entry, 0: only count */
	struct entry *entry;
};

static bool visit(const char *name, int64_t modified_s, void *context)
{
	struct bucket *bucket = context;
	struct entry *entry;

	if (bucket->room == 0) {
		bucket->count++;
		return true;
	}
	entry = &bucket->entry[bucket->count];
	entry->used_s = modified_s;
	if (rtls_slice_copy(
		    rtls_slice(name), entry->domain, sizeof(entry->domain)))
		bucket->count++;
	return bucket->count < bucket->room;
}

/* What cannot be read has no use and no policy. */
static void read_entry(
	const char *spool, int64_t now_s, char *buffer, struct entry *entry)
{
	struct rtls_record record;

	if (rtls_cache_get(spool, entry->domain, buffer, &record, NULL) !=
		RTLS_OK) {
		entry->used_s = 0;
		return;
	}
	if (record.used_s != 0)
		entry->used_s = record.used_s;
	/* A use in the future is one of a wrong clock. */
	if (entry->used_s > now_s)
		entry->used_s = now_s;
	entry->has_policy = rtls_record_has_policy(&record, now_s);
}

/* The first to go in front: without a policy in force there is little to lose, a
 * policy is what protects the next message. */
static int compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->has_policy != b->has_policy)
		return a->has_policy ? 1 : -1;
	if (a->used_s != b->used_s)
		return a->used_s < b->used_s ? -1 : 1;
	return strcmp(a->domain, b->domain);
}

/* The bucket's entries, the first to go in front. */
static enum rtls_status read_bucket(const char *spool, const char *path,
	int64_t now_s, struct bucket *bucket, struct rtls_err *err)
{
	char *buffer = malloc(RTLS_RECORD_SIZE_MAX + 1);
	enum rtls_status status = RTLS_NO_MEMORY;

	bucket->room = bucket->count;
	bucket->count = 0;
	bucket->entry = calloc(bucket->room, sizeof(*bucket->entry));
	if (buffer == NULL || bucket->entry == NULL)
		rtls_err_set(err, "out of memory");
	else
		status = rtls_file_each(spool, path, visit, bucket, err);
	for (size_t i = 0; i < bucket->count; i++)
		read_entry(spool, now_s, buffer, &bucket->entry[i]);
	if (bucket->count > 0)
		qsort(bucket->entry, bucket->count, sizeof(*bucket->entry),
			compare);
	free(buffer);
	return status;
}

static enum rtls_status give_up(const char *spool, const char *path,
	struct bucket *bucket, size_t kept, int64_t now_s, struct rtls_err *err)
{
	enum rtls_status status = read_bucket(spool, path, now_s, bucket, err);

	for (size_t i = 0; status == RTLS_OK && i + kept < bucket->count; i++) {
		status = rtls_cache_remove(spool, bucket->entry[i].domain, err);
		/* Gone already, or no domain and so not ours to remove. */
		if (status == RTLS_NONE || status == RTLS_INVALID)
			status = RTLS_OK;
	}
	free(bucket->entry);
	return status;
}

enum rtls_status rtls_cache_make_room(const char *spool, const char *domain,
	unsigned domains_max, int64_t now_s, struct rtls_err *err)
{
	const size_t share =
		(domains_max + RTLS_CACHE_BUCKETS - 1) / RTLS_CACHE_BUCKETS;
	char path[RTLS_CACHE_PATH_MAX];
	struct bucket bucket = { 0 };
	enum rtls_status status;

	status = rtls_cache_path(spool, domain, path);
	if (status != RTLS_OK) {
		rtls_err_set(err, "not a normalized name, or too long");
		return status;
	}
	*strrchr(path, '/') = '\0';
	status = rtls_file_each(spool, path, visit, &bucket, err);
	if (status == RTLS_OK && bucket.count >= share)
		status = give_up(spool, path, &bucket,
			share - 1 - share / GIVEN_UP_PART, now_s, err);
	return status == RTLS_NONE ? RTLS_OK : status;
}
