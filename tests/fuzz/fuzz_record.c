/* fuzz_record.c - the cache record of fuzz.example. What was read is written,
 * and reads the same; no state and no age of it is immortal. */
#include <string.h>

#include "fuzz.h"
#include "policy/record.h"

#define DOMAIN "fuzz.example"

static void check_inside(
	struct rtls_slice input, const struct rtls_record *record)
{
	PROPERTY(rtls_slice_is(record->domain, DOMAIN));
	PROPERTY(fuzz_inside(input, record->domain));
	PROPERTY(fuzz_inside(input, record->txt_id));
	PROPERTY(fuzz_inside(input, record->fetch_id));
	PROPERTY(fuzz_inside(input, record->fetch_error));
	PROPERTY(fuzz_inside(input, record->policy_id));
	PROPERTY(fuzz_inside(input, record->policy_digest));
	PROPERTY(fuzz_inside(input, record->policy_text));
	PROPERTY(record->mx_count <= RTLS_MX_MAX);
	for (size_t i = 0; i < record->mx_count; i++) {
		PROPERTY(fuzz_inside(input, record->mx[i].host));
		PROPERTY(i == 0 || record->mx[i - 1].preference <=
					   record->mx[i].preference);
		PROPERTY(rtls_record_mx(record, record->mx[i].host) != NULL);
	}
	PROPERTY(record->tlsa_count <= RTLS_TLSA_MAX);
	for (size_t i = 0; i < record->tlsa_count; i++) {
		PROPERTY(fuzz_inside(input, record->tlsa[i].host));
		PROPERTY(fuzz_inside(input, record->tlsa[i].text));
	}
	PROPERTY(record->note_count <= RTLS_NOTES_MAX);
	for (size_t i = 0; i < record->note_count; i++)
		PROPERTY(fuzz_inside(input, record->note[i]));
}

/* Two days after all it says, DNS is asked again; a year and two days after
 * the policy was fetched, it is gone. */
static void check_age(const struct rtls_record *record)
{
	const int64_t long_after_s = INT64_C(253402300800);
	const int64_t before_s =
		record->mx_until_s - RTLS_TTL_MAX_S - RTLS_CLOCK_SLACK_S - 1;
	const int64_t year_after_s = record->policy_fetched_s +
				     RTLS_STS_MAX_AGE_MAX + RTLS_CLOCK_SLACK_S +
				     1;

	PROPERTY(!rtls_record_is_fresh(record, long_after_s));
	PROPERTY(!rtls_record_is_fresh(record, before_s));
	PROPERTY(!rtls_record_is_fresh(record, record->txt_until_s));
	PROPERTY(!rtls_record_has_policy(record, year_after_s));
	PROPERTY(!rtls_record_has_policy(
		record, record->policy_fetched_s - RTLS_CLOCK_SLACK_S - 1));
	PROPERTY(rtls_record_wants_fetch(record, long_after_s) ==
		 (record->txt == RTLS_TXT_VALID));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char first[RTLS_RECORD_SIZE_MAX + 1];
	static char second[RTLS_RECORD_SIZE_MAX + 1];
	const struct rtls_slice input = fuzz_input(data, size);
	struct rtls_record record;
	struct rtls_text text;
	struct rtls_text again;

	if (rtls_record_parse(input, DOMAIN, &record, NULL) != RTLS_OK)
		return 0;
	check_inside(input, &record);
	check_age(&record);
	rtls_text_init(&text, first, sizeof(first));
	PROPERTY(rtls_record_format(&record, &text) == RTLS_OK);
	PROPERTY(rtls_record_parse(rtls_text_slice(&text), DOMAIN, &record,
			 NULL) == RTLS_OK);
	rtls_text_init(&again, second, sizeof(second));
	PROPERTY(rtls_record_format(&record, &again) == RTLS_OK);
	PROPERTY(rtls_slice_equal(
		rtls_text_slice(&text), rtls_text_slice(&again)));
	return 0;
}
