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

#endif
