/* session.h - what is known about the SMTP session that is going on.
 *
 * One process makes one delivery attempt, so this is static state that lives from
 * tcp:connect to tcp:close (session.c fills it, judge.c reads it). */
#ifndef RTLS_SESSION_H
#define RTLS_SESSION_H

#include "exim/api.h"
#include "policy/verdict.h"
#include "tls/chain.h"

#define RTLS_ADDRESS_SIZE 46

/* Bits of $tls_out_tlsa_usage. */
#define RTLS_USAGE_DANE_TA (1U << 2)
#define RTLS_USAGE_DANE_EE (1U << 3)

struct rtls_session {
	bool active; /* the plan is ours, and the session is to be judged */
	bool judged; /* its result is written */
	struct rtls_session_plan plan;
	enum rtls_host_verdict verdict;
	char policy_domain[RTLS_DOMAIN_SIZE];
	char host[RTLS_DOMAIN_SIZE]; /* as in the MX record; no trailing dot */
	char base[RTLS_DOMAIN_SIZE]; /* as Exim has it, CNAMEs followed */
	char address[RTLS_ADDRESS_SIZE];
	char sending_address[RTLS_ADDRESS_SIZE]; /* empty: no connection */
	char helo[128];                          /* quoted */
	bool banner;
	unsigned ehlo_count;
	bool starttls_offered;
	bool tls;                      /* an EHLO was answered inside TLS */
	bool verified;                 /* by Exim: chain and name, or DANE */
	bool dane;                     /* Exim uses DANE for this host */
	bool tlsa_bad;                 /* it has TLSA, none of it usable */
	unsigned tlsa_usages;          /* of its records, as bits */
	bool dane_foreign;             /* by DANE-TA, but another's name */
	bool policy_refused;           /* by us, before Exim looked at TLSA */
	enum rtls_result dane_failure; /* SUCCESS: none */
	struct rtls_chain chain;
	bool named; /* a DNS-ID of the leaf is the host */
	struct rtls_certificate_verdict why;
};

/* What came of it, for the log and the journal. */
struct rtls_judgement {
	enum rtls_result result;
	char text[RTLS_ERR_SIZE]; /* empty on success */
	bool ours;                /* trouble of ours: not to be reported */
	bool is_open; /* ours, if what Exim says next is that (held.c) */
};

/*
 * ${dlfunc{...}{requiretls_session}{$event_name}{$event_data}[{policy domain}]}
 * The result is empty, or why the host (tcp:connect) or its certificate
 * (tls:cert) is refused.
 */
RTLS_EXPORT int requiretls_session(uschar **yield, int argc, uschar *argv[]);

/* The cache record of the policy domain, until the next call; NULL: none. */
const struct rtls_record *rtls_session_record(
	const struct rtls_config *config, const struct rtls_session *session);

/*
 * Where Exim uses DANE: may the leaf be called what it is called (RFC 7672 section
 * 3.2.2)? With records of usage DANE-TA it has to name the host, unless one of DANE-EE
 * is about it. Exim with GnuTLS, in all releases so far, takes a wrong name for a
 * missing TLSA record and goes on with a PKIX check that asks for no name at all:
 * any certificate of a public CA named by DANE-TA will do.
 */
bool rtls_session_dane_names(
	const struct rtls_config *config, const struct rtls_session *session);

/* Is DANE all that counts here? Behind an insecure MX answer a host with TLSA is not
 * exempt from the policy, though Exim leaves the PKIX check out there too. */
bool rtls_session_dane_suffices(const struct rtls_session *session);

/*
 * There was no session, since the host must not be used as its DNS is. Whose fault is it?
 *
 * required      this Exim's configuration wants DANE of the host (RFC 7672 section 6)
 * mx_host       filled unless SUCCESS: the TLSA base domain; empty when not known
 * DNSSEC_INVALID  behind a secure MX answer, which tells that anchor, clock and resolver of
 *               ours are in order, validation failed: for TLSA, or for the addresses
 * DANE_REQUIRED   there are no TLSA records that DNSSEC proves, and that is known
 * SUCCESS       of none who could be told: errors, time-outs and what is not known
 */
enum rtls_result rtls_session_dane_lookup(const struct rtls_config *config,
	const struct rtls_session *session, bool required,
	char mx_host[RTLS_DOMAIN_SIZE]);

/* The session as it is now, judged by its policy, or by the rules of its class when
 * it has none (RFC 8460 section 4.3). Total. */
void rtls_session_judge(const struct rtls_config *config,
	const struct rtls_session *session, struct rtls_judgement *judgement);

/* Counted (count.h), and one journal line per policy the judgement is about, when tlsrpt is on; at
 * most one log line per process when it cannot be written. */
void rtls_session_report(const struct rtls_config *config,
	const struct rtls_session *session,
	const struct rtls_judgement *judgement);

/* Not to the journal yet: the judgement is open. The session is borrowed until it is released or
 * flushed; its chain is not needed any more. */
void rtls_session_hold(const struct rtls_session *session,
	const struct rtls_judgement *judgement);

/* Exim puts the host off, and says why: what is held is written, unless it was our doing. */
void rtls_session_release(struct rtls_slice why);

/* What of a session that is over was held back is written now: the next one begins, or the
 * process ends. */
void rtls_session_flush(void);

/* The line of a host that no connection was made to for its DNS, when somebody is to
 * be told (rtls_session_dane_lookup()). */
void rtls_session_report_lookup(const struct rtls_config *config,
	const struct rtls_session *session, bool required);

#endif
