/* fetch.c - libcurl, with everything switched off that one GET or POST does not need.
 *
 * libcurl's own check of certificates stays off, because it loads the whole CA bundle before
 * it connects (10 ms), falls back to the CN, and does not say what was wrong. peer.c
 * does the check instead, after the handshake and before the request; no verdict of
 * it, no request, no answer. */
#include "fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "peer.h"
#include "policy/sts_policy.h"

#define HEADERS_MAX  65536
#define RESPONSE_MAX 65536 /* of a POST: not kept, but bounded */
#define URL_MAX      2048
#define USER_AGENT   "exim-requiretls"

struct transfer {
	const struct rtls_config *config;
	CURL *easy;
	char host[RTLS_DOMAIN_SIZE]; /* whose certificate it must be */
	char *buffer;                /* NULL: the body is thrown away */
	size_t size_max;
	size_t size;
	size_t headers_size;
	bool is_too_large;
	bool is_private;              /* an address was refused */
	bool is_verified;             /* by peer.c; without it nothing counts */
	enum rtls_status certificate; /* its verdict, when not */
	struct rtls_err why;          /* of the certificate */
	char curl_error[CURL_ERROR_SIZE];
};

/* --- callbacks -------------------------------------------------------------- */

/* The address a stranger's name has: not one of our own network. */
static curl_socket_t open_socket(
	void *argument, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = argument;
	union rtls_address checked;

	(void)purpose;
	memset(&checked, 0, sizeof(checked));
	if (address->addrlen > sizeof(checked))
		return CURL_SOCKET_BAD;
	memcpy(&checked, &address->addr, address->addrlen);
	if (!transfer->config->fetch_private &&
		!rtls_address_is_public(&checked)) {
		transfer->is_private = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
		address->protocol);
}

static int before_request(void *argument, char *peer_ip, char *local_ip,
	int peer_port, int local_port)
{
	struct transfer *transfer = argument;
	struct curl_tlssessioninfo *tls = NULL;

	(void)peer_ip;
	(void)local_ip;
	(void)peer_port;
	(void)local_port;
	transfer->is_verified = false;
	if (curl_easy_getinfo(transfer->easy, CURLINFO_TLS_SSL_PTR, &tls) !=
			CURLE_OK ||
		tls == NULL || tls->backend != CURLSSLBACKEND_GNUTLS ||
		tls->internals == NULL) {
		rtls_err_set(&transfer->why, "libcurl is not that of GnuTLS");
		transfer->certificate = RTLS_TEMPORARY;
		return CURL_PREREQFUNC_ABORT;
	}
	transfer->certificate = rtls_peer_verify(tls->internals, transfer->host,
		transfer->config->ca_file, &transfer->why);
	transfer->is_verified = transfer->certificate == RTLS_OK;
	return transfer->is_verified ? CURL_PREREQFUNC_OK
				     : CURL_PREREQFUNC_ABORT;
}

static long response_code(const struct transfer *transfer)
{
	long code = 0;

	if (curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &code) !=
		CURLE_OK)
		return 0;
	return code;
}

static size_t on_header(char *data, size_t one, size_t size, void *argument)
{
	struct transfer *transfer = argument;

	(void)data;
	(void)one;
	if (size > HEADERS_MAX - transfer->headers_size) {
		transfer->is_too_large = true;
		return 0;
	}
	transfer->headers_size += size;
	return size;
}

static size_t on_body(char *data, size_t one, size_t size, void *argument)
{
	struct transfer *transfer = argument;

	(void)one;
	if (!transfer->is_verified)
		return 0;
	/* What a failure has to say does not matter. */
	if (transfer->buffer != NULL && response_code(transfer) != 200)
		return 0;
	if (size > transfer->size_max - transfer->size) {
		transfer->is_too_large = true;
		return 0;
	}
	if (transfer->buffer != NULL)
		memcpy(transfer->buffer + transfer->size, data, size);
	transfer->size += size;
	return size;
}

/* --- options ---------------------------------------------------------------- */

static CURLcode set_scope(CURL *easy)
{
	CURLcode bad;

	bad = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_PROXY, "");
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(
			easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(
			easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT);
	return bad;
}

