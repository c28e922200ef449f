/* report_json.c - the JSON of RFC 8460 section 4.4 (with EID 6241: mx-host is
 * an array) as I-JSON. Unknown keys are left out: an empty one trips as many
 * readers as null does (EDGE-CASES 149). So is policy-string without a policy. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "policy/sts_policy.h"
#include "policy/timestamp.h"
#include "policy/utf8.h"
#include "report/aggregate.h"
#include "store/policies.h"

#define TEXT_MAX         1024 /* characters of any one text */
#define POLICY_LINES_MAX (RTLS_STS_MX_MAX + 16)

struct builder {
	const struct rtls_config *config;
	char *policy; /* RTLS_STS_POLICY_SIZE_MAX + 1 bytes */
	bool failed;  /* no memory, at some point */
};

/* Takes over value; NULL is a failure of whoever made it. */
static void set(
	struct builder *builder, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		builder->failed = true;
}

static void append(struct builder *builder, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		builder->failed = true;
}

/* Foreign text stays as it was when it is clean, else it is quoted. */
static json_t *text_value(struct rtls_slice text)
{
	char quoted[TEXT_MAX + 1];

	if (text.size <= TEXT_MAX && rtls_utf8_is_clean(text))
		return json_stringn(
			text.data != NULL ? text.data : "", text.size);
	rtls_quote(quoted, sizeof(quoted), text);
	return json_string(quoted);
}

static void set_text(struct builder *builder, json_t *object, const char *key,
	struct rtls_slice text)
{
	set(builder, object, key, text_value(text));
}

static void set_known(struct builder *builder, json_t *object, const char *key,
	struct rtls_slice text)
{
	if (text.size > 0)
		set_text(builder, object, key, text);
}

static void set_count(struct builder *builder, json_t *object, const char *key,
	uint64_t count)
{
	set(builder, object, key, json_integer((json_int_t)count));
}

static json_t *build_date_range(
	struct builder *builder, const struct rtls_report *report)
{
	char text[RTLS_TIMESTAMP_SIZE];
	json_t *range = json_object();

	rtls_timestamp_format(text, report->begin_s);
	set(builder, range, "start-datetime", json_string(text));
	rtls_timestamp_format(text, report->end_s);
	set(builder, range, "end-datetime", json_string(text));
	return range;
}

/* A tab is as published too, and JSON can say it. */
static bool is_clean_but_for_tabs(struct rtls_slice line)
{
	while (line.size > 0)
		if (!rtls_utf8_is_clean(rtls_slice_take(&line, '\t')))
			return false;
	return true;
}

static json_t *line_value(struct rtls_slice line)
{
	if (line.size > 0 && line.size <= TEXT_MAX &&
		is_clean_but_for_tabs(line))
		return json_stringn(line.data, line.size);
	return text_value(line);
}

/* Section 4.5: the lines as published, or one TLSA record each. */
static json_t *build_lines(struct builder *builder, struct rtls_slice text)
{
	json_t *lines = json_array();
	struct rtls_slice line;

	while (json_array_size(lines) < POLICY_LINES_MAX &&
		rtls_slice_line(&text, &line))
		append(builder, lines, line_value(line));
	return lines;
}

static json_t *build_patterns(
	struct builder *builder, const struct rtls_sts_policy *policy)
{
	json_t *patterns = json_array();

	for (size_t i = 0; i < policy->mx_count; i++)
		append(builder, patterns, text_value(policy->mx[i]));
	return patterns;
}

static json_t *build_policy(
	struct builder *builder, const struct rtls_report_policy *policy)
{
	struct rtls_sts_policy parsed;
	struct rtls_slice text = rtls_slice("");
	json_t *object = json_object();
	bool is_known =
		policy->digest.size > 0 &&
		rtls_policies_get(builder->config->spool, policy->digest,
			builder->policy, &text, NULL) == RTLS_OK;

