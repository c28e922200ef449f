/* received_time.h - the times of TLS reports: RFC 3339 section 5.6, and what is sent in its place. Pure. */
#ifndef RTLS_RECEIVED_TIME_H
#define RTLS_RECEIVED_TIME_H

#include <stdint.h>

#include "report/notes.h"

/*
 * Any zone, or none; fractions of a second are dropped; 24:00:00 is the end of the day.
 *
 * time_s  from 1970 to 9999, set on RTLS_OK only
 * notes   gets a note when there is no zone, or one that is not written as the RFC wants it; may be NULL
 * RTLS_INVALID  no date and time
 */
RTLS_MUST_CHECK enum rtls_status rtls_received_time(
	struct rtls_slice text, int64_t *time_s, struct rtls_notes *notes);

#endif
