/* test_judge.c - whose fault is it? What is counted when no session came about,
 * where real deliveries do not come by (RFC 8460 sections 4.3.2.1 and 4.3.4).
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exim/session.h"
#include "host.h"
#include "policy/timestamp.h"
#include "spool_dir.h"
#include "store/cache.h"
#include "store/journal.h"

#define DOMAIN "bank.example"
#define HOST   "mx.bank.example"

static char counted[1024];

static bool note(const struct rtls_session_result *line, void *context)
{
	size_t used = strlen(counted);

	(void)context;
	snprintf(counted + used, sizeof(counted) - used, "%s %s %.*s %.*s;",
		rtls_policy_type_name(line->type),
		rtls_result_name(line->result), (int)line->mx_host.size,
		line->mx_host.data, (int)line->receiving_ip.size,
		line->receiving_ip.data);
	return true;
}

/* The journal as it is now, "type result mx ip;" for each line. */
static const char *journal(void)
{
	char date[RTLS_DATE_SIZE];
	enum rtls_status status;

	counted[0] = '\0';
	status = rtls_journal_each(spool_dir,
		rtls_date_format(date, (int64_t)time(NULL)), note, NULL, NULL,
		NULL);
	assert_true(status == RTLS_OK || status == RTLS_NONE);
	return counted;
}

static void event_with(const char *name, const char *data)
{
	char *name_copy = strdup(name), *data_copy = strdup(data);
	uschar *arguments[] = { (uschar *)name_copy, (uschar *)data_copy,
		NULL };
	uschar *yield = NULL;

	assert_int_equal(requiretls_session(&yield, 2, arguments), OK);
	free(name_copy);
	free(data_copy);
}

static void start(const char *plan, const char *host, const char *address)
{
	host_reset();
	host_config()->tlsrpt = true;
	snprintf(host_config()->spool, sizeof(host_config()->spool), "%s",
		spool_dir);
	host_set("$transport_name", "remote_smtp");
	host_set("$address_data", plan);
	host_set("$host", host);
	host_set("$host_address", address);
	host_set("$domain", DOMAIN);
}

/* --- no connection, since DNS is as it is
 * ------------------------------------- */

static const struct lookup {
	const char *proves;
	const char *hosts; /* the record's, behind "mx-answer hosts" */
	const char *host;  /* as Exim has it */
	const char *port;
	const char *said; /* by dane:fail; NULL: refused at tcp:connect */
	const char *wanted;
} lookups[] = {
	{ "B3.2 bogus behind a secure MX",
		"mx-dnssec secure\nmx 1 " HOST " address=secure tlsa=bogus\n",
		HOST, "25", "dnssec-invalid",
		"tlsa dnssec-invalid " HOST " 192.0.2.1;" },
	{ "B3.2 the address",
		"mx-dnssec secure\nmx 1 " HOST " address=bogus tlsa=failed\n",
		HOST, "25", "dnssec-invalid",
		"tlsa dnssec-invalid " HOST " 192.0.2.1;" },
	{ "B3.2 bogus behind an insecure MX is not DANE's affair",
		"mx-dnssec insecure\nmx 1 " HOST " address=bogus tlsa=failed\n",
		HOST, "25", "dnssec-invalid", "" },
	{ "B3.2 an MX of which nothing is known proves no anchor",
		"mx-dnssec unknown\nmx 1 " HOST " address=secure tlsa=bogus\n",
		HOST, "25", "dnssec-invalid", "" },
	{ "B2.3 a lookup that failed",
		"mx-dnssec secure\nmx 1 " HOST " address=secure tlsa=failed\n",
		HOST, "25", "dnssec-invalid", "" },
	{ "B2.3 Exim failed, we did not",
		"mx-dnssec secure\nmx 1 " HOST " address=secure tlsa=secure\n",
		HOST, "25", "dnssec-invalid", "" },
	{ "B2.3 there are none, and none are required",
		"mx-dnssec secure\nmx 1 " HOST " address=secure tlsa=none\n",
		HOST, "25", "dnssec-invalid", "" },
	{ "B2.3 a host that the record does not have",
		"mx-dnssec secure\nmx 1 a.example address=secure tlsa=bogus\n",
		HOST, "25", "dnssec-invalid", "" },
	{ "B3.2 called by the end of its CNAME, which has the records",
		"mx-dnssec secure\nmx 1 " HOST
		" address=secure tlsa=bogus cname=a.cdn.example\n",
		"a.cdn.example", "25", "dnssec-invalid",
		"tlsa dnssec-invalid a.cdn.example 192.0.2.1;" },

	{ "B3.2 required, none",
		"mx-dnssec secure\nmx 1 " HOST " address=secure tlsa=none\n",
		HOST, "-1", "dane-required",
		"tlsa dane-required " HOST " 192.0.2.1;" },
	{ "B3.2 required, the address is insecure",
		"mx-dnssec secure\nmx 1 " HOST
		" address=insecure tlsa=unknown\n",
		HOST, "25", "dane-required",
		"tlsa dane-required " HOST " 192.0.2.1;" },
	{ "B3.2 required, the MX answer is insecure",
		"mx-dnssec insecure\nmx 1 " HOST
		" address=secure tlsa=unknown\n",
		HOST, "25", "dane-required",
		"tlsa dane-required " HOST " 192.0.2.1;" },
	{ "B3.2 required, and bogus",
		"mx-dnssec secure\nmx 1 " HOST " address=secure tlsa=bogus\n",
		HOST, "25", "dane-required",
		"tlsa dnssec-invalid " HOST " 192.0.2.1;" },
	{ "B2.3 required, the lookup failed",
		"mx-dnssec secure\nmx 1 " HOST " address=secure tlsa=failed\n",
		HOST, "25", "dane-required", "" },
	{ "B2.3 required, behind an insecure MX, no address to be had",
		"mx-dnssec insecure\nmx 1 " HOST
		" address=unknown tlsa=failed\n",
		HOST, "25", "dane-required", "" },
	{ "B2.3 required, there are some",
		"mx-dnssec secure\nmx 1 " HOST " address=secure tlsa=secure\n",
		HOST, "25", "dane-required", "" },
	{ "B2.3 required at a port the record is not about",
		"mx-dnssec secure\nmx 1 " HOST " address=secure tlsa=none\n",
		HOST, "587", "dane-required", "" },
	{ "B3.2 the port of a host that would be refused",
		"mx-dnssec secure\nmx 1 " HOST " address=secure tlsa=bogus\n",
		HOST, "50000", "dnssec-invalid",
		"tlsa dnssec-invalid " HOST " 192.0.2.1;" },

	{ "B3.2 the only one without address",
		"mx-dnssec secure\nmx 1 " HOST " address=bogus tlsa=failed\n"
		"mx 2 b.example address=secure tlsa=none\n",
		RTLS_NO_ADDRESS, "25", NULL, "tlsa dnssec-invalid " HOST " ;" },
	{ "B3.2 one of several, all bogus: which is not known",
		"mx-dnssec secure\nmx 1 " HOST " address=bogus tlsa=failed\n"
		"mx 2 b.example address=bogus tlsa=failed\n",
		RTLS_NO_ADDRESS, "25", NULL, "tlsa dnssec-invalid  ;" },
	{ "B2.3 one of several, of which one failed",
		"mx-dnssec secure\nmx 1 " HOST " address=bogus tlsa=failed\n"
		"mx 2 b.example address=unknown tlsa=failed\n",
		RTLS_NO_ADDRESS, "25", NULL, "" },
};

