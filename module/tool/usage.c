/* usage.c - see usage.h. */
#include "tool/usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/file.h"

#define PATH_SIZE 1024

struct walk {
	const char *spool;
	const char *directory; /* below the spool, under work */
	char below[PATH_SIZE];
	struct rtls_usage *usage;
	struct rtls_usage_sum *sum;
	enum rtls_status status;
	struct rtls_err *err;
};

static bool format_path(const struct walk *walk, const char *directory,
	const char *name, char out[PATH_SIZE])
{
	const int n = snprintf(out, PATH_SIZE, "%s/%s%s%s", walk->spool,
		directory, name[0] == '\0' ? "" : "/", name);

	return n > 0 && n < PATH_SIZE;
}

static void note(struct walk *walk, enum rtls_status status)
{
	if (status != RTLS_OK && status != RTLS_NONE)
		walk->status = status;
}

static bool add_file(const char *name, int64_t modified_s, void *context)
{
	struct walk *walk = context;
	char path[PATH_SIZE];
	struct stat info;

	(void)modified_s;
	if (!format_path(walk, walk->below, name, path) ||
		lstat(path, &info) != 0)
		return true;
	walk->sum->files++;
	walk->sum->bytes += (uint64_t)info.st_size;
	return true;
}

static bool add_journal(const char *name, int64_t modified_s, void *context)
{
	struct walk *walk = context;
	char *oldest = walk->usage->oldest;
	int64_t day_s;

	if (rtls_date_parse(rtls_slice(name), &day_s) != RTLS_OK)
		return true;
	if (oldest[0] == '\0' || strcmp(name, oldest) < 0)
		memcpy(oldest, name, RTLS_DATE_SIZE);
	return add_file(name, modified_s, context);
}

static void add_files(struct walk *walk, const char *below,
	struct rtls_usage_sum *sum,
	bool (*add)(const char *name, int64_t modified_s, void *context))
{
	char path[PATH_SIZE];

	walk->sum = sum;
	(void)snprintf(walk->below, sizeof(walk->below), "%s", below);
	if (format_path(walk, below, "", path))
		note(walk, rtls_file_each(
				   walk->spool, path, add, walk, walk->err));
}

static bool add_directory(const char *name, int64_t modified_s, void *context)
{
	struct walk *walk = context;
	char below[PATH_SIZE];
	const int n =
		snprintf(below, sizeof(below), "%s/%s", walk->directory, name);

	(void)modified_s;
	if (n > 0 && (size_t)n < sizeof(below))
		add_files(walk, below, walk->sum, add_file);
	return true;
}

static void add_directories(
	struct walk *walk, const char *directory, struct rtls_usage_sum *sum)
{
	char path[PATH_SIZE];

	walk->sum = sum;
	walk->directory = directory;
	if (format_path(walk, directory, "", path))
		note(walk, rtls_file_each_directory(walk->spool, path,
				   add_directory, walk, walk->err));
}

enum rtls_status rtls_usage_read(
	const char *spool, struct rtls_usage *usage, struct rtls_err *err)
{
	struct walk walk = { .spool = spool, .usage = usage, .err = err };

	*usage = (struct rtls_usage){ .oldest = "" };
	add_directories(&walk, "cache", &usage->cache);
	add_directories(&walk, "outbox", &usage->outbox);
	add_files(&walk, "tlsrpt", &usage->journals, add_journal);
	add_files(&walk, "policy", &usage->policies, add_file);
	return walk.status;
}

enum rtls_status rtls_usage_read_reports(
	const char *spool, struct rtls_usage *usage, struct rtls_err *err)
{
	struct walk walk = { .spool = spool, .usage = usage, .err = err };

	*usage = (struct rtls_usage){ .oldest = "" };
	add_directories(&walk, "outbox", &usage->outbox);
	add_files(&walk, "tlsrpt", &usage->journals, add_journal);
	return walk.status;
}

void rtls_usage_print_reports(const struct rtls_usage *usage)
{
	(void)printf("kept: journals of %zu day%s%s%s, %" PRIu64
		     " bytes; outbox %" PRIu64
		     " bytes; %zu policy texts, %" PRIu64 " bytes\n",
		usage->journals.files, usage->journals.files == 1 ? "" : "s",
		usage->oldest[0] == '\0' ? "" : " since ", usage->oldest,
		usage->journals.bytes, usage->outbox.bytes,
		usage->policies.files, usage->policies.bytes);
}

void rtls_usage_print_cache(const struct rtls_usage *usage)
{
	(void)printf("cache: %zu domains, %" PRIu64 " bytes\n",
		usage->cache.files, usage->cache.bytes);
}

json_t *rtls_usage_json(const struct rtls_usage *usage)
{
	return json_pack("{s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I}", "domains",
		(json_int_t)usage->cache.files, "cache_bytes",
		(json_int_t)usage->cache.bytes, "days",
		(json_int_t)usage->journals.files, "oldest", usage->oldest,
		"journal_bytes", (json_int_t)usage->journals.bytes,
		"outbox_bytes", (json_int_t)usage->outbox.bytes, "policies",
		(json_int_t)usage->policies.files, "policy_bytes",
		(json_int_t)usage->policies.bytes);
}
