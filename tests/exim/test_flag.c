/* test_flag.c - requiretls_flag(), what an ACL calls where Exim loads no
 * local_scan(), and a router that takes off the tag. Linked with host.c in
 * place of Exim. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "host.h"

int requiretls_flag(uschar **yield, int argc, uschar *argv[]);

static const char *flag(void)
{
	return host_call(requiretls_flag, NULL);
}

static const char *bare(const char *address)
{
	return host_call(requiretls_flag, address);
}

static int start(void **state)
{
	(void)state;
	host_reset();
	return 0;
}

/* The same words as those of local_scan(), and Exim is told. */
static void test_flags(void **state)
{
	(void)state;
	assert_string_equal(flag(), "requiretls=no dnssec=no");
	assert_int_equal(host_flagged(), 0);
	host_add_header("TLS-Required: No\n");
	assert_string_equal(flag(), "requiretls=relaxed by=header dnssec=no");
	host_set("$acl_m_requiretls", "yes");
	assert_string_equal(flag(), "requiretls=yes by=acl dnssec=no");
	assert_int_equal(host_flagged(), 1);
	host_set("$requiretls", "yes");
	assert_string_equal(flag(), "requiretls=yes by=esmtp dnssec=no");
}

/* The tag flags, but a router takes it off. */
static void test_recipients_stay(void **state)
{
	(void)state;
	host_add_recipient("bob+requiretls@bank.example");
	assert_string_equal(flag(), "requiretls=yes by=tag dnssec=no");
	assert_string_equal(host_recipient(0), "bob+requiretls@bank.example");
}

static void test_bare_address(void **state)
{
	static const struct {
		const char *address, *bare;
	} rows[] = {
		{ "bob+requiretls@bank.example", "bob@bank.example" },
		{ "bob+REQUIRETLS@bank.example", "bob@bank.example" },
		{ "\"b b+requiretls\"@bank.example", "\"b b\"@bank.example" },
		{ "bob@bank.example", "" },
		{ "+requiretls@bank.example", "" },
		{ "bob+requiretls", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(bare(rows[i].address), rows[i].bare);
	host_config()->tag[0] = '\0';
	assert_string_equal(bare("bob+requiretls@bank.example"), "");
	host_break_config();
	assert_memory_equal(
		bare("bob+requiretls@bank.example"), ":defer: 4.3.5", 13);
}

/* What the ACL defers on; should it not, routing takes it for flagged. */
static void test_unknown(void **state)
{
	uschar text[] = "x";
	uschar *arguments[] = { text, text, NULL };
	uschar *yield = NULL;

	(void)state;
	(void)snprintf(host_config()->rules, sizeof(host_config()->rules),
		"/nonexistent/rules");
	assert_string_equal(flag(), "requiretls=unknown");
	assert_non_null(strstr(host_log(), "/nonexistent/rules"));
	host_config()->rules[0] = '\0';
	assert_string_equal(flag(), "requiretls=no dnssec=no");
	assert_int_equal(requiretls_flag(&yield, 2, arguments), OK);
	assert_string_equal(yield, "requiretls=unknown");
	host_break_config();
	assert_string_equal(flag(), "requiretls=unknown");
	assert_non_null(strstr(host_log(), "broken by the test"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_flags, start),
		cmocka_unit_test_setup(test_recipients_stay, start),
		cmocka_unit_test_setup(test_bare_address, start),
		cmocka_unit_test_setup(test_unknown, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
