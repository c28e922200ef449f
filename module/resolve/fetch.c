/* fetch.c - GET a policy, POST a report. */
#include "fetch.h"

#include <stdio.h>
#include <string.h>

#include "fetching.h"
#include "policy/sts_policy.h"

#define ANSWER_MAX 65536 /* of a POST: not kept, but bounded */
#define URL_MAX    2048
/* How slow a line may be, or a host that reads as it stores: a megabyte in a minute. */
#define UPLOAD_BYTES_PER_MS 16

/* --- GET a policy ----------------------------------------------------------- */

/* False: the domain can have no policy host. */
static bool name_host(struct rtls_transfer *transfer, const char *domain,
	char url[RTLS_FETCH_URL_SIZE], struct rtls_err *err)
{
	if (strlen(domain) > RTLS_DOMAIN_MAX - strlen("mta-sts.")) {
		rtls_err_set(err, "mta-sts.<domain> would be too long");
		return false;
	}
	snprintf(transfer->host, sizeof(transfer->host), "mta-sts.%s", domain);
	snprintf(url, RTLS_FETCH_URL_SIZE, "https://%s/.well-known/mta-sts.txt",
		transfer->host);
	return true;
}

CURLcode rtls_fetch_prepare(
	struct rtls_transfer *transfer, const char *domain, char *buffer)
{
	struct rtls_err err = { "" };
	char url[RTLS_FETCH_URL_SIZE];

	transfer->buffer = buffer;
	transfer->size_max = RTLS_STS_POLICY_SIZE_MAX;
	if (name_host(transfer, domain, url, &err))
		return rtls_transfer_prepare(transfer, url);
	snprintf(transfer->curl_error, sizeof(transfer->curl_error), "%s",
		err.text);
	return CURLE_URL_MALFORMAT;
}

/* Out of time without an address is the same as no address. */
static bool is_unresolved(const struct rtls_transfer *transfer, CURLcode code)
{
	curl_off_t resolved_us = 0;

	if (code != CURLE_OPERATION_TIMEDOUT)
		return code == CURLE_COULDNT_RESOLVE_HOST;
	return curl_easy_getinfo(transfer->easy, CURLINFO_NAMELOOKUP_TIME_T,
		       &resolved_us) == CURLE_OK &&
	       resolved_us == 0;
}

static void read_answer(const struct rtls_transfer *transfer, CURLcode code,
	struct rtls_fetch_result *result, struct rtls_err *err)
{
	if (rtls_transfer_judge(transfer, code, err) != RTLS_OK) {
		if (transfer->certificate == RTLS_INVALID)
			result->failure = RTLS_RESULT_STS_WEBPKI_INVALID;
		result->is_ours = transfer->certificate == RTLS_TEMPORARY ||
				  code == CURLE_OUT_OF_MEMORY;
		result->is_unresolved = is_unresolved(transfer, code);
		return;
	}
	/* RFC 8461 section 3.2: its parameters do not count. */
	if (!rtls_slice_is_nocase(
		    rtls_slice(transfer->media_type), "text/plain")) {
		rtls_err_set(err, "media type is not text/plain");
		return;
	}
	result->failure = RTLS_RESULT_SUCCESS;
	result->body = rtls_slice_n(transfer->buffer, transfer->size);
}

static void set_reason(
	struct rtls_fetch_result *result, const struct rtls_err *err)
{
	rtls_slice_copy(
		rtls_slice(err->text), result->reason, sizeof(result->reason));
}

void rtls_fetch_finish(const struct rtls_transfer *transfer, CURLcode code,
	struct rtls_fetch_result *result)
{
	struct rtls_err err = { "" };

	memset(result, 0, sizeof(*result));
	result->failure = RTLS_RESULT_STS_POLICY_FETCH_ERROR;
	read_answer(transfer, code, result, &err);
	set_reason(result, &err);
}

enum rtls_status rtls_fetch_policy(const struct rtls_config *config,
	const char *domain, char *buffer, struct rtls_fetch_result *result)
{
	struct rtls_transfer transfer;
	CURLcode code;

	if (!rtls_transfer_open(&transfer, config)) {
		memset(result, 0, sizeof(*result));
		result->failure = RTLS_RESULT_STS_POLICY_FETCH_ERROR;
		result->is_ours = true;
		set_reason(result, &(struct rtls_err){ "out of memory" });
		return RTLS_TEMPORARY;
	}
	code = rtls_fetch_prepare(&transfer, domain, buffer);
	if (code == CURLE_OK)
		code = curl_easy_perform(transfer.easy);
	rtls_fetch_finish(&transfer, code, result);
	rtls_transfer_close(&transfer);
	return result->failure == RTLS_RESULT_SUCCESS ? RTLS_OK
						      : RTLS_TEMPORARY;
}

/* --- POST a report ---------------------------------------------------------- */

/* The host of an https URL without user and password. */
static bool url_host(const char *url, char host[RTLS_DOMAIN_SIZE])
{
	char *scheme = NULL, *name = NULL, *user = NULL;
	CURLU *parts = curl_url();
	bool ok;

	ok = parts != NULL && strlen(url) < URL_MAX &&
	     curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	     curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	     curl_url_get(parts, CURLUPART_HOST, &name, 0) == CURLUE_OK &&
	     curl_url_get(parts, CURLUPART_USER, &user, 0) != CURLUE_OK &&
	     strcmp(scheme, "https") == 0 &&
	     rtls_domain_normalize(rtls_slice(name), host) == RTLS_OK;
	curl_free(scheme);
	curl_free(name);
	curl_free(user);
	curl_url_cleanup(parts);
	return ok;
}

static enum rtls_status post(struct rtls_transfer *transfer, const char *url,
	struct curl_slist *headers, struct rtls_slice body,
	struct rtls_err *err)
{
	CURL *easy = transfer->easy;

	if (curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_POST, 1L) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)body.size) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
			body.size > 0 ? body.data : "") != CURLE_OK) {
		rtls_err_set(err, "libcurl refused an option");
		return RTLS_TEMPORARY;
	}
	return rtls_transfer_run(transfer, url, err);
}

/* Without "Expect: 100-continue": it costs a second where it is unknown. */
static struct curl_slist *make_headers(const char *content_type)
{
	struct curl_slist *headers, *longer;
	char header[128];

	snprintf(header, sizeof(header), "Content-Type: %s", content_type);
	headers = curl_slist_append(NULL, header);
	if (headers == NULL)
		return NULL;
	longer = curl_slist_append(headers, "Expect:");
	if (longer == NULL)
		curl_slist_free_all(headers);
	return longer;
}

enum rtls_status rtls_fetch_post(const struct rtls_config *config,
	const char *url, const char *content_type, struct rtls_slice body,
	struct rtls_err *err)
{
	enum rtls_status status = RTLS_TEMPORARY;
	struct rtls_transfer transfer;
	struct curl_slist *headers;

	if (!rtls_transfer_open(&transfer, config)) {
		rtls_err_set(err, "out of memory");
		return RTLS_TEMPORARY;
	}
	transfer.size_max = ANSWER_MAX;
	transfer.upload_ms = (unsigned)(body.size / UPLOAD_BYTES_PER_MS);
	headers = make_headers(content_type);
	if (!url_host(url, transfer.host))
		rtls_err_set(err, "not an https URL with a host name");
	else if (headers == NULL)
		rtls_err_set(err, "out of memory");
	else
		status = post(&transfer, url, headers, body, err);
	rtls_transfer_close(&transfer);
	curl_slist_free_all(headers);
	return status;
}
