/* check_hosts.c - look at each address of each MX host, and at the policy host. */
#include <stdio.h>
#include <string.h>

#include "policy/timestamp.h"
#include "resolve/address.h"
#include "resolve/probes.h"
#include "tool/check.h"

#define ADDRESSES_MAX 4 /* of a host and family */
#define SOON_DAYS     14
#define OWN_SOON_DAYS 21
#define OWN_LAST_DAYS 7
#define LABEL_SIZE    (RTLS_DOMAIN_SIZE + RTLS_PROBE_ADDRESS_SIZE + 4)

/* --- whom to look at ------------------------------------------------------------- */

static void add_tlsa(const struct rtls_check *check, struct rtls_slice host,
	struct rtls_probe_target *target)
{
	const struct rtls_record *record = check->record;

	for (size_t i = 0; i < record->tlsa_count; i++)
		if (rtls_slice_equal(record->tlsa[i].host, host) &&
			rtls_tlsa_is_usable(record->tlsa[i].text))
			target->tlsa[target->tlsa_count++] =
				record->tlsa[i].text;
}

/* Whoever publishes it must not make us talk to our own network. */
static bool is_allowed(struct rtls_check *check, struct rtls_slice host,
	const char *address, const char *topic)
{
	union rtls_address parsed;

	if (!rtls_address_parse(address, &parsed))
		return false;
	if (check->is_named || check->config.fetch_private ||
		rtls_address_is_public(&parsed))
		return true;
	rtls_findings_add(&check->findings, RTLS_FINDING_BAD, topic,
		"no other site can use it: publish a public address",
		"%.*s [%s]: a private or reserved address, not looked at",
		(int)host.size, host.data, address);
	return false;
}

static void add_target(struct rtls_check *check, size_t index,
	struct rtls_slice host, const char *address)
{
	struct rtls_probe_target *target;

	if (check->target_count == RTLS_CHECK_TARGETS_MAX)
		return;
	check->target_host[check->target_count] = index;
	target = &check->target[check->target_count++];
	target->kind =
		index == RTLS_MX_MAX ? RTLS_PROBE_HTTPS : RTLS_PROBE_SMTP;
	(void)rtls_slice_copy(host, target->host, sizeof(target->host));
	(void)snprintf(target->address, sizeof(target->address), "%s", address);
	if (index == RTLS_MX_MAX)
		return;
	target->port = check->host_port[index];
	add_tlsa(check, host, target);
}

static size_t add_targets(struct rtls_check *check, size_t index,
	struct rtls_slice host, const struct rtls_dns_query *query)
{
	const char *topic = index == RTLS_MX_MAX ? "policy-host" : "host";
	size_t count = query->outcome == RTLS_DNS_FOUND ? query->count : 0;
	char address[RTLS_PROBE_ADDRESS_SIZE];

	for (size_t i = 0; i < count && i < ADDRESSES_MAX; i++)
		if (rtls_slice_copy(
			    query->record[i].text, address, sizeof(address)) &&
			is_allowed(check, host, address, topic))
			add_target(check, index, host, address);
	return count;
}

static void add_host(struct rtls_check *check, size_t index)
{
	const struct rtls_check_host *found = &check->host[index];
	struct rtls_slice host = check->record->mx[index].host;

	if (add_targets(check, index, host, found->a) +
			add_targets(check, index, host, found->aaaa) >
		0)
		return;
	if (check->is_named && found->a->outcome != RTLS_DNS_FAILED &&
		found->aaaa->outcome != RTLS_DNS_FAILED)
		rtls_findings_add(&check->findings, RTLS_FINDING_UNKNOWN,
			"host", "is it in /etc/hosts? That is not looked at",
			"%.*s: no address in DNS", (int)host.size, host.data);
	else if (found->a->outcome == RTLS_DNS_FAILED ||
		 found->aaaa->outcome == RTLS_DNS_FAILED)
		rtls_findings_add(&check->findings, RTLS_FINDING_UNKNOWN,
			"host", "look at the name servers of its zone",
			"%.*s: its address lookup failed", (int)host.size,
			host.data);
	else
		rtls_findings_add(&check->findings, RTLS_FINDING_BAD, "host",
			"give it an address, or take it out of the MX records",
			"%.*s: no address", (int)host.size, host.data);
}

