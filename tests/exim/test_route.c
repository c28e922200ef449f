/* test_route.c - requiretls_route() where nothing can be looked up: whatever
 * the domain is, the answer is one Exim can use, and never too weak; and what the
 * site's rules and exemptions make of what the cache knows. Linked with host.c in
 * place of Exim. */
#include "spool_dir.h"

#include <time.h>

#include "check.h"
#include "host.h"
#include "policy/timestamp.h"
#include "store/cache.h"

int requiretls_route(uschar **yield, int argc, uschar *argv[]);

static const char *route(const char *domain)
{
	return host_call(requiretls_route, domain);
}

static int start(void **state)
{
	(void)state;
	host_reset();
	(void)snprintf(host_config()->spool, sizeof(host_config()->spool),
		"/nonexistent");
	(void)snprintf(host_config()->program, sizeof(host_config()->program),
		"/nonexistent/exim-requiretls");
	host_config()->requiretls = RTLS_LEVEL_VERIFIED;
	host_set("$exim_uid", "65534");
	host_set("$exim_gid", "65534");
	host_set("$sender_address", "alice@lab.example");
	host_set("$local_scan_data", "requiretls=no dnssec=no");
	return 0;
}

static const char *const domains[] = { "bank.example", "BANK.example.",
	"xn--bcher-kva.example", "\xc3\xbcnicode.example", "", ".", "..",
	"a..b", "-", "-x.example", "a b", "a\nb", "a\tb", "a\"b", "a\\b", "a:b",
	"a/../b", "/etc/passwd", "../../etc/passwd", "[192.0.2.1]",
	"[IPv6:2001:db8::1]", "192.0.2.1", "[", "]", "\x01", "\x7f\xff",
	"${run{x}}", "a.example}{b" };

/* Exim takes the answer apart with ${extract}: printable, one line, and
 * quotes that close. */
static void check_form(const char *answer)
{
	size_t quotes = 0;

	assert_true(strncmp(answer, "class=", 6) == 0 ||
		    strncmp(answer, "fail=\"", 6) == 0 ||
		    strncmp(answer, "defer=\"", 7) == 0);
	for (const char *c = answer; *c != '\0'; c++) {
		assert_in_range(*c, ' ', '~');
		quotes += *c == '"';
	}
	assert_int_equal(quotes % 2, 0);
}

static void test_any_domain(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		const char *answer = route(domains[i]);

		check_form(answer);
		/* What is no domain cannot be looked up, and need not. */
		if (strcmp(answer, "class=observe") != 0)
			assert_string_equal(
				answer, "class=observe unresolved=yes");
	}
}

static void test_any_domain_flagged(void **state)
{
	(void)state;
	host_set("$local_scan_data", "requiretls=yes by=tag dnssec=no");
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		const char *answer = route(domains[i]);

		check_form(answer);
		assert_true(strncmp(answer, "class=", 6) != 0);
	}
}

static void test_very_long_domain(void **state)
{
	char *domain = malloc(70001);

	(void)state;
	memset(domain, 'x', 70000);
	domain[70000] = '\0';
	check_form(route(domain));
	host_set("$local_scan_data", "requiretls=yes by=tag dnssec=no");
	check_form(route(domain));
	free(domain);
}

/* A spool line that nobody of us wrote: as if all were demanded. */
static void test_flags_damaged(void **state)
{
	static const char *const data[] = { "requiretls=", "requiretls=maybe",
		"requiretls=yes",
		"requiretls=no dnssec=", "requiretls=yes by=x" };

	(void)state;
	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
		host_set("$local_scan_data", data[i]);
		assert_true(strncmp(route("bank.example"), "class=", 6) != 0);
	}
}

