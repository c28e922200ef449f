/* deliver.c - each report to each place that is due.
 *
 * The one rule: the outbox says "sending", durably, before the first byte leaves, so a
 * crash at any point means one report too few, never one too many. */
#include "job.h"

#include <stdlib.h>

#include "policy/timestamp.h"
#include "report/package.h"
#include "report/report_mail.h"

#define LINE_SIZE 2048

struct parcel {
	struct rtls_subject_report subject;
	struct rtls_package package;
};

/* RTLS_NONE: there is nothing in it; RTLS_TEMPORARY: not all of it is known yet. */
static enum rtls_status make_parcel(const struct rtls_job *job,
	const struct rtls_subjects *subjects,
	const struct rtls_subject *subject, const struct rtls_outbox *outbox,
	struct parcel *parcel, struct rtls_err *err)
{
	bool *left_out = NULL;
	enum rtls_status status = RTLS_OK;

	if (subject->host != NULL)
		status = rtls_job_leave_out(
			job, subjects, subject->host, outbox, &left_out, err);
	if (status == RTLS_OK)
		status = rtls_subject_report(
			subject, left_out, &parcel->subject, err);
	free(left_out);
	if (status == RTLS_OK &&
		!rtls_subjects_wanted(job->config,
			rtls_report_failures(parcel->subject.report)))
		return RTLS_NONE;
	if (status == RTLS_OK)
		status = rtls_package_make(job->config, parcel->subject.report,
			&parcel->package, err);
	return status;
}

static void free_parcel(struct parcel *parcel)
{
	rtls_package_free(&parcel->package);
	rtls_subject_report_free(&parcel->subject);
}

static enum rtls_status send_mail(const struct rtls_job *job,
	const struct parcel *parcel, const char *to, struct rtls_err *err)
{
	const struct rtls_report_mail mail = {
		.config = job->config,
		.report = parcel->package.report,
		.to = to,
		.now_s = job->options->now_s,
		.gzip = parcel->package.gzip,
	};
	enum rtls_status status;
	size_t size;
	char *text;

	status = rtls_report_mail_format(&mail, &text, &size, err);
	if (status != RTLS_OK)
		return status;
	status = job->outside->mail(
		job->outside->context, to, rtls_slice_n(text, size), err);
	free(text);
	return status;
}

static enum rtls_status send_parcel(const struct rtls_job *job,
	const struct parcel *parcel, const struct rtls_rua *rua,
	struct rtls_err *err)
{
	const char *target;

	if (job->instead != NULL)
		rua = job->instead;
	target = rtls_rua_target(rua);
	if (rua->kind == RTLS_RUA_MAILTO)
		return send_mail(job, parcel, target, err);
	return job->outside->post(
		job->outside->context, target, parcel->package.gzip, err);
}

static void log_delivery(const struct rtls_job *job,
	const struct rtls_outbox *outbox, const struct rtls_outbox_to *to,
	const char *what, const char *why)
{
	char buffer[LINE_SIZE], next[RTLS_TIMESTAMP_SIZE];
	struct rtls_quoted quoted;
	struct rtls_text line;

	rtls_text_init(&line, buffer, sizeof(buffer));
	rtls_text_printf(&line, "report for %s of %s to %s", outbox->domain,
		job->date, rtls_quoted(&quoted, rtls_slice(to->rua.uri)));
	if (job->instead != NULL)
		rtls_text_printf(&line, " (tlsrpt_rua: %s)",
			rtls_quoted(&quoted, rtls_slice(job->instead->uri)));
	rtls_text_printf(&line, " %s", what);
	if (why[0] != '\0')
		rtls_text_printf(&line, ": %s", why);
	if (to->state == RTLS_DELIVERY_PENDING)
		rtls_text_printf(&line, "; next try %s",
			rtls_timestamp_format(next, to->tries.next_s));
	rtls_job_log(job, "%s", buffer);
}

static void finish_try(struct rtls_job *job, struct rtls_outbox *outbox,
	struct rtls_outbox_to *to, enum rtls_status status,
	const struct rtls_err *err)
{
	if (status == RTLS_OK) {
		to->state = RTLS_DELIVERY_SENT;
		to->tries.next_s = 0;
		job->sums->sent++;
		log_delivery(job, outbox, to, "sent", "");
	} else if (rtls_tries_fail(&to->tries, job->options->now_s)) {
		to->state = RTLS_DELIVERY_PENDING;
		job->sums->deferred++;
		log_delivery(job, outbox, to, "deferred", err->text);
	} else {
		to->state = RTLS_DELIVERY_FAILED;
		job->sums->dropped++;
		log_delivery(
			job, outbox, to, "dropped after 24 hours", err->text);
	}
	(void)rtls_job_put(job, outbox);
}

static void try_delivery(struct rtls_job *job, struct rtls_outbox *outbox,
	struct rtls_outbox_to *to, const struct parcel *parcel)
{
	struct rtls_outbox_to before = *to;
	struct rtls_err err = { "" };
	enum rtls_status status;

