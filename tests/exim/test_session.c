/* test_session.c - the events of a session, also those no Exim would raise in
 * that order or with such data. Linked with host.c in place of Exim. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "exim/session.h"
#include "host.h"
#include "spool_dir.h"
#include "store/refused.h"

#define ENFORCE                                                                \
	"class=enforce sts=enforce id=1 policy="                               \
	"1640cac9037f39414f2dca074da1364c654df9ee205bf0de55b0779ae50312df "    \
	"dnssec=no hosts=\"mx.bank.example\" mx=\"mx.bank.example\""

static const char *event_with(const char *name, const char *data)
{
	char *name_copy = strdup(name), *data_copy = strdup(data);
	uschar *arguments[] = { (uschar *)name_copy, (uschar *)data_copy,
		NULL };
	uschar *yield = NULL;

	assert_int_equal(requiretls_session(&yield, 2, arguments), OK);
	assert_non_null(yield);
	free(name_copy);
	free(data_copy);
	return (char *)yield;
}

static const char *event(const char *name)
{
	return event_with(name, "");
}

static int start(void **state)
{
	(void)state;
	host_reset();
	/* A process of its own has seen nothing; here there is one for all. */
	host_set("$address_data", "");
	(void)event("tcp:connect");
	(void)event("tcp:close");
	host_reset();
	host_config()->tlsrpt = false;
	host_set("$transport_name", "requiretls_enforce");
	host_set("$address_data", ENFORCE);
	host_set("$host", "mx.bank.example");
	host_set("$host_address", "192.0.2.1");
	host_set("$domain", "bank.example");
	return 0;
}

#define STRICT                                                                 \
	"class=strict dnssec=yes requiretls=enforce hosts=\"Mx.bank.example"   \
	":Mx2.bank.example\""

static void one_host_deferred(
	const char *host, const char *number, const char *why)
{
	host_set("$host", host);
	host_set("$event_defer_errno", number);
	assert_string_equal(event("tcp:connect"), "");
	(void)event("tcp:close");
	(void)event_with("msg:host:defer", why);
}

/* A flagged message, two hosts: will the next routing bounce it? */
static bool is_noted(const char *id, const char *first, const char *second)
{
	char reason[RTLS_ERR_SIZE];

	snprintf(host_config()->spool, sizeof(host_config()->spool), "%s",
		spool_dir);
	host_set("$transport_name", "requiretls_strict");
	host_set("$address_data", STRICT);
	host_set("${extract{hosts}{$address_data}}",
		"Mx.bank.example:Mx2.bank.example");
	host_set("$message_exim_id", id);
	one_host_deferred("Mx.bank.example", "-59", first);
	one_host_deferred("Mx2.bank.example", "-61", second);
	(void)event("msg:defer");
	return rtls_refused_get(host_config()->spool, id, "bank.example",
		       reason, NULL) == RTLS_OK;
}

/* C2.7: a patched Exim refuses hosts itself, the module others; when that were
 * all there is a bounce, whatever numbers Exim has for it. */
static int start_with_spool(void **state)
{
	return start(state) != 0 || make_spool(state) != 0;
}

static void test_exims_refusals(void **state)
{
	static const struct {
		const char *id, *first, *second;
		bool noted;
	} cases[] = {
		{ "1abcde-000001-AB",
			"5.7.30 REQUIRETLS support required: not offered by x",
			"5.7.10 Encryption needed: x does not offer TLS",
			true },
		{ "1abcde-000002-AB",
			"5.7.30 REQUIRETLS support required: not offered by x",
			"Connection refused", false },
		{ "1abcde-000003-AB",
			"4.7.0 5.7.30 REQUIRETLS support required",
			"5.7.10 Encryption needed: x does not offer TLS",
			false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* What an attempt saw stays with its process. */
		const pid_t pid = fork();
		int status = 0;

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(is_noted(cases[i].id, cases[i].first,
				      cases[i].second)
					? 1
					: 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), cases[i].noted);
	}
}

static void test_host_in_policy(void **state)
{
	(void)state;
	assert_string_equal(event("tcp:connect"), "");
	assert_string_equal(host_log(), "");
}

static void test_host_outside_policy(void **state)
{
	(void)state;
	host_set("$host", "mx.evil.example");
	assert_string_not_equal(event("tcp:connect"), "");
	assert_non_null(strstr(host_log(),
		"host mx.evil.example refused: not in the MTA-STS policy of "
		"bank.example"));
}

/* D4, A6.10: whatever the policy says, and without holding it against the host. */
static void test_host_with_failing_tlsa(void **state)
{
	static const char *const plans[] = { ENFORCE
		" tlsafail=\"mx.bank.example\"",
		"class=strict dnssec=yes tlsafail=\"mx.bank.example\"",
		"class=enforce dnssec=yes tlsafail=\"mx.bank.example\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		host_set("$address_data", plans[i]);
		assert_string_equal(event("tcp:connect"),
			"host mx.bank.example refused: its TLSA lookup failed");
	}
	assert_null(strstr(host_log(), "policy"));
}

