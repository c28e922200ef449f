/* test_tlsa.c - TLSA records about a certificate made here. */
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "policy/text.h"
#include "tls/tlsa.h"

#define TEXT_SIZE 4096

static struct rtls_chain chain;
static gnutls_datum_t data[2]; /* by selector */

/* A self-signed certificate of host.example; its DNS-ID may be another name. */
static void chain_make(const char *dns_id)
{
	unsigned char serial[] = { 1 };
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t der;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(
		gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
			GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600);
	gnutls_x509_crt_set_dn_by_oid(
		crt, GNUTLS_OID_X520_COMMON_NAME, 0, "host.example", 12);
	if (dns_id != NULL)
		gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME,
			dns_id, (unsigned)strlen(dns_id), GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_key(crt, key);
	assert_int_equal(
		gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(
		gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
	rtls_chain_clear(&chain);
	assert_int_equal(rtls_chain_append(&chain, &der), RTLS_OK);
	gnutls_free(der.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

/* The key by another way than the tested code's. */
static int make_all(void **state)
{
	gnutls_pcert_st pcert;

	(void)state;
	chain_make(NULL);
	data[0] = chain.der[0];
	assert_int_equal(gnutls_pcert_import_x509_raw(
				 &pcert, &chain.der[0], GNUTLS_X509_FMT_DER, 0),
		0);
	assert_int_equal(gnutls_pubkey_export2(
				 pcert.pubkey, GNUTLS_X509_FMT_DER, &data[1]),
		0);
	gnutls_pcert_deinit(&pcert);
	return 0;
}

static int free_all(void **state)
{
	(void)state;
	rtls_chain_clear(&chain);
	gnutls_free(data[1].data);
	return 0;
}

static void add_hex(struct rtls_text *out, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		rtls_text_printf(
			out, "%02x", ((const unsigned char *)bytes)[i]);
}

/* The right record for these three numbers. */
static struct rtls_slice record_of(char buffer[TEXT_SIZE], unsigned usage,
	unsigned selector, unsigned type)
{
	unsigned char digest[64];
	gnutls_digest_algorithm_t algorithm =
		type == 1 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA512;
	struct rtls_text text;

	rtls_text_init(&text, buffer, TEXT_SIZE);
	rtls_text_printf(&text, "%u %u %u ", usage, selector, type);
	if (type == 0) {
		add_hex(&text, data[selector & 1].data,
			data[selector & 1].size);
	} else {
		assert_int_equal(
			gnutls_hash_fast(algorithm, data[selector & 1].data,
				data[selector & 1].size, digest),
			0);
		add_hex(&text, digest, (size_t)gnutls_hash_get_len(algorithm));
	}
	assert_false(text.overflow);
	return rtls_text_slice(&text);
}

/* Of all numbers those of RFC 6698 and of usage 3 only. */
static void test_numbers(void **state)
{
	static char buffer[TEXT_SIZE];

	(void)state;
	for (unsigned usage = 0; usage <= 4; usage++)
		for (unsigned selector = 0; selector <= 3; selector++)
			for (unsigned type = 0; type <= 3; type++)
				assert_int_equal(
					rtls_tlsa_is_leaf(&chain,
						record_of(buffer, usage,
							selector, type)),
					usage == 3 && selector <= 1 &&
						type <= 2);
}

/* A record that is cut, at every length, or of which one digit is another. */
static void test_damaged(void **state)
{
	static char buffer[TEXT_SIZE];
	struct rtls_slice text = record_of(buffer, 3, 1, 1);

	(void)state;
	for (size_t size = 0; size < text.size; size++) {
		char *exact = malloc(size + 1);

		memcpy(exact, text.data, size);
		assert_false(
			rtls_tlsa_is_leaf(&chain, rtls_slice_n(exact, size)));
		free(exact);
	}
	for (size_t i = 0; i < text.size; i++) {
		char kept = buffer[i];

		buffer[i] = kept == '0' ? '7' : '0';
		assert_false(rtls_tlsa_is_leaf(&chain, text));
		buffer[i] = kept;
	}
	assert_true(rtls_tlsa_is_leaf(&chain, text));
}

static void test_no_certificate(void **state)
{
	static char buffer[TEXT_SIZE];
	unsigned char garbage[] = "no certificate";
	struct rtls_chain none = { .count = 0 };
	struct rtls_chain bad = { .count = 1,
		.der = { { garbage, sizeof(garbage) } } };

	(void)state;
	assert_false(rtls_tlsa_is_leaf(&none, record_of(buffer, 3, 1, 1)));
	assert_false(rtls_tlsa_is_leaf(&bad, record_of(buffer, 3, 1, 1)));
	assert_false(rtls_tlsa_names_host(&none, "host.example"));
	assert_false(rtls_tlsa_names_host(&bad, "host.example"));
}

/* RFC 7672 section 3.2.2: the CN counts where there is no DNS-ID. */
static void test_names(void **state)
{
	(void)state;
	assert_true(rtls_tlsa_names_host(&chain, "host.example"));
	assert_false(rtls_tlsa_names_host(&chain, "other.example"));
	assert_false(rtls_tlsa_names_host(&chain, ""));
	chain_make("other.example");
	assert_false(rtls_tlsa_names_host(&chain, "host.example"));
	assert_true(rtls_tlsa_names_host(&chain, "other.example"));
	chain_make("*.host.example");
	assert_true(rtls_tlsa_names_host(&chain, "a.host.example"));
	assert_false(rtls_tlsa_names_host(&chain, "host.example"));
	assert_false(rtls_tlsa_names_host(&chain, "a.b.host.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_no_certificate),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, make_all, free_all);
}
