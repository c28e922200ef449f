/* fuzz_session.c - one delivery attempt. The first line is $address_data, the second the host, the
 * third the transport; the others are events, one letter and their data:
 *
 *   c tcp:connect   b smtp:connect   e smtp:ehlo ("|" for line ends)   t the EHLO inside TLS
 *   x tls:cert ("0" and base64 behind it)   d dane:fail   z tcp:close
 *   h msg:host:defer   m msg:defer
 *
 * Whatever comes, nothing but printable words reaches Exim and its log; and a certificate that does
 * not name the host is refused where something insists on it. */
#include <string.h>

#include "../exim/host.h"
#include "exim/session.h"
#include "fuzz.h"

#define INPUT_SIZE 4096
#define EVENTS_MAX 16

static const char *const names[] = { ['b'] = "smtp:connect",
	['c'] = "tcp:connect",
	['d'] = "dane:fail",
	['e'] = "smtp:ehlo",
	['h'] = "msg:host:defer",
	['m'] = "msg:defer",
	['t'] = "smtp:ehlo",
	['x'] = "tls:cert",
	['z'] = "tcp:close" };

static const char *event(const char *name, char *data)
{
	char copy[32];
	uschar *arguments[] = { (uschar *)copy, (uschar *)data, NULL };
	uschar *yield = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", name);
	PROPERTY(requiretls_session(&yield, 2, arguments) == OK);
	PROPERTY(yield != NULL);
	for (const uschar *at = yield; *at != '\0'; at++)
		PROPERTY(*at >= ' ' && *at <= '~');
	return (const char *)yield;
}

/* The part of the text up to the separator, terminated; moves on behind it. */
static char *take(char **rest, char separator)
{
	char *text = *rest, *end = strchr(text, separator);

	*rest = end == NULL ? text + strlen(text) : end + 1;
	if (end != NULL)
		*end = '\0';
	return text;
}

static void raise_event(char kind, char *data)
{
	char empty[] = "", *number;

	if (kind == 'x') {
		number = take(&data, ' ');
		host_set("${base64:$tls_out_peercert}", data);
		data = number;
	}
	if (kind == 't')
		host_set("$tls_out_cipher", "TLS1.3");
	if (kind == 'c')
		host_set("$tls_out_cipher", empty);
	for (char *at = data; kind == 'e' && *at != '\0'; at++)
		if (*at == '|')
			*at = '\n';
	(void)event(names[(unsigned char)kind], data);
}

/* A host whose certificate is none may not have what has to be protected. */
static void check_nameless(const char *plan_text)
{
	struct rtls_session_plan plan;
	char zero[] = "0", empty[] = "";

	if (rtls_session_plan_parse(rtls_slice(plan_text), &plan) != RTLS_OK ||
		!rtls_session_plan_insists(&plan))
		return;
	(void)event("tcp:connect", empty);
	host_set("${base64:$tls_out_peercert}", "MAA=");
	PROPERTY(*event("tls:cert", zero) != '\0');
	(void)event("tcp:close", empty);
}

static void check_log(void)
{
	for (const char *at = host_log(); *at != '\0'; at++)
		PROPERTY(*at == '\n' || (*at >= ' ' && *at <= '~'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char input[INPUT_SIZE], empty[] = "", *rest = input, *plan;

	if (!rtls_slice_copy(fuzz_input(data, size), input, sizeof(input)))
		return 0;
	host_reset();
	(void)strcpy(host_config()->ca_file, "/nonexistent");
	(void)strcpy(host_config()->spool, "/nonexistent/spool");
	plan = take(&rest, '\n');
	host_set("$address_data", plan);
	host_set("$host", take(&rest, '\n'));
	host_set("$transport_name", take(&rest, '\n'));
	host_set("$host_address", "192.0.2.1");
	host_set("$domain", "fuzz.example");
	host_set("$message_exim_id", "1xUtst-000SPI-0J");
	for (int i = 0; i < EVENTS_MAX && *rest != '\0'; i++) {
		char *line = take(&rest, '\n');

		if ((unsigned char)*line < sizeof(names) / sizeof(names[0]) &&
			names[(unsigned char)*line] != NULL)
			raise_event(*line, line + 1);
	}
	check_nameless(plan);
	(void)event("tcp:close", empty);
	(void)event("tcp:connect", empty); /* forgets the certificates */
	check_log();
	host_reset();
	return 0;
}
