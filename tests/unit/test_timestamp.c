/* test_timestamp.c - RFC 3339 times in UTC (B4.1, B5.1, case 147). */
#include <time.h>

#include "check.h"
#include "policy/timestamp.h"

#define DAY_S 86400

struct time_row {
	const char *proves;
	int64_t time_s;
	const char *text;
};

static const struct time_row times[] = {
	{ "B4.1 the first second", 0, "1970-01-01T00:00:00Z" },
	{ "B4.1 the last second of a day", 86399, "1970-01-01T23:59:59Z" },
	{ "B4.1 a leap day", 951782400, "2000-02-29T00:00:00Z" },
	{ "B4.1 the day behind a leap day", 951868800, "2000-03-01T00:00:00Z" },
	{ "B4.1 today", 1795290320, "2026-11-21T19:45:20Z" },
	{ "B4.1 the end of 31-bit times", 2147483647, "2038-01-19T03:14:07Z" },
	{ "B4.1 behind 32-bit times", 4294967296, "2106-02-07T06:28:16Z" },
	{ "B4.1 2100 has no leap day", 4107542400, "2100-03-01T00:00:00Z" },
	{ "B4.1 the last second there is", 253402300799,
		"9999-12-31T23:59:59Z" },
};

static void test_time(void **state)
{
	const struct time_row *row = *state;
	char text[RTLS_TIMESTAMP_SIZE], date[RTLS_DATE_SIZE];
	int64_t time_s = -1;

	assert_ptr_equal(rtls_timestamp_format(text, row->time_s), text);
	assert_string_equal(text, row->text);
	assert_int_equal(
		rtls_timestamp_parse(rtls_slice(text), &time_s), RTLS_OK);
	assert_true(time_s == row->time_s);
	assert_ptr_equal(rtls_date_format(date, row->time_s), date);
	assert_memory_equal(date, row->text, RTLS_DATE_SIZE - 1);
	assert_int_equal(rtls_date_parse(rtls_slice(date), &time_s), RTLS_OK);
	assert_true(time_s == row->time_s - row->time_s % DAY_S);
}

static void test_clamp(void **state)
{
	char text[RTLS_TIMESTAMP_SIZE], date[RTLS_DATE_SIZE];

	(void)state;
	assert_string_equal(
		rtls_timestamp_format(text, -1), "1970-01-01T00:00:00Z");
	assert_string_equal(
		rtls_timestamp_format(text, INT64_MIN), "1970-01-01T00:00:00Z");
	assert_string_equal(rtls_timestamp_format(text, 253402300800),
		"9999-12-31T23:59:59Z");
	assert_string_equal(
		rtls_timestamp_format(text, INT64_MAX), "9999-12-31T23:59:59Z");
	assert_string_equal(rtls_date_format(date, -DAY_S), "1970-01-01");
	assert_string_equal(rtls_date_format(date, INT64_MAX), "9999-12-31");
}

/* Each day up to 2400 and some beyond, against the C library. */
static void test_calendar(void **state)
{
	(void)state;
	for (int64_t day = 0; day * DAY_S <= 253402300799; day++) {
		time_t now = (time_t)(day * DAY_S + day % DAY_S);
		char text[RTLS_TIMESTAMP_SIZE], wanted[64];
		struct tm tm;
		int64_t parsed;

		if (day > 160000)
			day += 100;
		assert_non_null(gmtime_r(&now, &tm));
		assert_int_equal(strftime(wanted, sizeof(wanted),
					 "%Y-%m-%dT%H:%M:%SZ", &tm),
			20);
		rtls_timestamp_format(text, now);
		assert_string_equal(text, wanted);
		assert_int_equal(
			rtls_timestamp_parse(rtls_slice(text), &parsed),
			RTLS_OK);
		assert_true(parsed == now);
	}
}

struct bad {
	const char *proves;
	struct rtls_slice text;
};