/* What requiretls_flag() left, where no local_scan() of ours has run. */
static void test_flags_of_an_acl(void **state)
{
	static const struct {
		const char *local_scan, *data, *acl;
		bool flagged;
	} rows[] = {
		{ "", "requiretls=yes by=rule dnssec=no", "", true },
		{ "", "requiretls=no dnssec=no", "", false },
		{ "", "requiretls=unknown", "", true },
		{ "", "requiretls=no dnssec=no", "yes", true },
		{ "", "", "yes", true },
		{ "", "", "", false },
		{ "clean", "requiretls=yes by=rule dnssec=no", "", true },
		{ "requiretls=no dnssec=no", "requiretls=unknown", "", false },
		{ "requiretls=no dnssec=no", "", "yes", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		host_set("$local_scan_data", rows[i].local_scan);
		host_set("$acl_m_requiretls_data", rows[i].data);
		host_set("$acl_m_requiretls", rows[i].acl);
		assert_int_equal(
			strncmp(route("bank.example"), "class=", 6) != 0,
			rows[i].flagged);
	}
}

/* The tag counts on the address, and on those it comes from. */
static void test_tag(void **state)
{
	static const char *const names[] = { "$local_part",
		"$parent_local_part", "$original_local_part" };

	(void)state;
	host_set("$local_scan_data", "");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		host_set(names[i], "bob+RequireTLS");
		assert_memory_equal(route("bank.example"), "defer=", 6);
		host_set(names[i], "+requiretls");
		assert_string_equal(
			route("bank.example"), "class=observe unresolved=yes");
	}
}

/* A policy may be in force that cannot be read: no spool is another matter. */
static void test_cache_unreadable(void **state)
{
	(void)state;
	(void)snprintf(host_config()->spool, sizeof(host_config()->spool),
		"/dev/null");
	assert_string_equal(route("bank.example"),
		"defer=\"4.3.0 what is known of bank.example cannot be read "
		"now\"");
	assert_non_null(strstr(host_log(), "cache record ignored"));
	assert_string_equal(route("[192.0.2.1]"), "class=observe");
	host_set("$local_scan_data", "requiretls=relaxed by=header dnssec=no");
	assert_string_equal(route("bank.example"), "class=relaxed");
}

static void test_relaxed_asks_nobody(void **state)
{
	(void)state;
	host_set("$local_scan_data", "requiretls=relaxed by=header dnssec=no");
	assert_string_equal(route("bank.example"), "class=relaxed");
	assert_null(strstr(host_log(), "could not resolve"));
}

/* A bounce asks, but does not insist (RFC 8689 section 5). */
static void test_empty_sender(void **state)
{
	(void)state;
	host_set("$local_scan_data", "requiretls=yes by=bounce dnssec=no");
	host_set("$sender_address", "");
	assert_string_equal(route("bank.example"),
		"class=observe unresolved=yes requiretls=disable");
}

static void test_no_configuration(void **state)
{
	(void)state;
	host_break_config();
	assert_memory_equal(route("bank.example"), "defer=\"4.3.5", 12);
}

/* Root starts nothing that would stay root. */
static void test_no_user(void **state)
{
	static const char *const uids[] = { NULL, "", "0", "x", "-1" };

	(void)state;
	for (size_t i = 0; i < sizeof(uids) / sizeof(uids[0]); i++) {
		host_set("$exim_uid", uids[i]);
		assert_string_equal(
			route("bank.example"), "class=observe unresolved=yes");
		assert_non_null(strstr(
			host_log(), "this Exim runs as no user of its own"));
	}
}

static void test_arguments(void **state)
{
	uschar one[] = "a.example", two[] = "relay.example", three[] = "x";
	uschar *arguments[] = { one, two, three, NULL };
	uschar *yield = NULL;

	(void)state;
	assert_int_equal(requiretls_route(&yield, 0, arguments + 3), OK);
	assert_memory_equal(yield, "defer=", 6);
	assert_int_equal(requiretls_route(&yield, 3, arguments), OK);
	assert_memory_equal(yield, "defer=", 6);
	/* The next hop, when there is one, is whose policy counts. */
	assert_int_equal(requiretls_route(&yield, 2, arguments), OK);
	assert_non_null(strstr(host_log(), "relay.example"));
	assert_null(strstr(host_log(), "a.example: "));
}

