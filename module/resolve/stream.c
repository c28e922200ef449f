/* stream.c - see stream.h. */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "policy/text.h"

#define NO_ANSWER "no answer in time"

int64_t rtls_stream_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum rtls_status failed(struct rtls_err *err, int error)
{
	rtls_err_set(
		err, "%s", error == ETIMEDOUT ? NO_ANSWER : strerror(error));
	return RTLS_TEMPORARY;
}

static enum rtls_status wait_for(const struct rtls_stream *stream, short events,
	int64_t until_ms, struct rtls_err *err)
{
	struct pollfd wait = { .fd = stream->fd, .events = events };
	int64_t left_ms;
	int ready;

	if (until_ms > stream->deadline_ms)
		until_ms = stream->deadline_ms;
	do {
		left_ms = until_ms - rtls_stream_now_ms();
		if (left_ms <= 0)
			return failed(err, ETIMEDOUT);
		ready = poll(&wait, 1, left_ms < 60000 ? (int)left_ms : 60000);
	} while (ready == 0 || (ready < 0 && errno == EINTR));
	return ready > 0 ? RTLS_OK : failed(err, errno);
}

/* --- the connection ------------------------------------------------------------ */

static socklen_t set_port(union rtls_address *address, unsigned port)
{
	if (address->any.sa_family == AF_INET) {
		address->v4.sin_port = htons((uint16_t)port);
		return sizeof(address->v4);
	}
	address->v6.sin6_port = htons((uint16_t)port);
	return sizeof(address->v6);
}

static bool is_ours(int error)
{
	return error == ENETUNREACH || error == EADDRNOTAVAIL ||
	       error == EAFNOSUPPORT || error == EPERM || error == EACCES;
}

static enum rtls_status unconnected(
	struct rtls_stream *stream, int error, struct rtls_err *err)
{
	stream->no_route = is_ours(error);
	return failed(err, error);
}

enum rtls_status rtls_stream_open(struct rtls_stream *stream,
	const char *address, unsigned port, unsigned connect_ms,
	int64_t deadline_ms, struct rtls_err *err)
{
	union rtls_address to;
	socklen_t size, error_size = sizeof(int);
	int error = 0;

	*stream = (struct rtls_stream){ .fd = -1, .deadline_ms = deadline_ms };
	if (!rtls_address_parse(address, &to))
		return failed(err, EINVAL);
	size = set_port(&to, port);
	stream->fd = socket(to.any.sa_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (stream->fd < 0)
		return unconnected(stream, errno, err);
	if (connect(stream->fd, &to.any, size) == 0)
		return RTLS_OK;
	if (errno != EINPROGRESS)
		return unconnected(stream, errno, err);
	if (wait_for(stream, POLLOUT, rtls_stream_now_ms() + connect_ms, err) !=
		RTLS_OK)
		return RTLS_TEMPORARY;
	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &error_size) !=
		0)
		error = errno;
	return error == 0 ? RTLS_OK : unconnected(stream, error, err);
}

void rtls_stream_close(struct rtls_stream *stream)
{
	if (stream->session != NULL)
		gnutls_deinit(stream->session);
	if (stream->credentials != NULL)
		gnutls_certificate_free_credentials(stream->credentials);
	if (stream->fd >= 0)
		(void)close(stream->fd);
	*stream = (struct rtls_stream){ .fd = -1 };
}

/* --- bytes ----------------------------------------------------------------------- */

/* GnuTLS's reason, with the alert that the other side sent. */
static enum rtls_status tls_failed(
	const struct rtls_stream *stream, ssize_t code, struct rtls_err *err)
{
	if (code == GNUTLS_E_FATAL_ALERT_RECEIVED)
		rtls_err_set(err, "TLS alert: %s",
			gnutls_alert_get_name(
				gnutls_alert_get(stream->session)));
	else
		rtls_err_set(err, "TLS: %s", gnutls_strerror((int)code));
	return RTLS_TEMPORARY;
}

/* Can it go on after a wait? Else what the failure was. */
static enum rtls_status go_on(
	const struct rtls_stream *stream, ssize_t code, struct rtls_err *err)
{
	if (gnutls_error_is_fatal((int)code))
		return tls_failed(stream, code, err);
	if (code != GNUTLS_E_AGAIN)
		return RTLS_OK;
	return wait_for(stream,
		gnutls_record_get_direction(stream->session) == 1 ? POLLOUT
								  : POLLIN,
		stream->deadline_ms, err);
}

static enum rtls_status write_tls(struct rtls_stream *stream,
	struct rtls_slice data, size_t *written, struct rtls_err *err)
{
	ssize_t n = gnutls_record_send(stream->session, data.data, data.size);

