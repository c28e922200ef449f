/* usage.h - how much the spool holds. */
#ifndef RTLS_USAGE_H
#define RTLS_USAGE_H

#include <jansson.h>
#include <stdint.h>

#include "policy/timestamp.h"

struct rtls_usage_sum {
	size_t files;
	uint64_t bytes;
};

struct rtls_usage {
	struct rtls_usage_sum cache, journals, outbox, policies;
	char oldest[RTLS_DATE_SIZE]; /* journal; "": none */
};

/* Sum up. What cannot be read is not in it; err says what came last. */
RTLS_MUST_CHECK enum rtls_status rtls_usage_read(
	const char *spool, struct rtls_usage *usage, struct rtls_err *err);

/* The same without the cache and the policies: their sums are 0. */
RTLS_MUST_CHECK enum rtls_status rtls_usage_read_reports(
	const char *spool, struct rtls_usage *usage, struct rtls_err *err);

/* One line about all but the cache, and one about the cache. */
void rtls_usage_print_reports(const struct rtls_usage *usage);
void rtls_usage_print_cache(const struct rtls_usage *usage);

/* NULL: no memory. */
json_t *rtls_usage_json(const struct rtls_usage *usage);

#endif
