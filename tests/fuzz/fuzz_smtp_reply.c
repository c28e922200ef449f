/* fuzz_smtp_reply.c - an SMTP reply as it arrives. Of what is a reply no beginning is one, and
 * what comes behind it changes nothing; what is none does not become one. */
#include <string.h>

#include "fuzz.h"
#include "policy/smtp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice received = fuzz_input(data, size);
	struct rtls_smtp_reply reply = { .code = 0 }, again = { .code = 0 };
	struct rtls_err err = { "" };
	enum rtls_status status = rtls_smtp_reply_take(received, &reply, &err);
	enum rtls_status before;

	if (status == RTLS_OK) {
		PROPERTY(reply.code >= 200 && reply.code <= 599);
		PROPERTY(fuzz_inside(received, reply.lines));
		PROPERTY(fuzz_inside(reply.lines, reply.text));
		PROPERTY(reply.lines.size <= RTLS_SMTP_REPLY_MAX);
		PROPERTY(reply.lines.data[reply.lines.size - 1] == '\n');
		PROPERTY(
			reply.text.size == 0 ||
			memchr(reply.text.data, '\n', reply.text.size) == NULL);
		PROPERTY(rtls_smtp_reply_take(reply.lines, &again, NULL) ==
				 RTLS_OK &&
			 again.lines.size == reply.lines.size);
		PROPERTY(rtls_smtp_reply_take(rtls_slice_n(reply.lines.data,
						      reply.lines.size - 1),
				 &again, NULL) == RTLS_NONE);
		return 0;
	}
	PROPERTY(status == RTLS_NONE || status == RTLS_INVALID);
	PROPERTY(size < RTLS_SMTP_REPLY_MAX || status == RTLS_INVALID);
	for (const char *c = err.text; *c != '\0'; c++)
		PROPERTY(*c >= ' ' && *c <= '~');
	if (size == 0)
		return 0;
	before = rtls_smtp_reply_take(
		rtls_slice_n(received.data, size - 1), &again, NULL);
	PROPERTY(before != RTLS_OK);
	PROPERTY(before != RTLS_INVALID || status == RTLS_INVALID);
	return 0;
}
