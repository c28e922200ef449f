/* test_chain.c - certificates made here, judged by tls/chain.h. */
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#include "policy/text.h"
#include "tls/chain.h"
#include <dlfcn.h>

#define DAY_S 86400

struct identity {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
};

static struct identity root, stranger;
static char ca_file[] = "/tmp/rtls-chain-XXXXXX";

static void key_make(gnutls_x509_privkey_t *key)
{
	assert_int_equal(gnutls_x509_privkey_init(key), 0);
	assert_int_equal(
		gnutls_x509_privkey_generate(*key, GNUTLS_PK_ECDSA,
			GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
}

/* names: DNS-IDs separated by blanks; the CN is always "host.example". */
static gnutls_x509_crt_t crt_make(gnutls_x509_privkey_t key, const char *names,
	int from_days, int until_days, bool is_ca)
{
	struct rtls_slice rest = rtls_slice(names), name;
	gnutls_x509_crt_t crt;
	unsigned char serial[8];

	assert_int_equal(
		gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)), 0);
	serial[0] &= 0x7f;
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	gnutls_x509_crt_set_activation_time(
		crt, time(NULL) + (time_t)from_days * DAY_S);
	gnutls_x509_crt_set_expiration_time(
		crt, time(NULL) + (time_t)until_days * DAY_S);
	gnutls_x509_crt_set_basic_constraints(crt, is_ca, -1);
	gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0,
		is_ca ? "A CA" : "host.example", 12 - (is_ca ? 8 : 0));
	while (rtls_slice_word(&rest, &name))
		gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME,
			name.data, (unsigned)name.size, GNUTLS_FSAN_APPEND);
	gnutls_x509_crt_set_key(crt, key);
	return crt;
}

