/* report.c - `exim-requiretls report preview|run|status`: the daily TLS reports. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "policy/timestamp.h"
#include "report/report.h"
#include "report/run.h"
#include "tool/verb.h"

#define DAY_S      86400
#define SPREAD_MAX 86400
#define PATH_SIZE  1024

static int fail(enum rtls_status status, const struct rtls_err *err)
{
	return rtls_verb_fail(rtls_verb_exit(status), "%s", err->text);
}

static bool is_date(const char *text)
{
	int64_t day_s;

	return rtls_date_parse(rtls_slice(text), &day_s) == RTLS_OK;
}

static int bad_date(const char *text)
{
	struct rtls_quoted q;

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
	const struct rtls_config *config, const struct rtls_report *report)
{
	char *text = rtls_report_json(config, report);
	json_t *json;

	if (text == NULL)
		return NULL;
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return json;
}

static int print_all(
	const struct rtls_config *config, const struct rtls_reports *reports)
{
	json_t *array = json_array();

	for (size_t i = 0; i < rtls_reports_count(reports); i++)
		if (json_array_append_new(array,
			    report_json(config,
				    rtls_reports_get(reports, i))) != 0) {
			json_decref(array);
			array = NULL;
			break;
		}
	return print_pretty(array);
}

static const struct rtls_report *find_report(
	const struct rtls_reports *reports, const char *domain)
{
	for (size_t i = 0; i < rtls_reports_count(reports); i++) {
		const struct rtls_report *report = rtls_reports_get(reports, i);

		if (strcmp(rtls_report_domain(report), domain) == 0)
			return report;
	}
	return NULL;
}

static int print_reports(const struct rtls_config *config,
	const struct rtls_reports *reports, const char *domain)
{
	const struct rtls_report *report;

	if (rtls_reports_skipped(reports) > 0)
		(void)rtls_verb_fail(EX_OK,
			"%" PRIu64 " lines of the journal do not parse",
			rtls_reports_skipped(reports));
	if (domain == NULL)
		return print_all(config, reports);
	report = find_report(reports, domain);
	if (report == NULL)
		return print_pretty(json_array());
	return print_pretty(report_json(config, report));
}

static int preview(const struct rtls_config *config, int argc, char **argv)
{
	struct rtls_err err = { "" };
	char domain[RTLS_DOMAIN_SIZE];
	struct rtls_reports *reports;
	enum rtls_status status;
	int exit_status;

	if (argc < 2 || argc > 3 || argv[1][0] == '-')
		return rtls_verb_misused("report",
			"preview wants a date, and a domain if you like");
	if (!is_date(argv[1]))
		return bad_date(argv[1]);
	if (argc == 3) {
		exit_status = rtls_verb_domain(argv[2], domain);
		if (exit_status != EX_OK)
			return exit_status;
	}
	if (strchr(config->contact, '@') == NULL)
		return rtls_verb_fail(EX_CONFIG,
			"a report needs tlsrpt_organization and tlsrpt_contact");
	status = rtls_reports_load(config, argv[1], &reports, &err);
	if (status == RTLS_NONE)
		return print_pretty(json_array());
	if (status != RTLS_OK)
		return fail(status, &err);
	exit_status = print_reports(config, reports, argc == 3 ? domain : NULL);
	rtls_reports_free(reports);
	return exit_status;
}

/* --- run -------------------------------------------------------------------- */

static void print_line(void *context, const char *line)
{
	(void)context;
	(void)puts(line);
	(void)fflush(stdout); /* a run may take hours */
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
	return status == RTLS_OK ? EX_OK : fail(status, &err);
}

static int run_for_good(const struct rtls_config *config,
	const struct rtls_run_options *options,
	const struct rtls_outside *outside)
{
	struct rtls_err err = { "" };
	struct rtls_run_sums sums;
	enum rtls_status status =
		rtls_report_run(config, options, outside, &sums, &err);

	if (status == RTLS_INVALID)
		return fail(status, &err);
	(void)printf("reports: %zu sent, %zu deferred, %zu waiting, %zu "
		     "dropped; %zu domains want none\n",
		sums.sent, sums.deferred, sums.waiting, sums.dropped,
		sums.unwanted);
	return status == RTLS_OK ? EX_OK : fail(status, &err);
}

