/* explain_print.h - an explanation for people, and as JSON. */
#ifndef RTLS_EXPLAIN_PRINT_H
#define RTLS_EXPLAIN_PRINT_H

#include <jansson.h>

#include "tool/explanation.h"

/* Several lines on stdout. address: as it was asked about, quoted. */
void rtls_explain_print(const struct rtls_explain_question *question,
	const struct rtls_explanation *explanation, const char *address);

/* All of it; NULL: no memory. */
json_t *rtls_explain_json(const struct rtls_explain_question *question,
	const struct rtls_explanation *explanation, const char *address);

#endif
