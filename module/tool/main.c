/* main.c - exim-requiretls: find the verb, drop what it must not have, run
 * it. A new verb is one line of the table below and one file. */
#include <stdio.h>
#include <string.h>

#include "store/config_file.h"
#include "tool/confine.h"
#include "tool/verb.h"

#ifndef RTLS_VERSION
#define RTLS_VERSION "0.1"
#endif

/* What a verb may keep of the caller's power. */
enum power {
	POWER_ALL,       /* works on what the caller may read */
	POWER_USER,      /* as the configured user, in a fixed environment */
	POWER_USER_MAIL, /* the same, but sendmail is setuid */
};

struct verb {
	const char *name;
	const char *help;
	const char *usage;
	int (*run)(int argc, char **argv);
	enum power power;
	const char *except; /* a first word with POWER_ALL, or NULL */
};

static const struct verb verbs[] = {
	{ "resolve", "look a domain up and keep what was found",
		"resolve [--record] [--fresh] [--json] DOMAIN\n"
		"\n"
		"  --record  print the cache record, as the module reads it\n"
		"  --fresh   ask DNS again although the record is fresh\n"
		"  --json    print JSON\n",
		rtls_verb_resolve, POWER_USER, NULL },
	{ "check", "diagnose a domain as a receiver of mail",
		"check [--own [--selector NAME]...] [--json] "
		"[--timeout SECONDS] DOMAIN|ADDRESS\n"
		"       exim-requiretls check --self [--good NAME] "
		"[--broken NAME] [--json] [--timeout SECONDS]\n"
		"\n"
		"  --json     print JSON\n"
		"  --timeout  take at most so long, default 60\n"
		"  --own      what its owner needs besides: SPF, DKIM, DMARC, "
		"renewals\n"
		"  --selector a selector of DKIM to look at\n"
		"  --self     look at this installation instead\n"
		"  --good     a name that is signed with DNSSEC, default "
		"ietf.org\n"
		"  --broken   one whose signatures are broken, default "
		"dnssec-failed.org\n"
		"\n"
		"A line per finding: good, warning, bad or unknown. Exit "
		"status 0: nothing is\n"
		"bad, 1: something is, 75: it could not be checked.\n",
		rtls_verb_check, POWER_USER, NULL },
	{ "parse", "check a record, policy or report and print it as JSON",
		"parse KIND FILE|-\n"
		"\n"
		"  KIND  sts-record     TXT records of _mta-sts.DOMAIN, one a "
		"line,\n"
		"                       plain or as dig prints them\n"
		"        sts-policy     the policy as the web server sends it\n"
		"        tlsrpt-record  TXT records of _smtp._tls.DOMAIN\n"
		"        tlsrpt-report  a TLS report, JSON or gzip\n"
		"\n"
		"What is not valid gives {\"error\": ...} and exit status 65.\n",
		rtls_verb_parse, POWER_ALL, NULL },
	{ "cache", "list, show, edit, flush or refresh what is known",
		"cache list [--json]\n"
		"       exim-requiretls cache show [--json] DOMAIN\n"
		"       exim-requiretls cache edit DOMAIN\n"
		"       exim-requiretls cache flush DOMAIN|--all\n"
		"       exim-requiretls cache refresh [DOMAIN|--all]\n"
		"       exim-requiretls cache size [--json]\n"
		"\n"
		"  refresh  fetch anew the policies that are due, forget domains out of use\n"
		"           DOMAIN: this one, now; --all: every policy, now\n"
		"  size     how much the spool holds, journals and reports included\n",
		rtls_verb_cache, POWER_USER, "edit" },
	{ "report",
		"preview and send the TLS reports of a day, read those of others",
		"report preview DATE [DOMAIN]\n"
		"       exim-requiretls report run [--now] [--quiet] [--date "
		"DATE] [--dry-run DIRECTORY]\n"
		"       exim-requiretls report show [--html|--json] [--domain "
		"DOMAIN] [FIRST [LAST]]\n"
		"       exim-requiretls report status [--json]\n"
		"       exim-requiretls report key [--selector NAME] [--domain "
		"DOMAIN]\n"
		"                                  [--all-services] [--json] "
		"KEYFILE\n"
		"       exim-requiretls report read [--html|--json|--summary] "
		"[--domain DOMAIN] [--failures]\n"
		"                                   FILE|DIRECTORY|- ...\n"
		"\n"
		"  run     send what is due\n"
		"    --now      send what is left, whatever the schedule says\n"
		"    --quiet    say only what was done and what failed\n"
		"    --date     only that day's, now\n"
		"    --dry-run  write the reports there, send nothing\n"
		"  key     the DNS record of the key that signs reports\n"
		"  show    what is in the journals, day by day\n"
		"  read    reports that others sent: JSON, gzip or mail; a Maildir\n"
		"    --html      print a page for a browser\n"
		"    --json      print JSON\n"
		"    --summary   print the sums only\n"
		"    --domain    only what is about this domain\n"
		"    --failures  only reports with failures\n",
		rtls_verb_report, POWER_USER_MAIL, "read" },
	{ "explain", "say what would become of a message, and why",
		"explain ADDRESS [--flagged] [--relaxed] [--sender ADDRESS] "
		"[--json]\n"
		"       exim-requiretls explain --log FILE MESSAGE-ID [--json]\n"
		"\n"
		"  --flagged  as if the message were flagged REQUIRETLS\n"
		"  --relaxed  as if it had the header TLS-Required: No\n"
		"  --sender   who sends it, for rules about the field From; <> "
		"is a bounce\n"
		"  --log      what has become of a message, line by line of Exim's "
		"main log\n"
		"  --json     print JSON\n",
		rtls_verb_explain, POWER_USER, "--log" },
	{ "publish", "make and verify the MTA-STS policy of your own domain",
		"publish DOMAIN --mx NAME [--mx ...] [--mode testing|enforce|none]\n"
		"                               [--max-age TIME] [--rua URI] "
		"[--directory DIR] [--json]\n"
		"       exim-requiretls publish --verify DOMAIN [--directory DIR] "
		"[--json]\n"
		"\n"
		"  --mx         an MX host, or *. and a domain\n"
		"  --mode       what others do; the default is testing\n"
		"  --max-age    how long they remember it: 30d; the default is a "
		"week, of enforce 30 days\n"
		"  --rua        where TLS reports go: mailto:ADDRESS or https:...\n"
		"  --directory  write files there instead of printing; with "
		"--verify, compare with them\n"
		"  --verify     look at what is published\n"
		"  --json       print JSON\n",
		rtls_verb_publish, POWER_USER, NULL },
	{ "config", "print the configuration in force, or its first mistake",
		"config [--file PATH] [--json]\n"
		"\n"
		"  --file  check another file than " RTLS_CONFIG_PATH "\n"
		"  --json  print JSON\n",
		rtls_verb_config, POWER_ALL, NULL },
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static void print_help(FILE *out)
{
	(void)fputs("Usage: exim-requiretls VERB ...\n\n", out);
	for (size_t i = 0; i < VERB_COUNT; i++)
		(void)fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].help);
	(void)fputs("\nexim-requiretls VERB --help says more. Exit status: 0 "
		    "good, 64 wrong use,\n65 bad data, 75 try later, 77 not "
		    "allowed, 78 bad configuration.\n",
		out);
}