/* One address of it is enough: it is not mail that goes there. */
static void add_policy_host(struct rtls_check *check)
{
	char host[RTLS_DOMAIN_SIZE + 16];
	const struct rtls_check_host *found = &check->policy_host;

	if (found->a == NULL)
		return;
	(void)snprintf(host, sizeof(host), "mta-sts.%s", check->domain);
	if (add_targets(check, RTLS_MX_MAX, rtls_slice(host), found->a) == 0)
		(void)add_targets(
			check, RTLS_MX_MAX, rtls_slice(host), found->aaaa);
}

/* --- findings -------------------------------------------------------------------- */

struct subject {
	struct rtls_check *check;
	const struct rtls_probe *probe;
	const struct rtls_mx *mx; /* NULL: the policy host */
	char label[LABEL_SIZE];   /* "mx.example [192.0.2.1]" */
	bool is_alone;    /* no other address of the host could be reached */
	bool is_demanded; /* a policy demands good TLS of it */
};

static bool is_dane(const struct subject *subject)
{
	return subject->mx != NULL && subject->mx->tlsa == RTLS_TLSA_SECURE;
}

static enum rtls_finding_level by_demand(const struct subject *subject)
{
	return subject->is_demanded || is_dane(subject) ? RTLS_FINDING_BAD
							: RTLS_FINDING_WARNING;
}

static void judge_connection(const struct subject *subject)
{
	const struct rtls_probe *probe = subject->probe;
	enum rtls_finding_level level = RTLS_FINDING_WARNING;

	if (subject->is_alone)
		level = probe->no_route ? RTLS_FINDING_UNKNOWN
					: RTLS_FINDING_BAD;
	rtls_findings_add(&subject->check->findings, level,
		subject->mx == NULL ? "policy-host" : "host",
		probe->no_route
			? "this machine cannot get there, others may"
			: "it must be reachable; when many hosts are not, is "
			  "outgoing port 25 closed here?",
		"%s: cannot be reached: %s", subject->label, probe->why);
}

static void judge_banner(const struct subject *subject)
{
	const struct rtls_probe *probe = subject->probe;
	bool is_good = probe->step > RTLS_PROBE_EHLO;

	rtls_findings_add(&subject->check->findings,
		is_good ? RTLS_FINDING_GOOD : RTLS_FINDING_BAD, "host",
		is_good ? NULL : "a mail server must answer there, in time",
		"%s: %s%s%s", subject->label, is_good ? "\"" : "",
		is_good ? probe->banner : probe->why, is_good ? "\"" : "");
}

static void judge_starttls(const struct subject *subject)
{
	const struct rtls_probe *probe = subject->probe;
	bool is_refused = probe->has_starttls;

	if (probe->step != RTLS_PROBE_STARTTLS &&
		probe->step != RTLS_PROBE_HANDSHAKE)
		return;
	rtls_findings_add(&subject->check->findings,
		is_refused ? RTLS_FINDING_BAD : by_demand(subject), "starttls",
		is_refused ? "TLS must work where STARTTLS is offered"
			   : "offer STARTTLS: all mail to it goes in clear",
		"%s: %s", subject->label, probe->why);
}

static void judge_tls(const struct subject *subject)
{
	const struct rtls_probe *probe = subject->probe;

	if (probe->tls[0] == '\0')
		return;
	rtls_findings_add(&subject->check->findings,
		probe->is_old_tls ? RTLS_FINDING_WARNING : RTLS_FINDING_GOOD,
		"tls", probe->is_old_tls ? "TLS 1.2 at least (RFC 8996)" : NULL,
		"%s: %s", subject->label, probe->cipher);
	if (probe->step == RTLS_PROBE_EHLO_INSIDE)
		rtls_findings_add(&subject->check->findings, RTLS_FINDING_BAD,
			"tls", "SMTP must go on inside TLS",
			"%s: inside TLS: %s", subject->label, probe->why);
}

/* "certificate for a b, issued by CN=..., expires 2026-12-01 (6 days)" */
static void describe(const struct subject *subject, char *out, size_t size)
{
	const struct rtls_certificate *certificate =
		&subject->probe->certificate;
	int64_t days =
		(certificate->until_s - subject->check->now_s) / RTLS_DAY_S;
	char date[RTLS_DATE_SIZE];

	(void)snprintf(out, size,
		"for %s, issued by %s, %s %s (%lld days), %u in the chain",
		certificate->names[0] != '\0' ? certificate->names : "no name",
		certificate->issuer,
		certificate->until_s < subject->check->now_s ? "expired"
							     : "expires",
		rtls_date_format(date, certificate->until_s), (long long)days,
		certificate->chain_count);
}

/* Its owner has to know earlier: who renews by a timer does so a month before. */
static enum rtls_finding_level level_of_days(const struct subject *subject)
{
	int64_t days =
		(subject->probe->certificate.until_s - subject->check->now_s) /
		RTLS_DAY_S;

