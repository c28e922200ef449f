/* tidy_policies.c - policy texts that neither a journal nor the cache refers to.
 *
 * To know that, all of both is read: so it is done once a day, and the cache is read only when the journals
 * leave something to ask. Whoever writes a journal line has put the policy before, or renewed its
 * time: what is younger than a day stays. */
#include <stdlib.h>
#include <string.h>

#include "policy/record.h"
#include "policy/timestamp.h"
#include "report/table.h"
#include "report/tidy_job.h"
#include "store/cache.h"
#include "store/file.h"
#include "store/journal.h"

/* Its time says when it was done last. */
#define STAMP       "policies-tidied"
#define STAMP_AGE_S (20 * RTLS_HOUR_S)

struct candidate {
	struct candidate *next;
	struct rtls_slice digest; /* terminated */
	bool used;
};

struct search {
	const struct rtls_tidy_job *job;
	struct rtls_table table; /* of candidates, by digest */
	struct candidate *list;
	size_t unused;
	bool complete; /* all that refers to policies could be read */
	char *buffer;  /* for a record */
};

/* --- when ------------------------------------------------------------------ */

static bool is_due(const struct rtls_tidy_job *job, const char *stamp)
{
	char buffer[RTLS_TIMESTAMP_SIZE + 1];
	struct rtls_slice text;
	int64_t done_s;

	if (rtls_file_read_below(job->config->spool, stamp, buffer,
		    RTLS_TIMESTAMP_SIZE, &text, NULL) != RTLS_OK ||
		rtls_timestamp_parse(rtls_slice_take(&text, '\n'), &done_s) !=
			RTLS_OK)
		return true;
	/* One from the future is one of a wrong clock. */
	return done_s > job->now_s || done_s + STAMP_AGE_S <= job->now_s;
}

static void set_stamp(const struct rtls_tidy_job *job, const char *stamp)
{
	char text[RTLS_TIMESTAMP_SIZE + 1];
	struct rtls_err err = { "" };

	rtls_timestamp_format(text, job->now_s);
	text[RTLS_TIMESTAMP_SIZE - 1] = '\n';
	rtls_tidy_tell(job,
		rtls_file_replace(job->config->spool, stamp,
			rtls_slice_n(text, RTLS_TIMESTAMP_SIZE), &err),
		&err);
}

/* --- what there is, and what refers to it ------------------------------------ */

static bool is_digest(struct rtls_slice name)
{
	for (size_t i = 0; i < name.size; i++)
		if (!(name.data[i] >= '0' && name.data[i] <= '9') &&
			!(name.data[i] >= 'a' && name.data[i] <= 'f'))
			return false;
	return name.size == RTLS_DIGEST_SIZE - 1;
}

static bool add_candidate(const char *name, int64_t modified_s, void *context)
{
	struct search *search = context;
	struct candidate *candidate;
	struct rtls_slice own;

	if (!is_digest(rtls_slice(name)) ||
		modified_s > search->job->now_s - RTLS_DAY_S)
		return true;
	candidate = rtls_table_add(
		&search->table, rtls_slice(name), sizeof(*candidate), &own);
	if (candidate == NULL) /* the rest another time */
		return false;
	candidate->digest = own;
	candidate->next = search->list;
	search->list = candidate;
	search->unused++;
	return true;
}

static void mark(struct search *search, struct rtls_slice digest)
{
	struct candidate *candidate = rtls_table_get(&search->table, digest);

	if (candidate == NULL || candidate->used)
		return;
	candidate->used = true;
	search->unused--;
}

static bool mark_session(
	const struct rtls_session_result *result, void *context)
{
	mark(context, result->digest);
	return true;
}

static bool mark_journal(const char *date, int64_t modified_s, void *context)
{
	struct search *search = context;
	struct rtls_err err = { "" };
	enum rtls_status status = rtls_journal_each(search->job->config->spool,
		date, mark_session, search, NULL, &err);

	(void)modified_s;
	/* A name that is no date, or one that has gone, has no sessions. */
	if (status == RTLS_OK || status == RTLS_NONE || status == RTLS_INVALID)
		return true;
	rtls_tidy_tell(search->job, status, &err);
	search->complete = false;
	return false;
}

/* What cannot be read will be fetched again, and its policy be put again. */
static bool mark_record(const char *domain, void *context)
{
	struct search *search = context;
	struct rtls_record record;

	if (rtls_cache_get(search->job->config->spool, domain, search->buffer,
		    &record, NULL) == RTLS_OK)
		mark(search, record.policy_digest);
	return search->unused > 0;
}

static void search_journals(struct search *search)
{
	struct rtls_err err = { "" };
	char path[PATH_MAX];
	enum rtls_status status;

	if (!rtls_tidy_path(search->job, "tlsrpt", "", path))
		return;
	search->complete = true;
	status = rtls_file_each(
		search->job->config->spool, path, mark_journal, search, &err);
	rtls_tidy_tell(search->job, status, &err);
	if (status != RTLS_OK && status != RTLS_NONE)
		search->complete = false;
}

static void search_cache(struct search *search)
{
	struct rtls_err err = { "" };
	enum rtls_status status = RTLS_NO_MEMORY;

	search->buffer = malloc(RTLS_RECORD_SIZE_MAX + 1);
	rtls_err_set(&err, "no memory to look for policies in use");
	if (search->buffer != NULL)
		status = rtls_cache_each(
			search->job->config->spool, mark_record, search, &err);
	rtls_tidy_tell(search->job, status, &err);
	if (status != RTLS_OK)
		search->complete = false;
	free(search->buffer);
}

/* --- all of it ------------------------------------------------------------- */

static void remove_unused(const struct search *search)
{
	for (const struct candidate *candidate = search->list;
		candidate != NULL; candidate = candidate->next) {
		struct rtls_err err = { "" };
		char path[PATH_MAX];

		if (candidate->used || !rtls_tidy_path(search->job, "policy",
					       candidate->digest.data, path))
			continue;
		rtls_tidy_tell(search->job,
			rtls_file_remove_below(
				search->job->config->spool, path, &err),
			&err);
	}
}

static void tidy(struct search *search, const char *policies)
{
	struct rtls_err err = { "" };

	rtls_tidy_tell(search->job,
		rtls_file_each(search->job->config->spool, policies,
			add_candidate, search, &err),
		&err);
	if (search->unused > 0)
		search_journals(search);
	if (search->unused > 0 && search->complete)
		search_cache(search);
	if (search->unused > 0 && search->complete)
		remove_unused(search);
	rtls_table_free(&search->table);
}

void rtls_tidy_policies(const struct rtls_tidy_job *job)
{
	struct search search = { .job = job };
	char stamp[PATH_MAX], policies[PATH_MAX];

	if (!rtls_tidy_path(job, STAMP, "", stamp) ||
		!rtls_tidy_path(job, "policy", "", policies) ||
		!is_due(job, stamp))
		return;
	tidy(&search, policies);
	set_stamp(job, stamp);
}
