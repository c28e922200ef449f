/* page.h - TLS reports as one HTML page, day by day: no script, nothing from outside, and a
 * Content-Security-Policy that says so. It is well-formed XML, too. */
#ifndef RTLS_PAGE_H
#define RTLS_PAGE_H

#include "report/page_model.h"

struct rtls_page_options {
	bool is_received; /* by us, about our domains; else our own about others */
	int64_t now_s;    /* when the page was made; no later day is shown */
};

/*
 * Write the page. Memory and size are bounded: RTLS_PAGE_SHOWN_MAX domains are shown in full,
 * RTLS_PAGE_ROWS_MAX as rows of a table, the rest as a sum.
 *
 * reports  an array of reports in the shape of RFC 8460 section 4.4, each read as
 *          rtls_page_model_add() says; of more than a year the last one is shown
 * out      looked at for errors once, at the end
 * RTLS_TEMPORARY  it could not be written; errno says why
 */
#define RTLS_PAGE_SHOWN_MAX 40
#define RTLS_PAGE_ROWS_MAX  500
RTLS_MUST_CHECK enum rtls_status rtls_page_write(FILE *out,
	const json_t *reports, const struct rtls_page_options *options);

/* The same of a finished model. */
RTLS_MUST_CHECK enum rtls_status rtls_page_write_model(FILE *out,
	const struct rtls_page_model *model,
	const struct rtls_page_options *options);

#endif
