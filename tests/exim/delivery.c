/* delivery.c - see delivery.h. */
#include "delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exim/session.h"
#include "host.h"

#define ERRNO_EVENT       "-59"
#define ERRNO_DNSDEFER    "-36"
#define ERRNO_TLSFAILURE  "-37"
#define ERRNO_TLSREQUIRED "-38"
#define ERRNO_REPLY       "0" /* an error reply to a command */

#define SMTP_PORT     25
#define USAGE_DANE_EE "8" /* as a bit: 1 << 3 */

/* The options that matter. observe stands for a site's remote_smtp with nothing but
 * event_action: Exim's defaults. */
static const struct transport {
	const char *name;
	bool events;      /* event_action */
	bool insists;     /* hosts_require_tls, tls_verify_hosts */
	bool tries_clear; /* tls_tempfail_tryclear */
	bool tries_dane;  /* hosts_try_dane */
	bool own_hosts; /* manualroute, bydns: DNSSEC is that of the address */
} transports[] = {
	[RTLS_CLASS_STRICT] = { "requiretls_strict", true, true, false, true,
		true },
	[RTLS_CLASS_ENFORCE] = { "requiretls_enforce", true, true, false, true,
		true },
	[RTLS_CLASS_OBSERVE] = { "remote_smtp", true, false, true, true,
		false },
	[RTLS_CLASS_RELAXED] = { "requiretls_relaxed", false, false, true,
		false, false },
};

struct attempt {
	const struct host_facts *facts;
	const struct transport *transport;
	unsigned port;
	bool suppress_tls; /* the second attempt at this host, in clear */
	bool dane;         /* secure TLSA of any kind: conn_args.dane */
	bool dane_usable;  /* and dane_tlsa_load() found some to check */
	bool tls;
	const char *defer_errno;
};

static const char *raise_with(
	const struct attempt *attempt, const char *name, const char *data)
{
	char *name_copy = strdup(name), *data_copy = strdup(data);
	uschar *arguments[] = { (uschar *)name_copy, (uschar *)data_copy,
		NULL };
	uschar *yield = NULL;

	if (attempt->transport->events)
		requiretls_session(&yield, 2, arguments);
	free(name_copy);
	free(data_copy);
	return yield == NULL ? "" : (const char *)yield;
}

static const char *raise_event(const struct attempt *attempt, const char *name)
{
	return raise_with(attempt, name, "");
}

/* Each ends the session with the host deferred. */
static bool give_up(struct attempt *attempt, const char *defer_errno)
{
	attempt->defer_errno = defer_errno;
	return false;
}

static bool hang_up(struct attempt *attempt, const char *defer_errno)
{
	raise_event(attempt, "tcp:close");
	return give_up(attempt, defer_errno);
}

/* check_force_dane_conn(), before the connection. A dnslookup router leaves a host secure only
 * behind a secure MX answer; with bydns its address alone counts. TLSA is asked for
 * at the port in use. false: the lookup failed. */
static bool dane_lookup(struct attempt *attempt)
{
	const struct host_facts *facts = attempt->facts;

	attempt->dane = attempt->dane_usable = false;
	if (!attempt->transport->tries_dane ||
		(!attempt->transport->own_hosts && !facts->mx_secure) ||
		attempt->port != SMTP_PORT || facts->tlsa == TLSA_ABSENT)
		return true;
	if (facts->tlsa == TLSA_SERVFAIL) {
		raise_with(attempt, "dane:fail", "dnssec-invalid");
		return false;
	}
	attempt->dane = true;
	attempt->dane_usable = facts->tlsa != TLSA_UNUSABLE;
	return true;
}

/* verify_cb(): during the handshake, the leaf last. */
static bool show_certificates(const struct attempt *attempt)
{
	const struct shown *shown = attempt->facts->shown;
	char depth[16];

	host_set("$tls_out_tlsa_usage",
		attempt->dane_usable ? USAGE_DANE_EE : "0");
	for (unsigned i = shown->count; i-- > 0;) {
		host_set("${base64:$tls_out_peercert}", shown->base64[i]);
		snprintf(depth, sizeof(depth), "%u", i);
		if (*raise_with(attempt, "tls:cert", depth) != '\0')
			return false;
	}
	return true;
}

/* verify_certificate(), after the handshake. With usable TLSA nothing else counts; without, a
 * failure counts where verification is required. */
static bool verify(const struct attempt *attempt)
{
	const struct shown *shown = attempt->facts->shown;
	bool verified = shown->chain_holds && shown->name_holds;

	if (attempt->dane_usable)
		verified = attempt->facts->tlsa == TLSA_GOOD;
	host_set("$tls_out_certificate_verified", verified ? "1" : "0");
	host_set("$tls_out_dane", attempt->dane_usable ? "yes" : "no");
	return verified ||
	       (!attempt->dane_usable && !attempt->transport->insists);
}

