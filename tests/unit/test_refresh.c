/* test_refresh.c - many domains at a time: each is done once, so many and no more are under
 * way, and an end is an end. DNS, HTTPS and the record are faked at link time. */
#include "check.h"

#include <stdio.h>

#include "resolve/refresh.h"

#define DOMAINS_MAX 500

static struct rtls_config in_force;
static unsigned domains, asked_for, done_count, done[DOMAINS_MAX];
static unsigned stop_after;
static unsigned dns_open_now, dns_opened, dns_batches, queries_open;
static unsigned under_way, most_under_way, alloc_left;
static bool order_reversed;
static void (*call_meanwhile)(void *context);
static void *call_context;
static enum rtls_status dns_open_status, dns_run_status, taken_in_status;

/* --- the faked network ------------------------------------------------------ */

enum rtls_status rtls_dns_open(const struct rtls_config *config,
	struct rtls_dns **dns, struct rtls_err *err)
{
	assert_ptr_equal(config, &in_force);
	if (dns_open_status != RTLS_OK) {
		rtls_err_set(err, "no resolver");
		return dns_open_status;
	}
	assert_int_equal(dns_open_now++, 0);
	dns_opened++;
	*dns = (struct rtls_dns *)&dns_opened;
	return RTLS_OK;
}

void rtls_dns_close(struct rtls_dns *dns)
{
	if (dns != NULL)
		dns_open_now--;
}

void rtls_dns_meanwhile(
	struct rtls_dns *dns, void (*meanwhile)(void *context), void *context)
{
	(void)dns;
	call_meanwhile = meanwhile;
	call_context = context;
}

enum rtls_status rtls_dns_run(struct rtls_dns *dns,
	struct rtls_dns_query *queries, size_t count, struct rtls_err *err)
{
	(void)dns;
	assert_true(count >= 1 && count <= 16);
	dns_batches++;
	if (dns_run_status != RTLS_OK) {
		rtls_err_set(err, "out of memory");
		return dns_run_status;
	}
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(queries[i].type, RTLS_DNS_TXT);
		assert_true(strncmp(queries[i].name, "_mta-sts.d", 10) == 0);
		queries[i].outcome = RTLS_DNS_NODATA;
		queries[i].storage = malloc(1);
		queries_open++;
	}
	/* Fetches go on while DNS is waited for. */
	call_meanwhile(call_context);
	return RTLS_OK;
}

void rtls_dns_query_free(struct rtls_dns_query *query)
{
	if (query->storage != NULL)
		queries_open--;
	free(query->storage);
	query->storage = NULL;
}

struct rtls_fetches {
	void *context[RTLS_REFRESH_MAX];
	char *body[RTLS_REFRESH_MAX];
};

static struct rtls_fetches all;
static unsigned waits;

struct rtls_fetches *rtls_fetches_open(const struct rtls_config *config)
{
	assert_ptr_equal(config, &in_force);
	memset(&all, 0, sizeof(all));
	return alloc_left-- == 0 ? NULL : &all;
}

void rtls_fetches_close(struct rtls_fetches *fetches)
{
	if (fetches != NULL)
		under_way = 0;
}

enum rtls_status rtls_fetches_start(struct rtls_fetches *fetches,
	const char *domain, char *buffer, void *context)
{
	assert_true(domain[0] == 'd');
	if (alloc_left-- == 0)
		return RTLS_NO_MEMORY;
	assert_true(under_way < RTLS_REFRESH_MAX);
	fetches->context[under_way] = context;
	fetches->body[under_way++] = buffer;
	if (under_way > most_under_way)
		most_under_way = under_way;
	return RTLS_OK;
}

void rtls_fetches_wait(struct rtls_fetches *fetches, unsigned wait_ms)
{
	assert_ptr_equal(fetches, &all);
	if (wait_ms > 0)
		waits++;
}

/* Nothing is done until all that may be is under way; then one at a time. */
void *rtls_fetches_take(
	struct rtls_fetches *fetches, struct rtls_fetch_result *result)
{
	unsigned at = 0;
	void *context;

	if (under_way == 0 || waits % 7 != 6)
		return NULL;
	waits++;
	at = order_reversed ? under_way - 1 : 0;
	context = fetches->context[at];
	memset(result, 0, sizeof(*result));
	result->body = rtls_slice_n(fetches->body[at], 1);
	under_way--;
	memmove(&fetches->context[at], &fetches->context[at + 1],
		(under_way - at) * sizeof(fetches->context[0]));
	memmove(&fetches->body[at], &fetches->body[at + 1],
		(under_way - at) * sizeof(fetches->body[0]));
	return context;
}

enum rtls_status rtls_resolve_refreshed(const struct rtls_config *config,
	struct rtls_refreshed *refreshed, struct rtls_resolved **resolved,
	struct rtls_err *err)
{
	assert_ptr_equal(config, &in_force);
	assert_non_null(refreshed->txt->storage);
	assert_int_equal(refreshed->fetched.body.size, 1);
	assert_true(refreshed->started_s <= refreshed->now_s);
	rtls_err_set(err, "why not");
	*resolved = (struct rtls_resolved *)&domains;
	return taken_in_status;
}

