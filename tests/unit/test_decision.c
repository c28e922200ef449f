/* test_decision.c - decisions in the words of the log. */
#include "check.h"
#include "policy/decision.h"

#define NOW_S 1795600000 /* 2026-11-25 */

struct row {
	const char *proves;
	struct rtls_flags flags;
	enum rtls_action action;
	enum rtls_class class;
	unsigned required;
	const char *mode; /* NULL: no policy */
	unsigned exempt;
	bool secure;
	bool plain;
	const char *wanted;
};

static const struct row rows[] = {
	{ "ordinary mail", { 0 }, RTLS_DELIVER, RTLS_CLASS_OBSERVE, 0, NULL, 0,
		false, true, "a.example class=observe mx=mx1 mx2" },
	{ "mode testing is plain, too", { 0 }, RTLS_DELIVER, RTLS_CLASS_OBSERVE,
		0, "testing", 0, false, true,
		"a.example class=observe sts=testing id=1 mx=mx1 mx2" },
	{ "a policy", { 0 }, RTLS_DELIVER, RTLS_CLASS_ENFORCE, 0, "enforce", 0,
		false, false,
		"a.example class=enforce sts=enforce id=1 mx=mx1 mx2" },
	{ "flagged, and signed",
		{ RTLS_REQUIRETLS_YES, RTLS_BY_TAG, RTLS_DNSSEC_NO },
		RTLS_DELIVER, RTLS_CLASS_STRICT, 0, NULL, 0, true, false,
		"a.example class=strict by=tag mx=mx1 (DNSSEC) mx2 (DNSSEC)" },
	{ "relaxed has no hosts",
		{ RTLS_REQUIRETLS_RELAXED, RTLS_BY_HEADER, RTLS_DNSSEC_NO },
		RTLS_DELIVER, RTLS_CLASS_RELAXED, 0, NULL, 0, false, false,
		"a.example class=relaxed by=header" },
	{ "a rule that asks",
		{ RTLS_REQUIRETLS_NO, RTLS_BY_NOTHING, RTLS_DNSSEC_REQUEST },
		RTLS_DELIVER, RTLS_CLASS_OBSERVE, 0, NULL, 0, false, false,
		"a.example class=observe rule=dnssec mx=mx1 mx2" },
	{ "what the site's files say", { 0 }, RTLS_DELIVER, RTLS_CLASS_ENFORCE,
		RTLS_PROTECT_VERIFIED | RTLS_PROTECT_DNSSEC, "testing",
		RTLS_PROTECT_STS, false, false,
		"a.example class=enforce rule=require-dnssec "
		"rule=require-verified exempt=sts until=2027-01-31 "
		"sts=testing id=1 mx=mx1 mx2" },
	{ "an exemption is worth a line", { 0 }, RTLS_DELIVER,
		RTLS_CLASS_OBSERVE, 0, NULL, RTLS_PROTECT_STS, false, false,
		"a.example class=observe exempt=sts until=2027-01-31 mx=mx1 "
		"mx2" },
	{ "refused", { RTLS_REQUIRETLS_YES, RTLS_BY_RULE, RTLS_DNSSEC_REQUIRE },
		RTLS_FAIL, RTLS_CLASS_STRICT, 0, NULL, 0, false, false,
		"a.example refused: 5.7.10 why by=rule rule=dnssec-secure" },
	{ "put off", { 0 }, RTLS_DEFER, RTLS_CLASS_ENFORCE, 0, "enforce", 0,
		false, false, "a.example put off: 5.7.10 why" },
};

static const struct rtls_exemptions *some_exemptions(void)
{
	static struct rtls_exemptions list;

	assert_int_equal(rtls_exemptions_parse(
				 rtls_slice("a.example sts until=2027-01-31 "
					    "\"x\"\n"),
				 &list, NULL),
		RTLS_OK);
	return &list;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	static struct rtls_record record;
	struct rtls_question question = { .domain = rtls_slice("a.example"),
		.flags = row->flags };
	struct rtls_plan plan = { .action = row->action,
		.text = "5.7.10 why",
		.class = row->class,
		.required = row->required,
		.exempt = row->exempt,
		.policy_id = rtls_slice("1"),
		.record = &record };
	struct rtls_decision decision = { .recipient = "a.example",
		.question = &question,
		.plan = &plan,
		.exemptions = some_exemptions(),
		.now_s = NOW_S };
	char line[256];
	struct rtls_text text;

	record.mx_count = 2;
	record.mx[0].host = rtls_slice("mx1");
	record.mx[1].host = rtls_slice("mx2");
	plan.sts = row->mode != NULL;
	plan.sts_mode = rtls_slice_is(rtls_slice(row->mode), "enforce")
				? RTLS_STS_ENFORCE
				: RTLS_STS_TESTING;
	plan.mx_dnssec =
		row->secure ? RTLS_DNSSEC_SECURE : RTLS_DNSSEC_INSECURE;
	assert_int_equal(rtls_decision_is_plain(&decision), row->plain);
	rtls_text_init(&text, line, sizeof(line));
	rtls_decision_format(&decision, &text);
	assert_string_equal(line, row->wanted);
}

static void test_smart_hosts(void **state)
{
	static struct rtls_record record;
	struct rtls_next_hops via;
	struct rtls_question question = { .domain = rtls_slice("a.example") };
	struct rtls_plan plan = {
		.class = RTLS_CLASS_ENFORCE, .via = &via, .record = &record
	};
	struct rtls_decision decision = { .recipient = "b.example",
		.question = &question,
		.plan = &plan,
		.via = &via };
	char line[256];
	struct rtls_text text;

	(void)state;
	record.mx_count = 1;
	record.mx[0].host = rtls_slice("mx1");
	assert_int_equal(
		rtls_next_hops_parse(rtls_slice("c : d"), &via), RTLS_OK);
	rtls_text_init(&text, line, sizeof(line));
	rtls_decision_format(&decision, &text);
	assert_string_equal(line, "b.example via=c d class=enforce");
	assert_int_equal(
		rtls_next_hops_parse(rtls_slice("c/mx"), &via), RTLS_OK);
	rtls_text_init(&text, line, sizeof(line));
	rtls_decision_format(&decision, &text);
	assert_string_equal(line, "b.example via=c class=enforce mx=mx1");
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "smart hosts", test_smart_hosts, NULL);
	return check_run(&suite, "decision");
}
