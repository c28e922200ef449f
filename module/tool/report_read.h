/* report_read.h - the printers of `exim-requiretls report read`: TLS reports that others sent.
 *
 * Each report read is an entry, and entries are what a printer gets:
 * {"source": path, "report": the shape of report/received.h, "notes": [text ...],
 *  and of a message "message": {"from", "subject", "domain", "submitter": text}} */
#ifndef RTLS_REPORT_READ_H
#define RTLS_REPORT_READ_H

#include <jansson.h>

#include "policy/status.h"

/* For people: each report, and a summary when there are several. */
void rtls_read_print(const json_t *entries);

/* A page for a browser. domain: only what is about it, or "". RTLS_TEMPORARY: it could not be
 * written, errno says why. */
RTLS_MUST_CHECK enum rtls_status rtls_read_print_page(
	const json_t *entries, const char *domain);

/* Only the summary. */
void rtls_read_print_sums(const json_t *entries);

#endif
