/* attempt.h - the delivery attempt that this process makes, over all its sessions: which hosts
 * were refused, which had other trouble, and whether that leaves any for a flagged message. */
#ifndef RTLS_ATTEMPT_H
#define RTLS_ATTEMPT_H

#include "exim/session.h"

/* The next host is tried. */
void rtls_attempt_next_host(void);

/* The host must not be used, and no connection to it was made. */
void rtls_attempt_veto(void);

/*
 * A host or its certificate is refused.
 *
 * for_good  it does not qualify, and not only just now
 * what, why "refused: " and the reason
 * The sentence for log and Exim, until the next call.
 */
const char *rtls_attempt_refuse(
	const char *host, bool for_good, const char *what, const char *why);

/* TLS failed at that address: where nothing is enforced Exim tries it again in clear, which is
 * not another session. */
void rtls_attempt_tls_failed(const char *address);
bool rtls_attempt_has_failed(const char *address);

/* Are these the words of a patched Exim that refuses a host itself? */
bool rtls_attempt_is_exims_refusal(struct rtls_slice why);

/* After tcp:close: was the host refused for good, or did it have other trouble? why is
 * what Exim says. True: it was Exim itself that refused it. */
bool rtls_attempt_host_deferred(const char *host, struct rtls_slice why);

/*
 * The last host gave no delivery. RFC 8689 section 4.2.1: when all were refused, bounce. Stock
 * Exim cannot from here; the note makes the next routing do it, if by then policy and hosts are
 * still those of its mark.
 */
void rtls_attempt_message_deferred(
	const struct rtls_config *config, const struct rtls_session *session);

#endif
