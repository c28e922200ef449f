/* package.c - JSON, then gzip. */
#include "package.h"

#include <stdlib.h>

#include "report/gzip.h"

void rtls_package_free(struct rtls_package *package)
{
	free(package->json);
	free((char *)package->gzip.data);
	*package = (struct rtls_package){ .json = NULL };
}

enum rtls_status rtls_package_make(const struct rtls_config *config,
	const struct rtls_report *report, struct rtls_package *package,
	struct rtls_err *err)
{
	struct rtls_report_names names;
	enum rtls_status status;
	char *gzip;

	*package = (struct rtls_package){ .json = NULL };
	status = rtls_report_names(config, report, &names, err);
	if (status != RTLS_OK)
		return status;
	package->json = rtls_report_json(config, report);
	if (package->json != NULL && rtls_gzip(rtls_slice(package->json), &gzip,
					     &package->gzip.size) == RTLS_OK) {
		package->gzip.data = gzip;
		return RTLS_OK;
	}
	rtls_err_set(err, "no memory for the report on %s",
		rtls_report_domain(report));
	return RTLS_NO_MEMORY;
}
