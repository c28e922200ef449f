/* report_run.c - `exim-requiretls report run`: send the reports that are due. */
#include <stdio.h>
#include <time.h>

#include "report/run.h"
#include "report/tidy.h"
#include "store/counters.h"
#include "tool/options.h"
#include "tool/report.h"

static void print_line(void *context, const char *line)
{
	(void)context;
	(void)puts(line);
	(void)fflush(stdout); /* a run may take long */
}

static int run_dry(const struct rtls_config *config,
	const struct rtls_run_options *options,
	const struct rtls_outside *outside, const char *directory)
{
	struct rtls_err err = { "" };
	enum rtls_status status =
		rtls_report_dry_run(config, options, outside, directory, &err);

	if (status == RTLS_NONE) {
		(void)puts("nothing to report");
		return EX_OK;
	}
	if (status == RTLS_TEMPORARY)
		return rtls_verb_fail(EX_CANTCREAT,
			"%s (the directory must be open to %s)", err.text,
			config->user);
	return status == RTLS_OK ? EX_OK : rtls_verb_report_fail(status, &err);
}

/* What failed or was dropped has had a line of its own. */
static bool is_worth_a_word(const struct rtls_run_sums *sums, bool quiet)
{
	return !quiet || sums->sent + sums->deferred + sums->dropped > 0;
}

/* For `metrics`. */
static void note_run(const struct rtls_config *config,
	const struct rtls_run_sums *sums, bool is_complete)
{
	struct rtls_err err = { "" };

	if (rtls_counters_add(config->spool, "report sent", sums->sent, &err) !=
			RTLS_OK ||
		rtls_counters_add(config->spool, "report dropped",
			sums->dropped, &err) != RTLS_OK ||
		rtls_counters_set(config->spool, "report-last complete",
			is_complete ? 1 : 0, &err) != RTLS_OK ||
		rtls_counters_set(config->spool, "report-last time",
			(uint64_t)time(NULL), &err) != RTLS_OK)
		(void)rtls_verb_fail(EX_OK, "%s", err.text);
}

static int run_for_good(const struct rtls_config *config,
	const struct rtls_run_options *options,
	const struct rtls_outside *outside, bool quiet)
{
	struct rtls_err err = { "" };
	struct rtls_run_sums sums;
	enum rtls_status status =
		rtls_report_run(config, options, outside, &sums, &err);

	if (status == RTLS_INVALID)
		return rtls_verb_report_fail(status, &err);
	note_run(config, &sums, status == RTLS_OK);
	if (is_worth_a_word(&sums, quiet))
		(void)printf("reports: %zu sent, %zu deferred, %zu waiting, "
			     "%zu dropped; %zu domains want none\n",
			sums.sent, sums.deferred, sums.waiting, sums.dropped,
			sums.unwanted);
	return status == RTLS_OK ? EX_OK : rtls_verb_report_fail(status, &err);
}

static int run_options(const struct rtls_config *config,
	const struct rtls_run_options *options, const char *directory,
	bool quiet)
{
	struct rtls_err err = { "" };
	struct rtls_outside outside;
	enum rtls_status status;
	int exit_status;

	if (!config->tlsrpt) {
		if (!quiet)
			(void)puts("TLS-RPT is off (tlsrpt = no): nothing is "
				   "sent");
		if (directory == NULL)
			rtls_tidy(config, options->now_s, print_line, NULL);
		return EX_OK;
	}
	status = rtls_outside_open(config, &outside, &err);
	if (status != RTLS_OK)
		return rtls_verb_report_fail(status, &err);
	outside.log = print_line;
	exit_status = directory != NULL
			      ? run_dry(config, options, &outside, directory)
			      : run_for_good(config, options, &outside, quiet);
	rtls_outside_close(&outside);
	return exit_status;
}

int rtls_verb_report_run(
	const struct rtls_config *config, int argc, char **argv)
{
	static const struct option options[] = {
		{ "date", required_argument, NULL, 'd' },
		{ "dry-run", required_argument, NULL, 'n' },
		{ "now", no_argument, NULL, 'w' },
		{ "quiet", no_argument, NULL, 'q' },
		{ NULL, 0, NULL, 0 },
	};
	struct rtls_run_options wanted = { .now_s = (int64_t)time(NULL) };
	const char *directory = NULL;
	bool quiet = false;
	int64_t day_s;
	int option, exit_status;

	while ((option = rtls_options_next(
			"report run", argc, argv, options)) != -1) {
		if (option == 'd')
			wanted.date = optarg;
		else if (option == 'n')
			directory = optarg;
		else if (option == 'w')
			wanted.now = true;
		else if (option == 'q')
			quiet = true;
		else
			return EX_USAGE;
	}
	exit_status = rtls_options_count(
		"report run", argc, argv, 0, 0, "no argument");
	if (exit_status == EX_OK && wanted.date != NULL)
		exit_status = rtls_verb_report_date(wanted.date, &day_s);
	return exit_status == EX_OK
		       ? run_options(config, &wanted, directory, quiet)
		       : exit_status;
}