/* --- rules and exemptions of the site ----------------------------------------- */

#define DAY_S 86400
#define A16   "aaaaaaaaaaaaaaaa"
#define A64   A16 A16 A16 A16

static char rules_path[64], exempt_path[64];

/* policy: mode of the policy, or NULL. */
static void put_record(const char *domain, const char *policy, bool is_signed)
{
	static char text[256];
	struct rtls_record record = { .domain = rtls_slice(domain) };
	int64_t now_s = time(NULL);

	record.mx_answer = RTLS_MX_HOSTS;
	record.mx_dnssec =
		is_signed ? RTLS_DNSSEC_SECURE : RTLS_DNSSEC_INSECURE;
	record.mx_until_s = record.txt_until_s = now_s + DAY_S;
	record.mx_count = 1;
	record.mx[0].preference = 10;
	record.mx[0].host = rtls_slice("mx.bank.example");
	record.txt = RTLS_TXT_NONE;
	if (policy != NULL) {
		record.txt = RTLS_TXT_VALID;
		record.txt_id = record.policy_id = rtls_slice("1");
		record.policy_fetched_s = now_s - 10;
		record.policy_until_s = now_s + DAY_S;
		record.policy_digest = rtls_slice(A64);
		(void)snprintf(text, sizeof(text),
			"version: STSv1\nmode: %s\nmx: mx.bank.example\n"
			"max_age: 604800\n",
			policy);
		record.policy_text = rtls_slice(text);
	}
	assert_int_equal(rtls_cache_put(spool_dir, &record, NULL), RTLS_OK);
}

static void write_text(char path[64], const char *name, const char *text)
{
	(void)snprintf(path, 64, "%s/%s", base_dir, name);
	write_file(path, text, strlen(text));
}

/* Exemptions until a day, which is so many days from this one. */
static void write_exempt(const char *domain_and_kinds, int days)
{
	char line[256], date[RTLS_DATE_SIZE];

	rtls_date_format(date, time(NULL) + (int64_t)days * DAY_S);
	(void)snprintf(line, sizeof(line), "# x\n%s until=%s \"why\"\n",
		domain_and_kinds, date);
	write_text(exempt_path, "exempt", line);
}

static int start_site(void **state)
{
	start(state);
	if (make_spool(state) != 0)
		return -1;
	(void)snprintf(host_config()->spool, sizeof(host_config()->spool), "%s",
		spool_dir);
	write_text(rules_path, "rules", "");
	write_text(exempt_path, "exempt", "");
	(void)snprintf(host_config()->rules, sizeof(host_config()->rules), "%s",
		rules_path);
	(void)snprintf(host_config()->exempt, sizeof(host_config()->exempt),
		"%s", exempt_path);
	return 0;
}

#define SITE_TEST(function)                                                    \
	cmocka_unit_test_setup_teardown(function, start_site, remove_spool)

#define PLAIN   "requiretls=no dnssec=no"
#define FLAGGED "requiretls=yes by=tag dnssec=no"
#define RELAXED "requiretls=relaxed by=header dnssec=no"
#define WANTED  "requiretls=no dnssec=require"

struct site_row {
	const char *proves;
	const char *rules;
	const char *exempt; /* a domain and kinds, in force today */
	const char *flags;
	const char *policy; /* of bank.example */
	bool is_signed;
	const char *answer; /* how it begins */
	const char *logged; /* words of the log line; NULL: there is none */
};

