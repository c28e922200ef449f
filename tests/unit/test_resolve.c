/* test_resolve.c - what becomes of DNS answers and fetched policies: the record, the cache
 * file, notes and journal. DNS and HTTPS are faked at link time. */
#include "spool_dir.h"

#include <sys/resource.h>
#include <time.h>

#include "policy/timestamp.h"
#include "resolve/fetch.h"
#include "resolve/resolve.h"
#include "store/cache.h"
#include "store/journal.h"
#include "store/lock.h"
#include "store/policies.h"

#define DOMAIN      "d.example"
#define TXT         "_mta-sts." DOMAIN
#define ENFORCE     "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400\n"
#define TESTING     "version: STSv1\nmode: testing\nmx: a.example\nmax_age: 86400\n"
#define NONE_POLICY "version: STSv1\nmode: none\nmax_age: 86400\n"
#define HEX64       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct rtls_config config;
static int64_t now_s;
static struct rtls_resolved *resolved;
static const struct rtls_record *record;
static bool is_for_module = true;

/* --- the faked network ------------------------------------------------------ */

struct answer {
	char name[300];
	enum rtls_dns_type type;
	enum rtls_dns_outcome outcome;
	enum rtls_dnssec dnssec;
	uint32_t ttl_s;
	const char *end;         /* where CNAMEs lead, or NULL */
	const char *records[80]; /* "text" or, MX, "preference text" */
};

static struct answer answers[64];
static size_t answer_count;
static unsigned dns_opened, dns_asked, fetched;
static unsigned dns_limit_ms, dns_takes_ms, fetch_limit_ms;
static enum rtls_status dns_open_status, dns_run_status;
static bool can_validate;
static enum rtls_result fetch_failure;
static const char *fetch_text; /* the reason, or the body */
static bool fetch_is_unresolved;
static bool seen_meanwhile, is_killed, is_disk_filled;

enum rtls_status rtls_dns_open(const struct rtls_config *asked,
	struct rtls_dns **dns, struct rtls_err *err)
{
	assert_ptr_equal(asked, &config);
	if (dns_open_status != RTLS_OK) {
		rtls_err_set(err, "no resolver");
		return dns_open_status;
	}
	dns_opened++;
	*dns = (struct rtls_dns *)&dns_opened;
	return RTLS_OK;
}

void rtls_dns_close(struct rtls_dns *dns)
{
	assert_ptr_equal(dns, &dns_opened);
	dns_opened--;
}

bool rtls_dns_can_validate(const struct rtls_dns *dns)
{
	assert_ptr_equal(dns, &dns_opened);
	return can_validate;
}

void rtls_dns_limit(struct rtls_dns *dns, unsigned time_ms)
{
	assert_ptr_equal(dns, &dns_opened);
	dns_limit_ms = time_ms;
}

void rtls_dns_query_free(struct rtls_dns_query *query)
{
	free(query->storage);
	query->storage = NULL;
}

static void fill(struct rtls_dns_query *query, const struct answer *answer)
{
	query->outcome = answer->outcome;
	query->dnssec = answer->dnssec;
	query->ttl_s = answer->ttl_s;
	(void)snprintf(query->end, sizeof(query->end), "%s",
		answer->end == NULL ? "" : answer->end);
	query->count = 0;
	/* Freed with the query: nothing of it may be borrowed any longer. */
	query->storage = calloc(80, 1200);
	assert_non_null(query->storage);
	for (size_t i = 0; answer->records[i] != NULL; i++) {
		char *text = query->storage + i * 1200;
		struct rtls_dns_record *to = &query->record[query->count++];
		unsigned long long preference;
		struct rtls_slice rest;

		(void)snprintf(text, 1200, "%s", answer->records[i]);
		rest = rtls_slice(text);
		to->preference = 0;
		if (query->type == RTLS_DNS_MX &&
			rtls_slice_number(rtls_slice_take(&rest, ' '), 65535,
				&preference))
			to->preference = (unsigned)preference;
		to->text = rest;
	}
}

enum rtls_status rtls_dns_run(struct rtls_dns *dns,
	struct rtls_dns_query *queries, size_t count, struct rtls_err *err)
{
	static const struct answer nothing = { .outcome = RTLS_DNS_NXDOMAIN,
		.dnssec = RTLS_DNSSEC_INSECURE,
		.ttl_s = 600 };

	assert_ptr_equal(dns, &dns_opened);
	assert_true(count > 0);
	usleep(1000 * dns_takes_ms);
	if (dns_run_status != RTLS_OK) {
		rtls_err_set(err, "out of memory");
		return dns_run_status;
	}
	for (size_t i = 0; i < count; i++) {
		const struct answer *found = &nothing;

		dns_asked++;
		for (size_t j = 0; j < answer_count; j++)
			if (answers[j].type == queries[i].type &&
				strcmp(answers[j].name, queries[i].name) == 0)
				found = &answers[j];
		fill(&queries[i], found);
	}
	return RTLS_OK;
}

/* What another process finds in the cache while the fetch runs. */
static void look_meanwhile(void)
{
	static char buffer[RTLS_RECORD_SIZE_MAX + 1];
	struct rtls_record found;

	seen_meanwhile = rtls_cache_get(spool_dir, DOMAIN, buffer, &found,
				 NULL) == RTLS_OK;
	if (!seen_meanwhile)
		return;
	assert_int_equal(found.fetch, RTLS_FETCH_RUNNING);
	assert_false(rtls_record_is_fresh(&found, now_s));
	assert_false(rtls_record_wants_fetch(&found, now_s));
}

/* Files can grow no further than that, as on a full disk. */
static void limit_files(rlim_t size_bytes)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size_bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

enum rtls_status rtls_fetch_policy(const struct rtls_config *asked,
	const char *domain, char *buffer, struct rtls_fetch_result *result)
{
	assert_string_equal(asked->spool, config.spool);
	assert_string_equal(domain, DOMAIN);
	fetch_limit_ms = asked->fetch_timeout_ms;
	fetched++;
	look_meanwhile();
	if (is_killed)
		_exit(0);
	if (is_disk_filled)
		limit_files(1);
	memset(result, 0, sizeof(*result));
	result->failure = fetch_failure;
	result->is_unresolved = fetch_is_unresolved;
	if (fetch_failure != RTLS_RESULT_SUCCESS) {
		(void)snprintf(result->reason, sizeof(result->reason), "%s",
			fetch_text);
		return RTLS_TEMPORARY;
	}
	result->body = rtls_slice_n(buffer, strlen(fetch_text));
	memcpy(buffer, fetch_text, result->body.size);
	return RTLS_OK;
}

/* The last answer given for a question is the one that counts. */
static struct answer *answer(const char *name, enum rtls_dns_type type,
	enum rtls_dns_outcome outcome, enum rtls_dnssec dnssec)
{
	struct answer *added = &answers[answer_count++];

	assert_true(answer_count <= sizeof(answers) / sizeof(*answers));
	memset(added, 0, sizeof(*added));
	(void)snprintf(added->name, sizeof(added->name), "%s", name);
	added->type = type;
	added->outcome = outcome;
	added->dnssec = dnssec;
	added->ttl_s = 600;
	return added;
}

static struct answer *found(const char *name, enum rtls_dns_type type,
	enum rtls_dnssec dnssec, const char *text)
{
	struct answer *added = answer(name, type, RTLS_DNS_FOUND, dnssec);

	added->records[0] = text;
	return added;
}

static void fetches(enum rtls_result failure, const char *text)
{
	fetch_is_unresolved = strcmp(text, "could not resolve") == 0;
	fetch_failure = failure;
	fetch_text = text;
}

/* --- one call --------------------------------------------------------------- */

static void forget(void)
{
	rtls_resolved_free(resolved);
	resolved = NULL;
	record = NULL;
}

static enum rtls_status resolve_with(bool force_dns, bool force_fetch)
{
	struct rtls_resolve_options options = { .force_dns = force_dns,
		.force_fetch = force_fetch,
		.now_s = now_s,
		.for_module = is_for_module };
	struct rtls_err err = { "" };
	enum rtls_status status;

	forget();
	dns_asked = 0;
	fetched = 0;
	status =
		rtls_resolve_domain(&config, DOMAIN, &options, &resolved, &err);
	assert_int_equal(dns_opened, 0);
	if (status == RTLS_OK)
		record = rtls_resolved_record(resolved);
	else
		assert_true(err.text[0] != '\0');
	return status;
}

/* Resolve; and what was written is what was answered, notes apart. */
static void resolve(void)
{
	static char buffer[RTLS_RECORD_SIZE_MAX + 1];
	static char one[RTLS_RECORD_SIZE_MAX + 1],
		two[RTLS_RECORD_SIZE_MAX + 1];
	struct rtls_record cached, answered;
	struct rtls_text text;

	assert_int_equal(resolve_with(false, false), RTLS_OK);
	assert_int_equal(
		rtls_cache_get(spool_dir, DOMAIN, buffer, &cached, NULL),
		RTLS_OK);
	answered = *record;
	answered.note_count = 0;
	rtls_text_init(&text, one, sizeof(one));
	assert_int_equal(rtls_record_format(&answered, &text), RTLS_OK);
	rtls_text_init(&text, two, sizeof(two));
	assert_int_equal(rtls_record_format(&cached, &text), RTLS_OK);
	assert_string_equal(one, two);
}

static void later(int64_t seconds)
{
	now_s += seconds;
}

static bool has_note(const char *words)
{
	char note[600];

	for (size_t i = 0; i < record->note_count; i++)
		if (rtls_slice_copy(record->note[i], note, sizeof(note)) &&
			strstr(note, words) != NULL)
			return true;
	return false;
}

