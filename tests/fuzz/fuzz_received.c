/* fuzz_received.c - any bytes as what somebody sent: JSON, gzip or a message. What comes out is of the one
 * shape of received.h, and read again it comes out the same, without anything that would have to be
 * repaired; memory is bounded by the input. */
#include <malloc.h>
#include <string.h>

#include "fuzz.h"
#include "policy/timestamp.h"
#include "policy/utf8.h"
#include "report/gzip.h"
#include "report/received.h"

#define UNPACKED_MAX   65536 /* RTLS_RECEIVED_JSON_MAX when fuzzing */
#define BYTES_PER_BYTE 2048  /* "{}," becomes a whole policy */
#define BYTES_ANYWAY   65536

/* --- memory of jansson --------------------------------------------------------- */

static size_t used, peak;

static void *counted_malloc(size_t size)
{
	void *block = malloc(size);

	if (block != NULL)
		used += malloc_usable_size(block);
	if (used > peak)
		peak = used;
	return block;
}

static void counted_free(void *block)
{
	if (block != NULL)
		used -= malloc_usable_size(block);
	free(block);
}

/* --- the shape ----------------------------------------------------------------- */

static void check_text(const json_t *text)
{
	struct rtls_slice slice;

	PROPERTY(json_is_string(text));
	slice = rtls_slice_n(json_string_value(text), json_string_length(text));
	PROPERTY(slice.size <= RTLS_RECEIVED_TEXT_MAX);
	PROPERTY(rtls_utf8_is_clean(slice));
}

static void check_count(const json_t *count)
{
	PROPERTY(json_is_integer(count));
	PROPERTY(json_integer_value(count) >= 0);
	PROPERTY(json_integer_value(count) <= RTLS_RECEIVED_COUNT_MAX);
}

static void check_texts(const json_t *array)
{
	PROPERTY(json_is_array(array));
	for (size_t i = 0; i < json_array_size(array); i++)
		check_text(json_array_get(array, i));
}

static void check_detail(json_t *detail)
{
	const char *key;
	json_t *value;

	PROPERTY(json_is_string(json_object_get(detail, "result-type")));
	check_count(json_object_get(detail, "failed-session-count"));
	json_object_foreach(detail, key, value)
	{
		if (strcmp(key, "failed-session-count") == 0)
			continue;
		check_text(value);
		PROPERTY(json_string_length(value) > 0 ||
			 strcmp(key, "result-type") == 0);
	}
}

static void check_policy(const json_t *element)
{
	const json_t *policy = json_object_get(element, "policy");
	const json_t *summary = json_object_get(element, "summary");
	const json_t *details = json_object_get(element, "failure-details");

	check_text(json_object_get(policy, "policy-type"));
	check_text(json_object_get(policy, "policy-domain"));
	check_texts(json_object_get(policy, "policy-string"));
	check_texts(json_object_get(policy, "mx-host"));
	check_count(json_object_get(summary, "total-successful-session-count"));
	check_count(json_object_get(summary, "total-failure-session-count"));
	PROPERTY(json_is_array(details));
	for (size_t i = 0; i < json_array_size(details); i++)
		check_detail(json_array_get(details, i));
	PROPERTY(json_object_size(element) == 3);
	PROPERTY(json_object_size(policy) == 4);
	PROPERTY(json_object_size(summary) == 2);
}

static int64_t time_of(const json_t *report, const char *key)
{
	const json_t *text =
		json_object_get(json_object_get(report, "date-range"), key);
	int64_t time_s = 0;

	PROPERTY(rtls_timestamp_parse(rtls_slice(json_string_value(text)),
			 &time_s) == RTLS_OK);
	return time_s;
}

static void check_report(const json_t *report)
{
	const json_t *policies = json_object_get(report, "policies");

	check_text(json_object_get(report, "organization-name"));
	check_text(json_object_get(report, "contact-info"));
	check_text(json_object_get(report, "report-id"));
	PROPERTY(time_of(report, "start-datetime") <=
		 time_of(report, "end-datetime"));
	PROPERTY(json_is_array(policies));
	PROPERTY(json_object_size(report) == 5);
	for (size_t i = 0; i < json_array_size(policies); i++)
		check_policy(json_array_get(policies, i));
}

/* --- notes, and reading it again ------------------------------------------------ */

static void check_printable(const char *text)
{
	for (; *text != '\0'; text++)
		PROPERTY(*text >= ' ' && *text <= '~');
}

static void check_notes(const struct rtls_notes *notes)
{
	char line[RTLS_NOTE_SIZE + 128];
	size_t wrong = 0;

	PROPERTY(notes->count <= RTLS_NOTES_KEPT_MAX);
	for (size_t i = 0; i < notes->count; i++) {
		check_printable(
			rtls_note_format(&notes->note[i], line, sizeof(line)));
		wrong += notes->note[i].weight == RTLS_NOTE_WRONG;
	}
	PROPERTY((wrong > 0) == (notes->wrong > 0));
}

static void check_again(const json_t *report)
{
	char *text = json_dumps(report, JSON_COMPACT);
	struct rtls_received again;
	struct rtls_err err = { "" };

	PROPERTY(text != NULL);
	/* Numbers and escapes may take more room than they took. */
	if (strlen(text) <= RTLS_RECEIVED_JSON_MAX) {
		PROPERTY(rtls_received_parse(rtls_slice(text), &again, &err) ==
			 RTLS_OK);
		for (size_t i = 0; i < again.notes.count; i++)
			PROPERTY(again.notes.note[i].is_kept);
		PROPERTY(json_equal(again.report, report));
		rtls_received_free(&again);
	}
	counted_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_slice input = fuzz_input(data, size);
	struct rtls_received received;
	struct rtls_err err = { "" };
	enum rtls_status status;

	json_set_alloc_funcs(counted_malloc, counted_free);
	used = peak = 0;
	status = rtls_received_parse(input, &received, &err);
	/* Whatever may have been packed in it. */
	PROPERTY(peak <= BYTES_ANYWAY + BYTES_PER_BYTE * UNPACKED_MAX);
	if (size > 0 && data[0] == '{')
		PROPERTY(peak <= BYTES_ANYWAY + BYTES_PER_BYTE * size);
	if (status != RTLS_OK) {
		PROPERTY(status == RTLS_INVALID || status == RTLS_NONE);
		PROPERTY(err.text[0] != '\0');
		check_printable(err.text);
		PROPERTY(used == 0);
		return 0;
	}
	check_report(received.report);
	check_notes(&received.notes);
	PROPERTY(rtls_utf8_is_clean(rtls_slice(received.from)));
	PROPERTY(rtls_utf8_is_clean(rtls_slice(received.subject)));
	PROPERTY(rtls_utf8_is_clean(rtls_slice(received.domain)));
	PROPERTY(rtls_utf8_is_clean(rtls_slice(received.submitter)));
	check_again(received.report);
	rtls_received_free(&received);
	PROPERTY(used == 0);
	return 0;
}
