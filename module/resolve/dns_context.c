/* dns_context.c - set up getdns: nothing is left to its defaults. */
#include "dns_context.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "store/system_file.h"

#define ANCHOR_SIZE_MAX 65536
#define EDNS_SIZE_BYTES 1232 /* never fragmented on its way */
#define TYPE_DNSKEY     48
#define DNS_PORT        53

static bool has_root_anchor(const getdns_list *anchors)
{
	getdns_bindata *name;
	getdns_dict *rr;
	uint32_t type;

	for (size_t i = 0; getdns_list_get_dict(anchors, i, &rr) == 0; i++)
		if (getdns_dict_get_int(rr, "type", &type) == 0 &&
			type == TYPE_DNSKEY &&
			getdns_dict_get_bindata(rr, "name", &name) == 0 &&
			name->size == 1)
			return true;
	return false;
}

static getdns_list *parse_anchors(char *text, size_t size)
{
	FILE *stream = size > 0 ? fmemopen(text, size, "r") : NULL;
	getdns_list *anchors = NULL;
	bool ok;

	if (stream == NULL)
		return NULL;
	/* No origin: 1.6.0 takes the size of a given one from memory that it never
	 * set, and fails by chance. */
	ok = getdns_fp2rr_list(stream, &anchors, NULL, 3600) == 0 &&
	     has_root_anchor(anchors);
	(void)fclose(stream);
	if (ok)
		return anchors;
	getdns_list_destroy(anchors);
	return NULL;
}

enum rtls_status rtls_dns_anchors_load(
	const char *path, getdns_list **anchors, struct rtls_err *err)
{
	char *buffer = malloc(ANCHOR_SIZE_MAX + 1);
	enum rtls_status status;
	struct rtls_slice text;

	if (buffer == NULL) {
		rtls_err_set(err, "out of memory");
		return RTLS_NO_MEMORY;
	}
	status = rtls_system_file_read(
		path, buffer, ANCHOR_SIZE_MAX, &text, err);
	if (status == RTLS_OK) {
		*anchors = parse_anchors(buffer, text.size);
		if (*anchors == NULL) {
			rtls_err_set(err,
				"trust_anchor %s: no DNSKEY of the root zone",
				path);
			status = RTLS_INVALID;
		}
	}
	free(buffer);
	return status == RTLS_OK ? RTLS_OK : RTLS_INVALID;
}

getdns_dict *rtls_dns_extensions_make(enum rtls_dns_mode mode)
{
	getdns_dict *extensions = getdns_dict_create();
	getdns_return_t bad;

	if (extensions == NULL)
		return NULL;
	if (mode == RTLS_DNS_AD)
		bad = getdns_dict_set_int(extensions, "/header/ad", 1);
	else
		bad = getdns_dict_set_int(extensions, "dnssec_return_status",
			GETDNS_EXTENSION_TRUE);
	/* Or else bogus replies are left out, as if they had never come. */
	if (bad == 0 && mode == RTLS_DNS_VALIDATE)
		bad = getdns_dict_set_int(extensions,
			"dnssec_return_all_statuses", GETDNS_EXTENSION_TRUE);
	if (bad == 0)
		return extensions;
	getdns_dict_destroy(extensions);
	return NULL;
}

/*
 * Without a CA to verify them with, getdns neither reads anchors below its
 * application directory nor fetches any. It would do both, our own anchors notwithstanding, as
 * soon as the root's keys look bogus.
 */
static getdns_return_t forbid_anchor_fetching(getdns_context *context)
{
	getdns_return_t bad;

	bad = getdns_context_set_trust_anchors_verify_CA(context, "");
	if (bad != 0)
		return bad;
	return getdns_context_set_trust_anchors_verify_email(context, "");
}

static getdns_return_t set_names(getdns_context *context)
{
	static getdns_namespace_t namespaces[] = { GETDNS_NAMESPACE_DNS };
	getdns_return_t bad;

	bad = getdns_context_set_resolution_type(
		context, GETDNS_RESOLUTION_STUB);
	if (bad == 0)
		bad = getdns_context_set_namespaces(context, 1, namespaces);
	if (bad == 0)
		bad = getdns_context_set_append_name(
			context, GETDNS_APPEND_NAME_NEVER);
	return bad;
}

static getdns_return_t set_transport(
	getdns_context *context, unsigned timeout_ms)
{
	static getdns_transport_list_t transports[] = { GETDNS_TRANSPORT_UDP,
		GETDNS_TRANSPORT_TCP };
	getdns_return_t bad;

	bad = getdns_context_set_dns_transport_list(context, 2, transports);
	if (bad == 0)
		bad = getdns_context_set_edns_maximum_udp_payload_size(
			context, EDNS_SIZE_BYTES);
	/* Ours ends first: a validation that getdns 1.6.0 gives up by its own
	 * timer, among others that wait for the same keys, is freed twice. */
	if (bad == 0)
		bad = getdns_context_set_timeout(context, 2 * timeout_ms);
	return bad;
}

