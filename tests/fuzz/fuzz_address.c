/* fuzz_address.c - IP addresses: as text, and the first 4 and 16 bytes as they are.
 * What is public is asked again by arithmetic and by libc's own macros. */
#include <arpa/inet.h>
#include <string.h>

#include "fuzz.h"
#include "resolve/address.h"

#define TEXT_MAX 64

/* First and last address that is not public. */
static const struct {
	uint32_t from, to;
} closed[] = {
	{ 0x00000000, 0x00ffffff }, /* 0/8 */
	{ 0x0a000000, 0x0affffff }, /* 10/8 */
	{ 0x64400000, 0x647fffff }, /* 100.64/10 */
	{ 0x7f000000, 0x7fffffff }, /* 127/8 */
	{ 0xa9fe0000, 0xa9feffff }, /* 169.254/16 */
	{ 0xac100000, 0xac1fffff }, /* 172.16/12 */
	{ 0xc0000000, 0xc00000ff }, /* 192.0.0/24 */
	{ 0xc0a80000, 0xc0a8ffff }, /* 192.168/16 */
	{ 0xc6120000, 0xc613ffff }, /* 198.18/15 */
	{ 0xe0000000, 0xffffffff }, /* 224/3 */
};

static bool is_open(uint32_t v4)
{
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
		if (v4 >= closed[i].from && v4 <= closed[i].to)
			return false;
	return true;
}

static uint32_t four(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
}

static void check_v4(const union rtls_address *address)
{
	uint32_t v4 = ntohl(address->v4.sin_addr.s_addr);

	PROPERTY(rtls_address_is_public(address) == is_open(v4));
	PROPERTY(rtls_address_is_loopback(address) == (v4 >> 24 == 127));
}

static void check_v6(const union rtls_address *address)
{
	const struct in6_addr *v6 = &address->v6.sin6_addr;
	bool is_public = rtls_address_is_public(address);
	uint32_t head = four(v6->s6_addr);

	if (IN6_IS_ADDR_UNSPECIFIED(v6) || IN6_IS_ADDR_LOOPBACK(v6) ||
		IN6_IS_ADDR_LINKLOCAL(v6) || IN6_IS_ADDR_SITELOCAL(v6) ||
		IN6_IS_ADDR_MULTICAST(v6) || IN6_IS_ADDR_V4MAPPED(v6) ||
		IN6_IS_ADDR_V4COMPAT(v6) || (head >> 25) == 0xfc >> 1)
		PROPERTY(!is_public);
	if (head >> 16 == 0x2002) /* 6to4 */
		PROPERTY(is_public == is_open(four(v6->s6_addr + 2)));
	else if (head >> 29 == 1) /* 2000::/3, Teredo in it */
		PROPERTY(is_public == (head != 0x20010000));
	PROPERTY(rtls_address_is_loopback(address) ==
		 !!IN6_IS_ADDR_LOOPBACK(v6));
}

static void check_bytes(const uint8_t *data, size_t size)
{
	union rtls_address address;

	memset(&address, 0, sizeof(address));
	if (size >= 4) {
		address.any.sa_family = AF_INET;
		memcpy(&address.v4.sin_addr, data, 4);
		check_v4(&address);
	}
	memset(&address, 0, sizeof(address));
	if (size >= 16) {
		address.any.sa_family = AF_INET6;
		memcpy(&address.v6.sin6_addr, data, 16);
		check_v6(&address);
	}
	address.any.sa_family = AF_UNIX;
	PROPERTY(!rtls_address_is_public(&address));
}

static void check_text(const char *text)
{
	union rtls_address address, again;
	char written[INET6_ADDRSTRLEN];
	struct in6_addr plain;

	memset(&address, 0x55, sizeof(address));
	again = address;
	if (!rtls_address_parse(text, &address)) {
		PROPERTY(fuzz_same(&address, &again, sizeof(again)));
		PROPERTY(inet_pton(AF_INET, text, &plain) != 1);
		PROPERTY(inet_pton(AF_INET6, text, &plain) != 1);
		return;
	}
	if (address.any.sa_family == AF_INET)
		check_v4(&address);
	else
		check_v6(&address);
	PROPERTY(inet_ntop(address.any.sa_family,
			 address.any.sa_family == AF_INET
				 ? (void *)&address.v4.sin_addr
				 : (void *)&address.v6.sin6_addr,
			 written, sizeof(written)) != NULL);
	PROPERTY(rtls_address_parse(written, &again));
	if (strchr(text, '%') == NULL)
		PROPERTY(fuzz_same(&address, &again, sizeof(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX];

	check_bytes(data, size);
	if (rtls_slice_copy(fuzz_input(data, size), text, sizeof(text)))
		check_text(text);
	return 0;
}
