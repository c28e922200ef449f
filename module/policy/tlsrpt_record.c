/* tlsrpt_record.c - parse the TXT record at _smtp._tls.<domain>.
 *
 *   record    = "v=TLSRPTv1" 1*(delim field) [delim]  ; case-sensitive
 *   delim     = *WSP ";" *WSP
 *   field     = rua / extension                       ; rua is required
 *   rua       = "rua=" item *(*WSP "," *WSP item)
 *   item      = *(%x21-2B / %x2D-3A / %x3C-7E)        ; a URI, it is hoped
 *   uri       = scheme ":" *uri-byte                  ; RFC 3986, but "," "!"
 *                                                     ; ";" percent-encoded
 *   mailto    = "mailto:" 1*uri-byte "@" domain ["?" hfields]
 *   https     = "https://" host [":" port] [path] ["?" query] ["#" fragment]
 *   extension = name "=" value                        ; see field.h
 */
#include "tlsrpt_record.h"

#include <string.h>

#include "domain.h"
#include "field.h"

#define VERSION  "v=TLSRPTv1"
#define PORT_MAX 65535

static int hex_value(char byte)
{
	if (rtls_byte_is_digit(byte))
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

/* The byte that "%HH" at i stands for, or -1. */
static int encoded_byte(struct rtls_slice text, size_t i)
{
	int high, low;

	if (text.size - i < 3 || text.data[i] != '%')
		return -1;
	high = hex_value(text.data[i + 1]);
	low = hex_value(text.data[i + 2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool is_one_of(char byte, const char *set)
{
	return byte != '\0' && strchr(set, byte) != NULL;
}

/* The bytes of RFC 3986, without the three that RFC 8460 wants encoded. */
static bool has_uri_bytes(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++) {
		char byte = text.data[i];

		if (!rtls_byte_is_alnum(byte) &&
			!is_one_of(byte, "-._~:/?#[]@$&'()*+=") &&
			encoded_byte(text, i) < 0)
			return false;
	}
	return true;
}

static bool is_scheme(struct rtls_slice text)
{
	if (text.size == 0 || !rtls_byte_is_alpha(text.data[0]))
		return false;
	for (size_t i = 0; i < text.size; i++)
		if (!rtls_byte_is_alnum(text.data[i]) &&
			!is_one_of(text.data[i], "+-."))
			return false;
	return true;
}

/* A bare address is no URI: it has no scheme. */
static bool split_uri(struct rtls_slice uri, struct rtls_slice *scheme,
	struct rtls_slice *rest)
{
	struct rtls_slice after = uri;
	struct rtls_slice before = rtls_slice_take(&after, ':');

	if (before.size == uri.size || !is_scheme(before) ||
		!has_uri_bytes(after))
		return false;
	*scheme = before;
	*rest = after;
	return true;
}

static struct rtls_slice up_to(struct rtls_slice text, const char *stops)
{
	size_t n = 0;

	while (n < text.size && !is_one_of(text.data[n], stops))
		n++;
	return rtls_slice_n(text.data, n);
}

/* Does it hide a space or control character, say the line end that would
 * begin a header field of its own? */
static bool encodes_control(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++) {
		int byte = encoded_byte(text, i);

		if ((byte >= 0 && byte <= ' ') || byte == 0x7f)
			return true;
	}
	return false;
}

static bool is_domain(struct rtls_slice text)
{
	char normalized[RTLS_DOMAIN_SIZE];

	return rtls_domain_normalize(text, normalized) == RTLS_OK;
}

/* RFC 3986 section 3.2.2: an IPv6 address stands in brackets. */
static bool is_host(struct rtls_slice host)
{
	struct rtls_slice inner = host;

	if (is_domain(host))
		return true;
	if (rtls_field_byte(&inner, '[') && inner.size > 1 &&
		inner.data[inner.size - 1] == ']') {
		inner.size--;
		return inner.data[0] != '[' && rtls_domain_is_literal(inner);
	}
	return up_to(host, ":[").size == host.size &&
	       rtls_domain_is_literal(host);
}

static bool is_mailto_usable(struct rtls_slice rest)
{
	struct rtls_slice domain = up_to(rest, "?#");
	struct rtls_slice local;

	if (encodes_control(domain))
		return false;
	local = rtls_slice_take(&domain, '@');
	return local.size > 0 && is_domain(domain);
}

/* User names in https URIs are an error: RFC 9110 section 4.2.4. */
static bool is_https_usable(struct rtls_slice rest)
{
	unsigned long long number;
	struct rtls_slice host, port;
	size_t size;

	if (!rtls_slice_starts(rest, "//"))
		return false;
	host = up_to(rtls_slice_n(rest.data + 2, rest.size - 2), "/?#");
	size = host.size;
	while (size > 0 && rtls_byte_is_digit(host.data[size - 1]))
		size--;
	if (size == 0 || host.data[size - 1] != ':')
		return is_host(host); /* no port */
	port = rtls_slice_n(host.data + size, host.size - size);
	host.size = size - 1;
	return is_host(host) &&
	       (port.size == 0 || rtls_slice_number(port, PORT_MAX, &number));
}

static bool is_usable(struct rtls_slice scheme, struct rtls_slice rest)
{
	/* RFC 3986 section 3.1: schemes are compared without case. */
	if (rtls_slice_is_nocase(scheme, "mailto"))
		return is_mailto_usable(rest);
	if (rtls_slice_is_nocase(scheme, "https"))
		return is_https_usable(rest);
	return false;
}

static void add_rua(struct rtls_slice uri, struct rtls_tlsrpt_record *record)
{
	for (size_t i = 0; i < record->rua_count; i++)
		if (rtls_slice_equal(record->rua[i], uri))
			return;
	/* RFC 8460 section 3 lets us deliver to one only, so a surplus does
	 * not make the record invalid. */
	if (record->rua_count < RTLS_TLSRPT_RUA_MAX)
		record->rua[record->rua_count++] = uri;
}

static bool is_item_byte(char byte)
{
	return byte > ' ' && byte <= '~' && byte != ',' && byte != ';';
}

static struct rtls_slice take_item(struct rtls_slice *rest)
{
	struct rtls_slice item = { rest->data, 0 };

	while (rest->size > 0 && is_item_byte(rest->data[0])) {
		rtls_field_byte(rest, rest->data[0]);
		item.size++;
	}
	return item;
}

static bool take_comma(struct rtls_slice *rest)
{
	struct rtls_slice ahead = *rest;

	rtls_field_blanks(&ahead);
	if (!rtls_field_byte(&ahead, ','))
		return false;
	rtls_field_blanks(&ahead);
	*rest = ahead;
	return true;
}

/* The list behind "rua="; what is no URI, or not for us, is skipped. False
 * when nothing in it is a URI. */
static bool take_rua(struct rtls_slice *rest, struct rtls_tlsrpt_record *record)
{
	struct rtls_slice uri, scheme, after;
	bool any_uri = false;

	do {
		uri = take_item(rest);
		if (!split_uri(uri, &scheme, &after))
			continue;
		any_uri = true;
		if (is_usable(scheme, after))
			add_rua(uri, record);
	} while (take_comma(rest));
	return any_uri;
}

struct parse {
	struct rtls_slice rest;
	bool has_rua;
	struct rtls_tlsrpt_record record;
};

static enum rtls_status parse_rua(struct parse *parse, struct rtls_err *err)
{
	struct rtls_tlsrpt_record list = { .rua_count = 0 };
	bool any_uri = take_rua(&parse->rest, &list);

	/* RFC 8460 is silent on a doubled rua: the first counts, as RFC 8461
	 * section 3.2 has it. */
	if (parse->has_rua)
		return RTLS_OK;
	if (!any_uri) {
		rtls_err_set(err, "rua must be a list of URIs, mailto:address "
				  "or https://host/path");
		return RTLS_INVALID;
	}
	parse->has_rua = true;
	parse->record = list;
	return RTLS_OK;
}

static enum rtls_status parse_field(struct parse *parse, struct rtls_err *err)
{
	struct rtls_slice ahead = parse->rest, name, value;

	if (!rtls_field_name(&ahead, &name) || !rtls_field_byte(&ahead, '='))
		return rtls_field_invalid(parse->rest, err);
	if (rtls_slice_is(name, "rua")) {
		parse->rest = ahead;
		return parse_rua(parse, err);
	}
	/* RFC 8460 section 3: unknown fields are ignored. */
	if (!rtls_field_value(&ahead, &value))
		return rtls_field_invalid(parse->rest, err);
	parse->rest = ahead;
	return RTLS_OK;
}

enum rtls_status rtls_tlsrpt_record_parse(struct rtls_slice text,
	struct rtls_tlsrpt_record *record, struct rtls_err *err)
{
	struct parse parse = { .rest = text };

	if (!rtls_field_claims(text, VERSION))
		return RTLS_NONE;
	if (!rtls_field_version(&parse.rest, VERSION)) {
		rtls_err_set(err, "expected \";\" behind " VERSION);
		return RTLS_INVALID;
	}
	while (parse.rest.size > 0) {
		enum rtls_status status = parse_field(&parse, err);

		if (status != RTLS_OK)
			return status;
		if (parse.rest.size > 0 && !rtls_field_delim(&parse.rest))
			return rtls_field_invalid(parse.rest, err);
	}
	if (!parse.has_rua) {
		rtls_err_set(err, "rua is missing");
		return RTLS_INVALID;
	}
	*record = parse.record;
	return RTLS_OK;
}

enum rtls_status rtls_tlsrpt_record_select(const struct rtls_slice *texts,
	size_t count, struct rtls_tlsrpt_record *record, struct rtls_err *err)
{
	struct rtls_slice candidate;
	enum rtls_status status =
		rtls_field_select(texts, count, VERSION, &candidate, err);

	if (status != RTLS_OK)
		return status;
	return rtls_tlsrpt_record_parse(candidate, record, err);
}
