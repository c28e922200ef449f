/* test_verdict.c - which class of delivery a message gets (items A4 to A6, C2
 * to C4, D; RFC 8461 sections 4 and 5, RFC 8689 section 4.2). One table of
 * decisions, then a sweep over all combinations that checks what must hold in
 * each, written down without looking at the code. */
#include "check.h"
#include "policy/verdict.h"

#define DIGEST                                                                 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

enum sts {
	STS_ABSENT,
	STS_NONE,
	STS_TESTING,
	STS_ENFORCE,
};

/* A question in short: what is not said is 0, the usual case. */
struct setup {
	enum rtls_requiretls requiretls;
	enum rtls_dnssec_wish dnssec;
	enum rtls_level level;
	bool empty_sender;
	bool unpatched;
	bool literal;
	bool unresolved;
	bool no_record;
	bool ignores_sts; /* mta_sts = no */
	bool defers;      /* sts_dns_error = defer */
	unsigned char
		named : 4;      /* how many of the two hosts the policy names */
	unsigned char dane : 1; /* of a smart host */
	unsigned char by : 3;   /* enum rtls_flagged_by */
	enum rtls_mx_answer mx;
	enum rtls_dnssec mx_dnssec;
	enum sts sts;
	enum rtls_txt_state txt;
	enum rtls_fetch_state fetch;
	unsigned required; /* sets of enum rtls_protection */
	unsigned exempt;
};

struct world {
	struct rtls_config config;
	struct rtls_record record;
	struct rtls_sts_policy policy;
	struct rtls_question question;
};

static void build_record(const struct setup *setup, struct rtls_record *record)
{
	*record = (struct rtls_record){ .domain = rtls_slice("bank.example") };
	record->mx_answer = setup->mx;
	record->mx_dnssec = setup->mx_dnssec;
	record->txt = setup->txt;
	record->fetch = setup->fetch;
	record->policy_id = rtls_slice("20261101");
	record->policy_digest = rtls_slice(DIGEST);
	if (setup->mx == RTLS_MX_HOSTS) {
		record->mx_count = 2;
		record->mx[0].preference = 10;
		record->mx[0].host = rtls_slice("mx1.bank.example");
		record->mx[1].preference = 20;
		record->mx[1].host = rtls_slice("mx2.bank.example");
	} else if (setup->mx == RTLS_MX_IMPLICIT) {
		record->mx_count = 1;
		record->mx[0].host = record->domain;
	}
}

static void build_policy(
	const struct setup *setup, struct rtls_sts_policy *policy)
{
	policy->mode = setup->sts == STS_ENFORCE   ? RTLS_STS_ENFORCE
		       : setup->sts == STS_TESTING ? RTLS_STS_TESTING
						   : RTLS_STS_NONE;
	policy->max_age_s = 604800;
	policy->mx_count = 1;
	policy->mx[0] = rtls_slice(setup->named == 2   ? "*.bank.example"
				   : setup->named == 1 ? "mx2.bank.example"
						       : "mx.other.example");
}

static void build(const struct setup *setup, struct world *world)
{
	struct rtls_question *question = &world->question;

	*question = (struct rtls_question){ .config = &world->config,
		.domain = rtls_slice("bank.example") };
	question->level = setup->level;
	question->required = setup->required;
	question->exempt = setup->exempt;
	world->config.mta_sts = !setup->ignores_sts;
	world->config.sts_dns_error =
		setup->defers ? RTLS_DNS_ERROR_DEFER : RTLS_DNS_ERROR_PROCEED;
	question->flags.requiretls = setup->requiretls;
	question->flags.dnssec = setup->dnssec;
	question->flags.by = (enum rtls_flagged_by)setup->by;
	question->empty_sender = setup->empty_sender;
	question->wire_support = !setup->unpatched;
	question->literal = setup->literal;
	question->dane = setup->dane;
	question->resolved = !setup->unresolved;
	if (setup->no_record)
		return;
	build_record(setup, &world->record);
	question->record = &world->record;
	if (setup->sts == STS_ABSENT)
		return;
	build_policy(setup, &world->policy);
	question->policy = &world->policy;
}

static void ask(const struct setup *setup, struct rtls_plan *plan)
{
	static struct world world;

	build(setup, &world);
	check_touch_not(plan, sizeof(*plan));
	rtls_verdict_route(&world.question, plan);
}

struct row {
	const char *proves;
	struct setup setup;
	enum rtls_action action;
	enum rtls_class class;
	const char *text; /* how it begins */
	bool recheck;
};

#define FLAGGED    .requiretls = RTLS_REQUIRETLS_YES
#define RELAXED    .requiretls = RTLS_REQUIRETLS_RELAXED
#define SECURE     .dnssec = RTLS_DNSSEC_REQUIRE
#define HOSTS      .mx = RTLS_MX_HOSTS, .mx_dnssec = RTLS_DNSSEC_INSECURE
#define SIGNED     .mx = RTLS_MX_HOSTS, .mx_dnssec = RTLS_DNSSEC_SECURE
#define IMPLICIT   .mx = RTLS_MX_IMPLICIT, .mx_dnssec = RTLS_DNSSEC_INSECURE
#define FAILED     .mx = RTLS_MX_FAILED
#define BOGUS      .mx = RTLS_MX_FAILED, .mx_dnssec = RTLS_DNSSEC_BOGUS
#define ENFORCE    .sts = STS_ENFORCE, .named = 2
#define TESTING    .sts = STS_TESTING, .named = 2
#define STS        RTLS_PROTECT_STS
#define DNSSEC     RTLS_PROTECT_DNSSEC
#define REQUIRETLS RTLS_PROTECT_REQUIRETLS
#define VERIFIED   RTLS_PROTECT_VERIFIED
#define NEEDS(set) .required = (set)
#define LIFTS(set) .exempt = (set)
#define OBSERVED   RTLS_DELIVER, RTLS_CLASS_OBSERVE, "", false
#define ENFORCED   RTLS_DELIVER, RTLS_CLASS_ENFORCE, "", false
#define STRICT     RTLS_DELIVER, RTLS_CLASS_STRICT, "", false
#define LOOSE      RTLS_DELIVER, RTLS_CLASS_RELAXED, "", false