static void check_host(size_t index, const char *host, unsigned preference)
{
	assert_true(index < record->mx_count);
	assert_true(rtls_slice_is(record->mx[index].host, host));
	assert_int_equal(record->mx[index].preference, preference);
}

static int start(void **state)
{
	answer_count = 0;
	dns_open_status = dns_run_status = RTLS_OK;
	can_validate = is_for_module = true;
	dns_takes_ms = 0;
	fetches(RTLS_RESULT_SUCCESS, ENFORCE);
	now_s = (int64_t)time(NULL);
	if (make_spool(state) != 0)
		return -1;
	rtls_config_defaults(&config);
	(void)snprintf(config.spool, sizeof(config.spool), "%s", spool_dir);
	config.tlsrpt = true;
	return 0;
}

static int stop(void **state)
{
	forget();
	return remove_spool(state);
}

/* --- MX --------------------------------------------------------------------- */

static void sorts_hosts(void **state)
{
	struct answer *mx = found(
		DOMAIN, RTLS_DNS_MX, RTLS_DNSSEC_INSECURE, "20 C.Example");

	(void)state;
	mx->records[1] = "10 b.example";
	mx->records[2] = "20 a.example";
	mx->records[3] = "5 mx_1.example.";
	mx->records[4] = "10 a2.example";
	resolve();
	assert_int_equal(record->mx_answer, RTLS_MX_HOSTS);
	assert_int_equal(record->mx_dnssec, RTLS_DNSSEC_INSECURE);
	assert_int_equal(record->mx_until_s, now_s + 600);
	assert_int_equal(record->mx_count, 5);
	check_host(0, "mx_1.example", 5);
	check_host(1, "b.example", 10);
	check_host(2, "a2.example", 10);
	check_host(3, "c.example", 20);
	check_host(4, "a.example", 20);
	/* D9: nobody asks for TLSA behind an insecure MX. */
	assert_int_equal(dns_asked, 2 + 5 * 2);
	assert_int_equal(record->mx[0].address, RTLS_DNSSEC_INSECURE);
	assert_int_equal(record->mx[0].tlsa, RTLS_TLSA_UNKNOWN);
	assert_int_equal(record->note_count, 0);
}

static void skips_bad_targets(void **state)
{
	struct answer *mx =
		found(DOMAIN, RTLS_DNS_MX, RTLS_DNSSEC_INSECURE, "1 .");

	(void)state;
	mx->records[1] = "2 192.0.2.1";
	mx->records[2] = "3 a b.example";
	mx->records[3] = "4 a\\010.example";
	mx->records[4] = "5 good.example";
	resolve();
	assert_int_equal(record->mx_answer, RTLS_MX_HOSTS);
	assert_int_equal(record->mx_count, 1);
	check_host(0, "good.example", 5);
	assert_true(has_note("is not a host name"));
	/* The same again is not worth a line, another host is. */
	later(601);
	resolve();
	assert_int_equal(record->note_count, 0);
	mx->records[4] = "5 other.example";
	later(601);
	resolve();
	assert_true(has_note("is not a host name"));
}

static void only_bad_targets_are_none(void **state)
{
	(void)state;
	found(DOMAIN, RTLS_DNS_MX, RTLS_DNSSEC_SECURE, "1 192.0.2.1");
	resolve();
	assert_int_equal(record->mx_answer, RTLS_MX_NXDOMAIN);
	assert_int_equal(record->mx_count, 0);
}

static void keeps_the_best_preference(void **state)
{
	struct answer *mx = found(
		DOMAIN, RTLS_DNS_MX, RTLS_DNSSEC_INSECURE, "20 a.example");

	(void)state;
	mx->records[1] = "10 b.example";
	mx->records[2] = "5 A.example";
	mx->records[3] = "30 b.example";
	resolve();
	assert_int_equal(record->mx_count, 2);
	check_host(0, "a.example", 5);
	check_host(1, "b.example", 10);
}

static void keeps_the_best_hosts(void **state)
{
	static char texts[RTLS_MX_MAX + 8][32];
	struct answer *mx = answer(
		DOMAIN, RTLS_DNS_MX, RTLS_DNS_FOUND, RTLS_DNSSEC_INSECURE);

	(void)state;
	for (unsigned i = 0; i < RTLS_MX_MAX + 8; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%u h%u.example",
			1000 - i, i);
		mx->records[i] = texts[i];
	}
	resolve();
	assert_int_equal(record->mx_count, RTLS_MX_MAX);
	check_host(0, "h71.example", 929);
	check_host(RTLS_MX_MAX - 1, "h8.example", 992);
}

static void null_mx(void **state)
{
	struct answer *mx =
		found(DOMAIN, RTLS_DNS_MX, RTLS_DNSSEC_SECURE, "0 .");

	(void)state;
	resolve();
	assert_int_equal(record->mx_answer, RTLS_MX_NULL);
	assert_int_equal(record->mx_dnssec, RTLS_DNSSEC_SECURE);
	assert_int_equal(record->mx_count, 0);
	assert_int_equal(dns_asked, 2);
	/* Twice the dot is no host either. */
	mx->records[1] = "5 .";
	later(601);
	resolve();
	assert_int_equal(record->mx_answer, RTLS_MX_NULL);
}

static void implicit_mx(void **state)
{
	struct answer *mx = answer(
		DOMAIN, RTLS_DNS_MX, RTLS_DNS_NODATA, RTLS_DNSSEC_SECURE);

	(void)state;
	mx->ttl_s = 7200;
	found(DOMAIN, RTLS_DNS_A, RTLS_DNSSEC_SECURE, "192.0.2.1");
	answer(DOMAIN, RTLS_DNS_AAAA, RTLS_DNS_NODATA, RTLS_DNSSEC_SECURE);
	found("_25._tcp." DOMAIN, RTLS_DNS_TLSA, RTLS_DNSSEC_SECURE,
		"3 1 1 " HEX64)
		->ttl_s = 7000;
	resolve();
	assert_int_equal(record->mx_answer, RTLS_MX_IMPLICIT);
	assert_int_equal(record->mx_dnssec, RTLS_DNSSEC_SECURE);
	assert_int_equal(record->mx_count, 1);
	check_host(0, DOMAIN, 0);
	assert_int_equal(record->mx[0].tlsa, RTLS_TLSA_SECURE);
	/* A denial is believed for an hour at most. */
	assert_int_equal(record->mx_until_s, now_s + 3600);
}

static void implicit_mx_by_ipv6_only(void **state)
{
	(void)state;
	answer(DOMAIN, RTLS_DNS_MX, RTLS_DNS_NODATA, RTLS_DNSSEC_INSECURE);
	answer(DOMAIN, RTLS_DNS_A, RTLS_DNS_FAILED, RTLS_DNSSEC_UNKNOWN);
	found(DOMAIN, RTLS_DNS_AAAA, RTLS_DNSSEC_INSECURE, "2001:db8::1");
	resolve();
	assert_int_equal(record->mx_answer, RTLS_MX_IMPLICIT);
	assert_int_equal(record->mx[0].tlsa, RTLS_TLSA_UNKNOWN);
}

static void no_host_at_all(void **state)
{
	struct answer *a;

	(void)state;
	answer(DOMAIN, RTLS_DNS_MX, RTLS_DNS_NODATA, RTLS_DNSSEC_SECURE);
	a = answer(DOMAIN, RTLS_DNS_A, RTLS_DNS_NODATA, RTLS_DNSSEC_SECURE);
	answer(DOMAIN, RTLS_DNS_AAAA, RTLS_DNS_NODATA, RTLS_DNSSEC_SECURE);
	resolve();
	assert_int_equal(record->mx_answer, RTLS_MX_NXDOMAIN);
	assert_int_equal(record->mx_dnssec, RTLS_DNSSEC_SECURE);
	/* But unknown addresses are not none. */
	a->outcome = RTLS_DNS_FAILED;
	later(3601);
	resolve();
	assert_int_equal(record->mx_answer, RTLS_MX_FAILED);
	assert_int_equal(record->mx_until_s, now_s + 60);
}

static void no_such_domain(void **state)
{
	(void)state;
	answer(DOMAIN, RTLS_DNS_MX, RTLS_DNS_NXDOMAIN, RTLS_DNSSEC_SECURE)
		->ttl_s = 0;
	resolve();
	assert_int_equal(record->mx_answer, RTLS_MX_NXDOMAIN);
	assert_int_equal(record->mx_dnssec, RTLS_DNSSEC_SECURE);
	/* A second at least, or no delivery would ever find it fresh. */
	assert_int_equal(record->mx_until_s, now_s + 1);
	assert_int_equal(dns_asked, 2);
}

static void failed_mx(void **state)
{
	(void)state;
	answer(DOMAIN, RTLS_DNS_MX, RTLS_DNS_FAILED, RTLS_DNSSEC_UNKNOWN);
	/* D3: no address of the domain takes its place. */
	found(DOMAIN, RTLS_DNS_A, RTLS_DNSSEC_SECURE, "192.0.2.1");
	resolve();
	assert_int_equal(record->mx_count, 0);
	assert_int_equal(record->mx_answer, RTLS_MX_FAILED);
	assert_int_equal(record->mx_dnssec, RTLS_DNSSEC_UNKNOWN);
	assert_int_equal(record->mx_until_s, now_s + 60);
}

