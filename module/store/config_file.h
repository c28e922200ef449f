/* config_file.h - read requiretls.conf, the rules file, the exemptions and the domains of
 * reports with the checks of ownership that make them count. */
#ifndef RTLS_CONFIG_FILE_H
#define RTLS_CONFIG_FILE_H

#include "policy/config.h"
#include "policy/exempt.h"
#include "policy/reported.h"
#include "policy/rules.h"

#ifndef RTLS_CONFIG_PATH
#define RTLS_CONFIG_PATH "/etc/exim4/requiretls.conf"
#endif

/*
 * path    RTLS_CONFIG_PATH, or another for tests and `config --file`
 * config  defaults when the file is missing; untouched unless RTLS_OK
 * err     "path: line N: ..." or why the file does not count
 */
RTLS_MUST_CHECK enum rtls_status rtls_config_load(
	const char *path, struct rtls_config *config, struct rtls_err *err);

/*
 * The rules that config names; no rules when it names none. A file that
 * is named but missing is RTLS_INVALID: flagging cannot fail open.
 *
 * buffer  RTLS_RULES_SIZE_MAX + 1 bytes, borrowed by rules
 */
RTLS_MUST_CHECK enum rtls_status rtls_rules_load(
	const struct rtls_config *config, char *buffer,
	struct rtls_rules *rules, struct rtls_err *err);

/*
 * The same for the exemptions: what is exempt is not known when they cannot be read,
 * so the caller must put the mail off.
 *
 * buffer  RTLS_EXEMPT_SIZE_MAX + 1 bytes, borrowed by exemptions
 */
RTLS_MUST_CHECK enum rtls_status rtls_exempt_load(
	const struct rtls_config *config, char *buffer,
	struct rtls_exemptions *exemptions, struct rtls_err *err);

/*
 * The same for the domains of reports: while they cannot be read there must be no report.
 *
 * buffer  RTLS_REPORTED_SIZE_MAX + 1 bytes, borrowed by reported
 */
RTLS_MUST_CHECK enum rtls_status rtls_reported_load(
	const struct rtls_config *config, char *buffer,
	struct rtls_reported *reported, struct rtls_err *err);

#endif
