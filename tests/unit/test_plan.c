/* test_plan.c - the plan as address_data, what a session reads of it, and
 * which hosts it uses (items A6.2, A6.8 to A6.10, C2.2, D4, D6, D7). */
#include <stdio.h>

#include "check.h"
#include "policy/verdict.h"

#define DIGEST                                                                 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TEXT_SIZE 4096

/* What goes into a plan: hosts as "preference name tlsa-letter ...", the
 * letters being - none, s secure, u unusable, f failed, l failed and without
 * addresses; and "b=a" the host b whose CNAME leads to a. */
struct row {
	const char *proves;
	enum rtls_class class;
	enum rtls_dnssec mx_dnssec;
	bool implicit;
	const char *hosts;
	const char *mode; /* NULL: no policy */
	const char *patterns;
	const char *wanted;
};

#define STRICT   RTLS_CLASS_STRICT
#define ENFORCE  RTLS_CLASS_ENFORCE
#define OBSERVE  RTLS_CLASS_OBSERVE
#define SECURE   RTLS_DNSSEC_SECURE
#define INSECURE RTLS_DNSSEC_INSECURE
#define UNKNOWN  RTLS_DNSSEC_UNKNOWN
#define POLICY   " id=1a policy=" DIGEST

static const struct row rows[] = {
	{ "plain", OBSERVE, INSECURE, false, "10 a -", NULL, "",
		"class=observe dnssec=no" },
	{ "nothing known", OBSERVE, UNKNOWN, false, "", NULL, "",
		"class=observe" },
	{ "relaxed", RTLS_CLASS_RELAXED, UNKNOWN, false, "", NULL, "",
		"class=relaxed" },
	{ "A6.8 testing", OBSERVE, INSECURE, false, "10 a -", "testing",
		"a *.b",
		"class=observe sts=testing" POLICY " dnssec=no mx=\"a *.b\"" },
	{ "A6.9 enforce: in order and complete", ENFORCE, INSECURE, false,
		"10 a - 20 b - 20 c - 30 d -", "enforce", "a b c d",
		"class=enforce sts=enforce" POLICY
		" dnssec=no hosts=\"A:+:B:C:+:D\" mx=\"a b c d\"" },
	{ "A6.9 refused hosts stay, with a port", ENFORCE, INSECURE, false,
		"10 a.x - 10 b.x - 20 c.y -", "enforce", "*.y",
		"class=enforce sts=enforce" POLICY
		" dnssec=no hosts=\"A.x::58483:B.x::58483:+:C.y\" mx=\"*.y\"" },
	{ "A6.10 DANE: no policy for a secure TLSA", ENFORCE, SECURE, false,
		"10 a s 20 b -", "enforce", "b",
		"class=enforce sts=enforce" POLICY
		" dnssec=yes hosts=\"A:+:B\" mx=\"b\" dane=\"a\"" },
	{ "A6.10 DANE: not behind an insecure MX", ENFORCE, INSECURE, false,
		"10 a s 20 b -", "enforce", "b",
		"class=enforce sts=enforce" POLICY
		" dnssec=no hosts=\"A::58483:+:B\" mx=\"b\"" },
	{ "A6.10 DANE: not behind an MX of before", ENFORCE, UNKNOWN, false,
		"10 a s 20 b -", "enforce", "b",
		"class=enforce sts=enforce" POLICY
		" hosts=\"A::58483:+:B\" mx=\"b\"" },
	{ "D6 unusable TLSA: the policy applies", ENFORCE, SECURE, false,
		"10 a u 20 b u", "enforce", "b",
		"class=enforce sts=enforce" POLICY
		" dnssec=yes hosts=\"A::58483:+:B\" mx=\"b\" tlsabad=\"a b\"" },
	{ "D4 a failed TLSA lookup: not used", ENFORCE, SECURE, false,
		"10 a f 20 b -", "enforce", "a b",
		"class=enforce sts=enforce" POLICY
		" dnssec=yes hosts=\"A::58483:+:B\" mx=\"a b\" tlsafail=\"a\"" },
	{ "D4 bogus TLSA records: not used", ENFORCE, SECURE, false,
		"10 a b 20 b -", "enforce", "a b",
		"class=enforce sts=enforce" POLICY
		" dnssec=yes hosts=\"A::58483:+:B\" mx=\"a b\" tlsafail=\"a\"" },
	{ "D4 for a SECURE rule too", ENFORCE, SECURE, false,
		"10 a f 10 b s 10 c f", NULL, "",
		"class=enforce dnssec=yes hosts=\"A::58483:B:C::58483\" dane=\"b\" "
		"tlsafail=\"a c\"" },
	{ "D2 EDGE 82 addresses that failed: as one that does not answer",
		ENFORCE, INSECURE, false, "10 a l 20 b -", "enforce", "a b",
		"class=enforce sts=enforce" POLICY
		" dnssec=no hosts=\"192.0.0.8::58483:+:B\" mx=\"a b\" "
		"tlsafail=\"a\"" },
	{ "D2 the same, flagged, alone", STRICT, SECURE, false, "10 a l", NULL,
		"",
		"class=strict dnssec=yes hosts=\"192.0.0.8::58483\" "
		"tlsafail=\"a\"" },
	{ "A6.2 D5 hosts behind a CNAME", ENFORCE, SECURE, false,
		"10 a=x.y - 20 b=z s 20 c=d - 30 d -", "enforce", "a",
		"class=enforce sts=enforce" POLICY
		" dnssec=yes hosts=\"A:+:B:C::58483:+:D::58483\" mx=\"a\" "
		"dane=\"b\" cname=\"x.y=a z=b\"" },
	{ "observe: known, but not acted upon", OBSERVE, SECURE, false,
		"10 a f 10 b s", "testing", "c",
		"class=observe sts=testing" POLICY
		" dnssec=yes mx=\"c\" dane=\"b\" tlsafail=\"a\"" },
	{ "SECURE rule, testing: the pattern refuses nothing", ENFORCE, SECURE,
		false, "10 a -", "testing", "b",
		"class=enforce sts=testing" POLICY
		" dnssec=yes hosts=\"A\" mx=\"b\"" },
	{ "C2.2 strict, signed: testing refuses nothing", STRICT, SECURE, false,
		"10 a - 10 b -", "testing", "b",
		"class=strict sts=testing" POLICY
		" dnssec=yes hosts=\"A:B\" mx=\"b\"" },
	{ "C2.2 strict, only testing vouches for names", STRICT, INSECURE,
		false, "10 a - 10 b -", "testing", "b",
		"class=strict sts=testing" POLICY
		" dnssec=no hosts=\"A::58483:B\" mx=\"b\"" },
	{ "A6.7 strict, signed: enforce refuses", STRICT, SECURE, false,
		"10 a - 10 b -", "enforce", "b",
		"class=strict sts=enforce" POLICY
		" dnssec=yes hosts=\"A::58483:B\" mx=\"b\"" },
	{ "strict, implicit MX needs no voucher", STRICT, INSECURE, true,
		"0 d -", "testing", "b",
		"class=strict sts=testing" POLICY
		" dnssec=no implicit=yes hosts=\"D\" mx=\"b\"" },
	{ "A6.3 strict, implicit MX outside the policy", STRICT, INSECURE, true,
		"0 d -", "enforce", "b",
		"class=strict sts=enforce" POLICY
		" dnssec=no implicit=yes hosts=\"D::58483\" mx=\"b\"" },
	{ "strict without policy", STRICT, SECURE, false, "10 a - 20 b s", NULL,
		"", "class=strict dnssec=yes hosts=\"A:+:B\" dane=\"b\"" },
	{ "one host twice: what is said of it first holds", ENFORCE, SECURE,
		false, "10 a s 20 a f", NULL, "",
		"class=enforce dnssec=yes hosts=\"A:+:A\" dane=\"a\"" },
};