static const struct site_row site_rows[] = {
	{ "nothing said", "require other.example verified\n", NULL, PLAIN, NULL,
		false, "class=observe dnssec=no", NULL },
	{ "require verified", "require bank.example verified\n", NULL, PLAIN,
		NULL, false,
		"class=enforce dnssec=no hosts=\"Mx.bank.example\"",
		"bank.example class=enforce rule=require-verified mx=" },
	{ "require verified beats the header", "require *.example verified\n",
		NULL, RELAXED, NULL, false, "class=enforce ",
		"class=enforce by=header rule=require-verified" },
	{ "require sts, testing", "require bank.example sts\n", NULL, PLAIN,
		"testing", false, "class=enforce sts=enforce id=1 ",
		"class=enforce rule=require-sts sts=enforce id=1" },
	{ "require sts, no policy", "require bank.example sts\n", NULL, PLAIN,
		NULL, false,
		"defer=\"4.7.0 a rule of this site requires an MTA-STS policy",
		"put off: 4.7.0 a rule of this site requires" },
	{ "require dnssec, signed", "require bank.example dnssec\n", NULL,
		PLAIN, NULL, true, "class=enforce dnssec=yes",
		"class=enforce rule=require-dnssec mx=" },
	{ "several add up",
		"require bank.example dnssec\nrequire *.example verified\n"
		"require bank.example sts\n",
		NULL, PLAIN, "testing", true, "class=enforce sts=enforce",
		"rule=require-sts rule=require-dnssec rule=require-verified" },
	{ "a level of a domain is still known",
		"level bank.example disable\nrequire b verified\n", NULL,
		FLAGGED, NULL, true,
		"class=observe dnssec=yes requiretls=disable", NULL },
	{ "exempt sts", "", "bank.example sts", PLAIN, "enforce", false,
		"class=observe sts=testing id=1 policy=" A64 " exempt=sts ",
		"bank.example class=observe exempt=sts until=" },
	{ "exempt, and no effect", "", "bank.example sts,dnssec", PLAIN,
		"testing", false, "class=observe sts=testing", NULL },
	{ "exempt, another domain", "", "other.example sts", PLAIN, "enforce",
		false, "class=enforce sts=enforce", "class=enforce sts=" },
	{ "exempt dnssec", "", "*.example dnssec", WANTED, NULL, false,
		"class=observe dnssec=no",
		"rule=dnssec-secure exempt=dnssec until=" },
	{ "exempt requiretls", "", "bank.example requiretls", FLAGGED, NULL,
		true, "class=observe dnssec=yes requiretls=opportunistic",
		"by=tag exempt=requiretls until=" },
	{ "exempt verified", "require bank.example verified\n",
		"bank.example verified,sts", PLAIN, NULL, false,
		"class=observe dnssec=no",
		"class=observe exempt=verified until=" },
	{ "exempt from all that beats the header",
		"require bank.example verified\n", "bank.example verified",
		RELAXED, NULL, false, "class=relaxed",
		"class=relaxed by=header exempt=verified until=" },
};

static void test_site(void **state)
{
	const struct site_row *row = *state;

	if (geteuid() != 0)
		skip(); /* nothing that another user owns counts */
	assert_int_equal(start_site(state), 0);
	write_text(rules_path, "rules", row->rules);
	if (row->exempt != NULL)
		write_exempt(row->exempt, 0);
	host_set("$local_scan_data", row->flags);
	put_record("bank.example", row->policy, row->is_signed);
	assert_memory_equal(
		route("bank.example"), row->answer, strlen(row->answer));
	if (row->logged == NULL)
		assert_string_equal(host_log(), "");
	else if (strstr(host_log(), row->logged) == NULL)
		assert_string_equal(host_log(), row->logged);
	assert_int_equal(remove_spool(state), 0);
}

/* It counts through its last day, whatever the time is, and then no more. */
static void test_last_day(void **state)
{
	static const struct {
		int days;
		bool counts;
	} wanted[] = { { 400, true }, { 1, true }, { 0, true }, { -1, false },
		{ -400, false } };

	(void)state;
	if (geteuid() != 0)
		skip();
	put_record("bank.example", "enforce", false);
	for (size_t i = 0; i < COUNT(wanted); i++) {
		write_exempt("bank.example sts", wanted[i].days);
		assert_int_equal(strncmp(route("bank.example"), "class=observe",
					 13) == 0,
			wanted[i].counts);
	}
}

