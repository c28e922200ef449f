/* held.c - a failed handshake that is not in the journal yet (session.h): whose it is shows when
 * Exim puts the host off. */
#include <stdlib.h>
#include <string.h>

#include "exim/session.h"

/* Where Exim does not put the host off, since it went on in clear, it was the host's answer to
 * STARTTLS. */
static struct {
	const struct rtls_session *session; /* NULL: nothing is held */
	bool begun; /* the handshake: then it is about the host */
	struct rtls_judgement judgement;
} held;

/* Exim asks for OCSP behind all preparations of its own: key, trusted certificates,
 * ciphers. */
static bool has_begun(const struct rtls_session *session)
{
	return session->chain.count > 0 ||
	       !rtls_slice_is(rtls_exim_value("$tls_out_ocsp"), "0");
}

void rtls_session_flush(void)
{
	const struct rtls_config *config = rtls_exim_config(NULL);

	if (held.session != NULL && config != NULL)
		rtls_session_report(config, held.session, &held.judgement);
	held.session = NULL;
}

void rtls_session_hold(const struct rtls_session *session,
	const struct rtls_judgement *judgement)
{
	static bool is_registered;

	held.judgement = *judgement;
	held.begun = has_begun(session);
	held.session = session;
	if (!is_registered)
		is_registered = atexit(rtls_session_flush) == 0;
}

static bool holds(struct rtls_slice text, const char *part)
{
	return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

/* TLS failed, and what failed is ours: it did not get as far as the handshake, or Exim trusts
 * other certificates than ca_file has, by which the chain is good. */
static bool is_our_failure(struct rtls_slice why)
{
	if (!rtls_slice_is(rtls_exim_value("$event_defer_errno"), "-37"))
		return false;
	return held.begun ? holds(why, "(certificate verification failed)")
			  : !holds(why, "handshake");
}

void rtls_session_release(struct rtls_slice why)
{
	if (held.session != NULL)
		held.judgement.ours = is_our_failure(why);
	rtls_session_flush();
}