static CURLcode set_connection(CURL *easy, struct transfer *transfer)
{
	const struct rtls_config *config = transfer->config;
	CURLcode bad;

	/* No signals: the time-outs of the resolver thread work without. */
	bad = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			(long)config->fetch_timeout_ms);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			(long)config->connect_timeout_ms);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(
			easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	return bad;
}

static CURLcode set_tls(CURL *easy, struct transfer *transfer)
{
	CURLcode bad;

	bad = curl_easy_setopt(
		easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	/* See the top of this file: before_request() is the check. */
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(
			easy, CURLOPT_PREREQFUNCTION, before_request);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	return bad;
}

static CURLcode set_output(CURL *easy, struct transfer *transfer)
{
	CURLcode bad;

	bad = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(
			easy, CURLOPT_ERRORBUFFER, transfer->curl_error);
	return bad;
}

static CURLcode set_options(struct transfer *transfer, const char *url)
{
	CURL *easy = transfer->easy;
	CURLcode bad = set_scope(easy);

	if (bad == CURLE_OK)
		bad = set_connection(easy, transfer);
	if (bad == CURLE_OK)
		bad = set_tls(easy, transfer);
	if (bad == CURLE_OK)
		bad = set_output(easy, transfer);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_URL, url);
	return bad;
}

/* --- one transfer ----------------------------------------------------------- */

static bool transfer_open(
	struct transfer *transfer, const struct rtls_config *config)
{
	static bool is_initialized;

	memset(transfer, 0, sizeof(*transfer));
	transfer->config = config;
	transfer->certificate = RTLS_OK;
	if (!is_initialized)
		is_initialized = curl_global_init(CURL_GLOBAL_DEFAULT) == 0;
	transfer->easy = is_initialized ? curl_easy_init() : NULL;
	return transfer->easy != NULL;
}

/* libcurl's own words, which may hold what the server said. */
static void explain_curl(
	const struct transfer *transfer, CURLcode code, struct rtls_err *err)
{
	struct rtls_quoted quoted;
	const char *text = transfer->curl_error;

	if (text[0] == '\0')
		text = curl_easy_strerror(code);
	rtls_err_set(err, "%s", rtls_quoted(&quoted, rtls_slice(text)));
}

static void explain(
	const struct transfer *transfer, CURLcode code, struct rtls_err *err)
{
	if (transfer->certificate != RTLS_OK)
		*err = transfer->why;
	else if (response_code(transfer) != 0 && response_code(transfer) != 200)
		rtls_err_set(err, "http status %ld", response_code(transfer));
	else if (transfer->is_too_large && transfer->size > 0)
		rtls_err_set(err, "%s larger than %zu bytes",
			transfer->buffer != NULL ? "policy" : "answer",
			transfer->size_max);
	else if (transfer->is_too_large)
		rtls_err_set(err, "header larger than %d bytes", HEADERS_MAX);
	else if (code == CURLE_COULDNT_RESOLVE_HOST)
		rtls_err_set(err, "could not resolve %s", transfer->host);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		rtls_err_set(err, "%s timed out",
			transfer->is_verified ? "answer" : "connection");
	else if (code == CURLE_COULDNT_CONNECT && transfer->is_private)
		rtls_err_set(err, "%s has no public address", transfer->host);
	else if (code == CURLE_COULDNT_CONNECT)
		rtls_err_set(err, "could not connect to %s", transfer->host);
	else
		explain_curl(transfer, code, err);
}

/* RTLS_OK: the server's certificate is good and its whole answer has come, of
 * whatever status. */
static enum rtls_status transfer_run(
	struct transfer *transfer, const char *url, struct rtls_err *err)
{
	CURLcode code = set_options(transfer, url);

	if (code == CURLE_OK)
		code = curl_easy_perform(transfer->easy);
	if (code == CURLE_OK && transfer->is_verified)
		return RTLS_OK;
	explain(transfer, code, err);
	return RTLS_TEMPORARY;
}

/* --- GET a policy ----------------------------------------------------------- */

