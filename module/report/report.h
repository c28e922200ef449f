/* report.h - the daily report: aggregate the journal of one UTC day, write the
 * JSON of RFC 8460 section 4.4, send it by mail or HTTPS (run.h). */
#ifndef RTLS_REPORT_H
#define RTLS_REPORT_H

#include <stdint.h>

#include "policy/config.h"
#include "policy/domain.h"

struct rtls_report;  /* one policy domain, one day */
struct rtls_reports; /* all of a day */

/*
 * date  "2026-11-21"
 * RTLS_NONE     nothing was judged that day
 * RTLS_INVALID  not a date
 */
RTLS_MUST_CHECK enum rtls_status rtls_reports_load(
	const struct rtls_config *config, const char *date,
	struct rtls_reports **reports, struct rtls_err *err);
void rtls_reports_free(struct rtls_reports *reports);

/* In alphabetical order of the policy domain. */
size_t rtls_reports_count(const struct rtls_reports *reports);
const struct rtls_report *rtls_reports_get(
	const struct rtls_reports *reports, size_t index);

/* Sessions in the journal that count, and lines that did not parse. */
uint64_t rtls_reports_lines(const struct rtls_reports *reports);
uint64_t rtls_reports_skipped(const struct rtls_reports *reports);
/* Failed sessions that are counted without their details, since too many different ones came. */
uint64_t rtls_reports_added_up(const struct rtls_reports *reports);

const char *rtls_report_domain(const struct rtls_report *report);
uint64_t rtls_report_successes(const struct rtls_report *report);
uint64_t rtls_report_failures(const struct rtls_report *report);

/* Hex digits that tell this machine from others that report for the same contact: two of them
 * may well report on the same domain and day, and receivers throw away what comes twice under one
 * id. Of tlsrpt_host, or of the machine's name. */
#define RTLS_HOST_ID_SIZE 9

/* RTLS_BUG: the library refused */
RTLS_MUST_CHECK enum rtls_status rtls_report_host_id(
	const struct rtls_config *config, char out[RTLS_HOST_ID_SIZE]);

/* What RFC 8460 wants named, the same in JSON, headers and file name. */
#define RTLS_REPORT_ID_SIZE   (2 * RTLS_DOMAIN_SIZE + 32)
#define RTLS_REPORT_FILE_SIZE (2 * RTLS_DOMAIN_SIZE + 56)

struct rtls_report_names {
	char contact[RTLS_DOMAIN_SIZE +
		     65]; /* tlsrpt_contact, domain normalized */
	char submitter[RTLS_DOMAIN_SIZE]; /* domain of contact */
	char id[RTLS_REPORT_ID_SIZE];     /* a msg-id without its brackets */
	char file[RTLS_REPORT_FILE_SIZE]; /* section 5.1, no extension */
};

/* RTLS_INVALID: tlsrpt_contact is no address */
RTLS_MUST_CHECK enum rtls_status rtls_report_names(
	const struct rtls_config *config, const struct rtls_report *report,
	struct rtls_report_names *names, struct rtls_err *err);

/* The JSON text, to be freed by the caller; the same journal gives the same bytes.
 * NULL: no memory, or tlsrpt_contact is no address. */
char *rtls_report_json(
	const struct rtls_config *config, const struct rtls_report *report);

#endif
