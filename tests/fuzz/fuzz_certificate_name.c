/* fuzz_certificate_name.c - does a certificate name a host? Ours against GnuTLS's own
 * gnutls_x509_crt_check_hostname2(), on certificates made of the input: the first line is the host,
 * the others are names, their kind in front: "d" dNSName, "i" iPAddress, "u" URI, "c" the
 * subject's CN.
 *
 * Ours is a match exactly when a dNSName is the host, or "*." and the host behind its first
 * dot (RFC 8461 section 4.2, RFC 6125 section 6.4). Where GnuTLS says otherwise it is for
 * one of these reasons and no other:
 *
 *   GnuTLS matches, we do not
 *   - CN:       without any dNSName, or none before one of more than 255 octets, it goes
 *               by the CN
 *   - fragment: "*b.example.org" is "ab.example.org" to it (RFC 6125 leaves that to the
 *               application, RFC 8461 to nobody)
 *   - address:  "1.2" is the iPAddress 1.0.0.2 to it
 *   - numbers:  a wildcard in front of four numbers, which we take for an address
 *
 *   we match, GnuTLS does not
 *   - top:      "*.example": it wants two labels behind the "*"
 *   - long:     a name of more than 255 octets: it looks at none behind that
 *
 * Trailing dots and U-labels of the host are no matter here: hosts are normalized first, as
 * chain.h asks for. A NUL inside of a dNSName is no match for either. */
#include <arpa/inet.h>
#include <gnutls/x509.h>

#include "der.h"
#include "policy/domain.h"
#include "tls/leaf.h"

#define NAMES_MAX       16
#define GNUTLS_NAME_MAX 255

struct name {
	char kind;
	struct rtls_slice text;
};

struct certificate {
	size_t count;
	struct name name[NAMES_MAX];
	struct rtls_slice cn; /* data NULL: none */
	gnutls_datum_t der;
};

static void read_names(struct rtls_slice rest, struct certificate *certificate)
{
	struct rtls_slice line;

	certificate->count = 0;
	certificate->cn = rtls_slice(NULL);
	while (rest.size > 0 && certificate->count < NAMES_MAX) {
		struct name *name = &certificate->name[certificate->count];

		line = rtls_slice_take(&rest, '\n');
		if (line.size == 0)
			continue;
		name->kind = line.data[0];
		name->text = rtls_slice_n(line.data + 1, line.size - 1);
		if (name->kind == 'c')
			certificate->cn = name->text;
		else if (strchr("diu", name->kind) != NULL && name->kind)
			certificate->count++;
	}
}

static void make(struct certificate *certificate)
{
	static struct der der;
	struct rtls_slice made;
	size_t names_end;

	der_begin(&der);
	names_end = der.at;
	for (size_t i = certificate->count; i-- > 0;)
		der_san(&der,
			certificate->name[i].kind == 'd'   ? DER_SAN_DNS
			: certificate->name[i].kind == 'i' ? DER_SAN_IP
							   : DER_SAN_URI,
			certificate->name[i].text);
	made = der_end(&der, names_end, certificate->cn, "fuzz CA");
	certificate->der.data = (unsigned char *)made.data;
	certificate->der.size = (unsigned)made.size;
}

/* --- the rules, once more and in other words -------------------------------- */

static bool is_host(const struct name *name, const char *host)
{
	const char *dot = strchr(host, '.');

	return name->kind == 'd' &&
	       (rtls_slice_is_nocase(name->text, host) ||
		       (dot != NULL && rtls_slice_starts(name->text, "*.") &&
			       rtls_slice_is_nocase(
				       rtls_slice_n(name->text.data + 1,
					       name->text.size - 1),
				       dot)));
}

/* Is that so of any name of the certificate? */
static bool any(const struct certificate *certificate, const char *host,
	bool (*is)(const struct name *name, const char *host))
{
	for (size_t i = 0; i < certificate->count; i++)
		if (is(&certificate->name[i], host))
			return true;
	return false;
}

static bool is_fragment(const struct name *name, const char *host)
{
	(void)host;
	return name->kind == 'd' && name->text.size > 1 &&
	       name->text.data[0] == '*' && name->text.data[1] != '.';
}

static bool is_address(const struct name *name, const char *host)
{
	struct in_addr v4;

	return name->kind == 'i' && name->text.size == sizeof(v4) &&
	       inet_aton(host, &v4) != 0 &&
	       memcmp(&v4, name->text.data, sizeof(v4)) == 0;
}

static bool is_numbers(const struct name *name, const char *host)
{
	const char *dot = strchr(host, '.');

	return is_host(name, host) && dot != NULL &&
	       rtls_domain_is_literal(rtls_slice(dot + 1));
}

static bool is_ours(const struct name *name, const char *host)
{
	return is_host(name, host) && (rtls_slice_is_nocase(name->text, host) ||
					      !is_numbers(name, host));
}

static bool is_top(const struct name *name, const char *host)
{
	return is_host(name, host) && rtls_slice_starts(name->text, "*.") &&
	       memchr(name->text.data + 2, '.', name->text.size - 2) == NULL;
}

static bool is_long(const struct name *name, const char *host)
{
	(void)host;
	return name->text.size > GNUTLS_NAME_MAX;
}

/* It stops at the first name that is too long for it. */
static bool gnutls_goes_by_cn(const struct certificate *certificate)
{
	for (size_t i = 0; i < certificate->count; i++) {
		if (is_long(&certificate->name[i], ""))
			break;
		if (certificate->name[i].kind == 'd')
			return false;
	}
	return certificate->cn.data != NULL;
}

/* --- the two answers ------------------------------------------------------------ */

static bool ask_ours(gnutls_x509_crt_t crt, const char *host)
{
	struct rtls_certificate_verdict verdict = { .text = "" };

	if (rtls_leaf_names_host(crt, host, &verdict) == RTLS_OK)
		return true;
	PROPERTY(verdict.result == RTLS_RESULT_CERTIFICATE_HOST_MISMATCH);
	PROPERTY(verdict.text[0] != '\0');
	for (const char *at = verdict.text; *at != '\0'; at++)
		PROPERTY(*at >= ' ' && *at <= '~');
	return false;
}

static void compare(const struct certificate *certificate,
	gnutls_x509_crt_t crt, const char *host)
{
	bool gnutls = gnutls_x509_crt_check_hostname2(crt, host, 0) != 0;
	bool ours = ask_ours(crt, host);

	PROPERTY(ours == any(certificate, host, is_ours));
	if (gnutls && !ours)
		PROPERTY(gnutls_goes_by_cn(certificate) ||
			 any(certificate, host, is_fragment) ||
			 any(certificate, host, is_address) ||
			 any(certificate, host, is_numbers));
	if (ours && !gnutls)
		PROPERTY(any(certificate, host, is_top) ||
			 any(certificate, host, is_long));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_slice rest = fuzz_input(data, size);
	struct certificate certificate;
	gnutls_x509_crt_t crt;
	char host[RTLS_DOMAIN_SIZE];

	if (rtls_domain_normalize(rtls_slice_take(&rest, '\n'), host) !=
		RTLS_OK)
		return 0;
	read_names(rest, &certificate);
	make(&certificate);
	PROPERTY(gnutls_x509_crt_init(&crt) == 0);
	/* Not all are certificates to GnuTLS: one with an empty name is not. */
	if (gnutls_x509_crt_import(
		    crt, &certificate.der, GNUTLS_X509_FMT_DER) == 0)
		compare(&certificate, crt, host);
	gnutls_x509_crt_deinit(crt);
	return 0;
}
