/* fuzz_rua.c - one place a report goes to. What comes out is safe as an argument, in a header
 * field and in a line of the outbox, and reads the same again. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "report/rua.h"

/* RFC 5322: one dot-atom, one "@", one domain in normal form. */
static void check_address(const char *address)
{
	const char *at = strchr(address, '@');
	char domain[RTLS_DOMAIN_SIZE];
	size_t local;

	PROPERTY(at != NULL && at == strrchr(address, '@'));
	local = (size_t)(at - address);
	PROPERTY(local > 0 && local <= 64);
	PROPERTY(strspn(address, "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 ".!#$%&'*+-/=?^_`{|}~") == local);
	PROPERTY(address[0] != '.' && at[-1] != '.');
	PROPERTY(strstr(address, "..") == NULL);
	PROPERTY(rtls_domain_normalize(rtls_slice(at + 1), domain) == RTLS_OK);
	PROPERTY(strcmp(domain, at + 1) == 0);
}

/* No address in place of the host. */
static void check_url(const char *url)
{
	char host[RTLS_RUA_SIZE] = "";
	struct in6_addr address;

	PROPERTY(strncasecmp(url, "https://", 8) == 0);
	(void)snprintf(host, sizeof(host), "%.*s",
		(int)strcspn(url + 8, ":/?#"), url + 8);
	PROPERTY(host[0] != '\0' && strchr(host, '@') == NULL);
	PROPERTY(inet_aton(host, (struct in_addr *)&address) == 0);
	PROPERTY(inet_pton(AF_INET6, host, &address) != 1);
}

static void check_rua(const struct rtls_rua *rua)
{
	const char *target = rtls_rua_target(rua);
	struct rtls_rua again;

	PROPERTY(strlen(rua->uri) < RTLS_RUA_SIZE);
	for (const char *byte = rua->uri; *byte != '\0'; byte++)
		PROPERTY(*byte > ' ' && *byte <= '~');
	if (rua->kind == RTLS_RUA_MAILTO)
		check_address(target);
	else
		check_url(target);
	PROPERTY(rtls_rua_parse(rtls_slice(rua->uri), &again, NULL) == RTLS_OK);
	PROPERTY(again.kind == rua->kind);
	PROPERTY(strcmp(again.uri, rua->uri) == 0);
	PROPERTY(strcmp(rtls_rua_target(&again), target) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice input = fuzz_input(data, size);
	char address[RTLS_ADDRESS_SIZE], again[RTLS_ADDRESS_SIZE];
	struct rtls_err err = { "" };
	struct rtls_rua rua;

	if (rtls_rua_parse(input, &rua, &err) == RTLS_OK)
		check_rua(&rua);
	else
		PROPERTY(err.text[0] != '\0');
	if (!rtls_rua_address(input, address)) {
		PROPERTY(address[0] == '\0');
		return 0;
	}
	check_address(address);
	PROPERTY(rtls_rua_address(rtls_slice(address), again));
	PROPERTY(strcmp(address, again) == 0);
	return 0;
}
