/* summary.c - gunzip, parse, check and sum up a TLS report. */
#include "tool/summary.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "policy/text.h"
#include "policy/timestamp.h"
#include "store/idna.h"
#include "tool/verb.h"

#define GZIP_MAGIC      "\x1f\x8b"
#define GZIP_ONLY       (16 + MAX_WBITS)
#define JSON_MEMORY_MAX (256U << 20)
#define REPORT_WORD_MAX 1024 /* a name, an id: more is no report */

/* --- gzip ------------------------------------------------------------------ */

/* Inflate members until the input ends (RFC 1952 section 2.2 allows several).
 * out has RTLS_REPORT_SIZE_MAX + 1 bytes. */
static const char *inflate_members(z_stream *stream)
{
	for (;;) {
		int result = inflate(stream, Z_NO_FLUSH);

		if (stream->avail_out == 0)
			return "larger than allowed when unpacked";
		if (result == Z_STREAM_END && stream->avail_in == 0)
			return NULL;
		if (result == Z_STREAM_END)
			result = inflateReset(stream);
		else if (stream->avail_in == 0)
			return "the gzip data end too early";
		if (result != Z_OK)
			return "malformed gzip data";
	}
}

static enum rtls_status gunzip(struct rtls_slice input, char **out,
	struct rtls_slice *text, struct rtls_err *err)
{
	z_stream stream = { .avail_in = (uInt)input.size };
	const char *wrong;

	*out = malloc(RTLS_REPORT_SIZE_MAX + 1);
	if (*out == NULL)
		return RTLS_NO_MEMORY;
	/* zlib only reads from next_in; its type is older than const. */
	stream.next_in = (Bytef *)(uintptr_t)input.data;
	stream.next_out = (Bytef *)*out;
	stream.avail_out = RTLS_REPORT_SIZE_MAX + 1;
	if (inflateInit2(&stream, GZIP_ONLY) != Z_OK)
		return RTLS_NO_MEMORY;
	wrong = inflate_members(&stream);
	*text = rtls_slice_n(
		*out, RTLS_REPORT_SIZE_MAX + 1 - (size_t)stream.avail_out);
	(void)inflateEnd(&stream);
	if (wrong == NULL)
		return RTLS_OK;
	rtls_err_set(err, "%s", wrong);
	return RTLS_INVALID;
}

/* --- JSON under a memory limit --------------------------------------------- */

static size_t json_memory;

/* "[[],[],..." takes fifty times its size when parsed. */
static void *limited_malloc(size_t size)
{
	void *block = NULL;

	if (size <= JSON_MEMORY_MAX - json_memory)
		block = malloc(size);
	if (block != NULL)
		json_memory += malloc_usable_size(block);
	if (json_memory > JSON_MEMORY_MAX)
		json_memory = JSON_MEMORY_MAX;
	return block;
}

static void limited_free(void *block)
{
	size_t size = block == NULL ? 0 : malloc_usable_size(block);

	json_memory -= size < json_memory ? size : json_memory;
	free(block);
}

