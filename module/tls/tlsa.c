/* tlsa.c - see tlsa.h. */
#include "tls/tlsa.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <string.h>

#define USAGE_DANE_EE 3
#define DIGEST_MAX    64

static bool read_certificate(
	const struct rtls_chain *chain, unsigned index, gnutls_x509_crt_t *crt)
{
	if (index >= chain->count || gnutls_x509_crt_init(crt) != 0)
		return false;
	if (gnutls_x509_crt_import(
		    *crt, &chain->der[index], GNUTLS_X509_FMT_DER) == 0)
		return true;
	gnutls_x509_crt_deinit(*crt);
	return false;
}

/* The public key as it stands in the certificate: SubjectPublicKeyInfo. */
static bool export_key(gnutls_x509_crt_t crt, gnutls_datum_t *out)
{
	gnutls_pubkey_t key;
	bool done;

	if (gnutls_pubkey_init(&key) != 0)
		return false;
	done = gnutls_pubkey_import_x509(key, crt, 0) == 0 &&
	       gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, out) == 0;
	gnutls_pubkey_deinit(key);
	return done;
}

/* What the selector is about; freed by the caller. */
static bool select_data(const struct rtls_chain *chain, unsigned index,
	unsigned long long selector, gnutls_datum_t *out)
{
	gnutls_x509_crt_t crt;
	bool done = false;

	if (!read_certificate(chain, index, &crt))
		return false;
	if (selector == 0)
		done = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, out) ==
		       0;
	else if (selector == 1)
		done = export_key(crt, out);
	gnutls_x509_crt_deinit(crt);
	return done;
}

static bool equals_hex(
	struct rtls_slice hex, const unsigned char *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	if (hex.size != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++)
		if (hex.data[2 * i] != digits[data[i] >> 4] ||
			hex.data[2 * i + 1] != digits[data[i] & 15])
			return false;
	return true;
}

static bool matches(
	unsigned long long type, struct rtls_slice hex, gnutls_datum_t data)
{
	unsigned char digest[DIGEST_MAX];
	gnutls_digest_algorithm_t algorithm =
		type == 1 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA512;

	if (type == 0)
		return equals_hex(hex, data.data, data.size);
	return type <= 2 &&
	       gnutls_hash_fast(algorithm, data.data, data.size, digest) == 0 &&
	       equals_hex(hex, digest, (size_t)gnutls_hash_get_len(algorithm));
}

bool rtls_tlsa_is_about(const struct rtls_chain *chain, unsigned index,
	unsigned usage, struct rtls_slice text)
{
	unsigned long long found, selector, type;
	gnutls_datum_t data = { NULL, 0 };
	bool is_about;

	if (!rtls_slice_number(rtls_slice_take(&text, ' '), 255, &found) ||
		!rtls_slice_number(
			rtls_slice_take(&text, ' '), 255, &selector) ||
		!rtls_slice_number(rtls_slice_take(&text, ' '), 255, &type) ||
		found != usage || !select_data(chain, index, selector, &data))
		return false;
	is_about = matches(type, text, data);
	gnutls_free(data.data);
	return is_about;
}

bool rtls_tlsa_is_leaf(const struct rtls_chain *chain, struct rtls_slice text)
{
	return rtls_tlsa_is_about(chain, 0, USAGE_DANE_EE, text);
}

bool rtls_tlsa_names_host(const struct rtls_chain *chain, const char *host)
{
	gnutls_x509_crt_t leaf;
	bool names;

	if (!read_certificate(chain, 0, &leaf))
		return false;
	names = gnutls_x509_crt_check_hostname2(
			leaf, host, GNUTLS_VERIFY_DO_NOT_ALLOW_IP_MATCHES) != 0;
	gnutls_x509_crt_deinit(leaf);
	return names;
}
