/* parse_text.c - see parse_text.h. */
#include "tool/parse_text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/sts_policy.h"
#include "policy/sts_record.h"
#include "policy/tlsrpt_record.h"
#include "policy/txt.h"
#include "report/received.h"
#include "tool/summary.h"
#include "tool/verb.h"

#define TXT_INPUT_MAX 1048576

/* --- TXT records ----------------------------------------------------------- */

/* The records of a name, as DNS gave them. */
struct records {
	size_t count;
	struct rtls_slice *text; /* borrows from the input and from joined */
	char *joined;
};

static void free_records(struct records *records)
{
	free(records->text);
	free(records->joined);
}

static bool allocate_records(struct records *records, struct rtls_slice input)
{
	size_t lines = 1;

	for (size_t i = 0; i < input.size; i++)
		lines += input.data[i] == '\n';
	records->count = 0;
	records->text = calloc(lines, sizeof(*records->text));
	records->joined = malloc(input.size + 1);
	return records->text != NULL && records->joined != NULL;
}

/* Does a line that cannot be joined begin like a record of ours? Then it is ours
 * and malformed; else it is just another TXT record. */
static bool claims(struct rtls_slice line, const char *version)
{
	line = rtls_slice_trim(line);
	if (line.size > 0 && line.data[0] == '"')
		line = rtls_slice_n(line.data + 1, line.size - 1);
	return rtls_slice_starts(line, version);
}

static enum rtls_status split_records(struct rtls_slice input,
	const char *version, struct records *records, struct rtls_err *err)
{
	struct rtls_slice rest = input, line;
	char *joined = records->joined;

	while (rtls_slice_line(&rest, &line)) {
		struct rtls_slice *text = &records->text[records->count];

		if (rtls_slice_trim(line).size == 0)
			continue;
		/* A joined record is never longer than its line. */
		if (rtls_txt_join(line, joined, line.size, text, err) !=
			RTLS_OK) {
			if (claims(line, version))
				return RTLS_INVALID;
			continue;
		}
		joined += line.size;
		records->count++;
	}
	return RTLS_OK;
}

static json_t *sts_record_json(
	const struct records *records, struct rtls_err *err)
{
	struct rtls_sts_record record;
	enum rtls_status status = rtls_sts_record_select(
		records->text, records->count, &record, err);

	if (status == RTLS_NONE)
		rtls_err_set(err, "no STSv1 record");
	if (status != RTLS_OK)
		return NULL;
	return json_pack("{s:o}", "id", rtls_verb_json(record.id));
}

static json_t *tlsrpt_record_json(
	const struct records *records, struct rtls_err *err)
{
	struct rtls_tlsrpt_record record;
	json_t *rua;
	enum rtls_status status = rtls_tlsrpt_record_select(
		records->text, records->count, &record, err);

	if (status == RTLS_NONE)
		rtls_err_set(err, "no TLSRPTv1 record");
	if (status != RTLS_OK)
		return NULL;
	rua = json_array();
	for (size_t i = 0; i < record.rua_count; i++)
		(void)json_array_append_new(rua, rtls_verb_json(record.rua[i]));
	return json_pack("{s:o}", "rua", rua);
}

/* To be freed by free_records() in any case; false with err set. */
static bool read_records(struct rtls_slice input, const char *version,
	struct records *records, struct rtls_err *err)
{
	if (allocate_records(records, input))
		return split_records(input, version, records, err) == RTLS_OK;
	rtls_err_set(err, "out of memory");
	return false;
}

static json_t *parse_sts_record(struct rtls_slice input, struct rtls_err *err)
{
	struct records records;
	json_t *json = NULL;

	if (read_records(input, "v=STSv1", &records, err))
		json = sts_record_json(&records, err);
	free_records(&records);
	return json;
}

static json_t *parse_tlsrpt_record(
	struct rtls_slice input, struct rtls_err *err)
{
	struct records records;
	json_t *json = NULL;

	if (read_records(input, "v=TLSRPTv1", &records, err))
		json = tlsrpt_record_json(&records, err);
	free_records(&records);
	return json;
}

/* --- policies and reports -------------------------------------------------- */

static json_t *lower_case(struct rtls_slice name)
{
	char lower[RTLS_DOMAIN_SIZE + 2]; /* "*." in front */

	if (!rtls_slice_copy(name, lower, sizeof(lower)))
		return rtls_verb_json(name);
	for (char *byte = lower; *byte != '\0'; byte++)
		if (*byte >= 'A' && *byte <= 'Z')
			*byte = (char)(*byte - 'A' + 'a');
	return rtls_verb_json(rtls_slice(lower));
}

static json_t *parse_sts_policy(struct rtls_slice input, struct rtls_err *err)
{
	struct rtls_sts_policy policy;
	json_t *mx;

	if (rtls_sts_policy_parse(input, &policy, err) != RTLS_OK)
		return NULL;
	mx = json_array();
	for (size_t i = 0; i < policy.mx_count; i++)
		(void)json_array_append_new(mx, lower_case(policy.mx[i]));
	return json_pack("{s:s, s:I, s:o}", "mode",
		rtls_sts_mode_name(policy.mode), "max_age",
		(json_int_t)policy.max_age_s, "mx", mx);
}

static json_t *parse_tlsrpt_report(
	struct rtls_slice input, struct rtls_err *err)
{
	json_t *summary;

	/* On failure the summary is NULL and err says why. */
	if (rtls_summary_read(input, &summary, err) == RTLS_NO_MEMORY)
		rtls_err_set(err, "out of memory");
	return summary;
}

/* --- the kinds ------------------------------------------------------------- */

static const struct rtls_parse_kind kinds[] = {
	{ "sts-record", TXT_INPUT_MAX, parse_sts_record },
	{ "sts-policy", RTLS_STS_POLICY_SIZE_MAX, parse_sts_policy },
	{ "tlsrpt-record", TXT_INPUT_MAX, parse_tlsrpt_record },
	{ "tlsrpt-report", RTLS_RECEIVED_INPUT_MAX, parse_tlsrpt_report },
};

const struct rtls_parse_kind *rtls_parse_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}
