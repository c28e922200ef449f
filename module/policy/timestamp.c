/* timestamp.c - RFC 3339 in UTC, by the proleptic Gregorian calendar. */
#include "timestamp.h"

#include <stdbool.h>

#define TIME_MAX_S   INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define TIME_TEXT    (RTLS_TIMESTAMP_SIZE - 1)
#define DATE_TEXT    (RTLS_DATE_SIZE - 1)
#define ERA_DAYS     146097 /* 400 years */
#define EPOCH_OFFSET 719468 /* days from 0000-03-01 to 1970-01-01 */

struct date {
	unsigned year;
	unsigned month;
	unsigned day;
};

/* Years begin in March here, so the leap day is the last of its year. */
static struct date date_of_day(unsigned days)
{
	unsigned shifted = days + EPOCH_OFFSET;
	unsigned era = shifted / ERA_DAYS;
	unsigned era_day = shifted % ERA_DAYS;
	unsigned era_year = (era_day - era_day / 1460 + era_day / 36524 -
				    era_day / 146096) /
			    365;
	unsigned year_day =
		era_day - (365 * era_year + era_year / 4 - era_year / 100);
	unsigned march_month = (5 * year_day + 2) / 153;
	struct date date;

	date.day = year_day - (153 * march_month + 2) / 5 + 1;
	date.month = march_month < 10 ? march_month + 3 : march_month - 9;
	date.year = era * 400 + era_year + (date.month <= 2);
	return date;
}

static unsigned day_of_date(struct date date)
{
	unsigned year = date.year - (date.month <= 2);
	unsigned era = year / 400;
	unsigned era_year = year % 400;
	unsigned march_month = date.month > 2 ? date.month - 3 : date.month + 9;
	unsigned year_day = (153 * march_month + 2) / 5 + date.day - 1;
	unsigned era_day =
		era_year * 365 + era_year / 4 - era_year / 100 + year_day;

	return era * ERA_DAYS + era_day - EPOCH_OFFSET;
}

static void put_number(char *out, unsigned digits, unsigned value)
{
	while (digits-- > 0) {
		out[digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

static int64_t clamp(int64_t time_s)
{
	if (time_s < 0)
		return 0;
	return time_s > TIME_MAX_S ? TIME_MAX_S : time_s;
}

const char *rtls_date_format(char out[RTLS_DATE_SIZE], int64_t time_s)
{
	struct date date = date_of_day((unsigned)(clamp(time_s) / RTLS_DAY_S));

	put_number(out, 4, date.year);
	out[4] = '-';
	put_number(out + 5, 2, date.month);
	out[7] = '-';
	put_number(out + 8, 2, date.day);
	out[DATE_TEXT] = '\0';
	return out;
}

const char *rtls_timestamp_format(char out[RTLS_TIMESTAMP_SIZE], int64_t time_s)
{
	unsigned second = (unsigned)(clamp(time_s) % RTLS_DAY_S);

	rtls_date_format(out, time_s);
	out[DATE_TEXT] = 'T';
	put_number(out + 11, 2, second / 3600);
	out[13] = ':';
	put_number(out + 14, 2, second / 60 % 60);
	out[16] = ':';
	put_number(out + 17, 2, second % 60);
	out[19] = 'Z';
	out[TIME_TEXT] = '\0';
	return out;
}

/* Does the text have the shape, "d" standing for a digit? */
static bool has_shape(struct rtls_slice text, const char *shape)
{
	if (text.size != rtls_slice(shape).size)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		bool digit = text.data[i] >= '0' && text.data[i] <= '9';

		if (shape[i] == 'd' ? !digit : text.data[i] != shape[i])
			return false;
	}
	return true;
}

static unsigned get_number(struct rtls_slice text, size_t at, size_t digits)
{
	unsigned value = 0;

	for (size_t i = at; i < at + digits; i++)
		value = value * 10 + (unsigned)(text.data[i] - '0');
	return value;
}

static unsigned days_in_month(struct date date)
{
	bool leap = (date.year % 4 == 0 && date.year % 100 != 0) ||
		    date.year % 400 == 0;

	if (date.month == 2)
		return leap ? 29 : 28;
	if (date.month == 4 || date.month == 6 || date.month == 9 ||
		date.month == 11)
		return 30;
	return 31;
}

enum rtls_status rtls_date_parse(struct rtls_slice text, int64_t *time_s)
{
	struct date date;

	if (!has_shape(text, "dddd-dd-dd"))
		return RTLS_INVALID;
	date.year = get_number(text, 0, 4);
	date.month = get_number(text, 5, 2);
	date.day = get_number(text, 8, 2);
	if (date.year < 1970 || date.month < 1 || date.month > 12 ||
		date.day < 1 || date.day > days_in_month(date))
		return RTLS_INVALID;
	*time_s = (int64_t)day_of_date(date) * RTLS_DAY_S;
	return RTLS_OK;
}

enum rtls_status rtls_timestamp_parse(struct rtls_slice text, int64_t *time_s)
{
	unsigned hour, minute, second;
	int64_t day_s;

	if (!has_shape(text, "dddd-dd-ddTdd:dd:ddZ"))
		return RTLS_INVALID;
	hour = get_number(text, 11, 2);
	minute = get_number(text, 14, 2);
	second = get_number(text, 17, 2);
	/* No leap seconds: time_t has none either. */
	if (hour > 23 || minute > 59 || second > 59)
		return RTLS_INVALID;
	if (rtls_date_parse(rtls_slice_n(text.data, DATE_TEXT), &day_s) !=
		RTLS_OK)
		return RTLS_INVALID;
	*time_s = day_s + (int64_t)hour * 3600 + minute * 60 + second;
	return RTLS_OK;
}
