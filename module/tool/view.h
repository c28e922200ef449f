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

#define RTLS_VIEW_AGE_SIZE   40
#define RTLS_VIEW_STATE_SIZE 64

/* "in 6 days", "3 hours ago", "-" for never. */
const char *rtls_view_age(
	char out[RTLS_VIEW_AGE_SIZE], int64_t time_s, int64_t now_s);

/* "2 hosts (DNSSEC)", or what there is instead. */
const char *rtls_view_mx_state(
	char out[RTLS_VIEW_STATE_SIZE], const struct rtls_record *record);

/* "valid" and so on. */
const char *rtls_view_txt_name(enum rtls_txt_state txt);

/* All of it; NULL: no memory. */
json_t *rtls_view_json(const struct rtls_record *record, int64_t now_s);

#endif
