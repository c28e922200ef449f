/* journal.h - append-only journal of judged sessions, one file per UTC day:
 * <spool>/tlsrpt/<date>, one line per session in one write(). */
#ifndef RTLS_JOURNAL_H
#define RTLS_JOURNAL_H

#include "policy/result.h"

RTLS_MUST_CHECK enum rtls_status rtls_journal_append(const char *spool,
	const struct rtls_session_result *result, struct rtls_err *err);

/*
 * Read the day's lines in order. visit returns false to stop.
 *
 * date     "2026-11-21"
 * skipped  how many lines did not parse; may be NULL
 * RTLS_NONE  no journal for that day
 */
RTLS_MUST_CHECK enum rtls_status rtls_journal_each(const char *spool,
	const char *date,
	bool (*visit)(const struct rtls_session_result *result, void *context),
	void *context, size_t *skipped, struct rtls_err *err);

#endif
