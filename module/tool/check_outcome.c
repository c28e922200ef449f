/* check_outcome.c - see check_outcome.h. */
#include "tool/check_outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAN_SIZE (RTLS_STS_POLICY_SIZE_MAX + 64 * 1024)

/* One host, or one address of it, under one plan. */
struct judgement {
	bool is_usable;
	bool is_tls;
	bool is_definite; /* for what it is, not for what happened just now */
	bool is_no_route;
	char text[RTLS_ERR_SIZE + RTLS_DOMAIN_SIZE];
};

struct judge {
	const struct rtls_check *check;
	const struct rtls_plan *plan;
	struct rtls_session_plan session;
};

RTLS_PRINTF(3, 4)
static void refuse(
	struct judgement *judgement, bool is_definite, const char *format, ...)
{
	va_list args;

	judgement->is_usable = false;
	judgement->is_definite = is_definite;
	va_start(args, format);
	(void)vsnprintf(judgement->text, sizeof(judgement->text), format, args);
	va_end(args);
}

static bool insists_on_requiretls(const struct judge *judge)
{
	return judge->session.class == RTLS_CLASS_STRICT &&
	       judge->plan->demand == RTLS_LEVEL_ENFORCE;
}

/* A good certificate, or why not. */
static const struct rtls_certificate_verdict *certificate_of(
	const struct rtls_probe *probe, bool is_dane)
{
	return is_dane && probe->has_dane ? &probe->dane : &probe->pkix;
}

static void judge_tls(const struct rtls_probe *probe, const char *host,
	bool is_dane, struct judgement *judgement)
{
	const struct rtls_certificate_verdict *verdict =
		certificate_of(probe, is_dane);

	if (!probe->has_starttls)
		refuse(judgement, true,
			"host %s refused: STARTTLS is not offered (%s)", host,
			rtls_result_name(RTLS_RESULT_STARTTLS_NOT_SUPPORTED));
	else if (probe->has_certificate &&
		 verdict->result != RTLS_RESULT_SUCCESS)
		refuse(judgement, is_dane || probe->is_judged,
			"host %s certificate refused: %.200s (%s)", host,
			verdict->text, rtls_result_name(verdict->result));
	else if (probe->tls[0] == '\0')
		refuse(judgement, false,
			"host %s refused: STARTTLS offered, but no TLS session "
			"came about (%s)",
			host, rtls_result_name(RTLS_RESULT_VALIDATION_FAILURE));
}

/* Exim's own transport does DANE too, whatever the class. */
static void judge_probe(const struct judge *judge,
	const struct rtls_probe_target *target, const struct rtls_probe *probe,
	bool is_dane, struct judgement *judgement)
{
	*judgement = (struct judgement){ .is_usable = true,
		.is_tls = probe->tls[0] != '\0',
		.is_no_route = probe->no_route };
	if (probe->step < RTLS_PROBE_STARTTLS) {
		refuse(judgement, false, "host %s [%s]: %.200s", target->host,
			target->address, probe->why);
		return;
	}
	if (is_dane || rtls_session_plan_insists(&judge->session))
		judge_tls(probe, target->host, is_dane, judgement);
	if (judgement->is_usable && insists_on_requiretls(judge) &&
		!probe->has_requiretls)
		refuse(judgement, true,
			"host %s refused: 5.7.30 REQUIRETLS support required",
			target->host);
}

/* The first address that will do, or the last reason why none does. */
static void judge_addresses(const struct judge *judge, size_t index,
	bool is_dane, struct judgement *judgement)
{
	const struct rtls_check *check = judge->check;
	struct rtls_slice host = judge->plan->record->mx[index].host;
	bool is_definite = true;

	refuse(judgement, false, "host %.*s has no address that was looked at",
		(int)host.size, host.data);
	for (size_t i = 0; i < check->target_count; i++) {
		if (check->target_host[i] != index)
			continue;
		judge_probe(judge, &check->target[i], &check->probe[i], is_dane,
			judgement);
		if (judgement->is_usable)
			return;
		is_definite = is_definite && judgement->is_definite;
		judgement->is_definite = is_definite;
	}
}

