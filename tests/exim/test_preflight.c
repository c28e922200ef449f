/* test_preflight.c - requiretls_preflight(): what an ACL is told of a message that could never go
 * as it demands, and what that may cost. Linked with host.c in place of Exim; the
 * program is a script. */
#include "spool_dir.h"

#include <time.h>

#include "check.h"
#include "exim/ask.h"
#include "exim/helper.h"
#include "host.h"
#include "store/cache.h"

int requiretls_preflight(uschar **yield, int argc, uschar *argv[]);

#define HOUR_S   3600
#define INSECURE "5.7.10 REQUIRETLS: nothing vouches for the MX hosts of "
#define IS_OURS(domain)                                                        \
	host_set("${if match_domain{" domain "}{+local_domains}{yes}{no}}",    \
		"no")

static char program[64];

static const char *preflight(const char *address)
{
	return host_call(requiretls_preflight, address);
}

static const char *preflight_via(char *address, char *next_hop)
{
	uschar *arguments[] = { (uschar *)address, (uschar *)next_hop, NULL };
	uschar *yield = NULL;

	assert_int_equal(requiretls_preflight(&yield, 2, arguments), OK);
	return (const char *)yield;
}

/* What is run in place of exim-requiretls; "$1" and so on are its arguments. */
static void write_program(const char *script)
{
	(void)snprintf(program, sizeof(program), "%s/program", base_dir);
	write_file(program, script, strlen(script));
	assert_int_equal(chmod(program, 0755), 0);
	(void)snprintf(host_config()->program, sizeof(host_config()->program),
		"%s", program);
}

static int start(void **state)
{
	if (make_spool(state) != 0 || chmod(base_dir, 0755) != 0)
		return -1;
	host_reset();
	(void)snprintf(host_config()->spool, sizeof(host_config()->spool), "%s",
		spool_dir);
	(void)snprintf(host_config()->program, sizeof(host_config()->program),
		"/nonexistent/exim-requiretls");
	host_config()->requiretls = RTLS_LEVEL_VERIFIED;
	host_set("$exim_uid", "65534");
	host_set("$exim_gid", "65534");
	IS_OURS("bank.example");
	IS_OURS("BANK.example");
	IS_OURS("signed.example");
	IS_OURS("other.example");
	IS_OURS("[192.0.2.1]");
	return 0;
}

#undef TEST
#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, start, remove_spool)

/* An answer of DNS that is good for so long. */
static struct rtls_record make_record(
	const char *domain, bool is_signed, int64_t good_s)
{
	struct rtls_record record = { .domain = rtls_slice(domain) };

	record.mx_answer = RTLS_MX_HOSTS;
	record.mx_dnssec =
		is_signed ? RTLS_DNSSEC_SECURE : RTLS_DNSSEC_INSECURE;
	record.mx_until_s = record.txt_until_s = time(NULL) + good_s;
	record.mx_count = 1;
	record.mx[0].preference = 10;
	record.mx[0].host = rtls_slice("mx.bank.example");
	record.txt = RTLS_TXT_NONE;
	return record;
}

static void put_record(const char *domain, bool is_signed, int64_t good_s)
{
	const struct rtls_record record =
		make_record(domain, is_signed, good_s);

	assert_int_equal(rtls_cache_put(spool_dir, &record, NULL), RTLS_OK);
}

/* By the cache alone, which needs no program. */
static void test_by_cache(void **state)
{
	(void)state;
	host_config()->preflight_timeout_ms = 0;
	put_record("bank.example", false, HOUR_S);
	put_record("signed.example", true, HOUR_S);
	put_record("other.example", false, -HOUR_S);
	assert_string_equal(preflight("bob@bank.example"), "");
	assert_memory_equal(preflight("bob+requiretls@bank.example"), INSECURE,
		strlen(INSECURE));
	assert_memory_equal(preflight("bob+REQUIRETLS@BANK.example"), INSECURE,
		strlen(INSECURE));
	assert_string_equal(preflight("bob+requiretls@signed.example"), "");
	assert_string_equal(preflight("bob+requiretls@other.example"), "");
	assert_string_equal(host_log(), "");
	assert_int_equal(host_flagged(), -1);
}

/* Each thing that flags a message; TLS-Required takes no flag away. */
static void test_flags(void **state)
{
	static const struct {
		const char *variable, *value;
		bool flagged;
	} rows[] = {
		{ "$requiretls", "yes", true },
		{ "$acl_m_requiretls", "yes", true },
		{ "$acl_m_requiretls", "no", false },
		{ "$local_scan_data", "requiretls=yes by=tag dnssec=no",
			false },
	};

	(void)state;
	host_config()->preflight_timeout_ms = 0;
	put_record("bank.example", false, HOUR_S);
	host_add_header("TLS-Required: No\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		host_set(rows[i].variable, rows[i].value);
		assert_int_equal(*preflight("bob@bank.example") != '\0',
			rows[i].flagged);
		host_set(rows[i].variable, NULL);
	}
	host_add_recipient("carol+requiretls@signed.example");
	assert_memory_equal(preflight("bob@bank.example"), "5.7.10", 6);
	assert_string_equal(host_log(), "");
}

