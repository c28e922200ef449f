/* leave_out.c - which sessions of a host are in other reports to the same places. */
#include "report/job.h"

#include <stdlib.h>
#include <string.h>

static bool has_place(const struct rtls_outbox *outbox, const char *uri)
{
	for (size_t i = 0; i < outbox->to_count; i++)
		if (strcmp(outbox->to[i].rua.uri, uri) == 0)
			return true;
	return false;
}

/* No place is in an outbox twice. */
static bool are_same_places(
	const struct rtls_outbox *a, const struct rtls_outbox *b)
{
	if (a->to_count != b->to_count)
		return false;
	for (size_t i = 0; i < a->to_count; i++)
		if (!has_place(b, a->to[i].rua.uri))
			return false;
	return true;
}

/* RTLS_TEMPORARY: its record is not known yet. */
static enum rtls_status judge(const struct rtls_job *job,
	const struct rtls_subjects *subjects, const char *domain,
	const struct rtls_outbox *outbox, bool *is_left_out)
{
	struct rtls_outbox other;

	*is_left_out = false;
	if (rtls_subjects_find(subjects, domain) == NULL)
		return RTLS_OK; /* there is no report on it */
	if (!rtls_job_get(job, domain, &other, NULL)) {
		*is_left_out = true; /* nobody knows what was sent: not twice */
		return RTLS_OK;
	}
	if (other.record == RTLS_RECORD_PENDING)
		return RTLS_TEMPORARY;
	*is_left_out = other.record == RTLS_RECORD_FOUND &&
		       are_same_places(&other, outbox);
	return RTLS_OK;
}

enum rtls_status rtls_job_leave_out(const struct rtls_job *job,
	const struct rtls_subjects *subjects, const struct rtls_host *host,
	const struct rtls_outbox *outbox, bool **left_out, struct rtls_err *err)
{
	bool *made = calloc(host->domain_count, sizeof(*made));
	enum rtls_status status = RTLS_OK;

	if (made == NULL) {
		rtls_err_set(
			err, "no memory for the report on %s", outbox->domain);
		return RTLS_NO_MEMORY;
	}
	for (size_t i = 0; i < host->domain_count && status == RTLS_OK; i++)
		status = judge(job, subjects,
			rtls_report_domain(host->domain[i]), outbox, &made[i]);
	if (status == RTLS_OK)
		*left_out = made;
	else
		free(made);
	return status;
}
