/* ask.c - see ask.h. */
#include "exim/ask.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exim/api.h"
#include "exim/helper.h"

#define ASKED_AGAIN_S 10

static struct rtls_ask_budget *budget;

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

const struct rtls_known *rtls_ask_cache(
	const struct rtls_config *config, const char *domain, int64_t now_s)
{
	struct rtls_err err = { "" };
	enum rtls_status status =
		rtls_known_read(config, domain, now_s, &from_cache, &err);

	if (status != RTLS_OK && status != RTLS_NONE)
		rtls_exim_log("%s: cache record ignored: %s", domain, err.text);
	read_policy(domain, now_s, &from_cache);
	return &from_cache;
}

/* A message with many recipients in one domain is routed in one process: ask
 * afresh once for all of them. */
static struct {
	char domain[RTLS_DOMAIN_SIZE];
	int64_t time_s;
} asked;

static bool is_asked(const char *domain, int64_t now_s)
{
	return from_network.known && strcmp(asked.domain, domain) == 0 &&
	       now_s - asked.time_s < ASKED_AGAIN_S && now_s >= asked.time_s;
}

static void note_asked(const char *domain, int64_t now_s)
{
	snprintf(asked.domain, sizeof(asked.domain), "%s", domain);
	asked.time_s = now_s;
}

static bool is_used_up(void)
{
	return budget != NULL && (budget->lookups == 0 || budget->wait_ms == 0);
}

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum rtls_status ask_program(const struct rtls_config *config,
	const char *domain, bool fresh, struct rtls_text *answer,
	struct rtls_err *err)
{
	const int64_t start_ms = clock_ms();
	enum rtls_status status;
	int64_t waited_ms;

	if (budget == NULL)
		return rtls_helper_resolve(config, domain, fresh,
			config->resolve_timeout_ms, answer, err);
	status = rtls_helper_resolve(
		config, domain, fresh, budget->wait_ms, answer, err);
	waited_ms = clock_ms() - start_ms;
	budget->lookups--;
	budget->wait_ms -= waited_ms < budget->wait_ms ? (unsigned)waited_ms
						       : budget->wait_ms;
	return status;
}

static bool ask_network(const struct rtls_config *config, const char *domain,
	int64_t now_s, bool fresh)
{
	struct rtls_known *known = &from_network;
	struct rtls_err err = { "" };
	struct rtls_text answer;
	enum rtls_status status;

	if (fresh && is_asked(domain, now_s))
		return true;
	if (is_used_up())
		return false;

	note_asked(domain, now_s);
	rtls_text_init(&answer, known->buffer, sizeof(known->buffer));
	status = ask_program(config, domain, fresh, &answer, &err);
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
	(void)rtls_ask_cache(config, domain, now_s);
	if (!from_cache.resolved && ask_network(config, domain, now_s, false))
		return &from_network;
	return &from_cache;
}

const struct rtls_known *rtls_ask_again(
	const struct rtls_config *config, const char *domain, int64_t now_s)
{
	return ask_network(config, domain, now_s, true) ? &from_network : NULL;
}

void rtls_ask_on(struct rtls_ask_budget *allowed)
{
	budget = allowed;
}
