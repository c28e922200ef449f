/* package.h - one report made up for sending: JSON, compressed, and no larger than
 * tlsrpt_max_size wants it (trim.h). */
#ifndef RTLS_PACKAGE_H
#define RTLS_PACKAGE_H

#include "report/report.h"

struct rtls_package {
	char *json; /* terminated */
	struct rtls_slice gzip;
	const struct rtls_report *report; /* what is in it */
	struct rtls_reports *trimmed;     /* where that lives, if trimmed */
};

/* package is to be freed by the caller, also when it was not made; it borrows from report.
 * RTLS_INVALID: no usable contact */
RTLS_MUST_CHECK enum rtls_status rtls_package_make(
	const struct rtls_config *config, const struct rtls_report *report,
	struct rtls_package *package, struct rtls_err *err);
void rtls_package_free(struct rtls_package *package);

#endif