static void ca_make(struct identity *ca)
{
	key_make(&ca->key);
	ca->crt = crt_make(ca->key, "", -1, 365, true);
	gnutls_x509_crt_set_key_usage(
		ca->crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
	assert_int_equal(gnutls_x509_crt_sign2(ca->crt, ca->crt, ca->key,
				 GNUTLS_DIG_SHA256, 0),
		0);
}

static int make_all(void **state)
{
	gnutls_datum_t pem;
	int fd = mkstemp(ca_file);

	(void)state;
	ca_make(&root);
	ca_make(&stranger);
	assert_true(fd >= 0);
	assert_int_equal(
		gnutls_x509_crt_export2(root.crt, GNUTLS_X509_FMT_PEM, &pem),
		0);
	assert_int_equal(write(fd, pem.data, pem.size), pem.size);
	gnutls_free(pem.data);
	return close(fd);
}

static int free_all(void **state)
{
	(void)state;
	gnutls_x509_crt_deinit(root.crt);
	gnutls_x509_privkey_deinit(root.key);
	gnutls_x509_crt_deinit(stranger.crt);
	gnutls_x509_privkey_deinit(stranger.key);
	return unlink(ca_file);
}

static void append(struct rtls_chain *chain, gnutls_x509_crt_t crt)
{
	gnutls_datum_t der;

	assert_int_equal(
		gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(rtls_chain_append(chain, &der), RTLS_OK);
	gnutls_free(der.data);
}

enum issuer {
	BY_ROOT,
	BY_STRANGER,
	BY_ITSELF,
};

struct row {
	const char *proves;
	const char *names;
	enum issuer issuer;
	int from_days, until_days;
	enum rtls_result result;
	const char *text; /* how it begins */
};

#define GOOD RTLS_RESULT_SUCCESS, "good"

static const struct row rows[] = {
	{ "A6.4 good", "host.example", BY_ROOT, -1, 90, GOOD },
	{ "E3 case does not count", "HOST.Example", BY_ROOT, -1, 90, GOOD },
	{ "E2 wildcard for one label", "*.example", BY_ROOT, -1, 90, GOOD },
	{ "A6.4 one of several names", "a.example host.example b.example",
		BY_ROOT, -1, 90, GOOD },
	{ "E2 no partial wildcard", "ho*.example", BY_ROOT, -1, 90,
		RTLS_RESULT_CERTIFICATE_HOST_MISMATCH, "is for ho*.example" },
	{ "A6.4 another name", "other.example", BY_ROOT, -1, 90,
		RTLS_RESULT_CERTIFICATE_HOST_MISMATCH,
		"is for other.example, not for host.example" },
	{ "E1 the CN does not count", "", BY_ROOT, -1, 90,
		RTLS_RESULT_CERTIFICATE_HOST_MISMATCH, "has no DNS name" },
	{ "A6.4 expired", "host.example", BY_ROOT, -90, -1,
		RTLS_RESULT_CERTIFICATE_EXPIRED, "expired 20" },
	{ "A6.4 not yet valid", "host.example", BY_ROOT, 2, 90,
		RTLS_RESULT_CERTIFICATE_EXPIRED, "not valid before 20" },
	{ "expired goes before the name", "other.example", BY_ROOT, -90, -1,
		RTLS_RESULT_CERTIFICATE_EXPIRED, "expired 20" },
	{ "A6.4 self-signed", "host.example", BY_ITSELF, -1, 90,
		RTLS_RESULT_CERTIFICATE_NOT_TRUSTED, "self-signed" },
	{ "A6.4 unknown CA", "host.example", BY_STRANGER, -1, 90,
		RTLS_RESULT_CERTIFICATE_NOT_TRUSTED, "" },
	{ "untrusted goes before expired", "other.example", BY_STRANGER, -90,
		-1, RTLS_RESULT_CERTIFICATE_NOT_TRUSTED, "" },
};

static void test_row(void **state)
{
	const struct row *row = *state;
	const struct identity *issuer =
		row->issuer == BY_ROOT ? &root : &stranger;
	struct rtls_certificate_verdict verdict;
	struct rtls_chain chain = { 0 };
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t leaf;

	key_make(&key);
	leaf = crt_make(
		key, row->names, row->from_days, row->until_days, false);
	if (row->issuer == BY_ITSELF)
		assert_int_equal(gnutls_x509_crt_sign2(
					 leaf, leaf, key, GNUTLS_DIG_SHA256, 0),
			0);
	else
		assert_int_equal(gnutls_x509_crt_sign2(leaf, issuer->crt,
					 issuer->key, GNUTLS_DIG_SHA256, 0),
			0);
	append(&chain, leaf);
	assert_int_equal(
		rtls_chain_judge(&chain, "host.example", ca_file, &verdict),
		RTLS_OK);
	assert_string_equal(rtls_result_name(verdict.result),
		rtls_result_name(row->result));
	assert_memory_equal(verdict.text, row->text, strlen(row->text));
	rtls_chain_clear(&chain);
	gnutls_x509_crt_deinit(leaf);
	gnutls_x509_privkey_deinit(key);
}

static void test_nothing_to_judge(void **state)
{
	struct rtls_certificate_verdict verdict;
	struct rtls_chain chain = { 0 };

	(void)state;
	assert_int_equal(
		rtls_chain_judge(&chain, "host.example", ca_file, &verdict),
		RTLS_NONE);
	assert_int_equal(
		rtls_chain_names_host(&chain, "host.example", &verdict),
		RTLS_NONE);
}

/* Our trouble: nobody is accused of anything. */
static void test_no_bundle(void **state)
{
	struct rtls_certificate_verdict verdict;
	struct rtls_chain chain = { 0 };

	(void)state;
	append(&chain, root.crt);
	assert_int_equal(rtls_chain_judge(&chain, "host.example",
				 "/nonexistent/ca.pem", &verdict),
		RTLS_TEMPORARY);
	assert_non_null(strstr(verdict.text, "/nonexistent/ca.pem"));
	rtls_chain_clear(&chain);
}

static void prepend(struct rtls_chain *chain, gnutls_x509_crt_t crt)
{
	gnutls_datum_t der, text;

	assert_int_equal(
		gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(gnutls_base64_encode2(&der, &text), 0);
	assert_int_equal(rtls_chain_prepend(chain,
				 rtls_slice_n((char *)text.data, text.size)),
		RTLS_OK);
	gnutls_free(text.data);
	gnutls_free(der.data);
}

/* The leaf comes last and stands first, however long the chain was. */
static void test_leaf_last(void **state)
{
	struct rtls_chain chain = { 0 };

	(void)state;
	for (unsigned i = 0; i < RTLS_CHAIN_MAX + 5; i++)
		prepend(&chain, stranger.crt);
	prepend(&chain, root.crt);
	assert_int_equal(chain.count, RTLS_CHAIN_MAX);
	assert_true(gnutls_x509_crt_equals2(root.crt, &chain.der[0]));
	assert_true(gnutls_x509_crt_equals2(stranger.crt, &chain.der[1]));
	append(&chain, root.crt);
	assert_int_equal(chain.count, RTLS_CHAIN_MAX);
	rtls_chain_clear(&chain);
	assert_int_equal(chain.count, 0);
}

static void test_garbage(void **state)
{
	static const char *const texts[] = { "", "!" };
	gnutls_datum_t der = { (unsigned char *)"\x30\x80", 2 };
	struct rtls_certificate_verdict verdict;
	struct rtls_chain chain = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(
			rtls_chain_prepend(&chain, rtls_slice(texts[i])),
			RTLS_INVALID);
	assert_int_equal(chain.count, 0);
	assert_int_equal(rtls_chain_append(&chain, &der), RTLS_OK);
	assert_int_equal(
		rtls_chain_names_host(&chain, "host.example", &verdict),
		RTLS_NONE);
	assert_string_equal(verdict.text, "unreadable");
	assert_int_equal(
		rtls_chain_judge(&chain, "host.example", ca_file, &verdict),
		RTLS_NONE);
	rtls_chain_clear(&chain);
}

/* In place of GnuTLS's own: the n-th certificate there is no memory for. */
static int fails_at;

int gnutls_x509_crt_init(gnutls_x509_crt_t *cert)
{
	static int (*real)(gnutls_x509_crt_t *);

	if (fails_at > 0 && --fails_at == 0)
		return GNUTLS_E_MEMORY_ERROR;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "gnutls_x509_crt_init");
	return real(cert);
}

/* Neither the host's certificate nor the CA's: what cannot be read for want of memory is held
 * against nobody. */
static void test_no_memory(void **state)
{
	struct rtls_certificate_verdict verdict;
	struct rtls_chain chain = { 0 };
	gnutls_x509_crt_t leaf;

	(void)state;
	leaf = crt_make(root.key, "host.example", -1, 1, false);
	assert_int_equal(gnutls_x509_crt_sign2(leaf, root.crt, root.key,
				 GNUTLS_DIG_SHA256, 0),
		0);
	append(&chain, leaf);
	gnutls_x509_crt_deinit(leaf);
	for (int i = 1; i <= 2; i++) {
		fails_at = i;
		assert_int_equal(rtls_chain_judge(&chain, "host.example",
					 ca_file, &verdict),
			RTLS_TEMPORARY);
		assert_int_equal(fails_at, 0);
		assert_string_equal(verdict.text, "not judged: out of memory");
	}
	assert_int_equal(
		rtls_chain_judge(&chain, "host.example", ca_file, &verdict),
		RTLS_OK);
	assert_int_equal(verdict.result, RTLS_RESULT_SUCCESS);
	rtls_chain_clear(&chain);
}

int main(void)
{
	enum {
		ROWS = sizeof(rows) / sizeof(rows[0]),
		MORE = 5
	};
	const struct CMUnitTest more[MORE] = {
		cmocka_unit_test(test_nothing_to_judge),
		cmocka_unit_test(test_no_bundle),
		cmocka_unit_test(test_leaf_last),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_no_memory),
	};
	struct CMUnitTest tests[ROWS + MORE];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].proves,
			.test_func = test_row,
			.initial_state = (void *)(size_t)&rows[i] };
	memcpy(tests + ROWS, more, sizeof(more));
	return cmocka_run_group_tests(tests, make_all, free_all);
}