	if (subject->check->is_own && days < OWN_LAST_DAYS)
		return RTLS_FINDING_BAD;
	return days < (subject->check->is_own ? OWN_SOON_DAYS : SOON_DAYS)
		       ? RTLS_FINDING_WARNING
		       : RTLS_FINDING_GOOD;
}

static void judge_good_certificate(
	const struct subject *subject, const char *topic, const char *text)
{
	enum rtls_finding_level level = level_of_days(subject);

	rtls_findings_add(&subject->check->findings, level, topic,
		level != RTLS_FINDING_GOOD
			? "renew it now, and see why that has not happened by "
			  "itself"
			: NULL,
		"%s: good: %s", subject->label, text);
}

static const char *advise(const struct subject *subject)
{
	switch (subject->probe->pkix.result) {
	case RTLS_RESULT_CERTIFICATE_EXPIRED:
		return "renew it, and have the server load the new one";
	case RTLS_RESULT_CERTIFICATE_HOST_MISMATCH:
		return "it needs a DNS name (SAN) that is the host's; its CN "
		       "does not count";
	default:
		return "get one of a public CA, and send the whole chain";
	}
}

static void judge_bad_certificate(
	const struct subject *subject, const char *topic, const char *text)
{
	const struct rtls_probe *probe = subject->probe;
	bool is_by_dane = probe->has_dane &&
			  probe->dane.result == RTLS_RESULT_SUCCESS &&
			  !subject->is_demanded;

	rtls_findings_add(&subject->check->findings,
		is_by_dane             ? RTLS_FINDING_GOOD
		: subject->is_demanded ? RTLS_FINDING_BAD
				       : RTLS_FINDING_WARNING,
		topic, is_by_dane ? NULL : advise(subject),
		"%s: certificate %s (%s)%s: %s", subject->label,
		probe->pkix.text, rtls_result_name(probe->pkix.result),
		is_by_dane ? ", which DANE makes up for" : "", text);
}

static void judge_certificate(const struct subject *subject)
{
	const struct rtls_probe *probe = subject->probe;
	const char *topic = subject->mx == NULL ? "policy-host" : "certificate";
	char text[640];

	if (!probe->has_certificate)
		return;
	describe(subject, text, sizeof(text));
	if (!probe->is_judged)
		rtls_findings_add(&subject->check->findings,
			RTLS_FINDING_UNKNOWN, topic, "look at the key ca_file",
			"%s: certificate %s", subject->label, probe->pkix.text);
	else if (probe->pkix.result == RTLS_RESULT_SUCCESS)
		judge_good_certificate(subject, topic, text);
	else
		judge_bad_certificate(subject, topic, text);
}

static void judge_dane(const struct subject *subject)
{
	const struct rtls_probe *probe = subject->probe;
	bool is_good = probe->dane.result == RTLS_RESULT_SUCCESS;

	if (!probe->has_dane)
		return;
	rtls_findings_add(&subject->check->findings,
		is_good ? RTLS_FINDING_GOOD : RTLS_FINDING_BAD, "dane",
		is_good ? NULL
			: "senders with DANE do not deliver there: publish TLSA "
			  "records of the certificate in use, the next one's "
			  "before it changes",
		is_good ? "%s: the certificate fits a TLSA record"
			: "%s: the certificate fits no TLSA record: %s",
		subject->label, probe->dane.text);
}

static void judge_requiretls(const struct subject *subject)
{
	const struct rtls_probe *probe = subject->probe;

	if (probe->step != RTLS_PROBE_DONE)
		return;
	if (probe->has_requiretls)
		rtls_findings_add(&subject->check->findings, RTLS_FINDING_GOOD,
			"requiretls", NULL, "%s: offered inside TLS",
			subject->label);
	else
		rtls_findings_add(&subject->check->findings,
			RTLS_FINDING_WARNING, "requiretls",
			"its server cannot take mail that is flagged "
			"REQUIRETLS (RFC 8689)",
			"%s: not offered", subject->label);
	if (probe->has_requiretls_in_clear)
		rtls_findings_add(&subject->check->findings, RTLS_FINDING_BAD,
			"requiretls",
			"it must be offered inside TLS only (RFC 8689 section "
			"2)",
			"%s: offered in clear", subject->label);
}

static void judge(const struct subject *subject)
{
	if (subject->probe->step == RTLS_PROBE_CONNECT) {
		judge_connection(subject);
		return;
	}
	if (subject->mx == NULL) {
		judge_certificate(subject);
		return;
	}
	judge_banner(subject);
	judge_starttls(subject);
	judge_tls(subject);
	judge_certificate(subject);
	judge_dane(subject);
	judge_requiretls(subject);
}