/* smtp_setup_conn() from STARTTLS on. */
static bool start_tls(struct attempt *attempt)
{
	const enum starttls how = attempt->facts->starttls;

	if (how == STARTTLS_4XX)
		return attempt->transport->tries_clear && !attempt->dane
			       ? true
			       : hang_up(attempt, ERRNO_REPLY);
	host_set("$tls_out_ocsp", "1"); /* the handshake begins */
	if (how == STARTTLS_BREAKS || !show_certificates(attempt) ||
		!verify(attempt)) {
		if (attempt->dane)
			raise_with(attempt, "dane:fail", "validation-failure");
		return hang_up(attempt, ERRNO_TLSFAILURE);
	}
	attempt->tls = true;
	host_set("$tls_out_cipher", "TLS1.3:ECDHE_SECP256R1:256");
	raise_with(attempt, "smtp:ehlo", "250-mx Hello\r\n250 SIZE 1000");
	return true;
}

/* smtp_deliver() to one host; false: deferred. */
static bool session(struct attempt *attempt)
{
	const bool offered = attempt->facts->starttls != STARTTLS_NO;

	host_set("$tls_out_ocsp", "0");
	if (!dane_lookup(attempt))
		return give_up(attempt, ERRNO_DNSDEFER);
	if (*raise_event(attempt, "tcp:connect") != '\0')
		return give_up(attempt, ERRNO_EVENT);
	if (attempt->port != SMTP_PORT)
		return give_up(attempt, "111"); /* nobody listens */
	raise_event(attempt, "smtp:connect");
	raise_with(attempt, "smtp:ehlo",
		offered ? "250-mx Hello\r\n250-STARTTLS\r\n250 SIZE 1000"
			: "250-mx Hello\r\n250 SIZE 1000");
	if (offered && !attempt->suppress_tls && !start_tls(attempt))
		return false;
	if (!attempt->tls && (attempt->dane || attempt->transport->insists)) {
		if (attempt->dane)
			raise_with(
				attempt, "dane:fail", "starttls-not-supported");
		return hang_up(attempt, ERRNO_TLSREQUIRED);
	}
	raise_event(attempt, "tcp:close");
	return true;
}

static void host_deferred(const struct attempt *attempt)
{
	host_set("$event_defer_errno", attempt->defer_errno);
	raise_event(attempt, "msg:host:defer");
}

/* smtp_transport_entry(). */
static bool try_host(struct attempt *attempt)
{
	if (session(attempt))
		return true;
	host_deferred(attempt);
	if (strcmp(attempt->defer_errno, ERRNO_TLSFAILURE) != 0 ||
		!attempt->transport->tries_clear || attempt->dane)
		return false;
	attempt->suppress_tls = true;
	if (session(attempt))
		return true;
	host_deferred(attempt);
	return false;
}

/* What Exim's ${extract{hosts}{$address_data}} gives; in the classes that have it. */
static void extract_hosts(
	const char *address_data, char *hosts, size_t hosts_size)
{
	const char *start = strstr(address_data, " hosts=\"");
	size_t size;

	hosts[0] = '\0';
	if (start == NULL)
		return;
	start += strlen(" hosts=\"");
	size = strcspn(start, "\"");
	snprintf(hosts, hosts_size, "%.*s", (int)size, start);
}

/* Of the n-th of "Host:+:Host::PORT"; there is one list for the classes that have none. */
static unsigned port_of(const char *hosts, size_t n)
{
	const char *end, *port;

	for (; n > 0 && hosts != NULL; n--) {
		hosts = strstr(hosts, ":+:");
		hosts = hosts == NULL ? NULL : hosts + 3;
	}
	if (hosts == NULL)
		return SMTP_PORT;
	end = strstr(hosts, ":+:");
	port = strstr(hosts, "::");
	return port == NULL || (end != NULL && end < port)
		       ? SMTP_PORT
		       : (unsigned)strtoul(port + 2, NULL, 10);
}

/* What the session before has left is gone. */
static void next_host(const struct host_facts *facts, size_t n)
{
	char address[16];

	snprintf(address, sizeof(address), "192.0.2.%u", (unsigned)n + 1);
	host_set("$host", facts->name);
	host_set("$host_address", address);
	host_set("$tls_out_cipher", "");
	host_set("$tls_out_certificate_verified", "0");
	host_set("$tls_out_dane", "no");
	host_set("$tls_out_tlsa_usage", "0");
}

struct delivered delivery_attempt(const struct host_facts *facts, size_t count,
	enum rtls_class class, const char *address_data)
{
	static char hosts[512];
	struct attempt attempt = { .transport = &transports[class] };
	struct delivered delivered = { false };

	extract_hosts(address_data, hosts, sizeof(hosts));
	host_set("$transport_name", attempt.transport->name);
	host_set("$address_data", address_data);
	host_set("${extract{hosts}{$address_data}}", hosts);
	host_set("$sending_ip_address", "203.0.113.1");
	for (size_t n = 0; n < count && !delivered.done; n++) {
		attempt = (struct attempt){ .facts = &facts[n],
			.transport = &transports[class],
			.port = port_of(hosts, n) };
		next_host(&facts[n], n);
		delivered.host = n;
		delivered.done = try_host(&attempt);
	}
	if (!delivered.done)
		raise_event(&attempt, "msg:defer");
	delivered.tls = attempt.tls;
	delivered.insisted = attempt.transport->insists || attempt.dane_usable;
	return delivered;
}
