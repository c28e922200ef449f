/* recount.h - count again what a finished report says, into another one: for another policy
 * domain (hosts.c), or with less detail (trim.c). */
#ifndef RTLS_RECOUNT_H
#define RTLS_RECOUNT_H

#include "report/aggregate.h"

/* May change a failed session, or several, before they are counted. detail: what it was made of;
 * NULL for the good sessions of a policy. */
typedef void rtls_recount_change(struct rtls_session_result *session,
	const struct rtls_detail *detail, void *context);

/*
 * made     not finished yet
 * domain   to which the sessions are counted
 * policy   of a finished report
 * change   may be NULL
 * RTLS_NO_MEMORY
 */
RTLS_MUST_CHECK enum rtls_status rtls_recount(struct rtls_reports *made,
	struct rtls_slice domain, const struct rtls_report_policy *policy,
	rtls_recount_change *change, void *context);

#endif