	if (n < 0)
		return go_on(stream, n, err);
	*written = (size_t)n;
	return RTLS_OK;
}

static enum rtls_status write_clear(struct rtls_stream *stream,
	struct rtls_slice data, size_t *written, struct rtls_err *err)
{
	ssize_t n = send(stream->fd, data.data, data.size, MSG_NOSIGNAL);

	if (n >= 0)
		*written = (size_t)n;
	else if (errno == EAGAIN)
		return wait_for(stream, POLLOUT, stream->deadline_ms, err);
	else if (errno != EINTR)
		return failed(err, errno);
	return RTLS_OK;
}

enum rtls_status rtls_stream_write(struct rtls_stream *stream,
	struct rtls_slice data, struct rtls_err *err)
{
	while (data.size > 0) {
		size_t written = 0;
		enum rtls_status status =
			stream->session != NULL
				? write_tls(stream, data, &written, err)
				: write_clear(stream, data, &written, err);

		if (status != RTLS_OK)
			return status;
		data = rtls_slice_n(data.data + written, data.size - written);
	}
	return RTLS_OK;
}

static enum rtls_status read_tls(struct rtls_stream *stream, char *buffer,
	size_t buffer_size, ssize_t *n, struct rtls_err *err)
{
	*n = gnutls_record_recv(stream->session, buffer, buffer_size);
	if (*n == GNUTLS_E_PREMATURE_TERMINATION)
		*n = 0;
	return *n < 0 ? go_on(stream, *n, err) : RTLS_OK;
}

static enum rtls_status read_clear(struct rtls_stream *stream, char *buffer,
	size_t buffer_size, ssize_t *n, struct rtls_err *err)
{
	*n = recv(stream->fd, buffer, buffer_size, 0);
	if (*n >= 0 || errno == EINTR)
		return RTLS_OK;
	if (errno == EAGAIN)
		return wait_for(stream, POLLIN, stream->deadline_ms, err);
	return failed(err, errno);
}

/* A peer that never stops sending must not hold us behind the deadline. */
static bool is_late(const struct rtls_stream *stream)
{
	return rtls_stream_now_ms() >= stream->deadline_ms;
}

enum rtls_status rtls_stream_read(struct rtls_stream *stream, char *buffer,
	size_t buffer_size, size_t *size, struct rtls_err *err)
{
	ssize_t n = -1;

	while (n < 0) {
		enum rtls_status status;

		if (is_late(stream))
			return failed(err, ETIMEDOUT);
		status =
			stream->session != NULL
				? read_tls(stream, buffer, buffer_size, &n, err)
				: read_clear(
					  stream, buffer, buffer_size, &n, err);
		if (status != RTLS_OK)
			return status;
	}
	*size = (size_t)n;
	return n == 0 ? RTLS_NONE : RTLS_OK;
}

/* --- TLS --------------------------------------------------------------------------- */

static bool set_up(struct rtls_stream *stream, const char *host)
{
	return gnutls_certificate_allocate_credentials(&stream->credentials) ==
		       0 &&
	       gnutls_init(&stream->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK) ==
		       0 &&
	       gnutls_set_default_priority(stream->session) == 0 &&
	       gnutls_credentials_set(stream->session, GNUTLS_CRD_CERTIFICATE,
		       stream->credentials) == 0 &&
	       gnutls_server_name_set(stream->session, GNUTLS_NAME_DNS, host,
		       strlen(host)) == 0;
}

enum rtls_status rtls_stream_start_tls(
	struct rtls_stream *stream, const char *host, struct rtls_err *err)
{
	if (!set_up(stream, host)) {
		rtls_err_set(err, "TLS cannot be set up");
		return RTLS_TEMPORARY;
	}
	gnutls_transport_set_int(stream->session, stream->fd);
	/* The deadline is ours. */
	gnutls_handshake_set_timeout(stream->session, 0);
	for (;;) {
		enum rtls_status status;
		int code = gnutls_handshake(stream->session);

		if (code == GNUTLS_E_SUCCESS)
			return RTLS_OK;
		if (is_late(stream))
			return failed(err, ETIMEDOUT);
		status = go_on(stream, code, err);
		if (status != RTLS_OK)
			return status;
	}
}

enum rtls_status rtls_stream_chain(
	const struct rtls_stream *stream, struct rtls_chain *chain)
{
	const gnutls_datum_t *shown;
	unsigned count = 0;

	if (stream->session == NULL)
		return RTLS_OK;
	shown = gnutls_certificate_get_peers(stream->session, &count);
	for (unsigned i = 0; shown != NULL && i < count; i++)
		if (rtls_chain_append(chain, &shown[i]) != RTLS_OK)
			return RTLS_NO_MEMORY;
	return RTLS_OK;
}
