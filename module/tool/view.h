/* view.h - a cache record for people and as JSON. */
#ifndef RTLS_VIEW_H
#define RTLS_VIEW_H

#include <jansson.h>
#include <stdint.h>

#include "policy/record.h"

/* Several lines on stdout, for `resolve` and `cache show`. */
void rtls_view_print(const struct rtls_record *record, int64_t now_s);

/* One line on stdout for `cache list`, and the line above them. */
void rtls_view_print_heading(void);
void rtls_view_print_row(const struct rtls_record *record, int64_t now_s);

/* "mx=2 hosts (DNSSEC) sts=enforce id=20261101": for `cache refresh`. */
void rtls_view_summary(
	const struct rtls_record *record, int64_t now_s, struct rtls_text *out);

/* All of it; NULL: no memory. */
json_t *rtls_view_json(const struct rtls_record *record, int64_t now_s);

#endif