/* A refusal is for the whole message: only when nobody can get it. */
static void test_all_recipients(void **state)
{
	(void)state;
	host_config()->preflight_timeout_ms = 0;
	put_record("bank.example", false, HOUR_S);
	put_record("signed.example", true, HOUR_S);
	assert_string_equal(preflight(""), "");
	host_set("$acl_m_requiretls", "yes");
	host_add_recipient("bob@bank.example");
	host_add_recipient("carol@bank.example");
	assert_memory_equal(preflight(""), INSECURE, strlen(INSECURE));
	host_add_recipient("postmaster");
	assert_string_equal(preflight(""), "");
}

/* What goes elsewhere, or is no name that Exim's lists could have, is not ours to
 * refuse; nor is what they cannot be asked about. */
static void test_elsewhere(void **state)
{
	static const char *const domains[] = { "unknown.example", "", "a b",
		"a}{b", "${run{x}}", "a\nb", "$domain", "a\\b", "a\"b" };
	char address[64];

	(void)state;
	host_config()->requiretls = RTLS_LEVEL_ENFORCE;
	assert_memory_equal(
		preflight("bob+requiretls@bank.example"), "5.7.30", 6);
	assert_memory_equal(
		preflight("bob+requiretls@[192.0.2.1]"), "5.7.10", 6);
	for (size_t i = 0; i < COUNT(domains); i++) {
		(void)snprintf(address, sizeof(address), "bob+requiretls@%s",
			domains[i]);
		assert_string_equal(preflight(address), "");
	}
	assert_string_equal(preflight("bob+requiretls"), "");
	host_set("${if match_domain{bank.example}{+local_domains}{yes}{no}}",
		"yes");
	assert_string_equal(preflight("bob+requiretls@bank.example"), "");
}

static void test_smart_host(void **state)
{
	char address[] = "bob+requiretls@bank.example";
	char by_name[] = "relay.example::587", literal[] = "[192.0.2.61]";
	char mixed[] = "[192.0.2.61] : relay.example",
	     by_mx[] = "other.example/mx";

	(void)state;
	host_config()->preflight_timeout_ms = 0;
	put_record("bank.example", false, HOUR_S);
	put_record("other.example", false, HOUR_S);
	assert_string_equal(preflight_via(address, by_name), "");
	assert_string_equal(preflight_via(address, mixed), "");
	assert_memory_equal(
		preflight_via(address, literal), "5.7.10 an address", 17);
	assert_string_equal(preflight_via(address, by_mx),
		INSECURE "other.example: no DNSSEC and no MTA-STS policy");
	host_config()->requiretls = RTLS_LEVEL_ENFORCE;
	assert_memory_equal(preflight_via(address, by_name), "5.7.30", 6);
}

/* Nothing is said to the client of what is wrong here. */
static void test_trouble(void **state)
{
	uschar one[] = "a", two[] = "b", three[] = "c", four[] = "d";
	uschar *arguments[] = { one, two, three, four, NULL };
	uschar *yield = NULL;

	(void)state;
	assert_int_equal(requiretls_preflight(&yield, 0, arguments + 4), OK);
	assert_string_equal((const char *)yield, "");
	assert_int_equal(requiretls_preflight(&yield, 4, arguments), OK);
	assert_string_equal((const char *)yield, "");
	(void)snprintf(host_config()->rules, sizeof(host_config()->rules),
		"/nonexistent/rules");
	assert_string_equal(preflight("bob+requiretls@bank.example"), "");
	host_config()->rules[0] = '\0';
	host_break_config();
	assert_string_equal(preflight("bob+requiretls@bank.example"), "");
}

/* --- the budget --------------------------------------------------------------------- */

static char log_path[64];

/* A program that runs this and notes how it was called; $domain is its last argument. */
static void set_program(const char *script)
{
	char text[512];

	(void)snprintf(log_path, sizeof(log_path), "%s/ran", base_dir);
	write_file(log_path, "", 0);
	assert_int_equal(chmod(log_path, 0666), 0);
	(void)snprintf(text, sizeof(text),
		"#!/bin/sh\necho \"$*\" >>%s/ran\nfor domain; do :; done\n%s\n",
		base_dir, script);
	write_program(text);
}

/* The record that the program prints for this domain. */
static void write_answer(const char *domain, bool is_signed)
{
	static char text[RTLS_RECORD_SIZE_MAX + 1];
	const struct rtls_record record =
		make_record(domain, is_signed, HOUR_S);
	struct rtls_text out;
	char path[64];

	rtls_text_init(&out, text, sizeof(text));
	assert_int_equal(rtls_record_format(&record, &out), RTLS_OK);
	(void)snprintf(path, sizeof(path), "%s/%s", base_dir, domain);
	write_file(path, text, out.size);
}

static size_t count_calls(void)
{
	char *text = content_of(log_path);
	size_t lines = 0;

	for (const char *c = text; *c != '\0'; c++)
		lines += *c == '\n';
	free(text);
	return lines;
}

