/* session.c - the events of one SMTP session (see session.h): refuse hosts and
 * certificates that may not have the message, and note what happened. */
#include "exim/session.h"

#include <stdio.h>
#include <string.h>

#include "exim/attempt.h"
#include "exim/count.h"
#include "policy/domain.h"
#include "policy/ehlo.h"
#include "policy/text.h"

/* address_data may hold all mx patterns of a policy. */
#define PLAN_SIZE (RTLS_STS_POLICY_SIZE_MAX + 64 * 1024)

static struct rtls_session session;
static char plan_text[PLAN_SIZE];

static bool insists(void)
{
	return rtls_session_plan_insists(&session.plan);
}

struct refusal {
	bool for_good;      /* it does not qualify, and not only just now */
	const char *reason; /* a word, to be counted by */
	const char *what;   /* for the log, */
	const char *why;    /* behind the host's name */
};

/* The one way a host or its certificate is refused: log it, count it, tell
 * Exim. */
static int refuse(const struct rtls_config *config, uschar **yield,
	const struct refusal *refusal)
{
	const char *sentence = rtls_attempt_refuse(
		session.host, refusal->for_good, refusal->what, refusal->why);

	rtls_count_refused(config, &session, refusal->reason);
	rtls_exim_log("%s", sentence);
	return rtls_exim_return(yield, rtls_slice(sentence));
}

static int nothing(uschar **yield)
{
	return rtls_exim_return(yield, rtls_slice(""));
}

/* What keeps a bad session from being refused. */
static void log_unenforced(const struct rtls_judgement *judgement)
{
	const char *result = rtls_result_name(judgement->result);

	if (session.plan.sts_exempt)
		rtls_exim_log("host %s would be refused, were %s not exempt "
			      "from its MTA-STS policy: %s (%s)",
			session.host, session.policy_domain, judgement->text,
			result);
	else
		rtls_exim_log("host %s would be refused, were the MTA-STS "
			      "policy of %s not in testing: %s (%s)",
			session.host, session.policy_domain, judgement->text,
			result);
}

/* One judgement per session: to the journal, and to the log when it is bad. */
static const struct rtls_judgement *session_finish(
	const struct rtls_config *config)
{
	static struct rtls_judgement judgement;

	if (!session.active || session.judged)
		return NULL;
	session.judged = true;
	rtls_slice_copy(rtls_exim_value("$sending_ip_address"),
		session.sending_address, sizeof(session.sending_address));
	rtls_session_judge(config, &session, &judgement);
	if (judgement.is_open)
		rtls_session_hold(&session, &judgement);
	else
		rtls_session_report(config, &session, &judgement);
	if (judgement.result == RTLS_RESULT_SUCCESS)
		return &judgement;
	rtls_attempt_tls_failed(session.address);
	if (!insists() && session.plan.sts)
		log_unenforced(&judgement);
	else if (!insists() && session.dane_foreign && session.tls)
		rtls_exim_log("host %s is used by this Exim although its "
			      "certificate %s, which its DANE-TA records do "
			      "not allow",
			session.host, judgement.text);
	return &judgement;
}

/* A verdict on what the host is, not on what happened once: a handshake that broke
 * off, or trouble of ours, may be gone at the next attempt. */
static bool is_definite(const struct rtls_judgement *judgement)
{
	switch (judgement->result) {
	case RTLS_RESULT_STARTTLS_NOT_SUPPORTED:
		return true;
	case RTLS_RESULT_CERTIFICATE_HOST_MISMATCH:
	case RTLS_RESULT_CERTIFICATE_EXPIRED:
	case RTLS_RESULT_CERTIFICATE_NOT_TRUSTED:
		return !judgement->ours;
	default: /* DANE: there was a certificate, and it was not the one */
		return session.dane && session.chain.count > 0;
	}
}

static int on_close(const struct rtls_config *config, uschar **yield)
{
	const struct rtls_judgement *judgement;

	/* No banner: nothing that TLS could have had a part in, unless TLS comes
	 * before it (port 465). */
	if (!session.banner && session.chain.count == 0)
		return nothing(yield);
	judgement = session_finish(config);
	if (judgement != NULL && insists() &&
		judgement->result != RTLS_RESULT_SUCCESS) {
		char why[RTLS_ERR_SIZE];
		const struct refusal refusal = { is_definite(judgement),
			rtls_result_name(judgement->result),
			session.chain.count > 0 ? "certificate refused: "
						: "refused: ",
			why };

		snprintf(why, sizeof(why), "%.200s (%s)", judgement->text,
			refusal.reason);
		refuse(config, yield, &refusal);
	}
	rtls_chain_clear(&session.chain);
	session.active = false;
	return nothing(yield);
}

