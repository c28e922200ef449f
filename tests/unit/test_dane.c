/* test_dane.c - chains made here, judged by TLSA records about them; and what a certificate
 * says of itself. */
#include <gnutls/crypto.h>
#include <time.h>

#include "check.h"
#include "policy/text.h"
#include "tls/certificate.h"
#include "tls/dane.h"

#define DAY_S 86400

struct identity {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
};

static void make(struct identity *made, const struct identity *issuer,
	const char *cn, const char *dns_id, int until_days, bool is_ca)
{
	static unsigned char serial[] = { 1 };

	serial[0]++;
	assert_int_equal(gnutls_x509_privkey_init(&made->key), 0);
	assert_int_equal(
		gnutls_x509_privkey_generate(made->key, GNUTLS_PK_ECDSA,
			GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	assert_int_equal(gnutls_x509_crt_init(&made->crt), 0);
	gnutls_x509_crt_set_version(made->crt, 3);
	gnutls_x509_crt_set_serial(made->crt, serial, sizeof(serial));
	gnutls_x509_crt_set_activation_time(
		made->crt, time(NULL) - 100 * DAY_S);
	gnutls_x509_crt_set_expiration_time(
		made->crt, time(NULL) + (time_t)until_days * DAY_S);
	gnutls_x509_crt_set_basic_constraints(made->crt, is_ca, -1);
	if (is_ca)
		gnutls_x509_crt_set_key_usage(
			made->crt, GNUTLS_KEY_KEY_CERT_SIGN);
	gnutls_x509_crt_set_dn_by_oid(made->crt, GNUTLS_OID_X520_COMMON_NAME, 0,
		cn, (unsigned)strlen(cn));
	if (dns_id[0] != '\0')
		gnutls_x509_crt_set_subject_alt_name(made->crt,
			GNUTLS_SAN_DNSNAME, dns_id, (unsigned)strlen(dns_id),
			GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_key(made->crt, made->key);
	if (issuer == NULL)
		issuer = made;
	assert_int_equal(gnutls_x509_crt_sign2(made->crt, issuer->crt,
				 issuer->key, GNUTLS_DIG_SHA256, 0),
		0);
}

static void identity_free(struct identity *made)
{
	gnutls_x509_crt_deinit(made->crt);
	gnutls_x509_privkey_deinit(made->key);
}

static void append(struct rtls_chain *chain, gnutls_x509_crt_t crt)
{
	gnutls_datum_t der;

	assert_int_equal(
		gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(rtls_chain_append(chain, &der), RTLS_OK);
	gnutls_free(der.data);
}

/* "usage 0 1 <SHA-256 of the certificate>" */
static void record_make(
	char *out, size_t size, unsigned usage, gnutls_x509_crt_t crt)
{
	unsigned char digest[32];
	gnutls_datum_t der;
	struct rtls_text text;

	assert_int_equal(
		gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(
		gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, digest),
		0);
	gnutls_free(der.data);
	rtls_text_init(&text, out, size);
	rtls_text_printf(&text, "%u 0 1 ", usage);
	for (size_t i = 0; i < sizeof(digest); i++)
		rtls_text_printf(&text, "%02x", digest[i]);
}

enum about {
	LEAF,
	ISSUER,
	ANOTHER,
};

struct row {
	const char *proves;
	const char *cn, *dns_id;
	int until_days;
	bool by_another; /* the issuer that is shown did not sign it */
	unsigned usage;
	enum about about;
	enum rtls_result result;
	const char *text; /* how it begins */
};

#define GOOD   RTLS_RESULT_SUCCESS, "good"
#define FAILED RTLS_RESULT_VALIDATION_FAILURE, "DANE validation failed"

static const struct row rows[] = {
	{ "DANE-EE", "x", "host.example", 90, false, 3, LEAF, GOOD },
	{ "DANE-EE needs no name", "x", "other.example", 90, false, 3, LEAF,
		GOOD },
	{ "DANE-EE has no dates", "x", "host.example", -5, false, 3, LEAF,
		GOOD },
	{ "DANE-EE is about the leaf", "x", "host.example", 90, false, 3,
		ISSUER, FAILED },
	{ "another certificate", "x", "host.example", 90, false, 3, ANOTHER,
		FAILED },
	{ "DANE-TA", "x", "host.example", 90, false, 2, ISSUER, GOOD },
	{ "DANE-TA, by its CN", "host.example", "", 90, false, 2, ISSUER,
		GOOD },
	{ "DANE-TA needs the name", "x", "other.example", 90, false, 2, ISSUER,
		RTLS_RESULT_CERTIFICATE_HOST_MISMATCH,
		"is for other.example, not for host.example" },
	{ "DANE-TA has dates", "x", "host.example", -5, false, 2, ISSUER,
		RTLS_RESULT_VALIDATION_FAILURE, "does not lead to" },
	{ "DANE-TA, signed by another", "x", "host.example", 90, true, 2,
		ISSUER, RTLS_RESULT_VALIDATION_FAILURE, "does not lead to" },
	{ "an anchor that is not shown", "x", "host.example", 90, false, 2,
		ANOTHER, RTLS_RESULT_VALIDATION_FAILURE,
		"the certificate of its DANE-TA record is not sent along" },
	{ "PKIX usages are not for SMTP", "x", "host.example", 90, false, 1,
		LEAF, FAILED },
};

static void test_row(void **state)
{
	const struct row *row = *state;
	struct identity ca, another, leaf;
	struct rtls_chain chain = { .count = 0 };
	struct rtls_certificate_verdict verdict;
	struct rtls_certificate certificate;
	char text[128], other[128];
	struct rtls_slice records[2];

	make(&ca, NULL, "A CA", "", 365, true);
	make(&another, NULL, "A CA", "", 365, true);
	make(&leaf, row->by_another ? &another : &ca, row->cn, row->dns_id,
		row->until_days, false);
	append(&chain, leaf.crt);
	append(&chain, ca.crt);
	record_make(text, sizeof(text), row->usage,
		row->about == LEAF     ? leaf.crt
		: row->about == ISSUER ? ca.crt
				       : another.crt);
	record_make(other, sizeof(other), 3, another.crt);
	records[0] = rtls_slice(other);
	records[1] = rtls_slice(text);
	rtls_dane_judge(&chain, records, 2, "host.example", &verdict);
	assert_int_equal(verdict.result, row->result);
	assert_memory_equal(verdict.text, row->text, strlen(row->text));
	rtls_dane_judge(&chain, records, 0, "host.example", &verdict);
	assert_int_equal(verdict.result, RTLS_RESULT_VALIDATION_FAILURE);

	assert_int_equal(
		rtls_certificate_describe(&chain, &certificate), RTLS_OK);
	assert_string_equal(certificate.names, row->dns_id);
	assert_string_equal(certificate.issuer, "CN=A CA");
	assert_int_equal(certificate.chain_count, 2);
	assert_int_equal((certificate.until_s - certificate.from_s) / DAY_S,
		row->until_days + 100);
	rtls_chain_clear(&chain);
	assert_int_equal(
		rtls_certificate_describe(&chain, &certificate), RTLS_NONE);
	rtls_dane_judge(&chain, records, 2, "host.example", &verdict);
	assert_int_equal(verdict.result, RTLS_RESULT_VALIDATION_FAILURE);
	identity_free(&ca);
	identity_free(&another);
	identity_free(&leaf);
}

static void test_unreadable(void **state)
{
	unsigned char garbage[] = "no certificate";
	struct rtls_chain bad = { .count = 1,
		.der = { { garbage, sizeof(garbage) } } };
	struct rtls_certificate certificate;

	(void)state;
	assert_int_equal(
		rtls_certificate_describe(&bad, &certificate), RTLS_NONE);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "unreadable", test_unreadable, NULL);
	return check_run(&suite, "dane");
}
