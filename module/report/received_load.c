/* received_load.c - JSON under limits. jansson has none for memory: "[[],[],..." takes
 * fifty times its size. So the values are counted before it sees them. */
#include <setjmp.h>

#include "policy/text.h"
#include "report/received_json.h"

#define BOM      "\xef\xbb\xbf"
#define BOM_SIZE 3

/* The index of the quote that ends the string which begins at quote. */
static size_t end_of_string(struct rtls_slice text, size_t quote)
{
	size_t at = quote + 1;

	while (at < text.size && text.data[at] != '"')
		at += text.data[at] == '\\' ? 2 : 1;
	return at;
}

/* Is what jansson will build small enough? Up to the first error it reads the same tokens. */
static enum rtls_status check_limits(
	struct rtls_slice text, struct rtls_err *err)
{
	size_t values = 1, depth = 0;

	for (size_t at = 0; at < text.size; at++) {
		char byte = text.data[at];

		if (byte == '"')
			at = end_of_string(text, at);
		else if (byte == '[' || byte == '{')
			depth++;
		else if (depth > 0 && (byte == ']' || byte == '}'))
			depth--;
		values += byte == ',' || byte == ':' || byte == '[' ||
			  byte == '{';
		if (depth > RTLS_RECEIVED_DEPTH_MAX) {
			rtls_err_set(err, "the JSON is nested deeper than %d",
				RTLS_RECEIVED_DEPTH_MAX);
			return RTLS_INVALID;
		}
		if (values > RTLS_RECEIVED_VALUES_MAX) {
			rtls_err_set(err, "the JSON has more than %d values",
				RTLS_RECEIVED_VALUES_MAX);
			return RTLS_INVALID;
		}
	}
	return RTLS_OK;
}

/* --- jansson ------------------------------------------------------------------- */

/* Without memory jansson (2.14) loses bytes of the text it collects and says nothing; when that is a quote, it
 * goes on reading and writing behind the end. So it never sees that there is none: whatever it had until then
 * is lost, as much as one report takes. */
static json_malloc_t usual_malloc;
static json_free_t usual_free;
static jmp_buf no_memory;

static void *malloc_or_leave(size_t size)
{
	void *block = usual_malloc(size);

	if (block == NULL)
		longjmp(no_memory, 1);
	return block;
}

/* RTLS_OK: *json is what came of it, NULL when error says what is wrong. */
static enum rtls_status load(
	struct rtls_slice text, json_t **json, json_error_t *error)
{
	json_get_alloc_funcs(&usual_malloc, &usual_free);
	if (setjmp(no_memory) == 0) {
		json_set_alloc_funcs(malloc_or_leave, usual_free);
		*json = json_loadb(text.size == 0 ? "" : text.data, text.size,
			JSON_REJECT_DUPLICATES, error);
		json_set_alloc_funcs(usual_malloc, usual_free);
		return RTLS_OK;
	}
	json_set_alloc_funcs(usual_malloc, usual_free);
	return RTLS_NO_MEMORY;
}

enum rtls_status rtls_received_load(struct rtls_slice text, json_t **json,
	struct rtls_notes *notes, struct rtls_err *err)
{
	struct rtls_quoted q;
	json_error_t error;
	enum rtls_status status;
	json_t *loaded;

	if (rtls_slice_starts(text, BOM)) {
		rtls_notes_add(notes, RTLS_NOTE_SEEN, false, "",
			"a byte order mark in front");
		text = rtls_slice_n(text.data + BOM_SIZE, text.size - BOM_SIZE);
	}
	status = check_limits(text, err);
	if (status != RTLS_OK)
		return status;
	status = load(text, &loaded, &error);
	if (status != RTLS_OK)
		return status;
	if (loaded != NULL) {
		*json = loaded;
		return RTLS_OK;
	}
	rtls_err_set(err, "not JSON: line %d: %s", error.line,
		rtls_quoted(&q, rtls_slice(error.text)));
	return RTLS_INVALID;
}
