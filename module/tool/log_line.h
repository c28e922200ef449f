/* log_line.h - a line of Exim's main log: whose it is, and what it means.
 * Pure: no allocation, no I/O. Log lines hold what strangers wrote: safe on any bytes. */
#ifndef RTLS_LOG_LINE_H
#define RTLS_LOG_LINE_H

#include "policy/slice.h"
#include "policy/status.h"

#define RTLS_LOG_ID_MAX 23 /* of Exim 4.97 and up; before it 16 */

/* Slices borrow from the line. */
struct rtls_log_line {
	struct rtls_slice time; /* date and time, with zone if there is one */
	struct rtls_slice id;   /* of the message */
	struct rtls_slice text; /* what is behind */
};

/* "1tABCD-000abc-12", or the longer form of Exim 4.97. */
bool rtls_log_is_id(struct rtls_slice text);

/*
 * RTLS_OK    a line about one message
 * RTLS_NONE  any other; line is untouched
 */
RTLS_MUST_CHECK enum rtls_status rtls_log_line_parse(
	struct rtls_slice text, struct rtls_log_line *line);

/* The message that this one is a report about: Exim says so in the line of its arrival.
 * False: it is none, or the line is another. */
bool rtls_log_line_reference(
	const struct rtls_log_line *line, struct rtls_slice *id);

/* What the line means, in plain words. Never NULL. */
const char *rtls_log_line_meaning(const struct rtls_log_line *line);

/* Is it a line of the module? */
bool rtls_log_line_is_ours(const struct rtls_log_line *line);

/* What a decision line has besides; the index-th, or NULL: there are no more. */
const char *rtls_log_line_detail(
	const struct rtls_log_line *line, size_t index);

#endif
