/* report_show.h - the printers of `exim-requiretls report show`: what is in the journals. */
#ifndef RTLS_REPORT_SHOW_H
#define RTLS_REPORT_SHOW_H

#include <stdbool.h>

#include "report/page_model.h"

/* A line for each day, the newest first, and below it the domains with failures. Where there is
 * nothing, is_kept says whether the configuration has results kept at all. */
void rtls_report_show_print(const struct rtls_page_model *model, bool is_kept);

/* All that is known, every domain, as one line. False: it was not written, or not all of it. */
RTLS_MUST_CHECK bool rtls_report_show_json(const struct rtls_page_model *model);

#endif
