/* journal.h - journal of judged sessions, one file per UTC day: <spool>/tlsrpt/<date>,
 * appended to by one line per session in one write(). Once the day is over and reported, its file is
 * replaced by one with a line per distinct result and a count. */
#ifndef RTLS_JOURNAL_H
#define RTLS_JOURNAL_H

#include "policy/result.h"

RTLS_MUST_CHECK enum rtls_status rtls_journal_append(const char *spool,
	const struct rtls_session_result *result, struct rtls_err *err);

/* The day's file. RTLS_INVALID: not a date, or it does not fit. */
RTLS_MUST_CHECK enum rtls_status rtls_journal_path(const char *spool,
	const char *date, char *out, size_t out_size, struct rtls_err *err);

/* result counts for result->count sessions. False: that is enough. */
typedef bool rtls_journal_visit(
	const struct rtls_session_result *result, void *context);

/*
 * Sum up the day's lines that differ in nothing but their time, and give each sum to
 * visit, in the order in which they first came. Of a day with very many different ones (tens of
 * megabytes of them), it is done in several turns, and a result may come again.
 *
 * date     "2026-11-21"
 * skipped  how many lines did not parse; may be NULL. An empty line is no line
 * RTLS_NONE       no journal for that day
 * RTLS_NO_MEMORY  and what was visited is part of it
 */
RTLS_MUST_CHECK enum rtls_status rtls_journal_each(const char *spool,
	const char *date, rtls_journal_visit *visit, void *context,
	size_t *skipped, struct rtls_err *err);

struct rtls_compaction {
	uint64_t sessions;
	size_t lines;   /* that they are now */
	size_t skipped; /* did not parse, and are gone */
};

/*
 * Put a file in the place of the day's that gives the same sums, with a line per distinct
 * result. Other processes may append meanwhile: what comes late is in the new file as it came. Whoever
 * dies on the way leaves the old file.
 *
 * done  filled on RTLS_OK
 * RTLS_NONE       no journal for that day
 * RTLS_INVALID    not a date, no file of ours, or so many different lines that there is little
 *                 to gain (tens of megabytes): left as it is
 * RTLS_TEMPORARY, RTLS_NO_MEMORY, RTLS_BUG  left as it is; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_journal_compact(const char *spool,
	const char *date, struct rtls_compaction *done, struct rtls_err *err);

/* Has nothing been appended since? A compacted file bears the day's first second as its
 * time. modified_s: of the file of that day, see rtls_file_each() */
bool rtls_journal_is_compact(int64_t day_s, int64_t modified_s);

#endif
