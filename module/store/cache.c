/* cache.c - the record of a domain as a file of its name. */
#include "store/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/file.h"
#include "store/hash.h"

static bool is_normalized(const char *domain)
{
	char normal[RTLS_DOMAIN_SIZE];

	return rtls_domain_normalize(rtls_slice(domain), normal) == RTLS_OK &&
	       strcmp(normal, domain) == 0;
}

static unsigned bucket_of(const char *domain)
{
	return (unsigned)(rtls_hash(domain) % RTLS_CACHE_BUCKETS);
}

enum rtls_status rtls_cache_path(
	const char *spool, const char *domain, char out[RTLS_CACHE_PATH_MAX])
{
	int n;

	out[0] = '\0';
	if (!is_normalized(domain))
		return RTLS_INVALID;
	n = snprintf(out, RTLS_CACHE_PATH_MAX, "%s/cache/%02x/%s", spool,
		bucket_of(domain), domain);
	if (n >= 0 && n < RTLS_CACHE_PATH_MAX)
		return RTLS_OK;
	out[0] = '\0';
	return RTLS_INVALID;
}

static enum rtls_status path_of(const char *spool, const char *domain,
	char out[RTLS_CACHE_PATH_MAX], struct rtls_err *err)
{
	enum rtls_status status = rtls_cache_path(spool, domain, out);

	if (status != RTLS_OK)
		rtls_err_set(err, "not a normalized name, or too long");
	return status;
}

enum rtls_status rtls_cache_get(const char *spool, const char *domain,
	char *buffer, struct rtls_record *record, struct rtls_err *err)
{
	char path[RTLS_CACHE_PATH_MAX];
	struct rtls_err why = { "" };
	struct rtls_slice text;
	enum rtls_status status;

	status = path_of(spool, domain, path, err);
	if (status == RTLS_OK)
		status = rtls_file_read_below(
			spool, path, buffer, RTLS_RECORD_SIZE_MAX, &text, err);
	if (status != RTLS_OK)
		return status;
	status = rtls_record_parse(text, domain, record, &why);
	if (status != RTLS_OK)
		rtls_err_set(err, "cache record of %s: %s", domain, why.text);
	return status;
}

/* The domain's name and path, checked. */
static enum rtls_status record_path(const char *spool,
	const struct rtls_record *record, char out[RTLS_CACHE_PATH_MAX],
	struct rtls_err *err)
{
	char domain[RTLS_DOMAIN_SIZE];

	if (!rtls_slice_copy(record->domain, domain, sizeof(domain)))
		domain[0] = '\0';
	return path_of(spool, domain, out, err);
}

enum rtls_status rtls_cache_put(const char *spool,
	const struct rtls_record *record, struct rtls_err *err)
{
	struct rtls_record stored = *record;
	char path[RTLS_CACHE_PATH_MAX];
	enum rtls_status status;
	struct rtls_text text;
	char *buffer;

	status = record_path(spool, record, path, err);
	if (status != RTLS_OK)
		return status;
	buffer = malloc(RTLS_RECORD_SIZE_MAX + 1);
	if (buffer == NULL) {
		rtls_err_set(err, "out of memory");
		return RTLS_NO_MEMORY;
	}
	stored.note_count = 0; /* said once, by the program to the module */
	rtls_text_init(&text, buffer, RTLS_RECORD_SIZE_MAX + 1);
	status = rtls_record_format(&stored, &text);
	if (status == RTLS_OK)
		status = rtls_file_replace(
			spool, path, rtls_text_slice(&text), err);
	else
		rtls_err_set(err, status == RTLS_INVALID
					  ? "the record is too large"
					  : "the record contradicts itself");
	free(buffer);
	return status;
}

enum rtls_status rtls_cache_remove(
	const char *spool, const char *domain, struct rtls_err *err)
{
	char path[RTLS_CACHE_PATH_MAX];
	enum rtls_status status = path_of(spool, domain, path, err);

	return status == RTLS_OK ? rtls_file_remove(path, err) : status;
}

/* What rtls_cache_each() was asked, and where it is. */
struct walk {
	bool (*visit)(const char *domain, void *context);
	void *context;
	unsigned bucket;
	bool stopped;
};

static bool visit_file(const char *name, int64_t modified_s, void *context)
{
	struct walk *walk = context;

	(void)modified_s;
	/* In another directory rtls_cache_get() would not find it. */
	if (is_normalized(name) && bucket_of(name) == walk->bucket)
		walk->stopped = !walk->visit(name, walk->context);
	return !walk->stopped;
}

enum rtls_status rtls_cache_each(const char *spool,
	bool (*visit)(const char *domain, void *context), void *context,
	struct rtls_err *err)
{
	struct walk walk = { visit, context, 0, false };
	char path[RTLS_CACHE_PATH_MAX];

	for (; walk.bucket < RTLS_CACHE_BUCKETS && !walk.stopped;
		walk.bucket++) {
		enum rtls_status status;
		int n = snprintf(path, sizeof(path), "%s/cache/%02x", spool,
			walk.bucket);

		if (n < 0 || (size_t)n >= sizeof(path)) {
			rtls_err_set(err, "the spool's path is too long");
			return RTLS_INVALID;
		}
		status = rtls_file_each(spool, path, visit_file, &walk, err);
		if (status != RTLS_OK && status != RTLS_NONE)
			return status;
	}
	return RTLS_OK;
}
