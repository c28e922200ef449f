/* test_dkim_key.c - key records of keys made here. */
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "tls/dkim_key.h"

/* A new private key; password NULL: not encrypted. */
static gnutls_datum_t make(
	gnutls_pk_algorithm_t type, unsigned bits, const char *password)
{
	gnutls_x509_privkey_t key;
	gnutls_datum_t pem;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(key, type, bits, 0), 0);
	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(key,
				 GNUTLS_X509_FMT_PEM, password,
				 password == NULL ? GNUTLS_PKCS_PLAIN
						  : GNUTLS_PKCS_PBES2_AES_256,
				 &pem),
		0);
	gnutls_x509_privkey_deinit(key);
	return pem;
}

static const struct {
	const char *name;
	gnutls_pk_algorithm_t type;
	unsigned bits;
	const char *password;
	bool reports;
	enum rtls_status status;
	const char *wanted; /* how the text begins, or what the error says */
} rows[] = {
	{ "B7.2 RSA for reports only", GNUTLS_PK_RSA, 2048, NULL, true, RTLS_OK,
		"v=DKIM1; k=rsa; s=tlsrpt; p=MIIBIjANBgkqhkiG9w0BAQEFAAOC" },
	{ "B7.2 RSA for all services", GNUTLS_PK_RSA, 1024, NULL, false,
		RTLS_OK, "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GN" },
	{ "B7.2 Ed25519: 32 bytes and no more", GNUTLS_PK_EDDSA_ED25519, 256,
		NULL, true, RTLS_OK, "v=DKIM1; k=ed25519; s=tlsrpt; p=" },
	{ "RSA too short", GNUTLS_PK_RSA, 1016, NULL, true, RTLS_INVALID,
		"1016 bits" },
	{ "ECDSA", GNUTLS_PK_ECDSA,
		GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), NULL, true,
		RTLS_INVALID, "DKIM knows RSA and Ed25519" },
	{ "a key with a password", GNUTLS_PK_RSA, 1024, "secret", true,
		RTLS_INVALID, "not a private key in PEM" },
};

static void test_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		gnutls_datum_t pem =
			make(rows[i].type, rows[i].bits, rows[i].password);
		static struct rtls_dkim_key key;
		struct rtls_err err = { "" };

		memset(&key, 0, sizeof(key));
		if (rtls_dkim_key_read(
			    rtls_slice_n((const char *)pem.data, pem.size),
			    rows[i].reports, &key, &err) != rows[i].status)
			fail_msg("%s: %s", rows[i].name, err.text);
		if (rows[i].status != RTLS_OK) {
			assert_non_null(strstr(err.text, rows[i].wanted));
			assert_string_equal(key.text, "");
		} else if (strncmp(key.text, rows[i].wanted,
				   strlen(rows[i].wanted)) != 0) {
			fail_msg("%s: %s", rows[i].name, key.text);
		}
		gnutls_free(pem.data);
	}
}

/* RFC 8463: base64 of 32 bytes has 44 characters. */
static void test_ed25519_length(void **state)
{
	gnutls_datum_t pem = make(GNUTLS_PK_EDDSA_ED25519, 256, NULL);
	struct rtls_dkim_key key;

	(void)state;
	assert_int_equal(rtls_dkim_key_read(
				 rtls_slice_n((const char *)pem.data, pem.size),
				 false, &key, NULL),
		RTLS_OK);
	assert_int_equal(strlen(strstr(key.text, "p=") + 2), 44);
	assert_string_equal(key.type, "ed25519");
	gnutls_free(pem.data);
}

/* Any beginning of a key, in a block of exactly its size, is no key, or all of it: GnuTLS does
 * not insist on the last dashes. */
static void test_cut(void **state)
{
	gnutls_datum_t pem = make(GNUTLS_PK_EDDSA_ED25519, 256, NULL);
	struct rtls_dkim_key whole, key;

	(void)state;
	assert_int_equal(rtls_dkim_key_read(
				 rtls_slice_n((const char *)pem.data, pem.size),
				 true, &whole, NULL),
		RTLS_OK);
	for (size_t size = 0; size < pem.size; size++) {
		char *copy = malloc(size == 0 ? 1 : size);

		assert_non_null(copy);
		memcpy(copy, pem.data, size);
		if (rtls_dkim_key_read(rtls_slice_n(copy, size), true, &key,
			    NULL) == RTLS_OK)
			assert_string_equal(key.text, whole.text);
		free(copy);
	}
	gnutls_free(pem.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_ed25519_length),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
