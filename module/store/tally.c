/* tally.c - open addressing over texts that lie behind one another in large chunks.
 *
 * The key is the line of a single session behind its time: validated once, so that all
 * lines with that key are valid too, as far as their time is. The hash is seeded: names in the
 * lines are of strangers. */
#include "store/tally.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define CHUNK_FIRST  (1U << 16) /* a small day has one */
#define CHUNK_NEXT   (1U << 20)
#define SLOTS_FIRST  1024
#define CACHE_LINE   64
#define TIME_DIGITS  11 /* until the year 5138; later times go the slow way */
#define GROUP_SORTED 100

struct slot {
	uint64_t hash;
	struct rtls_tally_entry *entry; /* NULL: free */
};

struct chunk {
	struct chunk *next;
	size_t size, used; /* of data */
	char data[];
};

struct rtls_tally {
	uint64_t seed[2];
	size_t bytes, bytes_max;
	size_t count;
	size_t slot_count; /* a power of two */
	struct slot *slots;
	struct chunk *first, *last; /* last: where the next entry goes */
};

/* --- hash ------------------------------------------------------------------ */

static uint64_t load(const char *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

/* Both halves of a product of 128 bits depend on all of a and b. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	const wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_of(const struct rtls_tally *tally, struct rtls_slice key)
{
	const char *data = key.data;
	uint64_t hash = tally->seed[0] ^ key.size;
	char last[16] = { 0 };
	size_t left = key.size;

	for (; left > 16; left -= 16, data += 16)
		hash = mix(load(data) ^ tally->seed[1], load(data + 8) ^ hash);
	memcpy(last, data, left);
	hash = mix(load(last) ^ tally->seed[1], load(last + 8) ^ hash);
	return mix(hash, tally->seed[1]);
}

/* --- memory ---------------------------------------------------------------- */

static void choose_seed(struct rtls_tally *tally)
{
	struct timespec now = { 0, 0 };

	if (getrandom(tally->seed, sizeof(tally->seed), GRND_NONBLOCK) !=
		(ssize_t)sizeof(tally->seed)) {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		tally->seed[0] ^= (uint64_t)now.tv_nsec << 32;
		tally->seed[1] ^= (uint64_t)now.tv_sec << 20;
	}
	/* Odd and large: 0 would make all hashes the same. */
	tally->seed[0] |= UINT64_C(0x8000000000000001);
	tally->seed[1] |= UINT64_C(0x8000000000000001);
}

struct rtls_tally *rtls_tally_open(size_t bytes_max)
{
	struct rtls_tally *tally = calloc(1, sizeof(*tally));

	if (tally == NULL)
		return NULL;
	tally->bytes_max = bytes_max;
	tally->slot_count = SLOTS_FIRST;
	tally->slots = calloc(SLOTS_FIRST, sizeof(struct slot));
	if (tally->slots == NULL) {
		free(tally);
		return NULL;
	}
	choose_seed(tally);
	return tally;
}

void rtls_tally_close(struct rtls_tally *tally)
{
	struct chunk *chunk = tally == NULL ? NULL : tally->first;

	while (chunk != NULL) {
		struct chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	if (tally != NULL)
		free(tally->slots);
	free(tally);
}

/* Chunks are kept for what comes next. */
void rtls_tally_clear(struct rtls_tally *tally)
{
	memset(tally->slots, 0, tally->slot_count * sizeof(struct slot));
	for (struct chunk *chunk = tally->first; chunk != NULL;
		chunk = chunk->next)
		chunk->used = 0;
	tally->last = tally->first;
	tally->bytes = 0;
	tally->count = 0;
}

static size_t entry_size(size_t key_size)
{
	const size_t unit = _Alignof(struct rtls_tally_entry);

	return (sizeof(struct rtls_tally_entry) + key_size + unit - 1) / unit *
	       unit;
}

static struct chunk *chunk_with_room(struct rtls_tally *tally, size_t size)
{
	struct chunk *chunk = tally->last;
	size_t chunk_size;

	if (chunk != NULL && chunk->used + size <= chunk->size)
		return chunk;
	if (chunk != NULL && chunk->next != NULL) {
		tally->last = chunk->next;
		return tally->last;
	}
	chunk_size = chunk == NULL ? CHUNK_FIRST : CHUNK_NEXT;
	chunk = malloc(sizeof(*chunk) + chunk_size);
	if (chunk == NULL)
		return NULL;
	chunk->size = chunk_size;
	chunk->next = NULL;
	chunk->used = 0;
	if (tally->last != NULL)
		tally->last->next = chunk;
	else
		tally->first = chunk;
	tally->last = chunk;
	return chunk;
}

/* --- the table ------------------------------------------------------------- */

/* The slot of the key, or the free one where it belongs. */
static struct slot *find(
	const struct rtls_tally *tally, uint64_t hash, struct rtls_slice key)
{
	const size_t mask = tally->slot_count - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct slot *slot = &tally->slots[i];

		if (slot->entry == NULL ||
			(slot->hash == hash && slot->entry->size == key.size &&
				memcmp(slot->entry->key, key.data, key.size) ==
					0))
			return slot;
	}
}

/* At most half of the slots are taken. */
static bool grow(struct rtls_tally *tally)
{
	const size_t count = tally->slot_count * 2;
	struct slot *slots;

	if (tally->count < tally->slot_count / 2)
		return true;
	slots = calloc(count, sizeof(struct slot));
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < tally->slot_count; i++) {
		size_t at = tally->slots[i].hash & (count - 1);

		if (tally->slots[i].entry == NULL)
			continue;
		while (slots[at].entry != NULL)
			at = (at + 1) & (count - 1);
		slots[at] = tally->slots[i];
	}
	free(tally->slots);
	tally->slots = slots;
	tally->slot_count = count;
	return true;
}