/* RFC 8461 section 3.2: the type is text/plain; its parameters do not count. */
static bool is_text_plain(const struct transfer *transfer)
{
	struct rtls_slice type;
	char *text = NULL;

	if (curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &text) !=
			CURLE_OK ||
		text == NULL)
		return false;
	type = rtls_slice(text);
	type = rtls_slice_trim(rtls_slice_take(&type, ';'));
	return rtls_slice_is_nocase(type, "text/plain");
}

static void get_policy(struct transfer *transfer, const char *domain,
	struct rtls_fetch_result *result, struct rtls_err *err)
{
	char url[RTLS_DOMAIN_SIZE + 64];

	snprintf(transfer->host, sizeof(transfer->host), "mta-sts.%s", domain);
	snprintf(url, sizeof(url), "https://%s/.well-known/mta-sts.txt",
		transfer->host);
	if (transfer_run(transfer, url, err) != RTLS_OK) {
		if (transfer->certificate == RTLS_INVALID)
			result->failure = RTLS_RESULT_STS_WEBPKI_INVALID;
		return;
	}
	if (response_code(transfer) != 200) {
		rtls_err_set(err, "http status %ld", response_code(transfer));
	} else if (!is_text_plain(transfer)) {
		rtls_err_set(err, "media type is not text/plain");
	} else {
		result->failure = RTLS_RESULT_SUCCESS;
		result->body = rtls_slice_n(transfer->buffer, transfer->size);
	}
}

enum rtls_status rtls_fetch_policy(const struct rtls_config *config,
	const char *domain, char *buffer, struct rtls_fetch_result *result)
{
	struct rtls_err err = { "out of memory" };
	struct transfer transfer;

	memset(result, 0, sizeof(*result));
	result->failure = RTLS_RESULT_STS_POLICY_FETCH_ERROR;
	if (strlen(domain) > RTLS_DOMAIN_MAX - strlen("mta-sts.")) {
		rtls_err_set(&err, "mta-sts.<domain> would be too long");
	} else if (transfer_open(&transfer, config)) {
		transfer.buffer = buffer;
		transfer.size_max = RTLS_STS_POLICY_SIZE_MAX;
		get_policy(&transfer, domain, result, &err);
		curl_easy_cleanup(transfer.easy);
	}
	if (result->failure == RTLS_RESULT_SUCCESS)
		return RTLS_OK;
	rtls_slice_copy(
		rtls_slice(err.text), result->reason, sizeof(result->reason));
	return RTLS_TEMPORARY;
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

static enum rtls_status post(struct transfer *transfer, const char *url,
	struct curl_slist *headers, struct rtls_slice body,
	struct rtls_err *err)
{
	CURL *easy = transfer->easy;
	long code;

	if (curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_POST, 1L) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)body.size) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
			body.size > 0 ? body.data : "") != CURLE_OK) {
		rtls_err_set(err, "libcurl refused an option");
		return RTLS_TEMPORARY;
	}
	if (transfer_run(transfer, url, err) != RTLS_OK)
		return RTLS_TEMPORARY;
	code = response_code(transfer);
	if (code >= 200 && code <= 299)
		return RTLS_OK;
	rtls_err_set(err, "http status %ld", code);
	return RTLS_TEMPORARY;
}

enum rtls_status rtls_fetch_post(const struct rtls_config *config,
	const char *url, const char *content_type, struct rtls_slice body,
	struct rtls_err *err)
{
	enum rtls_status status = RTLS_TEMPORARY;
	struct curl_slist *headers;
	struct transfer transfer;
	char header[128];

	snprintf(header, sizeof(header), "Content-Type: %s", content_type);
	if (!transfer_open(&transfer, config)) {
		rtls_err_set(err, "out of memory");
		return RTLS_TEMPORARY;
	}
	transfer.size_max = RESPONSE_MAX;
	headers = curl_slist_append(NULL, header);
	if (!url_host(url, transfer.host))
		rtls_err_set(err, "not an https URL with a host name");
	else if (headers == NULL)
		rtls_err_set(err, "out of memory");
	else
		status = post(&transfer, url, headers, body, err);
	curl_easy_cleanup(transfer.easy);
	curl_slist_free_all(headers);
	return status;
}
