/* check.c - `exim-requiretls check DOMAIN|ADDRESS`: a domain as a receiver of mail, looked at
 * now: a line per finding, and what would become of mail there. */
#include "tool/check.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool/options.h"
#include "tool/verb.h"

#define TIMEOUT_S     60
#define TIMEOUT_MAX_S 3600

#define PLUGIN_EXIT_MAX 3 /* unknown */

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

unsigned rtls_check_left_ms(const struct rtls_check *check)
{
	int64_t left_ms = check->deadline_ms - now_ms();

	return left_ms > 0 ? (unsigned)left_ms : 0;
}

void rtls_check_progress(
	const struct rtls_check *check, const char *format, ...)
{
	va_list args;

	if (!check->shows_progress)
		return;
	(void)fputs("... ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
}

enum rtls_finding_level rtls_check_level_unread(
	const struct rtls_check *check, enum rtls_status status)
{
	const struct passwd *user = getpwnam(check->config.user);

	if (status == RTLS_NO_MEMORY)
		return RTLS_FINDING_UNKNOWN;
	if (status == RTLS_TEMPORARY &&
		(user == NULL || user->pw_uid != geteuid()))
		return RTLS_FINDING_UNKNOWN;
	return RTLS_FINDING_BAD;
}

/* What happened to the record, said here since its lookup was ours. What is about the policy
 * has findings of its own. */
static void add_notes(struct rtls_check *check)
{
	const struct rtls_record *record = check->record;

	for (size_t i = 0; i < record->note_count; i++)
		if (!rtls_slice_starts(record->note[i], "MTA-STS policy of "))
			rtls_findings_add(&check->findings,
				RTLS_FINDING_WARNING, "note", NULL, "%.*s",
				(int)record->note[i].size,
				record->note[i].data);
}

static int print_self(struct rtls_check *check)
{
	return rtls_verb_print_json(
		json_pack("{s:s, s:o}", "status",
			rtls_findings_status(&check->findings), "findings",
			rtls_findings_json(&check->findings)),
		rtls_findings_exit(&check->findings));
}

static int print(
	struct rtls_check *check, const struct rtls_check_options *options)
{
	int exit_status;

	for (size_t i = 0; i < options->ignored_count; i++)
		rtls_findings_drop(&check->findings, options->ignored[i]);
	exit_status = rtls_findings_exit(&check->findings);
	if (options->plugin)
		return rtls_findings_print_plugin(&check->findings,
			options->self ? "this installation" : check->domain);
	if (options->json && options->self)
		return print_self(check);
	if (options->json)
		return rtls_verb_print_json(
			json_pack("{s:s, s:s, s:o, s:o, s:O, s:O, s:O}",
				"domain", check->domain, "status",
				rtls_findings_status(&check->findings),
				"findings",
				rtls_findings_json(&check->findings), "hosts",
				rtls_check_hosts_json(check), "via", check->via,
				"via_hosts", check->via_hosts, "verdict",
				check->verdicts),
			exit_status);
	rtls_findings_print(&check->findings);
	return exit_status;
}

static int judge_receiver(
	struct rtls_check *check, const struct rtls_check_options *options)
{
	rtls_check_mx(check);
	if (check->record->mx_answer != RTLS_MX_NULL &&
		check->record->mx_answer != RTLS_MX_NXDOMAIN) {
		rtls_check_sts(check);
		rtls_check_hosts(check);
		rtls_check_tlsrpt(check);
	}
	if (options->own)
		rtls_check_own(check, options);
	add_notes(check);
	return rtls_check_via(check, options);
}

static int run(
	struct rtls_check *check, const struct rtls_check_options *options)
{
	int exit_status = options->self ? rtls_check_self(check, options)
					: rtls_check_look_up(check);

	if (exit_status != EX_OK)
		return exit_status;
	if (!options->self)
		exit_status = judge_receiver(check, options);
	return exit_status == EX_OK ? print(check, options) : exit_status;
}

static int check_domain(
	const char *domain, const struct rtls_check_options *options)
{
	struct rtls_check *check = calloc(1, sizeof(*check));
	int exit_status = EX_OSERR;

	if (check == NULL)
		return rtls_verb_fail(EX_OSERR, "out of memory");
	(void)snprintf(check->domain, sizeof(check->domain), "%s", domain);
	check->now_s = (int64_t)time(NULL);
	check->deadline_ms = now_ms() + options->timeout_ms;
	check->is_own = options->own;
	check->shows_progress = isatty(STDERR_FILENO) != 0;
	check->verdicts = json_object();
	check->via = json_null();
	check->via_hosts = json_array();
	exit_status = rtls_verb_load_config(&check->config);
	/* Nobody's mail: it is not counted. */
	check->config.tlsrpt = check->config.tlsrpt && options->self;
	if (exit_status == EX_OK && check->verdicts != NULL &&
		check->via_hosts != NULL)
		exit_status = run(check, options);
	rtls_check_look_up_free(check);
	rtls_findings_free(&check->findings);
	json_decref(check->verdicts);
	json_decref(check->via);
	json_decref(check->via_hosts);
	free(check);
	return exit_status;
}

/* Of an address its domain. */
static const char *domain_of(const char *argument)
{
	const char *at = strrchr(argument, '@');

	return at != NULL ? at + 1 : argument;
}

static bool parse_timeout(const char *text, unsigned *timeout_ms)
{
	unsigned long long seconds;

	if (!rtls_slice_number(rtls_slice(text), TIMEOUT_MAX_S, &seconds) ||
		seconds == 0)
		return false;
	*timeout_ms = (unsigned)seconds * 1000;
	return true;
}

/* False: that is no use of it, said. */
static bool parse_option(int option, struct rtls_check_options *wanted)
{
	switch (option) {
	case 'j':
		wanted->json = true;
		return true;
	case 't':
		if (parse_timeout(optarg, &wanted->timeout_ms))
			return true;
		(void)rtls_options_value(
			"check", "--timeout", optarg, "1 to 3600 seconds");
		return false;
	case 's':
		wanted->self = true;
		return true;
	case 'g':
		wanted->good = optarg;
		return true;
	case 'b':
		wanted->broken = optarg;
		return true;
	case 'o':
		wanted->own = true;
		return true;
	case 'p':
		wanted->plugin = true;
		return true;
	case 'I':
		if (wanted->ignored_count < RTLS_CHECK_IGNORED_MAX) {
			wanted->ignored[wanted->ignored_count++] = optarg;
			return true;
		}
		(void)rtls_verb_misused("check", "too many topics");
		return false;
	case 'v':
		wanted->via = optarg;
		return true;
	case 'S':
		if (wanted->selector_count < RTLS_CHECK_SELECTORS_MAX) {
			wanted->selector[wanted->selector_count++] = optarg;
			return true;
		}
		(void)rtls_verb_misused("check", "at most 8 selectors");
		return false;
	default:
		return false;
	}
}

/* What goes with what. NULL: all of it. */
static const char *misuse(const struct rtls_check_options *wanted)
{
	if (wanted->self && wanted->own)
		return "--own looks at a domain and --self at none";
	if (wanted->self && wanted->via != NULL)
		return "--via goes with a domain";
	if (!wanted->self && (wanted->good != NULL || wanted->broken != NULL))
		return "--good and --broken go with --self";
	if (wanted->plugin && wanted->json)
		return "--plugin or --json";
	if (wanted->selector_count > 0 && !wanted->own)
		return "--selector goes with --own";
	return NULL;
}

static int run_check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "timeout", required_argument, NULL, 't' },
		{ "self", no_argument, NULL, 's' },
		{ "good", required_argument, NULL, 'g' },
		{ "broken", required_argument, NULL, 'b' },
		{ "plugin", no_argument, NULL, 'p' },
		{ "ignore", required_argument, NULL, 'I' },
		{ "own", no_argument, NULL, 'o' },
		{ "via", required_argument, NULL, 'v' },
		{ "selector", required_argument, NULL, 'S' },
		{ NULL, 0, NULL, 0 },
	};
	struct rtls_check_options wanted = { .timeout_ms = TIMEOUT_S * 1000 };
	char domain[RTLS_DOMAIN_SIZE] = "";
	int option, exit_status;
	const char *why;

	while ((option = rtls_options_next("check", argc, argv, options)) != -1)
		if (!parse_option(option, &wanted))
			return EX_USAGE;
	why = misuse(&wanted);
	if (why != NULL)
		return rtls_verb_misused("check", why);
	exit_status = rtls_options_count("check", argc, argv, !wanted.self,
		!wanted.self, "a domain or an address");
	if (exit_status == EX_OK && !wanted.self &&
		domain_of(argv[optind])[0] == '\0')
		return rtls_options_expected(
			"check", "a domain or an address", argv[optind]);
	if (exit_status == EX_OK && !wanted.self)
		exit_status = rtls_verb_domain(domain_of(argv[optind]), domain);
	if (exit_status == EX_OK)
		exit_status = check_domain(domain, &wanted);
	/* Whoever reads one line of it gets to know that there is nothing. */
	if (wanted.plugin && exit_status > PLUGIN_EXIT_MAX) {
		(void)puts("REQUIRETLS UNKNOWN - the check could not be made: "
			   "see its standard error");
		return PLUGIN_EXIT_MAX;
	}
	return exit_status;
}

