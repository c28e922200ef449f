/* report_read.c - see report_read.h: collect the reports, then print them. */
#include "tool/report_read.h"
#include "tool/report.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/received.h"
#include "tool/open_files.h"
#include "tool/options.h"
#include "tool/verb.h"

/* All reports together, as a rough count of bytes: else many hostile ones take all memory. */
#define ENTRIES_SIZE_MAX (256U << 20)
#define VALUE_SIZE       64

struct reading {
	json_t *entries;
	json_t *seen; /* key of a report: [report] */
	size_t size;
	size_t others;                 /* files that are no TLS reports */
	size_t twice;                  /* reports that were there already */
	char domain[RTLS_DOMAIN_SIZE]; /* only these, or "" */
	bool wants_failures;           /* only with failures */
	int exit_status;
};

/* --- one report ----------------------------------------------------------------- */

static size_t weigh(const json_t *value)
{
	size_t size = VALUE_SIZE + json_string_length(value);
	const json_t *item;
	const char *key;
	json_t *member;
	size_t i;

	json_array_foreach(value, i, item)
	{
		size += weigh(item);
	}
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		size += VALUE_SIZE + weigh(member);
	}
	return size;
}

static bool is_wanted(const struct reading *reading, const json_t *report)
{
	bool is_about = reading->domain[0] == '\0';
	bool has_failures = !reading->wants_failures;
	const json_t *element;
	size_t i;

	json_array_foreach(json_object_get(report, "policies"), i, element)
	{
		const char *domain = json_string_value(json_object_get(
			json_object_get(element, "policy"), "policy-domain"));

		if (domain != NULL && strcmp(domain, reading->domain) == 0)
			is_about = true;
		if (json_integer_value(
			    json_object_get(json_object_get(element, "summary"),
				    "total-failure-session-count")) > 0)
			has_failures = true;
	}
	return is_about && has_failures;
}

/* The same report comes twice when a domain names two addresses, or by two ways. */
static bool is_new(struct reading *reading, json_t *report)
{
	const char *id =
		json_string_value(json_object_get(report, "report-id"));
	json_t *same = json_object_get(reading->seen, id);
	const json_t *other;
	size_t i;

	json_array_foreach(same, i, other)
	{
		if (json_equal(other, report))
			return false;
	}
	if (same == NULL) {
		same = json_array();
		if (json_object_set_new(reading->seen, id, same) != 0)
			return true;
	}
	(void)json_array_append(same, report);
	return true;
}

/* NULL: no memory. */
static json_t *notes_json(const struct rtls_notes *notes)
{
	char line[RTLS_NOTE_SIZE + RTLS_NOTE_WHERE_MAX + 32];
	json_t *array = json_array();
	int failed = 0;

	for (size_t i = 0; i < notes->count; i++)
		failed |= json_array_append_new(
			array, json_string(rtls_note_format(
				       &notes->note[i], line, sizeof(line))));
	if (notes->more > 0) {
		(void)snprintf(line, sizeof(line), "and %zu more", notes->more);
		failed |= json_array_append_new(array, json_string(line));
	}
	if (failed == 0)
		return array;
	json_decref(array);
	return NULL;
}

/* NULL: no memory. */
static json_t *entry_json(
	const char *path, const struct rtls_received *received)
{
	json_t *entry = json_pack("{s:o, s:O, s:o}", "source",
		rtls_verb_json(rtls_slice(path)), "report", received->report,
		"notes", notes_json(&received->notes));

	if (!received->is_message ||
		json_object_set_new(entry, "message",
			json_pack("{s:s, s:s, s:s, s:s}", "from",
				received->from, "subject", received->subject,
				"domain", received->domain, "submitter",
				received->submitter)) == 0)
		return entry;
	json_decref(entry);
	return NULL;
}

/* What is to be said of a file that is no good. */
static void complain(struct reading *reading, int exit_status, const char *path,
	const char *why)
{
	struct rtls_quoted q;

	if (reading->exit_status != EX_DATAERR)
		reading->exit_status = exit_status;
	(void)rtls_verb_fail(
		exit_status, "%s: %s", rtls_quoted(&q, rtls_slice(path)), why);
}

static void keep(struct reading *reading, const char *path,
	const struct rtls_received *received)
{
	json_t *entry;

	if (!is_wanted(reading, received->report))
		return;
	if (!is_new(reading, received->report)) {
		reading->twice++;
		return;
	}
	entry = entry_json(path, received);
	reading->size += weigh(entry);
	if (reading->size > ENTRIES_SIZE_MAX) {
		json_decref(entry);
		complain(reading, EX_DATAERR, path,
			"too many reports for one time, left out");
		return;
	}
	if (json_array_append_new(reading->entries, entry) != 0)
		complain(reading, EX_OSERR, path, "out of memory");
}

static void parse(struct reading *reading, const struct rtls_open_file *file,
	struct rtls_slice bytes)
{
	struct rtls_received received;
	struct rtls_err err = { "" };
	enum rtls_status status = rtls_received_parse(bytes, &received, &err);

	if (status == RTLS_OK) {
		keep(reading, file->path, &received);
		rtls_received_free(&received);
	} else if (status == RTLS_NONE && !file->is_named) {
		reading->others++;
	} else {
		complain(reading, rtls_verb_exit(status), file->path, err.text);
	}
}