static const struct row rows[] = {
	{ "A5.2 plain mail, no policy", { HOSTS }, OBSERVED },
	{ "A6.8 testing observes", { HOSTS, TESTING }, OBSERVED },
	{ "EDGE 63 testing with no host named", { HOSTS, .sts = STS_TESTING },
		OBSERVED },
	{ "A5.10 none is no policy", { HOSTS, .sts = STS_NONE }, OBSERVED },
	{ "A6.7 enforce", { HOSTS, ENFORCE }, ENFORCED },
	{ "A6.9 enforce with no host named still goes host by host",
		{ HOSTS, .sts = STS_ENFORCE }, ENFORCED },
	{ "A6.3 enforce with an implicit MX", { IMPLICIT, ENFORCE }, ENFORCED },
	{ "A4.2 DANE of a smart host is not left to the site's way",
		{ IMPLICIT, .dane = true }, ENFORCED },
	{ "A5.3 TXT failed, cached policy enforces",
		{ HOSTS, ENFORCE, .txt = RTLS_TXT_FAILED, .defers = true },
		ENFORCED },
	{ "mta_sts = no", { HOSTS, ENFORCE, .ignores_sts = true }, OBSERVED },
	{ "A5.7 TXT failed, nothing cached: proceed",
		{ HOSTS, .txt = RTLS_TXT_FAILED }, OBSERVED },
	{ "A5.7 TXT failed, nothing cached: defer when told so",
		{ HOSTS, .txt = RTLS_TXT_FAILED, .defers = true }, RTLS_DEFER,
		RTLS_CLASS_OBSERVE,
		"4.7.0 the MTA-STS lookup for domain bank.example failed",
		false },
	{ "A5.7 TXT failed, none is cached",
		{ HOSTS, .sts = STS_NONE, .txt = RTLS_TXT_FAILED,
			.defers = true },
		OBSERVED },
	{ "A5.7 TXT failed, but STS is off",
		{ HOSTS, .txt = RTLS_TXT_FAILED, .defers = true,
			.ignores_sts = true },
		OBSERVED },
	{ "A5.7 no TXT record is no failure",
		{ HOSTS, .txt = RTLS_TXT_NONE, .defers = true }, OBSERVED },

	{ "C4.1 TLS-Required: No", { HOSTS, RELAXED, ENFORCE }, LOOSE },
	{ "C4.1 relaxed, nothing else looked at",
		{ BOGUS, RELAXED, SECURE, .unresolved = true, .defers = true },
		LOOSE },
	{ "B7.3 relaxed to a literal", { RELAXED, .literal = true }, LOOSE },
	{ "relaxed, whatever the level",
		{ HOSTS, RELAXED, .level = RTLS_LEVEL_DISABLE }, LOOSE },

	{ "A4.3 literal", { .literal = true, .no_record = true }, OBSERVED },
	{ "A4.3 a literal has no policy", { .literal = true, HOSTS, ENFORCE },
		OBSERVED },
	{ "D14 flagged to a literal",
		{ FLAGGED, .literal = true, .no_record = true }, RTLS_FAIL,
		RTLS_CLASS_STRICT, "5.7.10 an address literal has no name",
		false },
	{ "D14 SECURE to a literal", { SECURE, .literal = true }, RTLS_FAIL,
		RTLS_CLASS_ENFORCE, "5.7.10 an address literal has no name",
		false },
	{ "C3.3 a flagged bounce to a literal",
		{ FLAGGED, .literal = true, .empty_sender = true }, OBSERVED },

	{ "nothing known, nothing asked for",
		{ .unresolved = true, .no_record = true }, OBSERVED },
	{ "the resolver answers without a record", { .no_record = true },
		OBSERVED },
	{ "A5.7 nothing known, told to defer",
		{ .unresolved = true, .no_record = true, .defers = true },
		RTLS_DEFER, RTLS_CLASS_OBSERVE,
		"4.7.0 the MTA-STS lookup for domain bank.example", false },
	{ "C2.8 flagged, nothing known",
		{ FLAGGED, .unresolved = true, .no_record = true }, RTLS_DEFER,
		RTLS_CLASS_STRICT, "4.4.3 domain bank.example could not",
		false },
	{ "C2.8 flagged, an answer out of its time",
		{ FLAGGED, SIGNED, ENFORCE, .unresolved = true }, RTLS_DEFER,
		RTLS_CLASS_STRICT, "4.4.3 domain bank.example could not",
		false },
	{ "D3 SECURE, an answer out of its time",
		{ SECURE, SIGNED, .unresolved = true }, RTLS_DEFER,
		RTLS_CLASS_ENFORCE, "4.4.3 domain bank.example could not",
		false },
	{ "A5.3 the cached policy applies to the hosts of before",
		{ HOSTS, ENFORCE, .unresolved = true }, ENFORCED },
	{ "A5.3 the cached policy applies, no hosts known",
		{ ENFORCE, .unresolved = true }, RTLS_DEFER, RTLS_CLASS_ENFORCE,
		"4.4.3 the MX hosts of domain bank.example, which enforces",
		false },
	{ "A5.3 a null MX of before does not bounce",
		{ .mx = RTLS_MX_NULL, ENFORCE, .unresolved = true }, RTLS_DEFER,
		RTLS_CLASS_ENFORCE, "4.4.3 the MX hosts of", false },
	{ "A5.3 testing, unresolved", { HOSTS, TESTING, .unresolved = true },
		OBSERVED },
	{ "a bogus answer of before", { BOGUS, .unresolved = true }, OBSERVED },

	{ "D2 D3 bogus defers all mail", { BOGUS }, RTLS_DEFER,
		RTLS_CLASS_OBSERVE,
		"4.7.0 the MX answer for bank.example failed DNSSEC validation",
		false },
	{ "D3 bogus defers flagged mail", { BOGUS, FLAGGED }, RTLS_DEFER,
		RTLS_CLASS_STRICT, "4.7.0 the MX answer", false },
	{ "D2 hosts that are bogus",
		{ .mx = RTLS_MX_HOSTS,
			.mx_dnssec = RTLS_DNSSEC_BOGUS,
			ENFORCE },
		RTLS_DEFER, RTLS_CLASS_ENFORCE, "4.7.0 the MX answer", false },
	{ "D3 failed, plain: the site's lookup decides", { FAILED }, OBSERVED },
	{ "D3 failed, REQUEST only asks",
		{ FAILED, .dnssec = RTLS_DNSSEC_REQUEST }, OBSERVED },
	{ "D3 failed, enforce", { FAILED, ENFORCE }, RTLS_DEFER,
		RTLS_CLASS_ENFORCE, "4.4.3 the MX lookup for bank.example",
		false },
	{ "D3 failed, flagged", { FAILED, FLAGGED }, RTLS_DEFER,
		RTLS_CLASS_STRICT, "4.4.3 the MX lookup for bank.example",
		false },
	{ "D3 failed, SECURE", { FAILED, SECURE }, RTLS_DEFER,
		RTLS_CLASS_ENFORCE, "4.4.3 the MX lookup for bank.example",
		false },
	{ "D3 never looked up, enforce", { ENFORCE }, RTLS_DEFER,
		RTLS_CLASS_ENFORCE, "4.4.3 the MX lookup", false },

	{ "D13 null MX, plain: the site's router says so",
		{ .mx = RTLS_MX_NULL }, OBSERVED },
	{ "D13 null MX, enforce", { .mx = RTLS_MX_NULL, ENFORCE }, RTLS_FAIL,
		RTLS_CLASS_ENFORCE,
		"5.1.10 domain bank.example accepts no mail (null MX)", true },
	{ "D13 null MX, flagged", { .mx = RTLS_MX_NULL, FLAGGED }, RTLS_FAIL,
		RTLS_CLASS_STRICT, "5.1.10 domain bank.example", true },
	{ "D13 no such domain, plain", { .mx = RTLS_MX_NXDOMAIN }, OBSERVED },
	{ "D13 no such domain, SECURE", { .mx = RTLS_MX_NXDOMAIN, SECURE },
		RTLS_FAIL, RTLS_CLASS_ENFORCE,
		"5.1.2 domain bank.example does not exist or has no mail host",
		true },

	{ "C2.2 flagged, MX signed", { FLAGGED, SIGNED }, STRICT },
	{ "C2.2 flagged, policy enforce names the hosts",
		{ FLAGGED, HOSTS, ENFORCE }, STRICT },
	{ "C2.2 flagged, policy testing names the hosts",
		{ FLAGGED, HOSTS, TESTING }, STRICT },
	{ "C2.2 flagged, the policy names one host",
		{ FLAGGED, HOSTS, .sts = STS_ENFORCE, .named = 1 }, STRICT },
	{ "C2.2 flagged, none vouches for nothing",
		{ FLAGGED, HOSTS, .sts = STS_NONE, .named = 2 }, RTLS_FAIL,
		RTLS_CLASS_STRICT, "5.7.10 REQUIRETLS: nothing vouches", true },
	{ "C2.3 flagged, implicit MX needs no voucher", { FLAGGED, IMPLICIT },
		STRICT },
	{ "C2.9 flagged, nothing vouches: bounce, but look again",
		{ FLAGGED, HOSTS }, RTLS_FAIL, RTLS_CLASS_STRICT,
		"5.7.10 REQUIRETLS: nothing vouches for the MX hosts of "
		"bank.example",
		true },
	{ "C2.9 flagged, the policy names no host",
		{ FLAGGED, HOSTS, .sts = STS_ENFORCE }, RTLS_FAIL,
		RTLS_CLASS_STRICT,
		"5.7.10 REQUIRETLS: the MTA-STS policy of bank.example", true },
	{ "C2.2 flagged, signed beats a policy that names no host",
		{ FLAGGED, SIGNED, .sts = STS_ENFORCE }, STRICT },
	{ "C2.2 flagged, mta_sts = no",
		{ FLAGGED, HOSTS, ENFORCE, .ignores_sts = true }, RTLS_FAIL,
		RTLS_CLASS_STRICT, "5.7.10 REQUIRETLS: nothing vouches", true },
	{ "C2.8 flagged, TXT failed: a policy may be there",
		{ FLAGGED, HOSTS, .txt = RTLS_TXT_FAILED }, RTLS_DEFER,
		RTLS_CLASS_STRICT, "4.7.0 REQUIRETLS: the MTA-STS lookup",
		false },
	{ "A5.8 flagged, TXT failed: a newer policy may be there",
		{ FLAGGED, HOSTS, .sts = STS_ENFORCE, .txt = RTLS_TXT_FAILED },
		RTLS_DEFER, RTLS_CLASS_STRICT,
		"4.7.0 REQUIRETLS: the MTA-STS lookup", false },
	{ "C2.8 flagged, a policy is announced and its host is down",
		{ FLAGGED, HOSTS, .txt = RTLS_TXT_VALID,
			.fetch = RTLS_FETCH_FAILED },
		RTLS_DEFER, RTLS_CLASS_STRICT,
		"4.7.0 REQUIRETLS: the MTA-STS policy of bank.example could",
		false },
	{ "C2.8 flagged, it was down, and is announced no more",
		{ FLAGGED, HOSTS, .txt = RTLS_TXT_NONE,
			.fetch = RTLS_FETCH_FAILED },
		RTLS_FAIL, RTLS_CLASS_STRICT,
		"5.7.10 REQUIRETLS: nothing vouches", true },
	{ "C2.8 flagged, TXT failed, but STS is off",
		{ FLAGGED, HOSTS, .txt = RTLS_TXT_FAILED, .ignores_sts = true },
		RTLS_FAIL, RTLS_CLASS_STRICT,
		"5.7.10 REQUIRETLS: nothing vouches", true },
	{ "flagged and SECURE", { FLAGGED, SECURE, SIGNED }, STRICT },
	{ "flagged and SECURE, not signed", { FLAGGED, SECURE, HOSTS, ENFORCE },
		RTLS_FAIL, RTLS_CLASS_STRICT,
		"5.7.10 the MX answer for bank.example", true },
	{ "flagged and SECURE, absence of MX not signed",
		{ FLAGGED, SECURE, IMPLICIT }, RTLS_FAIL, RTLS_CLASS_STRICT,
		"5.7.10 the MX answer for bank.example", true },
	{ "C2.4 an Exim without patches",
		{ FLAGGED, SIGNED, .unpatched = true }, RTLS_FAIL,
		RTLS_CLASS_STRICT, "5.7.30 REQUIRETLS support required",
		false },
	{ "EDGE 109 level verified needs no patches",
		{ FLAGGED, SIGNED, .unpatched = true,
			.level = RTLS_LEVEL_VERIFIED },
		STRICT },
	{ "level verified still wants names vouched for",
		{ FLAGGED, HOSTS, .level = RTLS_LEVEL_VERIFIED }, RTLS_FAIL,
		RTLS_CLASS_STRICT, "5.7.10 REQUIRETLS: nothing vouches", true },
	{ "level opportunistic",
		{ FLAGGED, HOSTS, .level = RTLS_LEVEL_OPPORTUNISTIC },
		OBSERVED },
	{ "level disable, enforce stays",
		{ FLAGGED, HOSTS, ENFORCE, .level = RTLS_LEVEL_DISABLE },
		ENFORCED },
	{ "C3.3 a bounce does not insist",
		{ FLAGGED, HOSTS, .empty_sender = true, .unpatched = true },
		OBSERVED },
	{ "C3.3 a report that the site itself flagged does insist",
		{ FLAGGED, HOSTS, .empty_sender = true, .by = RTLS_BY_RULE },
		RTLS_FAIL, RTLS_CLASS_STRICT,
		"5.7.10 REQUIRETLS: nothing vouches", true },
	{ "C3.3 a bounce under a policy",
		{ FLAGGED, HOSTS, ENFORCE, .empty_sender = true }, ENFORCED },

	{ "SECURE, signed", { SECURE, SIGNED }, ENFORCED },
	{ "SECURE, signed, with a testing policy", { SECURE, SIGNED, TESTING },
		ENFORCED },
	{ "SECURE, not signed", { SECURE, HOSTS }, RTLS_FAIL,
		RTLS_CLASS_ENFORCE, "5.7.10 the MX answer for bank.example",
		true },
	{ "SECURE, a policy does not help", { SECURE, HOSTS, ENFORCE },
		RTLS_FAIL, RTLS_CLASS_ENFORCE,
		"5.7.10 the MX answer for bank.example", true },
	{ "SECURE, state not known", { SECURE, .mx = RTLS_MX_HOSTS }, RTLS_FAIL,
		RTLS_CLASS_ENFORCE, "5.7.10 the MX answer", true },
	{ "SECURE holds for bounces too",
		{ SECURE, HOSTS, .empty_sender = true }, RTLS_FAIL,
		RTLS_CLASS_ENFORCE, "5.7.10 the MX answer", true },
	{ "SECURE holds when REQUIRETLS is off",
		{ SECURE, HOSTS, FLAGGED, .level = RTLS_LEVEL_DISABLE },
		RTLS_FAIL, RTLS_CLASS_ENFORCE, "5.7.10 the MX answer", true },
	{ "REQUEST only asks", { HOSTS, .dnssec = RTLS_DNSSEC_REQUEST },
		OBSERVED },

	{ "require verified: no policy is needed", { HOSTS, NEEDS(VERIFIED) },
		ENFORCED },
	{ "require verified: an implicit MX", { IMPLICIT, NEEDS(VERIFIED) },
		ENFORCED },
	{ "require verified: beats TLS-Required: No",
		{ HOSTS, RELAXED, NEEDS(VERIFIED) }, ENFORCED },
	{ "require verified: holds for bounces",
		{ HOSTS, NEEDS(VERIFIED), .empty_sender = true }, ENFORCED },
	{ "require verified: flagged mail demands more",
		{ HOSTS, FLAGGED, NEEDS(VERIFIED) }, RTLS_FAIL,
		RTLS_CLASS_STRICT, "5.7.10 REQUIRETLS: nothing vouches", true },
	{ "require verified: flags that only ask",
		{ HOSTS, FLAGGED, NEEDS(VERIFIED),
			.level = RTLS_LEVEL_OPPORTUNISTIC },
		ENFORCED },
	{ "require verified: a literal has no name",
		{ NEEDS(VERIFIED), .literal = true }, RTLS_FAIL,
		RTLS_CLASS_ENFORCE, "5.7.10 an address literal has no name",
		false },
	{ "require verified: a literal, relaxed",
		{ RELAXED, NEEDS(VERIFIED), .literal = true }, RTLS_FAIL,
		RTLS_CLASS_ENFORCE, "5.7.10 an address literal has no name",
		false },
	{ "require verified: nothing known",
		{ NEEDS(VERIFIED), .unresolved = true, .no_record = true },
		RTLS_DEFER, RTLS_CLASS_ENFORCE,
		"4.4.3 domain bank.example could not be looked up, and a rule",
		false },
	{ "require verified: hosts of before are nobody's word",
		{ HOSTS, NEEDS(VERIFIED), .unresolved = true }, RTLS_DEFER,
		RTLS_CLASS_ENFORCE,
		"4.4.3 domain bank.example could not be looked up, and a rule",
		false },
	{ "require verified: but a policy bounds them",
		{ HOSTS, ENFORCE, NEEDS(VERIFIED), .unresolved = true },
		ENFORCED },
	{ "require verified: failed MX", { FAILED, NEEDS(VERIFIED) },
		RTLS_DEFER, RTLS_CLASS_ENFORCE,
		"4.4.3 the MX lookup for bank.example", false },
	{ "require verified: null MX", { .mx = RTLS_MX_NULL, NEEDS(VERIFIED) },
		RTLS_FAIL, RTLS_CLASS_ENFORCE, "5.1.10 domain bank.example",
		true },
	{ "require verified: bogus", { BOGUS, NEEDS(VERIFIED) }, RTLS_DEFER,
		RTLS_CLASS_ENFORCE, "4.7.0 the MX answer", false },
	{ "require verified: a policy may be there, told to defer",
		{ HOSTS, NEEDS(VERIFIED), .txt = RTLS_TXT_FAILED,
			.defers = true },
		RTLS_DEFER, RTLS_CLASS_ENFORCE,
		"4.7.0 the MTA-STS lookup for domain bank.example failed",
		false },
	{ "require verified: mta_sts = no is no matter",
		{ HOSTS, NEEDS(VERIFIED), .ignores_sts = true }, ENFORCED },

	{ "require sts: enforce", { HOSTS, ENFORCE, NEEDS(STS) }, ENFORCED },
	{ "require sts: testing is enforced", { HOSTS, TESTING, NEEDS(STS) },
		ENFORCED },
	{ "require sts: beats TLS-Required: No",
		{ HOSTS, TESTING, RELAXED, NEEDS(STS) }, ENFORCED },
	{ "require sts: the cached policy applies, TXT failed",
		{ HOSTS, TESTING, NEEDS(STS), .txt = RTLS_TXT_FAILED },
		ENFORCED },
	{ "require sts: the cached policy applies, unresolved",
		{ HOSTS, TESTING, NEEDS(STS), .unresolved = true }, ENFORCED },
	{ "require sts: no policy", { HOSTS, NEEDS(STS) }, RTLS_DEFER,
		RTLS_CLASS_ENFORCE,
		"4.7.0 a rule of this site requires an MTA-STS policy of "
		"bank.example, and none is known",
		false },
	{ "require sts: no policy, relaxed", { HOSTS, RELAXED, NEEDS(STS) },
		RTLS_DEFER, RTLS_CLASS_ENFORCE,
		"4.7.0 a rule of this site requires an MTA-STS policy", false },
	{ "require sts: no policy, but signed: still none",
		{ SIGNED, NEEDS(STS) }, RTLS_DEFER, RTLS_CLASS_ENFORCE,
		"4.7.0 a rule of this site requires an MTA-STS policy", false },
	{ "require sts: mode none", { HOSTS, .sts = STS_NONE, NEEDS(STS) },
		RTLS_DEFER, RTLS_CLASS_ENFORCE,
		"4.7.0 a rule of this site requires an MTA-STS policy", false },
	{ "require sts: no policy, flagged: waits too",
		{ HOSTS, FLAGGED, NEEDS(STS) }, RTLS_DEFER, RTLS_CLASS_STRICT,
		"4.7.0 a rule of this site requires an MTA-STS policy", false },
	{ "require sts: mta_sts = no",
		{ HOSTS, ENFORCE, NEEDS(STS), .ignores_sts = true }, RTLS_DEFER,
		RTLS_CLASS_ENFORCE,
		"4.7.0 a rule of this site requires an MTA-STS policy of "
		"bank.example, and mta_sts = no keeps it",
		false },
	{ "require sts: nothing known",
		{ NEEDS(STS), .unresolved = true, .no_record = true },
		RTLS_DEFER, RTLS_CLASS_ENFORCE,
		"4.4.3 domain bank.example could not be looked up, and a rule",
		false },

	{ "require dnssec: signed", { SIGNED, NEEDS(DNSSEC) }, ENFORCED },
	{ "require dnssec: not signed", { HOSTS, NEEDS(DNSSEC) }, RTLS_FAIL,
		RTLS_CLASS_ENFORCE, "5.7.10 the MX answer for bank.example",
		true },
	{ "require dnssec: not signed, relaxed",
		{ HOSTS, RELAXED, NEEDS(DNSSEC) }, RTLS_FAIL,
		RTLS_CLASS_ENFORCE, "5.7.10 the MX answer for bank.example",
		true },
	{ "require dnssec: a policy does not help",
		{ HOSTS, ENFORCE, NEEDS(DNSSEC) }, RTLS_FAIL,
		RTLS_CLASS_ENFORCE, "5.7.10 the MX answer for bank.example",
		true },
	{ "require dnssec: bogus", { BOGUS, NEEDS(DNSSEC) }, RTLS_DEFER,
		RTLS_CLASS_ENFORCE, "4.7.0 the MX answer", false },
	{ "require dnssec: failed", { FAILED, NEEDS(DNSSEC) }, RTLS_DEFER,
		RTLS_CLASS_ENFORCE, "4.4.3 the MX lookup", false },
	{ "require dnssec and sts: signed, no policy",
		{ SIGNED, NEEDS(DNSSEC | STS) }, RTLS_DEFER, RTLS_CLASS_ENFORCE,
		"4.7.0 a rule of this site requires an MTA-STS policy", false },
	{ "require dnssec and sts: both there",
		{ SIGNED, TESTING, NEEDS(DNSSEC | STS) }, ENFORCED },

	{ "exempt sts: enforce observes", { HOSTS, ENFORCE, LIFTS(STS) },
		OBSERVED },
	{ "exempt sts: no host named, none refused",
		{ HOSTS, .sts = STS_ENFORCE, LIFTS(STS) }, OBSERVED },
	{ "exempt sts: the policy still vouches for names",
		{ HOSTS, ENFORCE, FLAGGED, LIFTS(STS) }, STRICT },
	{ "exempt sts: and for no others",
		{ HOSTS, .sts = STS_ENFORCE, FLAGGED, LIFTS(STS) }, RTLS_FAIL,
		RTLS_CLASS_STRICT,
		"5.7.10 REQUIRETLS: the MTA-STS policy of bank.example", true },
	{ "exempt sts: what would not be enforced is not waited for",
		{ HOSTS, LIFTS(STS), .txt = RTLS_TXT_FAILED, .defers = true },
		OBSERVED },
	{ "exempt sts: unresolved, the site's lookup decides",
		{ ENFORCE, LIFTS(STS), .unresolved = true }, OBSERVED },
	{ "exempt sts: lifts require sts", { HOSTS, NEEDS(STS), LIFTS(STS) },
		OBSERVED },
	{ "exempt sts: lifts require sts, testing",
		{ HOSTS, TESTING, NEEDS(STS), LIFTS(STS) }, OBSERVED },
	{ "exempt sts: not require verified",
		{ HOSTS, ENFORCE, NEEDS(VERIFIED | STS), LIFTS(STS) },
		ENFORCED },
	{ "exempt sts: nothing left that beats TLS-Required: No",
		{ HOSTS, RELAXED, NEEDS(STS), LIFTS(STS) }, LOOSE },
	{ "exempt dnssec: a SECURE rule", { HOSTS, SECURE, LIFTS(DNSSEC) },
		OBSERVED },
	{ "exempt dnssec: require dnssec",
		{ HOSTS, NEEDS(DNSSEC), LIFTS(DNSSEC) }, OBSERVED },
	{ "exempt dnssec: bogus is still bogus",
		{ BOGUS, SECURE, LIFTS(DNSSEC) }, RTLS_DEFER,
		RTLS_CLASS_OBSERVE, "4.7.0 the MX answer", false },
	{ "exempt dnssec: flagged mail wants somebody to vouch",
		{ HOSTS, FLAGGED, SECURE, LIFTS(DNSSEC) }, RTLS_FAIL,
		RTLS_CLASS_STRICT, "5.7.10 REQUIRETLS: nothing vouches", true },
	{ "exempt requiretls: flagged mail asks",
		{ HOSTS, FLAGGED, LIFTS(REQUIRETLS) }, OBSERVED },
	{ "exempt requiretls: level verified",
		{ HOSTS, FLAGGED, LIFTS(REQUIRETLS),
			.level = RTLS_LEVEL_VERIFIED },
		OBSERVED },
	{ "exempt requiretls: a stock Exim need not bounce",
		{ SIGNED, FLAGGED, LIFTS(REQUIRETLS), .unpatched = true },
		OBSERVED },
	{ "exempt requiretls: a policy stays",
		{ HOSTS, ENFORCE, FLAGGED, LIFTS(REQUIRETLS) }, ENFORCED },
	{ "exempt requiretls: to a literal",
		{ FLAGGED, LIFTS(REQUIRETLS), .literal = true }, OBSERVED },
	{ "exempt verified: lifts require verified",
		{ HOSTS, NEEDS(VERIFIED), LIFTS(VERIFIED) }, OBSERVED },
	{ "exempt verified: not the policy",
		{ HOSTS, ENFORCE, LIFTS(VERIFIED) }, ENFORCED },
};

