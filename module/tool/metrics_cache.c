/* metrics_cache.c - what the cache holds, as metrics (metrics.h). */
#include <stdlib.h>
#include <sys/stat.h>

#include "store/cache.h"
#include "tool/metrics.h"

#define SOON_S ((int64_t)2 * 86400)

struct sums {
	struct rtls_metrics *metrics;
	uint64_t domains, bytes, unreadable;
	int64_t oldest_s, newest_s; /* 0: none */
	uint64_t policies[3];       /* by enum rtls_sts_mode */
	uint64_t ending, ending_failing;
	uint64_t failing_kept, failing_none;
	int64_t failing_since_s; /* last good fetch; 0: none */
	char *buffer;
};

static void note_times(struct sums *sums, int64_t modified_s)
{
	if (sums->oldest_s == 0 || modified_s < sums->oldest_s)
		sums->oldest_s = modified_s;
	if (modified_s > sums->newest_s)
		sums->newest_s = modified_s;
}

/* One that is in force. Of mode none nobody needs to hear (RFC 8461 section 8.3). */
static void add_policy(struct sums *sums, const struct rtls_record *record,
	enum rtls_sts_mode mode)
{
	const bool is_failing = record->fetch == RTLS_FETCH_FAILED;

	sums->policies[mode]++;
	if (mode == RTLS_STS_NONE)
		return;
	if (record->policy_until_s < sums->metrics->now_s + SOON_S) {
		if (is_failing)
			sums->ending_failing++;
		else
			sums->ending++;
	}
	if (!is_failing)
		return;
	sums->failing_kept++;
	if (sums->failing_since_s == 0 ||
		record->policy_fetched_s < sums->failing_since_s)
		sums->failing_since_s = record->policy_fetched_s;
}

static void add_record(struct sums *sums, const struct rtls_record *record)
{
	struct rtls_sts_policy policy;

	if (rtls_record_has_policy(record, sums->metrics->now_s)) {
		if (rtls_sts_policy_parse(record->policy_text, &policy, NULL) ==
			RTLS_OK)
			add_policy(sums, record, policy.mode);
		else
			sums->unreadable++;
	} else if (record->fetch == RTLS_FETCH_FAILED &&
		   record->txt == RTLS_TXT_VALID) {
		sums->failing_none++;
	}
}

static bool add_domain(const char *domain, void *context)
{
	struct sums *sums = context;
	const char *spool = sums->metrics->config.spool;
	char path[RTLS_CACHE_PATH_MAX];
	struct rtls_record record;
	struct stat info;
	enum rtls_status status;

	if (rtls_cache_path(spool, domain, path) != RTLS_OK ||
		lstat(path, &info) != 0)
		return true; /* removed meanwhile */
	status = rtls_cache_get(spool, domain, sums->buffer, &record, NULL);
	if (status == RTLS_NONE)
		return true;
	sums->domains++;
	sums->bytes += (uint64_t)info.st_size;
	note_times(sums, (int64_t)info.st_mtime);
	if (status == RTLS_OK)
		add_record(sums, &record);
	else
		sums->unreadable++;
	return true;
}

static void print_labelled(struct rtls_exposition *exposition, const char *name,
	const char *value, uint64_t number)
{
	const struct rtls_label label = { name, value };

	rtls_exposition_sample(exposition, &label, 1, number);
}

static void print_records(
	struct rtls_exposition *exposition, const struct sums *sums)
{
	rtls_exposition_gauge(exposition, "cache_domains",
		"Domains in the cache", sums->domains);
	rtls_exposition_gauge(exposition, "cache_max_domains",
		"How many it may hold (cache_max)",
		sums->metrics->config.cache_max);
	rtls_exposition_gauge(exposition, "cache_bytes",
		"Size of their records", sums->bytes);
	rtls_exposition_gauge(exposition, "cache_unreadable_records",
		"Records that do not parse, and so do not count",
		sums->unreadable);
	rtls_metrics_print_time(exposition,
		"cache_oldest_record_timestamp_seconds",
		"When the record was written that is the oldest",
		sums->oldest_s);
	rtls_metrics_print_time(exposition,
		"cache_newest_record_timestamp_seconds",
		"When the record was written that is the newest",
		sums->newest_s);
}

static void print_policies(
	struct rtls_exposition *exposition, const struct sums *sums)
{
	static const enum rtls_sts_mode modes[] = { RTLS_STS_ENFORCE,
		RTLS_STS_TESTING, RTLS_STS_NONE };

	rtls_exposition_family(exposition, RTLS_GAUGE, "policies",
		"MTA-STS policies in force, by mode");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		print_labelled(exposition, "mode", rtls_sts_mode_name(modes[i]),
			sums->policies[modes[i]]);
	rtls_exposition_family(exposition, RTLS_GAUGE, "policies_ending",
		"Policies of mode enforce and testing that end within 2 days, by how their last fetch went");
	print_labelled(exposition, "fetch", "ok", sums->ending);
	print_labelled(exposition, "fetch", "failing", sums->ending_failing);
	rtls_exposition_family(exposition, RTLS_GAUGE, "fetch_failing_domains",
		"Domains whose policy could not be fetched at the last attempt: one is kept in force, or there is none");
	print_labelled(exposition, "policy", "kept", sums->failing_kept);
	print_labelled(exposition, "policy", "none", sums->failing_none);
	rtls_metrics_print_time(exposition,
		"fetch_failing_oldest_timestamp_seconds",
		"Of the domains with a policy kept that fails to be fetched: the last good fetch of the one that fails for longest",
		sums->failing_since_s);
}

void rtls_metrics_cache(struct rtls_metrics *metrics)
{
	struct sums sums = { .metrics = metrics,
		.buffer = malloc(RTLS_RECORD_SIZE_MAX + 1) };
	struct rtls_err err = { "out of memory" };

	if (sums.buffer == NULL || rtls_cache_each(metrics->config.spool,
					   add_domain, &sums, &err) != RTLS_OK)
		rtls_metrics_fail(metrics, &err);
	free(sums.buffer);
	print_records(&metrics->exposition, &sums);
	print_policies(&metrics->exposition, &sums);
}
