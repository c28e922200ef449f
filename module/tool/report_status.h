/* report_status.h - `exim-requiretls report status`, for report.c. */
#ifndef RTLS_REPORT_STATUS_H
#define RTLS_REPORT_STATUS_H

#include "policy/config.h"

/* argv[0] is "status"; an exit status of sysexits.h. */
int rtls_report_status(const struct rtls_config *config, int argc, char **argv);

#endif