static int print_usage(const struct verb *verb)
{
	(void)printf("Usage: exim-requiretls %s", verb->usage);
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
	struct rtls_quoted q;

	(void)rtls_verb_fail(EX_USAGE, "there is no verb \"%s\"",
		rtls_quoted(&q, rtls_slice(name)));
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
		const struct verb *verb = argc > 2 ? find_verb(argv[2]) : NULL;

		if (verb != NULL)
			return print_usage(verb);
		if (argc > 2)
			return unknown_verb(argv[2]);
		print_help(stdout);
		return EX_OK;
	}
	return unknown_verb(argv[1]);
}

static int confine(const struct verb *verb, int argc, char **argv)
{
	struct rtls_config config;
	int exit_status;

	if (verb->power == POWER_ALL)
		return EX_OK;
	if (verb->except != NULL && argc > 2 &&
		strcmp(argv[2], verb->except) == 0)
		return EX_OK;
	exit_status = rtls_verb_load_config(&config);
	if (exit_status != EX_OK)
		return exit_status;
	return rtls_confine(&config, argv, verb->power == POWER_USER_MAIL);
}

static int run(int argc, char **argv)
{
	const struct verb *verb = argc < 2 ? NULL : find_verb(argv[1]);
	int exit_status;

	if (verb == NULL)
		return run_option(argc, argv);
	if (wants_help(argc - 1, argv + 1))
		return print_usage(verb);
	exit_status = confine(verb, argc, argv);
	return exit_status == EX_OK ? verb->run(argc - 1, argv + 1)
				    : exit_status;
}

int main(int argc, char **argv)
{
	int exit_status;

	rtls_confine_descriptors();
	exit_status = run(argc, argv);
	/* Output that got lost is no success, say on a full disk. */
	if (fflush(stdout) != 0 || ferror(stdout))
		return exit_status == EX_OK ? EX_IOERR : exit_status;
	return exit_status;
}
