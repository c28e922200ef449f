/* judge.c - the result of one session and its journal lines (session.h).
 * The first, most specific failure wins (RFC 8460 section 4.3). */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exim/count.h"
#include "exim/session.h"
#include "policy/text.h"
#include "store/journal.h"
#include "store/policies.h"

static void fail(struct rtls_judgement *judgement, enum rtls_result result,
	const char *text)
{
	judgement->result = result;
	snprintf(judgement->text, sizeof(judgement->text), "%s", text);
}

static bool is_dane(const struct rtls_session *session)
{
	return session->dane || session->verdict == RTLS_HOST_DANE;
}

/* Must the certificate be good: by a policy, or by the class alone? */
static bool wants_certificate(const struct rtls_session *session)
{
	return session->plan.sts || rtls_session_plan_insists(&session->plan);
}

/* Exim said no, or only a CN fits: load the CA bundle and find out why. */
static void judge_certificate(const struct rtls_config *config,
	const struct rtls_session *session, struct rtls_judgement *judgement)
{
	struct rtls_certificate_verdict verdict;
	enum rtls_status status = rtls_chain_judge(
		&session->chain, session->host, config->ca_file, &verdict);

	if (status == RTLS_OK && verdict.result != RTLS_RESULT_SUCCESS) {
		fail(judgement, verdict.result, verdict.text);
	} else if (status == RTLS_TEMPORARY) {
		fail(judgement, RTLS_RESULT_VALIDATION_FAILURE, verdict.text);
		judgement->ours = true;
	} else if (!session->tls) {
		fail(judgement, RTLS_RESULT_VALIDATION_FAILURE,
			session->chain.count > 0
				? "TLS handshake failed"
				: "STARTTLS offered, but no TLS "
				  "session came about");
		judgement->is_open = true;
	} else if (session->chain.count == 0 && !session->verified) {
		fail(judgement, RTLS_RESULT_VALIDATION_FAILURE,
			"certificate of the resumed session not verified");
	}
}

static void judge_dane(
	const struct rtls_session *session, struct rtls_judgement *judgement)
{
	*judgement = (struct rtls_judgement){ .result = RTLS_RESULT_SUCCESS };
	if (session->dane_foreign)
		fail(judgement, RTLS_RESULT_CERTIFICATE_HOST_MISMATCH,
			session->why.text);
	else if (session->dane_failure != RTLS_RESULT_SUCCESS)
		fail(judgement, session->dane_failure,
			"DANE validation failed");
	else if (!session->tls)
		fail(judgement, RTLS_RESULT_VALIDATION_FAILURE,
			"DANE validation failed");
	judgement->is_open = judgement->result != RTLS_RESULT_SUCCESS &&
			     session->chain.count == 0;
}

/* By the policy, or by the rules of the class: the certificate, then the name, which keeps
 * nobody of those that get here from the host. */
static void judge_host(const struct rtls_config *config,
	const struct rtls_session *session, struct rtls_judgement *judgement)
{
	*judgement = (struct rtls_judgement){ .result = RTLS_RESULT_SUCCESS };
	if (!session->tls || (wants_certificate(session) &&
				     !(session->verified && session->named &&
					     !session->dane)))
		judge_certificate(config, session, judgement);
	if (judgement->result == RTLS_RESULT_SUCCESS && session->plan.sts &&
		session->verdict == RTLS_HOST_NOT_IN_POLICY)
		fail(judgement, RTLS_RESULT_VALIDATION_FAILURE,
			"sts-mx-mismatch");
}

void rtls_session_judge(const struct rtls_config *config,
	const struct rtls_session *session, struct rtls_judgement *judgement)
{
	*judgement = (struct rtls_judgement){ .result = RTLS_RESULT_SUCCESS };
	if (!session->tls && !session->starttls_offered &&
		session->chain.count == 0) {
		fail(judgement, RTLS_RESULT_STARTTLS_NOT_SUPPORTED,
			"STARTTLS is not offered");
		return;
	}
	if (is_dane(session) && !session->policy_refused) {
		judge_dane(session, judgement);
		if (judgement->result != RTLS_RESULT_SUCCESS ||
			rtls_session_dane_suffices(session))
			return;
	}
	judge_host(config, session, judgement);
}

/* The TLSA records that were in force, from the cache: Exim does not show them. */
static void tlsa_digest(const struct rtls_config *config,
	const struct rtls_session *session, char digest[RTLS_DIGEST_SIZE])
{
	static char text[RTLS_TLSA_MAX * RTLS_TLSA_TEXT_MAX];
	const struct rtls_record *record = rtls_session_record(config, session);
	struct rtls_text lines;

	digest[0] = '\0';
	rtls_text_init(&lines, text, sizeof(text));
	for (size_t i = 0; record != NULL && i < record->tlsa_count; i++) {
		if (!rtls_slice_is(record->tlsa[i].host, session->host))
			continue;
		rtls_text_add(&lines, record->tlsa[i].text);
		rtls_text_printf(&lines, "\n");
	}
	if (lines.size == 0 || lines.overflow ||
		rtls_policies_put(config->spool, rtls_text_slice(&lines),
			digest, NULL) != RTLS_OK)
		digest[0] = '\0';
}

