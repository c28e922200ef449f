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

struct rtls_session {
	bool active; /* the plan is ours, and the session is to be judged */
	bool judged; /* its result is written */
	struct rtls_session_plan plan;
	enum rtls_host_verdict verdict;
	char policy_domain[RTLS_DOMAIN_SIZE];
	char host[RTLS_DOMAIN_SIZE]; /* no trailing dot */
	char address[RTLS_ADDRESS_SIZE];
	char helo[128]; /* quoted */
	bool banner;
	unsigned ehlo_count;
	bool starttls_offered;
	bool tls;                      /* an EHLO was answered inside TLS */
	bool verified;                 /* by Exim: chain and name, or DANE */
	bool dane;                     /* Exim uses DANE for this host */
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
};

/*
 * ${dlfunc{...}{requiretls_session}{$event_name}{$event_data}[{policy domain}]}
 * The result is empty, or why the host (tcp:connect) or its certificate
 * (tls:cert) is refused.
 */
RTLS_EXPORT int requiretls_session(uschar **yield, int argc, uschar *argv[]);

/* The session as it is now, judged by its policy, or by the rules of its class when
 * it has none (RFC 8460 section 4.3). Total. */
void rtls_session_judge(const struct rtls_config *config,
	const struct rtls_session *session, struct rtls_judgement *judgement);

/* One journal line per policy the judgement is about, when tlsrpt is on; at
 * most one log line per process when it cannot be written. */
void rtls_session_report(const struct rtls_config *config,
	const struct rtls_session *session,
	const struct rtls_judgement *judgement);

#endif
