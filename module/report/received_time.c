/* received_time.c - see received_time.h. */
#include "report/received_time.h"

#include <string.h>

#include "policy/timestamp.h"

#define TIME_MAX_S INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define CLOCK_AT   11                    /* of "2026-11-21T19:45:20" */
#define PLAIN_SIZE 19

/* "", "Z", "+02:00" or "+0200". */
static bool parse_zone(
	struct rtls_slice zone, int64_t *east_s, struct rtls_notes *notes)
{
	unsigned long long hours, minutes;
	size_t colon = zone.size == 6 && zone.data[3] == ':';

	*east_s = 0;
	if (zone.size == 0) {
		rtls_notes_add(notes, RTLS_NOTE_SEEN, false, "",
			"date-range: a time without a zone, taken as UTC");
		return true;
	}
	if (rtls_slice_is_nocase(zone, "Z"))
		return true;
	if (zone.size != 5 + colon ||
		(zone.data[0] != '+' && zone.data[0] != '-'))
		return false;
	if (!rtls_slice_number(rtls_slice_n(zone.data + 1, 2), 23, &hours) ||
		!rtls_slice_number(
			rtls_slice_n(zone.data + 3 + colon, 2), 59, &minutes))
		return false;
	if (!colon)
		rtls_notes_add(notes, RTLS_NOTE_SEEN, false, "",
			"date-range: a zone without a colon");
	*east_s = (int64_t)(hours * 3600 + minutes * 60);
	if (zone.data[0] == '-')
		*east_s = -*east_s;
	return true;
}

static size_t skip_fraction(struct rtls_slice text, size_t at)
{
	if (at < text.size && text.data[at] == '.')
		do
			at++;
		while (at < text.size && text.data[at] >= '0' &&
			text.data[at] <= '9');
	return at;
}

enum rtls_status rtls_received_time(
	struct rtls_slice text, int64_t *time_s, struct rtls_notes *notes)
{
	char form[RTLS_TIMESTAMP_SIZE];
	int64_t local_s, east_s;
	bool is_end = false;
	size_t at;

	if (text.size < PLAIN_SIZE || strchr("Tt ", text.data[10]) == NULL ||
		text.data[10] == '\0')
		return RTLS_INVALID;
	memcpy(form, text.data, PLAIN_SIZE);
	form[10] = 'T';
	form[PLAIN_SIZE] = 'Z';
	if (memcmp(form + CLOCK_AT, "24:00:00", 8) == 0) {
		is_end = true; /* "00:00-24:00", says RFC 8460 section 4.1 */
		memcpy(form + CLOCK_AT, "00", 2);
	}
	if (rtls_timestamp_parse(
		    rtls_slice_n(form, PLAIN_SIZE + 1), &local_s) != RTLS_OK)
		return RTLS_INVALID;
	at = skip_fraction(text, PLAIN_SIZE);
	if (!parse_zone(rtls_slice_n(text.data + at, text.size - at), &east_s,
		    notes))
		return RTLS_INVALID;
	local_s += (is_end ? RTLS_DAY_S : 0) - east_s;
	if (local_s < 0)
		local_s = 0;
	*time_s = local_s > TIME_MAX_S ? TIME_MAX_S : local_s;
	return RTLS_OK;
}
