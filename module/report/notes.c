/* notes.c - see notes.h. */
#include "report/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/text.h"

static struct rtls_note *find_note(struct rtls_notes *notes, const char *text)
{
	for (size_t i = 0; i < notes->count; i++)
		if (strcmp(notes->note[i].text, text) == 0)
			return &notes->note[i];
	return NULL;
}

/* Where a note of this weight goes. NULL: there is no room. What is harmless makes
 * room for what is not. */
static struct rtls_note *take_room(
	struct rtls_notes *notes, enum rtls_note_weight weight)
{
	if (notes->count < RTLS_NOTES_KEPT_MAX)
		return &notes->note[notes->count++];
	notes->more++;
	if (weight == RTLS_NOTE_WRONG)
		for (size_t i = RTLS_NOTES_KEPT_MAX; i > 0; i--)
			if (notes->note[i - 1].weight == RTLS_NOTE_SEEN)
				return &notes->note[i - 1];
	return NULL;
}

void rtls_notes_add(struct rtls_notes *notes, enum rtls_note_weight weight,
	bool is_kept, const char *where, const char *format, ...)
{
	char text[RTLS_NOTE_SIZE];
	struct rtls_note *note;
	va_list args;

	if (notes == NULL)
		return;
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	va_end(args);
	notes->wrong += weight == RTLS_NOTE_WRONG;
	note = find_note(notes, text);
	if (note != NULL) {
		note->count++;
		return;
	}
	note = take_room(notes, weight);
	if (note == NULL)
		return;
	note->weight = weight;
	note->is_kept = is_kept;
	note->count = 1;
	(void)snprintf(note->where, sizeof(note->where), "%s", where);
	(void)snprintf(note->text, sizeof(note->text), "%s", text);
}

const char *rtls_note_format(
	const struct rtls_note *note, char *out, size_t out_size)
{
	struct rtls_text text;

	rtls_text_init(&text, out, out_size);
	if (note->where[0] != '\0')
		rtls_text_printf(&text, "%s: ", note->where);
	rtls_text_printf(&text, "%s", note->text);
	if (note->count > 1)
		rtls_text_printf(&text, " (%zu times)", note->count);
	return out;
}
