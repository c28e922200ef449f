/* check_own.h - between the parts of `check --own`. */
#ifndef RTLS_CHECK_OWN_H
#define RTLS_CHECK_OWN_H

#include "policy/spf.h"
#include "tool/check.h"

/* Findings about the domain's SPF record, which is text, and the records that it includes. */
void rtls_check_spf(struct rtls_check *check, struct rtls_slice text,
	const struct rtls_spf *spf);

#endif
