/* notes.h - what was not as RFC 8460 wants it in a report that was understood all the same. */
#ifndef RTLS_NOTES_H
#define RTLS_NOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/slice.h"
#include "policy/status.h"

#define RTLS_NOTES_KEPT_MAX 32 /* different ones */
#define RTLS_NOTE_SIZE      256
#define RTLS_NOTE_WHERE_MAX 64

enum rtls_note_weight {
	RTLS_NOTE_SEEN,  /* large senders do so: harmless */
	RTLS_NOTE_WRONG, /* a number or a name may not be what was meant */
};

struct rtls_note {
	enum rtls_note_weight weight;
	bool is_kept; /* the normalised report still is like that; else it was repaired */
	size_t count; /* how often */
	char where
		[RTLS_NOTE_WHERE_MAX]; /* the first: "policies[3]", "" for the report itself */
	char text[RTLS_NOTE_SIZE]; /* printable */
};

struct rtls_notes {
	size_t count;
	size_t more; /* notes for which there was no room */
	size_t wrong; /* how often something was RTLS_NOTE_WRONG; one of these is always kept */
	struct rtls_note note[RTLS_NOTES_KEPT_MAX];
};

/* One more; the same words again only count.
 * notes  may be NULL: then nothing happens */
void rtls_notes_add(struct rtls_notes *notes, enum rtls_note_weight weight,
	bool is_kept, const char *where, const char *format, ...)
	RTLS_PRINTF(5, 6);

/* "policies[3]: text (7 times)"; returns out. */
const char *rtls_note_format(
	const struct rtls_note *note, char *out, size_t out_size);

#endif