struct material {
	struct rtls_record record;
	struct rtls_sts_policy policy;
	struct rtls_plan plan;
};

static enum rtls_tlsa_state tlsa_of(struct rtls_slice letter)
{
	switch (letter.data[0]) {
	case 's':
		return RTLS_TLSA_SECURE;
	case 'u':
		return RTLS_TLSA_UNUSABLE;
	case 'f':
	case 'l':
		return RTLS_TLSA_FAILED;
	case 'b':
		return RTLS_TLSA_BOGUS;
	default:
		return RTLS_TLSA_NONE;
	}
}

static void build_hosts(const char *hosts, struct rtls_record *record)
{
	struct rtls_slice rest = rtls_slice(hosts);
	struct rtls_slice word;

	while (rtls_slice_word(&rest, &word)) {
		struct rtls_mx *mx = &record->mx[record->mx_count++];
		unsigned long long preference;

		assert_true(rtls_slice_number(word, 99, &preference));
		mx->preference = (unsigned)preference;
		assert_true(rtls_slice_word(&rest, &mx->cname));
		mx->host = rtls_slice_take(&mx->cname, '=');
		assert_true(rtls_slice_word(&rest, &word));
		mx->tlsa = tlsa_of(word);
		mx->address = word.data[0] == 'l' ? RTLS_DNSSEC_UNKNOWN
						  : RTLS_DNSSEC_SECURE;
	}
}

