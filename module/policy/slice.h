/* slice.h - text as pointer and length, and the few things done with it.
 *
 * A slice borrows: it never owns what it points to and is not terminated.
 * Pure, safe on any bytes. "Blank" is space or tab (WSP of RFC 5234). */
#ifndef RTLS_SLICE_H
#define RTLS_SLICE_H

#include <stdbool.h>
#include <stddef.h>

struct rtls_slice {
	const char *data; /* may be NULL when size is 0 */
	size_t size;
};

/* The slice of a terminated string; NULL gives the empty slice. */
struct rtls_slice rtls_slice(const char *text);
struct rtls_slice rtls_slice_n(const char *data, size_t size);

bool rtls_slice_is(struct rtls_slice slice, const char *text);
bool rtls_slice_is_nocase(struct rtls_slice slice, const char *text);
bool rtls_slice_equal(struct rtls_slice a, struct rtls_slice b);
bool rtls_slice_equal_nocase(struct rtls_slice a, struct rtls_slice b);
bool rtls_slice_starts(struct rtls_slice slice, const char *prefix);
bool rtls_slice_ends_nocase(struct rtls_slice slice, struct rtls_slice suffix);

/* Without the blanks at both ends. */
struct rtls_slice rtls_slice_trim(struct rtls_slice slice);

/*
 * Take everything up to separator off the front of rest; rest then begins
 * behind the separator, or is empty when there was none.
 */
struct rtls_slice rtls_slice_take(struct rtls_slice *rest, char separator);

/* The next line of rest without its LF or CRLF; false when rest is empty. */
bool rtls_slice_line(struct rtls_slice *rest, struct rtls_slice *line);

/* The next entry of a file that people write: a line, without the blanks at its ends. Empty
 * lines and comments ("#") are passed over; number counts every line. False: there is none. */
bool rtls_slice_entry(
	struct rtls_slice *rest, struct rtls_slice *entry, unsigned *number);

/* The next word of rest, blanks around it skipped; false when none is left. */
bool rtls_slice_word(struct rtls_slice *rest, struct rtls_slice *word);

/* Digits only, at most max; false otherwise, and value is untouched. */
bool rtls_slice_number(struct rtls_slice slice, unsigned long long max,
	unsigned long long *value);

/* Copy into a terminated buffer; false (and "") when it does not fit or
 * holds a NUL. */
bool rtls_slice_copy(struct rtls_slice slice, char *out, size_t out_size);

#endif
