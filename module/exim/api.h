/* api.h - the one place that sees Exim's own header, and the few functions
 * through which the rest of the module uses Exim.
 *
 * The plug-in API differs by release: ABI 6.0 in 4.96 and 4.98 (which say the
 * same number, though ids got longer and members const), 9.x in 4.100. The
 * module is compiled for one release and refuses another at run time. */
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

#if LOCAL_SCAN_ABI_VERSION_MAJOR != 6 && LOCAL_SCAN_ABI_VERSION_MAJOR != 9
#error "api.h does not know the plug-in API of this Exim"
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

/* As rtls_exim_return(), but for a text made of what a stranger sent: the copy
 * is as tainted as the text it comes from. */
int rtls_exim_return_like(
	uschar **yield, struct rtls_slice text, const uschar *like);

/* The envelope of the message that is being received; "" for no sender.
 * Borrowed from Exim. */
const char *rtls_exim_sender(void);
int rtls_exim_recipient_count(void);
const char *rtls_exim_recipient(int index);

/* Replace a recipient by a copy of this one, as tainted as the old one was.
 * In local_scan() only. */
void rtls_exim_recipient_set(int index, const char *address);

/*
 * Set or clear Exim's own flag on the message that is being received: what makes a
 * patched Exim keep it in the spool, send the parameter and flag its own
 * reports (patches/). From local_scan() or an ACL.
 *
 * false  this Exim has no such flag: the flags in the spool's text have to do
 */
bool rtls_exim_flag_message(bool flagged);

/*
 * The configuration in force, read once per process.
 *
 * NULL  it does not parse or does not count, or this is not the Exim the module was
 *       built for; logged once per process, reason for the caller in err
 */
const struct rtls_config *rtls_exim_config(struct rtls_err *err);

/*
 * Have rules and exemptions loaded for rtls_site_look_up() (store/site.h), read once per
 * process as the configuration is: routing as root pays for them once, not per recipient.
 *
 * not OK  as rtls_site_load(); the next call tries again
 */
RTLS_MUST_CHECK enum rtls_status rtls_exim_load_site(
	const struct rtls_config *config, struct rtls_err *err);

/* Does this Exim know the REQUIRETLS words on the wire (patches/)? */
bool rtls_exim_speaks_requiretls(void);

/* The domain a message goes to, as A-labels. RTLS_INVALID: it is none. */
RTLS_MUST_CHECK enum rtls_status rtls_exim_domain(
	struct rtls_slice text, char *out);

#endif