static void build_policy(const struct row *row, struct material *material)
{
	struct rtls_slice rest = rtls_slice(row->patterns);
	struct rtls_plan *plan = &material->plan;
	struct rtls_sts_policy *policy = &material->policy;

	policy->mode = strcmp(row->mode, "enforce") == 0 ? RTLS_STS_ENFORCE
							 : RTLS_STS_TESTING;
	policy->mx_count = 0;
	while (rtls_slice_word(&rest, &policy->mx[policy->mx_count]))
		policy->mx_count++;
	plan->sts = true;
	plan->sts_mode = policy->mode;
	plan->policy = policy;
	plan->policy_id = rtls_slice("1a");
	plan->policy_digest = rtls_slice(DIGEST);
}

static void build(const struct row *row, struct material *material)
{
	struct rtls_plan *plan = &material->plan;

	material->record = (struct rtls_record){ .domain = rtls_slice("d") };
	material->record.mx_answer =
		row->implicit ? RTLS_MX_IMPLICIT : RTLS_MX_HOSTS;
	build_hosts(row->hosts, &material->record);
	*plan = (struct rtls_plan){ .class = row->class };
	plan->own_mx = row->class == STRICT || row->class == ENFORCE;
	plan->mx_dnssec = row->mx_dnssec;
	if (row->hosts[0] != '\0')
		plan->record = &material->record;
	if (row->mode != NULL)
		build_policy(row, material);
}

static void check_slices(struct rtls_slice a, struct rtls_slice b)
{
	assert_int_equal(a.size, b.size);
	if (a.size != 0)
		assert_memory_equal(a.data, b.data, a.size);
}

static void check_session(
	const struct rtls_plan *plan, const struct rtls_session_plan *session)
{
	size_t count = 0;
	struct rtls_slice rest = session->mx;
	struct rtls_slice pattern;

	assert_int_equal(session->class, plan->class);
	assert_int_equal(session->sts, plan->sts);
	if (plan->sts)
		assert_int_equal(session->sts_mode, plan->sts_mode);
	check_slices(session->policy_id, plan->policy_id);
	check_slices(session->policy_digest, plan->policy_digest);
	assert_int_equal(session->mx_secure, plan->mx_dnssec == SECURE);
	if (plan->policy == NULL) {
		assert_int_equal(session->mx.size, 0);
		return;
	}
	while (rtls_slice_word(&rest, &pattern))
		check_slices(pattern, plan->policy->mx[count++]);
	assert_int_equal(count, plan->policy->mx_count);
}

/* The mark of a refused host behind its name, "::PORT", is taken off rest. */
static bool take_mark(struct rtls_slice *rest)
{
	unsigned long long port;

	if (!rtls_slice_starts(*rest, ":"))
		return false;
	(void)rtls_slice_take(rest, ':');
	assert_true(
		rtls_slice_number(rtls_slice_take(rest, ':'), 65535, &port));
	assert_int_equal(port, rtls_plan_refused_port(rtls_slice("d")));
	return true;
}

/* "A:+:B::PORT" to names: exactly the refused ones have a port. */
static void check_hosts(struct rtls_slice hosts, const struct rtls_plan *plan,
	const struct rtls_session_plan *session)
{
	size_t count = 0;

	while (hosts.size != 0) {
		struct rtls_slice host = rtls_slice_take(&hosts, ':');
		const struct rtls_mx *mx = &plan->record->mx[count];
		bool marked = take_mark(&hosts);

		if (rtls_slice_is(host, "+")) {
			assert_true(mx[-1].preference < mx->preference);
			continue;
		}
		if (rtls_record_lacks_address(
			    rtls_record_mx(plan->record, mx->host)))
			assert_true(rtls_slice_is(host, RTLS_NO_ADDRESS));
		else
			assert_true(rtls_slice_equal_nocase(host, mx->host));
		assert_false(rtls_slice_equal(host, mx->host));
		assert_int_equal(
			marked, rtls_verdict_refuses(session,
					rtls_verdict_host(session, host)));
		count++;
	}
	assert_int_equal(count, plan->record->mx_count);
}

static struct rtls_slice extract_hosts(const char *text)
{
	const char *start = strstr(text, " hosts=\"");
	struct rtls_slice rest;

	assert_non_null(start);
	rest = rtls_slice(start + strlen(" hosts=\""));
	return rtls_slice_take(&rest, '"');
}