static void write_record(const char *hosts)
{
	static char text[2048];
	static struct rtls_record record;
	struct rtls_err err = { "" };

	snprintf(text, sizeof(text),
		"requiretls-record 1\ndomain " DOMAIN "\nmx-answer hosts\n%s",
		hosts);
	assert_int_equal(
		rtls_record_parse(rtls_slice(text), DOMAIN, &record, &err),
		RTLS_OK);
	assert_int_equal(rtls_cache_put(spool_dir, &record, &err), RTLS_OK);
}

static void test_lookup(void **state)
{
	const struct lookup *row = *state;
	static char plan[512];

	assert_int_equal(make_spool(NULL), 0);
	snprintf(plan, sizeof(plan),
		"class=%s dnssec=yes hosts=\"x\" tlsafail=\"%s\" "
		"cname=\"a.cdn.example=" HOST "\"",
		row->said == NULL ? "strict" : "observe",
		strstr(row->hosts, "tlsa=failed") == NULL &&
				strstr(row->hosts, "tlsa=bogus") == NULL
			? ""
			: HOST);
	start(plan, row->host,
		strcmp(row->host, RTLS_NO_ADDRESS) == 0 ? RTLS_NO_ADDRESS
							: "192.0.2.1");
	host_set("$host_port", row->port);
	host_set("$sending_ip_address", "203.0.113.9"); /* of one before */
	write_record(row->hosts);
	if (row->said != NULL)
		event_with("dane:fail", row->said);
	else
		event_with("tcp:connect", "");
	assert_string_equal(journal(), row->wanted);
	assert_int_equal(remove_spool(NULL), 0);
}

/* Relaxed mail is not judged, and an address is nobody's domain. */
static void test_lookup_of_nobody(void **state)
{
	(void)state;
	start("class=relaxed", HOST, "192.0.2.1");
	write_record(lookups[0].hosts);
	event_with("dane:fail", "dnssec-invalid");
	start("class=observe dnssec=yes", HOST, "192.0.2.1");
	host_set("$domain", "[192.0.2.1]");
	event_with("dane:fail", "dnssec-invalid");
	start("class=observe dnssec=yes", HOST, "192.0.2.1");
	host_config()->tlsrpt = false;
	event_with("dane:fail", "dnssec-invalid");
	assert_string_equal(journal(), "");
}

/* --- a handshake that failed
 * ---------------------------------------------------- */

#define TESTING "class=observe sts=testing id=1 dnssec=no mx=\"" HOST "\""
#define FAILED  "sts validation-failure " HOST " 192.0.2."

