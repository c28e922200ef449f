/* smtp_reply.c - see smtp_reply.h.
 *
 *   reply = *(code "-" text end) code [ SP text ] end    ; one code for all lines
 *   code  = "2".."5" DIGIT DIGIT
 *   end   = [CR] LF                                      ; LF alone is tolerated
 */
#include "smtp_reply.h"

#include <string.h>

#include "text.h"

#define CODE_SIZE 3

static unsigned digit(char byte)
{
	return (unsigned)(unsigned char)byte - '0';
}

/* The code of a line, of which perhaps only the beginning is there; 0: it cannot be one. */
static bool may_be_code(struct rtls_slice line)
{
	for (size_t i = 0; i < line.size && i < CODE_SIZE; i++)
		if (line.data[i] < (i == 0 ? '2' : '0') ||
			line.data[i] > (i == 0 ? '5' : '9'))
			return false;
	return line.size <= CODE_SIZE || line.data[CODE_SIZE] == ' ' ||
	       line.data[CODE_SIZE] == '-' || line.data[CODE_SIZE] == '\r' ||
	       line.data[CODE_SIZE] == '\n';
}

static unsigned code_of(struct rtls_slice line)
{
	return 100 * digit(line.data[0]) + 10 * digit(line.data[1]) +
	       digit(line.data[2]);
}

static enum rtls_status invalid(
	struct rtls_err *err, const char *why, struct rtls_slice line)
{
	struct rtls_quoted quoted;

	rtls_err_set(err, "%s (found \"%s\")", why, rtls_quoted(&quoted, line));
	return RTLS_INVALID;
}

/* What has come of the line at the front: RTLS_OK when that is all of it. */
static enum rtls_status take_line(
	struct rtls_slice *rest, struct rtls_slice *line, struct rtls_err *err)
{
	struct rtls_slice seen = *rest;
	const char *end;

	if (seen.size > RTLS_SMTP_LINE_MAX)
		seen.size = RTLS_SMTP_LINE_MAX;
	if (!may_be_code(seen))
		return invalid(err, "not an SMTP reply", seen);
	end = seen.size == 0 ? NULL : memchr(seen.data, '\n', seen.size);
	if (end == NULL)
		return seen.size < RTLS_SMTP_LINE_MAX
			       ? RTLS_NONE
			       : invalid(err, "an endless line", seen);
	if (!rtls_slice_line(rest, line) || line->size < CODE_SIZE)
		return invalid(err, "not an SMTP reply", seen);
	return RTLS_OK;
}

static struct rtls_slice text_of(struct rtls_slice line)
{
	if (line.size <= CODE_SIZE)
		return rtls_slice_n(line.data + line.size, 0);
	return rtls_slice_n(
		line.data + CODE_SIZE + 1, line.size - CODE_SIZE - 1);
}

enum rtls_status rtls_smtp_reply_take(struct rtls_slice received,
	struct rtls_smtp_reply *reply, struct rtls_err *err)
{
	struct rtls_smtp_reply found = { .code = 0 };
	struct rtls_slice rest = received, line;

	for (size_t count = 0; count < RTLS_SMTP_LINES_MAX; count++) {
		enum rtls_status status = take_line(&rest, &line, err);

		if (status == RTLS_NONE && received.size >= RTLS_SMTP_REPLY_MAX)
			break;
		if (status != RTLS_OK)
			return status;
		if (count == 0) {
			found.code = code_of(line);
			found.text = text_of(line);
		} else if (code_of(line) != found.code) {
			return invalid(err, "a reply of two codes", line);
		}
		found.lines =
			rtls_slice_n(received.data, received.size - rest.size);
		if (found.lines.size > RTLS_SMTP_REPLY_MAX)
			break;
		if (line.size == CODE_SIZE || line.data[CODE_SIZE] != '-') {
			*reply = found;
			return RTLS_OK;
		}
	}
	rtls_err_set(err, "an endless reply");
	return RTLS_INVALID;
}
