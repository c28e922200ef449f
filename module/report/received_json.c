/* received_json.c - RFC 8460 section 4.4, read as it is meant. */
#include "report/received_json.h"

#include <stdio.h>
#include <string.h>

#include "policy/result.h"
#include "policy/text.h"
#include "policy/timestamp.h"
#include "report/received_part.h"
#include "report/received_time.h"
#include "store/idna.h"

typedef char text_buffer[RTLS_RECEIVED_TEXT_MAX + 1];

static bool lower_case(char *text)
{
	bool is_changed = false;

	for (; *text != '\0'; text++) {
		if (*text < 'A' || *text > 'Z')
			continue;
		*text = (char)(*text - 'A' + 'a');
		is_changed = true;
	}
	return is_changed;
}

/* --- failure-details ---------------------------------------------------------- */

static void set_result(
	struct rtls_part *part, json_t *out, const json_t *detail)
{
	struct rtls_quoted q;
	enum rtls_result result;
	text_buffer type;

	if (!rtls_part_text(part, detail, "result-type", type))
		RTLS_PART_NOTE(
			part, RTLS_NOTE_WRONG, true, "result-type: left out");
	if (lower_case(type))
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
			"result-type: not in lower case");
	if (type[0] != '\0' &&
		(rtls_result_parse(rtls_slice(type), &result) != RTLS_OK ||
			result == RTLS_RESULT_SUCCESS))
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, true,
			"result-type: \"%s\" is none of RFC 8460",
			rtls_quoted(&q, rtls_slice(type)));
	rtls_part_set(part, out, "result-type", json_string(type));
}

/* Some write the name that an early draft had. */
static void set_reason(
	struct rtls_part *part, json_t *out, const json_t *detail)
{
	text_buffer reason;

	rtls_part_optional(part, out, detail, "failure-reason-code");
	if (!rtls_part_text(part, detail, "failure-error-code", reason))
		return;
	RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
		"failure-error-code instead of failure-reason-code");
	if (json_object_get(out, "failure-reason-code") == NULL)
		rtls_part_set(
			part, out, "failure-reason-code", json_string(reason));
}

static json_t *normalise_detail(struct rtls_part *part, json_t *detail)
{
	static const char *const known[] = { "result-type", "sending-mta-ip",
		"receiving-mx-hostname", "receiving-mx-helo", "receiving-ip",
		"failed-session-count", "additional-information",
		"failure-reason-code", "failure-error-code", NULL };
	json_t *out = json_object();

	set_result(part, out, detail);
	rtls_part_address(part, out, detail, "sending-mta-ip");
	rtls_part_host(part, out, detail, "receiving-mx-hostname");
	rtls_part_optional(part, out, detail, "receiving-mx-helo");
	rtls_part_address(part, out, detail, "receiving-ip");
	(void)rtls_part_count(part, out, detail, "failed-session-count");
	rtls_part_optional(part, out, detail, "additional-information");
	set_reason(part, out, detail);
	rtls_part_unknown(part, detail, known);
	return out;
}

static void append_details(
	struct rtls_part *part, json_t *array, json_t *details)
{
	size_t place = strlen(part->where);
	json_t *detail;
	size_t i;

	if (json_array_size(details) > RTLS_RECEIVED_DETAILS_MAX) {
		rtls_part_fail(part, "more than %d failure-details",
			RTLS_RECEIVED_DETAILS_MAX);
		return;
	}
	json_array_foreach(details, i, detail)
	{
		(void)snprintf(part->where + place, sizeof(part->where) - place,
			".failure-details[%zu]", i);
		if (json_is_object(detail))
			rtls_part_append(
				part, array, normalise_detail(part, detail));
		else
			RTLS_PART_NOTE(part, RTLS_NOTE_WRONG, false,
				"not an object, left out");
		part->where[place] = '\0';
	}
}

/* A report without failures may leave them out, as large senders do. */
static json_t *normalise_details(
	struct rtls_part *part, const json_t *element, json_int_t failures)
{
	json_t *details = json_object_get(element, "failure-details");
	json_t *array = json_array();

	if (json_is_array(details))
		append_details(part, array, details);
	else if (details == NULL && failures > 0)
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
			"failure-details: left out");
	else if (json_is_null(details))
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
			"failure-details: null instead of an array");
	else if (details != NULL)
		RTLS_PART_NOTE(part, RTLS_NOTE_WRONG, false,
			"failure-details: not an array");
	return array;
}

/* --- policy ------------------------------------------------------------------- */