static void failure_keeps_what_is_still_true(void **state)
{
	struct answer *mx = found(
		DOMAIN, RTLS_DNS_MX, RTLS_DNSSEC_INSECURE, "10 a.example");

	(void)state;
	resolve();
	mx->outcome = RTLS_DNS_FAILED;
	mx->dnssec = RTLS_DNSSEC_UNKNOWN;
	later(599);
	assert_int_equal(resolve_with(true, false), RTLS_OK);
	assert_int_equal(record->mx_answer, RTLS_MX_HOSTS);
	check_host(0, "a.example", 10);
	assert_int_equal(record->mx_until_s, now_s + 1);
	later(1);
	assert_int_equal(resolve_with(true, false), RTLS_OK);
	assert_int_equal(record->mx_answer, RTLS_MX_FAILED);
	assert_int_equal(record->mx_count, 0);
}

static void bogus_mx_counts_at_once(void **state)
{
	struct answer *mx = found(
		DOMAIN, RTLS_DNS_MX, RTLS_DNSSEC_INSECURE, "10 a.example");

	(void)state;
	resolve();
	mx->outcome = RTLS_DNS_FAILED;
	mx->dnssec = RTLS_DNSSEC_BOGUS;
	later(10);
	assert_int_equal(resolve_with(true, false), RTLS_OK);
	assert_int_equal(record->mx_answer, RTLS_MX_FAILED);
	assert_int_equal(record->mx_dnssec, RTLS_DNSSEC_BOGUS);
	assert_int_equal(record->mx_count, 0);
}

static void long_ttl_is_cut(void **state)
{
	struct answer *mx = found(
		DOMAIN, RTLS_DNS_MX, RTLS_DNSSEC_INSECURE, "10 a.example");

	(void)state;
	mx->ttl_s = UINT32_MAX;
	resolve();
	assert_int_equal(record->mx_until_s, now_s + RTLS_TTL_MAX_S);
}

/* --- TLSA ------------------------------------------------------------------- */

static void secure_mx(const char *first, const char *second)
{
	struct answer *mx =
		found(DOMAIN, RTLS_DNS_MX, RTLS_DNSSEC_SECURE, first);

	mx->records[1] = second;
}

static void addresses(
	const char *host, enum rtls_dnssec v4, enum rtls_dnssec v6)
{
	answer(host, RTLS_DNS_A,
		v4 == RTLS_DNSSEC_BOGUS || v4 == RTLS_DNSSEC_UNKNOWN
			? RTLS_DNS_FAILED
			: RTLS_DNS_FOUND,
		v4)
		->records[0] = "192.0.2.1";
	answer(host, RTLS_DNS_AAAA,
		v6 == RTLS_DNSSEC_BOGUS || v6 == RTLS_DNSSEC_UNKNOWN
			? RTLS_DNS_FAILED
			: RTLS_DNS_NODATA,
		v6);
}

static void asks_tlsa_of_secure_hosts(void **state)
{
	(void)state;
	secure_mx("10 a.example", "20 b.example");
	addresses("a.example", RTLS_DNSSEC_SECURE, RTLS_DNSSEC_SECURE);
	addresses("b.example", RTLS_DNSSEC_INSECURE, RTLS_DNSSEC_INSECURE);
	found("_25._tcp.a.example", RTLS_DNS_TLSA, RTLS_DNSSEC_SECURE,
		"3 1 1 " HEX64)
		->records[1] = "0 0 1 " HEX64;
	found("_25._tcp.b.example", RTLS_DNS_TLSA, RTLS_DNSSEC_SECURE,
		"3 1 1 " HEX64);
	resolve();
	assert_int_equal(record->mx[0].address, RTLS_DNSSEC_SECURE);
	assert_int_equal(record->mx[0].tlsa, RTLS_TLSA_SECURE);
	assert_int_equal(record->mx[1].address, RTLS_DNSSEC_INSECURE);
	assert_int_equal(record->mx[1].tlsa, RTLS_TLSA_UNKNOWN);
	assert_int_equal(record->tlsa_count, 2);
	assert_true(rtls_slice_is(record->tlsa[0].host, "a.example"));
	assert_true(rtls_slice_is(record->tlsa[1].text, "0 0 1 " HEX64));
	/* MX, TXT, two addresses each, TLSA of the first. */
	assert_int_equal(dns_asked, 7);
}

/* EDGE 82: behind an insecure MX too, for the router that has to leave it out. */
static void unreachable_behind_an_insecure_mx(void **state)
{
	struct answer *mx = found(
		DOMAIN, RTLS_DNS_MX, RTLS_DNSSEC_INSECURE, "10 a.example");

	(void)state;
	mx->records[1] = "20 b.example";
	mx->records[2] = "30 c.example";
	answer("a.example", RTLS_DNS_A, RTLS_DNS_FAILED, RTLS_DNSSEC_UNKNOWN);
	answer("a.example", RTLS_DNS_AAAA, RTLS_DNS_NODATA, RTLS_DNSSEC_SECURE);
	answer("b.example", RTLS_DNS_A, RTLS_DNS_FAILED, RTLS_DNSSEC_UNKNOWN);
	found("b.example", RTLS_DNS_AAAA, RTLS_DNSSEC_INSECURE, "2001:db8::1");
	/* Of c there is no address: Exim leaves it out by itself. */
	resolve();
	assert_int_equal(record->mx[0].tlsa, RTLS_TLSA_FAILED);
	assert_true(rtls_record_lacks_address(&record->mx[0]));
	assert_int_equal(record->mx[1].tlsa, RTLS_TLSA_UNKNOWN);
	assert_int_equal(record->mx[2].tlsa, RTLS_TLSA_UNKNOWN);
	assert_int_equal(record->mx_until_s, now_s + 60);
	assert_int_equal(dns_asked, 2 + 3 * 2);
}

/* D10: TLSA where the CNAME leads to, as Exim asks, and nowhere else. */
static void asks_tlsa_behind_a_cname(void **state)
{
	(void)state;
	secure_mx("10 a.example", "20 b.example");
	addresses("a.example", RTLS_DNSSEC_SECURE, RTLS_DNSSEC_SECURE);
	addresses("b.example", RTLS_DNSSEC_INSECURE, RTLS_DNSSEC_INSECURE);
	for (size_t i = 1; i < answer_count; i++)
		answers[i].end = "target.example";
	found("_25._tcp.target.example", RTLS_DNS_TLSA, RTLS_DNSSEC_SECURE,
		"3 1 1 " HEX64);
	answer("_25._tcp.a.example", RTLS_DNS_TLSA, RTLS_DNS_FAILED,
		RTLS_DNSSEC_UNKNOWN);
	resolve();
	assert_true(rtls_slice_is(record->mx[0].cname, "target.example"));
	assert_int_equal(record->mx[0].tlsa, RTLS_TLSA_SECURE);
	assert_true(rtls_slice_is(record->tlsa[0].host, "a.example"));
	assert_true(rtls_slice_is(record->mx[1].cname, "target.example"));
	assert_int_equal(record->mx[1].tlsa, RTLS_TLSA_UNKNOWN);
}

static const struct tlsa_row {
	const char *proves;
	enum rtls_dnssec v4, v6;
	enum rtls_dns_outcome outcome;
	enum rtls_dnssec dnssec;
	const char *text;
	enum rtls_dnssec address;
	enum rtls_tlsa_state tlsa;
	size_t kept;
} tlsa_rows[] = {
	{ "D6 none: secure denial", RTLS_DNSSEC_SECURE, RTLS_DNSSEC_SECURE,
		RTLS_DNS_NXDOMAIN, RTLS_DNSSEC_SECURE, NULL, RTLS_DNSSEC_SECURE,
		RTLS_TLSA_NONE, 0 },
	{ "D6 insecure records are none", RTLS_DNSSEC_SECURE,
		RTLS_DNSSEC_SECURE, RTLS_DNS_FOUND, RTLS_DNSSEC_INSECURE,
		"3 1 1 " HEX64, RTLS_DNSSEC_SECURE, RTLS_TLSA_NONE, 0 },
	{ "D6 all unusable", RTLS_DNSSEC_SECURE, RTLS_DNSSEC_SECURE,
		RTLS_DNS_FOUND, RTLS_DNSSEC_SECURE, "1 1 1 " HEX64,
		RTLS_DNSSEC_SECURE, RTLS_TLSA_UNUSABLE, 1 },
	{ "D6 what cannot be written down is unusable too", RTLS_DNSSEC_SECURE,
		RTLS_DNSSEC_SECURE, RTLS_DNS_FOUND, RTLS_DNSSEC_SECURE,
		"3 1 1 ", RTLS_DNSSEC_SECURE, RTLS_TLSA_UNUSABLE, 0 },
	{ "D4 TLSA lookup failed", RTLS_DNSSEC_SECURE, RTLS_DNSSEC_SECURE,
		RTLS_DNS_FAILED, RTLS_DNSSEC_UNKNOWN, NULL, RTLS_DNSSEC_SECURE,
		RTLS_TLSA_FAILED, 0 },
	{ "D4 TLSA bogus", RTLS_DNSSEC_SECURE, RTLS_DNSSEC_SECURE,
		RTLS_DNS_FAILED, RTLS_DNSSEC_BOGUS, NULL, RTLS_DNSSEC_SECURE,
		RTLS_TLSA_BOGUS, 0 },
	{ "D2 a bogus address is unreachable, not insecure", RTLS_DNSSEC_BOGUS,
		RTLS_DNSSEC_SECURE, RTLS_DNS_FOUND, RTLS_DNSSEC_SECURE,
		"3 1 1 " HEX64, RTLS_DNSSEC_BOGUS, RTLS_TLSA_FAILED, 0 },
	{ "D2 also beside an insecure one", RTLS_DNSSEC_INSECURE,
		RTLS_DNSSEC_BOGUS, RTLS_DNS_FOUND, RTLS_DNSSEC_SECURE,
		"3 1 1 " HEX64, RTLS_DNSSEC_BOGUS, RTLS_TLSA_FAILED, 0 },
	{ "one insecure family makes the host insecure", RTLS_DNSSEC_SECURE,
		RTLS_DNSSEC_INSECURE, RTLS_DNS_FOUND, RTLS_DNSSEC_SECURE,
		"3 1 1 " HEX64, RTLS_DNSSEC_INSECURE, RTLS_TLSA_UNKNOWN, 0 },
	{ "one family that failed does not", RTLS_DNSSEC_SECURE,
		RTLS_DNSSEC_UNKNOWN, RTLS_DNS_FOUND, RTLS_DNSSEC_SECURE,
		"3 1 1 " HEX64, RTLS_DNSSEC_SECURE, RTLS_TLSA_SECURE, 1 },
	{ "D4 both failed: unreachable", RTLS_DNSSEC_UNKNOWN,
		RTLS_DNSSEC_UNKNOWN, RTLS_DNS_FOUND, RTLS_DNSSEC_SECURE,
		"3 1 1 " HEX64, RTLS_DNSSEC_UNKNOWN, RTLS_TLSA_FAILED, 0 },
};

