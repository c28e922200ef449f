/* main.c - exim-requiretls: find the verb, drop what it must not have, run
 * it. A new verb is one line of the table below and one file, which ends with its
 * struct rtls_verb. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/nearest.h"
#include "store/config_file.h"
#include "tool/confine.h"
#include "tool/publish_files.h"
#include "tool/verb.h"

static const struct rtls_verb *const verbs[] = {
	&rtls_verb_setup,
	&rtls_verb_resolve,
	&rtls_verb_check,
	&rtls_verb_parse,
	&rtls_verb_cache,
	&rtls_verb_report,
	&rtls_verb_explain,
	&rtls_verb_publish,
	&rtls_verb_metrics,
	&rtls_verb_config,
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static const struct rtls_verb *find_verb(const char *name)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	return NULL;
}

static void print_help(FILE *out)
{
	(void)fputs("Usage: exim-requiretls VERB ...\n\n", out);
	for (size_t i = 0; i < VERB_COUNT; i++)
		(void)fprintf(
			out, "  %-8s %s\n", verbs[i]->name, verbs[i]->summary);
	(void)fputs("\nexim-requiretls VERB --help says more. Exit status: 0 "
		    "good, 64 wrong use,\n65 bad data, 75 try later, 77 not "
		    "allowed, 78 bad configuration.\n",
		out);
}

static int print_verb_help(const struct rtls_verb *verb)
{
	(void)fputs(verb->help, stdout);
	return EX_OK;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 ||
			strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int unknown_verb(const char *name)
{
	struct rtls_nearest nearest = { .word = rtls_slice(name) };
	struct rtls_nearest_hint hint;
	struct rtls_quoted q;

	for (size_t i = 0; i < VERB_COUNT; i++)
		rtls_nearest_try(&nearest, verbs[i]->name);
	(void)rtls_verb_fail(EX_USAGE, "there is no verb \"%s\"%s",
		rtls_quoted(&q, nearest.word),
		rtls_nearest_hint(&hint, &nearest, ""));
	(void)fputs("Try \"exim-requiretls --help\".\n", stderr);
	return EX_USAGE;
}

/* Options of the program itself, and the word help. */
static int run_option(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return EX_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)puts("exim-requiretls " RTLS_VERSION);
		return EX_OK;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0) {
		const struct rtls_verb *verb =
			argc > 2 ? find_verb(argv[2]) : NULL;

		if (verb != NULL)
			return print_verb_help(verb);
		if (argc > 2)
			return unknown_verb(argv[2]);
		print_help(stdout);
		return EX_OK;
	}
	return unknown_verb(argv[1]);
}

static int confine(const struct rtls_verb *verb, int argc, char **argv)
{
	struct rtls_config config;
	int exit_status;

	if (verb->power == RTLS_POWER_ALL)
		return EX_OK;
	if (verb->except != NULL && argc > 2 &&
		strcmp(argv[2], verb->except) == 0)
		return EX_OK;
	exit_status = rtls_verb_load_config(&config);
	if (exit_status != EX_OK)
		return exit_status;
	return rtls_confine(&config, argv, verb->power == RTLS_POWER_USER_MAIL);
}

static int run(int argc, char **argv)
{
	const struct rtls_verb *verb = argc < 2 ? NULL : find_verb(argv[1]);
	int exit_status;

	if (verb == NULL)
		return run_option(argc, argv);
	if (wants_help(argc - 1, argv + 1))
		return print_verb_help(verb);
	if (verb->power == RTLS_POWER_USER_FILES)
		rtls_publish_files_start(&argc, &argv);
	exit_status = confine(verb, argc, argv);
	return exit_status == EX_OK ? verb->run(argc - 1, argv + 1)
				    : exit_status;
}

int main(int argc, char **argv)
{
	int exit_status;

	rtls_confine_descriptors();
	exit_status = run(argc, argv);
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return exit_status;
	/* Output that got lost is no success, say on a full disk. */
	(void)rtls_verb_fail(EX_IOERR, "the output could not be written%s%s",
		errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
	return exit_status == EX_OK ? EX_IOERR : exit_status;
}