/* Was no address of that host reached? */
static bool is_alone(const struct rtls_check *check, size_t host)
{
	for (size_t i = 0; i < check->target_count; i++)
		if (check->target_host[i] == host &&
			check->probe[i].step > RTLS_PROBE_CONNECT)
			return false;
	return true;
}

static void judge_target(struct rtls_check *check, size_t index)
{
	const struct rtls_probe_target *target = &check->target[index];
	size_t host = check->target_host[index];
	struct subject subject = { .check = check,
		.probe = &check->probe[index],
		.is_alone = is_alone(check, host) };

	if (host != RTLS_MX_MAX)
		subject.mx = &check->record->mx[host];
	subject.is_demanded =
		host == RTLS_MX_MAX ||
		(check->has_policy && check->policy.mode != RTLS_STS_NONE);
	(void)snprintf(subject.label, sizeof(subject.label), "%s [%s]",
		target->host, target->address);
	judge(&subject);
}

static void show_progress(void *context, size_t count)
{
	const struct rtls_check *check = context;

	rtls_check_progress(check, "%zu of %zu addresses looked at", count,
		check->target_count);
}

void rtls_check_hosts(struct rtls_check *check)
{
	struct rtls_probes probes = { check->target, check->probe, 0 };

	add_policy_host(check);
	for (size_t i = 0; i < check->record->mx_count; i++)
		add_host(check, i);
	probes.count = check->target_count;
	rtls_probes_run(&check->config, &probes, rtls_check_left_ms(check),
		show_progress, check);
	for (size_t i = 0; i < check->target_count; i++)
		judge_target(check, i);
	if (check->target_count == RTLS_CHECK_TARGETS_MAX)
		rtls_findings_add(&check->findings, RTLS_FINDING_UNKNOWN,
			"host", NULL,
			"more than %d addresses: the others were not looked at",
			RTLS_CHECK_TARGETS_MAX);
}

/* --- JSON ------------------------------------------------------------------------- */

static json_t *verdict_json(
	bool is_there, const struct rtls_certificate_verdict *verdict)
{
	return is_there ? json_pack("{s:s, s:s}", "result",
				  rtls_result_name(verdict->result), "text",
				  verdict->text)
			: json_null();
}

static json_t *certificate_json(const struct rtls_probe *probe)
{
	const struct rtls_certificate *certificate = &probe->certificate;
	char from[RTLS_TIMESTAMP_SIZE], until[RTLS_TIMESTAMP_SIZE];

	if (!probe->has_certificate)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:o, s:o}", "names",
		certificate->names, "issuer", certificate->issuer, "from",
		rtls_timestamp_format(from, certificate->from_s), "until",
		rtls_timestamp_format(until, certificate->until_s), "chain",
		(int)certificate->chain_count, "pkix",
		verdict_json(probe->is_judged, &probe->pkix), "dane",
		verdict_json(probe->has_dane, &probe->dane));
}

static const char *const step_names[] = {
	[RTLS_PROBE_CONNECT] = "connect",
	[RTLS_PROBE_BANNER] = "banner",
	[RTLS_PROBE_EHLO] = "ehlo",
	[RTLS_PROBE_STARTTLS] = "starttls",
	[RTLS_PROBE_HANDSHAKE] = "handshake",
	[RTLS_PROBE_EHLO_INSIDE] = "ehlo-inside",
	[RTLS_PROBE_DONE] = "done",
};

static json_t *target_json(
	const struct rtls_probe_target *target, const struct rtls_probe *probe)
{
	return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:b, s:b, s:s, s:s, "
			 "s:i, s:o}",
		"host", target->host, "address", target->address, "port",
		(int)rtls_probe_port(target), "step", step_names[probe->step],
		"why", probe->why, "banner", probe->banner, "starttls",
		(int)probe->has_starttls, "requiretls",
		(int)probe->has_requiretls, "tls", probe->tls, "cipher",
		probe->cipher, "ms", (int)probe->took_ms, "certificate",
		certificate_json(probe));
}

json_t *rtls_check_hosts_json(const struct rtls_check *check)
{
	json_t *list = json_array();

	for (size_t i = 0; i < check->target_count && list != NULL; i++)
		if (json_array_append_new(list,
			    target_json(&check->target[i], &check->probe[i])) !=
			0) {
			json_decref(list);
			list = NULL;
		}
	return list;
}
