/* probe.c - see probe.h. Each step either fails, and says why, or leaves the connection to the
 * next. */
#include "probe.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/ehlo.h"
#include "policy/smtp_reply.h"
#include "stream.h"
#include "tls/dane.h"

#define PORT_SMTP  25
#define PORT_HTTPS 443
#define NAME_SIZE  300

struct dialogue {
	const struct rtls_config *config;
	const struct rtls_probe_target *target;
	struct rtls_probe *probe;
	struct rtls_stream stream;
	int64_t started_ms;
	unsigned time_ms;
	char received[RTLS_SMTP_REPLY_MAX];
	size_t received_size;
	struct rtls_smtp_reply reply; /* the last one; borrows from received */
	struct rtls_err err;
};

static bool fail(struct dialogue *dialogue, const char *why)
{
	(void)snprintf(
		dialogue->probe->why, sizeof(dialogue->probe->why), "%s", why);
	return false;
}

static bool fail_stream(struct dialogue *dialogue, enum rtls_status status)
{
	return fail(dialogue, status == RTLS_NONE ? "the connection was closed"
						  : dialogue->err.text);
}

/* --- SMTP ---------------------------------------------------------------------- */

static void forget_reply(struct dialogue *dialogue)
{
	size_t size = dialogue->reply.lines.size;

	memmove(dialogue->received, dialogue->received + size,
		dialogue->received_size - size);
	dialogue->received_size -= size;
	dialogue->reply = (struct rtls_smtp_reply){ .code = 0 };
}

static bool read_more(struct dialogue *dialogue)
{
	size_t size = 0;
	enum rtls_status status = rtls_stream_read(&dialogue->stream,
		dialogue->received + dialogue->received_size,
		sizeof(dialogue->received) - dialogue->received_size, &size,
		&dialogue->err);

	dialogue->received_size += size;
	return status == RTLS_OK || fail_stream(dialogue, status);
}

/* The next reply; a buffer that is full has one in it, or none ever. */
static bool read_reply(struct dialogue *dialogue)
{
	forget_reply(dialogue);
	for (;;) {
		switch (rtls_smtp_reply_take(rtls_slice_n(dialogue->received,
						     dialogue->received_size),
			&dialogue->reply, &dialogue->err)) {
		case RTLS_OK:
			return true;
		case RTLS_NONE:
			if (!read_more(dialogue))
				return false;
			break;
		default:
			return fail(dialogue, dialogue->err.text);
		}
	}
}

static bool is_positive(const struct dialogue *dialogue)
{
	return dialogue->reply.code / 100 == 2;
}

static bool fail_reply(struct dialogue *dialogue, const char *to)
{
	struct rtls_quoted quoted;

	(void)snprintf(dialogue->probe->why, sizeof(dialogue->probe->why),
		"%s is answered by \"%u %s\"", to, dialogue->reply.code,
		rtls_quoted(&quoted, dialogue->reply.text));
	return false;
}

static bool command(struct dialogue *dialogue, const char *line)
{
	enum rtls_status status = rtls_stream_write(
		&dialogue->stream, rtls_slice(line), &dialogue->err);

	if (status != RTLS_OK)
		return fail_stream(dialogue, status);
	return read_reply(dialogue);
}

/* The machine's name where it is one, as Exim does; else what nobody can find fault with. */
static void name_ourselves(char name[NAME_SIZE])
{
	char host[NAME_SIZE] = "", normalized[RTLS_DOMAIN_SIZE];

	if (gethostname(host, sizeof(host) - 1) != 0 ||
		strchr(host, '.') == NULL ||
		rtls_domain_normalize(rtls_slice(host), normalized) != RTLS_OK)
		(void)snprintf(normalized, sizeof(normalized), "localhost");
	(void)snprintf(name, NAME_SIZE, "%s", normalized);
}

static bool say_ehlo(struct dialogue *dialogue, struct rtls_ehlo *ehlo)
{
	char name[NAME_SIZE], line[NAME_SIZE + 8];

	name_ourselves(name);
	(void)snprintf(line, sizeof(line), "EHLO %s\r\n", name);
	if (!command(dialogue, line))
		return false;
	if (!is_positive(dialogue))
		return fail_reply(dialogue, "EHLO");
	rtls_ehlo_parse(dialogue->reply.lines, ehlo);
	return true;
}

/* --- the steps ------------------------------------------------------------------- */

unsigned rtls_probe_port(const struct rtls_probe_target *target)
{
	if (target->port != 0)
		return target->port;
	return target->kind == RTLS_PROBE_SMTP ? PORT_SMTP : PORT_HTTPS;
}

static bool step_connect(struct dialogue *dialogue)
{
	const struct rtls_probe_target *target = dialogue->target;
	enum rtls_status status = rtls_stream_open(&dialogue->stream,
		target->address, rtls_probe_port(target),
		dialogue->config->connect_timeout_ms,
		dialogue->started_ms + dialogue->time_ms, &dialogue->err);

	dialogue->probe->no_route = dialogue->stream.no_route;
	return status == RTLS_OK || fail_stream(dialogue, status);
}