/* --- all of them ---------------------------------------------------------------- */

static void read_file(
	struct reading *reading, const struct rtls_open_file *file)
{
	FILE *stream = file->fd < 0 ? stdin : fdopen(file->fd, "rb");
	struct rtls_err err = { "" };
	char *data = NULL;
	size_t size = 0;
	int exit_status;

	if (stream == NULL) {
		complain(reading, EX_OSERR, file->path, strerror(errno));
		(void)close(file->fd);
		return;
	}
	exit_status = rtls_verb_read_open(
		stream, RTLS_RECEIVED_INPUT_MAX, &data, &size, &err);
	if (exit_status == EX_OK)
		parse(reading, file, rtls_slice_n(data, size));
	else
		complain(reading, exit_status, file->path,
			err.text[0] != '\0' ? err.text : strerror(errno));
	free(data);
	if (file->fd >= 0)
		(void)fclose(stream);
}

static int read_all(struct reading *reading, int count, char *const *paths)
{
	struct rtls_open_files files;
	struct rtls_open_file file;
	int exit_status = rtls_open_files_start(&files, count, paths);

	if (exit_status != EX_OK)
		return exit_status;
	while (rtls_open_files_next(&files, &file)) {
		if (file.error != 0)
			complain(reading, EX_NOINPUT, file.path,
				strerror(file.error));
		else
			read_file(reading, &file);
	}
	exit_status = rtls_open_files_end(&files);
	return exit_status == EX_OK ? reading->exit_status : exit_status;
}

/* --- printing ------------------------------------------------------------------- */

enum form {
	FORM_TEXT,
	FORM_SUMMARY,
	FORM_JSON,
	FORM_HTML
};

static const char *plural(size_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

static void print_text(const struct reading *reading, enum form form)
{
	if (form == FORM_SUMMARY)
		rtls_read_print_sums(reading->entries);
	else
		rtls_read_print(reading->entries);
	if (json_array_size(reading->entries) == 0)
		(void)puts("no TLS reports");
	if (reading->twice > 0)
		(void)printf("%zu %s there more than once, counted once\n",
			reading->twice,
			plural(reading->twice, "report was", "reports were"));
	if (reading->others > 0)
		(void)printf("%zu %s\n", reading->others,
			plural(reading->others, "file is no TLS report",
				"files are no TLS reports"));
}

/* ASCII only: what strangers write must not steer a terminal. */
static int print_json(const struct reading *reading)
{
	int exit_status = EX_OK;

	if (json_dumpf(reading->entries, stdout,
		    JSON_INDENT(2) | JSON_ENSURE_ASCII) != 0)
		exit_status = EX_IOERR;
	(void)putchar('\n');
	return exit_status;
}

static int print_page(const struct reading *reading)
{
	enum rtls_status status =
		rtls_read_print_page(reading->entries, reading->domain);

	if (status == RTLS_OK)
		return EX_OK;
	if (status == RTLS_TEMPORARY)
		return rtls_verb_fail(
			EX_IOERR, "standard output: %s", strerror(errno));
	return rtls_verb_fail(EX_OSERR, "out of memory");
}

static int print(const struct reading *reading, enum form form)
{
	switch (form) {
	case FORM_HTML:
		return print_page(reading);
	case FORM_JSON:
		return print_json(reading);
	case FORM_TEXT:
	case FORM_SUMMARY:
		break;
	}
	print_text(reading, form);
	return EX_OK;
}

/* --- the verb ------------------------------------------------------------------- */

/* False: misused, said. */
static bool read_options(
	int argc, char **argv, struct reading *reading, enum form *form)
{
	static const struct option options[] = {
		{ "html", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "summary", no_argument, NULL, 's' },
		{ "domain", required_argument, NULL, 'd' },
		{ "failures", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = rtls_options_next(
			"report read", argc, argv, options)) != -1) {
		switch (option) {
		case 'h':
			*form = FORM_HTML;
			break;
		case 'j':
			*form = FORM_JSON;
			break;
		case 's':
			*form = FORM_SUMMARY;
			break;
		case 'f':
			reading->wants_failures = true;
			break;
		case 'd':
			reading->exit_status =
				rtls_verb_domain(optarg, reading->domain);
			if (reading->exit_status == EX_OK)
				break;
			return false;
		default:
			reading->exit_status = EX_USAGE;
			return false;
		}
	}
	reading->exit_status = rtls_options_count("report read", argc, argv, 1,
		INT_MAX, "files, directories or \"-\"");
	return reading->exit_status == EX_OK;
}

int rtls_verb_report_read(int argc, char **argv)
{
	struct reading reading = { .exit_status = EX_OK };
	enum form form = FORM_TEXT;
	int exit_status, printed;

	if (!read_options(argc, argv, &reading, &form))
		return reading.exit_status;
	reading.entries = json_array();
	reading.seen = json_object();
	exit_status = read_all(&reading, argc - optind, argv + optind);
	printed = print(&reading, form);
	json_decref(reading.seen);
	json_decref(reading.entries);
	return exit_status == EX_OK ? printed : exit_status;
}