static void judges_tlsa(void **state)
{
	const struct tlsa_row *row = *state;

	assert_int_equal(start(NULL), 0);
	secure_mx("10 a.example", NULL);
	addresses("a.example", row->v4, row->v6);
	answer("_25._tcp.a.example", RTLS_DNS_TLSA, row->outcome, row->dnssec)
		->records[0] = row->text;
	resolve();
	assert_int_equal(record->mx[0].address, row->address);
	assert_int_equal(record->mx[0].tlsa, row->tlsa);
	assert_int_equal(record->tlsa_count, row->kept);
	if (rtls_record_lookup_failed(&record->mx[0]))
		assert_int_equal(record->mx_until_s, now_s + 60);
	assert_int_equal(stop(NULL), 0);
}

static void tlsa_limits_the_lifetime(void **state)
{
	(void)state;
	secure_mx("10 a.example", NULL);
	addresses("a.example", RTLS_DNSSEC_SECURE, RTLS_DNSSEC_SECURE);
	found("_25._tcp.a.example", RTLS_DNS_TLSA, RTLS_DNSSEC_SECURE,
		"3 1 1 " HEX64)
		->ttl_s = 33;
	resolve();
	assert_int_equal(record->mx_until_s, now_s + 33);
}

static void a_tlsa_denial_lives_for_an_hour(void **state)
{
	(void)state;
	secure_mx("10 a.example", NULL);
	answers[0].ttl_s = 86400;
	addresses("a.example", RTLS_DNSSEC_SECURE, RTLS_DNSSEC_SECURE);
	answer("_25._tcp.a.example", RTLS_DNS_TLSA, RTLS_DNS_NODATA,
		RTLS_DNSSEC_SECURE)
		->ttl_s = 86400;
	resolve();
	assert_int_equal(record->mx_until_s, now_s + 3600);
	answers[answer_count - 1].outcome = RTLS_DNS_FOUND;
	answers[answer_count - 1].records[0] = "3 1 1 " HEX64;
	later(3601);
	resolve();
	assert_int_equal(record->mx_until_s, now_s + 86400);
}

static void large_tlsa_sets_fit(void **state)
{
	static char text[1200];
	struct answer *tlsa;

	(void)state;
	secure_mx("10 a.example", NULL);
	addresses("a.example", RTLS_DNSSEC_SECURE, RTLS_DNSSEC_SECURE);
	(void)snprintf(text, sizeof(text), "3 0 0 ");
	memset(text + 6, 'a', 1094);
	tlsa = found(
		"_25._tcp.a.example", RTLS_DNS_TLSA, RTLS_DNSSEC_SECURE, text);
	for (size_t i = 0; i < 78; i++)
		tlsa->records[i] = text;
	resolve();
	assert_int_equal(record->mx[0].tlsa, RTLS_TLSA_SECURE);
	assert_in_range(record->tlsa_count, 20, RTLS_TLSA_MAX);
	/* One too large for a record makes the host secure all the same. */
	memset(text + 6, 'a', 1100);
	later(601);
	resolve();
	assert_int_equal(record->mx[0].tlsa, RTLS_TLSA_SECURE);
	assert_int_equal(record->tlsa_count, 0);
}

/* --- TXT -------------------------------------------------------------------- */

static void simple_mx(void)
{
	found(DOMAIN, RTLS_DNS_MX, RTLS_DNSSEC_INSECURE, "10 a.example");
}

static struct answer *sts_txt(const char *text)
{
	return found(TXT, RTLS_DNS_TXT, RTLS_DNSSEC_INSECURE, text);
}

static const struct txt_row {
	const char *proves;
	enum rtls_dns_outcome outcome;
	uint32_t ttl_s;
	const char *records[3];
	enum rtls_txt_state txt;
	int64_t until_s; /* from now */
} txt_rows[] = {
	{ "A1.5 one record", RTLS_DNS_FOUND, 600, { "v=STSv1; id=1;" },
		RTLS_TXT_VALID, 600 },
	{ "A1.4 others beside it", RTLS_DNS_FOUND, 600,
		{ "v=spf1 -all", "v=STSv1; id=1;" }, RTLS_TXT_VALID, 600 },
	{ "A1.5 two records", RTLS_DNS_FOUND, 600,
		{ "v=STSv1; id=1;", "v=STSv1; id=2;" }, RTLS_TXT_INVALID, 600 },
	{ "A1.5 a malformed record", RTLS_DNS_FOUND, 600, { "v=STSv1; id=-" },
		RTLS_TXT_INVALID, 600 },
	{ "case 1: some other text", RTLS_DNS_FOUND, 600, { "inbound" },
		RTLS_TXT_NONE, 600 },
	{ "NODATA is no record", RTLS_DNS_NODATA, 600, { NULL }, RTLS_TXT_NONE,
		600 },
	{ "NXDOMAIN is no record, for an hour at most", RTLS_DNS_NXDOMAIN,
		86400, { NULL }, RTLS_TXT_NONE, 3600 },
	{ "A1.14 a failure is not \"no record\"", RTLS_DNS_FAILED, 0, { NULL },
		RTLS_TXT_FAILED, 300 },
};

static void judges_txt(void **state)
{
	const struct txt_row *row = *state;
	struct answer *txt;

	assert_int_equal(start(NULL), 0);
	simple_mx();
	txt = answer(TXT, RTLS_DNS_TXT, row->outcome, RTLS_DNSSEC_INSECURE);
	txt->ttl_s = row->ttl_s;
	for (size_t i = 0; i < 3; i++)
		txt->records[i] = row->records[i];
	resolve();
	assert_int_equal(record->txt, row->txt);
	assert_int_equal(record->txt_until_s, now_s + row->until_s);
	assert_int_equal(fetched, row->txt == RTLS_TXT_VALID ? 1 : 0);
	assert_int_equal(stop(NULL), 0);
}

/* A4.4: what the parent publishes is nobody else's. */
static void the_parent_is_not_asked(void **state)
{
	(void)state;
	simple_mx();
	found("_mta-sts.example", RTLS_DNS_TXT, RTLS_DNSSEC_SECURE,
		"v=STSv1; id=1;");
	resolve();
	assert_int_equal(record->txt, RTLS_TXT_NONE);
	/* MX, TXT, and the two addresses of the host. */
	assert_int_equal(dns_asked, 4);
	assert_int_equal(fetched, 0);
}

static void mta_sts_off_asks_nothing(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	config.mta_sts = false;
	resolve();
	assert_int_equal(dns_asked, 3);
	assert_int_equal(fetched, 0);
	assert_int_equal(record->txt, RTLS_TXT_UNKNOWN);
	/* Fresh as long as the MX is: no program start per message. */
	assert_true(rtls_record_is_fresh(record, now_s + 599));
	assert_int_equal(resolve_with(false, true), RTLS_OK);
	assert_int_equal(fetched, 0);
}

/* --- policy ----------------------------------------------------------------- */

static void fetches_a_policy_once(void **state)
{
	char digest[RTLS_DIGEST_SIZE], kept[RTLS_STS_POLICY_SIZE_MAX + 1];
	struct rtls_slice text;

	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=20261101;");
	resolve();
	assert_int_equal(fetched, 1);
	assert_int_equal(record->fetch, RTLS_FETCH_OK);
	assert_true(rtls_slice_is(record->policy_id, "20261101"));
	assert_true(rtls_slice_is(record->policy_text, ENFORCE));
	assert_int_equal(record->policy_fetched_s, now_s);
	assert_int_equal(record->policy_until_s, now_s + 86400);
	assert_int_equal(
		rtls_policies_digest(rtls_slice(ENFORCE), digest), RTLS_OK);
	assert_true(rtls_slice_is(record->policy_digest, digest));
	assert_int_equal(rtls_policies_get(spool_dir, rtls_slice(digest), kept,
				 &text, NULL),
		RTLS_OK);
	assert_int_equal(record->note_count, 0);
	/* Fresh: nobody is asked. */
	resolve();
	assert_int_equal(dns_asked, 0);
	assert_int_equal(fetched, 0);
	/* Stale, but the id is the same: DNS only, and its clock runs on. */
	later(601);
	resolve();
	assert_int_equal(dns_asked, 4);
	assert_int_equal(fetched, 0);
	assert_int_equal(record->policy_fetched_s, now_s - 601);
}

