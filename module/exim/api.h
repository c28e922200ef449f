/* api.h - the one place that sees Exim's own header, and the few functions
 * through which the rest of the module uses Exim.
 *
 * The plug-in API differs by release: ABI 6.0 (4.96, 4.98) and 9.x (4.100).
 * The module is compiled for one release and refuses another at run time. */
#ifndef RTLS_EXIM_API_H
#define RTLS_EXIM_API_H

#include <stdbool.h>

#include "policy/config.h"
#include "policy/slice.h"
#include "policy/status.h"

/* As local_scan.h wants it: the names it then maps to exported functions. */
#define LOCAL_SCAN
#define DLFUNC_IMPL
#include <local_scan.h>

#ifndef RTLS_EXIM_VERSION
#error "RTLS_EXIM_VERSION must name the Exim this is built for, say 4.96"
#endif

#define RTLS_EXPORT __attribute__((visibility("default")))

/*
 * What ${...} expands to, or NULL when the expansion fails (an unknown
 * variable, say). The text lives in Exim's store until the caller's caller
 * resets it: use it at once or copy it.
 */
const char *rtls_exim_expand(const char *what);

/* As rtls_exim_expand(), but "" for a failure. */
struct rtls_slice rtls_exim_value(const char *what);

/* One line in the main log, "requiretls: " in front of it. */
void rtls_exim_log(const char *format, ...) RTLS_PRINTF(1, 2);

/* Give text to a ${dlfunc}, copied to untainted store: only for texts made of
 * values the module has validated or quoted. Always returns OK. */
int rtls_exim_return(uschar **yield, struct rtls_slice text);

/*
 * The configuration in force, read once per process.
 *
 * NULL  it does not parse or does not count, or this is not the Exim the module was
 *       built for; logged once per process, reason for the caller in err
 */
const struct rtls_config *rtls_exim_config(struct rtls_err *err);

/* Does this Exim know the REQUIRETLS words on the wire (patches/)? */
bool rtls_exim_speaks_requiretls(void);

/* The domain a message goes to, as A-labels. RTLS_INVALID: it is none. */
RTLS_MUST_CHECK enum rtls_status rtls_exim_domain(
	struct rtls_slice text, char *out);

#endif