void rtls_resolved_free(struct rtls_resolved *resolved)
{
	assert_ptr_equal(resolved, &domains);
	assert_int_equal(taken_in_status, RTLS_OK);
}

/* --- the caller ------------------------------------------------------------- */

static bool next(void *context, char domain[RTLS_DOMAIN_SIZE])
{
	assert_ptr_equal(context, &asked_for);
	if (asked_for == domains || done_count >= stop_after)
		return false;
	(void)snprintf(domain, RTLS_DOMAIN_SIZE, "d%u", asked_for++);
	return true;
}

static void on_done(void *context, const char *domain, enum rtls_status status,
	const struct rtls_resolved *resolved, const struct rtls_err *err)
{
	unsigned number = (unsigned)strtoul(domain + 1, NULL, 10);

	assert_ptr_equal(context, &asked_for);
	assert_int_equal(status, taken_in_status);
	assert_true(number < asked_for);
	assert_string_equal(err->text, "why not");
	assert_non_null(resolved);
	done[number]++;
	done_count++;
}

static enum rtls_status refresh(unsigned count)
{
	const struct rtls_refresh many = { .config = &in_force,
		.next = next,
		.done = on_done,
		.context = &asked_for };
	struct rtls_err err = { "" };
	enum rtls_status status;

	domains = count;
	asked_for = done_count = dns_batches = most_under_way = waits = 0;
	under_way = dns_opened = 0;
	memset(done, 0, sizeof(done));
	status = rtls_refresh_run(&many, &err);
	assert_int_equal(dns_open_now, 0);
	assert_int_equal(queries_open, 0);
	assert_int_equal(under_way, 0);
	if (status != RTLS_OK)
		assert_true(err.text[0] != '\0');
	return status;
}

static int start(void **state)
{
	(void)state;
	rtls_config_defaults(&in_force);
	dns_open_status = dns_run_status = taken_in_status = RTLS_OK;
	order_reversed = false;
	stop_after = UINT32_MAX;
	alloc_left = UINT32_MAX;
	return 0;
}

static void each_is_done_once(void **state)
{
	static const unsigned counts[] = { 0, 1, 15, 16, 17, 63, 64, 65, 500 };

	(void)state;
	for (size_t i = 0; i < COUNT(counts); i++) {
		order_reversed = i % 2 == 1;
		assert_int_equal(refresh(counts[i]), RTLS_OK);
		assert_int_equal(done_count, counts[i]);
		for (unsigned j = 0; j < counts[i]; j++)
			assert_int_equal(done[j], 1);
	}
}

static void many_are_under_way_but_no_more(void **state)
{
	(void)state;
	assert_int_equal(refresh(500), RTLS_OK);
	assert_true(most_under_way > RTLS_REFRESH_MAX - 16);
	assert_true(most_under_way <= RTLS_REFRESH_MAX);
	assert_true(dns_batches >= 500 / 16);
	/* None lives longer than its batch. */
	assert_int_equal(dns_opened, dns_batches);
}

static void an_end_lets_finish_what_is_under_way(void **state)
{
	(void)state;
	stop_after = 100;
	assert_int_equal(refresh(500), RTLS_OK);
	assert_int_equal(done_count, asked_for);
	assert_true(asked_for < 500);
	for (unsigned j = 0; j < asked_for; j++)
		assert_int_equal(done[j], 1);
}

static void what_cannot_be_stored_is_told(void **state)
{
	(void)state;
	taken_in_status = RTLS_TEMPORARY;
	assert_int_equal(refresh(20), RTLS_OK);
	assert_int_equal(done_count, 20);
	taken_in_status = RTLS_NONE;
	assert_int_equal(refresh(20), RTLS_OK);
	assert_int_equal(done_count, 20);
}

static void without_resolver_nothing_is_done(void **state)
{
	(void)state;
	dns_open_status = RTLS_INVALID;
	assert_int_equal(refresh(20), RTLS_INVALID);
	assert_int_equal(done_count, 0);
	dns_open_status = RTLS_OK;
	dns_run_status = RTLS_NO_MEMORY;
	assert_int_equal(refresh(20), RTLS_NO_MEMORY);
	assert_int_equal(done_count, 0);
}

static void no_memory_at_any_time(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		alloc_left = i;
		assert_int_equal(refresh(99), RTLS_NO_MEMORY);
		for (unsigned j = 0; j < asked_for; j++)
			assert_true(done[j] <= 1);
	}
	alloc_left = 100;
	assert_int_equal(refresh(99), RTLS_OK);
}

#define CASE(function) cmocka_unit_test_setup(function, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_is_done_once),
		CASE(many_are_under_way_but_no_more),
		CASE(an_end_lets_finish_what_is_under_way),
		CASE(what_cannot_be_stored_is_told),
		CASE(without_resolver_nothing_is_done),
		CASE(no_memory_at_any_time),
	};

	return cmocka_run_group_tests_name("refresh", tests, NULL, NULL);
}
