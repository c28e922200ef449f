/* cache.c - `exim-requiretls cache`: list, show, edit, flush, refresh. */
#include "store/cache.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "resolve/resolve.h"
#include "store/file.h"
#include "tool/edit.h"
#include "tool/verb.h"
#include "tool/view.h"

#define REFUSED_KEPT_S (7 * 86400)

/* What the command line of a subverb says. */
struct request {
	struct rtls_config config;
	int64_t now_s;
	bool json;
	bool all;
	bool has_domain;
	char domain[RTLS_DOMAIN_SIZE];
	char buffer[RTLS_RECORD_SIZE_MAX + 1];
};

/* --- names ----------------------------------------------------------------- */

/* The domains of the cache, sorted; collected first, because records are
 * replaced and removed while we go through them. */
struct names {
	size_t count, room;
	char **name;
	bool no_memory;
};

static bool add_name(const char *domain, void *context)
{
	struct names *names = context;

	if (names->count == names->room) {
		size_t room = names->room == 0 ? 64 : 2 * names->room;
		char **grown = reallocarray(names->name, room, sizeof(*grown));

		if (grown == NULL) {
			names->no_memory = true;
			return false;
		}
		names->name = grown;
		names->room = room;
	}
	names->name[names->count] = strdup(domain);
	if (names->name[names->count] == NULL)
		names->no_memory = true;
	else
		names->count++;
	return !names->no_memory;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
}

/* To be freed in any case. */
static int collect_names(const struct request *request, struct names *names)
{
	struct rtls_err err = { "" };
	enum rtls_status status;

	memset(names, 0, sizeof(*names));
	status = rtls_cache_each(request->config.spool, add_name, names, &err);
	if (status != RTLS_OK)
		return rtls_verb_fail(rtls_verb_exit(status), "%s", err.text);
	if (names->no_memory)
		return rtls_verb_fail(EX_OSERR, "out of memory");
	if (names->count > 0)
		qsort(names->name, names->count, sizeof(*names->name),
			compare_names);
	return EX_OK;
}

/* --- list and show --------------------------------------------------------- */

static void print_unreadable(const char *domain, const struct rtls_err *err)
{
	(void)printf("%-32s unreadable: %s\n", domain, err->text);
}

/* One domain for `list`: a row, or an element of list. */
static int list_domain(
	struct request *request, const char *domain, json_t *list)
{
	struct rtls_err err = { "" };
	struct rtls_record record;
	enum rtls_status status;
	json_t *element;

	status = rtls_cache_get(
		request->config.spool, domain, request->buffer, &record, &err);
	if (status == RTLS_NONE) /* removed meanwhile */
		return EX_OK;
	if (!request->json) {
		if (status == RTLS_OK)
			rtls_view_print_row(&record, request->now_s);
		else
			print_unreadable(domain, &err);
		return EX_OK;
	}
	if (status == RTLS_OK)
		element = rtls_view_json(&record, request->now_s);
	else
		element = json_pack(
			"{s:s, s:s}", "domain", domain, "error", err.text);
	return json_array_append_new(list, element) == 0 ? EX_OK : EX_OSERR;
}

static int cache_list(struct request *request)
{
	json_t *list = request->json ? json_array() : NULL;
	struct names names;
	int exit_status = collect_names(request, &names);

	if (exit_status == EX_OK && !request->json)
		rtls_view_print_heading();
	for (size_t i = 0; exit_status == EX_OK && i < names.count; i++)
		exit_status = list_domain(request, names.name[i], list);
	free_names(&names);
	if (exit_status == EX_OK && request->json)
		return rtls_verb_print_json(list, EX_OK);
	json_decref(list);
	return exit_status;
}

static int no_record(const struct request *request, enum rtls_status status,
	const struct rtls_err *err)
{
	if (status == RTLS_NONE)
		return rtls_verb_fail(
			EX_NOINPUT, "no record of %s", request->domain);
	return rtls_verb_fail(rtls_verb_exit(status), "%s", err->text);
}

/* The text as it is: it is meant to be read. It was checked, so that no foreign
 * byte is in it but in the policy, which is quoted line by line. */
static void print_record_text(struct rtls_slice text)
{
	struct rtls_slice line;

	while (rtls_slice_line(&text, &line)) {
		for (size_t i = 0; i < line.size; i++) {
			char byte[8];

			rtls_quote(byte, sizeof(byte),
				rtls_slice_n(line.data + i, 1));
			/* Quotes and backslashes cannot harm here. */
			if (line.data[i] == '"' || line.data[i] == '\\')
				(void)putchar(line.data[i]);
			else
				(void)fputs(byte, stdout);
		}
		(void)putchar('\n');
	}
}

