/* fuzz_exempt.c - the list of exemptions. What was understood is written as lines, which
 * mean the same; and each line ends with its day. */
#include <string.h>

#include "fuzz.h"
#include "policy/exempt.h"
#include "policy/timestamp.h"

#define DAY_S 86400

static void write_list(
	const struct rtls_exemptions *list, struct rtls_text *out)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct rtls_exemption *one = &list->exemption[i];

		rtls_text_add(out, one->domain);
		rtls_text_printf(out, " ");
		rtls_protections_format(one->lifts, out);
		rtls_text_printf(out, " until=");
		rtls_text_add(out, one->until);
		rtls_text_printf(out, " \"");
		rtls_text_add(out, one->reason);
		rtls_text_printf(out, "\"\n");
	}
}

static void check_same(
	const struct rtls_exemptions *a, const struct rtls_exemptions *b)
{
	PROPERTY(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct rtls_exemption *one = &a->exemption[i];
		const struct rtls_exemption *other = &b->exemption[i];

		PROPERTY(one->lifts == other->lifts);
		PROPERTY(one->end_s == other->end_s);
		PROPERTY(rtls_slice_equal(one->domain, other->domain));
		PROPERTY(rtls_slice_equal(one->until, other->until));
		PROPERTY(rtls_slice_equal(one->reason, other->reason));
	}
}

/* The last second of the day that is written there is the last in which it counts. */
static void check_day(const struct rtls_exemption *one)
{
	char date[RTLS_DATE_SIZE];

	PROPERTY(one->end_s > 0 && one->end_s % DAY_S == 0);
	PROPERTY(!rtls_exemption_is_over(one, one->end_s - 1));
	PROPERTY(rtls_exemption_is_over(one, one->end_s));
	PROPERTY(rtls_exemption_days_left(one, one->end_s) == 0);
	PROPERTY(rtls_exemption_days_left(one, one->end_s - 1) == 0);
	PROPERTY(rtls_exemption_days_left(one, one->end_s - DAY_S) == 0);
	PROPERTY(rtls_exemption_days_left(one, INT64_MAX) == 0);
	PROPERTY(rtls_exemption_days_left(one, INT64_MIN) >= 0);
	if (one->end_s > DAY_S)
		PROPERTY(rtls_exemption_days_left(
				 one, one->end_s - DAY_S - 1) == 1);
	rtls_date_format(date, one->end_s - 1);
	PROPERTY(rtls_slice_is(one->until, date));
}

static void check_matching(
	const struct rtls_exemptions *list, const struct rtls_exemption *one)
{
	const int64_t last_s = one->end_s - 1;
	char buffer[128];
	struct rtls_text text;
	unsigned lifted;

	/* A wildcard matches itself. */
	lifted = rtls_exemptions_in_force(list, one->domain, last_s);
	PROPERTY((lifted & one->lifts) == one->lifts);
	rtls_text_init(&text, buffer, sizeof(buffer));
	rtls_exemptions_describe(list, one->domain, last_s, lifted, &text);
	PROPERTY(text.size > 0 && !text.overflow);
	/* Time only takes away. */
	PROPERTY((rtls_exemptions_in_force(list, one->domain, one->end_s) &
			 ~lifted) == 0);
	PROPERTY(rtls_exemptions_in_force(list, one->domain, INT64_MAX) == 0);
	/* No list says anything but the four kinds, of any text. */
	PROPERTY((rtls_exemptions_in_force(list, one->reason, 0) & ~15U) == 0);
}

static void check_one(struct rtls_slice input,
	const struct rtls_exemptions *list, const struct rtls_exemption *one)
{
	PROPERTY(fuzz_inside(input, one->domain) && one->domain.size != 0);
	PROPERTY(fuzz_inside(input, one->until));
	PROPERTY(fuzz_inside(input, one->reason) && one->reason.size != 0);
	PROPERTY(one->reason.size <= RTLS_EXEMPT_REASON_MAX);
	PROPERTY(memchr(one->reason.data, '"', one->reason.size) == NULL);
	PROPERTY(memchr(one->reason.data, '\n', one->reason.size) == NULL);
	PROPERTY(one->lifts != 0 && (one->lifts & ~15U) == 0);
	PROPERTY(one->line >= 1);
	check_day(one);
	check_matching(list, one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtls_exemptions list, again;
	static char buffer[2 * RTLS_EXEMPT_SIZE_MAX];
	const struct rtls_slice input = fuzz_input(data, size);
	struct rtls_text text;
	struct rtls_err err;

	if (rtls_exemptions_parse(input, &list, &err) != RTLS_OK) {
		PROPERTY(strncmp(err.text, "line ", 5) == 0);
		return 0;
	}
	for (size_t i = 0; i < list.count; i++)
		check_one(input, &list, &list.exemption[i]);
	rtls_text_init(&text, buffer, sizeof(buffer));
	write_list(&list, &text);
	if (text.overflow || text.size > RTLS_EXEMPT_SIZE_MAX)
		return 0;
	PROPERTY(rtls_exemptions_parse(rtls_text_slice(&text), &again, &err) ==
		 RTLS_OK);
	check_same(&list, &again);
	return 0;
}
