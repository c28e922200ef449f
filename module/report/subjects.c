/* subjects.c - see subjects.h. */
#include "report/subjects.h"

#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
	const struct rtls_subject *left = a, *right = b;

	return strcmp(left->name, right->name);
}

/* Both lists are in order. */
static void merge(struct rtls_subjects *subjects)
{
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
		subjects->subject[subjects->count++] = subject;
		i += order <= 0;
		k += order >= 0;
	}
}

static enum rtls_status list(struct rtls_subjects *subjects)
{
	size_t most = rtls_reports_count(subjects->reports) +
		      rtls_hosts_count(subjects->hosts);

	subjects->subject = calloc(most, sizeof(struct rtls_subject));
	if (subjects->subject == NULL)
		return RTLS_NO_MEMORY;
	merge(subjects);
	return RTLS_OK;
}

enum rtls_status rtls_subjects_open(const struct rtls_config *config,
	const char *date, struct rtls_subjects *subjects, struct rtls_err *err)
{
	struct rtls_subjects opened = { .reports = NULL };
	enum rtls_status status =
		rtls_reports_load(config, date, &opened.reports, err);

	if (status != RTLS_OK)
		return status;
	status = rtls_hosts_find(opened.reports, &opened.hosts);
	if (status == RTLS_OK)
		status = list(&opened);
	if (status == RTLS_OK) {
		*subjects = opened;
		return RTLS_OK;
	}
	rtls_err_set(err, "no memory for the reports of %s", date);
	rtls_subjects_close(&opened);
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
