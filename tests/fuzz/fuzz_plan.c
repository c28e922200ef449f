/* fuzz_plan.c - address_data: any text as a session reads it; and a cache
 * record of fuzz.example, decided upon in a way that two bytes in front of it
 * choose, written as a plan, read back and compared. */
#include <string.h>

#include "fuzz.h"
#include "policy/verdict.h"

#define DOMAIN       "fuzz.example"
#define CHOICE_BYTES 2
#define PLAN_SIZE    262144

static void check_read(struct rtls_slice input)
{
	struct rtls_session_plan plan;
	enum rtls_host_verdict verdict;

	if (rtls_session_plan_parse(input, &plan) != RTLS_OK)
		return;
	PROPERTY(fuzz_inside(input, plan.policy_id));
	PROPERTY(fuzz_inside(input, plan.policy_digest));
	PROPERTY(fuzz_inside(input, plan.via));
	PROPERTY(fuzz_inside(input, plan.mx));
	PROPERTY(fuzz_inside(input, plan.dane));
	PROPERTY(fuzz_inside(input, plan.tlsafail));
	PROPERTY(fuzz_inside(input, plan.cname));
	PROPERTY(fuzz_inside(input, plan.tlsabad));
	PROPERTY(plan.class <= RTLS_CLASS_RELAXED);
	verdict = rtls_verdict_host(&plan, rtls_slice("mx." DOMAIN "."));
	PROPERTY(verdict == rtls_verdict_host(&plan, rtls_slice("MX." DOMAIN)));
	if (plan.class >= RTLS_CLASS_OBSERVE)
		PROPERTY(!rtls_verdict_refuses(&plan, verdict));
}

/* refused: it is listed with a port */
static void check_host(const struct rtls_plan *plan,
	const struct rtls_session_plan *session, struct rtls_slice host,
	bool refused)
{
	const enum rtls_host_verdict verdict = rtls_verdict_host(session, host);
	const struct rtls_mx *mx = rtls_record_mx(plan->record, host);

	PROPERTY(rtls_verdict_refuses(session, verdict) == refused);
	if (rtls_slice_is(host, RTLS_NO_ADDRESS)) {
		PROPERTY(verdict == RTLS_HOST_TLSA_FAILED);
		return;
	}
	PROPERTY(mx != NULL);
	PROPERTY(rtls_record_lookup_failed(mx) ==
		 (verdict == RTLS_HOST_TLSA_FAILED));
	if (verdict == RTLS_HOST_DANE)
		PROPERTY(mx->tlsa == RTLS_TLSA_SECURE &&
			 plan->mx_dnssec == RTLS_DNSSEC_SECURE);
	if (verdict == RTLS_HOST_OK && plan->sts)
		PROPERTY(rtls_sts_policy_allows(plan->policy, host));
}

/* "A:+:B::49152": the second colon of two belongs to the port. */
static bool take_port(struct rtls_slice *rest)
{
	if (!rtls_slice_starts(*rest, ":"))
		return false;
	(void)rtls_slice_take(rest, ':');
	(void)rtls_slice_take(rest, ':');
	return true;
}

/* Whatever name Exim has of a host, it is that of an MX host to us. */
static void check_cnames(
	const struct rtls_plan *plan, const struct rtls_session_plan *session)
{
	for (size_t i = 0; plan->record != NULL && i < plan->record->mx_count;
		i++) {
		const struct rtls_mx *mx = &plan->record->mx[i];

		PROPERTY(rtls_record_mx(plan->record,
				 rtls_session_plan_mx(session, mx->host)) !=
			 NULL);
		if (mx->cname.size != 0)
			PROPERTY(rtls_record_mx(plan->record,
					 rtls_session_plan_mx(
						 session, mx->cname)) != NULL);
	}
}

static void check_hosts(const struct rtls_plan *plan,
	const struct rtls_session_plan *session, const char *text)
{
	const char *start = strstr(text, " hosts=\"");
	struct rtls_slice rest;
	struct rtls_slice hosts;
	size_t count = 0;

	PROPERTY((start != NULL) == plan->own_mx);
	if (start == NULL)
		return;
	rest = rtls_slice(start + strlen(" hosts=\""));
	hosts = rtls_slice_take(&rest, '"');
	while (hosts.size != 0) {
		const struct rtls_slice host = rtls_slice_take(&hosts, ':');
		const bool refused = take_port(&hosts);

		PROPERTY(host.size != 0);
		if (rtls_slice_is(host, "+"))
			continue;
		check_host(plan, session, host, refused);
		count++;
	}
	PROPERTY(count == plan->record->mx_count);
}