	set(builder, object, "policy-type",
		json_string(rtls_policy_type_name(policy->type)));
	/* An empty array would trip as many readers as an empty text. */
	if (is_known && text.size > 0)
		set(builder, object, "policy-string",
			build_lines(builder, text));
	set_text(builder, object, "policy-domain", policy->domain);
	/* An invalid policy was not applied: it has no patterns. */
	if (is_known && policy->type == RTLS_POLICY_STS &&
		rtls_sts_policy_parse(text, &parsed, NULL) == RTLS_OK &&
		parsed.mx_count > 0)
		set(builder, object, "mx-host",
			build_patterns(builder, &parsed));
	return object;
}

static json_t *build_summary(
	struct builder *builder, const struct rtls_report_policy *policy)
{
	json_t *summary = json_object();

	set_count(builder, summary, "total-successful-session-count",
		policy->successes);
	set_count(builder, summary, "total-failure-session-count",
		policy->failures);
	return summary;
}

static json_t *build_detail(
	struct builder *builder, const struct rtls_detail *detail)
{
	json_t *object = json_object();

	set(builder, object, "result-type",
		json_string(rtls_result_name(detail->result)));
	set_known(builder, object, "sending-mta-ip", detail->sending_ip);
	set_known(builder, object, "receiving-mx-hostname", detail->mx_host);
	set_known(builder, object, "receiving-mx-helo", detail->mx_helo);
	set_known(builder, object, "receiving-ip", detail->receiving_ip);
	set_count(builder, object, "failed-session-count", detail->count);
	set_known(builder, object, "failure-reason-code", detail->reason);
	return object;
}

static json_t *build_policies(
	struct builder *builder, const struct rtls_report *report)
{
	json_t *policies = json_array();

	for (size_t i = 0; i < report->policy_count; i++) {
		const struct rtls_report_policy *policy = report->policy[i];
		json_t *element = json_object();
		json_t *details = json_array();

		set(builder, element, "policy", build_policy(builder, policy));
		set(builder, element, "summary",
			build_summary(builder, policy));
		for (size_t k = 0; k < policy->detail_count; k++)
			append(builder, details,
				build_detail(builder, policy->detail[k]));
		set(builder, element, "failure-details", details);
		append(builder, policies, element);
	}
	return policies;
}

static json_t *build_report(struct builder *builder,
	const struct rtls_report *report, const struct rtls_report_names *names)
{
	const struct rtls_config *config = builder->config;
	json_t *object = json_object();

	set_text(builder, object, "organization-name",
		rtls_slice(config->organization));
	set(builder, object, "date-range", build_date_range(builder, report));
	set(builder, object, "contact-info", json_string(names->contact));
	set(builder, object, "report-id", json_string(names->id));
	set(builder, object, "policies", build_policies(builder, report));
	return object;
}

/* The text as it grows. jansson (2.14) does not look at each result of its output
 * function, so failure has to stick here: json_dumps() can lose a key. */
struct output {
	char *data;
	size_t size;
	size_t room;
	bool failed;
};

static int write_output(const char *bytes, size_t size, void *context)
{
	struct output *output = context;
	char *grown;

	if (!output->failed && size >= output->room - output->size) {
		size_t room = 2 * output->room + size + 256;

		grown = realloc(output->data, room);
		output->failed = grown == NULL;
		if (grown != NULL) {
			output->data = grown;
			output->room = room;
		}
	}
	if (output->failed)
		return -1;
	memcpy(output->data + output->size, bytes, size);
	output->size += size;
	output->data[output->size] = '\0';
	return 0;
}

static char *dump_json(const json_t *object)
{
	struct output output = { .data = NULL };

	if (json_dump_callback(object, write_output, &output, JSON_COMPACT) ==
			0 &&
		!output.failed)
		return output.data;
	free(output.data);
	return NULL;
}

char *rtls_report_json(
	const struct rtls_config *config, const struct rtls_report *report)
{
	struct builder builder = { .config = config };
	struct rtls_report_names names;
	json_t *object;
	char *text = NULL;

	if (rtls_report_names(config, report, &names, NULL) != RTLS_OK)
		return NULL;
	builder.policy = malloc(RTLS_STS_POLICY_SIZE_MAX + 1);
	if (builder.policy == NULL)
		return NULL;
	object = build_report(&builder, report, &names);
	if (!builder.failed)
		text = dump_json(object);
	json_decref(object);
	free(builder.policy);
	return text;
}
