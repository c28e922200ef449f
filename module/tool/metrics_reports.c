/* metrics_reports.c - journals, and how far the reports of their days got, as metrics (metrics.h).
 * The outbox only is read: what the journals say of sessions is counted elsewhere, and a day of which
 * nothing is left costs one look. */
#include <stdio.h>
#include <string.h>

#include "policy/timestamp.h"
#include "report/outbox.h"
#include "report/run.h"
#include "store/file.h"
#include "tool/metrics.h"
#include "tool/usage.h"

#define PATH_SIZE 1024

struct sums {
	struct rtls_metrics *metrics;
	uint64_t pending, dropped; /* places, and lookups of them */
	int64_t pending_since_s;   /* the first try of the oldest; 0: none */
	uint64_t open_days;
	int64_t oldest_open_s, newest_done_s; /* 0: none */
	const char *date;                     /* whose outbox is looked at */
};

static void add_pending(struct sums *sums, const struct rtls_tries *tries)
{
	sums->pending++;
	if (tries->first_s > 0 &&
		(sums->pending_since_s == 0 ||
			tries->first_s < sums->pending_since_s))
		sums->pending_since_s = tries->first_s;
}

static void add_outbox(struct sums *sums, const struct rtls_outbox *outbox)
{
	if (outbox->record == RTLS_RECORD_PENDING)
		add_pending(sums, &outbox->record_tries);
	else if (outbox->record == RTLS_RECORD_FAILED)
		sums->dropped++;
	for (size_t i = 0; i < outbox->to_count; i++) {
		const struct rtls_outbox_to *to = &outbox->to[i];

		if (to->state == RTLS_DELIVERY_FAILED)
			sums->dropped++;
		else if (to->state != RTLS_DELIVERY_SENT)
			add_pending(sums, &to->tries);
	}
}

static bool add_file(const char *name, int64_t modified_s, void *context)
{
	struct sums *sums = context;
	struct rtls_err err = { "" };
	struct rtls_outbox outbox;

	(void)modified_s;
	if (rtls_outbox_get(sums->metrics->config.spool, sums->date, name,
		    &outbox, &err) == RTLS_OK)
		add_outbox(sums, &outbox);
	else
		rtls_metrics_fail(sums->metrics, &err);
	return true;
}

static void add_open_day(struct sums *sums, const char *date, int64_t day_s)
{
	const char *spool = sums->metrics->config.spool;
	struct rtls_err err = { "" };
	char path[PATH_SIZE];

	sums->open_days++;
	if (sums->oldest_open_s == 0 || day_s < sums->oldest_open_s)
		sums->oldest_open_s = day_s;
	sums->date = date;
	(void)snprintf(path, sizeof(path), "%s/outbox/%s", spool, date);
	if (rtls_file_each(spool, path, add_file, sums, &err) == RTLS_TEMPORARY)
		rtls_metrics_fail(sums->metrics, &err);
}

/* A journal of a day that is over, and for whose reports somebody still waits. */
static bool add_journal(const char *name, int64_t modified_s, void *context)
{
	struct sums *sums = context;
	const int64_t now_s = sums->metrics->now_s;
	int64_t day_s;

	(void)modified_s;
	if (rtls_date_parse(rtls_slice(name), &day_s) != RTLS_OK ||
		day_s > now_s - RTLS_DAY_S)
		return true;
	if (rtls_outbox_day_is_done(sums->metrics->config.spool, name)) {
		if (day_s > sums->newest_done_s)
			sums->newest_done_s = day_s;
	} else if (sums->metrics->config.tlsrpt &&
		   day_s > now_s - (int64_t)(RTLS_DAYS_CAUGHT_UP + 1) *
					   RTLS_DAY_S) {
		add_open_day(sums, name, day_s);
	}
	return true;
}

static void print_sums(
	struct rtls_exposition *exposition, const struct sums *sums)
{
	rtls_exposition_gauge(exposition, "journals_unreported",
		"Journals of days that are over and not reported in full",
		sums->open_days);
	rtls_metrics_print_time(exposition,
		"journals_unreported_oldest_timestamp_seconds",
		"When the day of the oldest of these began",
		sums->oldest_open_s);
	rtls_metrics_print_time(exposition,
		"reports_last_day_timestamp_seconds",
		"When the newest day began of which nothing is left to report",
		sums->newest_done_s);
	rtls_exposition_gauge(exposition, "reports_pending",
		"Reports of open days that were begun and are not there yet, by address",
		sums->pending);
	rtls_metrics_print_time(exposition,
		"reports_oldest_pending_timestamp_seconds",
		"When the one of these was first tried that is pending for longest",
		sums->pending_since_s);
	rtls_exposition_gauge(exposition, "reports_given_up",
		"Reports of open days that were given up, by address",
		sums->dropped);
}

static void print_usage(struct rtls_metrics *metrics)
{
	struct rtls_exposition *exposition = &metrics->exposition;
	struct rtls_err err = { "" };
	struct rtls_usage usage;

	if (rtls_usage_read_reports(metrics->config.spool, &usage, &err) !=
		RTLS_OK)
		rtls_metrics_fail(metrics, &err);
	rtls_exposition_gauge(exposition, "journals",
		"Journals, one for each day (UTC)", usage.journals.files);
	rtls_exposition_gauge(exposition, "journal_bytes",
		"Size of the journals", usage.journals.bytes);
	rtls_exposition_gauge(exposition, "outbox_bytes", "Size of the outbox",
		usage.outbox.bytes);
}

void rtls_metrics_reports(struct rtls_metrics *metrics)
{
	struct sums sums = { .metrics = metrics };
	struct rtls_err err = { "" };
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/tlsrpt", metrics->config.spool);
	if (rtls_file_each(metrics->config.spool, path, add_journal, &sums,
		    &err) == RTLS_TEMPORARY)
		rtls_metrics_fail(metrics, &err);
	print_sums(&metrics->exposition, &sums);
	print_usage(metrics);
}
