/* text.h - build text in a buffer of the caller's that has a cap, and quote
 * what strangers sent.
 *
 * Writing behind the cap sets overflow and writes nothing more; the caller
 * looks once, at the end. The text is always terminated. */
#ifndef RTLS_TEXT_H
#define RTLS_TEXT_H

#include "slice.h"
#include "status.h"

struct rtls_text {
	char *data;
	size_t size; /* bytes written, the terminator not counted */
	size_t cap;  /* bytes of data, the terminator counted */
	bool overflow;
};

/* cap must be at least 1; data is borrowed and must outlive the text. */
void rtls_text_init(struct rtls_text *text, char *data, size_t cap);
void rtls_text_add(struct rtls_text *text, struct rtls_slice slice);
void rtls_text_printf(struct rtls_text *text, const char *format, ...)
	RTLS_PRINTF(2, 3);
struct rtls_slice rtls_text_slice(const struct rtls_text *text);

/*
 * The one way foreign bytes reach a log line, a report or a string of Exim's:
 * printable ASCII stays; backslash, double quote, control characters, DEL and
 * all bytes above 126 become \xHH. What does not fit is cut at a whole
 * character and marked with "...".
 */
void rtls_quote(char *out, size_t out_size, struct rtls_slice foreign);
void rtls_text_quote(struct rtls_text *text, struct rtls_slice foreign);

/* A quoted text for one printf: struct rtls_quoted q;
 * printf("%s", rtls_quoted(&q, slice)). At most 120 characters. */
struct rtls_quoted {
	char text[128];
};
const char *rtls_quoted(struct rtls_quoted *quoted, struct rtls_slice foreign);

#endif
