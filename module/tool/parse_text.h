/* parse_text.h - the texts that `exim-requiretls parse` knows, and what it understands
 * of them. No I/O. */
#ifndef RTLS_PARSE_TEXT_H
#define RTLS_PARSE_TEXT_H

#include <jansson.h>

#include "policy/slice.h"
#include "policy/status.h"

struct rtls_parse_kind {
	const char *name; /* "sts-record" */
	size_t size_max;  /* of the input */
	/* For the caller to json_decref(); NULL: not valid or no memory, err
	 * says why. */
	json_t *(*parse)(struct rtls_slice input, struct rtls_err *err);
};

/* NULL: there is no such kind. */
const struct rtls_parse_kind *rtls_parse_kind(const char *name);

#endif