/* What is demanded is not known: nothing goes, whatever it is. */
static void test_site_files_broken(void **state)
{
	static const char *const flags[] = { PLAIN, FLAGGED, RELAXED };

	(void)state;
	if (geteuid() != 0)
		skip();
	put_record("bank.example", NULL, true);
	for (size_t i = 0; i < COUNT(flags); i++) {
		host_set("$local_scan_data", flags[i]);
		write_text(exempt_path, "exempt",
			"bank.example sts until=2027-13-01 \"x\"\n");
		assert_memory_equal(route("bank.example"), "defer=\"4.3.5", 12);
		assert_memory_equal(route("[192.0.2.1]"), "defer=\"4.3.5", 12);
		assert_non_null(strstr(host_log(), "exempt: line 1: expected "
						   "until=YYYY-MM-DD"));
		write_text(exempt_path, "exempt", "");
		assert_memory_equal(route("bank.example"), "class=", 6);
		assert_int_equal(chmod(exempt_path, 0666), 0);
		assert_memory_equal(route("bank.example"), "defer=\"4.3.5", 12);
		assert_int_equal(unlink(exempt_path), 0);
		assert_memory_equal(route("bank.example"), "defer=\"4.3.5", 12);
		write_text(exempt_path, "exempt", "");
		write_text(rules_path, "rules", "require bank.example x\n");
		assert_memory_equal(route("bank.example"), "defer=\"4.3.5", 12);
		write_text(rules_path, "rules", "");
	}
}

/* Nothing may come of a file that was read before. */
static void test_site_files_change(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	put_record("bank.example", NULL, false);
	write_text(rules_path, "rules", "require bank.example verified\n");
	assert_memory_equal(route("bank.example"), "class=enforce", 13);
	write_exempt("bank.example verified", 5);
	assert_memory_equal(route("bank.example"), "class=observe", 13);
	host_config()->exempt[0] = '\0';
	assert_memory_equal(route("bank.example"), "class=enforce", 13);
	host_config()->rules[0] = '\0';
	assert_memory_equal(route("bank.example"), "class=observe", 13);
}

/* An address has no name that a rule could be content with. */
static void test_site_literal(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	write_text(rules_path, "rules", "require * verified\n");
	assert_memory_equal(route("[192.0.2.1]"), "fail=\"5.7.10", 12);
	host_set("$local_scan_data", RELAXED);
	assert_memory_equal(route("[192.0.2.1]"), "fail=\"5.7.10", 12);
}

/* What the module asks Exim's resolver; gone.example is not set, and fails. */
#define ADDRESS(host)                                                          \
	"${lookup dnsdb{a+=" host "}{$lookup_dnssec_authenticated}{no}}"
#define TLSA(name)                                                             \
	"${lookup dnsdb{tlsa=" name "}{${if eq{$lookup_dnssec_authenticated}"  \
	"{yes}{secure}{none}}}{none}}"

