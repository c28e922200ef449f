/* names.c - how one report is called (RFC 8460 sections 4.4, 5.1 and 5.3).
 * The shape of the id is the one that Google uses, dots instead of colons so that it is a
 * msg-id of RFC 5322. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/timestamp.h"
#include "report/aggregate.h"
#include "report/rua.h"

static void format_id(
	const struct rtls_report *report, struct rtls_report_names *names)
{
	char date[RTLS_DATE_SIZE];

	rtls_date_format(date, report->begin_s);
	date[4] = '.';
	date[7] = '.';
	snprintf(names->id, sizeof(names->id), "%sT00.00.00Z+%s@%s", date,
		report->domain.data, names->submitter);
}

enum rtls_status rtls_report_names(const struct rtls_config *config,
	const struct rtls_report *report, struct rtls_report_names *names,
	struct rtls_err *err)
{
	struct rtls_report_names made = { .id = "" };

	if (!rtls_rua_address(rtls_slice(config->contact), made.contact)) {
		rtls_err_set(err, "tlsrpt_contact is not a plain address");
		return RTLS_INVALID;
	}
	/* Section 5.3: the submitter is the contact's domain, to the letter. */
	snprintf(made.submitter, sizeof(made.submitter), "%s",
		strrchr(made.contact, '@') + 1);
	format_id(report, &made);
	/* The last part tells apart several reports of one day; ours is the
	 * only one. */
	snprintf(made.file, sizeof(made.file),
		"%s!%s!%" PRId64 "!%" PRId64 "!001", made.submitter,
		report->domain.data, report->begin_s, report->end_s);
	*names = made;
	return RTLS_OK;
}
