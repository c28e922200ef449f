/* report_show.c - the journals as a text, a page or JSON. */
#include "tool/report_show.h"
#include "tool/options.h"
#include "tool/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/timestamp.h"
#include "report/page.h"
#include "report/report.h"
#include "tool/verb.h"

enum form {
	FORM_TEXT,
	FORM_HTML,
	FORM_JSON
};

struct show {
	struct rtls_config config;
	enum form form;
	char domain[RTLS_DOMAIN_SIZE]; /* "": all */
	int64_t now_s;
	int64_t first_s, last_s;
	struct rtls_page_model *model;
	uint64_t skipped;
};

static int no_memory(void)
{
	return rtls_verb_fail(EX_OSERR, "out of memory");
}

/* --- reading the journals ------------------------------------------------------ */

static int add_report(struct show *show, const struct rtls_report *report)
{
	char *text = rtls_report_json(&show->config, report);
	enum rtls_status status = RTLS_NO_MEMORY;
	json_t *json;

	if (text == NULL)
		return no_memory();
	json = json_loads(text, 0, NULL);
	if (json != NULL)
		status = rtls_page_model_add(
			show->model, json, rtls_report_domain(report));
	json_decref(json);
	free(text);
	return status == RTLS_OK ? EX_OK : no_memory();
}

static int add_day(struct show *show, int64_t day_s)
{
	char date[RTLS_DATE_SIZE];
	struct rtls_err err = { "" };
	struct rtls_reports *reports;
	enum rtls_status status;
	int exit_status = EX_OK;

	rtls_date_format(date, day_s);
	status = rtls_reports_load(&show->config, date, &reports, &err);
	if (status == RTLS_NONE)
		return EX_OK;
	if (status != RTLS_OK)
		return rtls_verb_fail(rtls_verb_exit(status), "%s", err.text);
	show->skipped += rtls_reports_skipped(reports);
	for (size_t i = 0;
		i < rtls_reports_count(reports) && exit_status == EX_OK; i++) {
		const struct rtls_report *report = rtls_reports_get(reports, i);

		if (show->domain[0] == '\0' ||
			strcmp(show->domain, rtls_report_domain(report)) == 0)
			exit_status = add_report(show, report);
	}
	rtls_reports_free(reports);
	return exit_status;
}

/* A day that cannot be read is said, and the others are shown. */
static int add_days(struct show *show)
{
	int exit_status = EX_OK;

	for (int64_t day_s = show->first_s; day_s <= show->last_s;
		day_s += RTLS_DAY_S) {
		int of_day = add_day(show, day_s);

		if (of_day == EX_OSERR)
			return of_day;
		if (of_day != EX_OK)
			exit_status = of_day;
	}
	if (rtls_page_model_finish(show->model) != RTLS_OK)
		return no_memory();
	if (show->skipped > 0)
		(void)rtls_verb_fail(EX_OK,
			"%" PRIu64 " lines of the journals do not parse",
			show->skipped);
	return exit_status;
}

/* --- writing ------------------------------------------------------------------- */

static int write_page(const struct show *show, int exit_status)
{
	const struct rtls_page_options options = { .is_received = false,
		.now_s = show->now_s };

	if (rtls_page_write_model(stdout, show->model, &options) != RTLS_OK)
		return rtls_verb_fail(
			EX_IOERR, "standard output: %s", strerror(errno));
	return exit_status;
}

static int write_all(const struct show *show, int exit_status)
{
	switch (show->form) {
	case FORM_HTML:
		return write_page(show, exit_status);
	case FORM_JSON:
		return rtls_report_show_json(show->model) ? exit_status
							  : no_memory();
	case FORM_TEXT:
		break;
	}
	rtls_report_show_print(show->model, show->config.tlsrpt);
	return exit_status;
}

static int show_all(struct show *show)
{
	int exit_status;

	/* Without a contact nothing is sent, but there may be what to look at. */
	if (strchr(show->config.contact, '@') == NULL)
		(void)snprintf(show->config.contact,
			sizeof(show->config.contact), "nobody@invalid");
	show->model = rtls_page_model_begin(show->first_s, show->last_s);
	if (show->model == NULL)
		return no_memory();
	exit_status = add_days(show);
	if (exit_status != EX_OSERR)
		exit_status = write_all(show, exit_status);
	rtls_page_model_free(show->model);
	return exit_status;
}

/* --- the command line ---------------------------------------------------------- */

/* None: all that is there. One: that day. Two: from one to the other. */
static int read_dates(struct show *show, int count, char **dates)
{
	int exit_status = EX_OK;

	show->last_s = show->now_s;
	show->first_s = show->now_s - (RTLS_PAGE_DAYS_MAX - 1) * RTLS_DAY_S;
	if (count > 0)
		exit_status = rtls_verb_report_date(dates[0], &show->first_s);
	if (count > 0 && exit_status == EX_OK)
		exit_status =
			rtls_verb_report_date(dates[count - 1], &show->last_s);
	if (exit_status != EX_OK)
		return exit_status;
	if (show->last_s < show->first_s ||
		(show->last_s - show->first_s) / RTLS_DAY_S >=
			RTLS_PAGE_DAYS_MAX)
		return rtls_verb_misused("report show",
			"expected the first day and then the last, at most 366 "
			"days");
	return EX_OK;
}

int rtls_verb_report_show(
	const struct rtls_config *config, int argc, char **argv)
{
	static const struct option options[] = {
		{ "domain", required_argument, NULL, 'd' },
		{ "html", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	struct show show = { .config = *config, .now_s = (int64_t)time(NULL) };
	int option, exit_status = EX_OK;

	while ((option = rtls_options_next(
			"report show", argc, argv, options)) != -1) {
		if (option == 'h')
			show.form = FORM_HTML;
		else if (option == 'j')
			show.form = FORM_JSON;
		else if (option == 'd')
			exit_status = rtls_verb_domain(optarg, show.domain);
		else
			return EX_USAGE;
		if (exit_status != EX_OK)
			return exit_status;
	}
	exit_status = rtls_options_count(
		"report show", argc, argv, 0, 2, "the first day and the last");
	if (exit_status == EX_OK)
		exit_status = read_dates(&show, argc - optind, argv + optind);
	return exit_status == EX_OK ? show_all(&show) : exit_status;
}
