/* config_exempt.h - what `exim-requiretls config` says of the exemptions, and of what a
 * person should change. */
#ifndef RTLS_CONFIG_EXEMPT_H
#define RTLS_CONFIG_EXEMPT_H

#include "policy/config.h"
#include "policy/exempt.h"
#include "policy/rules.h"
#include "tool/verb.h"

/* As comments of a configuration: each exemption with the days it has left, then the
 * warnings. */
void rtls_config_exempt_print(const struct rtls_config *config,
	const struct rtls_rules *rules,
	const struct rtls_exemptions *exemptions, int64_t now_s);

/* {"file": ..., "count": n, "exemptions": [...]}; NULL: no memory. */
json_t *rtls_config_exempt_json(const struct rtls_config *config,
	const struct rtls_exemptions *exemptions, int64_t now_s);

/* The same warnings, an array of texts; NULL: no memory. */
json_t *rtls_config_warnings_json(const struct rtls_config *config,
	const struct rtls_rules *rules,
	const struct rtls_exemptions *exemptions, int64_t now_s);

#endif
