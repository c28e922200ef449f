/* report_status.c - `exim-requiretls report status`: how far the reports of each day got. */
#include "tool/options.h"
#include "tool/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/timestamp.h"
#include "report/outbox.h"
#include "report/subjects.h"
#include "store/file.h"
#include "tool/usage.h"
#include "tool/verb.h"

#define PATH_SIZE 1024

/* One day, and how far its reports got. */
struct day {
	char date[RTLS_DATE_SIZE];
	uint64_t lines;
	uint64_t skipped;
	uint64_t added_up;
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
	struct rtls_subjects subjects;
	struct rtls_outbox outbox;
	enum rtls_status status =
		rtls_subjects_open(config, day->date, &subjects, err);

	if (status != RTLS_OK)
		return status;
	day->lines = rtls_reports_lines(subjects.reports);
	day->skipped = rtls_reports_skipped(subjects.reports);
	day->added_up = rtls_reports_added_up(subjects.reports);
	day->size_bytes = journal_size(config, day->date);
	day->domains = subjects.domains;
	for (size_t i = 0; i < subjects.count; i++) {
		status = rtls_outbox_get(config->spool, day->date,
			subjects.subject[i].name, &outbox, err);
		if (status != RTLS_OK)
			break;
		add_outbox(day, &outbox);
	}
	rtls_subjects_close(&subjects);
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
	if (day->added_up > 0)
		(void)printf(
			"  %" PRIu64
			" failures are reported without their details, too "
			"many different ones\n",
			day->added_up);
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
			 "s:I, s:O}",
		"date", day->date, "sessions", (json_int_t)day->lines,
		"skipped", (json_int_t)day->skipped, "added_up",
		(json_int_t)day->added_up, "bytes", (json_int_t)day->size_bytes,
		"domains", (json_int_t)day->domains, "sent",
		(json_int_t)day->sent, "pending", (json_int_t)day->pending,
		"dropped", (json_int_t)day->dropped, "unwanted",
		(json_int_t)day->unwanted, "untouched",
		(json_int_t)day->untouched, "open", day->open);
}

/* --- all days --------------------------------------------------------------- */

struct dates {
	size_t count;
	size_t room;
	char (*date)[RTLS_DATE_SIZE];
};

static bool add_date(const char *name, int64_t modified_s, void *context)
{
	struct dates *dates = context;
	int64_t day_s;

	(void)modified_s;
	if (rtls_date_parse(rtls_slice(name), &day_s) != RTLS_OK)
		return true;
	if (dates->count == dates->room) {
		const size_t room = dates->room == 0 ? 64 : dates->room * 2;
		void *larger =
			reallocarray(dates->date, room, sizeof(dates->date[0]));

		if (larger == NULL)
			return false;
		dates->date = larger;
		dates->room = room;
	}
	memcpy(dates->date[dates->count++], name, RTLS_DATE_SIZE);
	return true;
}

static int compare_newest_first(const void *left, const void *right)
{
	return strcmp(right, left);
}

/* The days that have a journal, the newest first. */
static enum rtls_status find_dates(const struct rtls_config *config,
	struct dates *dates, struct rtls_err *err)
{
	char path[PATH_SIZE];
	enum rtls_status status;

	(void)snprintf(path, sizeof(path), "%s/tlsrpt", config->spool);
	status = rtls_file_each(config->spool, path, add_date, dates, err);
	if (dates->count > 0)
		qsort(dates->date, dates->count, sizeof(dates->date[0]),
			compare_newest_first);
	return status == RTLS_NONE ? RTLS_OK : status;
}

static int show_day(
	const struct rtls_config *config, const char *date, json_t *days)
{
	struct day day = { .open = json_array() };
	struct rtls_err err = { "" };
	int exit_status = EX_OK;
	enum rtls_status status;

	memcpy(day.date, date, RTLS_DATE_SIZE);
	status = read_day(config, &day, &err);
	if (status != RTLS_OK && status != RTLS_NONE)
		exit_status = rtls_verb_report_fail(status, &err);
	else if (status == RTLS_OK && days != NULL)
		(void)json_array_append_new(days, day_json(&day));
	else if (status == RTLS_OK)
		print_day(&day);
	json_decref(day.open);
	return exit_status;
}

static int show_days(const struct rtls_config *config, json_t *days)
{
	struct dates dates = { 0 };
	struct rtls_err err = { "" };
	enum rtls_status status = find_dates(config, &dates, &err);
	int exit_status =
		status == RTLS_OK ? EX_OK : rtls_verb_report_fail(status, &err);

	for (size_t i = 0; i < dates.count; i++) {
		const int one = show_day(config, dates.date[i], days);

		if (one != EX_OK)
			exit_status = one;
	}
	free(dates.date);
	return exit_status;
}

static int show_text(
	const struct rtls_config *config, const struct rtls_usage *usage)
{
	int exit_status;

	if (!config->tlsrpt)
		(void)puts("TLS-RPT is off (tlsrpt = no): no results are kept");
	exit_status = show_days(config, NULL);
	rtls_usage_print_reports(usage);
	return exit_status;
}

static int show_json(
	const struct rtls_config *config, const struct rtls_usage *usage)
{
	json_t *days = json_array();
	const int exit_status = show_days(config, days);

	return rtls_verb_print_json(
		json_pack("{s:b, s:o, s:o}", "tlsrpt", config->tlsrpt, "days",
			days, "kept", rtls_usage_json(usage)),
		exit_status);
}

int rtls_verb_report_status(
	const struct rtls_config *config, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	struct rtls_err err = { "" };
	struct rtls_usage usage;
	bool wants_json = false;
	enum rtls_status status;
	int option, exit_status;

	while ((option = rtls_options_next(
			"report status", argc, argv, options)) != -1) {
		if (option != 'j')
			return EX_USAGE;
		wants_json = true;
	}
	exit_status = rtls_options_count(
		"report status", argc, argv, 0, 0, "no argument");
	if (exit_status != EX_OK)
		return exit_status;
	status = rtls_usage_read(config->spool, &usage, &err);
	exit_status = wants_json ? show_json(config, &usage)
				 : show_text(config, &usage);
	return status == RTLS_OK ? exit_status
				 : rtls_verb_report_fail(status, &err);
}
