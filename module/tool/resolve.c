/* resolve.c - `exim-requiretls resolve DOMAIN`: what the module starts when a
 * record is missing or stale, and what people ask. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "resolve/resolve.h"
#include "tool/options.h"
#include "tool/verb.h"
#include "tool/view.h"

enum output {
	OUTPUT_PEOPLE,
	OUTPUT_RECORD,
	OUTPUT_JSON,
};

/* The record's text, notes included, for the module. */
static int print_record(const struct rtls_record *record)
{
	char *buffer = malloc(RTLS_RECORD_SIZE_MAX + 1);
	enum rtls_status status;
	struct rtls_text text;

	if (buffer == NULL)
		return rtls_verb_fail(EX_TEMPFAIL, "out of memory");
	rtls_text_init(&text, buffer, RTLS_RECORD_SIZE_MAX + 1);
	status = rtls_record_format(record, &text);
	if (status == RTLS_OK)
		(void)fwrite(buffer, 1, text.size, stdout);
	free(buffer);
	if (status == RTLS_OK)
		return EX_OK;
	return rtls_verb_fail(EX_SOFTWARE, "the record cannot be written");
}

static int print(
	const struct rtls_record *record, enum output output, int64_t now_s)
{
	if (output == OUTPUT_RECORD)
		return print_record(record);
	if (output == OUTPUT_JSON)
		return rtls_verb_print_json(
			rtls_view_json(record, now_s), EX_OK);
	rtls_view_print(record, now_s);
	return EX_OK;
}

static int resolve(const char *domain, bool fresh, enum output output)
{
	struct rtls_resolve_options options = { .force_dns = fresh,
		.now_s = (int64_t)time(NULL),
		.for_module = output == OUTPUT_RECORD };
	struct rtls_resolved *resolved = NULL;
	struct rtls_err err = { "" };
	struct rtls_config config;
	enum rtls_status status;
	int exit_status;

	/* No look at the spool: the answer counts also where none can be kept. */
	exit_status = rtls_verb_load_config(&config);
	if (exit_status != EX_OK)
		return exit_status;
	status =
		rtls_resolve_domain(&config, domain, &options, &resolved, &err);
	if (status != RTLS_OK) {
		/* The module reads nothing but this output. */
		if (output == OUTPUT_RECORD)
			(void)printf("error %s\n", err.text);
		return rtls_verb_fail(
			rtls_verb_exit(status), "%s: %s", domain, err.text);
	}
	exit_status =
		print(rtls_resolved_record(resolved), output, options.now_s);
	rtls_resolved_free(resolved);
	return exit_status;
}

static int run_resolve(int argc, char **argv)
{
	static const struct option options[] = {
		{ "record", no_argument, NULL, 'r' },
		{ "fresh", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	enum output output = OUTPUT_PEOPLE;
	char domain[RTLS_DOMAIN_SIZE];
	bool fresh = false;
	int option, exit_status;

	while ((option = rtls_options_next("resolve", argc, argv, options)) !=
		-1) {
		if (option == 'r')
			output = OUTPUT_RECORD;
		else if (option == 'j')
			output = OUTPUT_JSON;
		else if (option == 'f')
			fresh = true;
		else
			return EX_USAGE;
	}
	exit_status =
		rtls_options_count("resolve", argc, argv, 1, 1, "a domain");
	if (exit_status == EX_OK)
		exit_status = rtls_verb_domain(argv[optind], domain);
	return exit_status == EX_OK ? resolve(domain, fresh, output)
				    : exit_status;
}

const struct rtls_verb rtls_verb_resolve = {
	.name = "resolve",
	.summary = "look a domain up and keep what was found",
	.help = "Usage: exim-requiretls resolve [--record] [--fresh] [--json] DOMAIN\n"
		"\n"
		"  --record  print the cache record, as the module reads it\n"
		"  --fresh   ask DNS again although the record is fresh\n"
		"  --json    print JSON\n",
	.run = run_resolve,
	.power = RTLS_POWER_USER,
};
