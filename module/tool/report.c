/* report.c - `exim-requiretls report preview|run|show|status|read`: the daily TLS reports. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/timestamp.h"
#include "report/report.h"
#include "report/run.h"
#include "report/subjects.h"
#include "store/config_file.h"
#include "tool/options.h"
#include "tool/report.h"

#define EXPECTED "key, preview, read, run, show or status"

int rtls_verb_report_fail(enum rtls_status status, const struct rtls_err *err)
{
	return rtls_verb_fail(rtls_verb_exit(status), "%s", err->text);
}

int rtls_verb_report_date(const char *text, int64_t *day_s)
{
	struct rtls_quoted q;

	if (rtls_date_parse(rtls_slice(text), day_s) == RTLS_OK)
		return EX_OK;
	return rtls_verb_fail(EX_DATAERR,
		"\"%s\" is not a date like 2026-11-21",
		rtls_quoted(&q, rtls_slice(text)));
}

/* --- preview ---------------------------------------------------------------- */

static int print_pretty(json_t *json)
{
	int exit_status = EX_OK;

	if (json == NULL)
		return rtls_verb_fail(EX_OSERR, "out of memory");
	if (json_dumpf(json, stdout, JSON_INDENT(2)) != 0)
		exit_status = EX_IOERR;
	(void)putchar('\n');
	json_decref(json);
	return exit_status;
}

/* The very text that would be sent, read back for printing. NULL: no memory. */
static json_t *report_json(
	const struct rtls_config *config, const struct rtls_subject *subject)
{
	struct rtls_subject_report made;
	json_t *json;
	char *text;

	if (rtls_subject_report(subject, NULL, &made, NULL) != RTLS_OK)
		return NULL;
	text = rtls_report_json(config, made.report);
	rtls_subject_report_free(&made);
	if (text == NULL)
		return NULL;
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return json;
}

static int print_all(
	const struct rtls_config *config, const struct rtls_subjects *subjects)
{
	json_t *array = json_array();

	for (size_t i = 0; i < subjects->count; i++)
		if (json_array_append_new(array,
			    report_json(config, &subjects->subject[i])) != 0) {
			json_decref(array);
			array = NULL;
			break;
		}
	return print_pretty(array);
}

static int print_reports(const struct rtls_config *config,
	const struct rtls_subjects *subjects, const char *domain)
{
	const struct rtls_subject *subject;

	if (rtls_reports_skipped(subjects->reports) > 0)
		(void)rtls_verb_fail(EX_OK,
			"%" PRIu64 " lines of the journal do not parse",
			rtls_reports_skipped(subjects->reports));
	if (rtls_reports_added_up(subjects->reports) > 0)
		(void)rtls_verb_fail(EX_OK,
			"%" PRIu64
			" failures are without their details, too many different ones",
			rtls_reports_added_up(subjects->reports));
	if (domain[0] == '\0')
		return print_all(config, subjects);
	subject = rtls_subjects_find(subjects, domain);
	if (subject == NULL)
		return print_pretty(json_array());
	return print_pretty(report_json(config, subject));
}

static int preview(const struct rtls_config *config, int argc, char **argv)
{
	static const struct option none[] = { { NULL, 0, NULL, 0 } };
	struct rtls_err err = { "" };
	char domain[RTLS_DOMAIN_SIZE] = "";
	struct rtls_subjects subjects;
	enum rtls_status status;
	int64_t day_s;
	int exit_status;

	if (rtls_options_next("report preview", argc, argv, none) != -1)
		return EX_USAGE;
	exit_status = rtls_options_count(
		"report preview", argc, argv, 1, 2, "a date");
	if (exit_status == EX_OK)
		exit_status = rtls_verb_report_date(argv[optind], &day_s);
	if (exit_status == EX_OK && argc - optind == 2)
		exit_status = rtls_verb_domain(argv[optind + 1], domain);
	if (exit_status != EX_OK)
		return exit_status;
	if (strchr(config->contact, '@') == NULL)
		return rtls_verb_fail(EX_CONFIG,
			"a report needs tlsrpt_organization and tlsrpt_contact "
			"in " RTLS_CONFIG_PATH);
	status = rtls_subjects_open(config, argv[optind], &subjects, &err);
	if (status == RTLS_NONE)
		return print_pretty(json_array());
	if (status != RTLS_OK)
		return rtls_verb_report_fail(status, &err);
	exit_status = print_reports(config, &subjects, domain);
	rtls_subjects_close(&subjects);
	return exit_status;
}

/* --- the verb --------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(const struct rtls_config *config, int argc, char **argv);
} actions[] = {
	{ "key", rtls_verb_report_key },
	{ "preview", preview },
	{ "run", rtls_verb_report_run },
	{ "show", rtls_verb_report_show },
	{ "status", rtls_verb_report_status },
};

static int run_report(int argc, char **argv)
{
	struct rtls_config config;
	int exit_status;

	if (argc < 2)
		return rtls_options_expected("report", EXPECTED, NULL);
	/* What others sent needs no configuration of ours. */
	if (strcmp(argv[1], "read") == 0)
		return rtls_verb_report_read(argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(argv[1], actions[i].name) != 0)
			continue;
		exit_status = rtls_verb_load_config(&config);
		if (exit_status == EX_OK)
			exit_status = rtls_verb_check_spool(&config);
		if (exit_status != EX_OK)
			return exit_status;
		return actions[i].run(&config, argc - 1, argv + 1);
	}
	return rtls_options_expected("report", EXPECTED, argv[1]);
}

const struct rtls_verb rtls_verb_report = {
	.name = "report",
	.summary =
		"preview and send the TLS reports of a day, read those of others",
	.help = "Usage: exim-requiretls report preview DATE [DOMAIN]\n"
		"       exim-requiretls report run [--now] [--quiet] [--date DATE]\n"
		"                                  [--dry-run DIRECTORY]\n"
		"       exim-requiretls report show [--html|--json] [--domain DOMAIN]\n"
		"                                   [FIRST [LAST]]\n"
		"       exim-requiretls report status [--json]\n"
		"       exim-requiretls report key [--selector NAME] [--domain DOMAIN]\n"
		"                                  [--all-services] [--json] KEYFILE\n"
		"       exim-requiretls report read [--html|--json|--summary] [--domain DOMAIN]\n"
		"                                   [--failures] FILE|DIRECTORY|- ...\n"
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
	.run = run_report,
	.power = RTLS_POWER_USER_MAIL,
	.except = "read",
};
