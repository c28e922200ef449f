/* sendmail.h - hand a message to Exim's command line. */
#ifndef RTLS_SENDMAIL_H
#define RTLS_SENDMAIL_H

#include "policy/config.h"

/*
 * Runs `<config->sendmail> -oi -oMr tlsrpt -f <> -- <address>` with the message on standard
 * input, an environment of its own and no other open file.
 * The envelope sender is empty: a report that cannot be delivered bounces to nobody, so
 * there is no loop (RFC 8460 says nothing; RFC 3834 section 3.3 does). By the name of the protocol, which
 * Exim takes from its own user and from no stranger, the router requiretls_report knows a report.
 *
 * address     a plain address, see rua.h
 * timeout_ms  then the program is ended, with all it started
 * RTLS_OK         it ended with status 0: the message is queued
 * RTLS_TEMPORARY  all else; err says why, with the end of its output
 */
RTLS_MUST_CHECK enum rtls_status rtls_sendmail(const struct rtls_config *config,
	const char *address, struct rtls_slice message, unsigned timeout_ms,
	struct rtls_err *err);

#endif