/* As requiretls_session() does at tcp:connect, and then by what the host did. */
static void judge_host(
	const struct judge *judge, size_t index, struct judgement *judgement)
{
	const struct rtls_mx *mx = &judge->plan->record->mx[index];
	const struct rtls_slice domain = rtls_session_plan_domain(
		&judge->session, mx->host, rtls_slice(judge->check->domain));
	enum rtls_host_verdict verdict =
		rtls_verdict_host(&judge->session, mx->host);

	*judgement = (struct judgement){ .is_usable = false };
	/* In the other classes it is Exim's own DANE that does not use it. */
	if (verdict == RTLS_HOST_TLSA_FAILED)
		refuse(judgement, false,
			"host %.*s refused: its %s lookup failed",
			(int)mx->host.size, mx->host.data,
			rtls_record_lacks_address(mx) ? "address" : "TLSA");
	else if (!rtls_verdict_refuses(&judge->session, verdict))
		judge_addresses(
			judge, index, verdict == RTLS_HOST_DANE, judgement);
	else
		refuse(judgement, true,
			"host %.*s refused: not in the MTA-STS policy of %.*s",
			(int)mx->host.size, mx->host.data, (int)domain.size,
			domain.data);
}

/* RFC 8689 section 4.2.1: for good only when each host was refused for what it is. */
static void end_without_host(const struct judge *judge, bool is_definite,
	struct rtls_check_outcome *outcome)
{
	const char *last =
		outcome->refused_count > 0
			? outcome->refused[outcome->refused_count - 1]
			: "";

	if (is_definite && judge->session.class == RTLS_CLASS_STRICT) {
		outcome->outcome = RTLS_OUTCOME_RETURNED;
		(void)snprintf(outcome->text, sizeof(outcome->text),
			"5.7.10 no %s of %.80s qualifies for REQUIRETLS; "
			"%.120s",
			judge->session.via.size > 0 ? "host" : "MX host",
			judge->check->domain, last);
		return;
	}
	outcome->outcome = RTLS_OUTCOME_PUT_OFF;
	(void)snprintf(outcome->text, sizeof(outcome->text),
		"no host can be used now");
}

static void try_hosts(
	const struct judge *judge, struct rtls_check_outcome *outcome)
{
	const struct rtls_record *record = judge->plan->record;
	bool is_definite = true, is_no_route = record->mx_count > 0;

	for (size_t i = 0; i < record->mx_count; i++) {
		struct judgement judgement;

		judge_host(judge, i, &judgement);
		if (judgement.is_usable) {
			outcome->outcome = RTLS_OUTCOME_DELIVERED;
			outcome->host = record->mx[i].host;
			outcome->is_tls = judgement.is_tls;
			return;
		}
		is_definite = is_definite && judgement.is_definite;
		is_no_route = is_no_route && judgement.is_no_route;
		(void)snprintf(outcome->refused[outcome->refused_count++],
			sizeof(outcome->refused[0]), "%s", judgement.text);
	}
	outcome->is_unknown = is_no_route;
	end_without_host(judge, is_definite, outcome);
}

/* As the session gets it: through the text that routing hands it. */
static enum rtls_status read_session_plan(const struct rtls_plan *plan,
	char *buffer, struct rtls_session_plan *session)
{
	struct rtls_text text;
	enum rtls_status status;

	rtls_text_init(&text, buffer, PLAN_SIZE);
	status = rtls_plan_format(plan, &text);
	if (status == RTLS_OK)
		status = rtls_session_plan_parse(
			rtls_text_slice(&text), session);
	return status;
}

enum rtls_status rtls_check_outcome(const struct rtls_check *check,
	const struct rtls_plan *plan, struct rtls_check_outcome *outcome)
{
	struct judge judge = { .check = check, .plan = plan };
	char *buffer = malloc(PLAN_SIZE);
	enum rtls_status status;

	if (buffer == NULL)
		return RTLS_NO_MEMORY;
	memset(outcome, 0, sizeof(*outcome));
	status = read_session_plan(plan, buffer, &judge.session);
	if (status == RTLS_OK)
		try_hosts(&judge, outcome);
	free(buffer);
	return status;
}
