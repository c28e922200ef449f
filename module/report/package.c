/* package.c - JSON, then gzip; again with less in it when that is too large. */
#include "package.h"

#include <stdlib.h>

#include "report/gzip.h"
#include "report/trim.h"

void rtls_package_free(struct rtls_package *package)
{
	free(package->json);
	free((char *)package->gzip.data);
	rtls_reports_free(package->trimmed);
	*package = (struct rtls_package){ .json = NULL };
}

static enum rtls_status pack(const struct rtls_config *config,
	const struct rtls_report *report, struct rtls_package *package)
{
	char *gzip;

	package->report = report;
	package->json = rtls_report_json(config, report);
	if (package->json == NULL || rtls_gzip(rtls_slice(package->json), &gzip,
					     &package->gzip.size) != RTLS_OK)
		return RTLS_NO_MEMORY;
	package->gzip.data = gzip;
	return RTLS_OK;
}

/* RTLS_NONE: there is nothing more to leave out. */
static enum rtls_status pack_less(const struct rtls_config *config,
	const struct rtls_report *report, unsigned step,
	struct rtls_package *package)
{
	struct rtls_reports *trimmed;
	enum rtls_status status = rtls_trim(report, step, &trimmed);

	if (status != RTLS_OK)
		return status;
	rtls_package_free(package);
	package->trimmed = trimmed;
	return pack(config, rtls_reports_get(trimmed, 0), package);
}

enum rtls_status rtls_package_make(const struct rtls_config *config,
	const struct rtls_report *report, struct rtls_package *package,
	struct rtls_err *err)
{
	struct rtls_report_names names;
	enum rtls_status status;

	*package = (struct rtls_package){ .json = NULL };
	status = rtls_report_names(config, report, &names, err);
	if (status != RTLS_OK)
		return status;
	status = pack(config, report, package);
	for (unsigned step = 1;
		status == RTLS_OK &&
		package->gzip.size > config->report_max_size_bytes;
		step++)
		status = pack_less(config, report, step, package);
	if (status == RTLS_OK || status == RTLS_NONE)
		return RTLS_OK;
	rtls_err_set(err, "no memory for the report on %s",
		rtls_report_domain(report));
	return RTLS_NO_MEMORY;
}
