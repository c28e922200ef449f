/* aggregate_nodes.h - the inside of what is counted; for aggregate*.c only.
 *
 * All nodes live in one table, whose keys are the texts of the node behind one another:
 *
 *   domain
 *   domain TAB type TAB digest TAB domain of the policy
 *   ... TAB result TAB sending ip TAB MX TAB HELO TAB receiving ip TAB reason
 */
#ifndef RTLS_AGGREGATE_NODES_H
#define RTLS_AGGREGATE_NODES_H

#include "report/aggregate.h"

/* What a session is counted by, its texts in the one form that is counted. */
struct rtls_counted {
	enum rtls_policy_type type;
	char domain[RTLS_DOMAIN_SIZE];
	struct rtls_slice digest;
	struct rtls_slice policy_domain;
	struct rtls_detail detail; /* its texts only */
};

/* Each finds a node or makes it; NULL: no memory. Beyond a limit it is a coarser one, and counted gets
 * what that one says. */
struct rtls_report *rtls_aggregate_report(
	struct rtls_reports *reports, const struct rtls_counted *counted);
struct rtls_report_policy *rtls_aggregate_policy(struct rtls_reports *reports,
	struct rtls_report *report, struct rtls_counted *counted);
struct rtls_detail *rtls_aggregate_detail(struct rtls_reports *reports,
	struct rtls_report *report, struct rtls_report_policy *policy,
	struct rtls_counted *counted);

struct rtls_found {
	const struct rtls_report_policy *policy;
	const struct rtls_detail *detail;
};

/* The failures of a report in the order in which they came, to be freed by the caller; NULL: no memory. */
struct rtls_found *rtls_aggregate_list(const struct rtls_report *report);

/* What a node was made of. detail: NULL for a policy. */
struct rtls_counted rtls_aggregate_again(const struct rtls_report *report,
	const struct rtls_report_policy *policy,
	const struct rtls_detail *detail);

/* Where there are more failures than are kept over all domains, lower the limits of each
 * until there are not, or no limit is left. RTLS_NO_MEMORY: nothing has changed. */
RTLS_MUST_CHECK enum rtls_status rtls_aggregate_keep_within(
	struct rtls_reports *reports);

/* What rtls_reports_free() frees, but for reports itself. */
void rtls_aggregate_clear(struct rtls_reports *reports);

#endif