static void test_route(void **state)
{
	const struct row *row = *state;
	struct rtls_plan plan;

	ask(&row->setup, &plan);
	if (plan.action != row->action)
		print_error("text: %s\n", plan.text);
	assert_int_equal(plan.action, row->action);
	assert_int_equal(plan.class, row->class);
	assert_int_equal(plan.recheck, row->recheck);
	if (strncmp(plan.text, row->text, strlen(row->text)) != 0)
		assert_string_equal(plan.text, row->text);
}

static void test_plan_fields(void **state)
{
	const struct setup enforced = { SIGNED, ENFORCE, FLAGGED,
		.empty_sender = true };
	const struct setup old = { SIGNED, ENFORCE, .unresolved = true };
	const struct setup none = { HOSTS, .sts = STS_NONE };
	struct rtls_plan plan;

	(void)state;
	ask(&enforced, &plan);
	assert_true(plan.own_mx && plan.sts && plan.flagged);
	assert_int_equal(plan.sts_mode, RTLS_STS_ENFORCE);
	assert_int_equal(plan.mx_dnssec, RTLS_DNSSEC_SECURE);
	check_slice(plan.policy_id, "20261101");
	check_slice(plan.policy_digest, DIGEST);
	assert_non_null(plan.record);
	assert_non_null(plan.policy);
	ask(&old, &plan);
	assert_true(plan.own_mx && plan.sts && !plan.flagged);
	assert_int_equal(plan.mx_dnssec, RTLS_DNSSEC_UNKNOWN);
	ask(&none, &plan);
	assert_false(plan.own_mx || plan.sts || plan.flagged);
	assert_null(plan.policy);
	assert_int_equal(plan.policy_id.size, 0);
}

