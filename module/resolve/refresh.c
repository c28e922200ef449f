/* refresh.c - see refresh.h. */
#include "refresh.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dns_attempt.h"
#include "policy/sts_policy.h"

#define WAIT_MS 200

/* One domain on its way from DNS to the cache. */
struct flight {
	bool is_used;
	char domain[RTLS_DOMAIN_SIZE];
	int64_t started_s;
	struct rtls_dns_query txt;
	char body[RTLS_STS_POLICY_SIZE_MAX];
};

struct run {
	const struct rtls_refresh *refresh;
	struct rtls_fetches *fetches;
	struct flight *flight; /* RTLS_REFRESH_MAX */
	size_t count;          /* that are used */
	bool is_over;          /* no more domains */
};

static void tell(struct run *run, struct flight *flight,
	enum rtls_status status, const struct rtls_resolved *resolved,
	const struct rtls_err *err)
{
	run->refresh->done(
		run->refresh->context, flight->domain, status, resolved, err);
	rtls_dns_query_free(&flight->txt);
	flight->is_used = false;
	run->count--;
}

/* --- DNS -------------------------------------------------------------------- */

/* Nobody's transfer has to wait for another one's name servers. */
static void go_on(void *context)
{
	struct run *run = context;

	rtls_fetches_wait(run->fetches, 0);
}

static struct flight *find_free(struct run *run)
{
	struct flight *flight = run->flight;

	while (flight->is_used)
		flight++;
	return flight;
}

/* Take up to a batch of domains; the number. */
static size_t take_batch(struct run *run, struct flight *batch[])
{
	size_t count = 0;

	while (count < RTLS_DNS_BATCH_MAX && run->count < RTLS_REFRESH_MAX &&
		!run->is_over) {
		struct flight *flight = find_free(run);

		if (!run->refresh->next(
			    run->refresh->context, flight->domain)) {
			run->is_over = true;
			break;
		}
		flight->is_used = true;
		flight->started_s = (int64_t)time(NULL);
		run->count++;
		batch[count++] = flight;
	}
	return count;
}

/* A context for each batch: one that lives for hours would never see another
 * resolv.conf, nor an upstream that came back. */
static enum rtls_status ask_dns(struct run *run, struct flight *batch[],
	size_t count, struct rtls_err *err)
{
	struct rtls_dns_query *queries = calloc(count, sizeof(*queries));
	struct rtls_dns *dns = NULL;
	enum rtls_status status = RTLS_NO_MEMORY;

	if (queries == NULL)
		rtls_err_set(err, "out of memory");
	else
		status = rtls_dns_open(run->refresh->config, &dns, err);
	for (size_t i = 0; i < count && status == RTLS_OK; i++) {
		snprintf(queries[i].name, sizeof(queries[i].name),
			"_mta-sts.%s", batch[i]->domain);
		queries[i].type = RTLS_DNS_TXT;
	}
	if (status == RTLS_OK) {
		rtls_dns_meanwhile(dns, go_on, run);
		status = rtls_dns_run(dns, queries, count, err);
	}
	for (size_t i = 0; i < count && queries != NULL; i++)
		batch[i]->txt = queries[i]; /* and what it owns */
	rtls_dns_close(dns);
	free(queries);
	return status;
}

static enum rtls_status start_batch(struct run *run, struct rtls_err *err)
{
	struct flight *batch[RTLS_DNS_BATCH_MAX];
	size_t count = take_batch(run, batch);
	enum rtls_status status = RTLS_OK;

	if (count > 0)
		status = ask_dns(run, batch, count, err);
	for (size_t i = 0; i < count && status == RTLS_OK; i++) {
		status = rtls_fetches_start(run->fetches, batch[i]->domain,
			batch[i]->body, batch[i]);
		if (status != RTLS_OK)
			rtls_err_set(err, "out of memory");
	}
	return status;
}

/* --- HTTPS, and the record -------------------------------------------------- */

static void finish(struct run *run, struct flight *flight,
	const struct rtls_fetch_result *fetched)
{
	struct rtls_refreshed refreshed = { .domain = flight->domain,
		.started_s = flight->started_s,
		.now_s = (int64_t)time(NULL),
		.txt = &flight->txt,
		.fetched = *fetched };
	struct rtls_resolved *resolved = NULL;
	struct rtls_err err = { "" };
	enum rtls_status status = rtls_resolve_refreshed(
		run->refresh->config, &refreshed, &resolved, &err);

	tell(run, flight, status, resolved, &err);
	if (status == RTLS_OK)
		rtls_resolved_free(resolved);
}

static void finish_done(struct run *run)
{
	struct rtls_fetch_result fetched;
	struct flight *flight;

	while ((flight = rtls_fetches_take(run->fetches, &fetched)) != NULL)
		finish(run, flight, &fetched);
}

static enum rtls_status go(struct run *run, struct rtls_err *err)
{
	enum rtls_status status = RTLS_OK;

	while (status == RTLS_OK && (!run->is_over || run->count > 0)) {
		if (run->count + RTLS_DNS_BATCH_MAX <= RTLS_REFRESH_MAX &&
			!run->is_over)
			status = start_batch(run, err);
		rtls_fetches_wait(run->fetches, WAIT_MS);
		finish_done(run);
	}
	return status;
}

enum rtls_status rtls_refresh_run(
	const struct rtls_refresh *refresh, struct rtls_err *err)
{
	struct run run = { .refresh = refresh };
	enum rtls_status status = RTLS_NO_MEMORY;

	run.fetches = rtls_fetches_open(refresh->config);
	run.flight = calloc(RTLS_REFRESH_MAX, sizeof(*run.flight));
	if (run.fetches != NULL && run.flight != NULL)
		status = go(&run, err);
	else
		rtls_err_set(err, "out of memory");
	rtls_fetches_close(run.fetches);
	for (size_t i = 0; i < RTLS_REFRESH_MAX && run.flight != NULL; i++)
		rtls_dns_query_free(&run.flight[i].txt);
	free(run.flight);
	return status;
}
