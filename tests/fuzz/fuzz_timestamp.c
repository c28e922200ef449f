/* fuzz_timestamp.c - times as text. A text is one exactly when libc, given
 * its numbers, prints it again; any number is printed as a text that is one. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"
#include "policy/timestamp.h"

#define LAST_S INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* What libc makes of the numbers in it; false: none, or before 1970. */
static bool libc_prints(
	const char *text, bool is_date, int64_t *time_s, char out[64])
{
	struct tm tm = { 0 };
	time_t when;

	if (strptime(text, is_date ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ", &tm) ==
			NULL ||
		tm.tm_year < 70)
		return false;
	when = timegm(&tm);
	*time_s = when;
	if (gmtime_r(&when, &tm) == NULL)
		return false;
	return is_date ? strftime(out, 64, "%Y-%m-%d", &tm) > 0
		       : strftime(out, 64, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;
}

static void check_text(struct rtls_slice input, bool is_date,
	enum rtls_status (*parse)(struct rtls_slice text, int64_t *time_s),
	const char *(*format)(char *out, int64_t time_s))
{
	char text[32], printed[64], again[RTLS_TIMESTAMP_SIZE];
	int64_t time_s = 0, wanted_s = 0;
	bool valid = rtls_slice_copy(input, text, sizeof(text)) &&
		     libc_prints(text, is_date, &wanted_s, printed) &&
		     strcmp(text, printed) == 0;

	PROPERTY((parse(input, &time_s) == RTLS_OK) == valid);
	PROPERTY(!valid || time_s == wanted_s);
	PROPERTY(!valid || strcmp(format(again, time_s), text) == 0);
}

static void check_number(int64_t number)
{
	int64_t wanted_s = number < 0 ? 0 : number > LAST_S ? LAST_S : number;
	char text[RTLS_TIMESTAMP_SIZE], date[RTLS_DATE_SIZE];
	int64_t time_s;

	rtls_timestamp_format(text, number);
	PROPERTY(strlen(text) == RTLS_TIMESTAMP_SIZE - 1);
	PROPERTY(rtls_timestamp_parse(rtls_slice(text), &time_s) == RTLS_OK);
	PROPERTY(time_s == wanted_s);
	rtls_date_format(date, number);
	PROPERTY(rtls_slice_starts(rtls_slice(text), date));
	PROPERTY(rtls_date_parse(rtls_slice(date), &time_s) == RTLS_OK);
	PROPERTY(time_s == wanted_s - wanted_s % 86400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice input = fuzz_input(data, size);
	int64_t number = 0;

	check_text(input, false, rtls_timestamp_parse, rtls_timestamp_format);
	check_text(input, true, rtls_date_parse, rtls_date_format);
	if (size > 0)
		memcpy(&number, data, size < 8 ? size : 8);
	check_number(number);
	check_number((int64_t)((uint64_t)number % (uint64_t)LAST_S));
	return 0;
}