/* U-labels are a mistake (section 4.4); no domain name at all stays as it is. */
static void set_domain(struct rtls_part *part, json_t *out,
	const json_t *policy, const char *type)
{
	char domain[RTLS_DOMAIN_SIZE], ascii[RTLS_DOMAIN_SIZE];
	text_buffer text;
	struct rtls_slice given;
	enum rtls_status status;

	if (!rtls_part_text(part, policy, "policy-domain", text)) {
		RTLS_PART_NOTE(part,
			strcmp(type, "no-policy-found") == 0 ? RTLS_NOTE_SEEN
							     : RTLS_NOTE_WRONG,
			true, "policy-domain: left out");
		rtls_part_set(part, out, "policy-domain", json_string(""));
		return;
	}
	given = rtls_slice(text);
	status = rtls_idna_normalize(given, domain);
	if (status == RTLS_NO_MEMORY)
		part->status = RTLS_NO_MEMORY;
	if (status != RTLS_OK) {
		RTLS_PART_NOTE(part, RTLS_NOTE_WRONG, true,
			"policy-domain: not a domain name");
		rtls_part_set(part, out, "policy-domain", json_string(text));
		return;
	}
	if (rtls_domain_normalize(given, ascii) != RTLS_OK)
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
			"policy-domain: not in A-labels");
	rtls_part_set(part, out, "policy-domain", json_string(domain));
}

static void set_type(struct rtls_part *part, json_t *out, const json_t *policy,
	text_buffer type)
{
	struct rtls_quoted q;

	if (!rtls_part_text(part, policy, "policy-type", type))
		RTLS_PART_NOTE(
			part, RTLS_NOTE_WRONG, true, "policy-type: left out");
	if (lower_case(type))
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, false,
			"policy-type: not in lower case");
	if (type[0] != '\0' && strcmp(type, "sts") != 0 &&
		strcmp(type, "tlsa") != 0 &&
		strcmp(type, "no-policy-found") != 0)
		RTLS_PART_NOTE(part, RTLS_NOTE_WRONG, true,
			"policy-type: \"%s\" is none of RFC 8460",
			rtls_quoted(&q, rtls_slice(type)));
	rtls_part_set(part, out, "policy-type", json_string(type));
}

static json_t *normalise_policy(
	struct rtls_part *part, json_t *policy, text_buffer type)
{
	static const char *const known[] = { "policy-type", "policy-string",
		"policy-domain", "mx-host", NULL };
	json_t *out = json_object();

	set_type(part, out, policy, type);
	rtls_part_strings(part, out, policy, "policy-string");
	set_domain(part, out, policy, type);
	rtls_part_strings(part, out, policy, "mx-host");
	rtls_part_unknown(part, policy, known);
	return out;
}

/* Was there a policy to hold sessions against? Not where none could be had. */
static bool was_applied(json_int_t successes, const json_t *details)
{
	const json_t *detail;
	size_t i;

	if (successes > 0)
		return true;
	json_array_foreach(details, i, detail)
	{
		enum rtls_result result;
		const char *type = json_string_value(
			json_object_get(detail, "result-type"));

		if (rtls_result_parse(rtls_slice(type), &result) != RTLS_OK ||
			result < RTLS_RESULT_TLSA_INVALID)
			return true;
	}
	return false;
}

static bool has_mx_line(const json_t *lines)
{
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		if (rtls_slice_starts(
			    rtls_slice(json_string_value(line)), "mx:"))
			return true;
	}
	return false;
}

/* What has to be there of a policy that was applied. */
static void check_policy(
	struct rtls_part *part, const json_t *policy, const char *type)
{
	const json_t *lines = json_object_get(policy, "policy-string");
	const json_t *hosts = json_object_get(policy, "mx-host");
	bool is_sts = strcmp(type, "sts") == 0;

	if ((is_sts || strcmp(type, "tlsa") == 0) &&
		json_array_size(lines) == 0)
		RTLS_PART_NOTE(
			part, RTLS_NOTE_SEEN, true, "policy-string: left out");
	if (is_sts && has_mx_line(lines) && json_array_size(hosts) == 0)
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, true, "mx-host: left out");
}

static json_t *normalise_element(struct rtls_part *part, json_t *element)
{
	static const char *const known[] = { "policy", "summary",
		"failure-details", NULL };
	static const char *const known_sums[] = {
		"total-successful-session-count", "total-failure-session-count",
		NULL
	};
	json_t *foreign_sums = json_object_get(element, "summary");
	json_t *out = json_object(), *sums = json_object();
	json_t *policy, *details;
	json_int_t successes, failures;
	text_buffer type;

	policy = normalise_policy(
		part, json_object_get(element, "policy"), type);
	successes = rtls_part_count(part, sums, foreign_sums, known_sums[0]);
	failures = rtls_part_count(part, sums, foreign_sums, known_sums[1]);
	rtls_part_unknown(part, foreign_sums, known_sums);
	details = normalise_details(part, element, failures);
	if (was_applied(successes, details))
		check_policy(part, policy, type);
	rtls_part_unknown(part, element, known);
	rtls_part_set(part, out, "policy", policy);
	rtls_part_set(part, out, "summary", sums);
	rtls_part_set(part, out, "failure-details", details);
	return out;
}

