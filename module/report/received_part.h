/* received_part.h - for received_*.c: one value of foreign JSON to one of the normalised report. */
#ifndef RTLS_RECEIVED_PART_H
#define RTLS_RECEIVED_PART_H

#include "report/received_json.h"

/* A report on its way. */
struct rtls_part {
	struct rtls_notes *notes;
	struct rtls_err *err;
	char where[RTLS_NOTE_WHERE_MAX]; /* "policies[3]" */
	enum rtls_status
		status; /* of the first failure; what comes after does not matter */
};

/* A note about the part in hand. */
#define RTLS_PART_NOTE(part, weight, is_kept, ...)                             \
	rtls_notes_add((part)->notes, (weight), (is_kept), (part)->where,      \
		__VA_ARGS__)

/* Takes over value; NULL is a failure of whoever made it: no memory. */
void rtls_part_set(
	struct rtls_part *part, json_t *object, const char *key, json_t *value);
void rtls_part_append(struct rtls_part *part, json_t *array, json_t *value);

/* It cannot be understood; the first such reason counts. */
void rtls_part_fail(struct rtls_part *part, const char *format, ...)
	RTLS_PRINTF(2, 3);

/* A member that is a text, or a whole number, in out (RTLS_RECEIVED_TEXT_MAX + 1 bytes): clean,
 * not too long. False: there is none, and out is "". */
bool rtls_part_text(struct rtls_part *part, const json_t *parent,
	const char *key, char *out);

/* Clean text of any bytes; returns a string of JSON or NULL: no memory. */
json_t *rtls_part_clean(
	struct rtls_part *part, const char *key, struct rtls_slice text);

/* Copy a text; "" when there is none, with a note of this weight. */
void rtls_part_required(struct rtls_part *part, json_t *object,
	const json_t *parent, const char *key, enum rtls_note_weight weight);

/* Copy a text if there is one that says something. */
void rtls_part_optional(struct rtls_part *part, json_t *object,
	const json_t *parent, const char *key);
void rtls_part_address(struct rtls_part *part, json_t *object,
	const json_t *parent, const char *key);
void rtls_part_host(struct rtls_part *part, json_t *object,
	const json_t *parent, const char *key);

/* Copy a count; what is none becomes 0. Returns it. */
json_int_t rtls_part_count(struct rtls_part *part, json_t *object,
	const json_t *parent, const char *key);

/* Copy an array of texts; empty when there is none. */
void rtls_part_strings(struct rtls_part *part, json_t *object,
	const json_t *parent, const char *key);

/* A note for each member that is not among the known ones (the last is NULL). */
void rtls_part_unknown(
	struct rtls_part *part, json_t *object, const char *const *known);

#endif