static void check_round_trip(const struct rtls_plan *plan, const char *text)
{
	char *copy = check_copy(rtls_slice(text), strlen(text));
	const struct rtls_slice slice = rtls_slice_n(copy, strlen(text));
	struct rtls_session_plan session;

	assert_int_equal(rtls_session_plan_parse(slice, &session), RTLS_OK);
	check_session(plan, &session);
	assert_true(check_inside(slice, session.mx));
	assert_true(check_inside(slice, session.dane));
	assert_true(check_inside(slice, session.tlsafail));
	assert_true(check_inside(slice, session.cname));
	assert_true(check_inside(slice, session.tlsabad));
	if (plan->own_mx && plan->record != NULL) {
		check_hosts(extract_hosts(text), plan, &session);
		assert_int_equal(
			rtls_session_plan_mark(&session, extract_hosts(text)),
			rtls_plan_mark(plan));
	}
	free(copy);
}

/* Every smaller buffer is refused, and never left open-ended. */
static void check_caps(const struct rtls_plan *plan, const char *wanted)
{
	for (size_t cap = 1; cap <= strlen(wanted); cap++) {
		char *buffer = malloc(cap);
		struct rtls_text text;

		assert_non_null(buffer);
		rtls_text_init(&text, buffer, cap);
		assert_int_equal(rtls_plan_format(plan, &text), RTLS_INVALID);
		assert_true(strlen(buffer) < cap);
		free(buffer);
	}
}

static void test_format(void **state)
{
	static struct material material;
	char buffer[TEXT_SIZE];
	struct rtls_text text;

	build(*state, &material);
	rtls_text_init(&text, buffer, sizeof(buffer));
	assert_int_equal(rtls_plan_format(&material.plan, &text), RTLS_OK);
	assert_string_equal(buffer, ((const struct row *)*state)->wanted);
	check_round_trip(&material.plan, buffer);
	check_caps(&material.plan, buffer);
}

static void check_action(
	enum rtls_action action, const char *why, const char *wanted)
{
	char buffer[TEXT_SIZE];
	struct rtls_plan plan = { .action = action, .own_mx = true };
	struct rtls_session_plan session;
	struct rtls_text text;

	(void)snprintf(plan.text, sizeof(plan.text), "%s", why);
	rtls_text_init(&text, buffer, sizeof(buffer));
	assert_int_equal(rtls_plan_format(&plan, &text), RTLS_OK);
	assert_string_equal(buffer, wanted);
	assert_int_equal(
		rtls_session_plan_parse(rtls_text_slice(&text), &session),
		RTLS_NONE);
	check_caps(&plan, wanted);
}

static void test_refusals(void **state)
{
	(void)state;
	check_action(RTLS_FAIL, "5.7.10 no", "fail=\"5.7.10 no\"");
	check_action(RTLS_DEFER, "4.7.0 later", "defer=\"4.7.0 later\"");
	check_action(RTLS_FAIL, "a\"b\\x0a class=strict\n\xff",
		"fail=\"a\\\"b\\\\x0a class=strict??\"");
}

static void test_contract(void **state)
{
	const struct rtls_record empty = { 0 };
	struct rtls_plan plan = { .class = ENFORCE, .own_mx = true };
	char buffer[TEXT_SIZE];
	struct rtls_text text;

	(void)state;
	rtls_text_init(&text, buffer, sizeof(buffer));
	assert_int_equal(rtls_plan_format(&plan, &text), RTLS_BUG);
	plan.record = &empty;
	assert_int_equal(rtls_plan_format(&plan, &text), RTLS_BUG);
	assert_int_equal(text.size, 0);
}

/* All classes, MX states, policies and TLSA states of three hosts. */
static void test_sweep(void **state)
{
	static const char *const modes[] = { NULL, "testing", "enforce" };
	static const char *const patterns[] = { "x", "a.m", "*.m", "c.n b.m" };
	static const char letters[] = "-suf";
	static struct material material;
	char hosts[64];
	char buffer[TEXT_SIZE];
	struct rtls_text text;

	(void)state;
	for (unsigned n = 0; n < 4 * 4 * 3 * 4 * 64 * 2; n++) {
		const struct row row = { .class = (enum rtls_class)(n % 4),
			.mx_dnssec = (enum rtls_dnssec)(n / 4 % 4),
			.mode = modes[n / 16 % 3],
			.patterns = patterns[n / 48 % 4],
			.hosts = hosts };

		(void)snprintf(hosts, sizeof(hosts),
			"10 a.m %c %u b.m %c 20 c.n %c", letters[n / 192 % 4],
			n / 12288 % 2 == 0 ? 10U : 20U, letters[n / 768 % 4],
			letters[n / 3072 % 4]);
		build(&row, &material);
		rtls_text_init(&text, buffer, sizeof(buffer));
		assert_int_equal(
			rtls_plan_format(&material.plan, &text), RTLS_OK);
		check_round_trip(&material.plan, buffer);
	}
}

