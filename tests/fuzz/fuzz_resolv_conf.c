/* fuzz_resolv_conf.c - the resolvers of resolv.conf. There is always one; written
 * as such a file they are the same again. */
#include <arpa/inet.h>
#include <string.h>

#include "fuzz.h"
#include "policy/text.h"
#include "resolve/upstream.h"

static void write_one(struct rtls_text *out, const union rtls_address *address)
{
	char text[INET6_ADDRSTRLEN];
	int family = address->any.sa_family;

	PROPERTY(family == AF_INET || family == AF_INET6);
	PROPERTY(inet_ntop(family,
			 family == AF_INET ? (void *)&address->v4.sin_addr
					   : (void *)&address->v6.sin6_addr,
			 text, sizeof(text)) != NULL);
	rtls_text_printf(out, "nameserver %s", text);
	if (family == AF_INET6 && address->v6.sin6_scope_id != 0)
		rtls_text_printf(out, "%%lo"); /* the one interface there is */
	rtls_text_printf(out, "\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_upstreams upstreams, again;
	char written[1024];
	struct rtls_text out;

	memset(&upstreams, 0, sizeof(upstreams));
	rtls_upstreams_parse(fuzz_input(data, size), &upstreams);
	PROPERTY(upstreams.count >= 1);
	PROPERTY(upstreams.count <= RTLS_RESOLVERS_MAX);
	rtls_text_init(&out, written, sizeof(written));
	for (size_t i = 0; i < upstreams.count; i++) {
		if (upstreams.address[i].any.sa_family == AF_INET6 &&
			upstreams.address[i].v6.sin6_scope_id > 1)
			return 0; /* an interface of this machine */
		write_one(&out, &upstreams.address[i]);
	}
	PROPERTY(!out.overflow);
	memset(&again, 0, sizeof(again));
	rtls_upstreams_parse(rtls_text_slice(&out), &again);
	PROPERTY(fuzz_same(&upstreams, &again, sizeof(again)));
	return 0;
}
