/* test_scan.c - local_scan() on messages, also on such as nobody sends.
 * Linked with host.c in place of Exim. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "host.h"

static const char *scan_status(int wanted)
{
	uschar *text = NULL;

	assert_int_equal(local_scan(-1, &text), wanted);
	assert_non_null(text);
	return (char *)text;
}

static const char *scan(void)
{
	return scan_status(LOCAL_SCAN_ACCEPT);
}

static int start(void **state)
{
	(void)state;
	host_reset();
	return 0;
}

static void test_plain(void **state)
{
	(void)state;
	host_add_recipient("bob@bank.example");
	host_add_header("Subject: hello\n");
	assert_string_equal(scan(), "requiretls=no dnssec=no");
}

static void test_tag(void **state)
{
	(void)state;
	host_add_recipient("carol@bank.example");
	host_add_recipient("bob+requiretls@bank.example");
	host_add_recipient("\"b b+REQUIRETLS\"@bank.example");
	assert_string_equal(scan(), "requiretls=yes by=tag dnssec=no");
	assert_string_equal(host_recipient(0), "carol@bank.example");
	assert_string_equal(host_recipient(1), "bob@bank.example");
	assert_string_equal(host_recipient(2), "\"b b\"@bank.example");
}

static void test_recipients_hostile(void **state)
{
	char *many = malloc(5000);

	(void)state;
	memset(many, 'x', 4999);
	many[4999] = '\0';
	memcpy(many + 4999 - 15, "+requiretls@a.b", 15);
	host_add_recipient("");
	host_add_recipient("@");
	host_add_recipient("+requiretls@bank.example");
	host_add_recipient("+requiretls");
	host_add_recipient(many);
	(void)scan();
	assert_string_equal(host_recipient(2), "+requiretls@bank.example");
	free(many);
}

static void test_acl(void **state)
{
	static const struct {
		const char *value;
		bool flags;
	} rows[] = { { "yes", true }, { " YES ", true }, { "true", true },
		{ "1", true }, { "no", false }, { "", false }, { "0", false },
		{ "FALSE", false }, { "on", true }, { "required", true },
		{ NULL, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		host_reset();
		host_set("$acl_m_requiretls", rows[i].value);
		assert_string_equal(scan(),
			rows[i].flags ? "requiretls=yes by=acl dnssec=no"
				      : "requiretls=no dnssec=no");
	}
}

static void test_esmtp(void **state)
{
	(void)state;
	host_set("$requiretls", "yes");
	host_set("$acl_m_requiretls", "yes");
	assert_string_equal(scan(), "requiretls=yes by=esmtp dnssec=no");
}

static void test_tls_required(void **state)
{
	static const struct {
		const char *first, *second;
		bool relaxes;
	} rows[] = {
		{ "TLS-Required: No\n", NULL, true },
		{ "tls-required:no\n", NULL, true },
		{ "TLS-Required:\n No\n", NULL, true },
		{ "TLS-Required : No\n", NULL, true },
		{ "TLS-Required: Yes\n", NULL, false },
		{ "TLS-Required: No\n", "TLS-Required: No\n", false },
		{ "X-TLS-Required: No\n", NULL, false },
		{ "TLS-Required\n", NULL, false },
		{ "TLS-Required:", NULL, false },
		{ ":", NULL, false },
		{ "\n", NULL, false },
		{ "", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		host_reset();
		host_add_header(rows[i].first);
		if (rows[i].second != NULL)
			host_add_header(rows[i].second);
		assert_string_equal(scan(),
			rows[i].relaxes
				? "requiretls=relaxed by=header dnssec=no"
				: "requiretls=no dnssec=no");
	}
}

/* A header that Exim has removed is not there. */
static void test_removed_header(void **state)
{
	(void)state;
	host_add_header("TLS-Required: No\n");
	header_list->type = '*';
	assert_string_equal(scan(), "requiretls=no dnssec=no");
}

static void test_disable(void **state)
{
	(void)state;
	host_config()->requiretls = RTLS_LEVEL_DISABLE;
	host_add_recipient("bob+requiretls@bank.example");
	assert_string_equal(scan(), "requiretls=no dnssec=no");
	assert_string_equal(host_recipient(0), "bob@bank.example");
	assert_int_equal(host_flagged(), 0);
	/* C1.4: what Exim promised the client stays. */
	host_set("$requiretls", "yes");
	assert_string_equal(scan(), "requiretls=yes by=esmtp dnssec=no");
	assert_int_equal(host_flagged(), 1);
}

/* Exim hears of it, whatever flagged the message. */
static void test_exim_is_told(void **state)
{
	(void)state;
	(void)scan();
	assert_int_equal(host_flagged(), 0);
	host_add_header("TLS-Required: No\n");
	(void)scan();
	assert_int_equal(host_flagged(), 0);
	host_set("$acl_m_requiretls", "yes");
	(void)scan();
	assert_int_equal(host_flagged(), 1);
}

/* Cannot fail open, and the sender is not told our business. */
static void test_configuration_broken(void **state)
{
	(void)state;
	host_break_config();
	assert_string_equal(scan_status(LOCAL_SCAN_TEMPREJECT),
		"local configuration error");
	assert_non_null(strstr(host_log(), "broken by the test"));
}

static void test_rules_missing(void **state)
{
	(void)state;
	(void)snprintf(host_config()->rules, sizeof(host_config()->rules),
		"/nonexistent/rules");
	assert_string_equal(scan_status(LOCAL_SCAN_TEMPREJECT),
		"local configuration error");
	assert_non_null(strstr(host_log(), "/nonexistent/rules"));
}

/* Not Exim's own report, whatever the sender is. */
static void test_no_bounce(void **state)
{
	(void)state;
	host_set_sender("");
	assert_string_equal(scan(), "requiretls=no dnssec=no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plain, start),
		cmocka_unit_test_setup(test_tag, start),
		cmocka_unit_test_setup(test_recipients_hostile, start),
		cmocka_unit_test_setup(test_acl, start),
		cmocka_unit_test_setup(test_esmtp, start),
		cmocka_unit_test_setup(test_tls_required, start),
		cmocka_unit_test_setup(test_removed_header, start),
		cmocka_unit_test_setup(test_disable, start),
		cmocka_unit_test_setup(test_exim_is_told, start),
		cmocka_unit_test_setup(test_configuration_broken, start),
		cmocka_unit_test_setup(test_rules_missing, start),
		cmocka_unit_test_setup(test_no_bounce, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
