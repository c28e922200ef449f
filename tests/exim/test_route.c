/* test_route.c - requiretls_route() where nothing can be looked up: whatever
 * the domain is, the answer is one Exim can use, and never too weak. Linked
 * with host.c in place of Exim. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "host.h"

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
		assert_string_equal(answer, "class=observe");
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
		assert_string_equal(route("bank.example"), "class=observe");
	}
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
	assert_string_equal(
		route("bank.example"), "class=observe requiretls=disable");
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
		assert_string_equal(route("bank.example"), "class=observe");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_any_domain, start),
		cmocka_unit_test_setup(test_any_domain_flagged, start),
		cmocka_unit_test_setup(test_very_long_domain, start),
		cmocka_unit_test_setup(test_flags_damaged, start),
		cmocka_unit_test_setup(test_flags_of_an_acl, start),
		cmocka_unit_test_setup(test_tag, start),
		cmocka_unit_test_setup(test_relaxed_asks_nobody, start),
		cmocka_unit_test_setup(test_empty_sender, start),
		cmocka_unit_test_setup(test_no_configuration, start),
		cmocka_unit_test_setup(test_no_user, start),
		cmocka_unit_test_setup(test_arguments, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
