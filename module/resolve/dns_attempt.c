/* dns_attempt.c - getdns's loop, with a deadline of our own. */
#include "dns_attempt.h"

#include <getdns/getdns_extra.h>
#include <stdio.h>
#include <time.h>

#include "dns_answer.h"

#define MEANWHILE_MS 5

int64_t rtls_dns_now_ms(void)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void rtls_dns_batch_add(
	struct rtls_dns_batch *batch, struct rtls_dns_query *query)
{
	struct rtls_dns_lookup *lookup = &batch->lookup[batch->count++];

	*lookup = (struct rtls_dns_lookup){
		.query = query, .rcode = RTLS_DNS_NO_REPLY, .batch = batch
	};
	rtls_dns_answer_fail(query, "no time left");
}

static uint32_t ad_status(const getdns_dict *reply)
{
	uint32_t ad = 0;

	(void)getdns_dict_get_int(reply, "/header/ad", &ad);
	return ad != 0 ? GETDNS_DNSSEC_SECURE : GETDNS_DNSSEC_INSECURE;
}

static void read_reply(
	struct rtls_dns_lookup *lookup, const getdns_dict *response)
{
	getdns_dict *reply;

	if (getdns_dict_get_dict(response, "/replies_tree/0", &reply) != 0) {
		rtls_dns_answer_fail(lookup->query, RTLS_DNS_NO_ANSWER);
		return;
	}
	/* As good as none: worth another attempt. */
	if (!rtls_dns_answer_is_whole(reply, lookup->query)) {
		rtls_dns_answer_fail(lookup->query, "unreadable answer");
		return;
	}
	(void)getdns_dict_get_int(reply, "/header/rcode", &lookup->rcode);
	if (lookup->batch->mode == RTLS_DNS_AD)
		lookup->dnssec_status = ad_status(reply);
	else
		(void)getdns_dict_get_int(
			reply, "dnssec_status", &lookup->dnssec_status);
	lookup->is_signed = rtls_dns_answer_is_signed(reply);
	if (rtls_dns_answer_read(reply, lookup->query) == RTLS_NO_MEMORY)
		lookup->batch->no_memory = true;
}

static void on_reply(getdns_context *context, getdns_callback_type_t type,
	getdns_dict *response, void *argument, getdns_transaction_t id)
{
	struct rtls_dns_lookup *lookup = argument;

	(void)context;
	(void)id;
	if (lookup->is_pending) {
		lookup->is_pending = false;
		lookup->batch->pending--;
		if (type == GETDNS_CALLBACK_COMPLETE && response != NULL)
			read_reply(lookup, response);
		else
			rtls_dns_answer_fail(lookup->query, RTLS_DNS_NO_ANSWER);
	}
	getdns_dict_destroy(response);
}

static void give_up(struct rtls_dns_lookup *lookup, const char *why)
{
	if (lookup->is_pending) {
		lookup->is_pending = false;
		lookup->batch->pending--;
	}
	rtls_dns_answer_fail(lookup->query, why);
}

void rtls_dns_lookup_start(struct rtls_dns_lookup *lookup)
{
	struct rtls_dns_batch *batch = lookup->batch;
	char name[sizeof(lookup->query->name) + 1];

	lookup->rcode = RTLS_DNS_NO_REPLY;
	lookup->dnssec_status = 0;
	lookup->is_signed = false;
	lookup->is_pending = true;
	batch->pending++;
	/* Absolute, so that no search list can come into play. */
	snprintf(name, sizeof(name), "%s.", lookup->query->name);
	if (getdns_general(batch->context, name, (uint16_t)lookup->query->type,
		    batch->extensions, lookup, &lookup->id,
		    on_reply) != GETDNS_RETURN_GOOD)
		give_up(lookup, "lookup could not be started");
}

static void on_timer(void *argument)
{
	(void)argument;
}

static void run_loop(const struct rtls_dns_batch *batch, int64_t until_ms)
{
	getdns_eventloop_event timer = { .timeout_cb = on_timer };
	getdns_eventloop *loop;
	int64_t left_ms;

	if (getdns_context_get_eventloop(batch->context, &loop) != 0)
		return;
	while (batch->pending > 0 &&
		(left_ms = until_ms - rtls_dns_now_ms()) > 0) {
		if (batch->meanwhile != NULL && left_ms > MEANWHILE_MS)
			left_ms = MEANWHILE_MS;
		if (loop->vmt->schedule(loop, -1, (uint64_t)left_ms, &timer) !=
			0)
			return;
		loop->vmt->run_once(loop, 1);
		if (timer.ev != NULL)
			loop->vmt->clear(loop, &timer);
		if (batch->meanwhile != NULL)
			batch->meanwhile(batch->meanwhile_context);
	}
}

void rtls_dns_batch_wait(struct rtls_dns_batch *batch, int64_t until_ms)
{
	run_loop(batch, until_ms);
	/* Cancelled outside of the loop, where getdns expects it least to
	 * happen in the middle of something. It calls back at once. */
	for (size_t i = 0; i < batch->count; i++) {
		struct rtls_dns_lookup *lookup = &batch->lookup[i];

		if (lookup->is_pending)
			(void)getdns_cancel_callback(
				batch->context, lookup->id);
		if (lookup->is_pending)
			give_up(lookup, RTLS_DNS_NO_ANSWER);
	}
}
