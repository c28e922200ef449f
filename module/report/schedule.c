/* schedule.c - see schedule.h. */
#include "schedule.h"

#include <stdio.h>

#include "policy/domain.h"
#include "policy/timestamp.h"
#include "store/hash.h"

int64_t rtls_schedule_begin_s(const struct rtls_config *config, int64_t day_s)
{
	return day_s + RTLS_DAY_S + (int64_t)config->report_min_age_s;
}

int64_t rtls_schedule_due_s(const struct rtls_config *config, const char *host,
	const char *domain, int64_t day_s)
{
	char date[RTLS_DATE_SIZE], text[RTLS_DOMAIN_SIZE + 64];
	uint64_t hash;

	rtls_date_format(date, day_s);
	(void)snprintf(text, sizeof(text), "%s %s %s", date, host, domain);
	hash = rtls_hash(text);
	/* The last bytes of a text reach only the lower half of FNV well. */
	hash ^= hash >> 32;
	return rtls_schedule_begin_s(config, day_s) +
	       (config->report_spread_s == 0
			       ? 0
			       : (int64_t)(hash % config->report_spread_s));
}
