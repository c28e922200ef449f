/* subjects.h - on whom there is a report of a day: the recipient domains and, with DANE, the
 * MX hosts (hosts.h), in one list; each name is there once. What sends, shows or counts
 * reports goes through it.
 *
 * What the keys tlsrpt_domains and tlsrpt_success_only want no report on is not there. The
 * sessions of silent domains are in no report at all. */
#ifndef RTLS_SUBJECTS_H
#define RTLS_SUBJECTS_H

#include "report/hosts.h"

struct rtls_subject {
	const char *name;                 /* a normalized domain */
	const struct rtls_report *report; /* as recipient domain, or NULL */
	const struct rtls_host *host;     /* as MX host, or NULL */
};

struct rtls_subjects {
	struct rtls_reports *reports;
	struct rtls_hosts *hosts;
	size_t domains; /* with sessions that day, silent ones too */
	size_t count;
	struct rtls_subject *subject; /* in alphabetical order */
};

/* As rtls_reports_load(); RTLS_INVALID or RTLS_TEMPORARY also when the file of tlsrpt_domains
 * does not count. subjects: there may be none;  filled on RTLS_OK only, then to be closed. */
RTLS_MUST_CHECK enum rtls_status rtls_subjects_open(
	const struct rtls_config *config, const char *date,
	struct rtls_subjects *subjects, struct rtls_err *err);
void rtls_subjects_close(struct rtls_subjects *subjects);

/* NULL: no report on that name. */
const struct rtls_subject *rtls_subjects_find(
	const struct rtls_subjects *subjects, const char *name);

/* Is there to be a report with so many failures? */
bool rtls_subjects_wanted(const struct rtls_config *config, uint64_t failures);

/* The report on one subject. */
struct rtls_subject_report {
	const struct rtls_report *report;
	struct rtls_reports
		*made; /* what it lives in, if it was made for this */
};

/*
 * left_out  see rtls_hosts_report(); counts only where the subject is a host
 * made      to be freed by the caller on RTLS_OK, else untouched
 * RTLS_NONE       nothing is left to report
 * RTLS_NO_MEMORY  err says so
 */
RTLS_MUST_CHECK enum rtls_status rtls_subject_report(
	const struct rtls_subject *subject, const bool *left_out,
	struct rtls_subject_report *made, struct rtls_err *err);
void rtls_subject_report_free(struct rtls_subject_report *made);

#endif
