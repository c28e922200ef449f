/* test_dns.c - what becomes of a reply's DNSSEC state (RFC 7672 sections 2.1.1 and 2.1.2;
 * items D1, D2, D5). getdns itself, upstreams and the clock are faked at link time. */
#include "check.h"

#include <stdio.h>

#include "resolve/dns.h"
#include "resolve/dns_answer.h"
#include "resolve/dns_attempt.h"
#include "resolve/dns_context.h"

/* What one upstream says of everything. */
struct upstream {
	uint32_t rcode;  /* or RTLS_DNS_NO_REPLY */
	uint32_t status; /* getdns's; in AD mode SECURE or INSECURE */
	bool root_signed;
};

static struct upstream validating, by_ad;
static unsigned asked;
static int fake_context[2], fake_extensions;

/* --- in place of dns_attempt.c and dns_context.c ---------------------------- */

int64_t rtls_dns_now_ms(void)
{
	return 1000;
}

void rtls_dns_batch_add(
	struct rtls_dns_batch *batch, struct rtls_dns_query *query)
{
	batch->lookup[batch->count++] = (struct rtls_dns_lookup){
		.query = query, .rcode = RTLS_DNS_NO_REPLY, .batch = batch
	};
	rtls_dns_answer_fail(query, "no time left");
}

void rtls_dns_lookup_start(struct rtls_dns_lookup *lookup)
{
	const struct upstream *upstream =
		lookup->batch->mode == RTLS_DNS_AD ? &by_ad : &validating;
	const bool is_root = lookup->query->name[0] == '\0';

	asked += !is_root;
	lookup->rcode = upstream->rcode;
	lookup->dnssec_status = upstream->status;
	lookup->is_signed = is_root && upstream->root_signed;
	if (is_root && lookup->batch->mode == RTLS_DNS_AD)
		lookup->dnssec_status = upstream->root_signed
						? GETDNS_DNSSEC_SECURE
						: GETDNS_DNSSEC_INSECURE;
	if (upstream->rcode != GETDNS_RCODE_NOERROR) {
		rtls_dns_answer_fail(lookup->query, "failed");
		return;
	}
	lookup->query->outcome = RTLS_DNS_FOUND;
	lookup->query->count = 1;
}

void rtls_dns_batch_wait(struct rtls_dns_batch *batch, int64_t until_ms)
{
	(void)batch;
	(void)until_ms;
}

enum rtls_status rtls_dns_anchors_load(
	const char *path, getdns_list **anchors, struct rtls_err *err)
{
	(void)path;
	(void)err;
	*anchors = NULL;
	return RTLS_OK;
}

getdns_dict *rtls_dns_extensions_make(enum rtls_dns_mode mode)
{
	(void)mode;
	return (getdns_dict *)&fake_extensions;
}

getdns_context *rtls_dns_context_open(enum rtls_dns_mode mode,
	const union rtls_address *upstream, const getdns_list *anchors,
	unsigned timeout_ms, struct rtls_dns_guard *guard)
{
	(void)guard;
	(void)upstream;
	(void)anchors;
	(void)timeout_ms;
	return (getdns_context *)&fake_context[mode == RTLS_DNS_AD];
}

void getdns_context_destroy(getdns_context *context)
{
	(void)context;
}

void getdns_dict_destroy(getdns_dict *dict)
{
	(void)dict;
}

void getdns_list_destroy(getdns_list *list)
{
	(void)list;
}

/* --- one answer ------------------------------------------------------------- */

struct row {
	const char *proves;
	enum rtls_dns_mode mode;
	struct upstream upstream;
	enum rtls_dns_outcome outcome;
	enum rtls_dnssec dnssec;
};

#define VALIDATE RTLS_DNS_VALIDATE
#define AD       RTLS_DNS_AD
#define SECURE   GETDNS_DNSSEC_SECURE
#define INSECURE GETDNS_DNSSEC_INSECURE
#define FAILS    RTLS_DNS_FAILED, RTLS_DNSSEC_UNKNOWN

static const struct row rows[] = {
	{ "D2 secure", VALIDATE, { 0, SECURE, true }, RTLS_DNS_FOUND,
		RTLS_DNSSEC_SECURE },
	{ "D2 insecure is an answer like others", VALIDATE,
		{ 0, INSECURE, true }, RTLS_DNS_FOUND, RTLS_DNSSEC_INSECURE },
	{ "D2 bogus is a failure", VALIDATE, { 0, GETDNS_DNSSEC_BOGUS, true },
		RTLS_DNS_FAILED, RTLS_DNSSEC_BOGUS },
	{ "D2 indeterminate is a failure", VALIDATE,
		{ 0, GETDNS_DNSSEC_INDETERMINATE, true }, FAILS },
	{ "D2 a state that was not looked for is a failure", VALIDATE,
		{ 0, GETDNS_DNSSEC_NOT_PERFORMED, true }, FAILS },
	{ "D2 so is no state at all", VALIDATE, { 0, 0, true }, FAILS },
	{ "D2 SERVFAIL is a failure, whatever else is said", VALIDATE,
		{ GETDNS_RCODE_SERVFAIL, SECURE, true }, FAILS },
	{ "D2 so is no reply", VALIDATE, { RTLS_DNS_NO_REPLY, 0, true },
		FAILS },
	{ "D1 an upstream that strips signatures makes all insecure", VALIDATE,
		{ 0, GETDNS_DNSSEC_INDETERMINATE, false }, RTLS_DNS_FOUND,
		RTLS_DNSSEC_INSECURE },
	{ "D1 what looks bogus there too", VALIDATE,
		{ 0, GETDNS_DNSSEC_BOGUS, false }, RTLS_DNS_FOUND,
		RTLS_DNSSEC_INSECURE },
	{ "D1 with the AD bit", AD, { 0, SECURE, true }, RTLS_DNS_FOUND,
		RTLS_DNSSEC_SECURE },
	{ "D1 without the AD bit", AD, { 0, INSECURE, true }, RTLS_DNS_FOUND,
		RTLS_DNSSEC_INSECURE },
	{ "D2 what such a resolver finds bogus fails", AD,
		{ GETDNS_RCODE_SERVFAIL, INSECURE, true }, FAILS },
};

