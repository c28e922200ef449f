/* address.c - the special-purpose registries of RFC 6890 as a table. */
#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>

struct network {
	int family;
	unsigned bits;
	const char *prefix;
};

static const struct network not_public[] = {
	{ AF_INET, 8, "0.0.0.0" },      /* this network, unspecified */
	{ AF_INET, 8, "10.0.0.0" },     /* private */
	{ AF_INET, 10, "100.64.0.0" },  /* shared, CGNAT */
	{ AF_INET, 8, "127.0.0.0" },    /* loopback */
	{ AF_INET, 16, "169.254.0.0" }, /* link-local, cloud metadata */
	{ AF_INET, 12, "172.16.0.0" },  /* private */
	{ AF_INET, 24, "192.0.0.0" },   /* protocol assignments */
	{ AF_INET, 16, "192.168.0.0" }, /* private */
	{ AF_INET, 15, "198.18.0.0" },  /* benchmarks */
	{ AF_INET, 4, "224.0.0.0" },    /* multicast */
	{ AF_INET, 4, "240.0.0.0" },    /* reserved, broadcast */
	{ AF_INET6, 96, "::" }, /* unspecified, loopback, IPv4-compatible */
	{ AF_INET6, 96, "::ffff:0:0" },  /* IPv4-mapped */
	{ AF_INET6, 48, "64:ff9b:1::" }, /* local NAT64 */
	{ AF_INET6, 64, "100::" },       /* discard */
	{ AF_INET6, 32, "2001::" },      /* Teredo */
	{ AF_INET6, 7, "fc00::" },       /* unique local */
	{ AF_INET6, 10, "fe80::" },      /* link-local */
	{ AF_INET6, 10, "fec0::" },      /* site-local, once */
	{ AF_INET6, 8, "ff00::" },       /* multicast */
};

/* IPv6 networks whose addresses carry an IPv4 address that decides. */
static const struct {
	struct network network;
	size_t at; /* where in the address */
} carriers[] = {
	{ { AF_INET6, 96, "64:ff9b::" }, 12 }, /* NAT64 */
	{ { AF_INET6, 16, "2002::" }, 2 },     /* 6to4 */
};

static const unsigned char *address_bytes(const union rtls_address *address)
{
	return address->any.sa_family == AF_INET
		       ? (const unsigned char *)&address->v4.sin_addr
		       : address->v6.sin6_addr.s6_addr;
}

static bool is_in(
	const union rtls_address *address, const struct network *network)
{
	const unsigned char *bytes = address_bytes(address);
	unsigned char prefix[sizeof(struct in6_addr)];
	size_t whole = network->bits / 8;
	unsigned rest = network->bits % 8;

	if (address->any.sa_family != network->family ||
		inet_pton(network->family, network->prefix, prefix) != 1)
		return false;
	if (memcmp(bytes, prefix, whole) != 0)
		return false;
	return rest == 0 || (bytes[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

static bool is_listed(const union rtls_address *address)
{
	for (size_t i = 0; i < sizeof(not_public) / sizeof(*not_public); i++)
		if (is_in(address, &not_public[i]))
			return true;
	return false;
}

bool rtls_address_is_public(const union rtls_address *address)
{
	int family = address->any.sa_family;

	if ((family != AF_INET && family != AF_INET6) || is_listed(address))
		return false;
	for (size_t i = 0; i < sizeof(carriers) / sizeof(*carriers); i++) {
		union rtls_address inner = { .v4 = { .sin_family = AF_INET } };

		if (!is_in(address, &carriers[i].network))
			continue;
		memcpy(&inner.v4.sin_addr,
			address_bytes(address) + carriers[i].at,
			sizeof(inner.v4.sin_addr));
		return !is_listed(&inner);
	}
	return true;
}

bool rtls_address_is_loopback(const union rtls_address *address)
{
	static const struct network v4 = { AF_INET, 8, "127.0.0.0" };
	static const struct network v6 = { AF_INET6, 128, "::1" };

	return is_in(address, &v4) || is_in(address, &v6);
}

static bool parse_v6(const char *text, struct sockaddr_in6 *v6)
{
	char plain[INET6_ADDRSTRLEN];
	const char *percent = strchr(text, '%');
	size_t size = percent != NULL ? (size_t)(percent - text) : strlen(text);

	if (size >= sizeof(plain))
		return false;
	memcpy(plain, text, size);
	plain[size] = '\0';
	if (inet_pton(AF_INET6, plain, &v6->sin6_addr) != 1)
		return false;
	if (percent == NULL)
		return true;
	v6->sin6_scope_id = if_nametoindex(percent + 1);
	return v6->sin6_scope_id != 0;
}

bool rtls_address_parse(const char *text, union rtls_address *address)
{
	union rtls_address parsed;

	memset(&parsed, 0, sizeof(parsed));
	if (inet_pton(AF_INET, text, &parsed.v4.sin_addr) == 1)
		parsed.any.sa_family = AF_INET;
	else if (parse_v6(text, &parsed.v6))
		parsed.any.sa_family = AF_INET6;
	else
		return false;
	*address = parsed;
	return true;
}
