/* package.h - one report made up for sending. */
#ifndef RTLS_PACKAGE_H
#define RTLS_PACKAGE_H

#include "report/report.h"

struct rtls_package {
	char *json; /* terminated */
	struct rtls_slice gzip;
};

/* package is to be freed by the caller, also when it was not made.
 * RTLS_INVALID: no usable contact */
RTLS_MUST_CHECK enum rtls_status rtls_package_make(
	const struct rtls_config *config, const struct rtls_report *report,
	struct rtls_package *package, struct rtls_err *err);
void rtls_package_free(struct rtls_package *package);

#endif