/* What is said of rules and exemptions: only what counted. */
static void test_plan_protections(void **state)
{
	static const struct {
		struct setup setup;
		unsigned required, exempt;
		enum rtls_sts_mode mode;
		enum rtls_level demand;
	} wanted[] = {
		{ { HOSTS, ENFORCE, NEEDS(VERIFIED | DNSSEC), LIFTS(DNSSEC) },
			VERIFIED, DNSSEC, RTLS_STS_ENFORCE,
			RTLS_LEVEL_OPPORTUNISTIC },
		{ { HOSTS, TESTING, NEEDS(STS) }, STS, 0, RTLS_STS_ENFORCE,
			RTLS_LEVEL_OPPORTUNISTIC },
		{ { HOSTS, ENFORCE, LIFTS(STS | DNSSEC | VERIFIED) }, 0, STS,
			RTLS_STS_TESTING, RTLS_LEVEL_OPPORTUNISTIC },
		{ { HOSTS, TESTING, LIFTS(STS | REQUIRETLS) }, 0, 0,
			RTLS_STS_TESTING, RTLS_LEVEL_OPPORTUNISTIC },
		{ { HOSTS, TESTING, SECURE, LIFTS(DNSSEC) }, 0, DNSSEC,
			RTLS_STS_TESTING, RTLS_LEVEL_OPPORTUNISTIC },
		{ { HOSTS, TESTING, FLAGGED, LIFTS(REQUIRETLS) }, 0, REQUIRETLS,
			RTLS_STS_TESTING, RTLS_LEVEL_OPPORTUNISTIC },
		{ { HOSTS, TESTING, FLAGGED, LIFTS(REQUIRETLS),
			  .level = RTLS_LEVEL_DISABLE },
			0, 0, RTLS_STS_TESTING, RTLS_LEVEL_DISABLE },
		{ { HOSTS, .txt = RTLS_TXT_FAILED, .defers = true, LIFTS(STS) },
			0, STS, RTLS_STS_ENFORCE, RTLS_LEVEL_DISABLE },
	};
	struct rtls_plan plan;

	(void)state;
	for (size_t i = 0; i < COUNT(wanted); i++) {
		ask(&wanted[i].setup, &plan);
		assert_int_equal(plan.required, wanted[i].required);
		assert_int_equal(plan.exempt, wanted[i].exempt);
		assert_int_equal(plan.demand, wanted[i].demand);
		if (plan.sts)
			assert_int_equal(plan.sts_mode, wanted[i].mode);
	}
}

