/* tag_list.h - "name=value; name=value", as DKIM keys and DMARC records are written (RFC 6376
 * section 3.2). Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_TAG_LIST_H
#define RTLS_TAG_LIST_H

#include "slice.h"
#include "status.h"

#define RTLS_TAGS_MAX 32

struct rtls_tag {
	struct rtls_slice name; /* a letter, then letters, digits, "_" */
	struct rtls_slice
		value; /* without the blanks around it; may be empty */
};

struct rtls_tag_list {
	size_t count;
	struct rtls_tag tag[RTLS_TAGS_MAX]; /* borrowed, each name once */
};

/*
 * list          filled on RTLS_OK, else untouched
 * RTLS_INVALID  not of that form, a name twice, or too many; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_tag_list_parse(struct rtls_slice text,
	struct rtls_tag_list *list, struct rtls_err *err);

/* The value, or NULL. Names are case-sensitive. */
const struct rtls_slice *rtls_tag_list_get(
	const struct rtls_tag_list *list, const char *name);

#endif