static bool transport_insists(void)
{
	struct rtls_slice name = rtls_exim_value("$transport_name");

	return rtls_slice_starts(name, "requiretls_strict") ||
	       rtls_slice_starts(name, "requiretls_enforce");
}

/* The plan that routing made, copied: Exim's store may go before the session. */
static bool plan_read(void)
{
	return rtls_slice_copy(rtls_exim_value("$address_data"), plan_text,
		       sizeof(plan_text)) &&
	       rtls_session_plan_parse(rtls_slice(plan_text), &session.plan) ==
		       RTLS_OK;
}

/* A name that is none stays empty: no policy has it. */
static void host_read(void)
{
	struct rtls_slice name = rtls_exim_value("$host");

	if (rtls_slice_is(name, RTLS_NO_ADDRESS))
		rtls_slice_copy(name, session.host, sizeof(session.host));
	else if (rtls_domain_normalize(name, session.host) != RTLS_OK)
		session.host[0] = '\0';
	memcpy(session.base, session.host, sizeof(session.base));
}

static void session_start(void)
{
	rtls_session_flush();
	rtls_chain_clear(&session.chain);
	memset(&session, 0, sizeof(session));
	rtls_attempt_next_host();
	host_read();
	rtls_slice_copy(rtls_exim_value("$host_address"), session.address,
		sizeof(session.address));
}

/* What the transport says, or the plan of a smart host, or the recipient's. */
static void name_policy_domain(struct rtls_slice policy_domain)
{
	char name[RTLS_DOMAIN_SIZE];

	if (policy_domain.size == 0)
		policy_domain = rtls_session_plan_domain(&session.plan,
			rtls_slice(session.host), rtls_exim_value("$domain"));
	if (rtls_exim_domain(policy_domain, name) == RTLS_OK)
		memcpy(session.policy_domain, name, sizeof(name));
}

/* Where something is enforced, it is another name of that address. */
static bool is_clear_retry(void)
{
	return !insists() && rtls_attempt_has_failed(session.address);
}

/* What the plan says of TLSA is about port 25 (RFC 7672 section 2.2.3). Exim asks for
 * the records of the port that it uses. */
static bool is_other_port(void)
{
	unsigned long long port;

	/* Before the first connection Exim has 0 or -1 there. */
	return rtls_slice_number(
		       rtls_exim_value("$host_port"), UINT16_MAX, &port) &&
	       port != 0 && port != 25;
}

/* Whom the session is with, by the plan. */
static void session_name(struct rtls_slice policy_domain)
{
	name_policy_domain(policy_domain);
	if (session.plan.via.size == 0 && is_other_port())
		session.plan.dane.size = 0;
	rtls_slice_copy(
		rtls_session_plan_mx(&session.plan, rtls_slice(session.base)),
		session.host, sizeof(session.host));
}

static int refuse_unplanned(const struct rtls_config *config, uschar **yield)
{
	const struct refusal refusal = { false, "no-decision", "refused: ",
		"no routing decision of requiretls is known for this message" };

	session.plan.class =
		rtls_slice_starts(
			rtls_exim_value("$transport_name"), "requiretls_strict")
			? RTLS_CLASS_STRICT
			: RTLS_CLASS_ENFORCE;
	return refuse(config, yield, &refusal);
}

static int refuse_unknown_tlsa(const struct rtls_config *config, uschar **yield)
{
	const struct refusal refusal = { false, "lookup-failed", "refused: ",
		strcmp(session.host, RTLS_NO_ADDRESS) == 0
			? "it stands for one whose address lookup failed"
			: "its TLSA lookup failed" };

	rtls_session_report_lookup(config, &session, false);
	return refuse(config, yield, &refusal);
}

static int refuse_foreign(const struct rtls_config *config, uschar **yield)
{
	const struct rtls_judgement mismatch = {
		.result = RTLS_RESULT_VALIDATION_FAILURE,
		.text = "sts-mx-mismatch",
	};
	const struct refusal refusal = { true, "not-in-policy",
		"refused: not in the MTA-STS policy of ",
		session.policy_domain };

	rtls_session_report(config, &session, &mismatch);
	return refuse(config, yield, &refusal);
}