static void a_new_id_fetches(void **state)
{
	struct answer *txt;

	(void)state;
	simple_mx();
	txt = sts_txt("v=STSv1; id=1;");
	resolve();
	txt->records[0] = "v=STSv1; id=2;";
	fetches(RTLS_RESULT_SUCCESS, TESTING);
	later(601);
	resolve();
	assert_int_equal(fetched, 1);
	assert_true(rtls_slice_is(record->policy_id, "2"));
	assert_true(rtls_slice_is(record->policy_text, TESTING));
	assert_true(has_note("got weaker: testing, was enforce"));
	/* Stronger is not worth a word. */
	txt->records[0] = "v=STSv1; id=3;";
	fetches(RTLS_RESULT_SUCCESS, ENFORCE);
	later(601);
	resolve();
	assert_int_equal(fetched, 1);
	assert_int_equal(record->note_count, 0);
	/* Nor is more of the same. */
	txt->records[0] = "v=STSv1; id=4;";
	later(601);
	resolve();
	assert_int_equal(fetched, 1);
	assert_int_equal(record->note_count, 0);
}

static void none_replaces_enforce(void **state)
{
	struct answer *txt;

	(void)state;
	simple_mx();
	txt = sts_txt("v=STSv1; id=1;");
	resolve();
	txt->records[0] = "v=STSv1; id=2;";
	fetches(RTLS_RESULT_SUCCESS, NONE_POLICY);
	later(601);
	resolve();
	assert_true(rtls_slice_is(record->policy_text, NONE_POLICY));
	assert_true(has_note("got weaker: none, was enforce"));
}

/* A policy that is soon over protects the domain for no longer than that. */
static void a_shorter_max_age_is_said(void **state)
{
	static const struct {
		const char *max_age;
		bool said;
	} rows[] = {
		{ "86400", false },
		{ "43200", false },
		{ "21599", true },
		{ "0", true },
		{ "604800", false },
	};
	char text[128];
	struct answer *txt;

	(void)state;
	simple_mx();
	txt = sts_txt("v=STSv1; id=1;");
	resolve();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		txt->records[0] =
			i % 2 == 0 ? "v=STSv1; id=2;" : "v=STSv1; id=3;";
		(void)snprintf(text, sizeof(text),
			"version: STSv1\nmode: enforce\nmx: a.example\n"
			"max_age: %s\n",
			rows[i].max_age);
		fetches(RTLS_RESULT_SUCCESS, text);
		later(601);
		/* One of max_age 0 is used and not kept. */
		assert_int_equal(resolve_with(false, false), RTLS_OK);
		assert_int_equal(fetched, 1);
		assert_int_equal(has_note("possible downgrade: MTA-STS policy "
					  "of d.example got weaker: max_age "),
			rows[i].said);
	}
	/* None protected nothing. */
	for (size_t i = 0; i < 2; i++) {
		txt->records[0] = i == 0 ? "v=STSv1; id=4;" : "v=STSv1; id=5;";
		fetches(RTLS_RESULT_SUCCESS,
			i == 0 ? NONE_POLICY
			       : "version: STSv1\nmode: enforce\n"
				 "mx: a.example\nmax_age: 700\n");
		later(601);
		assert_int_equal(resolve_with(false, false), RTLS_OK);
	}
	assert_int_equal(record->note_count, 0);
}

static void an_expired_policy_is_fetched_again(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	resolve();
	later(86401);
	fetches(RTLS_RESULT_STS_POLICY_FETCH_ERROR, "http status 404");
	resolve();
	assert_int_equal(fetched, 1);
	/* A5.2: nothing is left of it. */
	assert_int_equal(record->policy_text.size, 0);
	assert_int_equal(record->fetch, RTLS_FETCH_FAILED);
}

static void refresh_fetches_without_txt(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	resolve();
	answer_count = 0;
	simple_mx();
	later(100);
	assert_int_equal(resolve_with(false, true), RTLS_OK);
	assert_int_equal(fetched, 1);
	/* A5.5: the id it had, but a new clock. */
	assert_int_equal(record->txt, RTLS_TXT_NONE);
	assert_true(rtls_slice_is(record->policy_id, "1"));
	assert_int_equal(record->policy_fetched_s, now_s);
	assert_int_equal(record->policy_until_s, now_s + 86400);
}

/* --- use, and ids that come and go ------------------------------------------ */

static void says_when_it_was_used(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	resolve();
	assert_int_equal(record->used_s, now_s);
	later(601);
	resolve();
	assert_int_equal(record->used_s, now_s);
}

/* A2.11: five minutes for each id, also when they change back and forth. */
static void ids_that_alternate_buy_no_fetch(void **state)
{
	struct answer *txt;

	(void)state;
	simple_mx();
	txt = sts_txt("v=STSv1; id=1;");
	txt->ttl_s = 10;
	fetches(RTLS_RESULT_STS_POLICY_FETCH_ERROR, "http status 404");
	resolve();
	assert_int_equal(fetched, 1);
	txt->records[0] = "v=STSv1; id=2;";
	later(11);
	resolve();
	assert_int_equal(fetched, 1);
	assert_int_equal(record->earlier_count, 1);
	assert_true(rtls_slice_is(record->earlier[0].id, "1"));
	txt->records[0] = "v=STSv1; id=1;";
	later(11);
	resolve();
	assert_int_equal(fetched, 0);
	/* Five minutes after its own failure. */
	later(300 - 22);
	resolve();
	assert_int_equal(fetched, 1);
	assert_int_equal(record->earlier_count, 1);
	assert_true(rtls_slice_is(record->earlier[0].id, "2"));
	/* One that works is another matter. */
	txt->records[0] = "v=STSv1; id=3;";
	fetches(RTLS_RESULT_SUCCESS, ENFORCE);
	later(11);
	resolve();
	assert_int_equal(fetched, 1);
	assert_int_equal(record->fetch, RTLS_FETCH_OK);
	txt->records[0] = "v=STSv1; id=1;";
	later(11);
	resolve();
	assert_int_equal(fetched, 0);
	assert_true(rtls_slice_is(record->policy_id, "3"));
	later(301);
	resolve();
	assert_int_equal(fetched, 1);
	assert_int_equal(record->earlier_count, 0);
}

static void a_domain_cannot_fill_the_record_with_ids(void **state)
{
	static const char *const texts[] = { "v=STSv1; id=1;", "v=STSv1; id=2;",
		"v=STSv1; id=3;", "v=STSv1; id=4;", "v=STSv1; id=5;",
		"v=STSv1; id=6;", "v=STSv1; id=7;" };
	struct answer *txt;

	(void)state;
	simple_mx();
	txt = sts_txt(texts[0]);
	txt->ttl_s = 10;
	fetches(RTLS_RESULT_STS_POLICY_FETCH_ERROR, "http status 404");
	for (size_t i = 0; i < 7; i++) {
		txt->records[0] = texts[i];
		resolve();
		assert_int_equal(fetched, i <= RTLS_EARLIER_MAX);
		later(11);
	}
	later(300);
	resolve();
	assert_int_equal(fetched, 1);
}

/* Another domain in the same directory of the cache. */
static void put_neighbour(char path[RTLS_CACHE_PATH_MAX])
{
	char directory[RTLS_CACHE_PATH_MAX], domain[64];
	struct rtls_record other = { .mx_until_s = now_s };

	assert_int_equal(
		rtls_cache_path(spool_dir, DOMAIN, directory), RTLS_OK);
	*(strrchr(directory, '/') + 1) = '\0';
	path[0] = '\0';
	for (unsigned i = 0; strncmp(path, directory, strlen(directory)) != 0;
		i++) {
		(void)snprintf(domain, sizeof(domain), "n%u.example", i);
		assert_int_equal(
			rtls_cache_path(spool_dir, domain, path), RTLS_OK);
	}
	other.domain = rtls_slice(domain);
	assert_int_equal(rtls_cache_put(spool_dir, &other, NULL), RTLS_OK);
	assert_int_equal(access(path, F_OK), 0);
}

static void a_new_domain_makes_room(void **state)
{
	char path[RTLS_CACHE_PATH_MAX];

	(void)state;
	config.cache_max = 1;
	simple_mx();
	put_neighbour(path);
	resolve();
	assert_int_not_equal(access(path, F_OK), 0);
	/* A record that is there already needs no room. */
	put_neighbour(path);
	later(601);
	resolve();
	assert_int_equal(access(path, F_OK), 0);
}

/* --- in the background ------------------------------------------------------ */

static struct rtls_dns_query background_txt;

/* What refresh.c does once DNS and the policy host have answered. */
static enum rtls_status refreshed(
	int64_t started_s, enum rtls_result failure, const char *text)
{
	struct rtls_refreshed got = { .domain = DOMAIN,
		.started_s = started_s,
		.now_s = now_s,
		.txt = &background_txt,
		.fetched = { .failure = failure } };
	struct rtls_err err = { "" };
	enum rtls_status status;

	forget();
	(void)snprintf(background_txt.name, sizeof(background_txt.name), TXT);
	background_txt.type = RTLS_DNS_TXT;
	assert_int_equal(rtls_dns_run((struct rtls_dns *)&dns_opened,
				 &background_txt, 1, NULL),
		RTLS_OK);
	if (failure == RTLS_RESULT_SUCCESS)
		got.fetched.body = rtls_slice(text);
	else
		(void)snprintf(got.fetched.reason, sizeof(got.fetched.reason),
			"%s", text);
	status = rtls_resolve_refreshed(&config, &got, &resolved, &err);
	rtls_dns_query_free(&background_txt);
	if (status == RTLS_OK)
		record = rtls_resolved_record(resolved);
	else
		assert_null(resolved);
	return status;
}

