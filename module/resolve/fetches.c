/* fetches.c - many policy fetches at a time, by libcurl's multi interface. */
#include <stdlib.h>

#include "fetching.h"

/* One that runs; libcurl keeps the pointer to it. */
struct fetch {
	struct rtls_transfer transfer;
	void *context;
	CURLcode begun; /* not OK: libcurl was never asked */
	struct fetch *next;
};

struct rtls_fetches {
	const struct rtls_config *config;
	CURLM *multi;
	struct fetch *running;
};

struct rtls_fetches *rtls_fetches_open(const struct rtls_config *config)
{
	struct rtls_fetches *fetches = calloc(1, sizeof(*fetches));

	if (fetches == NULL)
		return NULL;
	fetches->config = config;
	fetches->multi = curl_multi_init();
	if (fetches->multi == NULL) {
		free(fetches);
		return NULL;
	}
	return fetches;
}

static void unlink_fetch(struct rtls_fetches *fetches, struct fetch *fetch)
{
	struct fetch **at = &fetches->running;

	while (*at != NULL && *at != fetch)
		at = &(*at)->next;
	if (*at != NULL)
		*at = fetch->next;
}

static void drop(struct rtls_fetches *fetches, struct fetch *fetch)
{
	unlink_fetch(fetches, fetch);
	if (fetch->begun == CURLE_OK)
		(void)curl_multi_remove_handle(
			fetches->multi, fetch->transfer.easy);
	rtls_transfer_close(&fetch->transfer);
	free(fetch);
}

void rtls_fetches_close(struct rtls_fetches *fetches)
{
	if (fetches == NULL)
		return;
	while (fetches->running != NULL)
		drop(fetches, fetches->running);
	(void)curl_multi_cleanup(fetches->multi);
	free(fetches);
}

enum rtls_status rtls_fetches_start(struct rtls_fetches *fetches,
	const char *domain, char *buffer, void *context)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));
	CURL *easy;

	if (fetch == NULL)
		return RTLS_NO_MEMORY;
	if (!rtls_transfer_open(&fetch->transfer, fetches->config)) {
		free(fetch);
		return RTLS_NO_MEMORY;
	}
	fetch->context = context;
	easy = fetch->transfer.easy;
	fetch->begun = rtls_fetch_prepare(&fetch->transfer, domain, buffer);
	if (fetch->begun == CURLE_OK)
		fetch->begun = curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
	if (fetch->begun == CURLE_OK &&
		curl_multi_add_handle(fetches->multi, easy) != CURLM_OK)
		fetch->begun = CURLE_OUT_OF_MEMORY;
	fetch->next = fetches->running;
	fetches->running = fetch;
	return RTLS_OK;
}

void rtls_fetches_wait(struct rtls_fetches *fetches, unsigned wait_ms)
{
	int running = 0;

	(void)curl_multi_perform(fetches->multi, &running);
	if (running > 0 && wait_ms > 0) {
		(void)curl_multi_poll(
			fetches->multi, NULL, 0, (int)wait_ms, NULL);
		(void)curl_multi_perform(fetches->multi, &running);
	}
}

/* One that is done, with libcurl's word on it. */
static struct fetch *find_done(struct rtls_fetches *fetches, CURLcode *code)
{
	struct fetch *fetch = fetches->running;
	CURLMsg *message;
	int left;

	while (fetch != NULL && fetch->begun == CURLE_OK)
		fetch = fetch->next;
	if (fetch != NULL) {
		*code = fetch->begun;
		return fetch;
	}
	do
		message = curl_multi_info_read(fetches->multi, &left);
	while (message != NULL && message->msg != CURLMSG_DONE);
	if (message == NULL || curl_easy_getinfo(message->easy_handle,
				       CURLINFO_PRIVATE, &fetch) != CURLE_OK)
		return NULL;
	*code = message->data.result;
	return fetch;
}

void *rtls_fetches_take(
	struct rtls_fetches *fetches, struct rtls_fetch_result *result)
{
	CURLcode code = CURLE_OK;
	struct fetch *fetch = find_done(fetches, &code);
	void *context;

	if (fetch == NULL)
		return NULL;
	context = fetch->context;
	rtls_fetch_finish(&fetch->transfer, code, result);
	drop(fetches, fetch);
	return context;
}
