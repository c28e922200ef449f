/* lines.c - lines of a file through a buffer of fixed size. */
#include "store/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void rtls_lines_init(struct rtls_lines *lines, int fd)
{
	lines->fd = fd;
	lines->left = UINT64_MAX;
	lines->ended = false;
	lines->torn = false;
	lines->begin = 0;
	lines->end = 0;
}

void rtls_lines_limit(struct rtls_lines *lines, uint64_t bytes)
{
	lines->left = bytes;
}

/* Move what is left to the front and read more behind it; false on error. */
static bool refill(struct rtls_lines *lines)
{
	size_t left = lines->end - lines->begin;
	size_t room = sizeof(lines->data) - left;
	ssize_t n;

	memmove(lines->data, lines->data + lines->begin, left);
	lines->begin = 0;
	lines->end = left;
	if (room > lines->left)
		room = (size_t)lines->left;
	n = TEMP_FAILURE_RETRY(read(lines->fd, lines->data + left, room));
	if (n < 0)
		return false;
	lines->left -= (size_t)n;
	lines->ended = n == 0;
	lines->end += (size_t)n;
	return true;
}

/* The line whose LF is at end; false when it is the rest of one too long. */
static bool give(
	struct rtls_lines *lines, const char *end, struct rtls_slice *line)
{
	const char *start = lines->data + lines->begin;
	bool whole = !lines->torn;

	*line = rtls_slice_n(start, (size_t)(end - start));
	lines->begin = (size_t)(end - lines->data) + 1;
	lines->torn = false;
	return whole;
}

enum rtls_status rtls_lines_next(
	struct rtls_lines *lines, struct rtls_slice *line)
{
	for (;;) {
		size_t left = lines->end - lines->begin;
		const char *end =
			memchr(lines->data + lines->begin, '\n', left);

		if (end != NULL)
			return give(lines, end, line) ? RTLS_OK : RTLS_INVALID;
		if (lines->ended) {
			bool cut = left > 0 || lines->torn;

			lines->begin = lines->end;
			lines->torn = false;
			return cut ? RTLS_INVALID : RTLS_NONE;
		}
		if (left == sizeof(lines->data)) {
			lines->torn = true;
			lines->begin = lines->end;
		}
		if (!refill(lines))
			return RTLS_TEMPORARY;
	}
}

bool rtls_lines_is_ready(const struct rtls_lines *lines)
{
	return !lines->torn && memchr(lines->data + lines->begin, '\n',
				       lines->end - lines->begin) != NULL;
}