static void refresh_renews_the_policy_alone(void **state)
{
	int64_t used_s, mx_until_s;

	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	resolve();
	used_s = record->used_s;
	mx_until_s = record->mx_until_s;
	answer_count = 0; /* A5.5: whatever the TXT record says */
	later(4000);
	assert_int_equal(
		refreshed(now_s, RTLS_RESULT_SUCCESS, TESTING), RTLS_OK);
	assert_int_equal(record->policy_fetched_s, now_s);
	assert_int_equal(record->policy_until_s, now_s + 86400);
	assert_true(rtls_slice_is(record->policy_text, TESTING));
	assert_true(rtls_slice_is(record->policy_id, "1"));
	assert_int_equal(record->txt, RTLS_TXT_NONE);
	/* Nobody sent mail, and nobody asked for the MX. */
	assert_int_equal(record->used_s, used_s);
	assert_int_equal(record->mx_until_s, mx_until_s);
	check_host(0, "a.example", 10);
	assert_true(has_note("got weaker: testing, was enforce"));
	assert_true(has_note(
		"possible downgrade: MTA-STS record of d.example is gone"));
}

static void refresh_that_fails_weakens_nothing(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	resolve();
	later(4000);
	assert_int_equal(refreshed(now_s, RTLS_RESULT_STS_POLICY_FETCH_ERROR,
				 "http status 404"),
		RTLS_OK);
	assert_true(rtls_slice_is(record->policy_text, ENFORCE));
	assert_int_equal(record->policy_fetched_s, now_s - 4000);
	assert_int_equal(record->fetch, RTLS_FETCH_FAILED);
	assert_int_equal(record->fetch_retry_s, now_s + 300);
	assert_true(has_note("the cached one (enforce) stays in force"));
	assert_int_equal(
		refreshed(now_s, RTLS_RESULT_SUCCESS, "rubbish"), RTLS_OK);
	assert_true(rtls_slice_is(record->policy_text, ENFORCE));
	assert_true(
		rtls_slice_starts(record->fetch_error, "sts-policy-invalid "));
}

static void refresh_gives_way(void **state)
{
	static char buffer[RTLS_RECORD_SIZE_MAX + 1];
	struct rtls_record cached;
	int64_t started_s;
	int fd;

	(void)state;
	/* Removed meanwhile. */
	assert_int_equal(
		refreshed(now_s, RTLS_RESULT_SUCCESS, ENFORCE), RTLS_NONE);
	assert_int_equal(
		rtls_cache_get(spool_dir, DOMAIN, buffer, &cached, NULL),
		RTLS_NONE);
	/* A delivery has fetched meanwhile. */
	started_s = now_s;
	later(1);
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	resolve();
	assert_int_equal(
		refreshed(started_s, RTLS_RESULT_SUCCESS, TESTING), RTLS_NONE);
	/* A delivery is at it. */
	later(4000);
	assert_int_equal(
		rtls_lock_take(spool_dir, DOMAIN, 0, &fd, NULL), RTLS_OK);
	assert_int_equal(
		refreshed(now_s, RTLS_RESULT_SUCCESS, TESTING), RTLS_NONE);
	rtls_lock_release(fd);
	assert_int_equal(
		refreshed(now_s, RTLS_RESULT_SUCCESS, TESTING), RTLS_OK);
}

static void max_age_0_is_for_now(void **state)
{
	static char buffer[RTLS_RECORD_SIZE_MAX + 1];
	struct rtls_record cached;

	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	fetches(RTLS_RESULT_SUCCESS,
		"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 0\n");
	assert_int_equal(resolve_with(false, false), RTLS_OK);
	assert_true(rtls_record_has_policy(record, now_s + 30));
	assert_int_equal(
		rtls_cache_get(spool_dir, DOMAIN, buffer, &cached, NULL),
		RTLS_OK);
	assert_int_equal(cached.policy_text.size, 0);
	assert_int_equal(cached.txt, RTLS_TXT_VALID);
	assert_int_equal(cached.fetch, RTLS_FETCH_OK);
	/* The next one asks again. */
	assert_int_equal(resolve_with(false, false), RTLS_OK);
	assert_int_equal(fetched, 1);
}

static void long_max_age_is_cut_and_said(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	fetches(RTLS_RESULT_SUCCESS,
		"version: STSv1\nmode: enforce\nmx: a.example\n"
		"max_age: 9999999999\n");
	resolve();
	assert_int_equal(record->policy_until_s, now_s + RTLS_STS_MAX_AGE_MAX);
	assert_true(has_note("max_age cut to 31557600"));
}

/* --- failures --------------------------------------------------------------- */

static struct rtls_session_result journal_line;
static char journal_texts[4][256];
static unsigned journal_lines;

static bool keep_line(
	const struct rtls_session_result *result, UNUSED void *context)
{
	journal_lines++;
	journal_line = *result;
	(void)rtls_slice_copy(result->policy_domain, journal_texts[0], 256);
	(void)rtls_slice_copy(result->digest, journal_texts[1], 256);
	(void)rtls_slice_copy(result->reason, journal_texts[2], 256);
	return true;
}

static unsigned journal(void)
{
	char date[RTLS_DATE_SIZE];
	size_t skipped = 0;
	enum rtls_status status;

	journal_lines = 0;
	status = rtls_journal_each(spool_dir, rtls_date_format(date, now_s),
		keep_line, NULL, &skipped, NULL);
	assert_true(status == RTLS_OK || status == RTLS_NONE);
	assert_int_equal(skipped, 0);
	return journal_lines;
}

/* Killed in its fetch: the next one neither waits for it nor fetches again. */
static void killed_backs_off(void **state)
{
	pid_t pid;

	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	fetches(RTLS_RESULT_SUCCESS, ENFORCE);
	is_killed = true;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		resolve();
		_exit(1);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	is_killed = false;
	later(1);
	resolve();
	assert_int_equal(fetched, 0);
	assert_int_equal(record->fetch, RTLS_FETCH_FAILED);
	assert_true(rtls_slice_is(
		record->fetch_error, "sts-policy-fetch-error not finished"));
	later(300);
	resolve();
	assert_int_equal(fetched, 1);
	assert_int_equal(record->fetch, RTLS_FETCH_OK);
}

static void resolve_with_full_disk(const char *policy)
{
	fetches(RTLS_RESULT_SUCCESS, policy);
	is_disk_filled = true;
	assert_int_equal(resolve_with(false, false), RTLS_OK);
	limit_files(RLIM_INFINITY);
	is_disk_filled = false;
	assert_int_equal(fetched, 1);
	assert_true(rtls_slice_is(record->policy_text, policy));
	assert_true(has_note("not written"));
}

/* A policy that came but could not be kept is no fetch that was cut off: the next
 * message finds out by itself that there is one. */
static void a_policy_not_kept_is_fetched_again(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	resolve_with_full_disk(ENFORCE);
	later(1);
	resolve();
	assert_int_equal(fetched, 1);
	assert_true(rtls_slice_is(record->policy_text, ENFORCE));
}

/* The older one is not lost over that. */
static void a_policy_not_kept_leaves_the_older_one(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	resolve();
	sts_txt("v=STSv1; id=2;");
	later(601);
	resolve_with_full_disk(TESTING);
	later(1);
	resolve();
	assert_int_equal(fetched, 0);
	assert_true(rtls_slice_is(record->policy_text, ENFORCE));
}

static void failure_backs_off(void **state)
{
	struct answer *txt;

	(void)state;
	simple_mx();
	txt = sts_txt("v=STSv1; id=1;");
	txt->ttl_s = 60;
	fetches(RTLS_RESULT_STS_WEBPKI_INVALID,
		"certificate expired 2026-11-01");
	resolve();
	assert_int_equal(fetched, 1);
	assert_true(seen_meanwhile);
	assert_int_equal(record->fetch, RTLS_FETCH_FAILED);
	assert_int_equal(record->fetch_retry_s, now_s + 300);
	assert_true(rtls_slice_is(record->fetch_error,
		"sts-webpki-invalid certificate expired 2026-11-01"));
	assert_int_equal(record->note_count, 0);
	/* A2.11: not again for this id within five minutes */
	later(299);
	resolve();
	assert_int_equal(dns_asked, 4);
	assert_int_equal(fetched, 0);
	assert_int_equal(record->fetch, RTLS_FETCH_FAILED);
	/* but for another */
	txt->records[0] = "v=STSv1; id=2;";
	later(61);
	resolve();
	assert_int_equal(fetched, 1);
	/* and after five minutes. */
	later(301);
	resolve();
	assert_int_equal(fetched, 1);
}

static void failure_keeps_the_policy(void **state)
{
	struct answer *txt;

	(void)state;
	simple_mx();
	txt = sts_txt("v=STSv1; id=1;");
	resolve();
	txt->records[0] = "v=STSv1; id=2;";
	fetches(RTLS_RESULT_STS_POLICY_FETCH_ERROR, "http status 500");
	later(601);
	resolve();
	assert_int_equal(fetched, 1);
	assert_true(rtls_slice_is(record->policy_id, "1"));
	assert_true(rtls_slice_is(record->policy_text, ENFORCE));
	assert_true(rtls_slice_is(record->fetch_id, "2"));
	assert_true(has_note("not fetched (sts-policy-fetch-error http status "
			     "500); the cached one (enforce) stays in force"));
	/* It is what the report is about. */
	assert_int_equal(journal(), 1);
	assert_int_equal(journal_line.type, RTLS_POLICY_STS);
	assert_int_equal(
		journal_line.result, RTLS_RESULT_STS_POLICY_FETCH_ERROR);
	assert_string_equal(journal_texts[0], DOMAIN);
	assert_int_equal(strlen(journal_texts[1]), RTLS_DIGEST_SIZE - 1);
	assert_string_equal(journal_texts[2], "http status 500");
}