static json_t *parse_json(struct rtls_slice text, struct rtls_err *err)
{
	struct rtls_quoted q;
	json_error_t error;
	json_t *json;

	json_set_alloc_funcs(limited_malloc, limited_free);
	json = json_loadb(text.size == 0 ? "" : text.data, text.size,
		JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		rtls_err_set(err, "line %d: %s", error.line,
			rtls_quoted(&q, rtls_slice(error.text)));
	return json;
}

/* --- structure ------------------------------------------------------------- */

/* What is being checked: the report, and where to say what is wrong. */
struct check {
	struct rtls_err *err;
	char where[40]; /* "policies[3]", or "the report" */
};

static bool expected(
	const struct check *check, const char *key, const char *what)
{
	rtls_err_set(
		check->err, "%s: %s: expected %s", check->where, key, what);
	return false;
}

static bool take_object(const struct check *check, const json_t *parent,
	const char *key, json_t **member)
{
	*member = json_object_get(parent, key);
	return json_is_object(*member) || expected(check, key, "an object");
}

static bool take_array(const struct check *check, const json_t *parent,
	const char *key, json_t **member)
{
	*member = json_object_get(parent, key);
	return json_is_array(*member) || expected(check, key, "an array");
}

static bool take_string(const struct check *check, const json_t *parent,
	const char *key, struct rtls_slice *text)
{
	const json_t *member = json_object_get(parent, key);

	if (!json_is_string(member) ||
		json_string_length(member) > REPORT_WORD_MAX)
		return expected(check, key, "a string");
	*text = rtls_slice_n(
		json_string_value(member), json_string_length(member));
	return true;
}

static bool take_count(const struct check *check, const json_t *parent,
	const char *key, json_int_t *count)
{
	const json_t *member = json_object_get(parent, key);

	if (!json_is_integer(member) || json_integer_value(member) < 0)
		return expected(check, key, "a number that is not negative");
	*count = json_integer_value(member);
	return true;
}

/* Absent, null, a string, or an array of strings. */
static bool check_strings(
	const struct check *check, const json_t *parent, const char *key)
{
	const json_t *member = json_object_get(parent, key);
	const json_t *item;
	size_t i;

	if (member == NULL || json_is_null(member) || json_is_string(member))
		return true;
	if (!json_is_array(member))
		return expected(check, key, "an array of strings");
	json_array_foreach(member, i,
		item) if (!json_is_string(item)) return expected(check, key,
		"an array of strings");
	return true;
}

static bool check_optional_string(
	const struct check *check, const json_t *parent, const char *key)
{
	const json_t *member = json_object_get(parent, key);

	return member == NULL || json_is_null(member) ||
	       json_is_string(member) || expected(check, key, "a string");
}

/* --- times ----------------------------------------------------------------- */

/* "", "Z", "+02:00" or "+0200"; none counts as UTC (Microsoft, earlier). */
static bool parse_zone(struct rtls_slice zone, int64_t *east_s)
{
	unsigned long long hours, minutes;
	size_t colon = zone.size == 6 && zone.data[3] == ':';

	*east_s = 0;
	if (zone.size == 0 || rtls_slice_is_nocase(zone, "Z"))
		return true;
	if (zone.size != 5 + colon ||
		(zone.data[0] != '+' && zone.data[0] != '-'))
		return false;
	if (!rtls_slice_number(rtls_slice_n(zone.data + 1, 2), 23, &hours) ||
		!rtls_slice_number(
			rtls_slice_n(zone.data + 3 + colon, 2), 59, &minutes))
		return false;
	*east_s = (int64_t)(hours * 3600 + minutes * 60);
	if (zone.data[0] == '-')
		*east_s = -*east_s;
	return true;
}

/* RFC 3339 with any zone, or none; fractions of a second are dropped. */
static bool parse_time(struct rtls_slice text, int64_t *time_s)
{
	char form[RTLS_TIMESTAMP_SIZE];
	size_t size = RTLS_TIMESTAMP_SIZE - 2; /* without "Z" */
	int64_t local_s, east_s;

	if (text.size < size || strchr("Tt ", text.data[10]) == NULL)
		return false;
	memcpy(form, text.data, size);
	form[10] = 'T';
	form[size] = 'Z';
	if (rtls_timestamp_parse(rtls_slice_n(form, size + 1), &local_s) !=
		RTLS_OK)
		return false;
	if (text.size > size && text.data[size] == '.')
		do
			size++;
		while (size < text.size && text.data[size] >= '0' &&
			text.data[size] <= '9');
	if (!parse_zone(
		    rtls_slice_n(text.data + size, text.size - size), &east_s))
		return false;
	*time_s = local_s - east_s;
	return true;
}

static bool take_time(const struct check *check, const json_t *range,
	const char *key, int64_t *time_s)
{
	struct rtls_slice text;

	return take_string(check, range, key, &text) &&
	       (parse_time(text, time_s) ||
		       expected(check, key, "a date and time (RFC 3339)"));
}

/* --- the parts of a report ------------------------------------------------- */

static bool check_details(const struct check *check, const json_t *policy)
{
	static const char *const texts[] = { "sending-mta-ip",
		"receiving-mx-hostname", "receiving-mx-helo", "receiving-ip",
		"additional-information", "failure-reason-code" };
	const json_t *details = json_object_get(policy, "failure-details");
	const json_t *detail;
	size_t i;

	if (details == NULL || json_is_null(details))
		return true;
	if (!json_is_array(details))
		return expected(check, "failure-details", "an array");
	json_array_foreach(details, i, detail)
	{
		struct rtls_slice type;
		json_int_t count;

		if (!json_is_object(detail))
			return expected(check, "failure-details", "objects");
		if (!take_string(check, detail, "result-type", &type) ||
			!take_count(
				check, detail, "failed-session-count", &count))
			return false;
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
			if (!check_optional_string(check, detail, texts[k]))
				return false;
	}
	return true;
}

/* policy-domain must be there, but for no-policy-found some leave it out. */
static bool take_domain(const struct check *check, const json_t *policy,
	struct rtls_slice type, char out[REPORT_WORD_MAX + 1])
{
	struct rtls_slice domain;

	out[0] = '\0';
	if (rtls_slice_is(type, "no-policy-found") &&
		json_object_get(policy, "policy-domain") == NULL)
		return true;
	if (!take_string(check, policy, "policy-domain", &domain))
		return false;
	if (rtls_idna_normalize(domain, out) == RTLS_OK)
		return true;
	return expected(check, "policy-domain", "a domain name");
}

static bool is_policy_type(struct rtls_slice type)
{
	return rtls_slice_is(type, "sts") || rtls_slice_is(type, "tlsa") ||
	       rtls_slice_is(type, "no-policy-found");
}

/* One element of policies; its summary, or NULL with err set. */
static json_t *sum_policy(const struct check *check, const json_t *element)
{
	char domain[REPORT_WORD_MAX + 1];
	json_t *policy, *summary;
	json_int_t success, failure;
	struct rtls_slice type;

	if (!json_is_object(element)) {
		(void)expected(check, "policies", "objects");
		return NULL;
	}
	if (!take_object(check, element, "policy", &policy) ||
		!take_string(check, policy, "policy-type", &type) ||
		!take_object(check, element, "summary", &summary) ||
		!take_count(check, summary, "total-successful-session-count",
			&success) ||
		!take_count(check, summary, "total-failure-session-count",
			&failure) ||
		!check_strings(check, policy, "policy-string") ||
		!check_strings(check, policy, "mx-host") ||
		!check_details(check, element))
		return NULL;
	if (!is_policy_type(type)) {
		(void)expected(
			check, "policy-type", "sts, tlsa or no-policy-found");
		return NULL;
	}
	if (!take_domain(check, policy, type, domain))
		return NULL;
	return json_pack("{s:s, s:o, s:I, s:I}", "domain", domain, "type",
		rtls_verb_json(type), "success", success, "failure", failure);
}

static json_t *sum_policies(struct check *check, const json_t *report)
{
	json_t *policies, *element;
	json_t *sums = json_array();
	size_t i;

	if (!take_array(check, report, "policies", &policies)) {
		json_decref(sums);
		return NULL;
	}
	json_array_foreach(policies, i, element)
	{
		struct rtls_text where;
		json_t *sum;

		rtls_text_init(&where, check->where, sizeof(check->where));
		rtls_text_printf(&where, "policies[%zu]", i);
		sum = sum_policy(check, element);
		if (sum == NULL || json_array_append_new(sums, sum) != 0) {
			json_decref(sums);
			return NULL;
		}
	}
	return sums;
}

/* The summary, or NULL with err set. */
static json_t *sum_report(const json_t *report, struct rtls_err *err)
{
	struct check check = { err, "the report" };
	char start[RTLS_TIMESTAMP_SIZE], end[RTLS_TIMESTAMP_SIZE];
	struct rtls_slice organization, id;
	int64_t start_s, end_s;
	json_t *range, *policies;

	rtls_err_set(
		err, "out of memory"); /* unless something better is said */
	if (!json_is_object(report)) {
		rtls_err_set(err, "the report is not an object");
		return NULL;
	}
	if (!take_string(&check, report, "organization-name", &organization) ||
		!take_string(&check, report, "report-id", &id) ||
		!check_optional_string(&check, report, "contact-info") ||
		!take_object(&check, report, "date-range", &range) ||
		!take_time(&check, range, "start-datetime", &start_s) ||
		!take_time(&check, range, "end-datetime", &end_s))
		return NULL;
	if (end_s < start_s) {
		(void)expected(&check, "date-range", "an end after its start");
		return NULL;
	}
	policies = sum_policies(&check, report);
	if (policies == NULL)
		return NULL;
	return json_pack("{s:o, s:o, s:s, s:s, s:o}", "organization-name",
		rtls_verb_json(organization), "report-id", rtls_verb_json(id),
		"start", rtls_timestamp_format(start, start_s), "end",
		rtls_timestamp_format(end, end_s), "policies", policies);
}

enum rtls_status rtls_summary_read(
	struct rtls_slice input, json_t **summary, struct rtls_err *err)
{
	enum rtls_status status = RTLS_OK;
	struct rtls_slice text = input;
	char *unpacked = NULL;
	json_t *report = NULL;

	*summary = NULL;
	if (rtls_slice_starts(input, GZIP_MAGIC))
		status = gunzip(input, &unpacked, &text, err);
	if (status == RTLS_OK)
		report = parse_json(text, err);
	free(unpacked);
	if (report != NULL)
		*summary = sum_report(report, err);
	json_decref(report);
	if (status == RTLS_OK && *summary == NULL)
		status = RTLS_INVALID;
	return status;
}
