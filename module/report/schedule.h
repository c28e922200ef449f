/* schedule.h - when is the report on a domain due? (RFC 8460 section 4.1: after a random
 * delay of up to four hours.) Not by sleeping: each machine, domain and day has a moment of its
 * own, always the same, and a run that comes every quarter of an hour sends what is due.
 * So a run that is killed loses nothing, and one that comes late sends at once.
 * Pure. */
#ifndef RTLS_SCHEDULE_H
#define RTLS_SCHEDULE_H

#include <stdint.h>

#include "policy/config.h"

/* Before that nothing of the day is due: lines of slow sessions are still coming in.
 * day_s: the day's first second. */
int64_t rtls_schedule_begin_s(const struct rtls_config *config, int64_t day_s);

/*
 * host    see rtls_report_host_id()
 * domain  normalized
 * At least rtls_schedule_begin_s(), and less than tlsrpt_spread behind it.
 */
int64_t rtls_schedule_due_s(const struct rtls_config *config, const char *host,
	const char *domain, int64_t day_s);

#endif