static void an_invalid_body_keeps_the_policy(void **state)
{
	char digest[RTLS_DIGEST_SIZE];
	struct answer *txt;

	(void)state;
	simple_mx();
	txt = sts_txt("v=STSv1; id=1;");
	resolve();
	txt->records[0] = "v=STSv1; id=2;";
	fetches(RTLS_RESULT_SUCCESS, "version: STSv1\nmode: on\n");
	later(601);
	resolve();
	assert_true(rtls_slice_is(record->policy_text, ENFORCE));
	assert_int_equal(record->fetch, RTLS_FETCH_FAILED);
	assert_true(rtls_slice_starts(
		record->fetch_error, "sts-policy-invalid line "));
	assert_int_equal(journal(), 1);
	assert_int_equal(journal_line.result, RTLS_RESULT_STS_POLICY_INVALID);
	assert_int_equal(
		rtls_policies_digest(
			rtls_slice("version: STSv1\nmode: on\n"), digest),
		RTLS_OK);
	assert_string_equal(journal_texts[1], digest);
}

static void an_unquoted_reason_does_no_harm(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	fetches(RTLS_RESULT_STS_POLICY_FETCH_ERROR, "bad\n\x80\x1b[31m ");
	resolve();
	assert_true(rtls_slice_is(
		record->fetch_error, "sts-policy-fetch-error bad???[31m"));
}

static void a_first_failure_is_reported(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	fetches(RTLS_RESULT_STS_WEBPKI_INVALID, "certificate self-signed");
	resolve();
	assert_int_equal(journal(), 1);
	assert_int_equal(journal_line.result, RTLS_RESULT_STS_WEBPKI_INVALID);
	assert_string_equal(journal_texts[1], "");
}

static void reports_are_off_by_default(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	fetches(RTLS_RESULT_STS_WEBPKI_INVALID, "certificate self-signed");
	config.tlsrpt = false;
	resolve();
	assert_int_equal(journal(), 0);
}

static void nothing_is_said_of_mode_none(void **state)
{
	struct answer *txt;

	(void)state;
	simple_mx();
	txt = sts_txt("v=STSv1; id=1;");
	fetches(RTLS_RESULT_SUCCESS, NONE_POLICY);
	resolve();
	txt->records[0] = "v=STSv1; id=2;";
	fetches(RTLS_RESULT_STS_POLICY_FETCH_ERROR, "http status 500");
	later(601);
	resolve();
	assert_int_equal(fetched, 1);
	assert_int_equal(record->note_count, 0);
	assert_int_equal(journal(), 0);
}

/* RFC 8460 section 4.3.2.2: libcurl cannot say whether the policy host has no address, or our
 * system's resolver had no answer. */
