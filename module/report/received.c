/* received.c - what kind of thing came, and what is in it. */
#include "report/received.h"

#include <string.h>

#include "report/gzip.h"
#include "report/received_json.h"
#include "report/received_mail.h"

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

enum rtls_status rtls_received_parse(struct rtls_slice bytes,
	struct rtls_received *received, struct rtls_err *err)
{
	struct rtls_received parsed = { .report = NULL };
	enum rtls_status status;

	if (rtls_gzip_is(bytes) || is_json(bytes))
		status = rtls_received_data(
			bytes, &parsed.report, &parsed.notes, err);
	else
		status = rtls_received_mail(bytes, &parsed, err);
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
