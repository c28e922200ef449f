/* lines.h - read an append-only file of lines from beginning to end, whatever
 * its size, in a buffer of fixed size. For the files of store/ only. */
#ifndef RTLS_LINES_H
#define RTLS_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/slice.h"
#include "policy/status.h"

#define RTLS_LINES_BUFFER 16384

struct rtls_lines {
	int fd;            /* borrowed */
	uint64_t left;     /* bytes that may still be read of it */
	bool ended;        /* read() said so */
	bool torn;         /* in the middle of a line that did not fit */
	size_t begin, end; /* what of data is not yet given out */
	char data[RTLS_LINES_BUFFER];
};

void rtls_lines_init(struct rtls_lines *lines, int fd);

/* As if the file ended behind so many bytes. */
void rtls_lines_limit(struct rtls_lines *lines, uint64_t bytes);

/*
 * line  without its LF; borrowed until the next call
 * RTLS_NONE       the end
 * RTLS_INVALID    a line longer than the buffer, or the last one without its LF
 *                 (a writer was cut short): skipped, go on
 * RTLS_TEMPORARY  read() failed, errno says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_lines_next(
	struct rtls_lines *lines, struct rtls_slice *line);

/* Is there a line that the next call gives without invalidating the lines before? */
bool rtls_lines_is_ready(const struct rtls_lines *lines);

#endif