struct text_row {
	const char *proves;
	struct rtls_slice text;
	enum rtls_status status;
};

static const struct text_row texts[] = {
	{ "nothing", TEXT(""), RTLS_NONE },
	{ "blanks", TEXT(" \t "), RTLS_NONE },
	{ "a site's own address_data", TEXT("smarthost=a:b x \"y"), RTLS_NONE },
	{ "an open quote that is not ours", TEXT("x=\"y class=strict"),
		RTLS_NONE },
	{ "class inside a value", TEXT("x=\"a class=strict b\""), RTLS_NONE },
	{ "class inside a value with quotes",
		TEXT("x=\"a\\\" class=strict b\""), RTLS_NONE },
	{ "class inside a word", TEXT("subclass=strict"), RTLS_NONE },
	{ "class without value", TEXT("class"), RTLS_NONE },
	{ "words of a site are ignored",
		TEXT("mine class=enforce x=\"y z\" = == dnssec=no  a="),
		RTLS_OK },
	{ "quoted or not", TEXT("class=\"enforce\" mx=a.b dnssec=\"yes\""),
		RTLS_OK },
	{ "empty lists", TEXT("class=enforce mx=\"\" dane= tlsafail=\"\""),
		RTLS_OK },
	{ "unknown class", TEXT("class=foo"), RTLS_INVALID },
	{ "empty class", TEXT("class= sts=enforce"), RTLS_INVALID },
	{ "class cut", TEXT("class=\"enforce"), RTLS_INVALID },
	{ "class twice", TEXT("class=strict class=strict"), RTLS_INVALID },
	{ "policy twice", TEXT("class=strict mx=\"a\" mx=\"b\""),
		RTLS_INVALID },
	{ "A6.8 mode none is never written", TEXT("class=enforce sts=none"),
		RTLS_INVALID },
	{ "unknown mode", TEXT("class=enforce sts=foo"), RTLS_INVALID },
	{ "id with a hyphen", TEXT("class=enforce id=a-b"), RTLS_INVALID },
	{ "empty id", TEXT("class=enforce id="), RTLS_INVALID },
	{ "id too long",
		TEXT("class=enforce id=123456789012345678901234567890123"),
		RTLS_INVALID },
	{ "short digest", TEXT("class=enforce policy=abc"), RTLS_INVALID },
	{ "dnssec maybe", TEXT("class=enforce dnssec=maybe"), RTLS_INVALID },
	{ "exempt from the policy",
		TEXT("class=observe sts=testing exempt=sts"), RTLS_OK },
	{ "unresolved", TEXT("class=observe unresolved=yes"), RTLS_OK },
	{ "unresolved, perhaps", TEXT("class=observe unresolved=maybe"),
		RTLS_INVALID },
	{ "exempt from something else", TEXT("class=observe exempt=dnssec"),
		RTLS_INVALID },
	{ "implicit maybe", TEXT("class=enforce implicit=1"), RTLS_INVALID },
	{ "list not closed", TEXT("class=enforce mx=\"a"), RTLS_INVALID },
	{ "junk behind a quote", TEXT("class=enforce mx=\"a\"b"),
		RTLS_INVALID },
	{ "control character in a list", TEXT("class=enforce mx=\"a\nb\""),
		RTLS_INVALID },
	{ "NUL byte in a list", TEXT("class=enforce mx=\"a\0b\""),
		RTLS_INVALID },
};

static enum rtls_status parse_cut(struct rtls_slice whole, size_t size)
{
	char *copy = check_copy(whole, size);
	const struct rtls_slice text = rtls_slice_n(copy, size);
	struct rtls_session_plan plan;
	enum rtls_status status;

	check_touch_not(&plan, sizeof(plan));
	status = rtls_session_plan_parse(text, &plan);
	if (status == RTLS_OK) {
		assert_true(check_inside(text, plan.policy_id));
		assert_true(check_inside(text, plan.policy_digest));
		assert_true(check_inside(text, plan.mx));
		assert_true(check_inside(text, plan.dane));
		assert_true(check_inside(text, plan.tlsafail));
		assert_true(check_inside(text, plan.cname));
		assert_true(check_inside(text, plan.tlsabad));
		(void)rtls_verdict_host(&plan, text);
	} else {
		assert_true(check_is_untouched(&plan, sizeof(plan)));
	}
	free(copy);
	return status;
}