static int run_options(const struct rtls_config *config,
	const struct rtls_run_options *options, const char *directory)
{
	struct rtls_err err = { "" };
	struct rtls_outside outside;
	enum rtls_status status;
	int exit_status;

	if (!config->tlsrpt) {
		(void)puts("TLS-RPT is off (tlsrpt = no): nothing is sent");
		return EX_OK;
	}
	status = rtls_outside_open(config, &outside, &err);
	if (status != RTLS_OK)
		return fail(status, &err);
	outside.log = print_line;
	exit_status = directory != NULL
			      ? run_dry(config, options, &outside, directory)
			      : run_for_good(config, options, &outside);
	rtls_outside_close(&outside);
	return exit_status;
}

static int run(const struct rtls_config *config, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "date", required_argument, NULL, 'd' },
		{ "dry-run", required_argument, NULL, 'n' },
		{ "spread", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct rtls_run_options options = { .now_s = (int64_t)time(NULL) };
	const char *directory = NULL;
	unsigned long long spread_s = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) !=
		-1) {
		if (option == 'd')
			options.date = optarg;
		else if (option == 'n')
			directory = optarg;
		else if (option != 's')
			return rtls_verb_misused("report", NULL);
		else if (!rtls_slice_number(
				 rtls_slice(optarg), SPREAD_MAX, &spread_s))
			return rtls_verb_misused("report",
				"--spread wants seconds, at most a day");
	}
	if (optind != argc)
		return rtls_verb_misused("report", "unexpected argument");
	if (options.date != NULL && !is_date(options.date))
		return bad_date(options.date);
	options.spread_s = (unsigned)spread_s;
	return run_options(config, &options, directory);
}

/* --- status ----------------------------------------------------------------- */

/* One day, and how far its reports got. */
struct day {
	char date[RTLS_DATE_SIZE];
	uint64_t lines;
	uint64_t skipped;
	int64_t size_bytes;
	size_t domains;
	size_t sent;
	size_t pending;
	size_t dropped;
	size_t unwanted;
	size_t untouched;
	json_t *open; /* what is pending or dropped, to be shown in full */
};

static int64_t journal_size(const struct rtls_config *config, const char *date)
{
	char path[PATH_SIZE];
	struct stat info;

	(void)snprintf(path, sizeof(path), "%s/tlsrpt/%s", config->spool, date);
	return lstat(path, &info) == 0 ? (int64_t)info.st_size : 0;
}

static void note_open(struct day *day, const char *domain, const char *what,
	const char *state, const struct rtls_tries *tries)
{
	char next[RTLS_TIMESTAMP_SIZE] = "";

	if (tries->next_s > 0)
		rtls_timestamp_format(next, tries->next_s);
	(void)json_array_append_new(day->open,
		json_pack("{s:s, s:o, s:s, s:i, s:s}", "domain", domain, "to",
			rtls_verb_json(rtls_slice(what)), "state", state,
			"tries", (int)tries->count, "next", next));
}

static void add_places(struct day *day, const struct rtls_outbox *outbox)
{
	for (size_t i = 0; i < outbox->to_count; i++) {
		const struct rtls_outbox_to *to = &outbox->to[i];

		if (to->state == RTLS_DELIVERY_SENT) {
			day->sent++;
			continue;
		}
		if (to->state == RTLS_DELIVERY_FAILED)
			day->dropped++;
		else
			day->pending++;
		note_open(day, outbox->domain, to->rua.uri,
			rtls_delivery_state_name(to->state), &to->tries);
	}
}

static void add_outbox(struct day *day, const struct rtls_outbox *outbox)
{
	if (outbox->record == RTLS_RECORD_NONE) {
		day->unwanted++;
	} else if (outbox->record == RTLS_RECORD_FOUND) {
		add_places(day, outbox);
	} else if (outbox->record_tries.count == 0) {
		day->untouched++;
	} else {
		if (outbox->record == RTLS_RECORD_FAILED)
			day->dropped++;
		else
			day->pending++;
		note_open(day, outbox->domain, "the lookup of its address",
			rtls_record_state_name(outbox->record),
			&outbox->record_tries);
	}
}

