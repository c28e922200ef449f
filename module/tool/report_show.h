/* report_show.h - `exim-requiretls report show`: what is in the journals, day by day. */
#ifndef RTLS_REPORT_SHOW_H
#define RTLS_REPORT_SHOW_H

#include "policy/config.h"
#include "report/page_model.h"

/* argv[0] is "show"; an exit status of sysexits.h. For report.c. */
int rtls_report_show(const struct rtls_config *config, int argc, char **argv);

/* A line for each day, the newest first, and below it the domains with failures. */
void rtls_report_show_print(const struct rtls_page_model *model);

/* All that is known, every domain, as one line. False: it was not written, or not all of it. */
RTLS_MUST_CHECK bool rtls_report_show_json(const struct rtls_page_model *model);

#endif
