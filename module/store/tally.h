/* tally.h - count the lines of a journal that differ in nothing but their time.
 *
 * A busy day has millions of lines and some ten thousand different ones. A line is
 * validated once and then found by its bytes; memory is bounded whatever strangers
 * make different. For the files of store/ only. */
#ifndef RTLS_TALLY_H
#define RTLS_TALLY_H

#include "store/journal.h"

/* Up to so many lines of a domain are sorted, see rtls_tally_sort(). */
#ifndef RTLS_TALLY_SORTED
#define RTLS_TALLY_SORTED 100
#endif

struct rtls_tally_entry {
	int64_t time_s; /* the first */
	uint64_t count;
	uint32_t order; /* the how manieth different line */
	uint32_t size;
	char key[]; /* the line of one session behind its time */
};

struct rtls_tally;

/* bytes_max: of different lines; more than RTLS_JOURNAL_LINE_MAX. The rest of what it takes
 * is of the same order. NULL: no memory. */
struct rtls_tally *rtls_tally_open(size_t bytes_max);
void rtls_tally_close(struct rtls_tally *tally); /* NULL: nothing to do */

/* A line on its way into the table. Many at once are faster than one after the other, since
 * memory is slow: prepare all, approach all, then add them in their order. */
struct rtls_tally_line {
	struct rtls_slice line; /* without its LF; borrowed */
	struct rtls_slice key;
	uint64_t hash;
	int64_t time_s;
	bool has_key; /* else it is no line as a session writes it */
};

void rtls_tally_prepare(const struct rtls_tally *tally, struct rtls_slice line,
	struct rtls_tally_line *prepared);
void rtls_tally_approach(
	const struct rtls_tally *tally, const struct rtls_tally_line *prepared);

/*
 * RTLS_OK         counted
 * RTLS_INVALID    does not parse
 * RTLS_TEMPORARY  there is no room: not counted. Visit what is there, clear, and
 *                 add it again
 * RTLS_NO_MEMORY  not counted
 */
RTLS_MUST_CHECK enum rtls_status rtls_tally_add(
	struct rtls_tally *tally, const struct rtls_tally_line *prepared);

/* Give one entry to visit; what that returns. */
bool rtls_tally_visit(const struct rtls_tally_entry *entry,
	rtls_journal_visit *visit, void *context);

/* All of them, in the order in which they first came. False: visit stopped it. */
bool rtls_tally_each(const struct rtls_tally *tally, rtls_journal_visit *visit,
	void *context);

/* How many different lines; and these, in the order in which they first came, for
 * the caller to free. NULL: no memory. */
size_t rtls_tally_size(const struct rtls_tally *tally);
const struct rtls_tally_entry **rtls_tally_list(const struct rtls_tally *tally);

/* By policy domain, and those of one domain by their text. But of a domain with more than RTLS_TALLY_SORTED
 * they stay in the order in which they came: a report has caps, and what is within them is what came
 * first. */
void rtls_tally_sort(const struct rtls_tally_entry **list, size_t count);

void rtls_tally_clear(struct rtls_tally *tally);

#endif
