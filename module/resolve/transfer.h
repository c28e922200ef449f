/* transfer.h - one HTTPS exchange by libcurl, with everything switched off that
 * one GET or POST does not need. */
#ifndef RTLS_TRANSFER_H
#define RTLS_TRANSFER_H

#include <curl/curl.h>

#include "policy/config.h"
#include "policy/domain.h"

/* The caller sets host, size_max and, for a GET, buffer, for a POST upload_ms; the rest is
 * filled. */
struct rtls_transfer {
	const struct rtls_config *config;
	CURL *easy;
	char host[RTLS_DOMAIN_SIZE]; /* whose certificate it must be */
	char *buffer;                /* for the body; NULL: it is thrown away */
	size_t size_max;             /* of the body */
	unsigned upload_ms; /* more than fetch_timeout, for a body of ours */
	size_t size;
	size_t headers_size;
	char media_type
		[64];     /* of the answer that counts, parameters left out */
	bool is_answered; /* status and headers are complete */
	bool is_body;     /* it has begun */
	bool is_too_large;
	bool is_private;  /* an address was refused */
	bool is_verified; /* the certificate; without it nothing counts */
	enum rtls_status certificate; /* as rtls_peer_verify() found it */
	struct rtls_err why;          /* of the certificate */
	char curl_error[CURL_ERROR_SIZE];
};

/* False: no memory, or no libcurl that could be used. */
bool rtls_transfer_open(
	struct rtls_transfer *transfer, const struct rtls_config *config);
void rtls_transfer_close(struct rtls_transfer *transfer);

/*
 * Do it. Options that make it a POST were set before.
 *
 * err             why not; what came from outside is quoted
 * RTLS_OK         the certificate is good, and an answer of the wanted status
 *                 has come: 200 and in full for a GET; for a POST any 2xx with its headers,
 *                 whatever becomes of its body
 * RTLS_TEMPORARY  anything else; certificate tells whether that was it
 */
RTLS_MUST_CHECK enum rtls_status rtls_transfer_run(
	struct rtls_transfer *transfer, const char *url, struct rtls_err *err);

/* The same in two parts, for whoever lets libcurl run many at a time in between: set all
 * options; and judge what came of it, code being what libcurl said of either. */
RTLS_MUST_CHECK CURLcode rtls_transfer_prepare(
	struct rtls_transfer *transfer, const char *url);
RTLS_MUST_CHECK enum rtls_status rtls_transfer_judge(
	const struct rtls_transfer *transfer, CURLcode code,
	struct rtls_err *err);

#endif