/* Only what it lifts of the policy is the session's business. */
static void test_exempt(void **state)
{
	static const struct {
		unsigned exempt;
		bool told;
	} wanted[] = {
		{ 0, false },
		{ RTLS_PROTECT_STS, true },
		{ RTLS_PROTECT_STS | RTLS_PROTECT_VERIFIED, true },
		{ RTLS_PROTECT_DNSSEC | RTLS_PROTECT_REQUIRETLS, false },
	};
	static const struct row row = { "", .class = OBSERVE, .mode = "testing",
		.patterns = "a", .hosts = "1 a -" };
	static struct material material;
	struct rtls_session_plan session;
	struct rtls_text text;
	char buffer[512];

	(void)state;
	build(&row, &material);
	for (size_t i = 0; i < COUNT(wanted); i++) {
		material.plan.exempt = wanted[i].exempt;
		rtls_text_init(&text, buffer, sizeof(buffer));
		assert_int_equal(
			rtls_plan_format(&material.plan, &text), RTLS_OK);
		assert_int_equal(
			strstr(buffer, " exempt=sts ") != NULL, wanted[i].told);
		assert_int_equal(
			rtls_session_plan_parse(rtls_slice(buffer), &session),
			RTLS_OK);
		assert_int_equal(session.sts_exempt, wanted[i].told);
	}
}

static void test_parse(void **state)
{
	const struct text_row *row = *state;

	assert_int_equal(parse_cut(row->text, row->text.size), row->status);
	for (size_t size = 0; size < row->text.size; size++)
		(void)parse_cut(row->text, size);
}

static void test_cuts(void **state)
{
	const struct row *row = *state;
	const struct rtls_slice text = rtls_slice(row->wanted);

	for (size_t size = 0; size < text.size; size++)
		(void)parse_cut(text, size);
}

struct host_row {
	const char *proves;
	const char *plan;
	const char *host;
	enum rtls_host_verdict verdict;
	bool refuses;
};

#define ENFORCING "class=enforce sts=enforce mx=\"a.b *.c\""

static const struct host_row hosts[] = {
	{ "A6.2 named", ENFORCING, "a.b", RTLS_HOST_OK, false },
	{ "A6.2 no case", ENFORCING, "A.B", RTLS_HOST_OK, false },
	{ "A6.2 trailing dot", ENFORCING, "a.b.", RTLS_HOST_OK, false },
	{ "A6.2 wildcard", ENFORCING, "x.c", RTLS_HOST_OK, false },
	{ "A6.2 wildcard is one label", ENFORCING, "x.y.c",
		RTLS_HOST_NOT_IN_POLICY, true },
	{ "A6.2 wildcard is a label", ENFORCING, "c", RTLS_HOST_NOT_IN_POLICY,
		true },
	{ "A6.2 not named", ENFORCING, "x.b", RTLS_HOST_NOT_IN_POLICY, true },
	{ "no host", ENFORCING, "", RTLS_HOST_NOT_IN_POLICY, true },
	{ "only a dot", ENFORCING, ".", RTLS_HOST_NOT_IN_POLICY, true },
	{ "a wildcard is no host", ENFORCING, "*.c", RTLS_HOST_NOT_IN_POLICY,
		true },
	{ "A6.7 no pattern at all", "class=enforce sts=enforce", "a",
		RTLS_HOST_NOT_IN_POLICY, true },
	{ "no policy", "class=enforce", "a", RTLS_HOST_OK, false },
	{ "A6.8 testing reports", "class=observe sts=testing mx=\"a\"", "b",
		RTLS_HOST_NOT_IN_POLICY, false },
	{ "A6.8 observe never refuses", "class=observe sts=enforce mx=\"a\"",
		"b", RTLS_HOST_NOT_IN_POLICY, false },
	{ "A6.8 testing under SECURE",
		"class=enforce sts=testing mx=\"a\" dnssec=yes", "b",
		RTLS_HOST_NOT_IN_POLICY, false },
	{ "A6.8 testing refuses nothing in class enforce",
		"class=enforce sts=testing mx=\"a\" dnssec=no", "b",
		RTLS_HOST_NOT_IN_POLICY, false },
	{ "C2.2 strict, testing vouches",
		"class=strict sts=testing mx=\"a\" dnssec=no", "b",
		RTLS_HOST_NOT_IN_POLICY, true },
	{ "C2.2 strict, nothing known of DNSSEC",
		"class=strict sts=testing mx=\"a\"", "b",
		RTLS_HOST_NOT_IN_POLICY, true },
	{ "C2.2 strict, DNSSEC vouches",
		"class=strict sts=testing mx=\"a\" dnssec=yes", "b",
		RTLS_HOST_NOT_IN_POLICY, false },
	{ "C2.2 strict, implicit",
		"class=strict sts=testing mx=\"a\" dnssec=no implicit=yes", "b",
		RTLS_HOST_NOT_IN_POLICY, false },
	{ "A6.7 strict, implicit, but enforce",
		"class=strict sts=enforce mx=\"a\" implicit=yes", "b",
		RTLS_HOST_NOT_IN_POLICY, true },
	{ "A6.10 DANE decides", ENFORCING " dane=\"x y.z\"", "Y.z.",
		RTLS_HOST_DANE, false },
	{ "A6.10 DANE decides for named ones too", ENFORCING " dane=\"a.b\"",
		"a.b", RTLS_HOST_DANE, false },
	{ "DANE: whole names", ENFORCING " dane=\"xa.z\"", "a.z",
		RTLS_HOST_NOT_IN_POLICY, true },
	{ "D4 TLSA failed", ENFORCING " tlsafail=\"a.b\"", "a.b",
		RTLS_HOST_TLSA_FAILED, true },
	{ "D4 TLSA failed beats DANE",
		ENFORCING " tlsafail=\"a.b\" dane=\"a.b\"", "a.b",
		RTLS_HOST_TLSA_FAILED, true },
	{ "D4 TLSA failed without policy", "class=strict tlsafail=a", "a",
		RTLS_HOST_TLSA_FAILED, true },
	{ "D4 TLSA failed, observed", "class=observe tlsafail=a", "a",
		RTLS_HOST_TLSA_FAILED, false },
	{ "D4 in place of one without addresses", ENFORCING, RTLS_NO_ADDRESS,
		RTLS_HOST_TLSA_FAILED, true },
	{ "relaxed", "class=relaxed", "a", RTLS_HOST_OK, false },
};

