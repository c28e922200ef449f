/* rua.c - URIs of reports.
 *
 *   mailto  = "mailto:" address ["?" hfields]        ; hfields ignored
 *   address = dot-atom "@" domain                    ; after decoding %HH
 *   https   = "https://" domain [":" *DIGIT] [%x2F / "?" / "#" *(%x21-7E)]
 */
#include "rua.h"

#include <string.h>

#include "policy/field.h"
#include "policy/text.h"
#include "store/idna.h"

#define MAILTO         "mailto:"
#define HTTPS          "https://"
#define LOCAL_PART_MAX 64

static int hex_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = (char)(byte | 0x20);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Undo %HH; false for a broken one. */
static bool decode(struct rtls_slice text, struct rtls_text *out)
{
	for (size_t i = 0; i < text.size; i++) {
		char byte = text.data[i];

		if (byte == '%') {
			int high, low;

			if (text.size - i < 3)
				return false;
			high = hex_value(text.data[i + 1]);
			low = hex_value(text.data[i + 2]);
			if (high < 0 || low < 0)
				return false;
			byte = (char)(high * 16 + low);
			i += 2;
		}
		rtls_text_add(out, rtls_slice_n(&byte, 1));
	}
	return !out->overflow;
}

/* RFC 5322 section 3.2.3. */
static bool is_atext(char byte)
{
	return rtls_byte_is_alnum(byte) ||
	       (byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", byte) != NULL);
}

static bool is_dot_atom(struct rtls_slice text)
{
	bool is_after_dot = true;

	if (text.size == 0 || text.size > LOCAL_PART_MAX)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		bool is_dot = text.data[i] == '.';

		if (is_dot ? is_after_dot : !is_atext(text.data[i]))
			return false;
		is_after_dot = is_dot;
	}
	return !is_after_dot;
}

/* decode() undone, of what parse_mailto() would take for something else: the outbox
 * keeps the URI, and reads it again. Always fits: an address is short. */
static void encode(const char *address, char out[RTLS_RUA_SIZE])
{
	struct rtls_text uri;

	rtls_text_init(&uri, out, RTLS_RUA_SIZE);
	rtls_text_printf(&uri, MAILTO);
	for (; *address != '\0'; address++)
		rtls_text_printf(&uri,
			*address == '%' || *address == '?' ? "%%%02X" : "%c",
			(unsigned)(unsigned char)*address);
}

bool rtls_rua_address(struct rtls_slice text, char out[RTLS_ADDRESS_SIZE])
{
	char domain[RTLS_DOMAIN_SIZE];
	struct rtls_slice rest = text;
	struct rtls_slice local = rtls_slice_take(&rest, '@');
	struct rtls_text address;

	rtls_text_init(&address, out, RTLS_ADDRESS_SIZE);
	if (local.size == text.size || !is_dot_atom(local) ||
		rtls_idna_normalize(rest, domain) != RTLS_OK)
		return false;
	rtls_text_add(&address, local);
	rtls_text_printf(&address, "@%s", domain);
	return true;
}

static enum rtls_status parse_mailto(
	struct rtls_slice rest, struct rtls_rua *rua, struct rtls_err *err)
{
	struct rtls_slice encoded = rtls_slice_take(&rest, '?');
	char buffer[RTLS_RUA_SIZE];
	struct rtls_quoted quoted;
	struct rtls_text decoded;

	rtls_text_init(&decoded, buffer, sizeof(buffer));
	if (!decode(encoded, &decoded) ||
		!rtls_rua_address(rtls_text_slice(&decoded), rua->address)) {
		rtls_err_set(err, "not a plain address: %s",
			rtls_quoted(&quoted, encoded));
		return RTLS_INVALID;
	}
	rua->kind = RTLS_RUA_MAILTO;
	encode(rua->address, rua->uri);
	return RTLS_OK;
}

/* A name, not an address however written: "[::1]", "10.0.0.1", and what inet_aton() takes for one,
 * "127.1" or "0x7f000001". No top-level domain begins with a digit. */
static bool is_host_name(struct rtls_slice host)
{
	char name[RTLS_DOMAIN_SIZE];
	const char *dot;

	if (rtls_domain_normalize(host, name) != RTLS_OK)
		return false;
	dot = strrchr(name, '.');
	return !rtls_byte_is_digit(dot != NULL ? dot[1] : name[0]);
}

/* The host of what stands behind "https://". */
static struct rtls_slice host_of(struct rtls_slice rest)
{
	struct rtls_slice host = rest;
	size_t size = 0;

	while (size < rest.size && strchr("/?#", rest.data[size]) == NULL)
		size++;
	host.size = size;
	while (size > 0 && rtls_byte_is_digit(host.data[size - 1]))
		size--;
	if (size > 0 && host.data[size - 1] == ':')
		host.size = size - 1;
	return host;
}

static enum rtls_status parse_https(
	struct rtls_slice url, struct rtls_rua *rua, struct rtls_err *err)
{
	struct rtls_quoted quoted;

	for (size_t i = 0; i < url.size; i++)
		if (url.data[i] <= ' ' || url.data[i] > '~') {
			rtls_err_set(err, "not a URL");
			return RTLS_INVALID;
		}
	/* A post to an address of the own network is refused each time, and would be tried
	 * for a day. */
	if (!is_host_name(host_of(rtls_slice_n(
		    url.data + strlen(HTTPS), url.size - strlen(HTTPS))))) {
		rtls_err_set(err, "a URL whose host is no name: %s",
			rtls_quoted(&quoted, url));
		return RTLS_INVALID;
	}
	if (!rtls_slice_copy(url, rua->uri, sizeof(rua->uri))) {
		rtls_err_set(err, "a URL too long");
		return RTLS_INVALID;
	}
	rua->kind = RTLS_RUA_HTTPS;
	return RTLS_OK;
}

static bool has_prefix(struct rtls_slice uri, const char *prefix)
{
	size_t size = strlen(prefix);

	return uri.size >= size &&
	       rtls_slice_is_nocase(rtls_slice_n(uri.data, size), prefix);
}

enum rtls_status rtls_rua_parse(
	struct rtls_slice uri, struct rtls_rua *rua, struct rtls_err *err)
{
	struct rtls_rua parsed = { .kind = RTLS_RUA_HTTPS };
	struct rtls_quoted quoted;
	enum rtls_status status;

	if (has_prefix(uri, MAILTO)) {
		size_t size = strlen(MAILTO);

		status = parse_mailto(
			rtls_slice_n(uri.data + size, uri.size - size), &parsed,
			err);
	} else if (has_prefix(uri, HTTPS)) {
		status = parse_https(uri, &parsed, err);
	} else {
		rtls_err_set(err, "neither mailto nor https: %s",
			rtls_quoted(&quoted, uri));
		status = RTLS_INVALID;
	}
	if (status == RTLS_OK)
		*rua = parsed;
	return status;
}

const char *rtls_rua_target(const struct rtls_rua *rua)
{
	return rua->kind == RTLS_RUA_MAILTO ? rua->address : rua->uri;
}
