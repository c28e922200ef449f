/* subjects.c - see subjects.h. */
#include "report/subjects.h"

#include <stdlib.h>
#include <string.h>

#include "store/config_file.h"

static int compare_names(const void *a, const void *b)
{
	const struct rtls_subject *left = a, *right = b;

	return strcmp(left->name, right->name);
}

/* --- which names ------------------------------------------------------------- */

struct listing {
	const struct rtls_config *config;
	struct rtls_reported reported;
	char buffer[RTLS_REPORTED_SIZE_MAX + 1];
	struct rtls_subjects subjects;
};

bool rtls_subjects_wanted(const struct rtls_config *config, uint64_t failures)
{
	return failures > 0 || config->report_success_only;
}

/* Of the day's reports only those on domains that are not silent: hosts are made of them. */
static void drop_silent(struct listing *listing)
{
	struct rtls_reports *reports = listing->subjects.reports;
	size_t count = 0;

	for (size_t i = 0; i < reports->count; i++)
		if (rtls_reported_has(
			    &listing->reported, reports->report[i]->domain))
			reports->report[count++] = reports->report[i];
	reports->count = count;
}

static void add_subject(struct listing *listing, struct rtls_subject subject)
{
	struct rtls_subjects *subjects = &listing->subjects;
	uint64_t failures = subject.host != NULL
				    ? rtls_hosts_failures(subject.host)
				    : rtls_report_failures(subject.report);

	if (rtls_subjects_wanted(listing->config, failures) &&
		rtls_reported_has(&listing->reported, rtls_slice(subject.name)))
		subjects->subject[subjects->count++] = subject;
}

/* Both lists are in order. */
static void merge(struct listing *listing)
{
	const struct rtls_subjects *subjects = &listing->subjects;
	size_t reports = rtls_reports_count(subjects->reports);
	size_t hosts = rtls_hosts_count(subjects->hosts);

	for (size_t i = 0, k = 0; i < reports || k < hosts;) {
		struct rtls_subject subject = { .name = NULL };
		int order = i < reports ? -1 : 1;

		if (i < reports)
			subject.report = rtls_reports_get(subjects->reports, i);
		if (k < hosts)
			subject.host = rtls_hosts_get(subjects->hosts, k);
		if (i < reports && k < hosts)
			order = strcmp(rtls_report_domain(subject.report),
				subject.host->name.data);
		if (order < 0)
			subject.host = NULL;
		if (order > 0)
			subject.report = NULL;
		subject.name = order < 0 ? rtls_report_domain(subject.report)
					 : subject.host->name.data;
		add_subject(listing, subject);
		i += order <= 0;
		k += order >= 0;
	}
}

static enum rtls_status list(struct listing *listing)
{
	struct rtls_subjects *subjects = &listing->subjects;
	enum rtls_status status;

	subjects->domains = rtls_reports_count(subjects->reports);
	drop_silent(listing);
	status = rtls_hosts_find(subjects->reports, &subjects->hosts);
	if (status != RTLS_OK)
		return status;
	subjects->subject =
		calloc(rtls_reports_count(subjects->reports) +
				rtls_hosts_count(subjects->hosts) + 1,
			sizeof(struct rtls_subject));
	if (subjects->subject == NULL)
		return RTLS_NO_MEMORY;
	merge(listing);
	return RTLS_OK;
}

static enum rtls_status open_subjects(
	struct listing *listing, const char *date, struct rtls_err *err)
{
	enum rtls_status status = rtls_reported_load(
		listing->config, listing->buffer, &listing->reported, err);

	if (status == RTLS_OK)
		status = rtls_reports_load(
			listing->config, date, &listing->subjects.reports, err);
	if (status != RTLS_OK)
		return status;
	status = list(listing);
	if (status == RTLS_NO_MEMORY)
		rtls_err_set(err, "no memory for the reports of %s", date);
	return status;
}

enum rtls_status rtls_subjects_open(const struct rtls_config *config,
	const char *date, struct rtls_subjects *subjects, struct rtls_err *err)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	enum rtls_status status;

	if (listing == NULL) {
		rtls_err_set(err, "no memory for the reports of %s", date);
		return RTLS_NO_MEMORY;
	}
	listing->config = config;
	status = open_subjects(listing, date, err);
	if (status == RTLS_OK)
		*subjects = listing->subjects;
	else
		rtls_subjects_close(&listing->subjects);
	free(listing);
	return status;
}

void rtls_subjects_close(struct rtls_subjects *subjects)
{
	free(subjects->subject);
	rtls_hosts_free(subjects->hosts);
	rtls_reports_free(subjects->reports);
	*subjects = (struct rtls_subjects){ .reports = NULL };
}

const struct rtls_subject *rtls_subjects_find(
	const struct rtls_subjects *subjects, const char *name)
{
	const struct rtls_subject wanted = { .name = name };

	return bsearch(&wanted, subjects->subject, subjects->count,
		sizeof(wanted), compare_names);
}

enum rtls_status rtls_subject_report(const struct rtls_subject *subject,
	const bool *left_out, struct rtls_subject_report *made,
	struct rtls_err *err)
{
	struct rtls_subject_report result = { .report = subject->report };
	enum rtls_status status = RTLS_OK;

	if (subject->host != NULL)
		status = rtls_hosts_report(
			subject->host, left_out, &result.made);
	if (status == RTLS_NO_MEMORY)
		rtls_err_set(
			err, "no memory for the report on %s", subject->name);
	if (status != RTLS_OK)
		return status;
	if (result.made != NULL)
		result.report = rtls_reports_get(result.made, 0);
	*made = result;
	return RTLS_OK;
}

void rtls_subject_report_free(struct rtls_subject_report *made)
{
	rtls_reports_free(made->made);
	*made = (struct rtls_subject_report){ .report = NULL };
}