static void test_host(void **state)
{
	const struct host_row *row = *state;
	struct rtls_session_plan plan;
	const struct rtls_slice host = rtls_slice(row->host);
	char *copy = check_copy(host, host.size);

	assert_int_equal(
		rtls_session_plan_parse(rtls_slice(row->plan), &plan), RTLS_OK);
	assert_int_equal(
		rtls_verdict_host(&plan, rtls_slice_n(copy, host.size)),
		row->verdict);
	assert_int_equal(
		rtls_verdict_refuses(&plan, row->verdict), row->refuses);
	free(copy);
}

/* What a note on refused hosts is about. */
static void test_mark(void **state)
{
	static const char *const others[] = { "10 a.m - 20 c.n -",
		"10 a.m - 20 b.m - 30 c.n -", "10 a.m -", "10 b.m -" };
	static struct material one, two;

	(void)state;
	build(&(struct row){ .class = STRICT, .hosts = "10 a.m - 20 b.m -" },
		&one);
	build(&(struct row){ .class = STRICT, .hosts = "10 b.m - 10 a.m -" },
		&two);
	assert_int_equal(rtls_plan_mark(&one.plan), rtls_plan_mark(&two.plan));
	two.plan.policy_id = rtls_slice("1b");
	assert_int_not_equal(
		rtls_plan_mark(&one.plan), rtls_plan_mark(&two.plan));
	one.plan.policy_id = rtls_slice("1B");
	assert_int_not_equal(
		rtls_plan_mark(&one.plan), rtls_plan_mark(&two.plan));
	one.plan.policy_id = rtls_slice("1b");
	for (size_t i = 0; i < COUNT(others); i++) {
		build(&(struct row){ .class = STRICT, .hosts = others[i] },
			&two);
		two.plan.policy_id = rtls_slice("1b");
		assert_int_not_equal(
			rtls_plan_mark(&one.plan), rtls_plan_mark(&two.plan));
	}
}

/* C2.4, C3.3: flagged, what a patched Exim is to demand goes with the plan. */
static void test_demand(void **state)
{
	static const char *const wanted[] = {
		[RTLS_LEVEL_ENFORCE] = "requiretls=enforce",
		[RTLS_LEVEL_VERIFIED] = "requiretls=verified",
		[RTLS_LEVEL_OPPORTUNISTIC] = "requiretls=opportunistic",
		[RTLS_LEVEL_DISABLE] = "requiretls=disable",
	};

	(void)state;
	for (unsigned i = 0; i < RTLS_LEVEL_COUNT; i++) {
		static struct material material;
		char buffer[TEXT_SIZE];
		struct rtls_text text;

		build(&rows[0], &material);
		material.plan.flagged = true;
		material.plan.demand = (enum rtls_level)i;
		rtls_text_init(&text, buffer, sizeof(buffer));
		assert_int_equal(
			rtls_plan_format(&material.plan, &text), RTLS_OK);
		assert_non_null(strstr(buffer, wanted[i]));
		check_round_trip(&material.plan, buffer);
	}
}

