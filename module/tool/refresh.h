/* refresh.h - `exim-requiretls cache refresh`: one domain, or what of the cache is due. Both
 * print what there is to know and return an exit status. */
#ifndef RTLS_TOOL_REFRESH_H
#define RTLS_TOOL_REFRESH_H

#include <stdbool.h>

#include "policy/config.h"

/* Look it up anew, and fetch its policy if one is in force. */
int rtls_refresh_domain(const struct rtls_config *config, const char *domain);

/*
 * Fetch the policies that are due (all: every one in force), and remove records that are
 * spent or unused for cache_keep, old notes on refused messages, and what killed writers left.
 * SIGINT and SIGTERM end it with what is under way.
 */
int rtls_refresh_cache(const struct rtls_config *config, bool all);

#endif