/* A host with a name that is none is in no policy. */
static void test_host_without_name(void **state)
{
	static const char *const hosts[] = { NULL, "", ".", "a..b", "[::1]",
		"mx.bank.example\n", "mx.bank.example." };

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		host_set("$host", hosts[i]);
		/* Only the last is the host of the policy. */
		assert_int_equal(event("tcp:connect")[0] == '\0',
			i == sizeof(hosts) / sizeof(hosts[0]) - 1);
	}
}

/* Fail closed: our transports send nothing without a plan of ours. */
static void test_no_plan(void **state)
{
	static const char *const plans[] = { NULL, "", "x",
		"class=", "class=nonsense", "class=enforce sts=perhaps",
		"class=enforce mx=\"unclosed" };

	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		host_set("$address_data", plans[i]);
		assert_string_not_equal(event("tcp:connect"), "");
	}
	host_set("$transport_name", "remote_smtp");
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		host_set("$address_data", plans[i]);
		assert_string_equal(event("tcp:connect"), "");
	}
}

static void test_plan_too_long(void **state)
{
	size_t size = 200 * 1024;
	char *plan = malloc(size + 1);

	(void)state;
	memset(plan, ' ', size);
	memcpy(plan, ENFORCE, strlen(ENFORCE));
	plan[size] = '\0';
	host_set("$address_data", plan);
	assert_string_not_equal(event("tcp:connect"), "");
	free(plan);
}

static void test_no_configuration(void **state)
{
	(void)state;
	host_break_config();
	assert_string_not_equal(event("tcp:connect"), "");
	host_set("$transport_name", "remote_smtp");
	assert_string_equal(event("tcp:connect"), "");
}

/* What the host shows is no certificate: Exim is told to stop. */
static void test_certificate_garbage(void **state)
{
	static const char *const shown[] = { NULL, "", "!", "AAAA",
		"MIIBIjANBg" };

	(void)state;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		assert_string_equal(event("tcp:connect"), "");
		host_set("${base64:$tls_out_peercert}", shown[i]);
		assert_string_equal(event_with("tls:cert", "1"), "");
		assert_string_not_equal(event_with("tls:cert", "0"), "");
		(void)event("tcp:close");
	}
}

/* D10: TLSA records of port 25 say nothing about another one. */
static void test_dane_is_of_port_25(void **state)
{
	(void)state;
	host_set("$address_data", "class=enforce sts=enforce id=1 dnssec=yes "
				  "hosts=\"Mx.bank.example\" mx=\"x.example\" "
				  "dane=\"mx.bank.example\"");
	host_set("$host_port", "25");
	assert_string_equal(event("tcp:connect"), "");
	(void)event("tcp:close");
	host_set("$host_port", "587");
	assert_string_not_equal(event("tcp:connect"), "");
	assert_non_null(strstr(host_log(), "not in the MTA-STS policy of "));
}

/* A6.2, D5: Exim calls a host by the name that its CNAME leads to. */
static void test_host_behind_a_cname(void **state)
{
	(void)state;
	host_set("$address_data",
		ENFORCE " cname=\"a.cdn.example=mx.bank.example "
			"b.cdn.example=mx.evil.example\"");
	host_set("$host", "A.cdn.example");
	assert_string_equal(event("tcp:connect"), "");
	(void)event("smtp:connect");
	(void)event_with("smtp:ehlo", "250 x");
	(void)event("tcp:close");
	assert_non_null(strstr(host_log(),
		"host mx.bank.example refused: STARTTLS is not offered"));
	host_set("$host", "b.cdn.example");
	assert_string_not_equal(event("tcp:connect"), "");
	host_set("$host", "c.cdn.example");
	assert_string_not_equal(event("tcp:connect"), "");
}

/* EDGE 82: what stands for a host without addresses is refused, and not for good. */
static void test_host_without_addresses(void **state)
{
	(void)state;
	host_set("$address_data", "class=strict dnssec=yes requiretls=verified "
				  "hosts=\"192.0.0.8::50000\" "
				  "tlsafail=\"mx.bank.example\"");
	host_set("$host", "192.0.0.8");
	assert_string_not_equal(event("tcp:connect"), "");
	assert_non_null(
		strstr(host_log(), "host 192.0.0.8 refused: it stands "
				   "for one whose address lookup failed"));
}

static void test_dane_decides(void **state)
{
	(void)state;
	assert_string_equal(event("tcp:connect"), "");
	host_set("$tls_out_tlsa_usage", "8");
	assert_string_equal(event_with("tls:cert", "0"), "");
}

/* An EHLO answer is what a stranger sent. */
static void test_ehlo_hostile(void **state)
{
	char *many = malloc(100001);

	(void)state;
	memset(many, 'x', 100000);
	many[100000] = '\0';
	assert_string_equal(event("tcp:connect"), "");
	assert_string_equal(event("smtp:connect"), "");
	assert_string_equal(event_with("smtp:ehlo", ""), "");
	assert_string_equal(event_with("smtp:ehlo", many), "");
	assert_string_equal(event_with("smtp:ehlo", "250"), "");
	assert_string_equal(
		event_with("smtp:ehlo", "250-\x01\xff\r\n250 STARTTLS"), "");
	assert_string_equal(event("tcp:close"), "");
	free(many);
}

