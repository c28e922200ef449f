/* transfer.c - libcurl for one GET or POST.
 *
 * libcurl's own check of certificates stays off: it loads the whole CA bundle
 * before it connects (10 ms), falls back to the CN, and does not say what was
 * wrong. peer.c does the check instead, after the handshake and before the
 * request; without its consent there is no request, and no answer is taken. */
#include "transfer.h"

#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "media_type.h"
#include "peer.h"

#define HEADERS_MAX 65536
#define USER_AGENT  "exim-requiretls"

/* --- callbacks -------------------------------------------------------------- */

/* The address a stranger's name has: not one of our own network. */
static curl_socket_t open_socket(
	void *argument, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct rtls_transfer *transfer = argument;
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
	struct rtls_transfer *transfer = argument;
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

static long response_code(const struct rtls_transfer *transfer)
{
	long code = 0;

	if (curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &code) !=
		CURLE_OK)
		return 0;
	return code;
}

/* libcurl would remember the type of an interim answer (1xx) too. */
static void read_media_type(
	struct rtls_transfer *transfer, struct rtls_slice line)
{
	struct rtls_slice type;

	if (rtls_slice_starts(line, "HTTP/")) {
		transfer->media_type[0] = '\0';
		return;
	}
	/* Behind the body come trailers. */
	if (!transfer->is_body && rtls_media_type(line, &type))
		(void)rtls_slice_copy(type, transfer->media_type,
			sizeof(transfer->media_type));
}

static size_t on_header(char *data, size_t one, size_t size, void *argument)
{
	struct rtls_transfer *transfer = argument;

	(void)one;
	if (size > HEADERS_MAX - transfer->headers_size) {
		transfer->is_too_large = true;
		return 0;
	}
	transfer->headers_size += size;
	read_media_type(transfer, rtls_slice_n(data, size));
	/* An empty line ends them; behind those of an interim answer come others. */
	if (size <= strlen("\r\n"))
		transfer->is_answered = response_code(transfer) >= 200;
	return size;
}

static size_t on_body(char *data, size_t one, size_t size, void *argument)
{
	struct rtls_transfer *transfer = argument;

	(void)one;
	if (!transfer->is_verified)
		return 0;
	/* What a failure has to say does not matter. */
	if (transfer->buffer != NULL && response_code(transfer) != 200)
		return 0;
	transfer->is_body = true;
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

static CURLcode set_connection(CURL *easy, struct rtls_transfer *transfer)
{
	const struct rtls_config *config = transfer->config;
	CURLcode bad;

	/* No signals: the time-outs of the resolver thread work without. And
	 * when the time is up, do not wait for that thread: it goes on as long
	 * as the name servers of a stranger like. */
	bad = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	if (bad == CURLE_OK)
		bad = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			(long)config->fetch_timeout_ms +
				(long)transfer->upload_ms);
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

static CURLcode set_tls(CURL *easy, struct rtls_transfer *transfer)
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

static CURLcode set_output(CURL *easy, struct rtls_transfer *transfer)
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

CURLcode rtls_transfer_prepare(struct rtls_transfer *transfer, const char *url)
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

/* --- the exchange ----------------------------------------------------------- */

bool rtls_transfer_open(
	struct rtls_transfer *transfer, const struct rtls_config *config)
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

void rtls_transfer_close(struct rtls_transfer *transfer)
{
	curl_easy_cleanup(transfer->easy);
}

/* libcurl's own words, which may hold what the server said. */
static void explain_curl(const struct rtls_transfer *transfer, CURLcode code,
	struct rtls_err *err)
{
	struct rtls_quoted quoted;
	const char *text = transfer->curl_error;

	if (text[0] == '\0')
		text = curl_easy_strerror(code);
	rtls_err_set(err, "%s", rtls_quoted(&quoted, rtls_slice(text)));
}

static bool is_wanted(const struct rtls_transfer *transfer)
{
	long code = response_code(transfer);

	return transfer->buffer != NULL ? code == 200
					: code >= 200 && code <= 299;
}

static void explain_connect(
	const struct rtls_transfer *transfer, struct rtls_err *err)
{
	if (transfer->is_private)
		rtls_err_set(err, "the address of %s is not a public one",
			transfer->host);
	else
		rtls_err_set(err, "could not connect to %s", transfer->host);
}

static void explain(const struct rtls_transfer *transfer, CURLcode code,
	struct rtls_err *err)
{
	if (transfer->certificate != RTLS_OK)
		*err = transfer->why;
	else if (response_code(transfer) != 0 && !is_wanted(transfer))
		rtls_err_set(err, "http status %ld", response_code(transfer));
	else if (transfer->is_too_large && transfer->is_body)
		rtls_err_set(err, "policy larger than %zu bytes",
			transfer->size_max);
	else if (transfer->is_too_large)
		rtls_err_set(err, "header larger than %d bytes", HEADERS_MAX);
	else if (code == CURLE_COULDNT_RESOLVE_HOST)
		rtls_err_set(err, "could not resolve %s", transfer->host);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		rtls_err_set(err, "%s timed out",
			transfer->is_verified ? "answer" : "connection");
	else if (code == CURLE_COULDNT_CONNECT)
		explain_connect(transfer, err);
	else
		explain_curl(transfer, code, err);
}

enum rtls_status rtls_transfer_judge(const struct rtls_transfer *transfer,
	CURLcode code, struct rtls_err *err)
{
	/* Once a report is accepted, what becomes of the rest of the answer does not
	 * matter, and must not have it sent again. */
	if (transfer->is_answered && transfer->buffer == NULL)
		code = CURLE_OK;
	if (code == CURLE_OK && transfer->is_verified && is_wanted(transfer))
		return RTLS_OK;
	explain(transfer, code, err);
	return RTLS_TEMPORARY;
}

enum rtls_status rtls_transfer_run(
	struct rtls_transfer *transfer, const char *url, struct rtls_err *err)
{
	CURLcode code = rtls_transfer_prepare(transfer, url);

	if (code == CURLE_OK)
		code = curl_easy_perform(transfer->easy);
	return rtls_transfer_judge(transfer, code, err);
}
