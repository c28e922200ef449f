/* report_key.h - `exim-requiretls report key`: the DNS record of the key that signs
 * reports. */
#ifndef RTLS_REPORT_KEY_H
#define RTLS_REPORT_KEY_H

#include "policy/config.h"

/* argv[0] is "key"; returns an exit status. */
int rtls_report_key(const struct rtls_config *config, int argc, char **argv);

#endif