static void test_class_names(void **state)
{
	(void)state;
	assert_string_equal(rtls_class_name(RTLS_CLASS_STRICT), "strict");
	assert_string_equal(rtls_class_name(RTLS_CLASS_ENFORCE), "enforce");
	assert_string_equal(rtls_class_name(RTLS_CLASS_OBSERVE), "observe");
	assert_string_equal(rtls_class_name(RTLS_CLASS_RELAXED), "relaxed");
}

/* A domain that only a broken caller could bring is quoted and cut. */
static void test_text_is_one_line(void **state)
{
	const struct setup setup = { FLAGGED, HOSTS };
	static struct world world;
	static char domain[300];
	struct rtls_plan plan;

	(void)state;
	build(&setup, &world);
	memset(domain, 'x', sizeof(domain));
	domain[0] = 'a';
	domain[1] = '"';
	domain[2] = '\n';
	world.question.domain = rtls_slice_n(domain, sizeof(domain));
	rtls_verdict_route(&world.question, &plan);
	assert_int_equal(plan.action, RTLS_FAIL);
	assert_non_null(strstr(plan.text, "a\\x22\\x0axxx"));
	assert_null(strpbrk(plan.text, "\"\n"));
	assert_non_null(strstr(plan.text, "...: no DNSSEC"));
}

