/* dkim_key.c - see dkim_key.h. */
#include "tls/dkim_key.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdint.h>

#include "policy/text.h"

#define RSA_BITS_MIN 1024 /* RFC 8301 section 3.2 */
#define RSA_BITS_MAX 16384

static enum rtls_status fail(
	struct rtls_err *err, const char *what, int gnutls_error)
{
	rtls_err_set(err, "%s: %s", what, gnutls_strerror(gnutls_error));
	return gnutls_error == GNUTLS_E_MEMORY_ERROR ? RTLS_NO_MEMORY
						     : RTLS_INVALID;
}

/* RFC 8463: the 32 bytes themselves, without the names of algorithms around them. */
static int export_public(
	gnutls_pubkey_t public, gnutls_pk_algorithm_t type, gnutls_datum_t *out)
{
	gnutls_ecc_curve_t curve;

	if (type == GNUTLS_PK_EDDSA_ED25519)
		return gnutls_pubkey_export_ecc_raw2(
			public, &curve, out, NULL, 0);
	return gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, out);
}

static enum rtls_status write_text(gnutls_pubkey_t public, bool reports,
	gnutls_pk_algorithm_t type, struct rtls_dkim_key *key,
	struct rtls_err *err)
{
	gnutls_datum_t bytes = { NULL, 0 }, base64 = { NULL, 0 };
	struct rtls_text text;
	int error = export_public(public, type, &bytes);

	if (error >= 0)
		error = gnutls_base64_encode2(&bytes, &base64);
	gnutls_free(bytes.data);
	if (error < 0)
		return fail(err, "its public part", error);
	rtls_text_init(&text, key->text, sizeof(key->text));
	rtls_text_printf(&text, "v=DKIM1; k=%s; %sp=", key->type,
		reports ? "s=tlsrpt; " : "");
	rtls_text_add(
		&text, rtls_slice_n((const char *)base64.data, base64.size));
	gnutls_free(base64.data);
	if (!text.overflow)
		return RTLS_OK;
	rtls_err_set(err, "the key is too long");
	return RTLS_INVALID;
}

static enum rtls_status check(gnutls_pk_algorithm_t type,
	struct rtls_dkim_key *key, struct rtls_err *err)
{
	if (type == GNUTLS_PK_EDDSA_ED25519) {
		key->type = "ed25519";
		return RTLS_OK;
	}
	if (type != GNUTLS_PK_RSA) {
		rtls_err_set(err,
			"a key of type %s: DKIM knows RSA and Ed25519",
			gnutls_pk_get_name(type));
		return RTLS_INVALID;
	}
	key->type = "rsa";
	if (key->bits >= RSA_BITS_MIN && key->bits <= RSA_BITS_MAX)
		return RTLS_OK;
	rtls_err_set(err, "%u bits: receivers take no signature of such a key",
		key->bits);
	return RTLS_INVALID;
}

static enum rtls_status read_key(gnutls_privkey_t private,
	gnutls_pubkey_t public, bool reports, struct rtls_dkim_key *key,
	struct rtls_err *err)
{
	struct rtls_dkim_key found = { .type = NULL };
	enum rtls_status status;
	int type, error;

	error = gnutls_pubkey_import_privkey(public, private, 0, 0);
	if (error < 0)
		return fail(err, "its public part", error);
	type = gnutls_pubkey_get_pk_algorithm(public, &found.bits);
	status = check((gnutls_pk_algorithm_t)type, &found, err);
	if (status == RTLS_OK)
		status = write_text(public, reports,
			(gnutls_pk_algorithm_t)type, &found, err);
	if (status == RTLS_OK)
		*key = found;
	return status;
}

enum rtls_status rtls_dkim_key_read(struct rtls_slice pem, bool reports,
	struct rtls_dkim_key *key, struct rtls_err *err)
{
	const gnutls_datum_t data = { (unsigned char *)(uintptr_t)pem.data,
		(unsigned)pem.size };
	enum rtls_status status = RTLS_NO_MEMORY;
	gnutls_privkey_t private = NULL;
	gnutls_pubkey_t public = NULL;
	int error;

	rtls_err_set(err, "out of memory");
	if (gnutls_privkey_init(&private) >= 0 &&
		gnutls_pubkey_init(&public) >= 0) {
		error = gnutls_privkey_import_x509_raw(
			private, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
		status = error < 0
				 ? fail(err, "not a private key in PEM", error)
				 : read_key(private, public, reports, key, err);
	}
	gnutls_pubkey_deinit(public);
	gnutls_privkey_deinit(private);
	return status;
}