static int cache_show(struct request *request)
{
	char path[RTLS_CACHE_PATH_MAX];
	struct rtls_err err = { "" };
	struct rtls_record record;
	enum rtls_status status;
	struct rtls_slice text;

	status = rtls_cache_get(request->config.spool, request->domain,
		request->buffer, &record, &err);
	if (status == RTLS_OK && request->json)
		return rtls_verb_print_json(
			rtls_view_json(&record, request->now_s), EX_OK);
	if (status == RTLS_OK)
		status = rtls_cache_path(
			request->config.spool, request->domain, path);
	if (status == RTLS_OK)
		status = rtls_file_read_below(request->config.spool, path,
			request->buffer, RTLS_RECORD_SIZE_MAX, &text, &err);
	if (status != RTLS_OK)
		return no_record(request, status, &err);
	print_record_text(text);
	return EX_OK;
}

static int cache_edit(struct request *request)
{
	return rtls_edit(&request->config, request->domain);
}

/* --- flush ----------------------------------------------------------------- */

static int flush_domain(const struct request *request, const char *domain)
{
	struct rtls_err err = { "" };
	enum rtls_status status =
		rtls_cache_remove(request->config.spool, domain, &err);

	if (status == RTLS_OK)
		(void)printf("%s: removed\n", domain);
	else if (status == RTLS_NONE)
		(void)printf("%s: no record\n", domain);
	else
		return rtls_verb_fail(
			rtls_verb_exit(status), "%s: %s", domain, err.text);
	return EX_OK;
}

static int cache_flush(struct request *request)
{
	struct names names;
	int exit_status;

	if (request->has_domain == request->all)
		return rtls_verb_misused(
			"cache", "flush: expected a domain or --all");
	if (request->has_domain)
		return flush_domain(request, request->domain);
	exit_status = collect_names(request, &names);
	for (size_t i = 0; i < names.count; i++) {
		int one = flush_domain(request, names.name[i]);

		if (one != EX_OK)
			exit_status = one;
	}
	free_names(&names);
	return exit_status;
}

/* --- refresh --------------------------------------------------------------- */

/* A policy that we hold is fetched again whatever DNS says (RFC 8461 sections
 * 3.3 and 10.2). A domain without one has no policy host to be asked, and need
 * not hear from us while no mail goes there. */
static bool holds_policy(struct request *request, const char *domain)
{
	struct rtls_record record;

	return rtls_cache_get(request->config.spool, domain, request->buffer,
		       &record, NULL) == RTLS_OK &&
	       rtls_record_has_policy(&record, request->now_s);
}

/* Has the domain a policy in force that could not be fetched anew? Of mode
 * none nobody needs to hear (RFC 8461 section 8.3). */
static bool is_failing(const struct rtls_record *record, int64_t now_s)
{
	struct rtls_sts_policy policy;

	return record->fetch == RTLS_FETCH_FAILED &&
	       rtls_record_has_policy(record, now_s) &&
	       rtls_sts_policy_parse(record->policy_text, &policy, NULL) ==
		       RTLS_OK &&
	       policy.mode != RTLS_STS_NONE;
}

static int report_refreshed(
	const struct rtls_record *record, const char *domain, int64_t now_s)
{
	bool failing = is_failing(record, now_s);
	char line[RTLS_ERR_SIZE];
	struct rtls_quoted q;
	struct rtls_text text;

	rtls_text_init(&text, line, sizeof(line));
	rtls_view_summary(record, now_s, &text);
	(void)printf("%s: %s%s", domain, failing ? "FAILED " : "", line);
	if (record->fetch == RTLS_FETCH_FAILED)
		(void)printf(" fetch failed: %s",
			rtls_quoted(&q, record->fetch_error));
	(void)putchar('\n');
	/* Quoted already, and said once: nobody else will hear of it. */
	for (size_t i = 0; i < record->note_count; i++)
		(void)printf("%s: note: %.*s\n", domain,
			(int)record->note[i].size, record->note[i].data);
	return failing ? EX_TEMPFAIL : EX_OK;
}

static int refresh_domain(struct request *request, const char *domain)
{
	struct rtls_resolve_options options = { .force_dns = true };
	struct rtls_resolved *resolved = NULL;
	struct rtls_err err = { "" };
	enum rtls_status status;
	int exit_status;

	/* A long run must not judge the last domain by the first one's time. */
	request->now_s = (int64_t)time(NULL);
	options.now_s = request->now_s;
	options.force_fetch = holds_policy(request, domain);
	status = rtls_resolve_domain(
		&request->config, domain, &options, &resolved, &err);
	if (status != RTLS_OK) {
		(void)printf("%s: FAILED %s\n", domain, err.text);
		return EX_TEMPFAIL;
	}
	exit_status = report_refreshed(
		rtls_resolved_record(resolved), domain, request->now_s);
	if (!rtls_resolved_is_stored(resolved))
		exit_status = EX_TEMPFAIL;
	rtls_resolved_free(resolved);
	return exit_status;
}

