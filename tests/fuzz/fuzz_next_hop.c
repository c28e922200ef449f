/* fuzz_next_hop.c - the smart hosts of a host list. Each is within its room, "/mx" stands
 * alone, and hosts that need no quoting are the same again when they are written as a list. */
#include <string.h>

#include "fuzz.h"
#include "policy/next_hop.h"
#include "policy/text.h"

/* Nothing in it that means something to the list, or to what reads an item. */
static bool is_plain(const char *host)
{
	for (const char *at = host; *at != '\0'; at++)
		if (!((*at >= 'a' && *at <= 'z') ||
			    (*at >= '0' && *at <= '9') || *at == '-' ||
			    (*at == '.' && at > host)))
			return false;
	return *host != '\0';
}

static void check_one(const struct rtls_next_hop *hop)
{
	const size_t size = strnlen(hop->host, sizeof(hop->host));

	PROPERTY(size > 0 && size < sizeof(hop->host));
	PROPERTY(hop->port <= 65535);
}

static void write_one(struct rtls_text *out, const struct rtls_next_hop *hop)
{
	rtls_text_printf(out, "%s%s", out->size == 0 ? "" : " : ", hop->host);
	if (hop->by_mx)
		rtls_text_printf(out, "/mx");
	if (hop->port != 0)
		rtls_text_printf(out, "::%u", hop->port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char written[RTLS_NEXT_HOPS_MAX * (RTLS_NEXT_HOP_SIZE + 16)];
	static struct rtls_next_hops hops, again;
	struct rtls_text out;

	memset(&hops, 0, sizeof(hops));
	if (rtls_next_hops_parse(fuzz_input(data, size), &hops) != RTLS_OK)
		return 0;
	PROPERTY(hops.count >= 1 && hops.count <= RTLS_NEXT_HOPS_MAX);
	rtls_text_init(&out, written, sizeof(written));
	for (size_t i = 0; i < hops.count; i++) {
		check_one(&hops.hop[i]);
		PROPERTY(!hops.hop[i].by_mx || hops.count == 1);
		if (!is_plain(hops.hop[i].host))
			return 0;
		write_one(&out, &hops.hop[i]);
	}
	PROPERTY(!out.overflow);
	memset(&again, 0, sizeof(again));
	PROPERTY(
		rtls_next_hops_parse(rtls_text_slice(&out), &again) == RTLS_OK);
	PROPERTY(again.count == hops.count);
	for (size_t i = 0; i < hops.count; i++) {
		PROPERTY(strcmp(again.hop[i].host, hops.hop[i].host) == 0);
		PROPERTY(again.hop[i].port == hops.hop[i].port);
		PROPERTY(again.hop[i].by_mx == hops.hop[i].by_mx);
	}
	return 0;
}
