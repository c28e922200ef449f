/* metrics.h - the parts of `exim-requiretls metrics`. Each prints its families. What cannot be read is
 * told on standard error and counted in errors: the numbers are those of the rest. */
#ifndef RTLS_METRICS_H
#define RTLS_METRICS_H

#include <stdint.h>

#include "policy/config.h"
#include "tool/exposition.h"

struct rtls_metrics {
	struct rtls_exposition exposition;
	struct rtls_config config;
	bool is_config_valid;
	int64_t now_s;
	size_t errors;
};

/* A family of one gauge, a time; without a sample when it is 0: never. One before 1970 is 0. */
void rtls_metrics_print_time(struct rtls_exposition *exposition,
	const char *name, const char *help, int64_t time_s);

/* Said, and counted. */
void rtls_metrics_fail(
	struct rtls_metrics *metrics, const struct rtls_err *err);

/* What deliveries, `cache refresh` and `report run` have counted (store/counters.h). */
void rtls_metrics_counters(struct rtls_metrics *metrics);

/* The cache: one pass, each record read and forgotten. */
void rtls_metrics_cache(struct rtls_metrics *metrics);

/* Journals, and how far the reports of their days got. */
void rtls_metrics_reports(struct rtls_metrics *metrics);

/* Configuration and exemptions. */
void rtls_metrics_site(struct rtls_metrics *metrics);

#endif
