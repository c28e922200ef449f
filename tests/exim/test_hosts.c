/* test_hosts.c - requiretls_hosts(), the host list for manualroute. Linked with
 * host.c in place of Exim: whether a name is remote, this machine, without address
 * or cannot be looked up is told by its first letter. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "host.h"
#include "policy/record.h"

int requiretls_hosts(uschar **yield, int argc, uschar *argv[]);

#define IGNORED "<; 127.0.0.0/8"

static const struct row {
	const char *proves, *hosts, *wanted;
} rows[] = {
	{ "no list", "", "" },
	{ "one host is not looked up", "F1", "F1" },
	{ "one host, refused", "F1::50000", "F1::50000" },
	{ "nothing to change", "R1:+:R2:R3:+:R4", "R1:+:R2:R3:+:R4" },
	{ "a port is kept", "R1::50000:R2:+:R3::50001",
		"R1::50000:R2:+:R3::50001" },
	{ "what has no address is Exim's to pass over", "N1:+:R1", "N1:+:R1" },
	{ "nor is a failing lookup a reason to leave one out", "R1:F1:+:R2",
		"R1:F1:+:R2" },
	{ "nothing but failing ones", "F1:F2:+:F3", "F1:F2:+:F3" },
	{ "none that is well", "N1:+:F1", "N1:+:F1" },
	{ "we in a group of our own", "R1:+:S1:+:R2", "R1:+:S1" },
	{ "we go before our equals", "R1:+:R2:S1:R3:+:R4", "R1:+:S1" },
	{ "we with a port", "R1:+:R2:S1::50000", "R1:+:S1::50000" },
	{ "we are the best", "S1:+:R1", "S1" },
	{ "we are among the best", "R1:S1:R2:+:R3", "S1" },
	{ "we have two names", "R1:+:S1:+:S2", "R1:+:S1" },
	{ "what is better fails, something is well", "F1:+:R1:+:S1:R2",
		"F1:+:R1:+:S1" },
	{ "nobody knows the better one's address", "192.0.0.8:+:S1:R1",
		"192.0.0.8" },
	{ "nor that of one of several", "192.0.0.8::50000:R1:+:S1",
		"192.0.0.8::50000:R1:+:S1" },
	{ "all that is better fails", "F1:F2:+:S1:+:R1", "F1:F2" },
	{ "what is better does not exist", "N1:+:S1:R1", "N1" },
	{ "what is better fails or does not exist", "N1:F1:+:S1:R1", "N1:F1" },
};

/* The question the module asks Exim about a host. */
static const char *question(const char *name, const char *ignored)
{
	static char texts[64][256];
	static unsigned next;
	char *text = texts[next++ % 64];

	snprintf(text, sizeof(texts[0]),
		"${lookup dnsdb{>; a+=%s}{${if forany{<; $value}"
		"{and{{match_ip{$item}{@[]}}{!match_ip{$item}{%s}}}}"
		"{self}{remote}}}{none}}",
		name, ignored);
	return text;
}

static void tell_world(const char *ignored)
{
	static const struct {
		char letter;
		const char *answer;
	} kinds[] = { { 'R', "remote" }, { 'S', "self" }, { 'N', "none" },
		{ 'F', NULL } };
	char name[3] = "";

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (int n = 1; n <= 4; n++) {
			name[0] = kinds[i].letter;
			name[1] = (char)('0' + n);
			host_set(question(name, ignored), kinds[i].answer);
		}
}

/* Route data: the hosts, and how to look them up. */
static void assert_answer(
	const char *answer, const char *hosts, const char *lookup)
{
	char wanted[1024];

	snprintf(wanted, sizeof(wanted), *hosts == '\0' ? "" : "%s %s", hosts,
		lookup);
	assert_string_equal(answer, wanted);
}

static void test_list(void **state)
{
	const struct row *row = *state;

	host_reset();
	tell_world(IGNORED);
	host_set("${extract{hosts}{$address_data}}", row->hosts);
	assert_answer(
		host_call(requiretls_hosts, IGNORED), row->wanted, "bydns");
}

static void test_without_argument(void **state)
{
	(void)state;
	host_reset();
	tell_world("");
	host_set("${extract{hosts}{$address_data}}", "R1:+:S1:R2");
	assert_answer(host_call(requiretls_hosts, NULL), "R1:+:S1", "bydns");
}

/* An Exim without dnsdb, or with a resolver that is gone: the list as it was. */
static void test_nothing_can_be_asked(void **state)
{
	(void)state;
	host_reset();
	host_set("${extract{hosts}{$address_data}}", "R1:+:S1:R2");
	assert_answer(
		host_call(requiretls_hosts, IGNORED), "R1:+:S1:R2", "bydns");
}

/* Longer than a plan can be: not cut short. */
static void test_too_many(void **state)
{
	char buffer[RTLS_MX_MAX * 8 + 16];
	struct rtls_text list;

	(void)state;
	host_reset();
	tell_world(IGNORED);
	rtls_text_init(&list, buffer, sizeof(buffer));
	rtls_text_printf(&list, "R1");
	for (unsigned i = 0; i < RTLS_MX_MAX; i++)
		rtls_text_printf(&list, ":+:R2");
	host_set("${extract{hosts}{$address_data}}", buffer);
	assert_answer(host_call(requiretls_hosts, IGNORED), buffer, "bydns");
}

/* By name, as the site does it, but where DANE needs DNS. */
static void test_smart_hosts(void **state)
{
	static const struct {
		const char *implicit, *dane, *tlsafail, *hosts, *lookup;
	} smart[] = {
		{ "yes", "", "", "S1::587:+:F1:+:R1", "byname" },
		{ "yes", "R1", "", "R1", "bydns" },
		{ "yes", "", "R1", "R1", "bydns" },
		{ "", "", "", "R1", "bydns" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(smart); i++) {
		host_reset();
		tell_world(IGNORED);
		host_set("${extract{via}{$address_data}}", "x");
		host_set("${extract{implicit}{$address_data}}",
			smart[i].implicit);
		host_set("${extract{dane}{$address_data}}", smart[i].dane);
		host_set("${extract{tlsafail}{$address_data}}",
			smart[i].tlsafail);
		host_set("${extract{hosts}{$address_data}}", smart[i].hosts);
		assert_answer(host_call(requiretls_hosts, IGNORED),
			smart[i].hosts, smart[i].lookup);
	}
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_list, rows);
	check_add(&suite, "without an argument nothing is ignored",
		test_without_argument, NULL);
	check_add(&suite, "nothing can be asked", test_nothing_can_be_asked,
		NULL);
	check_add(&suite, "more hosts than a plan has", test_too_many, NULL);
	check_add(&suite, "smart hosts", test_smart_hosts, NULL);
	return check_run(&suite, "hosts");
}