/* What the program finds out, and what it is not asked about. */
static void test_lookup(void **state)
{
	char script[128];

	(void)state;
	(void)snprintf(script, sizeof(script), "cat %s/$domain", base_dir);
	set_program(script);
	write_answer("bank.example", false);
	write_answer("signed.example", true);
	assert_string_equal(preflight("bob@bank.example"), "");
	assert_int_equal(count_calls(), 0);
	assert_memory_equal(preflight("bob+requiretls@bank.example"), INSECURE,
		strlen(INSECURE));
	assert_string_equal(preflight("bob+requiretls@signed.example"), "");
	assert_int_equal(count_calls(), 2);
	host_config()->requiretls = RTLS_LEVEL_ENFORCE;
	assert_memory_equal(
		preflight("bob+requiretls@signed.example"), "5.7.30", 6);
	assert_int_equal(count_calls(), 2);
	host_set("$requiretls", "");
	assert_string_equal(preflight("bob+requiretls@signed.example"), "");
	assert_int_equal(count_calls(), 3);
}

/* What the cache has refuses after a look at DNS only, and not when there is no answer. */
static void test_looks_again(void **state)
{
	char script[128];

	(void)state;
	put_record("bank.example", false, HOUR_S);
	set_program("exit 1");
	assert_string_equal(preflight("bob+requiretls@bank.example"), "");
	(void)snprintf(script, sizeof(script), "cat %s/$domain", base_dir);
	set_program(script);
	write_answer("bank.example", true);
	assert_string_equal(preflight("bob+requiretls@bank.example"), "");
	assert_content(log_path, "resolve --record --fresh -- bank.example\n");
}

static void wait_for(const char *path)
{
	while (access(path, F_OK) != 0)
		(void)usleep(10000);
}

/* Time is over: the program is left at its work, which it ends by itself. */
static void test_time_is_over(void **state)
{
	struct rtls_ask_budget budget = { .lookups = 5, .wait_ms = 50 };
	char script[192], done[64], go[64];

	(void)state;
	(void)snprintf(done, sizeof(done), "%s/done", base_dir);
	(void)snprintf(go, sizeof(go), "%s/go", base_dir);
	(void)snprintf(script, sizeof(script),
		"until test -e %s; do sleep 0.01; done; echo x >%s", go, done);
	set_program(script);
	assert_int_equal(chmod(base_dir, 0777), 0);
	rtls_ask_on(&budget);
	assert_false(rtls_ask_known(host_config(), "bank.example", time(NULL))
			     ->known);
	assert_non_null(strstr(host_log(), "no answer within the time budget"));
	assert_int_equal(budget.wait_ms, 0);
	assert_int_equal(budget.lookups, 4);
	assert_null(rtls_ask_again(host_config(), "bank.example", time(NULL)));
	assert_int_equal(count_calls(), 1);
	rtls_ask_on(NULL);
	write_file(go, "", 0);
	wait_for(done);
}

/* Nobody ends it, so it is born with an end. */
static void test_program_that_never_ends(void **state)
{
	struct rtls_text answer;
	char text[16];

	(void)state;
	host_config()->resolve_timeout_ms = 100;
	set_program("exec sleep 1000");
	rtls_text_init(&answer, text, sizeof(text));
	assert_int_equal(rtls_helper_resolve(host_config(), "bank.example",
				 false, 10, &answer, NULL),
		RTLS_TEMPORARY);
	while (wait(NULL) > 0) /* no child is left that runs */
		;
}

/* Of lookups, not of domains. */
static void test_lookups_are_over(void **state)
{
	struct rtls_ask_budget budget = { .lookups = 1, .wait_ms = 60000 };
	char script[128];

	(void)state;
	(void)snprintf(script, sizeof(script), "cat %s/$domain", base_dir);
	set_program(script);
	write_answer("bank.example", false);
	write_answer("other.example", true);
	rtls_ask_on(&budget);
	assert_true(rtls_ask_known(host_config(), "bank.example", time(NULL))
			    ->known);
	assert_false(rtls_ask_known(host_config(), "other.example", time(NULL))
			     ->known);
	/* What was asked just now is not asked again, and not taken for another's. */
	assert_non_null(
		rtls_ask_again(host_config(), "bank.example", time(NULL)));
	assert_null(rtls_ask_again(host_config(), "other.example", time(NULL)));
	rtls_ask_on(NULL);
	assert_true(rtls_ask_known(host_config(), "other.example", time(NULL))
			    ->known);
}

/* One connection: so many lookups, whatever it asks about. The last test, for the budget is
 * that of the process. */
static void test_connection(void **state)
{
	(void)state;
	set_program("exit 1");
	for (unsigned i = 0; i < 50; i++)
		assert_string_equal(
			preflight("bob+requiretls@bank.example"), "");
	assert_in_range(count_calls(), 20, 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_by_cache),
		TEST(test_flags),
		TEST(test_all_recipients),
		TEST(test_elsewhere),
		TEST(test_smart_host),
		TEST(test_trouble),
		TEST(test_lookup),
		TEST(test_looks_again),
		TEST(test_time_is_over),
		TEST(test_program_that_never_ends),
		TEST(test_lookups_are_over),
		TEST(test_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