/* RTLS_NONE: nothing was judged that day. */
static enum rtls_status read_day(
	const struct rtls_config *config, struct day *day, struct rtls_err *err)
{
	struct rtls_reports *reports;
	struct rtls_outbox outbox;
	enum rtls_status status =
		rtls_reports_load(config, day->date, &reports, err);

	if (status != RTLS_OK)
		return status;
	day->lines = rtls_reports_lines(reports);
	day->skipped = rtls_reports_skipped(reports);
	day->size_bytes = journal_size(config, day->date);
	day->domains = rtls_reports_count(reports);
	for (size_t i = 0; i < day->domains; i++) {
		const char *domain =
			rtls_report_domain(rtls_reports_get(reports, i));

		status = rtls_outbox_get(
			config->spool, day->date, domain, &outbox, err);
		if (status != RTLS_OK)
			break;
		add_outbox(day, &outbox);
	}
	rtls_reports_free(reports);
	return status;
}

static void print_day(const struct day *day)
{
	size_t index;
	json_t *open;

	(void)printf("%s  %" PRIu64 " sessions (%" PRId64
		     " bytes) to %zu domains\n",
		day->date, day->lines, day->size_bytes, day->domains);
	if (day->skipped > 0)
		(void)printf(
			"  %" PRIu64 " lines do not parse\n", day->skipped);
	(void)printf("  reports: %zu sent, %zu pending, %zu dropped; %zu "
		     "domains want none, %zu not asked yet\n",
		day->sent, day->pending, day->dropped, day->unwanted,
		day->untouched);
	json_array_foreach(day->open, index, open)
	{
		const char *next =
			json_string_value(json_object_get(open, "next"));

		(void)printf("  %s  %s  %s%s%s\n",
			json_string_value(json_object_get(open, "domain")),
			json_string_value(json_object_get(open, "to")),
			json_string_value(json_object_get(open, "state")),
			next[0] != '\0' ? ", next try " : "", next);
	}
}

static json_t *day_json(const struct day *day)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
			 "s:O}",
		"date", day->date, "sessions", (json_int_t)day->lines,
		"skipped", (json_int_t)day->skipped, "bytes",
		(json_int_t)day->size_bytes, "domains",
		(json_int_t)day->domains, "sent", (json_int_t)day->sent,
		"pending", (json_int_t)day->pending, "dropped",
		(json_int_t)day->dropped, "unwanted", (json_int_t)day->unwanted,
		"untouched", (json_int_t)day->untouched, "open", day->open);
}

/* The newest first; as many days as a run would look at, and today. */
static int show_days(const struct rtls_config *config, json_t *days)
{
	int64_t now_s = (int64_t)time(NULL);
	int exit_status = EX_OK;

	for (int back = 0; back <= RTLS_DAYS_CAUGHT_UP; back++) {
		struct day day = { .open = json_array() };
		struct rtls_err err = { "" };
		enum rtls_status status;

		rtls_date_format(day.date, now_s - (int64_t)back * DAY_S);
		status = read_day(config, &day, &err);
		if (status != RTLS_OK && status != RTLS_NONE)
			exit_status = fail(status, &err);
		else if (status == RTLS_OK && days != NULL)
			(void)json_array_append_new(days, day_json(&day));
		else if (status == RTLS_OK)
			print_day(&day);
		json_decref(day.open);
	}
	return exit_status;
}

static int status(const struct rtls_config *config, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	bool wants_json = false;
	int option, exit_status;
	json_t *days;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'j')
			return rtls_verb_misused("report", NULL);
		wants_json = true;
	}
	if (optind != argc)
		return rtls_verb_misused("report", "unexpected argument");
	if (!wants_json) {
		if (!config->tlsrpt)
			(void)puts("TLS-RPT is off (tlsrpt = no)");
		return show_days(config, NULL);
	}
	days = json_array();
	exit_status = show_days(config, days);
	return rtls_verb_print_json(
		json_pack("{s:b, s:o}", "tlsrpt", config->tlsrpt, "days", days),
		exit_status);
}

/* --- the verb --------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(const struct rtls_config *config, int argc, char **argv);
} actions[] = {
	{ "preview", preview },
	{ "run", run },
	{ "status", status },
};

int rtls_verb_report(int argc, char **argv)
{
	struct rtls_config config;
	int exit_status;

	if (argc < 2)
		return rtls_verb_misused(
			"report", "expected preview, run or status");
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
	return rtls_verb_misused("report", "expected preview, run or status");
}