static void an_unresolved_policy_host_is_reported_when_missing(void **state)
{
	static const struct {
		enum rtls_dns_outcome v4, v6;
		size_t lines;
	} cases[] = {
		{ RTLS_DNS_NXDOMAIN, RTLS_DNS_NXDOMAIN, 1 },
		{ RTLS_DNS_NODATA, RTLS_DNS_NODATA, 1 },
		{ RTLS_DNS_FAILED, RTLS_DNS_FAILED, 0 },
		{ RTLS_DNS_NODATA, RTLS_DNS_FAILED, 0 },
		{ RTLS_DNS_FOUND, RTLS_DNS_NODATA, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(stop(NULL), 0);
		assert_int_equal(start(NULL), 0);
		simple_mx();
		sts_txt("v=STSv1; id=1;");
		answer("mta-sts." DOMAIN, RTLS_DNS_A, cases[i].v4,
			RTLS_DNSSEC_INSECURE);
		answer("mta-sts." DOMAIN, RTLS_DNS_AAAA, cases[i].v6,
			RTLS_DNSSEC_INSECURE);
		fetches(RTLS_RESULT_STS_POLICY_FETCH_ERROR,
			"could not resolve");
		resolve();
		assert_int_equal(journal(), cases[i].lines);
		assert_int_equal(record->fetch, RTLS_FETCH_FAILED);
	}
}

static void refresh_without_anything_is_not_reported(void **state)
{
	(void)state;
	simple_mx();
	fetches(RTLS_RESULT_STS_POLICY_FETCH_ERROR, "could not resolve");
	assert_int_equal(resolve_with(false, true), RTLS_OK);
	assert_int_equal(fetched, 1);
	assert_int_equal(journal(), 0);
	assert_int_equal(record->note_count, 0);
}

static void a_vanished_record_is_said_once(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	resolve();
	answer_count = 0;
	simple_mx();
	later(601);
	resolve();
	assert_int_equal(record->txt, RTLS_TXT_NONE);
	assert_true(rtls_slice_is(record->policy_text, ENFORCE));
	assert_int_equal(record->note_count, 1);
	assert_true(has_note("is gone; its cached policy (enforce) stays"));
	later(601);
	resolve();
	assert_int_equal(record->note_count, 0);
}

static void a_failed_txt_keeps_the_policy(void **state)
{
	struct answer *txt;

	(void)state;
	simple_mx();
	txt = sts_txt("v=STSv1; id=1;");
	resolve();
	txt->outcome = RTLS_DNS_FAILED;
	later(100);
	assert_int_equal(resolve_with(true, false), RTLS_OK);
	assert_int_equal(record->txt, RTLS_TXT_VALID);
	assert_int_equal(record->txt_until_s, now_s + 500);
	later(501);
	resolve();
	assert_int_equal(record->txt, RTLS_TXT_FAILED);
	assert_int_equal(record->txt_until_s, now_s + 300);
	assert_true(rtls_slice_is(record->policy_text, ENFORCE));
	assert_int_equal(fetched, 0);
	assert_int_equal(record->note_count, 0);
}

static void a_clock_that_jumped_is_no_immortality(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	later(10 * 86400);
	resolve();
	later(-10 * 86400);
	resolve();
	assert_int_equal(dns_asked, 4);
	assert_int_equal(fetched, 1);
	assert_int_equal(record->policy_fetched_s, now_s);
}

/* --- machinery -------------------------------------------------------------- */

static void no_resolver_is_temporary(void **state)
{
	(void)state;
	simple_mx();
	dns_open_status = RTLS_INVALID;
	assert_int_equal(resolve_with(false, false), RTLS_TEMPORARY);
	dns_open_status = RTLS_OK;
	dns_run_status = RTLS_NO_MEMORY;
	assert_int_equal(resolve_with(false, false), RTLS_TEMPORARY);
	assert_int_equal(count_entries(spool_dir), 2); /* and the lock */
}

static void all_failed_is_a_record(void **state)
{
	(void)state;
	answer(DOMAIN, RTLS_DNS_MX, RTLS_DNS_FAILED, RTLS_DNSSEC_UNKNOWN);
	answer(TXT, RTLS_DNS_TXT, RTLS_DNS_FAILED, RTLS_DNSSEC_UNKNOWN);
	resolve();
	assert_int_equal(record->mx_answer, RTLS_MX_FAILED);
	assert_int_equal(record->txt, RTLS_TXT_FAILED);
	assert_true(rtls_record_is_fresh(record, now_s + 59));
	assert_false(rtls_record_is_fresh(record, now_s + 60));
}

static void a_weak_resolver_is_said_once_a_day(void **state)
{
	(void)state;
	simple_mx();
	can_validate = false;
	resolve();
	assert_true(has_note("cannot do DNSSEC"));
	later(601);
	resolve();
	assert_int_equal(record->note_count, 0);
	later(86400);
	resolve();
	assert_true(has_note("cannot do DNSSEC"));
}

/* --- exemptions that ran out ------------------------------------------------------ */

#define DAY_S 86400

/* Name it in the configuration; false: nothing counts that another user owns. */
static bool write_exempt(const char *text)
{
	(void)snprintf(
		config.exempt, sizeof(config.exempt), "%s/exempt", base_dir);
	write_file(config.exempt, text, strlen(text));
	return geteuid() == 0;
}

/* The day that is so many days from the one of now_s. */
static const char *day(int days)
{
	static char dates[4][RTLS_DATE_SIZE];
	static unsigned next;

	return rtls_date_format(
		dates[next++ % 4], now_s + (int64_t)days * DAY_S);
}

static void an_exemption_that_ran_out_is_said_once_a_day(void **state)
{
	char text[512], words[512];

	(void)state;
	(void)snprintf(text, sizeof(text),
		"# x\n%s sts until=%s \"ticket 4711\"\n"
		"%s dnssec until=%s \"in force\"\n"
		"e.example sts until=%s \"another\"\n",
		DOMAIN, day(-1), DOMAIN, day(1), day(-1));
	if (!write_exempt(text))
		skip();
	simple_mx();
	resolve();
	(void)snprintf(words, sizeof(words),
		"the exemption of " DOMAIN
		" ran out on %s and has no effect, see line 2 of %s: ticket 4711",
		day(-1), config.exempt);
	assert_true(has_note(words));
	assert_int_equal(record->note_count, 1);
	later(601);
	resolve();
	assert_int_equal(record->note_count, 0);
	later(DAY_S);
	resolve();
	assert_true(has_note("ran out on"));
}

/* A nightly refresh must not keep it from Exim's log. */
static void an_exemption_is_said_to_exim_whoever_else_was_told(void **state)
{
	char text[256];

	(void)state;
	(void)snprintf(text, sizeof(text), "*.example sts until=%s \"x\"\n",
		day(-400));
	if (!write_exempt(text))
		skip();
	simple_mx();
	is_for_module = false;
	resolve();
	assert_true(has_note("the exemption of *.example ran out on"));
	later(601);
	resolve();
	assert_int_equal(record->note_count, 0);
	is_for_module = true;
	later(601);
	resolve();
	assert_true(has_note("the exemption of *.example ran out on"));
	later(601);
	resolve();
	assert_int_equal(record->note_count, 0);
}

static void an_exemption_has_its_last_day(void **state)
{
	char text[256];

	(void)state;
	now_s -= now_s % DAY_S; /* midnight */
	(void)snprintf(
		text, sizeof(text), DOMAIN " sts until=%s \"x\"\n", day(0));
	if (!write_exempt(text))
		skip();
	simple_mx();
	later(DAY_S - 1);
	resolve();
	assert_int_equal(record->note_count, 0);
	later(601);
	resolve();
	assert_true(has_note("ran out on"));
}

/* There is room for eight notes in a record: none is marked as said that was not. */
static void many_exemptions_that_ran_out_are_all_said(void **state)
{
	char text[2048], words[64];
	struct rtls_text out;
	unsigned said = 0;

	(void)state;
	rtls_text_init(&out, text, sizeof(text));
	for (unsigned i = 0; i < 2 * RTLS_NOTES_MAX; i++)
		rtls_text_printf(&out, "%s sts until=%s \"reason %u;\"\n",
			DOMAIN, day(-1), i);
	if (!write_exempt(text))
		skip();
	simple_mx();
	for (unsigned round = 0; round < 2; round++) {
		resolve();
		assert_int_equal(record->note_count, RTLS_NOTES_MAX);
		for (unsigned i = 0; i < 2 * RTLS_NOTES_MAX; i++) {
			(void)snprintf(words, sizeof(words), "reason %u;", i);
			said += has_note(words);
		}
		later(601);
	}
	assert_int_equal(said, 2 * RTLS_NOTES_MAX);
	resolve();
	assert_int_equal(record->note_count, 0);
}

/* Routing says so, and waits; the lookup goes on. */
static void exemptions_that_cannot_be_read_stop_no_lookup(void **state)
{
	(void)state;
	(void)write_exempt("rubbish\n");
	simple_mx();
	resolve();
	assert_int_equal(record->note_count, 0);
	(void)snprintf(config.exempt, sizeof(config.exempt), "/not/there");
	later(601);
	resolve();
	assert_int_equal(record->note_count, 0);
}

static void works_without_a_spool(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	(void)snprintf(
		config.spool, sizeof(config.spool), "%s/not/there", base_dir);
	assert_int_equal(resolve_with(false, false), RTLS_OK);
	assert_true(rtls_slice_is(record->policy_text, ENFORCE));
	assert_int_equal(record->policy_digest.size, RTLS_DIGEST_SIZE - 1);
	assert_true(has_note("not written"));
	assert_int_equal(rmdir(in_spool("")), 0);
	assert_int_equal(mkdir(spool_dir, 0750), 0);
}

static void a_damaged_record_is_a_miss(void **state)
{
	char path[RTLS_CACHE_PATH_MAX];

	(void)state;
	simple_mx();
	resolve();
	assert_int_equal(rtls_cache_path(spool_dir, DOMAIN, path), RTLS_OK);
	write_file(path, "requiretls-record 1\nrubbish\n", 28);
	resolve();
	assert_int_equal(dns_asked, 4);
	assert_true(has_note("cache record of " DOMAIN));
	later(601);
	resolve();
	assert_int_equal(record->note_count, 0);
}

static void the_time_is_divided(void **state)
{
	(void)state;
	simple_mx();
	sts_txt("v=STSv1; id=1;");
	config.resolve_timeout_ms = 10000;
	config.fetch_timeout_ms = 15000;
	resolve();
	assert_in_range(dns_limit_ms, 5000, 5400);
	assert_in_range(fetch_limit_ms, 8500, 9000);
	config.fetch_timeout_ms = 3000;
	later(86401);
	resolve();
	assert_int_equal(fetch_limit_ms, 3000);
	/* With no time left the fetch fails, and that is kept: the back-off. */
	config.resolve_timeout_ms = 100;
	dns_takes_ms = 120;
	fetches(RTLS_RESULT_STS_POLICY_FETCH_ERROR, "connection timed out");
	later(86401);
	resolve();
	assert_int_equal(fetch_limit_ms, 1);
	assert_int_equal(record->fetch, RTLS_FETCH_FAILED);
}

static int hold_lock(UNUSED void *context)
{
	int fd;

	if (rtls_lock_take(spool_dir, DOMAIN, 1000, &fd, NULL) != RTLS_OK)
		return 1;
	pause();
	return 0;
}

static void waits_for_the_lock_in_vain(void **state)
{
	pid_t child;

	(void)state;
	simple_mx();
	resolve();
	child = fork();
	if (child == 0)
		_exit(hold_lock(NULL));
	usleep(100000);
	config.resolve_timeout_ms = 150;
	/* What is fresh is good. */
	assert_int_equal(resolve_with(false, false), RTLS_OK);
	later(601);
	assert_int_equal(resolve_with(false, false), RTLS_TEMPORARY);
	assert_int_equal(dns_asked, 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(resolve_with(false, false), RTLS_OK);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, start, stop)

static const struct CMUnitTest tests[] = {
	CASE(sorts_hosts),
	CASE(skips_bad_targets),
	CASE(only_bad_targets_are_none),
	CASE(keeps_the_best_preference),
	CASE(keeps_the_best_hosts),
	CASE(null_mx),
	CASE(implicit_mx),
	CASE(implicit_mx_by_ipv6_only),
	CASE(no_host_at_all),
	CASE(no_such_domain),
	CASE(failed_mx),
	CASE(failure_keeps_what_is_still_true),
	CASE(bogus_mx_counts_at_once),
	CASE(long_ttl_is_cut),
	CASE(asks_tlsa_of_secure_hosts),
	CASE(unreachable_behind_an_insecure_mx),
	CASE(asks_tlsa_behind_a_cname),
	CASE(tlsa_limits_the_lifetime),
	CASE(a_tlsa_denial_lives_for_an_hour),
	CASE(large_tlsa_sets_fit),
	CASE(the_parent_is_not_asked),
	CASE(mta_sts_off_asks_nothing),
	CASE(fetches_a_policy_once),
	CASE(a_new_id_fetches),
	CASE(none_replaces_enforce),
	CASE(a_shorter_max_age_is_said),
	CASE(an_expired_policy_is_fetched_again),
	CASE(refresh_fetches_without_txt),
	CASE(says_when_it_was_used),
	CASE(ids_that_alternate_buy_no_fetch),
	CASE(a_domain_cannot_fill_the_record_with_ids),
	CASE(a_new_domain_makes_room),
	CASE(refresh_renews_the_policy_alone),
	CASE(refresh_that_fails_weakens_nothing),
	CASE(refresh_gives_way),
	CASE(max_age_0_is_for_now),
	CASE(long_max_age_is_cut_and_said),
	CASE(failure_backs_off),
	CASE(killed_backs_off),
	CASE(a_policy_not_kept_is_fetched_again),
	CASE(a_policy_not_kept_leaves_the_older_one),
	CASE(failure_keeps_the_policy),
	CASE(an_invalid_body_keeps_the_policy),
	CASE(an_unquoted_reason_does_no_harm),
	CASE(a_first_failure_is_reported),
	CASE(reports_are_off_by_default),
	CASE(nothing_is_said_of_mode_none),
	CASE(an_unresolved_policy_host_is_reported_when_missing),
	CASE(refresh_without_anything_is_not_reported),
	CASE(a_vanished_record_is_said_once),
	CASE(a_failed_txt_keeps_the_policy),
	CASE(a_clock_that_jumped_is_no_immortality),
	CASE(no_resolver_is_temporary),
	CASE(all_failed_is_a_record),
	CASE(a_weak_resolver_is_said_once_a_day),
	CASE(an_exemption_that_ran_out_is_said_once_a_day),
	CASE(an_exemption_is_said_to_exim_whoever_else_was_told),
	CASE(an_exemption_has_its_last_day),
	CASE(many_exemptions_that_ran_out_are_all_said),
	CASE(exemptions_that_cannot_be_read_stop_no_lookup),
	CASE(works_without_a_spool),
	CASE(a_damaged_record_is_a_miss),
	CASE(the_time_is_divided),
	CASE(waits_for_the_lock_in_vain),
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

int main(void)
{
	static struct CMUnitTest rows[ROWS(tlsa_rows) + ROWS(txt_rows)];
	size_t count = 0;
	int failed = cmocka_run_group_tests_name("resolve", tests, NULL, NULL);

	for (size_t i = 0; i < ROWS(tlsa_rows); i++)
		rows[count++] = (struct CMUnitTest){
			.name = tlsa_rows[i].proves,
			.test_func = judges_tlsa,
			.initial_state = (void *)(uintptr_t)&tlsa_rows[i],
		};
	for (size_t i = 0; i < ROWS(txt_rows); i++)
		rows[count++] = (struct CMUnitTest){
			.name = txt_rows[i].proves,
			.test_func = judges_txt,
			.initial_state = (void *)(uintptr_t)&txt_rows[i],
		};
	return failed + cmocka_run_group_tests_name("rows", rows, NULL, NULL);
}