static void test_starttls_missing_is_refused(void **state)
{
	(void)state;
	(void)event("tcp:connect");
	(void)event("smtp:connect");
	(void)event_with("smtp:ehlo", "250-mx.bank.example\r\n250 SIZE 1");
	(void)event("tcp:close");
	assert_non_null(strstr(host_log(),
		"host mx.bank.example refused: STARTTLS is not offered"));
}

/* Words behind the first of a line, and the greeting itself, do not count. */
static void test_starttls_is_a_word_of_its_own(void **state)
{
	(void)state;
	(void)event("tcp:connect");
	(void)event("smtp:connect");
	(void)event_with("smtp:ehlo", "250-STARTTLS hello\r\n"
				      "250-X STARTTLS\r\n250 XSTARTTLS");
	(void)event("tcp:close");
	assert_non_null(strstr(host_log(), "STARTTLS is not offered"));
}

/* A connection that another process made: nothing is known, nothing is said. */
static void test_events_without_connect(void **state)
{
	static const char *const events[] = { "tcp:close", "smtp:ehlo",
		"tls:cert", "smtp:connect", "dane:fail", "msg:host:defer",
		"msg:defer", "msg:delivery", "nonsense", "" };

	(void)state;
	host_set("$transport_name", "remote_smtp");
	host_set("$address_data", NULL);
	(void)event("tcp:connect");
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		for (size_t j = 0; j < sizeof(events) / sizeof(events[0]);
			j++) {
			assert_string_equal(event(events[i]), "");
			assert_string_equal(event(events[j]), "");
		}
	assert_string_equal(host_log(), "");
}

/* A4.2: each of several smart hosts is judged as its own policy domain. */
static void test_smart_hosts(void **state)
{
	(void)state;
	host_set("$transport_name", "requiretls_strict");
	host_set("$address_data",
		"class=strict sts=enforce implicit=yes via=\"a.isp b.isp\" "
		"hosts=\"a.isp::587:+:b.isp\" mx=\"\"");
	for (const char *const *host =
			(const char *const[]){ "a.isp", "b.isp", NULL };
		*host != NULL; host++) {
		host_set("$host", *host);
		assert_non_null(strstr(event("tcp:connect"), *host));
		(void)event("tcp:close");
		(void)event_with("msg:host:defer", "refused");
	}
	assert_non_null(strstr(host_log(),
		"host b.isp refused: not in the MTA-STS policy of b.isp"));
}

/* Port 465: TLS before the first EHLO, which offers no STARTTLS. */
static void test_tls_on_connect(void **state)
{
	(void)state;
	assert_string_equal(event("tcp:connect"), "");
	host_set("$tls_out_cipher", "TLS1.3:X");
	host_set("$tls_out_tlsa_usage", "3");
	host_set("${if >{$tls_out_tlsa_usage}{0}{x}}", "x");
	(void)event_with("tls:cert", "0");
	(void)event("smtp:connect");
	(void)event_with("smtp:ehlo", "250-mx.bank.example\r\n250 HELP");
	(void)event("tcp:close");
	assert_string_equal(host_log(), "");
}

static void test_arguments_missing(void **state)
{
	uschar name[] = "tcp:connect";
	uschar *arguments[] = { name, NULL };
	uschar *yield = NULL;

	(void)state;
	assert_int_equal(requiretls_session(&yield, 1, arguments), OK);
	assert_string_not_equal((char *)yield, "");
	assert_int_equal(requiretls_session(&yield, 0, arguments + 1), OK);
	assert_string_not_equal((char *)yield, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_exims_refusals, start_with_spool, remove_spool),
		cmocka_unit_test_setup(test_host_in_policy, start),
		cmocka_unit_test_setup(test_host_outside_policy, start),
		cmocka_unit_test_setup(test_host_with_failing_tlsa, start),
		cmocka_unit_test_setup(test_host_without_name, start),
		cmocka_unit_test_setup(test_no_plan, start),
		cmocka_unit_test_setup(test_plan_too_long, start),
		cmocka_unit_test_setup(test_no_configuration, start),
		cmocka_unit_test_setup(test_certificate_garbage, start),
		cmocka_unit_test_setup(test_dane_is_of_port_25, start),
		cmocka_unit_test_setup(test_host_behind_a_cname, start),
		cmocka_unit_test_setup(test_host_without_addresses, start),
		cmocka_unit_test_setup(test_dane_decides, start),
		cmocka_unit_test_setup(test_ehlo_hostile, start),
		cmocka_unit_test_setup(test_starttls_missing_is_refused, start),
		cmocka_unit_test_setup(
			test_starttls_is_a_word_of_its_own, start),
		cmocka_unit_test_setup(test_events_without_connect, start),
		cmocka_unit_test_setup(test_smart_hosts, start),
		cmocka_unit_test_setup(test_tls_on_connect, start),
		cmocka_unit_test_setup(test_arguments_missing, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
