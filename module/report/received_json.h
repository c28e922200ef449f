/* received_json.h - foreign JSON to the one shape of received.h. Pure, bounded memory. */
#ifndef RTLS_RECEIVED_JSON_H
#define RTLS_RECEIVED_JSON_H

#include "report/received.h"

/*
 * json   for json_decref(); set on RTLS_OK only
 * RTLS_INVALID  no JSON, or too deep, too many values, a member twice; err says which
 */
RTLS_MUST_CHECK enum rtls_status rtls_received_load(struct rtls_slice text,
	json_t **json, struct rtls_notes *notes, struct rtls_err *err);

/*
 * foreign  any JSON that rtls_received_load() gave
 * report   for json_decref(); set on RTLS_OK only
 * RTLS_INVALID  it cannot be understood; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_received_normalise(json_t *foreign,
	json_t **report, struct rtls_notes *notes, struct rtls_err *err);

/* Both, of JSON or gzip of it; as rtls_received_normalise(). */
RTLS_MUST_CHECK enum rtls_status rtls_received_data(struct rtls_slice data,
	json_t **report, struct rtls_notes *notes, struct rtls_err *err);

#endif
