/* received.c - what kind of thing came, and what is in it. */
#include "report/received.h"

#include <stdlib.h>
#include <string.h>

#include "report/gzip.h"
#include "report/received_json.h"

#define BOM "\xef\xbb\xbf"

/* Only JSON begins with a bracket or with a byte order mark; white space may stand in front. */
static bool is_json(struct rtls_slice bytes)
{
	size_t at = 0;

	while (at < bytes.size && strchr(" \t\r\n", bytes.data[at]) != NULL &&
		bytes.data[at] != '\0')
		at++;
	return rtls_slice_starts(bytes, BOM) ||
	       (at < bytes.size &&
		       (bytes.data[at] == '{' || bytes.data[at] == '['));
}

static enum rtls_status parse_text(struct rtls_slice text, json_t **report,
	struct rtls_notes *notes, struct rtls_err *err)
{
	json_t *json = NULL;
	enum rtls_status status = rtls_received_load(text, &json, notes, err);

	if (status != RTLS_OK)
		return status;
	status = rtls_received_normalise(json, report, notes, err);
	json_decref(json);
	return status;
}

/* JSON, or gzip of it. */
static enum rtls_status parse_data(struct rtls_slice data, json_t **report,
	struct rtls_notes *notes, struct rtls_err *err)
{
	enum rtls_status status;
	char *unpacked = NULL;
	size_t size = 0;

	if (!rtls_gzip_is(data))
		return parse_text(data, report, notes, err);
	status = rtls_gzip_unpack(
		data, RTLS_RECEIVED_JSON_MAX, &unpacked, &size, err);
	if (status != RTLS_OK)
		return status;
	if (rtls_gzip_is(rtls_slice_n(unpacked, size))) {
		rtls_err_set(err, "gzip data inside of gzip data");
		status = RTLS_INVALID;
	} else {
		status = parse_text(
			rtls_slice_n(unpacked, size), report, notes, err);
	}
	free(unpacked);
	return status;
}

enum rtls_status rtls_received_parse(struct rtls_slice bytes,
	struct rtls_received *received, struct rtls_err *err)
{
	struct rtls_received parsed = { .report = NULL };
	enum rtls_status status;

	if (!rtls_gzip_is(bytes) && !is_json(bytes)) {
		rtls_err_set(err, "no TLS report in it");
		return RTLS_NONE;
	}
	status = parse_data(bytes, &parsed.report, &parsed.notes, err);
	if (status == RTLS_NO_MEMORY)
		rtls_err_set(err, "out of memory");
	if (status == RTLS_OK)
		*received = parsed;
	return status;
}

void rtls_received_free(struct rtls_received *received)
{
	json_decref(received->report);
	received->report = NULL;
}