	rtls_tries_begin(&to->tries, job->options->now_s);
	to->state = RTLS_DELIVERY_SENDING;
	/* What cannot be noted down is not sent: it would be sent again. */
	if (!rtls_job_put(job, outbox)) {
		*to = before;
		return;
	}
	status = send_parcel(job, parcel, &to->rua, &err);
	finish_try(job, outbox, to, status, &err);
}

/* A run ended while this was being sent, and nobody knows how far it got. */
static void give_up(struct rtls_job *job, struct rtls_outbox *outbox,
	struct rtls_outbox_to *to)
{
	to->state = RTLS_DELIVERY_FAILED;
	to->tries.next_s = 0;
	job->sums->dropped++;
	log_delivery(job, outbox, to, "dropped",
		"a run was interrupted while sending; it may have arrived");
	(void)rtls_job_put(job, outbox);
}

/* Each record gets a session once, and gets these with the reports on the domains; or, with
 * tlsrpt_success_only = no, it gets the failures with them, and nothing is left but successes. */
static void drop_empty(struct rtls_job *job, struct rtls_outbox *outbox)
{
	outbox->to_count = 0;
	rtls_job_log(job,
		"no report for %s of %s: its sessions are in other reports to "
		"the same place",
		outbox->domain, job->date);
	(void)rtls_job_put(job, outbox);
}

static bool is_due(const struct rtls_job *job, const struct rtls_outbox_to *to)
{
	return to->state == RTLS_DELIVERY_PENDING &&
	       rtls_tries_is_due(&to->tries, job->options->now_s);
}

/* With tlsrpt_rua all places are one. */
static size_t count_places(
	const struct rtls_job *job, const struct rtls_outbox *outbox)
{
	return job->instead != NULL && outbox->to_count > 0 ? 1
							    : outbox->to_count;
}

/* So the others are done when the first one is. */
static void settle_others(struct rtls_job *job, struct rtls_outbox *outbox)
{
	bool is_changed = false;

	for (size_t i = count_places(job, outbox); i < outbox->to_count; i++) {
		struct rtls_outbox_to *to = &outbox->to[i];

		if (to->state != RTLS_DELIVERY_PENDING ||
			outbox->to[0].state == RTLS_DELIVERY_PENDING)
			continue;
		to->state = outbox->to[0].state;
		to->tries.next_s = 0;
		is_changed = true;
	}
	if (is_changed)
		(void)rtls_job_put(job, outbox);
}

/* What is waiting, and whether anything is not. */
static bool has_due(struct rtls_job *job, const struct rtls_outbox *outbox)
{
	bool is_any_due = false;

	for (size_t i = 0; i < count_places(job, outbox); i++) {
		if (is_due(job, &outbox->to[i]))
			is_any_due = true;
		else if (outbox->to[i].state == RTLS_DELIVERY_PENDING)
			job->sums->waiting++;
	}
	return is_any_due;
}

static void deliver(struct rtls_job *job, const struct rtls_subjects *subjects,
	const struct rtls_subject *subject, struct rtls_outbox *outbox)
{
	struct parcel parcel = { .package = { .json = NULL } };
	struct rtls_err err = { "" };
	enum rtls_status status;

	if (!has_due(job, outbox))
		return;
	status = make_parcel(job, subjects, subject, outbox, &parcel, &err);
	if (status == RTLS_NONE)
		drop_empty(job, outbox);
	else if (status == RTLS_TEMPORARY)
		job->sums->waiting++;
	else if (status != RTLS_OK)
		rtls_job_trouble(job, &err);
	else if (parcel.package.trimmed != NULL)
		rtls_job_log(job,
			"report for %s of %s: trimmed to %zu bytes "
			"(tlsrpt_max_size)",
			subject->name, job->date, parcel.package.gzip.size);
	for (size_t i = 0; i < count_places(job, outbox) && status == RTLS_OK;
		i++)
		if (is_due(job, &outbox->to[i]))
			try_delivery(job, outbox, &outbox->to[i], &parcel);
	free_parcel(&parcel);
}

static void deliver_due(struct rtls_job *job,
	const struct rtls_subjects *subjects,
	const struct rtls_subject *subject)
{
	struct rtls_outbox outbox;
	struct rtls_err err = { "" };

	if (!rtls_job_get(job, subject->name, &outbox, &err)) {
		job->open++;
		rtls_job_trouble(job, &err);
		return;
	}
	if (outbox.record == RTLS_RECORD_NONE)
		job->sums->unwanted++;
	for (size_t i = 0; i < outbox.to_count; i++)
		if (outbox.to[i].state == RTLS_DELIVERY_SENDING)
			give_up(job, &outbox, &outbox.to[i]);
	deliver(job, subjects, subject, &outbox);
	settle_others(job, &outbox);
	if (rtls_outbox_is_open(&outbox))
		job->open++;
}

void rtls_job_deliver(
	struct rtls_job *job, const struct rtls_subjects *subjects)
{
	for (size_t i = 0; i < subjects->count; i++) {
		if (rtls_job_is_due(job, subjects->subject[i].name)) {
			deliver_due(job, subjects, &subjects->subject[i]);
		} else {
			job->sums->waiting++;
			job->open++;
		}
	}
}