static void count_in(
	struct rtls_tally_entry *entry, int64_t time_s, uint64_t count)
{
	entry->count += count;
	if (time_s < entry->time_s)
		entry->time_s = time_s;
}

static enum rtls_status insert(struct rtls_tally *tally, uint64_t hash,
	struct rtls_slice key, int64_t time_s, uint64_t count)
{
	const size_t size = entry_size(key.size);
	struct chunk *chunk;
	struct rtls_tally_entry *entry;
	struct slot *slot;

	if (tally->bytes + size > tally->bytes_max)
		return RTLS_TEMPORARY;
	chunk = grow(tally) ? chunk_with_room(tally, size) : NULL;
	if (chunk == NULL)
		return RTLS_NO_MEMORY;
	entry = (struct rtls_tally_entry *)(void *)(chunk->data + chunk->used);
	chunk->used += size;
	tally->bytes += size;
	entry->time_s = time_s;
	entry->count = count;
	entry->order = (uint32_t)tally->count++;
	entry->size = (uint32_t)key.size;
	memcpy(entry->key, key.data, key.size);
	slot = find(tally, hash, key);
	slot->hash = hash;
	slot->entry = entry;
	return RTLS_OK;
}

/* --- lines ----------------------------------------------------------------- */

/* "1 TAB digits TAB": what most lines begin with. The rest is the key. */
static bool take_head(struct rtls_slice *line, int64_t *time_s)
{
	int64_t number = 0;
	size_t at = 2;

	if (line->size < 4 || line->data[0] != '1' || line->data[1] != '\t')
		return false;
	for (; at < line->size && line->data[at] != '\t'; at++) {
		const unsigned digit =
			(unsigned char)line->data[at] - (unsigned)'0';

		if (digit > 9 || at == 2 + TIME_DIGITS)
			return false;
		number = number * 10 + digit;
	}
	if (at == 2 || at == line->size)
		return false;
	at++;
	*line = rtls_slice_n(line->data + at, line->size - at);
	*time_s = number;
	return true;
}

/* The key of what a line says, however it says it. */
static enum rtls_status key_of(const struct rtls_session_result *result,
	struct rtls_text *text, struct rtls_slice *key)
{
	struct rtls_session_result single = *result;
	int64_t time_s;

	single.count = 1;
	single.time_s = 0;
	if (rtls_journal_line_format(&single, text) != RTLS_OK)
		return RTLS_INVALID;
	*key = rtls_slice_n(text->data, text->size - 1);
	return take_head(key, &time_s) ? RTLS_OK : RTLS_INVALID;
}

