/* parse.c - `exim-requiretls parse [--json] KIND FILE|-`: check a text and print what
 * was understood, as JSON. */
#include <stdlib.h>

#include "tool/confine.h"
#include "tool/options.h"
#include "tool/parse_text.h"
#include "tool/verb.h"

static int print_error(const struct rtls_err *err, int exit_status)
{
	return rtls_verb_print_json(
		json_pack("{s:s}", "error", err->text), exit_status);
}

static int parse_file(const struct rtls_parse_kind *kind, const char *path)
{
	struct rtls_err err = { "" };
	char *data = NULL;
	size_t size = 0;
	json_t *json;
	int exit_status;

	exit_status = rtls_verb_read(path, kind->size_max, &data, &size, &err);
	if (exit_status != EX_OK)
		return print_error(&err, exit_status);
	rtls_confine_nobody();
	json = kind->parse(rtls_slice_n(data, size), &err);
	if (json == NULL)
		exit_status = print_error(&err, EX_DATAERR);
	else
		exit_status = rtls_verb_print_json(json, EX_OK);
	free(data);
	return exit_status;
}

static int run_parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' }, /* it is JSON anyway */
		{ NULL, 0, NULL, 0 },
	};
	const struct rtls_parse_kind *kind;
	int option, exit_status;

	while ((option = rtls_options_next("parse", argc, argv, options)) != -1)
		if (option != 'j')
			return EX_USAGE;
	exit_status = rtls_options_count(
		"parse", argc, argv, 2, 2, "a kind and a file");
	if (exit_status != EX_OK)
		return exit_status;
	kind = rtls_parse_kind(argv[optind]);
	if (kind == NULL)
		return rtls_options_expected("parse",
			"sts-record, sts-policy, tlsrpt-record or "
			"tlsrpt-report",
			argv[optind]);
	return parse_file(kind, argv[optind + 1]);
}

const struct rtls_verb rtls_verb_parse = {
	.name = "parse",
	.summary = "check a record, policy or report and print it as JSON",
	.help = "Usage: exim-requiretls parse [--json] KIND FILE|-\n"
		"\n"
		"  KIND  sts-record     TXT records of _mta-sts.DOMAIN, one a line,\n"
		"                       plain or as dig prints them\n"
		"        sts-policy     the policy as the web server sends it\n"
		"        tlsrpt-record  TXT records of _smtp._tls.DOMAIN\n"
		"        tlsrpt-report  a TLS report, JSON or gzip\n"
		"  --json  print JSON: it does so anyway\n"
		"\n"
		"What is not valid gives {\"error\": ...} and exit status 65.\n",
	.run = run_parse,
	.power = RTLS_POWER_ALL,
};