const struct rtls_verb rtls_verb_check = {
	.name = "check",
	.summary = "diagnose a domain as a receiver of mail",
	.help = "Usage: exim-requiretls check [--own [--selector NAME]...] [--via HOSTS]\n"
		"                             [--json|--plugin] [--ignore TOPIC]...\n"
		"                             [--timeout SECONDS] DOMAIN|ADDRESS\n"
		"       exim-requiretls check --self [--good NAME] [--broken NAME]\n"
		"                             [--json|--plugin] [--ignore TOPIC]...\n"
		"                             [--timeout SECONDS]\n"
		"\n"
		"  --json      print JSON\n"
		"  --plugin    for monitoring: one line, and exit status 0 to 3\n"
		"  --ignore    leave out what is about this topic\n"
		"  --timeout   take at most so long, default 60\n"
		"  --own       what its owner needs besides: SPF, DKIM, DMARC, renewals\n"
		"  --selector  a selector of DKIM to look at\n"
		"  --via       smart hosts that mail goes to, in place of those of Exim's own\n"
		"              configuration\n"
		"  --self      look at this installation instead\n"
		"  --good      a name that is signed with DNSSEC, default ietf.org\n"
		"  --broken    one whose signatures are broken, default dnssec-failed.org\n"
		"\n"
		"A line per finding: good, warning, bad or unknown. Exit status 0: nothing is\n"
		"bad, 1: something is, 75: it could not be checked.\n",
	.run = run_check,
	.power = RTLS_POWER_USER,
};
