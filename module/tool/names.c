/* names.c - see names.h. */
#include "tool/names.h"

#include <stdlib.h>
#include <string.h>

#include "store/cache.h"
#include "tool/verb.h"

struct collection {
	struct rtls_names *names;
	bool no_memory;
};

static bool grow(struct rtls_names *names)
{
	size_t room = names->room == 0 ? 64 : 2 * names->room;
	char **grown = reallocarray(names->name, room, sizeof(*grown));

	if (grown == NULL)
		return false;
	names->name = grown;
	names->room = room;
	return true;
}

static bool add(const char *domain, void *context)
{
	struct collection *collection = context;
	struct rtls_names *names = collection->names;

	if (names->count < names->room || grow(names))
		names->name[names->count] = strdup(domain);
	else
		collection->no_memory = true;
	if (!collection->no_memory && names->name[names->count] != NULL)
		names->count++;
	else
		collection->no_memory = true;
	return !collection->no_memory;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void rtls_names_sort(struct rtls_names *names)
{
	if (names->count > 0)
		qsort(names->name, names->count, sizeof(*names->name), compare);
}

void rtls_names_free(struct rtls_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
}

int rtls_names_collect(const char *spool, struct rtls_names *names)
{
	struct collection collection = { .names = names };
	struct rtls_err err = { "" };
	enum rtls_status status;

	memset(names, 0, sizeof(*names));
	status = rtls_cache_each(spool, add, &collection, &err);
	if (status != RTLS_OK)
		return rtls_verb_fail(rtls_verb_exit(status), "%s", err.text);
	if (collection.no_memory)
		return rtls_verb_fail(EX_OSERR, "out of memory");
	return EX_OK;
}
