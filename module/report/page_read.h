/* page_read.h - the keys of a report, whatever JSON it is: what is something else than it
 * should be counts as missing. For page_model*.c only. */
#ifndef RTLS_PAGE_READ_H
#define RTLS_PAGE_READ_H

#include <jansson.h>

#include "page_model_nodes.h"

/* Borrowed, at most RTLS_PAGE_PIECE_MAX bytes of it and no half of a character; empty when
 * missing. */
struct rtls_slice rtls_page_read_text(const json_t *object, const char *key);

/* missing: what it is without the key, or where that holds no count. */
uint64_t rtls_page_read_count(
	const json_t *object, const char *key, uint64_t missing);

/* An array of texts, or one text, as lines in the buffer. */
struct rtls_slice rtls_page_read_lines(const json_t *object, const char *key,
	char buffer[RTLS_PAGE_LINES_MAX]);

#endif
