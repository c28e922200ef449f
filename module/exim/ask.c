/* ask.c - see ask.h. */
#include "exim/ask.h"

#include <stdio.h>
#include <string.h>

#include "exim/api.h"
#include "exim/helper.h"

#define ASKED_AGAIN_S 10

/* What the cache said stays as it is while the program is asked. */
static struct rtls_known from_cache, from_network;

/* Our notes come from the program once per lookup, not once per message. The record's
 * parser lets in nothing but printable ASCII, so they need not be quoted again. */
static void log_notes(const char *domain, const struct rtls_record *record)
{
	for (size_t i = 0; i < record->note_count; i++)
		rtls_exim_log("%s: %.*s", domain, (int)record->note[i].size,
			record->note[i].data);
}

static void read_policy(
	const char *domain, int64_t now_s, struct rtls_known *known)
{
	struct rtls_err err = { "" };

	if (rtls_known_read_policy(known, now_s, &err) != RTLS_OK)
		rtls_exim_log(
			"%s: cached policy ignored: %s", domain, err.text);
}

static void ask_cache(
	const struct rtls_config *config, const char *domain, int64_t now_s)
{
	struct rtls_err err = { "" };
	enum rtls_status status =
		rtls_known_read(config, domain, now_s, &from_cache, &err);

	if (status != RTLS_OK && status != RTLS_NONE)
		rtls_exim_log("%s: cache record ignored: %s", domain, err.text);
	read_policy(domain, now_s, &from_cache);
}

/* A message with many recipients in one domain is routed in one process: ask
 * afresh once for all of them. */
static bool is_asked(const char *domain, int64_t now_s)
{
	static char last[RTLS_DOMAIN_SIZE];
	static int64_t asked_s;

	if (from_network.known && strcmp(last, domain) == 0 &&
		now_s - asked_s < ASKED_AGAIN_S && now_s >= asked_s)
		return true;
	snprintf(last, sizeof(last), "%s", domain);
	asked_s = now_s;
	return false;
}

static bool ask_network(const struct rtls_config *config, const char *domain,
	int64_t now_s, bool fresh)
{
	struct rtls_known *known = &from_network;
	struct rtls_err err = { "" };
	struct rtls_text answer;
	enum rtls_status status;

	if (is_asked(domain, now_s) && fresh)
		return true;

	rtls_text_init(&answer, known->buffer, sizeof(known->buffer));
	status = rtls_helper_resolve(config, domain, fresh, &answer, &err);
	if (status == RTLS_OK)
		status = rtls_record_parse(
			rtls_text_slice(&answer), domain, &known->record, &err);
	known->known = known->resolved = known->asked = status == RTLS_OK;
	if (known->known)
		log_notes(domain, &known->record);
	else
		rtls_exim_log("%s: %s could not resolve it: %s", domain,
			config->program, err.text);
	read_policy(domain, now_s, known);
	return known->known;
}

const struct rtls_known *rtls_ask_known(
	const struct rtls_config *config, const char *domain, int64_t now_s)
{
	ask_cache(config, domain, now_s);
	if (!from_cache.resolved && ask_network(config, domain, now_s, false))
		return &from_network;
	return &from_cache;
}

const struct rtls_known *rtls_ask_again(
	const struct rtls_config *config, const char *domain, int64_t now_s)
{
	return ask_network(config, domain, now_s, true) ? &from_network : NULL;
}