static void check_plan(const struct rtls_plan *plan)
{
	static char buffer[PLAN_SIZE];
	struct rtls_session_plan session;
	struct rtls_text text;
	struct rtls_slice written;

	rtls_text_init(&text, buffer, sizeof(buffer));
	PROPERTY(rtls_plan_format(plan, &text) == RTLS_OK);
	written = rtls_text_slice(&text);
	PROPERTY(memchr(buffer, '\n', text.size) == NULL);
	if (plan->action != RTLS_DELIVER) {
		PROPERTY(rtls_session_plan_parse(written, &session) ==
			 RTLS_NONE);
		return;
	}
	PROPERTY(rtls_session_plan_parse(written, &session) == RTLS_OK);
	PROPERTY(session.class == plan->class && session.sts == plan->sts);
	PROPERTY(!session.sts || session.sts_mode == plan->sts_mode);
	PROPERTY(session.sts_exempt ==
		 (plan->sts && (plan->exempt & RTLS_PROTECT_STS) != 0));
	PROPERTY(!session.sts_exempt || session.sts_mode == RTLS_STS_TESTING);
	PROPERTY(plan->required == 0 || plan->own_mx);
	PROPERTY((plan->required & RTLS_PROTECT_STS) == 0 ||
		 (session.sts && session.sts_mode == RTLS_STS_ENFORCE));
	PROPERTY((plan->required & RTLS_PROTECT_DNSSEC) == 0 ||
		 session.mx_secure);
	PROPERTY(rtls_slice_equal(session.policy_id, plan->policy_id));
	PROPERTY(rtls_slice_equal(session.policy_digest, plan->policy_digest));
	PROPERTY(session.mx_secure == (plan->mx_dnssec == RTLS_DNSSEC_SECURE));
	check_hosts(plan, &session, buffer);
	check_cnames(plan, &session);
}

static void choose(const uint8_t *data, size_t size, struct rtls_config *config,
	struct rtls_question *question)
{
	static const unsigned required[] = { 0, RTLS_PROTECT_STS,
		RTLS_PROTECT_VERIFIED, RTLS_PROTECT_DNSSEC | RTLS_PROTECT_STS };

	rtls_config_defaults(config);
	question->level = (enum rtls_level)(data[0] & 3);
	config->mta_sts = (data[0] & 4) == 0;
	config->sts_dns_error = (enum rtls_on_dns_error)(data[0] >> 3 & 1);
	question->config = config;
	question->flags.requiretls =
		(enum rtls_requiretls)((data[0] >> 4 & 3) % 3);
	question->flags.dnssec = (enum rtls_dnssec_wish)((data[1] & 3) % 3);
	question->empty_sender = (data[1] & 4) != 0;
	question->wire_support = (data[1] & 8) == 0;
	question->literal = (data[1] & 0x30) == 0x30;
	question->resolved = (data[1] & 0x40) == 0;
	question->required = required[data[0] >> 6];
	question->exempt = (data[1] & 0x80) != 0 ? (unsigned)size & 15 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtls_sts_policy policy;
	struct rtls_config config;
	struct rtls_record record;
	struct rtls_question question = { 0 };
	struct rtls_plan plan;

	check_read(fuzz_input(data, size));
	if (size < CHOICE_BYTES)
		return 0;
	choose(data, size, &config, &question);
	if (rtls_record_parse(rtls_slice_n((const char *)data + CHOICE_BYTES,
				      size - CHOICE_BYTES),
		    DOMAIN, &record, NULL) == RTLS_OK) {
		question.record = &record;
		if (rtls_sts_policy_parse(record.policy_text, &policy, NULL) ==
			RTLS_OK)
			question.policy = &policy;
	}
	rtls_verdict_route(&question, &plan);
	check_plan(&plan);
	return 0;
}
