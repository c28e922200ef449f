/* stream.h - one TCP connection to a host that a stranger runs, in clear or in TLS. Nothing
 * waits behind the deadline. */
#ifndef RTLS_STREAM_H
#define RTLS_STREAM_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/slice.h"
#include "policy/status.h"
#include "tls/chain.h"

struct rtls_stream {
	int fd;
	int64_t deadline_ms;      /* on the monotonic clock */
	gnutls_session_t session; /* NULL: in clear */
	gnutls_certificate_credentials_t credentials;
	bool no_route; /* it is this machine that cannot get there */
};

int64_t rtls_stream_now_ms(void);

/*
 * address     IPv4 or IPv6
 * connect_ms  for the connection; the deadline holds in any case
 * stream      filled in any case, to be closed
 * err         why not
 */
RTLS_MUST_CHECK enum rtls_status rtls_stream_open(struct rtls_stream *stream,
	const char *address, unsigned port, unsigned connect_ms,
	int64_t deadline_ms, struct rtls_err *err);
void rtls_stream_close(struct rtls_stream *stream);

/* All of it, or RTLS_TEMPORARY. */
RTLS_MUST_CHECK enum rtls_status rtls_stream_write(struct rtls_stream *stream,
	struct rtls_slice data, struct rtls_err *err);

/*
 * What there is, at least one byte.
 *
 * RTLS_NONE  the other side has closed
 */
RTLS_MUST_CHECK enum rtls_status rtls_stream_read(struct rtls_stream *stream,
	char *buffer, size_t buffer_size, size_t *size, struct rtls_err *err);

/* The handshake, with SNI. Any certificate is taken: who wants to know about it judges the chain.
 * host: normalized. */
RTLS_MUST_CHECK enum rtls_status rtls_stream_start_tls(
	struct rtls_stream *stream, const char *host, struct rtls_err *err);

/* What the other side showed; also when the handshake failed behind that. To be cleared. */
RTLS_MUST_CHECK enum rtls_status rtls_stream_chain(
	const struct rtls_stream *stream, struct rtls_chain *chain);

#endif
