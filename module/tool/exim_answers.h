/* exim_answers.h - what Exim answers to -bV and -bP, as text.
 * Pure: no allocation, no I/O, safe on any bytes; slices borrow from the text. */
#ifndef RTLS_EXIM_ANSWERS_H
#define RTLS_EXIM_ANSWERS_H

#include "policy/slice.h"

/* Of -bV: its configuration file; empty when it does not say. */
struct rtls_slice rtls_exim_answer_file(struct rtls_slice text);

/* Of -bP and options: "name = value"; a boolean "name" or "no_name" gives itself. False: it is not
 * there. */
bool rtls_exim_answer_option(
	struct rtls_slice text, const char *name, struct rtls_slice *value);

/* Of -bP router_list: which line a name is, counted from 1; 0: none. */
size_t rtls_exim_answer_place(struct rtls_slice text, struct rtls_slice name);

/* update-exim4.conf.conf: key='value', with quotes of either kind or none; the last one counts.
 * False: it is not there. */
bool rtls_debian_answer(
	struct rtls_slice text, const char *key, struct rtls_slice *value);

#endif
