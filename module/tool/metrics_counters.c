/* metrics_counters.c - the file of counters as metrics (metrics.h). Every label value is in a table
 * here, and is there from the beginning, with 0: so the first one of its kind is seen as an
 * increase, and nothing that stands in the file can make a label. */
#include <string.h>

#include "policy/result.h"
#include "policy/verdict.h"
#include "store/counters.h"
#include "tool/metrics.h"

#define WORDS_MAX 16

struct family {
	const char *name, *help;
	const char *what;  /* the first word in the file */
	const char *label; /* what the last one is called */
	const char *classes[5];
	const char *words[WORDS_MAX];
};

/* Those of a session, in the order of RFC 8460; "local" is no fault of the host. */
static const struct family families[] = {
	{ "sessions_total",
		"SMTP sessions that were judged, by class of delivery and result of RFC 8460",
		"session", "result", { "strict", "enforce", "observe" },
		{ "success", "starttls-not-supported",
			"certificate-host-mismatch", "certificate-expired",
			"certificate-not-trusted", "validation-failure",
			"tlsa-invalid", "dnssec-invalid", "dane-required",
			"local" } },
	{ "hosts_refused_total",
		"Hosts that protected mail was not given to, by reason",
		"refused", "reason", { "strict", "enforce" },
		{ "not-in-policy", "lookup-failed", "no-decision",
			"requiretls-not-offered", "tls-not-verified",
			"starttls-not-supported", "certificate-host-mismatch",
			"certificate-expired", "certificate-not-trusted",
			"validation-failure", "tlsa-invalid", "dnssec-invalid",
			"dane-required" } },
	{ "bounces_total",
		"Recipients that were returned to the sender by a decision of the module, by code",
		"bounce", "code", { "strict", "enforce", "observe" },
		{ "5.7.10", "5.7.30", "5.1.2", "5.1.10", "other" } },
	{ "put_off_total",
		"Recipients that were made to wait by a decision of the module, by code; once per attempt",
		"put-off", "code",
		{ "strict", "enforce", "observe", "unknown" },
		{ "4.7.0", "4.4.3", "4.3.0", "4.3.5", "other" } },
};

#define FAMILY_COUNT (sizeof(families) / sizeof(families[0]))

static uint64_t value_of(const struct rtls_counters *counters, const char *name)
{
	const struct rtls_counter *counter = rtls_counters_find(counters, name);

	return counter == NULL ? 0 : counter->value;
}

static void print_family(struct rtls_exposition *exposition,
	const struct rtls_counters *counters, const struct family *family)
{
	char name[128];

	rtls_exposition_family(
		exposition, RTLS_COUNTER, family->name, family->help);
	for (size_t i = 0; family->classes[i] != NULL; i++)
		for (size_t k = 0; family->words[k] != NULL; k++) {
			const struct rtls_label labels[] = {
				{ "class", family->classes[i] },
				{ family->label, family->words[k] },
			};

			(void)snprintf(name, sizeof(name), "%s %s %s",
				family->what, family->classes[i],
				family->words[k]);
			rtls_exposition_sample(exposition, labels, 2,
				value_of(counters, name));
		}
}

/* One label, each value of it the last word of a name in the file. */
static void print_words(struct rtls_exposition *exposition,
	const struct rtls_counters *counters, const char *what,
	const char *const words[2])
{
	char name[128];

	for (size_t i = 0; i < 2; i++) {
		const struct rtls_label label = { "result", words[i] };

		(void)snprintf(name, sizeof(name), "%s %s", what, words[i]);
		rtls_exposition_sample(
			exposition, &label, 1, value_of(counters, name));
	}
}

/* Of what was never done there is no time. */
static void print_time(struct rtls_exposition *exposition,
	const struct rtls_counters *counters, const char *counter,
	const char *name, const char *help)
{
	rtls_exposition_family(exposition, RTLS_GAUGE, name, help);
	if (rtls_counters_find(counters, counter) != NULL)
		rtls_exposition_sample(
			exposition, NULL, 0, value_of(counters, counter));
}

static void print_runs(struct rtls_exposition *exposition,
	const struct rtls_counters *counters)
{
	static const char *const fetches[] = { "fetched", "failed" };
	static const char *const reports[] = { "sent", "dropped" };

	rtls_exposition_family(exposition, RTLS_COUNTER,
		"refresh_policies_total",
		"Policies that runs of cache refresh fetched, or could not");
	print_words(exposition, counters, "refresh", fetches);
	print_time(exposition, counters, "refresh-last time",
		"refresh_last_run_timestamp_seconds",
		"When cache refresh last ended");
	print_time(exposition, counters, "refresh-last complete",
		"refresh_last_run_complete",
		"1: the last run looked at all that was due; 0: it was broken off, or could not begin");
	rtls_exposition_family(exposition, RTLS_GAUGE,
		"refresh_last_run_policies",
		"Policies that the last run fetched, or could not");
	print_words(exposition, counters, "refresh-last", fetches);
	rtls_exposition_family(exposition, RTLS_COUNTER, "reports_total",
		"TLS reports that were sent, and given up, counted by address");
	print_words(exposition, counters, "report", reports);
	print_time(exposition, counters, "report-last time",
		"report_last_run_timestamp_seconds",
		"When report run last ended");
	print_time(exposition, counters, "report-last complete",
		"report_last_run_complete",
		"1: the last run did all it could; 0: another run was under way, or for want of disk space it could not");
}

void rtls_metrics_counters(struct rtls_metrics *metrics)
{
	static struct rtls_counters counters;
	struct rtls_err err = { "" };
	const enum rtls_status status =
		rtls_counters_read(metrics->config.spool, &counters, &err);

	if (status != RTLS_OK && status != RTLS_NONE) {
		/* Not 0: that would be taken for a restart. */
		rtls_metrics_fail(metrics, &err);
		return;
	}
	if (counters.skipped > 0) {
		rtls_err_set(&err, "%zu lines of counters do not parse",
			counters.skipped);
		rtls_metrics_fail(metrics, &err);
	}
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		print_family(&metrics->exposition, &counters, &families[i]);
	print_runs(&metrics->exposition, &counters);
}
