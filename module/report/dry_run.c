/* dry_run.c - what a run would send, as files to look at. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/timestamp.h"
#include "report/job.h"
#include "report/package.h"
#include "report/report_mail.h"
#include "report/run.h"
#include "report/subjects.h"
#include "store/file.h"

#define PATH_SIZE 2048
#define LINE_SIZE 2048

struct dry_run {
	const struct rtls_config *config;
	const struct rtls_outside *outside;
	const struct rtls_rua *instead; /* see job.h */
	const char *directory;
	int64_t now_s;
	char date[RTLS_DATE_SIZE];
	struct rtls_err *err;
};

static void say(const struct dry_run *run, const char *domain, const char *what,
	const char *more)
{
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), "report for %s of %s: %s%s", domain,
		run->date, what, more);
	run->outside->log(run->outside->context, line);
}

/* number 1 is not written: name.eml, name.2.eml */
static enum rtls_status write_part(const struct dry_run *run, const char *name,
	size_t number, const char *extension, struct rtls_slice text)
{
	char path[PATH_SIZE], count[24] = "";
	int size;

	if (number > 1)
		snprintf(count, sizeof(count), ".%zu", number);
	size = snprintf(path, sizeof(path), "%s/%s%s.%s", run->directory, name,
		count, extension);
	if (size < 0 || (size_t)size >= sizeof(path)) {
		rtls_err_set(run->err, "the directory's name is too long");
		return RTLS_INVALID;
	}
	return rtls_file_replace(run->directory, path, text, run->err);
}

static enum rtls_status write_mail(const struct dry_run *run,
	const struct rtls_package *package, const char *to, size_t number)
{
	const struct rtls_report_mail mail = {
		.config = run->config,
		.report = package->report,
		.to = to,
		.now_s = run->now_s,
		.gzip = package->gzip,
	};
	enum rtls_status status;
	size_t size;
	char *text;

	status = rtls_report_mail_format(&mail, &text, &size, run->err);
	if (status != RTLS_OK)
		return status;
	status = write_part(run, rtls_report_domain(package->report), number,
		"eml", rtls_slice_n(text, size));
	free(text);
	return status;
}

static enum rtls_status write_package(const struct dry_run *run,
	const struct rtls_report *report, struct rtls_package *package)
{
	enum rtls_status status =
		rtls_package_make(run->config, report, package, run->err);

	if (status == RTLS_OK)
		status = write_part(run, rtls_report_domain(report), 1, "json",
			rtls_slice(package->json));
	if (status == RTLS_OK)
		status = write_part(run, rtls_report_domain(report), 1,
			"json.gz", package->gzip);
	if (status == RTLS_OK && package->trimmed != NULL)
		say(run, rtls_report_domain(report), "trimmed", "");
	return status;
}

/* Where it would go; a mail for each address. */
static enum rtls_status write_mails(const struct dry_run *run,
	const struct rtls_package *package, const struct rtls_lookup *lookup)
{
	const char *domain = rtls_report_domain(package->report);
	enum rtls_status status = RTLS_OK;
	size_t mails = 0;

	if (lookup->outcome == RTLS_LOOKUP_NONE)
		say(run, domain, "nobody wants it ", lookup->why);
	else if (lookup->outcome == RTLS_LOOKUP_FAILED)
		say(run, domain,
			"the lookup of its address failed: ", lookup->why);
	for (size_t i = 0; i < lookup->count && status == RTLS_OK; i++) {
		const struct rtls_rua *rua = &lookup->rua[i];

		say(run, domain, "would go to ", rua->uri);
		if (rua->kind == RTLS_RUA_MAILTO && run->instead == NULL)
			status = write_mail(
				run, package, rtls_rua_target(rua), ++mails);
	}
	if (run->instead == NULL || lookup->count == 0)
		return status;
	say(run, domain, "would go, by tlsrpt_rua, to ", run->instead->uri);
	if (run->instead->kind == RTLS_RUA_MAILTO)
		status = write_mail(
			run, package, rtls_rua_target(run->instead), 1);
	return status;
}

static enum rtls_status write_report(const struct dry_run *run,
	const struct rtls_report *report, const struct rtls_lookup *lookup)
{
	struct rtls_package package = { .json = NULL };
	enum rtls_status status = write_package(run, report, &package);

	if (status == RTLS_OK)
		status = write_mails(run, &package, lookup);
	rtls_package_free(&package);
	return status;
}

static enum rtls_status run_subject(const struct dry_run *run,
	const struct rtls_subject *subject, struct rtls_lookup *lookup)
{
	struct rtls_subject_report made;
	struct rtls_err err = { "" };
	enum rtls_status status;

	*lookup = (struct rtls_lookup){ .domain = subject->name };
	/* Without a resolver there is still something to look at. */
	if (run->outside->lookup(run->outside->context, lookup, 1, &err) !=
		RTLS_OK) {
		lookup->outcome = RTLS_LOOKUP_FAILED;
		snprintf(lookup->why, sizeof(lookup->why), "%s", err.text);
	}
	status = rtls_subject_report(subject, NULL, &made, run->err);
	if (status != RTLS_OK)
		return status;
	status = write_report(run, made.report, lookup);
	rtls_subject_report_free(&made);
	return status;
}

static enum rtls_status run_subjects(
	const struct dry_run *run, const struct rtls_subjects *subjects)
{
	struct rtls_lookup *lookup = malloc(sizeof(*lookup));
	enum rtls_status status = RTLS_OK;

	if (lookup == NULL) {
		rtls_err_set(run->err, "no memory");
		return RTLS_NO_MEMORY;
	}
	for (size_t i = 0; i < subjects->count && status == RTLS_OK; i++)
		status = run_subject(run, &subjects->subject[i], lookup);
	free(lookup);
	return status;
}

enum rtls_status rtls_report_dry_run(const struct rtls_config *config,
	const struct rtls_run_options *options,
	const struct rtls_outside *outside, const char *directory,
	struct rtls_err *err)
{
	struct dry_run run = {
		.config = config,
		.outside = outside,
		.directory = directory,
		.now_s = options->now_s,
		.err = err,
	};
	struct rtls_subjects subjects;
	struct rtls_rua instead;
	enum rtls_status status;

	rtls_date_format(run.date, options->now_s - RTLS_DAY_S);
	if (options->date != NULL && !rtls_slice_copy(rtls_slice(options->date),
					     run.date, sizeof(run.date))) {
		rtls_err_set(err, "not a date like 2026-11-21");
		return RTLS_INVALID;
	}
	status = rtls_job_instead(config, &instead, &run.instead, err);
	if (status != RTLS_OK)
		return status;
	status = rtls_subjects_open(config, run.date, &subjects, err);
	if (status != RTLS_OK)
		return status;
	status = run_subjects(&run, &subjects);
	rtls_subjects_close(&subjects);
	return status;
}
