/* nearest.h - the name somebody may have meant who wrote another: "did you mean".
 * Pure. */
#ifndef RTLS_NEAREST_H
#define RTLS_NEAREST_H

#include "slice.h"

/* .word is what was written, the rest starts as zero. */
struct rtls_nearest {
	struct rtls_slice word;
	const char *name; /* the nearest so far; NULL: none is near */
	size_t edits;     /* how far it is */
};

/* Is this name nearer? One edit is a letter too many, missing or other, or two that changed
 * places; one is near, and one more for every four letters. name is borrowed. */
void rtls_nearest_try(struct rtls_nearest *nearest, const char *name);

/* A clause for the end of a message: "; did you mean \"x\"?", or "". prefix stands before each
 * name, say "--". */
struct rtls_nearest_hint {
	char text[64];
};
const char *rtls_nearest_hint(struct rtls_nearest_hint *hint,
	const struct rtls_nearest *nearest, const char *prefix);

#endif
