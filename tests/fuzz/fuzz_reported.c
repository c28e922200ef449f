/* fuzz_reported.c - the file of tlsrpt_domains. What was understood is written as lines, which
 * mean the same; the first one that matches counts. */
#include <string.h>

#include "fuzz.h"
#include "policy/reported.h"
#include "policy/rules.h"

static void write_lines(const struct rtls_reported *list, struct rtls_text *out)
{
	for (size_t i = 0; i < list->count; i++) {
		rtls_text_printf(out, "%s ",
			list->entry[i].report ? "report" : "silent");
		rtls_text_add(out, list->entry[i].domain);
		rtls_text_printf(out, "\n");
	}
}

/* A wildcard matches itself: its own line counts, or one before. */
static void check_one(
	struct rtls_slice input, const struct rtls_reported *list, size_t index)
{
	const struct rtls_reported_line *one = &list->entry[index];
	size_t first = 0;

	PROPERTY(fuzz_inside(input, one->domain) && one->domain.size != 0);
	PROPERTY(memchr(one->domain.data, ' ', one->domain.size) == NULL);
	PROPERTY(one->line >= 1);
	while (!rtls_wildcard_matches(list->entry[first].domain, one->domain))
		first++;
	PROPERTY(first <= index);
	PROPERTY(rtls_reported_has(list, one->domain) ==
		 list->entry[first].report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtls_reported list, again;
	static char buffer[2 * RTLS_REPORTED_SIZE_MAX];
	const struct rtls_slice input = fuzz_input(data, size);
	struct rtls_text text;
	struct rtls_err err;

	if (rtls_reported_parse(input, &list, &err) != RTLS_OK) {
		PROPERTY(strncmp(err.text, "line ", 5) == 0);
		return 0;
	}
	for (size_t i = 0; i < list.count; i++)
		check_one(input, &list, i);
	PROPERTY(list.count > 0 || rtls_reported_has(&list, input));
	rtls_text_init(&text, buffer, sizeof(buffer));
	write_lines(&list, &text);
	if (text.overflow || text.size > RTLS_REPORTED_SIZE_MAX)
		return 0;
	PROPERTY(rtls_reported_parse(rtls_text_slice(&text), &again, &err) ==
		 RTLS_OK);
	PROPERTY(again.count == list.count);
	for (size_t i = 0; i < list.count; i++) {
		PROPERTY(again.entry[i].report == list.entry[i].report);
		PROPERTY(rtls_slice_equal(
			again.entry[i].domain, list.entry[i].domain));
	}
	return 0;
}