static void journal_write(const struct rtls_config *config,
	const struct rtls_session_result *result)
{
	static bool complained;
	struct rtls_err err = { "" };

	if (rtls_journal_append(config->spool, result, &err) == RTLS_OK ||
		complained)
		return;
	complained = true;
	rtls_exim_log("TLS-RPT journal not written: %s", err.text);
}

static void set_result(struct rtls_session_result *line,
	const struct rtls_judgement *judgement)
{
	line->result = judgement->result;
	if (judgement->result != RTLS_RESULT_SUCCESS &&
		judgement->result != RTLS_RESULT_STARTTLS_NOT_SUPPORTED)
		line->reason = rtls_slice(judgement->text);
}

/* RFC 8460 section 4.3.2.1: none of the RRset was found to be valid. */
static void judge_tlsa(
	const struct rtls_session *session, struct rtls_judgement *judgement)
{
	if (session->tlsa_bad)
		fail(judgement, RTLS_RESULT_TLSA_INVALID,
			"no usable TLSA record");
	else if (judgement->result != RTLS_RESULT_STARTTLS_NOT_SUPPORTED)
		judge_dane(session, judgement);
}

/* Who is told is the recipient's domain, as of all else; the policy is that of the host,
 * by the name that has the records (result.h). */
static void report_dane(const struct rtls_config *config,
	const struct rtls_session *session,
	const struct rtls_judgement *judgement, struct rtls_session_result line)
{
	struct rtls_judgement dane = *judgement;
	char digest[RTLS_DIGEST_SIZE];

	judge_tlsa(session, &dane);
	tlsa_digest(config, session, digest);
	set_result(&line, &dane);
	line.type = RTLS_POLICY_TLSA;
	line.mx_host = rtls_slice(session->base);
	line.digest = rtls_slice(digest);
	journal_write(config, &line);
}

/* RFC 8460 section 4: one line per policy, and "no policy" where there is no TLSA either. Behind an
 * insecure MX answer TLSA exempts no host from the policy, whatever its mode. */
static bool wants_policy_line(const struct rtls_session *session)
{
	if (!session->plan.sts)
		return !session->plan.unresolved && !is_dane(session) &&
		       !session->tlsa_bad;
	return !is_dane(session) ||
	       (session->verdict != RTLS_HOST_DANE && !session->plan.mx_secure);
}

/* The policy, when there is one that applies, or that there is none. */
static void report_policy(const struct rtls_config *config,
	const struct rtls_session *session,
	const struct rtls_judgement *judgement, struct rtls_session_result line)
{
	struct rtls_judgement policy = *judgement;

	if (is_dane(session) &&
		judgement->result != RTLS_RESULT_STARTTLS_NOT_SUPPORTED)
		judge_host(config, session, &policy);
	set_result(&line, &policy);
	if (session->plan.sts) {
		line.type = RTLS_POLICY_STS;
		line.digest = session->plan.policy_digest;
	} else if (wants_certificate(session) && session->chain.count > 0 &&
		   judgement->result != RTLS_RESULT_SUCCESS) {
		/* Only the sender, or this site, wanted it good. What was held back has
		 * lost its chain: it was good. */
		return;
	}
	journal_write(config, &line);
}

/* What all lines about a session have in common. */
static struct rtls_session_result line_of(const struct rtls_session *session)
{
	return (struct rtls_session_result){
		.time_s = time(NULL),
		.policy_domain = rtls_slice(session->policy_domain),
		.type = RTLS_POLICY_NONE_FOUND,
		.sending_ip = rtls_slice(session->sending_address),
		.mx_host = rtls_slice(session->host),
		.mx_helo = rtls_slice(session->helo),
		.receiving_ip = rtls_slice(session->address),
	};
}

/* An address literal is no domain that anybody could be told about. */
static bool is_told(
	const struct rtls_config *config, const struct rtls_session *session)
{
	return config->tlsrpt && session->policy_domain[0] != '\0';
}

void rtls_session_report(const struct rtls_config *config,
	const struct rtls_session *session,
	const struct rtls_judgement *judgement)
{
	const struct rtls_session_result line = line_of(session);

	rtls_count_session(config, session, judgement);
	if (!is_told(config, session) || judgement->ours)
		return;
	if (session->tlsa_bad || (is_dane(session) && !session->policy_refused))
		report_dane(config, session, judgement, line);
	if (wants_policy_line(session))
		report_policy(config, session, judgement, line);
}

void rtls_session_report_lookup(const struct rtls_config *config,
	const struct rtls_session *session, bool required)
{
	char mx_host[RTLS_DOMAIN_SIZE];
	struct rtls_session_result line = line_of(session);
	struct rtls_judgement judgement = { .text = "" };

	judgement.result =
		rtls_session_dane_lookup(config, session, required, mx_host);
	if (judgement.result == RTLS_RESULT_SUCCESS)
		return;
	rtls_count_session(config, session, &judgement);
	if (!is_told(config, session))
		return;
	line.result = judgement.result;
	line.type = RTLS_POLICY_TLSA;
	line.mx_host = rtls_slice(mx_host);
	if (strcmp(session->address, RTLS_NO_ADDRESS) == 0)
		line.receiving_ip = rtls_slice("");
	line.reason = rtls_slice(line.result == RTLS_RESULT_DANE_REQUIRED
					 ? "no TLSA records proven by DNSSEC"
					 : "DNSSEC validation failed");
	journal_write(config, &line);
}
