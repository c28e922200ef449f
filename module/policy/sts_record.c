/* sts_record.c - parse the TXT record at _mta-sts.<domain>.
 *
 *   record    = "v=STSv1" 1*(delim field) [delim]     ; case-sensitive
 *   delim     = *WSP ";" *WSP
 *   field     = id / extension                        ; id is required
 *   id        = "id=" 1*32(ALPHA / DIGIT)             ; case-sensitive
 *   extension = name "=" value                        ; see field.h
 */
#include "sts_record.h"

#include "field.h"
#include "text.h"

#define VERSION "v=STSv1"

static bool is_id(struct rtls_slice value)
{
	if (value.size == 0 || value.size > RTLS_STS_ID_MAX)
		return false;
	for (size_t i = 0; i < value.size; i++)
		if (!rtls_byte_is_alnum(value.data[i]))
			return false;
	return true;
}

static enum rtls_status parse_field(struct rtls_slice *rest,
	struct rtls_sts_record *record, struct rtls_err *err)
{
	struct rtls_slice ahead = *rest, name, value;
	struct rtls_quoted q;

	if (!rtls_field_name(&ahead, &name) || !rtls_field_byte(&ahead, '=') ||
		!rtls_field_value(&ahead, &value))
		return rtls_field_invalid(*rest, err);
	*rest = ahead;
	/* RFC 8461 section 3.2: unknown fields are ignored ... */
	if (!rtls_slice_is(name, "id"))
		return RTLS_OK;
	/* ... and so are all but the first of a doubled field. */
	if (record->id.size > 0)
		return RTLS_OK;
	if (!is_id(value)) {
		rtls_err_set(err,
			"id must be 1 to %d letters and digits, not \"%s\"",
			RTLS_STS_ID_MAX, rtls_quoted(&q, value));
		return RTLS_INVALID;
	}
	record->id = value;
	return RTLS_OK;
}

enum rtls_status rtls_sts_record_parse(struct rtls_slice text,
	struct rtls_sts_record *record, struct rtls_err *err)
{
	struct rtls_sts_record parsed = { { NULL, 0 } };
	struct rtls_slice rest = text;

	if (!rtls_field_claims(text, VERSION))
		return RTLS_NONE;
	if (!rtls_field_version(&rest, VERSION)) {
		rtls_err_set(err, "expected \";\" behind " VERSION);
		return RTLS_INVALID;
	}
	while (rest.size > 0) {
		enum rtls_status status = parse_field(&rest, &parsed, err);

		if (status != RTLS_OK)
			return status;
		if (rest.size > 0 && !rtls_field_delim(&rest))
			return rtls_field_invalid(rest, err);
	}
	if (parsed.id.size == 0) {
		rtls_err_set(err, "id is missing");
		return RTLS_INVALID;
	}
	*record = parsed;
	return RTLS_OK;
}

enum rtls_status rtls_sts_record_select(const struct rtls_slice *texts,
	size_t count, struct rtls_sts_record *record, struct rtls_err *err)
{
	struct rtls_slice candidate;
	enum rtls_status status =
		rtls_field_select(texts, count, VERSION, &candidate, err);

	if (status != RTLS_OK)
		return status;
	return rtls_sts_record_parse(candidate, record, err);
}