static bool remove_old_note(const char *name, int64_t modified_s, void *context)
{
	const struct request *request = context;
	char path[RTLS_CACHE_PATH_MAX];
	struct rtls_err err = { "" };
	int n;

	if (modified_s > request->now_s - REFUSED_KEPT_S)
		return true;
	n = snprintf(path, sizeof(path), "%s/refused/%s", request->config.spool,
		name);
	if (n > 0 && (size_t)n < sizeof(path) &&
		rtls_file_remove(path, &err) == RTLS_TEMPORARY)
		(void)rtls_verb_fail(EX_TEMPFAIL, "%s", err.text);
	return true;
}

static bool pass_by(const char *name, int64_t modified_s, void *context)
{
	(void)name;
	(void)modified_s;
	(void)context;
	return true;
}

/* Notes on messages that Exim gave up long ago. */
static void remove_old_notes(struct request *request)
{
	char path[RTLS_CACHE_PATH_MAX];
	struct rtls_err err = { "" };

	(void)snprintf(path, sizeof(path), "%s/refused", request->config.spool);
	if (rtls_file_each(request->config.spool, path, remove_old_note,
		    request, &err) == RTLS_TEMPORARY)
		(void)rtls_verb_fail(EX_TEMPFAIL, "%s", err.text);
	/* Listing takes away what a killed writer left. */
	(void)snprintf(path, sizeof(path), "%s/policy", request->config.spool);
	if (rtls_file_each(request->config.spool, path, pass_by, NULL, &err) ==
		RTLS_TEMPORARY)
		(void)rtls_verb_fail(EX_TEMPFAIL, "%s", err.text);
}

static int cache_refresh(struct request *request)
{
	struct names names;
	int exit_status;

	if (request->has_domain)
		return refresh_domain(request, request->domain);
	remove_old_notes(request);
	exit_status = collect_names(request, &names);
	for (size_t i = 0; i < names.count; i++) {
		if (!holds_policy(request, names.name[i]))
			continue;
		if (refresh_domain(request, names.name[i]) != EX_OK)
			exit_status = EX_TEMPFAIL;
		(void)fflush(stdout);
	}
	free_names(&names);
	return exit_status;
}

/* --- the verb -------------------------------------------------------------- */

enum domain_use {
	DOMAIN_NONE,
	DOMAIN_MAY,
	DOMAIN_MUST,
};

struct subverb {
	const char *name;
	int (*run)(struct request *request);
	enum domain_use domain;
	bool json, all;
};

static const struct subverb subverbs[] = {
	{ "list", cache_list, DOMAIN_NONE, true, false },
	{ "show", cache_show, DOMAIN_MUST, true, false },
	{ "edit", cache_edit, DOMAIN_MUST, false, false },
	{ "flush", cache_flush, DOMAIN_MAY, false, true },
	{ "refresh", cache_refresh, DOMAIN_MAY, false, false },
};

static const struct subverb *find_subverb(const char *name)
{
	for (size_t i = 0; i < sizeof(subverbs) / sizeof(subverbs[0]); i++)
		if (strcmp(subverbs[i].name, name) == 0)
			return &subverbs[i];
	return NULL;
}

static int read_options(const struct subverb *subverb, int argc, char **argv,
	struct request *request)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "all", no_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	int option, count;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j' && subverb->json)
			request->json = true;
		else if (option == 'a' && subverb->all)
			request->all = true;
		else
			return rtls_verb_misused("cache",
				option == '?' ? NULL
					      : "that option is not for this");
	}
	count = argc - optind;
	if (count > 1 || (count == 1 && subverb->domain == DOMAIN_NONE))
		return rtls_verb_misused("cache", "too many arguments");
	if (count == 0 && subverb->domain == DOMAIN_MUST)
		return rtls_verb_misused("cache", "expected a domain");
	request->has_domain = count == 1;
	return count == 1 ? rtls_verb_domain(argv[optind], request->domain)
			  : EX_OK;
}

static int run_subverb(const struct subverb *subverb, int argc, char **argv,
	struct request *request)
{
	int exit_status = read_options(subverb, argc, argv, request);

	if (exit_status == EX_OK)
		exit_status = rtls_verb_load_config(&request->config);
	if (exit_status == EX_OK)
		exit_status = rtls_verb_check_spool(&request->config);
	request->now_s = (int64_t)time(NULL);
	return exit_status == EX_OK ? subverb->run(request) : exit_status;
}

int rtls_verb_cache(int argc, char **argv)
{
	const struct subverb *subverb = argc < 2 ? NULL : find_subverb(argv[1]);
	struct request *request;
	int exit_status;

	if (subverb == NULL)
		return rtls_verb_misused(
			"cache", "expected list, show, edit, flush or refresh");
	request = calloc(1, sizeof(*request));
	if (request == NULL)
		return rtls_verb_fail(EX_OSERR, "out of memory");
	exit_status = run_subverb(subverb, argc - 1, argv + 1, request);
	free(request);
	return exit_status;
}
