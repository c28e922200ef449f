/* fetch.h - the one wrapper around libcurl: GET the policy (RFC 8461 section
 * 3.3), POST a report (RFC 8460 section 5.4).
 *
 * https only, no redirect, no proxy, no netrc, no cookie, no cache; TLS 1.2 and up; the certificate
 * by DNS-ID only; every byte counted. */
#ifndef RTLS_FETCH_H
#define RTLS_FETCH_H

#include <stdbool.h>

#include "policy/config.h"
#include "policy/result.h"

struct rtls_fetch_result {
	enum rtls_result
		failure; /* SUCCESS, or sts-policy-fetch-error, sts-webpki-invalid */
	char reason[RTLS_ERR_SIZE]; /* quoted */
	struct rtls_slice body;     /* borrows from buffer */
	/* It is ours (the CA bundle cannot be read, say), and not to be held
	 * against the policy host. */
	bool is_ours;
	/* The system's resolver gave libcurl no address. What it does not tell is whether
	 * there is none. */
	bool is_unresolved;
};

/*
 * https://mta-sts.<domain>/.well-known/mta-sts.txt
 *
 * domain  normalized
 * buffer  RTLS_STS_POLICY_SIZE_MAX bytes
 * RTLS_OK         status 200, text/plain, in time and size: body is set
 * RTLS_TEMPORARY  anything else: failure and reason say what
 */
RTLS_MUST_CHECK enum rtls_status rtls_fetch_policy(
	const struct rtls_config *config, const char *domain, char *buffer,
	struct rtls_fetch_result *result);

/*
 * Many at a time: start some, wait, take what is done, start more. All run while
 * rtls_fetches_wait() does.
 */
struct rtls_fetches;

/* NULL: no memory. config is borrowed. */
struct rtls_fetches *rtls_fetches_open(const struct rtls_config *config);
/* What still runs is broken off. */
void rtls_fetches_close(struct rtls_fetches *fetches);

/*
 * domain, buffer  as for rtls_fetch_policy(); buffer is borrowed until it is taken
 * context         the caller's, given back with the result; not NULL
 * RTLS_NO_MEMORY  not begun, and will not be taken
 */
RTLS_MUST_CHECK enum rtls_status rtls_fetches_start(
	struct rtls_fetches *fetches, const char *domain, char *buffer,
	void *context);

/* Go on with all of them; return when something happened, at most after wait_ms. */
void rtls_fetches_wait(struct rtls_fetches *fetches, unsigned wait_ms);

/* The context of one that is done, and its result as rtls_fetch_policy() would give it;
 * NULL: none is. */
void *rtls_fetches_take(
	struct rtls_fetches *fetches, struct rtls_fetch_result *result);

/*
 * url           an https URI as the record had it
 * content_type  "application/tlsrpt+gzip"
 * RTLS_OK  the server answered 2xx; RTLS_TEMPORARY otherwise, err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_fetch_post(
	const struct rtls_config *config, const char *url,
	const char *content_type, struct rtls_slice body, struct rtls_err *err);

#endif