static const struct bad bad[] = {
	{ "case 147: no zone", TEXT("2026-11-21T19:45:20") },
	{ "not UTC", TEXT("2026-11-21T19:45:20+00:00") },
	{ "small z", TEXT("2026-11-21T19:45:20z") },
	{ "blank instead of T", TEXT("2026-11-21 19:45:20Z") },
	{ "fraction", TEXT("2026-11-21T19:45:20.0Z") },
	{ "one more byte", TEXT("2026-11-21T19:45:20Z ") },
	{ "one byte in front", TEXT(" 2026-11-21T19:45:20Z") },
	{ "NUL behind it", TEXT("2026-11-21T19:45:20Z\0") },
	{ "date alone", TEXT("2026-11-21") },
	{ "empty", TEXT("") },
	{ "month 0", TEXT("2026-00-21T19:45:20Z") },
	{ "month 13", TEXT("2026-13-21T19:45:20Z") },
	{ "day 0", TEXT("2026-11-00T19:45:20Z") },
	{ "day 31 of 30", TEXT("2026-11-31T19:45:20Z") },
	{ "day 32", TEXT("2026-12-32T19:45:20Z") },
	{ "February 29 of no leap year", TEXT("2026-02-29T19:45:20Z") },
	{ "February 29, 2100", TEXT("2100-02-29T19:45:20Z") },
	{ "February 30", TEXT("2024-02-30T19:45:20Z") },
	{ "hour 24", TEXT("2026-11-21T24:00:00Z") },
	{ "minute 60", TEXT("2026-11-21T19:60:20Z") },
	{ "leap second", TEXT("2026-11-21T23:59:60Z") },
	{ "year 1969", TEXT("1969-12-31T23:59:59Z") },
	{ "year 0", TEXT("0000-01-01T00:00:00Z") },
	{ "letter", TEXT("2026-11-2aT19:45:20Z") },
	{ "minus", TEXT("2026-11-21T19:-5:20Z") },
};

static void test_bad(void **state)
{
	const struct bad *row = *state;
	char *copy = check_copy(row->text, row->text.size);
	struct rtls_slice text = { copy, row->text.size };
	int64_t time_s = 4711;

	assert_int_equal(rtls_timestamp_parse(text, &time_s), RTLS_INVALID);
	assert_true(time_s == 4711);
	free(copy);
}

static const struct bad bad_dates[] = {
	{ "date: a time", TEXT("2026-11-21T19:45:20Z") },
	{ "date: slashes", TEXT("2026/11/21") },
	{ "date: short", TEXT("2026-1-21") },
	{ "date: no such day", TEXT("2023-02-29") },
	{ "date: before 1970", TEXT("1969-12-31") },
	{ "date: dots for a path", TEXT("..-..-....") },
};

static void test_bad_date(void **state)
{
	const struct bad *row = *state;
	int64_t time_s = 4711;

	assert_int_equal(rtls_date_parse(row->text, &time_s), RTLS_INVALID);
	assert_true(time_s == 4711);
}

static void test_cuts(void **state)
{
	struct rtls_slice whole = TEXT("2026-11-21T19:45:20Z");

	(void)state;
	for (size_t size = 0; size <= whole.size; size++) {
		char *copy = check_copy(whole, size);
		struct rtls_slice text = { copy, size };
		int64_t time_s;

		assert_int_equal(rtls_timestamp_parse(text, &time_s) == RTLS_OK,
			size == whole.size);
		assert_int_equal(rtls_date_parse(text, &time_s) == RTLS_OK,
			size == RTLS_DATE_SIZE - 1);
		free(copy);
	}
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_time, times);
	check_add(&suite, "B4.1 times out of range are clamped", test_clamp,
		NULL);
	check_add(&suite, "B4.1 the calendar is the C library's", test_calendar,
		NULL);
	CHECK_TABLE(&suite, test_bad, bad);
	CHECK_TABLE(&suite, test_bad_date, bad_dates);
	check_add(&suite, "a time cut at every length", test_cuts, NULL);
	return check_run(&suite, "timestamp");
}
