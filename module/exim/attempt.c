/* attempt.c - see attempt.h. */
#include "exim/attempt.h"

#include <stdio.h>
#include <string.h>

#include "policy/text.h"
#include "store/refused.h"

#define REFUSED_SIZE (RTLS_MX_MAX * (RTLS_DOMAIN_SIZE + 1))

static struct {
	char refused
		[REFUSED_SIZE]; /* " host host": those that do not qualify */
	unsigned deferred;      /* hosts with other, temporary trouble */
	char why[3 * RTLS_ERR_SIZE]; /* the last refusal */
	bool counted;                /* the current host is refused for good */
	bool vetoed;                 /* and no connection to it was made */
	char failed_address[RTLS_ADDRESS_SIZE]; /* TLS failed there just now */
} attempt;

/* Is the host among those noted in attempt.refused? */
static bool is_refused(struct rtls_slice host)
{
	struct rtls_slice rest = rtls_slice(attempt.refused), name;

	while (rtls_slice_word(&rest, &name))
		if (rtls_slice_equal_nocase(name, host))
			return true;
	return false;
}

static void note_refused(const char *host)
{
	struct rtls_text text;
	size_t used = strlen(attempt.refused);

	attempt.counted = true;
	if (is_refused(rtls_slice(host)))
		return;
	rtls_text_init(
		&text, attempt.refused + used, sizeof(attempt.refused) - used);
	rtls_text_printf(&text, " %s", host);
}

void rtls_attempt_next_host(void)
{
	attempt.counted = attempt.vetoed = false;
}

void rtls_attempt_veto(void)
{
	attempt.vetoed = true;
}

const char *rtls_attempt_refuse(
	const char *host, bool for_good, const char *what, const char *why)
{
	snprintf(attempt.why, sizeof(attempt.why), "host %s %s%s", host, what,
		why);
	if (for_good)
		note_refused(host);
	return attempt.why;
}

void rtls_attempt_tls_failed(const char *address)
{
	rtls_slice_copy(rtls_slice(address), attempt.failed_address,
		sizeof(attempt.failed_address));
}

bool rtls_attempt_has_failed(const char *address)
{
	return strcmp(address, attempt.failed_address) == 0;
}

/* Exim's errno for what only TLS can be to blame for: TLS failed, TLS is not
 * offered. An error reply to STARTTLS, a time-out and the like are other
 * numbers: they may be gone next time. */
static bool is_about_tls(struct rtls_slice defer_errno)
{
	return rtls_slice_is(defer_errno, "-37") ||
	       rtls_slice_is(defer_errno, "-38");
}

/* A patched Exim refuses hosts itself, for want of verified TLS or of REQUIRETLS; in
 * these words, which RFC 8689 section 4.2.1 has for it. Its numbers for that
 * differ by release. */
bool rtls_attempt_is_exims_refusal(struct rtls_slice why)
{
	return rtls_slice_starts(why, "5.7.30 REQUIRETLS support required") ||
	       rtls_slice_starts(why, "5.7.10 Encryption needed");
}

bool rtls_attempt_host_deferred(const char *host, struct rtls_slice why)
{
	const bool by_exim = rtls_attempt_is_exims_refusal(why);
	const bool is_new = by_exim && !attempt.counted;
	struct rtls_quoted quoted;

	if (is_new)
		snprintf(attempt.why, sizeof(attempt.why),
			"host %s refused: %s", host, rtls_quoted(&quoted, why));
	if (by_exim)
		note_refused(host);
	else if (!attempt.counted ||
		 (!attempt.vetoed &&
			 !is_about_tls(rtls_exim_value("$event_defer_errno"))))
		attempt.deferred++;
	rtls_attempt_next_host();
	return is_new;
}

/* Exim passes over a host whose retry time has not come without a word: so
 * every one of the plan must have been refused in this very attempt. */
static bool all_refused(void)
{
	struct rtls_slice hosts =
		rtls_exim_value("${extract{hosts}{$address_data}}");
	unsigned count = 0;

	while (hosts.size > 0) {
		struct rtls_slice host = rtls_slice_take(&hosts, ':');

		if (host.size == 0) { /* "::PORT" of the host before */
			(void)rtls_slice_take(&hosts, ':');
			continue;
		}
		if (rtls_slice_is(host, "+"))
			continue;
		if (!is_refused(host))
			return false;
		count++;
	}
	return count > 0;
}

void rtls_attempt_message_deferred(
	const struct rtls_config *config, const struct rtls_session *session)
{
	const struct rtls_session_plan *plan = &session->plan;
	struct rtls_err err = { "" };
	const char *id = rtls_exim_expand("$message_exim_id");
	char text[RTLS_ERR_SIZE], domain[RTLS_DOMAIN_SIZE];
	struct rtls_text out;

	if (plan->class != RTLS_CLASS_STRICT || attempt.deferred > 0 ||
		!all_refused() || id == NULL || *id == '\0')
		return;
	/* Of several smart hosts the note is under the name of the first. */
	(void)rtls_slice_copy(rtls_session_plan_domain(plan, rtls_slice(""),
				      rtls_slice(session->policy_domain)),
		domain, sizeof(domain));
	rtls_text_init(&out, text, sizeof(text));
	rtls_text_printf(&out,
		"%08x 5.7.10 no %s of %s qualifies for REQUIRETLS; ",
		rtls_session_plan_mark(plan,
			rtls_exim_value("${extract{hosts}{$address_data}}")),
		plan->via.size > 0 ? "host" : "MX host", domain);
	rtls_text_printf(&out, "%.120s", attempt.why);
	if (rtls_refused_put(config->spool, id, domain, rtls_slice(text),
		    &err) != RTLS_OK)
		rtls_exim_log("cannot note the refusal: %s", err.text);
}
