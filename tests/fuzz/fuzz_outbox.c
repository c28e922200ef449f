/* fuzz_outbox.c - the outbox file of fuzz.example. What was read is written, and
 * reads the same: else a report would be sent twice, or never. */
#include <string.h>

#include "fuzz.h"
#include "report/outbox.h"

#define DOMAIN "fuzz.example"

static void check_tries(struct rtls_tries tries)
{
	const int64_t now_s = tries.next_s + 1;

	PROPERTY(rtls_tries_is_due(&tries, now_s));
	rtls_tries_begin(&tries, now_s);
	PROPERTY(tries.first_s > 0 && tries.count > 0);
	if (rtls_tries_fail(&tries, now_s)) {
		PROPERTY(tries.next_s > now_s);
		PROPERTY(tries.next_s <= tries.first_s + RTLS_RETRY_FOR_S);
	} else {
		PROPERTY(now_s >= tries.first_s + RTLS_RETRY_FOR_S);
	}
}

static void check_places(const struct rtls_outbox *outbox)
{
	PROPERTY(outbox->to_count <= RTLS_TLSRPT_RUA_MAX);
	check_tries(outbox->record_tries);
	for (size_t i = 0; i < outbox->to_count; i++) {
		check_tries(outbox->to[i].tries);
		for (size_t k = 0; k < i; k++)
			PROPERTY(strcmp(outbox->to[i].rua.uri,
					 outbox->to[k].rua.uri) != 0);
	}
}

static struct rtls_slice format(const struct rtls_outbox *outbox, char *out)
{
	struct rtls_text text;

	rtls_text_init(&text, out, RTLS_OUTBOX_SIZE_MAX);
	rtls_outbox_format(outbox, &text);
	PROPERTY(!text.overflow);
	return rtls_text_slice(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtls_outbox outbox, again;
	static char first[RTLS_OUTBOX_SIZE_MAX], second[RTLS_OUTBOX_SIZE_MAX];
	const struct rtls_slice input = fuzz_input(data, size);
	struct rtls_err err = { "" };
	struct rtls_slice written;

	if (rtls_outbox_parse(input, DOMAIN, &outbox, &err) != RTLS_OK) {
		PROPERTY(err.text[0] != '\0');
		return 0;
	}
	check_places(&outbox);
	written = format(&outbox, first);
	PROPERTY(rtls_outbox_parse(written, DOMAIN, &again, &err) == RTLS_OK);
	PROPERTY(rtls_outbox_is_open(&outbox) == rtls_outbox_is_open(&again));
	PROPERTY(rtls_slice_equal(written, format(&again, second)));
	return 0;
}