static int on_connect(const struct rtls_config *config, uschar **yield,
	struct rtls_slice policy_domain)
{
	session_start();
	if (!plan_read())
		return transport_insists() ? refuse_unplanned(config, yield)
					   : nothing(yield);
	session_name(policy_domain);
	session.active =
		session.plan.class != RTLS_CLASS_RELAXED && !is_clear_retry();
	session.verdict =
		rtls_verdict_host(&session.plan, rtls_slice(session.host));
	if (!rtls_verdict_refuses(&session.plan, session.verdict)) {
		session.tlsa_bad = rtls_verdict_tlsa_is_bad(
			&session.plan, rtls_slice(session.host));
		return nothing(yield);
	}
	session.active = false;
	rtls_attempt_veto();
	return session.verdict == RTLS_HOST_TLSA_FAILED
		       ? refuse_unknown_tlsa(config, yield)
		       : refuse_foreign(config, yield);
}

/* We know TLSA records of this host, Exim does not: what comes of the session
 * is local trouble, not the host's. The usual cause is that Exim's resolver
 * library hides the AD bit from it. */
static void dane_missed(void)
{
	static bool complained;

	session.active = false;
	if (!complained)
		rtls_exim_log("host %s has TLSA records, but Exim does not use "
			      "them: is \"options trust-ad\" missing in "
			      "/etc/resolv.conf?",
			session.host);
	complained = true;
}

/* Exim looks at no name (DANE-EE) or at one that does not fit and goes on (DANE-TA), and
 * at no policy. The reason, or NULL when all is as it should be. */
static const char *judge_dane_leaf(const struct rtls_config *config)
{
	session.dane_foreign = !rtls_session_dane_names(config, &session) &&
			       rtls_chain_names_host(&session.chain,
				       session.host, &session.why) != RTLS_OK;
	if (session.dane_foreign)
		return session.why.text;
	if (rtls_session_dane_suffices(&session) || !insists())
		return NULL;
	if (rtls_chain_judge(&session.chain, session.host, config->ca_file,
		    &session.why) == RTLS_OK &&
		session.why.result == RTLS_RESULT_SUCCESS)
		return NULL;
	session.policy_refused = true;
	return session.why.text;
}

/* Exim verifies the chain, but would fall back to the CN; RFC 8461 section 4.2
 * does not. */
static const char *judge_leaf(void)
{
	if (session.verdict == RTLS_HOST_DANE)
		dane_missed();
	session.named = rtls_chain_names_host(&session.chain, session.host,
				&session.why) == RTLS_OK;
	return session.named ? NULL : session.why.text;
}

/* In the order Exim shows them the leaf comes last, as number 0. What is refused here
 * is logged when the session ends, with the whole chain judged. */
static int on_certificate(const struct rtls_config *config, uschar **yield,
	struct rtls_slice depth)
{
	unsigned long long usages = 0;
	const char *why;

	/* What is enforced does not depend on what is to be judged. */
	if (!session.active && !insists())
		return nothing(yield);
	if (rtls_chain_prepend(&session.chain,
		    rtls_exim_value("${base64:$tls_out_peercert}")) !=
			RTLS_OK &&
		rtls_slice_is(depth, "0"))
		rtls_chain_clear(&session.chain);
	if (!rtls_slice_is(depth, "0"))
		return nothing(yield);
	(void)rtls_slice_number(
		rtls_exim_value("$tls_out_tlsa_usage"), UINT8_MAX, &usages);
	session.tlsa_usages = (unsigned)usages;
	session.dane = usages != 0;
	if (session.dane)
		session.tlsa_bad = false; /* there are better ones by now */
	why = session.dane ? judge_dane_leaf(config) : judge_leaf();
	if (why == NULL || !insists())
		return nothing(yield);
	return rtls_exim_return(yield, rtls_slice(why));
}

static void ehlo_read(struct rtls_slice answer)
{
	struct rtls_ehlo ehlo;

	rtls_ehlo_parse(answer, &ehlo);
	rtls_quote(session.helo, sizeof(session.helo), ehlo.name);
	session.starttls_offered = ehlo.starttls;
}

