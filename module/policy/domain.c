/* domain.c - domain names: syntax, normal form, and the match of RFC 8461
 * section 4.1.
 *
 *   name   = label *("." label)           ; at most 253 characters
 *   label  = edge [*61(edge / "-") edge]  ; 1 to 63
 *   edge   = ALPHA / DIGIT / "_"          ; "_" not where LDH is asked for
 *
 * No hyphen at the edges (RFC 1035 section 2.3.1; Exim's own
 * dns_check_names_pattern refuses them too): such a name could be taken for an
 * option on a command line. */
#include "domain.h"

#include <arpa/inet.h>

#include "field.h"

#define LABEL_MAX         63
#define IPV4_OCTETS       4
#define IPV4_OCTET_DIGITS 3
#define ADDRESS_TEXT_SIZE 64

enum charset {
	LDH,
	LDH_AND_UNDERSCORE,
};

static bool is_label(struct rtls_slice label, enum charset charset)
{
	if (label.size == 0 || label.size > LABEL_MAX)
		return false;
	for (size_t i = 0; i < label.size; i++) {
		char byte = label.data[i];
		bool inner = i > 0 && i + 1 < label.size;

		if (rtls_byte_is_alnum(byte))
			continue;
		if (byte == '-' && inner)
			continue;
		if (byte == '_' && charset == LDH_AND_UNDERSCORE)
			continue;
		return false;
	}
	return true;
}

/* Four groups of up to three digits. Values above 255 and leading zeros count
 * too: Exim and getaddrinfo() may take them for an address, and no host name
 * looks so (RFC 1123 section 2.1). */
static bool is_ipv4(struct rtls_slice text)
{
	for (int octet = 1; octet <= IPV4_OCTETS; octet++) {
		struct rtls_slice digits = text;

		if (octet < IPV4_OCTETS) {
			digits = rtls_slice_take(&text, '.');
			if (text.size == 0)
				return false;
		}
		if (digits.size == 0 || digits.size > IPV4_OCTET_DIGITS)
			return false;
		for (size_t i = 0; i < digits.size; i++)
			if (!rtls_byte_is_digit(digits.data[i]))
				return false;
	}
	return true;
}

static bool is_ipv6(struct rtls_slice text)
{
	char terminated[ADDRESS_TEXT_SIZE];
	struct in6_addr address;

	return rtls_slice_copy(text, terminated, sizeof(terminated)) &&
	       inet_pton(AF_INET6, terminated, &address) == 1;
}

bool rtls_domain_is_literal(struct rtls_slice text)
{
	if (text.size >= 2 && text.data[0] == '[' &&
		text.data[text.size - 1] == ']')
		return true;
	return is_ipv4(text) || is_ipv6(text);
}

static bool is_name(struct rtls_slice text, enum charset charset)
{
	struct rtls_slice rest = text;

	if (text.size == 0 || text.size > RTLS_DOMAIN_MAX)
		return false;
	if (text.data[text.size - 1] == '.' || rtls_domain_is_literal(text))
		return false;
	while (rest.size > 0)
		if (!is_label(rtls_slice_take(&rest, '.'), charset))
			return false;
	return true;
}

static struct rtls_slice without_trailing_dot(struct rtls_slice text)
{
	if (text.size > 0 && text.data[text.size - 1] == '.')
		text.size--;
	return text;
}

enum rtls_status rtls_domain_normalize(struct rtls_slice text, char *out)
{
	struct rtls_slice name = without_trailing_dot(text);

	out[0] = '\0';
	if (!is_name(name, LDH_AND_UNDERSCORE))
		return RTLS_INVALID;
	for (size_t i = 0; i < name.size; i++) {
		char byte = name.data[i];

		if (byte >= 'A' && byte <= 'Z')
			byte = (char)(byte - 'A' + 'a');
		out[i] = byte;
	}
	out[name.size] = '\0';
	return RTLS_OK;
}

bool rtls_domain_is_ldh(struct rtls_slice text)
{
	return is_name(text, LDH);
}

bool rtls_domain_matches(struct rtls_slice pattern, struct rtls_slice host)
{
	struct rtls_slice name = without_trailing_dot(host);

	if (!is_name(name, LDH_AND_UNDERSCORE))
		return false;
	if (rtls_slice_starts(pattern, "*.")) {
		/* Exactly one label: behind the first dot both are the same. */
		rtls_slice_take(&pattern, '.');
		rtls_slice_take(&name, '.');
	}
	/* Any other "*" fails here: RFC 8461 section 4.1 has no partial
	 * wildcards. A single-label host has nothing left: no match. */
	return is_name(pattern, LDH_AND_UNDERSCORE) &&
	       rtls_slice_equal_nocase(pattern, name);
}
