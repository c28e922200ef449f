/* options.c - see options.h. */
#include "tool/options.h"

#include <string.h>

#include "policy/nearest.h"
#include "tool/verb.h"

static void say(
	const char *verb, const char *what, const char *word, const char *hint)
{
	struct rtls_quoted q;

	(void)rtls_verb_fail(EX_USAGE, "%s: %s \"%s\"%s", verb, what,
		rtls_quoted(&q, rtls_slice(word)), hint);
	(void)rtls_verb_misused(verb, NULL);
}

static void say_unknown(
	const char *verb, const char *word, const struct option *options)
{
	struct rtls_slice rest = rtls_slice(word + strlen("--"));
	struct rtls_nearest nearest = { .word = rtls_slice_take(&rest, '=') };
	struct rtls_nearest_hint hint;

	for (; options->name != NULL; options++)
		rtls_nearest_try(&nearest, options->name);
	say(verb, "there is no option", word,
		rtls_nearest_hint(&hint, &nearest, "--"));
}

static const struct option *find(const struct option *options, int letter)
{
	while (options->name != NULL && options->val != letter)
		options++;
	return options->name != NULL ? options : NULL;
}

/* What getopt_long() did not take. For a short one, and there are none, optopt is its letter;
 * for a value too many it is that of the option. */
static void say_wrong(
	const char *verb, char **argv, const struct option *options)
{
	const char *word = argv[optind - 1];
	const struct option *known = find(options, optopt);
	char letter[] = { '-', (char)optopt, '\0' };

	if (optopt == 0)
		say_unknown(verb, word, options);
	else if (known != NULL && known->has_arg == no_argument &&
		 strncmp(word, "--", 2) == 0 && strchr(word, '=') != NULL)
		say(verb, "no value goes with that option:", word, "");
	else
		say(verb, "there is no option", letter, "");
}

/* False: it was there before and may not be again, said. */
static bool is_first(const char *verb, const struct option *option)
{
	static unsigned seen; /* by letter */
	unsigned bit;
	char name[32];

	if (option->val < 'a' || option->val > 'z')
		return true;
	bit = 1U << (option->val - 'a');
	if ((seen & bit) == 0) {
		seen |= bit;
		return true;
	}
	(void)snprintf(name, sizeof(name), "--%s", option->name);
	say(verb, "given twice:", name, "");
	return false;
}

int rtls_options_next(
	const char *verb, int argc, char **argv, const struct option *options)
{
	int letter;

	opterr = 0;
	letter = getopt_long(argc, argv, ":", options, NULL);
	if (letter == -1)
		return letter;
	if (letter == ':')
		say(verb, "a value must follow", argv[optind - 1], "");
	else if (letter == RTLS_OPTION_WRONG)
		say_wrong(verb, argv, options);
	else if (is_first(verb, find(options, letter)))
		return letter;
	return RTLS_OPTION_WRONG;
}

int rtls_options_expected(
	const char *verb, const char *expected, const char *found)
{
	struct rtls_quoted q;

	if (found == NULL)
		(void)rtls_verb_fail(
			EX_USAGE, "%s: expected %s", verb, expected);
	else
		(void)rtls_verb_fail(EX_USAGE, "%s: expected %s, not \"%s\"",
			verb, expected, rtls_quoted(&q, rtls_slice(found)));
	return rtls_verb_misused(verb, NULL);
}

int rtls_options_value(const char *verb, const char *option, const char *value,
	const char *expected)
{
	struct rtls_quoted q;

	(void)rtls_verb_fail(EX_USAGE, "%s: %s \"%s\": expected %s", verb,
		option, rtls_quoted(&q, rtls_slice(value)), expected);
	return rtls_verb_misused(verb, NULL);
}

int rtls_options_count(const char *verb, int argc, char **argv, int min,
	int max, const char *expected)
{
	if (argc - optind < min)
		return rtls_options_expected(verb, expected, NULL);
	if (argc - optind <= max)
		return EX_OK;
	say(verb, "an argument too many:", argv[optind + max], "");
	return EX_USAGE;
}