static int on_ehlo(const struct rtls_config *config, uschar **yield,
	struct rtls_slice answer)
{
	if (!session.active)
		return nothing(yield);
	session.ehlo_count++;
	if (session.ehlo_count == 1)
		ehlo_read(answer);
	/* At the first one only on port 465. */
	session.tls = rtls_exim_value("$tls_out_cipher").size > 0;
	session.verified = rtls_slice_is(
		rtls_exim_value("$tls_out_certificate_verified"), "1");
	/* Exim may hand the connection to another process, which knows nothing
	 * of this one: judge as soon as all is known. What insists is judged at
	 * the end, where a refusal belongs. */
	if (session.tls || (!session.starttls_offered && !insists()))
		session_finish(config);
	return nothing(yield);
}

static int on_banner(uschar **yield)
{
	session.banner = true;
	return nothing(yield);
}

/* Exim looked for TLSA before it would connect, and found that it cannot. Its words for it
 * are those it has for any failure, also of our own resolver. */
static int on_no_connection(const struct rtls_config *config, uschar **yield,
	struct rtls_slice policy_domain, bool required)
{
	session_start();
	if (!plan_read() || session.plan.class == RTLS_CLASS_RELAXED)
		return nothing(yield);
	session_name(policy_domain);
	/* The record is about port 25; a host that will be refused has another one. */
	if (!is_other_port() ||
		rtls_verdict_host(&session.plan, rtls_slice(session.host)) ==
			RTLS_HOST_TLSA_FAILED)
		rtls_session_report_lookup(config, &session, required);
	return nothing(yield);
}

static int on_dane_failure(uschar **yield, struct rtls_slice result)
{
	/* No record was usable, so Exim asked for TLS and looked at the certificate
	 * as it would without DANE. */
	if (session.tlsa_bad || (session.chain.count > 0 && !session.dane))
		return nothing(yield);
	session.dane = true;
	if (rtls_result_parse(result, &session.dane_failure) != RTLS_OK)
		session.dane_failure = RTLS_RESULT_VALIDATION_FAILURE;
	return nothing(yield);
}

static int on_host_deferred(
	const struct rtls_config *config, uschar **yield, struct rtls_slice why)
{
	rtls_session_release(why);
	if (rtls_attempt_host_deferred(session.host, why))
		rtls_count_refused(config, &session,
			rtls_slice_starts(why, "5.7.30")
				? "requiretls-not-offered"
				: "tls-not-verified");
	return nothing(yield);
}

static int on_message_deferred(const struct rtls_config *config, uschar **yield)
{
	rtls_attempt_message_deferred(config, &session);
	return nothing(yield);
}

/* Of one recipient, in the process that collects what came of all. That of a patched Exim's
 * own refusals is ours to count: routing knows nothing of it. */
static int on_message_failed(
	const struct rtls_config *config, uschar **yield, struct rtls_slice why)
{
	if (transport_insists() && rtls_attempt_is_exims_refusal(why))
		rtls_count_bounce(
			config, rtls_class_name(RTLS_CLASS_STRICT), why);
	return nothing(yield);
}

int requiretls_session(uschar **yield, int argc, uschar *argv[])
{
	const struct rtls_config *config = rtls_exim_config(NULL);
	struct rtls_slice event, data, policy_domain;

	if (argc < 2 || config == NULL)
		return rtls_exim_return(yield,
			rtls_slice(
				transport_insists()
					? "requiretls: local configuration error"
					: ""));
	event = rtls_slice((const char *)argv[0]);
	data = rtls_slice((const char *)argv[1]);
	policy_domain = rtls_slice(argc > 2 ? (const char *)argv[2] : NULL);
	if (rtls_slice_is(event, "tcp:connect"))
		return on_connect(config, yield, policy_domain);
	if (rtls_slice_is(event, "smtp:connect"))
		return on_banner(yield);
	if (rtls_slice_is(event, "smtp:ehlo"))
		return on_ehlo(config, yield, data);
	if (rtls_slice_is(event, "tls:cert"))
		return on_certificate(config, yield, data);
	if (rtls_slice_is(event, "dane:fail"))
		return rtls_slice_is(data, "dnssec-invalid") ||
				       rtls_slice_is(data, "dane-required")
			       ? on_no_connection(config, yield, policy_domain,
					 rtls_slice_is(data, "dane-required"))
			       : on_dane_failure(yield, data);
	if (rtls_slice_is(event, "tcp:close"))
		return on_close(config, yield);
	if (rtls_slice_is(event, "msg:host:defer"))
		return on_host_deferred(config, yield, data);
	if (rtls_slice_is(event, "msg:defer"))
		return on_message_deferred(config, yield);
	if (rtls_slice_is(event, "msg:fail:delivery"))
		return on_message_failed(config, yield, data);
	return nothing(yield);
}
