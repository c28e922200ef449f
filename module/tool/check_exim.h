/* check_exim.h - the part of `check --self` about how Exim uses the module. */
#ifndef RTLS_CHECK_EXIM_H
#define RTLS_CHECK_EXIM_H

#include "tool/check.h"

/* Findings about Exim's user, its routers and its transports. */
void rtls_check_exim_use(struct rtls_check *check);

#endif
