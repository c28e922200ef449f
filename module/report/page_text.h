/* page_text.h - text into an HTML page that is XML as well. All that strangers wrote reaches the
 * page through rtls_page_put(), in text and in attributes alike.
 * What a write comes to the caller sees by ferror(), once, at the end. */
#ifndef RTLS_PAGE_TEXT_H
#define RTLS_PAGE_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include "policy/slice.h"

#define RTLS_PAGE_TEXT_MAX                                                     \
	300 /* characters of a text, where nothing less is said */

/*
 * Markup becomes character references. Control characters, bytes that are no UTF-8 and what
 * changes the look of its neighbours without being seen (direction, width zero) become
 * \xHH or \uHHHH. Of many marks on one letter the rest is left out. What is longer than
 * characters_max is cut, and ends in "…".
 */
void rtls_page_put(FILE *out, struct rtls_slice text, size_t characters_max);

/* The same with RTLS_PAGE_TEXT_MAX, as an element of its own direction. */
void rtls_page_put_foreign(FILE *out, struct rtls_slice text);

/* "1,203,004" */
void rtls_page_put_count(FILE *out, uint64_t count);

/* "0%", "<0.01%", "0.25%", "12.5%", "100%": nothing only when it is nothing, all when it is all. */
void rtls_page_put_share(FILE *out, uint64_t part, uint64_t whole);

/* "2026-11-20" and "Nov 20"; day_s is a second of the day, in UTC. */
void rtls_page_put_date(FILE *out, int64_t day_s);
void rtls_page_put_short_date(FILE *out, int64_t day_s);

#endif