static getdns_return_t describe_upstream(
	const union rtls_address *address, getdns_dict *upstream)
{
	bool v4 = address->any.sa_family == AF_INET;
	union rtls_address copy = *address;
	getdns_bindata data = { v4 ? 4 : 16,
		v4 ? (uint8_t *)&copy.v4.sin_addr : copy.v6.sin6_addr.s6_addr };
	getdns_return_t bad;
	char scope[16];

	bad = getdns_dict_util_set_string(
		upstream, "address_type", v4 ? "IPv4" : "IPv6");
	if (bad == 0)
		bad = getdns_dict_set_bindata(upstream, "address_data", &data);
	if (bad != 0 || v4 || copy.v6.sin6_scope_id == 0)
		return bad;
	snprintf(scope, sizeof(scope), "%u", (unsigned)copy.v6.sin6_scope_id);
	return getdns_dict_util_set_string(upstream, "scope_id", scope);
}

static getdns_return_t set_upstream(
	getdns_context *context, const union rtls_address *address)
{
	getdns_list *list = getdns_list_create();
	getdns_dict *upstream = getdns_dict_create();
	getdns_return_t bad = GETDNS_RETURN_MEMORY_ERROR;

	if (list != NULL && upstream != NULL)
		bad = describe_upstream(address, upstream);
	if (bad == 0)
		bad = getdns_list_set_dict(list, 0, upstream);
	if (bad == 0)
		bad = getdns_context_set_upstream_recursive_servers(
			context, list);
	getdns_dict_destroy(upstream);
	getdns_list_destroy(list);
	return bad;
}

static getdns_return_t set_dnssec(getdns_context *context,
	enum rtls_dns_mode mode, const getdns_list *anchors)
{
	if (mode == RTLS_DNS_AD)
		return getdns_context_set_edns_do_bit(context, 1);
	return getdns_context_set_dnssec_trust_anchors(
		context, (getdns_list *)anchors);
}

/* --- the guard -------------------------------------------------------------- */

static bool is_datagram(int fd)
{
	socklen_t size = sizeof(int);
	int type = 0;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_DGRAM;
}

/* A connected UDP socket hears of nobody else. Else an answer forged from outside
 * would count, even where the resolver is on loopback and trusted for that. */
static bool connect_to_upstream(int fd, const union rtls_address *upstream)
{
	union rtls_address to = *upstream;
	socklen_t size = sizeof(to.v6);

	if (to.any.sa_family == AF_INET) {
		to.v4.sin_port = htons(DNS_PORT);
		size = sizeof(to.v4);
	} else {
		to.v6.sin6_port = htons(DNS_PORT);
	}
	return connect(fd, &to.any, size) == 0;
}

/* Called before the query is sent, when getdns wants to know when it can. */
static getdns_return_t schedule_guarded(getdns_eventloop *loop, int fd,
	uint64_t timeout_ms, getdns_eventloop_event *event)
{
	const struct rtls_dns_guard *guard = (const void *)loop->vmt;

	if (fd >= 0 && event->write_cb != NULL && is_datagram(fd) &&
		!connect_to_upstream(fd, &guard->upstream))
		return GETDNS_RETURN_IO_ERROR;
	return guard->schedule(loop, fd, timeout_ms, event);
}

static getdns_return_t set_guard(getdns_context *context,
	const union rtls_address *upstream, struct rtls_dns_guard *guard)
{
	getdns_eventloop *loop;
	getdns_return_t bad = getdns_context_get_eventloop(context, &loop);

	if (bad != 0)
		return bad;
	guard->vmt = *loop->vmt;
	guard->schedule = loop->vmt->schedule;
	guard->vmt.schedule = schedule_guarded;
	guard->upstream = *upstream;
	loop->vmt = &guard->vmt;
	return 0;
}

getdns_context *rtls_dns_context_open(enum rtls_dns_mode mode,
	const union rtls_address *upstream, const getdns_list *anchors,
	unsigned timeout_ms, struct rtls_dns_guard *guard)
{
	getdns_context *context;

	if (getdns_context_create(&context, 0) != 0)
		return NULL;
	if (forbid_anchor_fetching(context) == 0 && set_names(context) == 0 &&
		set_transport(context, timeout_ms) == 0 &&
		set_upstream(context, upstream) == 0 &&
		set_dnssec(context, mode, anchors) == 0 &&
		set_guard(context, upstream, guard) == 0)
		return context;
	getdns_context_destroy(context);
	return NULL;
}
