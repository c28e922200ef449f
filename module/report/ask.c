/* ask.c - who wants a report? The records at _smtp._tls, looked up in batches;
 * a domain that has none is noted down too, and not asked about again. */
#include "job.h"

#include <stdlib.h>

static void answer_found(struct rtls_job *job, const struct rtls_lookup *lookup,
	struct rtls_outbox *outbox)
{
	outbox->record = RTLS_RECORD_FOUND;
	for (size_t i = 0; i < lookup->count; i++)
		(void)rtls_outbox_add(outbox, &lookup->rua[i]);
	if (lookup->why[0] != '\0')
		rtls_job_log(job, "report for %s of %s: %s", outbox->domain,
			job->date, lookup->why);
}

static void answer_failed(struct rtls_job *job,
	const struct rtls_lookup *lookup, struct rtls_outbox *outbox)
{
	bool again =
		rtls_tries_fail(&outbox->record_tries, job->options->now_s);

	if (again) {
		job->sums->deferred++;
	} else {
		outbox->record = RTLS_RECORD_FAILED;
		job->sums->dropped++;
	}
	rtls_job_log(job,
		"report for %s of %s %s: no answer for _smtp._tls.%s: %s",
		outbox->domain, job->date, again ? "deferred" : "dropped",
		outbox->domain, lookup->why);
}

static void take_answer(struct rtls_job *job, const struct rtls_lookup *lookup,
	struct rtls_outbox *outbox)
{
	rtls_tries_begin(&outbox->record_tries, job->options->now_s);
	switch (lookup->outcome) {
	case RTLS_LOOKUP_FOUND:
		answer_found(job, lookup, outbox);
		break;
	case RTLS_LOOKUP_NONE:
		outbox->record = RTLS_RECORD_NONE;
		if (lookup->why[0] != '\0')
			rtls_job_log(job, "no report for %s: %s",
				outbox->domain, lookup->why);
		break;
	case RTLS_LOOKUP_FAILED:
		answer_failed(job, lookup, outbox);
		break;
	}
	(void)rtls_job_put(job, outbox);
}

struct questions {
	size_t count;
	struct rtls_lookup lookup[RTLS_LOOKUPS_MAX];
	struct rtls_outbox outbox[RTLS_LOOKUPS_MAX];
};

/* False when no lookup is possible at all. */
static bool ask(struct rtls_job *job, struct questions *questions)
{
	struct rtls_err err = { "" };
	size_t count = questions->count;

	if (count == 0)
		return true;
	questions->count = 0;
	for (size_t i = 0; i < count; i++)
		questions->lookup[i].domain = questions->outbox[i].domain;
	if (job->outside->lookup(job->outside->context, questions->lookup,
		    count, &err) != RTLS_OK) {
		rtls_job_trouble(job, &err);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		take_answer(job, &questions->lookup[i], &questions->outbox[i]);
	return true;
}

/* Look up all domains of the day that are due and whose record is not known yet. */
void rtls_job_ask(struct rtls_job *job, const struct rtls_subjects *subjects)
{
	struct questions *questions = calloc(1, sizeof(*questions));
	const struct rtls_err no_memory = { "no memory for lookups" };
	bool possible = true;

	if (questions == NULL) {
		rtls_job_trouble(job, &no_memory);
		return;
	}
	for (size_t i = 0; i < subjects->count && possible; i++) {
		const char *name = subjects->subject[i].name;
		struct rtls_outbox *outbox =
			&questions->outbox[questions->count];

		if (rtls_job_is_due(job, name) &&
			rtls_job_get(job, name, outbox, NULL) &&
			outbox->record == RTLS_RECORD_PENDING &&
			rtls_tries_is_due(
				&outbox->record_tries, job->options->now_s))
			questions->count++;
		if (questions->count == RTLS_LOOKUPS_MAX)
			possible = ask(job, questions);
	}
	if (possible)
		(void)ask(job, questions);
	free(questions);
}