static bool step_banner(struct dialogue *dialogue)
{
	if (!read_reply(dialogue))
		return false;
	rtls_quote(dialogue->probe->banner, sizeof(dialogue->probe->banner),
		dialogue->reply.text);
	return is_positive(dialogue) || fail_reply(dialogue, "the connection");
}

static bool step_ehlo(struct dialogue *dialogue)
{
	struct rtls_ehlo ehlo;

	if (!say_ehlo(dialogue, &ehlo))
		return false;
	dialogue->probe->has_starttls = ehlo.starttls;
	dialogue->probe->has_requiretls_in_clear = ehlo.requiretls;
	return true;
}

/* What comes in clear behind the reply would be read as if it had come inside TLS. */
static bool step_starttls(struct dialogue *dialogue)
{
	if (!dialogue->probe->has_starttls)
		return fail(dialogue, "STARTTLS is not offered");
	if (!command(dialogue, "STARTTLS\r\n"))
		return false;
	if (!is_positive(dialogue))
		return fail_reply(dialogue, "STARTTLS");
	forget_reply(dialogue);
	if (dialogue->received_size > 0)
		return fail(dialogue,
			"data in clear behind the answer to STARTTLS");
	return true;
}

static void describe_tls(struct dialogue *dialogue)
{
	struct rtls_probe *probe = dialogue->probe;
	gnutls_session_t session = dialogue->stream.session;
	gnutls_protocol_t version = gnutls_protocol_get_version(session);
	const char *name = gnutls_protocol_get_name(version);
	char *suite = gnutls_session_get_desc(session);

	(void)snprintf(probe->tls, sizeof(probe->tls), "%s",
		name != NULL ? name : "?");
	probe->is_old_tls = version < GNUTLS_TLS1_2;
	(void)snprintf(probe->cipher, sizeof(probe->cipher), "%s",
		suite != NULL ? suite : "?");
	gnutls_free(suite);
}

static void judge_chain(struct dialogue *dialogue)
{
	const struct rtls_probe_target *target = dialogue->target;
	struct rtls_probe *probe = dialogue->probe;
	struct rtls_chain chain = { .count = 0 };

	if (rtls_stream_chain(&dialogue->stream, &chain) == RTLS_OK &&
		rtls_certificate_describe(&chain, &probe->certificate) ==
			RTLS_OK) {
		probe->has_certificate = true;
		probe->is_judged = rtls_chain_judge(&chain, target->host,
					   dialogue->config->ca_file,
					   &probe->pkix) == RTLS_OK;
		probe->has_dane = target->tlsa_count > 0;
		if (probe->has_dane)
			rtls_dane_judge(&chain, target->tlsa,
				target->tlsa_count, target->host, &probe->dane);
	}
	rtls_chain_clear(&chain);
}

static bool step_handshake(struct dialogue *dialogue)
{
	enum rtls_status status = rtls_stream_start_tls(
		&dialogue->stream, dialogue->target->host, &dialogue->err);

	judge_chain(dialogue);
	if (status != RTLS_OK)
		return fail_stream(dialogue, status);
	describe_tls(dialogue);
	return true;
}

/* In the end a word of farewell, whose answer nobody waits for. */
static bool step_ehlo_inside(struct dialogue *dialogue)
{
	enum rtls_status ignored;
	struct rtls_ehlo ehlo;

	if (!say_ehlo(dialogue, &ehlo))
		return false;
	dialogue->probe->has_requiretls = ehlo.requiretls;
	ignored = rtls_stream_write(
		&dialogue->stream, rtls_slice("QUIT\r\n"), &dialogue->err);
	(void)ignored;
	return true;
}

struct step {
	bool (*take)(struct dialogue *dialogue);
	enum rtls_probe_step step;
	bool is_smtp_only;
};

static const struct step steps[] = {
	{ step_connect, RTLS_PROBE_CONNECT, false },
	{ step_banner, RTLS_PROBE_BANNER, true },
	{ step_ehlo, RTLS_PROBE_EHLO, true },
	{ step_starttls, RTLS_PROBE_STARTTLS, true },
	{ step_handshake, RTLS_PROBE_HANDSHAKE, false },
	{ step_ehlo_inside, RTLS_PROBE_EHLO_INSIDE, true },
};

void rtls_probe_run(const struct rtls_config *config,
	const struct rtls_probe_target *target, unsigned time_ms,
	struct rtls_probe *probe)
{
	struct dialogue dialogue = { .config = config,
		.target = target,
		.probe = probe,
		.stream = { .fd = -1 },
		.started_ms = rtls_stream_now_ms(),
		.time_ms = time_ms };

	memset(probe, 0, sizeof(*probe));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].is_smtp_only && target->kind != RTLS_PROBE_SMTP)
			continue;
		probe->step = steps[i].step;
		if (!steps[i].take(&dialogue))
			break;
		probe->step = RTLS_PROBE_DONE;
	}
	rtls_stream_close(&dialogue.stream);
	probe->took_ms = (unsigned)(rtls_stream_now_ms() - dialogue.started_ms);
}