/* A4.2, A4.3, case 81: smart hosts, where nothing can be looked up. */
static const struct {
	const char *hops, *plain, *flagged;
} next_hops[] = {
	{ "", "class=observe unresolved=yes", "defer=\"4.4.3" },
	{ " : ", "class=observe unresolved=yes", "defer=\"4.4.3" },
	{ "Relay.example::587",
		"class=observe unresolved=yes "
		"dnssec=no implicit=yes via=\"relay.example\"",
		"class=strict unresolved=yes "
		"dnssec=no implicit=yes requiretls=verified "
		"via=\"relay.example\" hosts=\"relay.example::587\"" },
	{ "[192.0.2.1]:b.example:\"x",
		"class=observe unresolved=yes "
		"dnssec=no implicit=yes via=\"b.example\"",
		"class=strict unresolved=yes "
		"dnssec=no implicit=yes requiretls=verified "
		"via=\"b.example\" hosts=\"b.example\"" },
	{ "gone.example",
		"class=enforce unresolved=yes "
		"dnssec=no implicit=yes via=\"gone.example\" "
		"hosts=\"gone.example\" tlsafail=\"gone.example\"",
		"class=strict unresolved=yes "
		"dnssec=no implicit=yes" },
	{ "secure.example::587",
		"class=enforce unresolved=yes "
		"dnssec=yes implicit=yes "
		"via=\"secure.example\" hosts=\"secure.example::587\" "
		"dane=\"secure.example\"",
		"class=strict unresolved=yes "
		"dnssec=yes implicit=yes" },
	{ "secure.example:relay.example",
		"class=observe unresolved=yes "
		"dnssec=no implicit=yes "
		"via=\"secure.example relay.example\"",
		"class=strict unresolved=yes "
		"dnssec=no implicit=yes" },
	{ "192.0.2.1", "class=observe via=\"-\"", "fail=\"5.7.10" },
	{ "isp.example/mx", "class=observe unresolved=yes via=\"isp.example\"",
		"defer=\"4.4.3" },
	{ "[192.0.2.1]/mx", "class=observe via=\"-\"", "fail=\"5.7.10" },
	{ "a/mx:b", "class=observe via=\"-\"", "fail=\"5.7.10" },
};

static const char *route_by(const char *next_hop)
{
	char *domain = strdup("bank.example"), *hops = strdup(next_hop);
	uschar *arguments[] = { (uschar *)domain, (uschar *)hops };
	uschar *yield = NULL;

	assert_int_equal(requiretls_route(&yield, 2, arguments), OK);
	free(domain);
	free(hops);
	return (const char *)yield;
}

static void test_next_hops(void **state)
{
	const char *answer;

	(void)state;
	host_set(ADDRESS("relay.example"), "no");
	host_set(ADDRESS("b.example"), "no");
	host_set(ADDRESS("secure.example"), "yes");
	host_set(TLSA("_587._tcp.secure.example"), "secure");
	host_set(TLSA("_25._tcp.secure.example"), "none");
	for (size_t i = 0; i < sizeof(next_hops) / sizeof(next_hops[0]); i++) {
		host_set("$local_scan_data", "requiretls=no dnssec=no");
		answer = route_by(next_hops[i].hops);
		assert_string_equal(answer, next_hops[i].plain);
		check_form(answer);
		host_set("$local_scan_data", "requiretls=yes by=tag dnssec=no");
		answer = route_by(next_hops[i].hops);
		assert_memory_equal(answer, next_hops[i].flagged,
			strlen(next_hops[i].flagged));
		host_set("$local_scan_data",
			"requiretls=relaxed by=header dnssec=no");
		answer = route_by(next_hops[i].hops);
		assert_string_equal(answer,
			i < 2 ? "class=relaxed" : "class=relaxed via=\"-\"");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_any_domain, start),
		cmocka_unit_test_setup(test_any_domain_flagged, start),
		cmocka_unit_test_setup(test_very_long_domain, start),
		cmocka_unit_test_setup(test_flags_damaged, start),
		cmocka_unit_test_setup(test_flags_of_an_acl, start),
		cmocka_unit_test_setup(test_tag, start),
		cmocka_unit_test_setup(test_cache_unreadable, start),
		cmocka_unit_test_setup(test_relaxed_asks_nobody, start),
		cmocka_unit_test_setup(test_empty_sender, start),
		cmocka_unit_test_setup(test_no_configuration, start),
		cmocka_unit_test_setup(test_no_user, start),
		cmocka_unit_test_setup(test_arguments, start),
		SITE_TEST(test_last_day),
		SITE_TEST(test_site_files_broken),
		SITE_TEST(test_site_files_change),
		SITE_TEST(test_site_literal),
		cmocka_unit_test_setup(test_next_hops, start),
	};
	static struct check_suite suite;

	for (size_t i = 0; i < COUNT(tests); i++)
		suite.tests[suite.count++] = tests[i];
	CHECK_TABLE(&suite, test_site, site_rows);
	return check_run(&suite, "route");
}
