/* parse.c - `exim-requiretls parse KIND FILE|-`: check a text and print what
 * was understood, as JSON. */
#include <stdlib.h>

#include "tool/confine.h"
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

int rtls_verb_parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' }, /* it is JSON anyway */
		{ NULL, 0, NULL, 0 },
	};
	const struct rtls_parse_kind *kind;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option != 'j')
			return rtls_verb_misused("parse", NULL);
	if (argc - optind != 2)
		return rtls_verb_misused("parse", "expected a kind and a file");
	kind = rtls_parse_kind(argv[optind]);
	if (kind == NULL)
		return rtls_verb_misused("parse", "there is no such kind");
	return parse_file(kind, argv[optind + 1]);
}
