/* names.c - how one report is called (RFC 8460 sections 4.4, 5.1 and 5.3).
 * The shape of the id is the one that Google uses, dots instead of colons so that it is a
 * msg-id of RFC 5322, and which machine it is from. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "policy/timestamp.h"
#include "report/aggregate.h"
#include "report/rua.h"
#include "store/policies.h"

enum rtls_status rtls_report_host_id(
	const struct rtls_config *config, char out[RTLS_HOST_ID_SIZE])
{
	struct utsname machine = { .nodename = "" };
	char digest[RTLS_DIGEST_SIZE];
	const char *name = config->report_host;
	enum rtls_status status;

	/* A hash: the name itself is nobody's business. */
	if (name[0] == '\0' && uname(&machine) == 0)
		name = machine.nodename;
	status = rtls_policies_digest(rtls_slice(name), digest);
	if (status == RTLS_OK)
		(void)rtls_slice_copy(
			rtls_slice_n(digest, RTLS_HOST_ID_SIZE - 1), out,
			RTLS_HOST_ID_SIZE);
	return status;
}

static void format_id(const struct rtls_report *report, const char *host,
	struct rtls_report_names *names)
{
	char date[RTLS_DATE_SIZE];

	rtls_date_format(date, report->begin_s);
	date[4] = '.';
	date[7] = '.';
	snprintf(names->id, sizeof(names->id), "%sT00.00.00Z+%s+%s@%s", date,
		report->domain.data, host, names->submitter);
}

enum rtls_status rtls_report_names(const struct rtls_config *config,
	const struct rtls_report *report, struct rtls_report_names *names,
	struct rtls_err *err)
{
	struct rtls_report_names made = { .id = "" };
	char host[RTLS_HOST_ID_SIZE];

	if (!rtls_rua_address(rtls_slice(config->contact), made.contact)) {
		rtls_err_set(err, "tlsrpt_contact is not a plain address");
		return RTLS_INVALID;
	}
	if (rtls_report_host_id(config, host) != RTLS_OK) {
		rtls_err_set(err, "no SHA-256 to be had");
		return RTLS_BUG;
	}
	/* Section 5.3: the submitter is the contact's domain, to the letter. */
	snprintf(made.submitter, sizeof(made.submitter), "%s",
		strrchr(made.contact, '@') + 1);
	format_id(report, host, &made);
	/* The last part tells apart several reports on one day: those of our
	 * machines. */
	snprintf(made.file, sizeof(made.file),
		"%s!%s!%" PRId64 "!%" PRId64 "!%s", made.submitter,
		report->domain.data, report->begin_s, report->end_s, host);
	*names = made;
	return RTLS_OK;
}
