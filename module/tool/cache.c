/* cache.c - `exim-requiretls cache`: list, show, edit, flush, refresh, size. */
#include "store/cache.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/file.h"
#include "tool/edit.h"
#include "tool/names.h"
#include "tool/options.h"
#include "tool/refresh.h"
#include "tool/usage.h"
#include "tool/verb.h"
#include "tool/view.h"

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
	struct rtls_names names;
	int exit_status = rtls_names_collect(request->config.spool, &names);

	rtls_names_sort(&names);
	if (exit_status == EX_OK && !request->json)
		rtls_view_print_heading();
	for (size_t i = 0; exit_status == EX_OK && i < names.count; i++)
		exit_status = list_domain(request, names.name[i], list);
	rtls_names_free(&names);
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
	struct rtls_names names;
	int exit_status;

	if (request->has_domain == request->all)
		return rtls_verb_misused("cache flush",
			request->all ? "expected a domain or --all, not both"
				     : "expected a domain or --all");
	if (request->has_domain)
		return flush_domain(request, request->domain);
	exit_status = rtls_names_collect(request->config.spool, &names);
	rtls_names_sort(&names);
	for (size_t i = 0; i < names.count; i++) {
		int one = flush_domain(request, names.name[i]);

		if (one != EX_OK)
			exit_status = one;
	}
	rtls_names_free(&names);
	return exit_status;
}

/* --- refresh --------------------------------------------------------------- */

static int cache_refresh(struct request *request)
{
	if (request->has_domain && request->all)
		return rtls_verb_misused("cache refresh",
			"expected a domain or --all, not both");
	if (request->has_domain)
		return rtls_refresh_domain(&request->config, request->domain);
	return rtls_refresh_cache(&request->config, request->all);
}

/* --- size ------------------------------------------------------------------ */

static int cache_size(struct request *request)
{
	struct rtls_err err = { "" };
	struct rtls_usage usage;
	enum rtls_status status =
		rtls_usage_read(request->config.spool, &usage, &err);
	int exit_status = EX_OK;

	if (status != RTLS_OK)
		exit_status =
			rtls_verb_fail(rtls_verb_exit(status), "%s", err.text);
	if (request->json)
		return rtls_verb_print_json(
			rtls_usage_json(&usage), exit_status);
	rtls_usage_print_cache(&usage);
	rtls_usage_print_reports(&usage);
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
	{ "refresh", cache_refresh, DOMAIN_MAY, false, true },
	{ "size", cache_size, DOMAIN_NONE, true, false },
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
	static const struct option none[] = { { NULL, 0, NULL, 0 } },
				   json[] = { { "json", no_argument, NULL,
						      'j' },
					   { NULL, 0, NULL, 0 } },
				   all[] = { { "all", no_argument, NULL, 'a' },
					   { NULL, 0, NULL, 0 } };
	char verb[16];
	int option, exit_status;

	(void)snprintf(verb, sizeof(verb), "cache %s", subverb->name);
	while ((option = rtls_options_next(verb, argc, argv,
			subverb->json  ? json
			: subverb->all ? all
				       : none)) != -1) {
		if (option == RTLS_OPTION_WRONG)
			return EX_USAGE;
		if (option == 'j')
			request->json = true;
		else
			request->all = true;
	}
	exit_status = rtls_options_count(verb, argc, argv,
		subverb->domain == DOMAIN_MUST, subverb->domain != DOMAIN_NONE,
		"a domain");
	request->has_domain = optind < argc;
	return exit_status == EX_OK && request->has_domain
		       ? rtls_verb_domain(argv[optind], request->domain)
		       : exit_status;
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

static int run_cache(int argc, char **argv)
{
	const struct subverb *subverb = argc < 2 ? NULL : find_subverb(argv[1]);
	struct request *request;
	int exit_status;

	if (subverb == NULL)
		return rtls_options_expected("cache",
			"list, show, edit, flush, refresh or size",
			argc < 2 ? NULL : argv[1]);
	request = calloc(1, sizeof(*request));
	if (request == NULL)
		return rtls_verb_fail(EX_OSERR, "out of memory");
	exit_status = run_subverb(subverb, argc - 1, argv + 1, request);
	free(request);
	return exit_status;
}

const struct rtls_verb rtls_verb_cache = {
	.name = "cache",
	.summary = "list, show, edit, flush or refresh what is known",
	.help = "Usage: exim-requiretls cache list [--json]\n"
		"       exim-requiretls cache show [--json] DOMAIN\n"
		"       exim-requiretls cache edit DOMAIN\n"
		"       exim-requiretls cache flush DOMAIN|--all\n"
		"       exim-requiretls cache refresh [DOMAIN|--all]\n"
		"       exim-requiretls cache size [--json]\n"
		"\n"
		"  refresh  fetch anew the policies that are due, forget domains out of use\n"
		"           DOMAIN: this one, now; --all: every policy, now\n"
		"  size     how much the spool holds, journals and reports included\n",
	.run = run_cache,
	.power = RTLS_POWER_USER,
	.except = "edit",
};
