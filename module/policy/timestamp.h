/* timestamp.h - seconds since 1970 as RFC 3339 text in UTC, and back.
 * Pure: knows no clock and no time zone. */
#ifndef RTLS_TIMESTAMP_H
#define RTLS_TIMESTAMP_H

#include <stdint.h>

#include "slice.h"
#include "status.h"

#define RTLS_TIMESTAMP_SIZE 21 /* "2026-11-21T19:45:20Z" and NUL */
#define RTLS_DATE_SIZE      11 /* "2026-11-21" and NUL */

#define RTLS_HOUR_S 3600
#define RTLS_DAY_S  86400
#define RTLS_WEEK_S 604800

/* Years 1970 to 9999; others are clamped. Both return out. */
const char *rtls_timestamp_format(
	char out[RTLS_TIMESTAMP_SIZE], int64_t time_s);
const char *rtls_date_format(char out[RTLS_DATE_SIZE], int64_t time_s);

/* Exactly the form above; RTLS_INVALID otherwise and time_s is untouched. */
RTLS_MUST_CHECK enum rtls_status rtls_timestamp_parse(
	struct rtls_slice text, int64_t *time_s);
/* "2026-11-21" gives the first second of that UTC day. */
RTLS_MUST_CHECK enum rtls_status rtls_date_parse(
	struct rtls_slice text, int64_t *time_s);

#endif
