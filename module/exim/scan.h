/* scan.h - decide once, when a message is received, what it asks for: for
 * local_scan() (scan.c), and for an ACL where Exim loads no local_scan() (flag.c).
 *
 * RFC 8689: section 4.1 (tagging), section 3 (TLS-Required), section 5
 * (bounces). */
#ifndef RTLS_SCAN_H
#define RTLS_SCAN_H

#include "exim/api.h"
#include "policy/flags.h"

#define RTLS_SCAN_ADDRESS_SIZE 1024

struct rtls_scan {
	struct rtls_flags flags;
	bool cut_body; /* a stock Exim's report about a flagged message: the
			* returned body has to come out */
};

/*
 * Look at the message that is being received: its envelope, headers, Exim's variables
 * and, on a stock Exim, the message it is a report about. Sets Exim's own flag to
 * the result, where there is one (rtls_exim_flag_message()); with
 * requiretls = disable that clears what an ACL has set, and keeps what MAIL has.
 * Recipients stay as they are.
 *
 * scan     filled when there is a result
 * returns  the configuration it went by, which lives as long as the process; NULL:
 *          that or the rules cannot be read, the log says why, and the message
 *          must be put off
 */
RTLS_MUST_CHECK const struct rtls_config *rtls_scan_received(
	struct rtls_scan *scan);

/*
 * What the message is going to be flagged for, as far as it is known: envelope and variables,
 * and once they are there its headers. Nothing is set, and nothing logged. TLS-Required
 * is not looked at: it takes away no flag.
 *
 * address  of a recipient that is not yet in the envelope; may be ""
 * not OK   the rules cannot be read; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_scan_ahead(
	const struct rtls_config *config, const char *address,
	struct rtls_flags *flags, struct rtls_err *err);

/* Give Exim the flags in the words of $local_scan_data. Always OK, for a dlfunc. */
int rtls_scan_return(uschar **yield, const struct rtls_flags *flags);

/* The address without the configured tag. false: it has none; bare untouched. */
bool rtls_scan_bare_address(const struct rtls_config *config,
	const char *address, char bare[RTLS_SCAN_ADDRESS_SIZE]);

/*
 * What the message that is being routed asks for, as it was found when it was received: from
 * $local_scan_data, or where no local_scan() of ours has run from
 * $acl_m_requiretls_data (and then also from $acl_m_requiretls as it is now).
 *
 * Fails closed: a text that does not parse flags the message for all there is.
 * None, while an address is verified or for what was received before the module
 * was there: all "no"; for a message one log line per process.
 */
void rtls_scan_flags(struct rtls_flags *flags);

#endif