static enum rtls_status add_parsed(
	struct rtls_tally *tally, const struct rtls_session_result *result)
{
	char buffer[RTLS_JOURNAL_LINE_MAX];
	struct rtls_text text;
	struct rtls_slice key;
	struct slot *slot;
	uint64_t hash;

	rtls_text_init(&text, buffer, sizeof(buffer));
	if (key_of(result, &text, &key) != RTLS_OK)
		return RTLS_INVALID;
	hash = hash_of(tally, key);
	slot = find(tally, hash, key);
	if (slot->entry == NULL)
		return insert(tally, hash, key, result->time_s, result->count);
	count_in(slot->entry, result->time_s, result->count);
	return RTLS_OK;
}

void rtls_tally_prepare(const struct rtls_tally *tally, struct rtls_slice line,
	struct rtls_tally_line *prepared)
{
	prepared->line = line;
	prepared->key = line;
	prepared->has_key = take_head(&prepared->key, &prepared->time_s);
	if (!prepared->has_key)
		return;
	prepared->hash = hash_of(tally, prepared->key);
	__builtin_prefetch(
		&tally->slots[prepared->hash & (tally->slot_count - 1)]);
}

void rtls_tally_approach(
	const struct rtls_tally *tally, const struct rtls_tally_line *prepared)
{
	const struct rtls_tally_entry *entry;

	if (!prepared->has_key)
		return;
	entry = tally->slots[prepared->hash & (tally->slot_count - 1)].entry;
	if (entry == NULL)
		return;
	__builtin_prefetch(entry, 1);
	__builtin_prefetch(entry->key + CACHE_LINE);
	__builtin_prefetch(entry->key + 2 * CACHE_LINE);
}

enum rtls_status rtls_tally_add(
	struct rtls_tally *tally, const struct rtls_tally_line *prepared)
{
	struct rtls_session_result result;
	const struct slot *slot;

	if (prepared->has_key) {
		slot = find(tally, prepared->hash, prepared->key);
		if (slot->entry != NULL) {
			count_in(slot->entry, prepared->time_s, 1);
			return RTLS_OK;
		}
	}
	if (rtls_journal_line_parse(prepared->line, &result) != RTLS_OK)
		return RTLS_INVALID;
	if (!prepared->has_key)
		return add_parsed(tally, &result);
	return insert(
		tally, prepared->hash, prepared->key, prepared->time_s, 1);
}

/* --- visiting -------------------------------------------------------------- */

bool rtls_tally_visit(const struct rtls_tally_entry *entry,
	rtls_journal_visit *visit, void *context)
{
	char line[RTLS_JOURNAL_LINE_MAX] = "1\t0\t";
	struct rtls_session_result result;

	if (entry->size > sizeof(line) - 4)
		return true;
	memcpy(line + 4, entry->key, entry->size);
	/* It did when it came. */
	if (rtls_journal_line_parse(
		    rtls_slice_n(line, entry->size + 4), &result) != RTLS_OK)
		return true;
	result.time_s = entry->time_s;
	result.count = entry->count;
	return visit(&result, context);
}

/* The entry at a place in a chunk, and the place behind it. */
static const struct rtls_tally_entry *entry_at(
	const struct chunk *chunk, size_t *at)
{
	const struct rtls_tally_entry *entry =
		(const struct rtls_tally_entry *)(const void *)(chunk->data +
								*at);

	*at += entry_size(entry->size);
	return entry;
}

bool rtls_tally_each(const struct rtls_tally *tally, rtls_journal_visit *visit,
	void *context)
{
	for (const struct chunk *chunk = tally->first; chunk != NULL;
		chunk = chunk->next)
		for (size_t at = 0; at < chunk->used;)
			if (!rtls_tally_visit(
				    entry_at(chunk, &at), visit, context))
				return false;
	return true;
}

size_t rtls_tally_size(const struct rtls_tally *tally)
{
	return tally->count;
}

const struct rtls_tally_entry **rtls_tally_list(const struct rtls_tally *tally)
{
	const struct rtls_tally_entry **list =
		calloc(tally->count + 1, sizeof(struct rtls_tally_entry *));
	size_t n = 0;

	for (const struct chunk *chunk = tally->first;
		list != NULL && chunk != NULL; chunk = chunk->next)
		for (size_t at = 0; at < chunk->used;)
			list[n++] = entry_at(chunk, &at);
	return list;
}
