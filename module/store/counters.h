/* counters.h - what happened, as numbers that only grow: <spool>/counters, one line of fixed size per
 * number, changed in place under a lock. So the file stays small whatever happens, no
 * number ever goes back, and nothing is lost when a process dies.
 *
 *   1 session enforce success ...blanks... 00000000000000000042
 *
 * A line that does not parse is passed over; where a name is there twice, both count. */
#ifndef RTLS_COUNTERS_H
#define RTLS_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/slice.h"
#include "policy/status.h"

/* A name is words of lower case, digits, "-" and ".", one blank between them. */
#define RTLS_COUNTER_NAME_MAX 56
#define RTLS_COUNTER_LINE     80 /* with its LF */
#define RTLS_COUNTERS_MAX     512

/*
 * Add to a number, made when it is not there.
 *
 * RTLS_TEMPORARY  not counted: no disk space, a lock that stays; err says why
 * RTLS_INVALID    not counted: no such name can be, the file is full or is none of ours
 */
RTLS_MUST_CHECK enum rtls_status rtls_counters_add(const char *spool,
	const char *name, uint64_t count, struct rtls_err *err);

/* The same, but for what is known of the last time only: it is replaced. */
RTLS_MUST_CHECK enum rtls_status rtls_counters_set(const char *spool,
	const char *name, uint64_t value, struct rtls_err *err);

struct rtls_counter {
	char name[RTLS_COUNTER_NAME_MAX + 1];
	uint64_t value;
};

struct rtls_counters {
	size_t count;
	size_t skipped; /* lines that do not parse */
	struct rtls_counter counter[RTLS_COUNTERS_MAX];
};

/*
 * All of them, each name once. What was read is on disk then: no number that somebody was told goes
 * back after a power failure.
 *
 * counters  filled on RTLS_OK, else empty
 * RTLS_NONE       nothing was counted yet
 * RTLS_INVALID, RTLS_TEMPORARY  as rtls_file_read()
 */
RTLS_MUST_CHECK enum rtls_status rtls_counters_read(const char *spool,
	struct rtls_counters *counters, struct rtls_err *err);

/* NULL: no such name. */
const struct rtls_counter *rtls_counters_find(
	const struct rtls_counters *counters, const char *name);

/* One line without its LF, of exactly RTLS_COUNTER_LINE - 1 bytes. False: it does not parse. Pure. */
bool rtls_counter_parse(struct rtls_slice line, struct rtls_counter *counter);

#endif