static const struct handshake {
	const char *proves;
	const char *ocsp;     /* $tls_out_ocsp at the end */
	const char *why;      /* of msg:host:defer; NULL: there was none */
	const char *deferred; /* $event_defer_errno */
	bool counts;
} handshakes[] = {
	{ "B2.3 a key of ours", "0", "TLS session: (cert/key setup: cert=a)",
		"-37", false },
	{ "B2.3 any preparation of ours", "0", "TLS session: something new",
		"-37", false },
	{ "B2.2 the host hung up", "1", "TLS session: (gnutls_handshake): x",
		"-37", true },
	{ "B2.2 OCSP is not asked for, but it was the handshake", "0",
		"TLS session: (gnutls_handshake): timed out", "-37", true },
	{ "B2.2 it began, whatever went wrong then", "1",
		"TLS session: synch error before connect", "-37", true },
	{ "B2.2 an error reply to STARTTLS", "0",
		"SMTP error after STARTTLS: 454 4.7.0 later", "0", true },
	{ "B2.2 an error reply to STARTTLS where TLS is required", "0",
		"a TLS session is required, but an attempt to start TLS failed",
		"-38", true },
	{ "B2.2 an error reply, and the message went on in clear", "0", NULL,
		"", true },
	{ "B2.2 reset before the alert was read", "1",
		"Connection reset by peer", "104", true },
};

static void test_handshake(void **state)
{
	const struct handshake *row = *state;
	static unsigned number;
	char address[32], wanted[128];

	snprintf(address, sizeof(address), "192.0.2.%u", ++number);
	assert_int_equal(make_spool(NULL), 0);
	start(TESTING, HOST, address);
	event_with("tcp:connect", "");
	event_with("smtp:connect", "");
	event_with("smtp:ehlo", "250-mx\n250 STARTTLS");
	host_set("$tls_out_ocsp", row->ocsp);
	event_with("tcp:close", "");
	assert_string_equal(journal(), ""); /* whose it is is not known yet */
	host_set("$event_defer_errno", row->deferred);
	if (row->why != NULL)
		event_with("msg:host:defer", row->why);
	else
		event_with("tcp:connect", ""); /* or the process ends */
	snprintf(wanted, sizeof(wanted), FAILED "%u;", number);
	assert_string_equal(journal(), row->counts ? wanted : "");
	rtls_session_flush();
	assert_string_equal(journal(), row->counts ? wanted : "");
	assert_int_equal(remove_spool(NULL), 0);
}

/* Exim tries again in clear: not another session, whosever fault the first was.
 */
static void test_clear_retry(void **state)
{
	(void)state;
	start(TESTING, HOST, "192.0.2.99");
	for (int i = 0; i < 2; i++) {
		event_with("tcp:connect", "");
		event_with("smtp:connect", "");
		event_with("smtp:ehlo", "250-mx\n250 STARTTLS");
		host_set("$tls_out_ocsp", "0");
		event_with("tcp:close", "");
		host_set("$event_defer_errno", "-37");
		if (i == 0)
			event_with("msg:host:defer", "TLS session: (x)");
	}
	rtls_session_flush();
	assert_string_equal(journal(), "");
}

/* B2.4: whatever the transport has for event_action. */
static void test_relaxed(void **state)
{
	(void)state;
	start("class=relaxed", HOST, "192.0.2.97");
	event_with("tcp:connect", "");
	event_with("smtp:connect", "");
	event_with("smtp:ehlo", "250-mx\n250 HELP");
	event_with("tcp:close", "");
	rtls_session_flush();
	assert_string_equal(journal(), "");
}

/* What is held when the process ends is written. */
static void test_end_of_process(void **state)
{
	const pid_t pid = fork();
	int status = 0;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		start(TESTING, HOST, "192.0.2.98");
		event_with("tcp:connect", "");
		event_with("smtp:connect", "");
		event_with("smtp:ehlo", "250-mx\n250 STARTTLS");
		host_set("$tls_out_ocsp", "0");
		event_with("tcp:close", "");
		exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(journal(), FAILED "98;");
}

int main(void)
{
	enum {
		LOOKUPS = sizeof(lookups) / sizeof(lookups[0]),
		HANDSHAKES = sizeof(handshakes) / sizeof(handshakes[0]),
		MORE = 4
	};
	const struct CMUnitTest more[MORE] = { TEST(test_lookup_of_nobody),
		TEST(test_clear_retry), TEST(test_relaxed),
		TEST(test_end_of_process) };
	struct CMUnitTest tests[LOOKUPS + HANDSHAKES + MORE];

	for (size_t i = 0; i < LOOKUPS; i++)
		tests[i] = (struct CMUnitTest){ .name = lookups[i].proves,
			.test_func = test_lookup,
			.initial_state = (void *)(size_t)&lookups[i] };
	for (size_t i = 0; i < HANDSHAKES; i++)
		tests[LOOKUPS + i] =
			(struct CMUnitTest){ .name = handshakes[i].proves,
				.test_func = test_handshake,
				.initial_state =
					(void *)(size_t)&handshakes[i] };
	memcpy(tests + LOOKUPS + HANDSHAKES, more, sizeof(more));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