/* --- the sweep --- */

#define MUST(condition)                                                        \
	do {                                                                   \
		if (!(condition))                                              \
			fail_setup(setup, plan, #condition);                   \
	} while (0)

static void fail_setup(const struct setup *setup, const struct rtls_plan *plan,
	const char *condition)
{
	print_error(
		"%s\nrequiretls=%d dnssec=%d level=%d empty_sender=%d "
		"unpatched=%d literal=%d unresolved=%d no_record=%d\n"
		"ignores_sts=%d defers=%d mx=%d mx_dnssec=%d sts=%d "
		"named=%u txt=%d required=%u exempt=%u\naction=%d class=%d \"%s\"\n",
		condition, (int)setup->requiretls, (int)setup->dnssec,
		(int)setup->level, setup->empty_sender, setup->unpatched,
		setup->literal, setup->unresolved, setup->no_record,
		setup->ignores_sts, setup->defers, (int)setup->mx,
		(int)setup->mx_dnssec, (int)setup->sts, setup->named,
		(int)setup->txt, setup->required, setup->exempt,
		(int)plan->action, (int)plan->class, plan->text);
	fail();
}

static bool insists(const struct setup *setup)
{
	return setup->requiretls == RTLS_REQUIRETLS_YES &&
	       (!setup->empty_sender || setup->by == RTLS_BY_TAG) &&
	       setup->level <= RTLS_LEVEL_VERIFIED;
}

static bool has_policy(const struct setup *setup, enum sts sts)
{
	return setup->sts == sts && !setup->ignores_sts && !setup->no_record &&
	       !setup->literal;
}

static bool is_bogus_now(const struct setup *setup)
{
	return setup->mx_dnssec == RTLS_DNSSEC_BOGUS && !setup->unresolved &&
	       !setup->no_record && setup->mx != RTLS_MX_NULL &&
	       setup->mx != RTLS_MX_NXDOMAIN;
}

static void check_form(const struct setup *setup, const struct rtls_plan *plan)
{
	const bool delivers = plan->action == RTLS_DELIVER;
	const bool ours = plan->class == RTLS_CLASS_STRICT ||
			  plan->class == RTLS_CLASS_ENFORCE;

	MUST(plan->own_mx == (delivers && ours));
	MUST(!delivers || (plan->text[0] == '\0' && !plan->recheck));
	MUST(plan->action != RTLS_FAIL || memcmp(plan->text, "5.", 2) == 0);
	MUST(plan->action != RTLS_DEFER || memcmp(plan->text, "4.", 2) == 0);
	MUST(plan->action == RTLS_FAIL || !plan->recheck);
	MUST(strlen(plan->text) < RTLS_ERR_SIZE - 1);
	MUST(plan->sts == (plan->policy != NULL));
	MUST(!plan->own_mx || plan->record != NULL);
}

/* What is said before anything is looked up must hold whatever is found. */
static void check_ahead(const struct setup *setup, const struct rtls_plan *plan)
{
	const bool no_mail = plan->action == RTLS_FAIL &&
			     (memcmp(plan->text, "5.1.", 4) == 0);
	static struct world world;
	struct setup bare = *setup;
	struct rtls_plan certain;

	if (plan->action == RTLS_DEFER)
		return;
	bare.no_record = bare.unresolved = true;
	build(&bare, &world);
	MUST(plan->action != RTLS_FAIL || no_mail ||
		rtls_question_demands(&world.question));
	if (!rtls_verdict_is_certain(&world.question, &certain)) {
		MUST(plan->action != RTLS_FAIL || plan->recheck);
		return;
	}
	MUST(plan->action != RTLS_DELIVER);
	MUST(certain.action == RTLS_FAIL && !certain.recheck);
	MUST(certain.record == NULL && certain.policy == NULL);
	if (plan->action == RTLS_FAIL && !plan->recheck)
		MUST(strcmp(certain.text, plan->text) == 0);
}

static void check_relaxed(
	const struct setup *setup, const struct rtls_plan *plan)
{
	const bool relaxed = setup->requiretls == RTLS_REQUIRETLS_RELAXED;

	MUST((plan->class == RTLS_CLASS_RELAXED) == relaxed);
	MUST(!relaxed || plan->action == RTLS_DELIVER);
	MUST(!relaxed || (!plan->sts && !plan->flagged));
}

static void check_insisting(
	const struct setup *setup, const struct rtls_plan *plan)
{
	const bool vouched = setup->mx == RTLS_MX_IMPLICIT ||
			     setup->mx_dnssec == RTLS_DNSSEC_SECURE ||
			     ((has_policy(setup, STS_TESTING) ||
				      has_policy(setup, STS_ENFORCE)) &&
				     setup->named > 0);

	MUST((plan->class == RTLS_CLASS_STRICT) == insists(setup));
	if (!insists(setup) || plan->action != RTLS_DELIVER)
		return;
	MUST(plan->own_mx && plan->flagged && plan->demand == setup->level);
	MUST(setup->mx == RTLS_MX_HOSTS || setup->mx == RTLS_MX_IMPLICIT);
	MUST(setup->mx_dnssec != RTLS_DNSSEC_BOGUS);
	MUST(vouched);
	MUST(!setup->unresolved && !setup->no_record && !setup->literal);
	MUST(setup->level == RTLS_LEVEL_VERIFIED || !setup->unpatched);
}

static void check_secure(
	const struct setup *setup, const struct rtls_plan *plan)
{
	if (setup->dnssec != RTLS_DNSSEC_REQUIRE ||
		plan->action != RTLS_DELIVER)
		return;
	MUST(plan->own_mx && plan->mx_dnssec == RTLS_DNSSEC_SECURE);
	MUST(setup->mx_dnssec == RTLS_DNSSEC_SECURE && !setup->unresolved);
	MUST(!setup->literal);
}

static void check_policy(
	const struct setup *setup, const struct rtls_plan *plan)
{
	const bool enforces = has_policy(setup, STS_ENFORCE);

	MUST(plan->sts == (enforces || has_policy(setup, STS_TESTING)));
	MUST(!enforces || plan->sts_mode == RTLS_STS_ENFORCE);
	if (enforces && plan->action == RTLS_DELIVER)
		MUST(plan->own_mx && plan->class != RTLS_CLASS_OBSERVE);
	/* A5.8, C2.8: while TXT fails, or the policy it announces cannot be
	 * had, no bounce for lack of a policy's word. */
	if ((setup->txt == RTLS_TXT_FAILED ||
		    (setup->txt == RTLS_TXT_VALID && setup->sts == STS_ABSENT &&
			    setup->fetch == RTLS_FETCH_FAILED)) &&
		!setup->ignores_sts && plan->action == RTLS_FAIL)
		MUST(strncmp(plan->text, "5.7.10 REQUIRETLS", 17) != 0);
	if (plan->action == RTLS_FAIL && !setup->literal)
		MUST(plan->recheck == (strncmp(plan->text, "5.7.30", 6) != 0));
}

/* Nothing asked for, nothing enforced: we never stand in the way, but for a
 * proven forgery and where the operator wants to wait. */
static void check_plain(const struct setup *setup, const struct rtls_plan *plan)
{
	if (insists(setup) || setup->dnssec == RTLS_DNSSEC_REQUIRE ||
		has_policy(setup, STS_ENFORCE))
		return;
	MUST(plan->action != RTLS_FAIL);
	MUST(plan->action == RTLS_DELIVER || setup->defers ||
		is_bogus_now(setup));
	MUST(plan->class == RTLS_CLASS_OBSERVE);
	MUST(plan->action == RTLS_DELIVER || !setup->literal);
}

/* Only the policy's existence may matter, for A5.7: else testing and none are
 * as good as no policy, for mail that does not insist (EDGE 63). */
static void check_testing(
	const struct setup *setup, const struct rtls_plan *plan)
{
	struct setup without = *setup;
	struct rtls_plan other;

	if (setup->sts == STS_ABSENT || setup->sts == STS_ENFORCE ||
		insists(setup) || setup->defers)
		return;
	without.sts = STS_ABSENT;
	ask(&without, &other);
	MUST(plan->action == other.action && plan->class == other.class);
	MUST(plan->own_mx == other.own_mx);
}

static void check_off(const struct setup *setup, const struct rtls_plan *plan)
{
	struct setup without = *setup;
	struct rtls_plan other;

	if (!setup->ignores_sts)
		return;
	without.ignores_sts = false;
	without.sts = STS_ABSENT;
	without.txt = RTLS_TXT_NONE;
	without.defers = false;
	ask(&without, &other);
	MUST(plan->action == other.action && plan->class == other.class);
}

/* What does not insist asks, where the session can be one that RFC 8689 section 2
 * wants: something vouches for the names of all hosts. */
static void check_asking(
	const struct setup *setup, const struct rtls_plan *plan)
{
	const bool known = !setup->unresolved && !setup->no_record &&
			   !setup->literal && setup->mx != RTLS_MX_NULL &&
			   setup->mx != RTLS_MX_NXDOMAIN;
	const bool signed_mx = setup->mx_dnssec == RTLS_DNSSEC_SECURE;

	if (!plan->flagged || insists(setup))
		return;
	MUST(plan->demand == RTLS_LEVEL_DISABLE ||
		plan->demand == RTLS_LEVEL_OPPORTUNISTIC);
	MUST(plan->demand == RTLS_LEVEL_DISABLE ||
		setup->level != RTLS_LEVEL_DISABLE);
	if (plan->demand == RTLS_LEVEL_OPPORTUNISTIC)
		MUST(signed_mx || (known && (setup->mx == RTLS_MX_IMPLICIT ||
						    plan->sts)));
	if (known && signed_mx && setup->level != RTLS_LEVEL_DISABLE)
		MUST(plan->demand == RTLS_LEVEL_OPPORTUNISTIC);
}

static void check_all(const struct setup *setup)
{
	struct rtls_plan answer;
	const struct rtls_plan *plan = &answer;

	ask(setup, &answer);
	check_form(setup, plan);
	check_ahead(setup, plan);
	check_relaxed(setup, plan);
	MUST(plan->flagged == (setup->requiretls == RTLS_REQUIRETLS_YES));
	check_asking(setup, plan);
	if (setup->requiretls == RTLS_REQUIRETLS_RELAXED)
		return;
	MUST(!is_bogus_now(setup) || setup->literal ||
		plan->action == RTLS_DEFER);
	check_insisting(setup, plan);
	check_secure(setup, plan);
	check_policy(setup, plan);
	check_plain(setup, plan);
	check_testing(setup, plan);
	check_off(setup, plan);
}

static unsigned take(unsigned long *number, unsigned count)
{
	const unsigned taken = (unsigned)(*number % count);

	*number /= count;
	return taken;
}

/* The n-th of all setups; false when there are no more. */
static bool nth_setup(unsigned long number, struct setup *setup)
{
	static const enum rtls_txt_state txts[] = { RTLS_TXT_VALID,
		RTLS_TXT_NONE, RTLS_TXT_FAILED };

	*setup = (struct setup){ 0 };
	setup->requiretls = (enum rtls_requiretls)take(&number, 3);
	setup->dnssec = (enum rtls_dnssec_wish)take(&number, 3);
	setup->level = (enum rtls_level)take(&number, 4);
	setup->empty_sender = take(&number, 2) != 0;
	setup->by = take(&number, 2) != 0 ? RTLS_BY_TAG : RTLS_BY_BOUNCE;
	setup->unpatched = take(&number, 2) != 0;
	setup->literal = take(&number, 2) != 0;
	setup->unresolved = take(&number, 2) != 0;
	setup->ignores_sts = take(&number, 2) != 0;
	setup->defers = take(&number, 2) != 0;
	setup->mx_dnssec = (enum rtls_dnssec)take(&number, 4);
	setup->sts = (enum sts)take(&number, 4);
	setup->named = (unsigned char)take(&number, 3) & 3;
	setup->txt = txts[take(&number, 3)];
	setup->fetch = (enum rtls_fetch_state)take(&number, 3);
	setup->mx = (enum rtls_mx_answer)take(&number, 7);
	setup->no_record = setup->mx > RTLS_MX_FAILED;
	return number == 0;
}

static void test_sweep(void **state)
{
	struct setup setup = { 0 };

	(void)state;
	for (unsigned long number = 0; nth_setup(number, &setup); number++)
		check_all(&setup);
}

/* --- the same with rules and exemptions of the site --- */

static void check_same(const struct setup *setup, const struct rtls_plan *plan,
	const struct setup *as)
{
	struct rtls_plan other;

	ask(as, &other);
	MUST(plan->action == other.action && plan->class == other.class);
	MUST(plan->recheck == other.recheck && plan->own_mx == other.own_mx);
	MUST(plan->demand == other.demand && plan->sts == other.sts);
	MUST(!plan->sts || plan->sts_mode == other.sts_mode);
	MUST(strcmp(plan->text, other.text) == 0);
}

/* An exemption is as if what it lifts had not been said. */
static void check_lifted(
	const struct setup *setup, const struct rtls_plan *plan)
{
	struct setup without = *setup;

	without.required &= ~setup->exempt;
	if ((setup->exempt & DNSSEC) != 0 &&
		setup->dnssec == RTLS_DNSSEC_REQUIRE)
		without.dnssec = RTLS_DNSSEC_REQUEST;
	if ((setup->exempt & REQUIRETLS) != 0 &&
		setup->level <= RTLS_LEVEL_VERIFIED)
		without.level = RTLS_LEVEL_OPPORTUNISTIC;
	if ((setup->exempt & STS) != 0 && setup->sts == STS_ENFORCE)
		without.sts = STS_TESTING;
	if ((setup->exempt & STS) != 0)
		without.defers = false;
	without.exempt = 0;
	check_same(setup, plan, &without);
}

static void check_required(
	const struct setup *setup, const struct rtls_plan *plan)
{
	const unsigned required = setup->required & ~setup->exempt;
	struct setup without = *setup;
	struct rtls_plan other;

	MUST((required == 0) || plan->class == RTLS_CLASS_STRICT ||
		plan->class == RTLS_CLASS_ENFORCE);
	if (plan->class == RTLS_CLASS_RELAXED)
		return;
	MUST(plan->required == required);
	if (plan->action != RTLS_DELIVER)
		return;
	MUST(required == 0 || (plan->own_mx && !setup->literal));
	MUST((required & DNSSEC) == 0 || plan->mx_dnssec == RTLS_DNSSEC_SECURE);
	MUST((required & STS) == 0 ||
		(plan->sts && plan->sts_mode == RTLS_STS_ENFORCE));
	/* What they add never lets go what would stay without them; but for
	 * what a secure MX answer makes needless. */
	without.required = 0;
	ask(&without, &other);
	MUST(other.action == RTLS_DELIVER || (required & DNSSEC) != 0);
}

static void check_exempt(
	const struct setup *setup, const struct rtls_plan *plan)
{
	MUST((plan->exempt & ~setup->exempt) == 0);
	MUST((plan->exempt & plan->required) == 0);
	/* An exemption that had no effect is not told. */
	if (plan->exempt == 0) {
		struct setup without = *setup;

		without.exempt = 0;
		check_same(setup, plan, &without);
	}
}

static bool nth_site(unsigned long number, struct setup *setup)
{
	static const enum rtls_txt_state txts[] = { RTLS_TXT_VALID,
		RTLS_TXT_FAILED };
	static const enum rtls_mx_answer mxs[] = { RTLS_MX_HOSTS,
		RTLS_MX_IMPLICIT, RTLS_MX_NULL, RTLS_MX_FAILED, RTLS_MX_HOSTS };
	static const unsigned required[] = { 0, STS, DNSSEC, VERIFIED,
		STS | DNSSEC, STS | VERIFIED, DNSSEC | VERIFIED,
		STS | DNSSEC | VERIFIED };
	static const enum rtls_level levels[] = { RTLS_LEVEL_ENFORCE,
		RTLS_LEVEL_OPPORTUNISTIC, RTLS_LEVEL_DISABLE };

	setup->requiretls = (enum rtls_requiretls)take(&number, 3);
	setup->dnssec =
		take(&number, 2) != 0 ? RTLS_DNSSEC_REQUIRE : RTLS_DNSSEC_NO;
	setup->required = required[take(&number, COUNT(required))];
	setup->exempt = take(&number, 16);
	setup->level = levels[take(&number, 3)];
	setup->unresolved = take(&number, 2) != 0;
	setup->ignores_sts = take(&number, 2) != 0;
	setup->defers = take(&number, 2) != 0;
	setup->mx_dnssec = take(&number, 2) != 0 ? RTLS_DNSSEC_SECURE
						 : RTLS_DNSSEC_INSECURE;
	setup->sts = (enum sts)take(&number, 4);
	setup->named = (unsigned char)take(&number, 2) & 1;
	setup->txt = txts[take(&number, 2)];
	setup->literal = number % COUNT(mxs) == COUNT(mxs) - 1;
	setup->mx = mxs[take(&number, COUNT(mxs))];
	return number == 0;
}

static void test_site_sweep(void **state)
{
	struct setup all = { .by = RTLS_BY_BOUNCE };
	const struct setup *setup = &all;
	struct rtls_plan answer;
	const struct rtls_plan *plan = &answer;

	(void)state;
	for (unsigned long number = 0; nth_site(number, &all); number++) {
		ask(setup, &answer);
		check_form(setup, plan);
		check_ahead(setup, plan);
		check_required(setup, plan);
		check_lifted(setup, plan);
		check_exempt(setup, plan);
		MUST(plan->class != RTLS_CLASS_RELAXED ||
			setup->requiretls == RTLS_REQUIRETLS_RELAXED);
	}
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_route, rows);
	check_add(&suite, "what else the plan says", test_plan_fields, NULL);
	check_add(&suite, "what it says of rules and exemptions",
		test_plan_protections, NULL);
	check_add(&suite, "names of the classes", test_class_names, NULL);
	check_add(&suite, "EDGE 170 texts stay one line", test_text_is_one_line,
		NULL);
	check_add(&suite, "A5 A6 C2 D3 what holds in all combinations",
		test_sweep, NULL);
	check_add(&suite, "what rules and exemptions may do, and no more",
		test_site_sweep, NULL);
	return check_run(&suite, "verdict");
}