static struct rtls_dns *open_dns(enum rtls_dns_mode mode, bool trusted)
{
	static struct rtls_config config;
	struct rtls_dns *dns;

	rtls_config_defaults(&config);
	config.dnssec = mode;
	config.resolver_trusted = trusted;
	(void)snprintf(
		config.resolver[0], sizeof(config.resolver[0]), "127.0.0.1");
	config.resolver_count = 1;
	asked = 0;
	assert_int_equal(rtls_dns_open(&config, &dns, NULL), RTLS_OK);
	return dns;
}

static void ask(struct rtls_dns *dns, struct rtls_dns_query *query)
{
	memset(query, 0, sizeof(*query));
	(void)snprintf(query->name, sizeof(query->name), "d.example");
	query->type = RTLS_DNS_MX;
	assert_int_equal(rtls_dns_run(dns, query, 1, NULL), RTLS_OK);
}

static void test_row(void **state)
{
	static struct rtls_dns_query query;
	const struct row *row = *state;
	struct rtls_dns *dns = open_dns(row->mode, false);

	validating = by_ad = row->upstream;
	ask(dns, &query);
	assert_int_equal(query.outcome, row->outcome);
	assert_int_equal(query.dnssec, row->dnssec);
	assert_int_equal(query.count, row->outcome == RTLS_DNS_FOUND ? 1 : 0);
	rtls_dns_query_free(&query);
	rtls_dns_close(dns);
}

/* --- the second opinion ----------------------------------------------------- */

struct second_row {
	const char *proves;
	bool trusted;
	struct upstream second;
	enum rtls_dnssec dnssec;
};

static const struct second_row second_rows[] = {
	{ "D1 a resolver that is not trusted is not asked about bogus answers",
		false, { 0, SECURE, true }, RTLS_DNSSEC_BOGUS },
	{ "D1 a trusted one puts right what getdns calls bogus", true,
		{ 0, SECURE, true }, RTLS_DNSSEC_SECURE },
	{ "D1 also when it is only insecure", true, { 0, INSECURE, true },
		RTLS_DNSSEC_INSECURE },
	{ "D1 not when it finds it bogus too", true,
		{ GETDNS_RCODE_SERVFAIL, INSECURE, true }, RTLS_DNSSEC_BOGUS },
	{ "D1 nor when it does not answer", true,
		{ RTLS_DNS_NO_REPLY, 0, true }, RTLS_DNSSEC_BOGUS },
	{ "D1 nor when it does not validate", true, { 0, INSECURE, false },
		RTLS_DNSSEC_BOGUS },
};

static void test_second(void **state)
{
	static struct rtls_dns_query query;
	const struct second_row *row = *state;
	struct rtls_dns *dns = open_dns(VALIDATE, row->trusted);

	validating = (struct upstream){ 0, GETDNS_DNSSEC_BOGUS, true };
	by_ad = row->second;
	ask(dns, &query);
	assert_int_equal(query.dnssec, row->dnssec);
	assert_int_equal(query.outcome, row->dnssec == RTLS_DNSSEC_BOGUS
						? RTLS_DNS_FAILED
						: RTLS_DNS_FOUND);
	rtls_dns_query_free(&query);
	rtls_dns_close(dns);
}

/* An error is an answer; silence, and a chain of trust with a hole, may be due to a
 * lost packet. */
static void test_repeats(void **state)
{
	static struct rtls_dns_query query;
	static const struct {
		struct upstream upstream;
		unsigned asked;
	} cases[] = {
		{ { 0, SECURE, true }, 1 },
		{ { 0, INSECURE, true }, 1 },
		{ { GETDNS_RCODE_SERVFAIL, 0, true }, 1 },
		{ { RTLS_DNS_NO_REPLY, 0, true }, 2 },
		{ { 0, GETDNS_DNSSEC_BOGUS, true }, 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rtls_dns *dns = open_dns(VALIDATE, false);

		validating = cases[i].upstream;
		ask(dns, &query);
		assert_int_equal(asked, cases[i].asked);
		rtls_dns_query_free(&query);
		rtls_dns_close(dns);
	}
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	CHECK_TABLE(&suite, test_second, second_rows);
	check_add(
		&suite, "EDGE 134 what is asked once more", test_repeats, NULL);
	return check_run(&suite, "dns");
}