static json_t *normalise_policies(struct rtls_part *part, json_t *report)
{
	json_t *policies = json_object_get(report, "policies");
	json_t *array = json_array();
	json_t *element;
	size_t i;

	if (!json_is_array(policies))
		rtls_part_fail(part, "policies: expected an array");
	else if (json_array_size(policies) > RTLS_RECEIVED_POLICIES_MAX)
		rtls_part_fail(part, "more than %d policies",
			RTLS_RECEIVED_POLICIES_MAX);
	if (part->status != RTLS_OK)
		return array;
	json_array_foreach(policies, i, element)
	{
		(void)snprintf(
			part->where, sizeof(part->where), "policies[%zu]", i);
		if (json_is_object(element))
			rtls_part_append(
				part, array, normalise_element(part, element));
		else
			RTLS_PART_NOTE(part, RTLS_NOTE_WRONG, false,
				"not an object, left out");
	}
	part->where[0] = '\0';
	return array;
}

/* --- the report --------------------------------------------------------------- */

static int64_t read_time(
	struct rtls_part *part, const json_t *range, const char *key)
{
	text_buffer text;
	int64_t time_s = 0;

	if (!json_is_string(json_object_get(range, key)) ||
		!rtls_part_text(part, range, key, text) ||
		rtls_received_time(rtls_slice(text), &time_s, part->notes) !=
			RTLS_OK)
		rtls_part_fail(part,
			"date-range: %s: expected a date and time (RFC 3339)",
			key);
	return time_s;
}

static void set_time(
	struct rtls_part *part, json_t *out, const char *key, int64_t time_s)
{
	char text[RTLS_TIMESTAMP_SIZE];

	rtls_part_set(part, out, key,
		json_string(rtls_timestamp_format(text, time_s)));
}

static json_t *normalise_range(struct rtls_part *part, const json_t *report)
{
	static const char *const known[] = { "start-datetime", "end-datetime",
		NULL };
	json_t *range = json_object_get(report, "date-range");
	json_t *out = json_object();
	int64_t start_s, end_s;

	if (!json_is_object(range))
		rtls_part_fail(part, "date-range: expected an object");
	start_s = read_time(part, range, known[0]);
	end_s = read_time(part, range, known[1]);
	if (end_s < start_s) {
		int64_t later_s = start_s;

		RTLS_PART_NOTE(part, RTLS_NOTE_WRONG, false,
			"date-range: ends before it starts, turned round");
		start_s = end_s;
		end_s = later_s;
	}
	if (end_s - start_s > RTLS_DAY_S)
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, true,
			"date-range: longer than a day");
	rtls_part_unknown(part, range, known);
	set_time(part, out, known[0], start_s);
	set_time(part, out, known[1], end_s);
	return out;
}

static void check_contact(struct rtls_part *part, const json_t *out)
{
	const char *contact =
		json_string_value(json_object_get(out, "contact-info"));

	if (contact != NULL && contact[0] != '\0' &&
		strchr(contact, '@') == NULL)
		RTLS_PART_NOTE(part, RTLS_NOTE_SEEN, true,
			"contact-info: not a mail address");
}

enum rtls_status rtls_received_normalise(json_t *foreign, json_t **report,
	struct rtls_notes *notes, struct rtls_err *err)
{
	static const char *const known[] = { "organization-name", "date-range",
		"contact-info", "report-id", "policies", NULL };
	struct rtls_part part = { .notes = notes, .err = err };
	json_t *out;

	if (!json_is_object(foreign)) {
		rtls_err_set(err, "the report is not an object");
		return RTLS_INVALID;
	}
	out = json_object();
	rtls_part_required(
		&part, out, foreign, "organization-name", RTLS_NOTE_WRONG);
	rtls_part_set(
		&part, out, "date-range", normalise_range(&part, foreign));
	rtls_part_required(&part, out, foreign, "contact-info", RTLS_NOTE_SEEN);
	check_contact(&part, out);
	rtls_part_required(&part, out, foreign, "report-id", RTLS_NOTE_WRONG);
	rtls_part_set(
		&part, out, "policies", normalise_policies(&part, foreign));
	rtls_part_unknown(&part, foreign, known);
	if (part.status == RTLS_OK)
		*report = out;
	else
		json_decref(out);
	return part.status;
}
