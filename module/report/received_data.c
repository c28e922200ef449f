/* received_data.c - the bytes of a report: JSON, or gzip of it. */
#include <stdlib.h>

#include "report/gzip.h"
#include "report/received_json.h"

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

enum rtls_status rtls_received_data(struct rtls_slice data, json_t **report,
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