/* A4.2, case 81: smart hosts are written as the site has them, with its ports, also those
 * that will be refused; and the session finds the policy domain of each. */
struct via_row {
	const char *proves;
	struct row plan;
	const char *list;
	const char *wanted;
	const char *domain_of_b; /* whose policy counts for host b */
};

static const struct via_row smart_hosts[] = {
	{ "smart host",
		{ .class = ENFORCE,
			.implicit = true,
			.hosts = "0 b -",
			.mode = "enforce",
			.patterns = "b" },
		"b",
		"class=enforce sts=enforce" POLICY
		" implicit=yes via=\"b\" hosts=\"b\" mx=\"b\"",
		"b" },
	{ "smart hosts, one outside the policy",
		{ .class = ENFORCE,
			.implicit = true,
			.hosts = "0 a - 1 b -",
			.mode = "enforce",
			.patterns = "a" },
		"a::587:b::465",
		"class=enforce sts=enforce" POLICY
		" implicit=yes via=\"a b\" hosts=\"a::587:+:b::465\" mx=\"a\"",
		"b" },
	{ "smart host with DANE, whatever the others are",
		{ .class = ENFORCE,
			.mx_dnssec = INSECURE,
			.implicit = true,
			.hosts = "0 a s 1 b -" },
		"a:b",
		"class=enforce dnssec=no implicit=yes via=\"a b\" "
		"hosts=\"a:+:b\" dane=\"a\"",
		"b" },
	{ "smart host in class observe",
		{ .class = OBSERVE, .implicit = true, .hosts = "0 a -" }, "a",
		"class=observe implicit=yes via=\"a\"", "a" },
	{ "MX hosts of a smart host",
		{ .class = ENFORCE,
			.mx_dnssec = INSECURE,
			.hosts = "10 b - 20 c -",
			.mode = "enforce",
			.patterns = "b c" },
		"isp/mx::26",
		"class=enforce sts=enforce" POLICY
		" dnssec=no via=\"isp\" hosts=\"b::26:+:c::26\" mx=\"b c\"",
		"isp" },
	{ "no DANE for them behind an insecure MX",
		{ .class = ENFORCE, .mx_dnssec = INSECURE, .hosts = "10 b s" },
		"isp/mx", "class=enforce dnssec=no via=\"isp\" hosts=\"b\"",
		"isp" },
	{ "smart hosts that are addresses", { .class = OBSERVE, .hosts = "" },
		"", "class=observe via=\"-\"", "-" },
};

static void test_smart_host(void **state)
{
	const struct via_row *row = *state;
	static struct material material;
	static struct rtls_next_hops hops;
	struct rtls_session_plan plan;
	char buffer[TEXT_SIZE];
	struct rtls_text text;
	struct rtls_slice domain;

	build(&row->plan, &material);
	(void)!rtls_next_hops_parse(rtls_slice(row->list), &hops);
	material.plan.via = &hops;
	rtls_text_init(&text, buffer, sizeof(buffer));
	assert_int_equal(rtls_plan_format(&material.plan, &text), RTLS_OK);
	assert_string_equal(buffer, row->wanted);
	assert_int_equal(
		rtls_session_plan_parse(rtls_slice(buffer), &plan), RTLS_OK);
	domain = rtls_session_plan_domain(
		&plan, rtls_slice("b"), rtls_slice("recipient"));
	assert_true(rtls_slice_is(domain, row->domain_of_b));
}

static void test_no_smart_host(void **state)
{
	struct rtls_session_plan plan = { .class = ENFORCE };

	(void)state;
	assert_true(rtls_slice_is(rtls_session_plan_domain(&plan,
					  rtls_slice("b"), rtls_slice("r")),
		"r"));
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_format, rows);
	CHECK_TABLE(&suite, test_cuts, rows);
	check_add(&suite, "fail and defer", test_refusals, NULL);
	check_add(
		&suite, "callers that break the contract", test_contract, NULL);
	check_add(&suite, "A6.10 D7 what was written is what a session reads",
		test_sweep, NULL);
	check_add(&suite, "A5.8 C2.9 another id or host is another mark",
		test_mark, NULL);
	check_add(&suite, "C2.4 C3.3 what flagged mail demands", test_demand,
		NULL);
	check_add(&suite, "an exemption from the policy", test_exempt, NULL);
	CHECK_TABLE(&suite, test_smart_host, smart_hosts);
	check_add(&suite,
		"A4.1 without smart host it is the recipient's domain",
		test_no_smart_host, NULL);
	CHECK_TABLE(&suite, test_parse, texts);
	CHECK_TABLE(&suite, test_host, hosts);
	return check_run(&suite, "plan");
}
