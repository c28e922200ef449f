/* test_identity.c - whom a certificate names (RFC 6125, RFC 8461 sections 3.3 and 4.2; items
 * E1 to E4), and which paths lead to a CA. test_chain.c has the plain cases. */
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "policy/text.h"
#include "tls/chain.h"

#define DAY_S 86400
#define HOST  "host.example"

struct identity {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
};

/* What is trusted: root, and bridge, which an expired root has signed as well. */
static struct identity root, issuing, late, bridge, crossed, expired_root;
static struct identity no_ca, fenced;
static char ca_file[] = "/tmp/rtls-identity-XXXXXX";

/* --- making certificates ---------------------------------------------------- */

static void begin(struct identity *made, const char *name, bool is_ca)
{
	unsigned char serial[8];

	if (made->key == NULL) {
		assert_int_equal(gnutls_x509_privkey_init(&made->key), 0);
		assert_int_equal(
			gnutls_x509_privkey_generate(made->key, GNUTLS_PK_ECDSA,
				GNUTLS_CURVE_TO_BITS(
					GNUTLS_ECC_CURVE_SECP256R1),
				0),
			0);
	}
	assert_int_equal(
		gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)), 0);
	serial[0] &= 0x7f;
	assert_int_equal(gnutls_x509_crt_init(&made->crt), 0);
	gnutls_x509_crt_set_version(made->crt, 3);
	gnutls_x509_crt_set_serial(made->crt, serial, sizeof(serial));
	gnutls_x509_crt_set_dn_by_oid(made->crt, GNUTLS_OID_X520_COMMON_NAME, 0,
		name, (unsigned)strlen(name));
	gnutls_x509_crt_set_basic_constraints(made->crt, is_ca, -1);
	if (is_ca)
		gnutls_x509_crt_set_key_usage(
			made->crt, GNUTLS_KEY_KEY_CERT_SIGN);
	gnutls_x509_crt_set_key(made->crt, made->key);
}

/* issuer NULL: self-signed. */
static void sign(struct identity *made, const struct identity *issuer,
	int from_days, int until_days, gnutls_digest_algorithm_t digest)
{
	time_t now = time(NULL);

	gnutls_x509_crt_set_activation_time(
		made->crt, now + (time_t)from_days * DAY_S);
	gnutls_x509_crt_set_expiration_time(
		made->crt, now + (time_t)until_days * DAY_S);
	if (issuer == NULL)
		issuer = made;
	assert_int_equal(gnutls_x509_crt_sign2(made->crt, issuer->crt,
				 issuer->key, digest, 0),
		0);
}

static void make_ca(struct identity *made, const char *name,
	const struct identity *issuer, int until_days)
{
	begin(made, name, true);
	sign(made, issuer, -800, until_days, GNUTLS_DIG_SHA256);
}

/* A CA for names below other.example only. */
static void make_fenced(void)
{
	gnutls_x509_name_constraints_t fence;
	gnutls_datum_t name = { (unsigned char *)"other.example", 13 };

	begin(&fenced, "Fenced CA", true);
	assert_int_equal(gnutls_x509_name_constraints_init(&fence), 0);
	assert_int_equal(gnutls_x509_name_constraints_add_permitted(
				 fence, GNUTLS_SAN_DNSNAME, &name),
		0);
	assert_int_equal(
		gnutls_x509_crt_set_name_constraints(fenced.crt, fence, 1), 0);
	gnutls_x509_name_constraints_deinit(fence);
	sign(&fenced, &root, -800, 365, GNUTLS_DIG_SHA256);
}

static void write_pem(int fd, const struct identity *identity)
{
	gnutls_datum_t pem;

	assert_int_equal(gnutls_x509_crt_export2(
				 identity->crt, GNUTLS_X509_FMT_PEM, &pem),
		0);
	assert_int_equal(write(fd, pem.data, pem.size), pem.size);
	gnutls_free(pem.data);
}

static int make_all(void **state)
{
	int fd = mkstemp(ca_file);

	(void)state;
	assert_true(fd >= 0);
	make_ca(&root, "Root CA", NULL, 365);
	make_ca(&issuing, "Issuing CA", &root, 365);
	make_ca(&late, "Late CA", &root, -1);
	make_ca(&expired_root, "Expired root CA", NULL, -1);
	make_ca(&bridge, "Bridge CA", NULL, 365);
	/* The same name and key once more, under the root that ran out. */
	crossed.key = bridge.key;
	make_ca(&crossed, "Bridge CA", &expired_root, 365);
	begin(&no_ca, "no CA", false);
	sign(&no_ca, &root, -1, 90, GNUTLS_DIG_SHA256);
	make_fenced();
	write_pem(fd, &root);
	write_pem(fd, &bridge);
	write_pem(fd, &expired_root);
	return close(fd);
}

static void drop(struct identity *made)
{
	gnutls_x509_crt_deinit(made->crt);
	gnutls_x509_privkey_deinit(made->key);
}

static int free_all(void **state)
{
	(void)state;
	crossed.key = NULL;
	drop(&root);
	drop(&issuing);
	drop(&late);
	drop(&expired_root);
	drop(&bridge);
	drop(&crossed);
	drop(&no_ca);
	drop(&fenced);
	return unlink(ca_file);
}

/* --- one leaf --------------------------------------------------------------- */

/* The tags of GeneralName (RFC 5280 section 4.2.1.6). */
enum san_tag {
	SAN_MAIL = 0x81,
	SAN_DNS = 0x82,
	SAN_URI = 0x86,
	SAN_IP = 0x87,
};

struct san {
	enum san_tag tag;
	struct rtls_slice value;
};

#define DNS(text)                                                              \
	{                                                                      \
		SAN_DNS, TEXT(text)                                            \
	}
#define OTHER(tag, text)                                                       \
	{                                                                      \
		tag, TEXT(text)                                                \
	}

#define DER_MAX 16384

/* Tag and length in front of size bytes; up to 65535. */
static size_t put_head(unsigned char *out, unsigned tag, size_t size)
{
	size_t used = 0;

	out[used++] = (unsigned char)tag;
	if (size > 255)
		out[used++] = 0x82;
	else if (size > 127)
		out[used++] = 0x81;
	if (size > 255)
		out[used++] = (unsigned char)(size >> 8);
	out[used++] = (unsigned char)size;
	return used;
}

/* By hand: GnuTLS would put right what must be wrong here. */
static void set_names(
	struct identity *leaf, const struct san *sans, size_t count)
{
	static unsigned char names[DER_MAX], whole[DER_MAX + 8];
	size_t size = 0, head;

	for (size_t i = 0; i < count && sans[i].tag != 0; i++) {
		const struct rtls_slice value = sans[i].value;

		assert_true(size + value.size + 4 < DER_MAX);
		size += put_head(names + size, sans[i].tag, value.size);
		memcpy(names + size, value.data, value.size);
		size += value.size;
	}
	if (size == 0)
		return;
	head = put_head(whole, 0x30, size);
	memcpy(whole + head, names, size);
	assert_int_equal(gnutls_x509_crt_set_extension_by_oid(
				 leaf->crt, "2.5.29.17", whole, head + size, 0),
		0);
}

static void make_leaf(struct identity *leaf, const struct san *sans,
	size_t count, const char *purpose, const struct identity *issuer,
	gnutls_digest_algorithm_t digest)
{
	*leaf = (struct identity){ NULL, NULL };
	begin(leaf, HOST, false); /* its CN is the right name, always */
	set_names(leaf, sans, count);
	if (purpose != NULL)
		assert_int_equal(gnutls_x509_crt_set_key_purpose_oid(
					 leaf->crt, purpose, 0),
			0);
	sign(leaf, issuer, -1, 90, digest);
}

static void append(struct rtls_chain *chain, const struct identity *identity)
{
	gnutls_datum_t der;

	assert_int_equal(gnutls_x509_crt_export2(
				 identity->crt, GNUTLS_X509_FMT_DER, &der),
		0);
	assert_int_equal(rtls_chain_append(chain, &der), RTLS_OK);
	gnutls_free(der.data);
}

/* --- names ------------------------------------------------------------------ */

struct name_row {
	const char *proves;
	const char *host;
	struct san sans[3];
	const char *text; /* NULL: named; else how the reason begins */
};

#define NO_NAME  "has no DNS name"
#define NOT_ITS  "is for "
#define IP4      "\xc0\x00\x02\x01"
#define L60      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_SAN L60 "." L60 "." L60 "." L60 "." L60 ".example"

static const struct name_row name_rows[] = {
	{ "E1 the CN is not even looked at where another ID stands: URI", HOST,
		{ OTHER(SAN_URI, "https://" HOST "/") }, NO_NAME },
	{ "E1 nor beside a mail address", HOST, { OTHER(SAN_MAIL, "x@" HOST) },
		NO_NAME },
	{ "E1 nor beside another DNS-ID", HOST, { DNS("other.example") },
		NOT_ITS },
	{ "E1 nor without any", HOST, { { 0 } }, NO_NAME },
	{ "E1 a DNS-ID among others", HOST,
		{ OTHER(SAN_URI, "https://x.example/"), OTHER(SAN_IP, IP4),
			DNS(HOST) },
		NULL },
	{ "E1 a URI that ends in the name is none", HOST,
		{ OTHER(SAN_URI, HOST) }, NO_NAME },
	{ "E2 a wildcard for the left-most label", "mx.a.example",
		{ DNS("*.a.example") }, NULL },
	{ "E2 not for the domain itself", "a.example", { DNS("*.a.example") },
		NOT_ITS },
	{ "E2 not across a dot", "b.mx.a.example", { DNS("*.a.example") },
		NOT_ITS },
	{ "E2 not for a label further right", "mx.a.example",
		{ DNS("mx.*.example") }, NOT_ITS },
	{ "E2 not for part of a label", "mx1.a.example",
		{ DNS("mx*.a.example") }, NOT_ITS },
	{ "E2 not for the end of a label", "mx1.a.example",
		{ DNS("*1.a.example") }, NOT_ITS },
	{ "E2 not for all names", "example", { DNS("*") }, NOT_ITS },
	{ "E2 not two of them", "a.b.example", { DNS("*.*.example") },
		NOT_ITS },
	{ "E2 above an A-label", "mx.xn--bcher-kva.example",
		{ DNS("*.xn--bcher-kva.example") }, NULL },
	{ "E2 for an A-label as a whole", "xn--bcher-kva.example",
		{ DNS("*.example") }, NULL },
	{ "E2 never within an A-label", "xn--bcher-kva.example",
		{ DNS("xn--*-kva.example") }, NOT_ITS },
	{ "E3 A-labels, in any case", "xn--bcher-kva.example",
		{ DNS("XN--Bcher-KVA.Example") }, NULL },
	{ "E3 a U-label names nobody", "xn--bcher-kva.example",
		{ DNS("b\xc3\xbc"
		      "cher.example") },
		NOT_ITS },
	{ "E3 a trailing dot of the host is nothing", HOST ".", { DNS(HOST) },
		NULL },
	{ "E3 in a certificate it is no name", HOST, { DNS(HOST ".") },
		NOT_ITS },
	{ "E3 blanks are none either", HOST, { DNS(" " HOST) }, NOT_ITS },
	{ "E3 a NUL hides nothing", HOST, { DNS(HOST "\0.evil.example") },
		NOT_ITS },
	{ "E4 an IP-ID names no host", HOST, { OTHER(SAN_IP, IP4) }, NO_NAME },
	{ "E4 an IP-ID names no address either", "192.0.2.1",
		{ OTHER(SAN_IP, IP4) }, NO_NAME },
	{ "E4 nor does an address as DNS-ID", "192.0.2.1", { DNS("192.0.2.1") },
		NOT_ITS },
	{ "E4 nor a wildcard before its last numbers", "192.0.2.1",
		{ DNS("*.0.2.1") }, NOT_ITS },
	{ "A6.4 a name too long for DNS is passed over", HOST,
		{ DNS(LONG_SAN), DNS(HOST) }, NULL },
};

static void test_name(void **state)
{
	const struct name_row *row = *state;
	struct rtls_certificate_verdict verdict;
	struct rtls_chain chain = { 0 };
	struct identity leaf;
	enum rtls_status status;

	make_leaf(&leaf, row->sans, COUNT(row->sans), NULL, &root,
		GNUTLS_DIG_SHA256);
	append(&chain, &leaf);
	status = rtls_chain_names_host(&chain, row->host, &verdict);
	assert_int_equal(status, row->text == NULL ? RTLS_OK : RTLS_NONE);
	if (row->text != NULL)
		assert_memory_equal(verdict.text, row->text, strlen(row->text));
	/* The whole judgement says the same: the policy host's way. */
	assert_int_equal(rtls_chain_judge(&chain, row->host, ca_file, &verdict),
		RTLS_OK);
	assert_string_equal(rtls_result_name(verdict.result),
		rtls_result_name(
			row->text == NULL
				? RTLS_RESULT_SUCCESS
				: RTLS_RESULT_CERTIFICATE_HOST_MISMATCH));
	rtls_chain_clear(&chain);
	drop(&leaf);
}

static void test_many_names(void **state)
{
	static struct san sans[400];
	static char names[400][32];
	struct rtls_certificate_verdict verdict;
	struct rtls_chain chain = { 0 };
	struct identity leaf;

	(void)state;
	for (size_t i = 0; i < COUNT(sans); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "h%zu.example", i);
		sans[i] = (struct san){ SAN_DNS, rtls_slice(names[i]) };
	}
	make_leaf(&leaf, sans, COUNT(sans), NULL, &root, GNUTLS_DIG_SHA256);
	append(&chain, &leaf);
	assert_int_equal(
		rtls_chain_names_host(&chain, "h399.example", &verdict),
		RTLS_OK);
	assert_int_equal(
		rtls_chain_names_host(&chain, "h400.example", &verdict),
		RTLS_NONE);
	assert_true(strlen(verdict.text) < RTLS_ERR_SIZE);
	rtls_chain_clear(&chain);
	drop(&leaf);
}

/* --- paths ------------------------------------------------------------------ */

struct path_row {
	const char *proves;
	const struct identity *issuer;
	const struct identity *more[3]; /* sent behind the leaf */
	const char *purpose;
	gnutls_digest_algorithm_t digest;
	enum rtls_result result;
	const char *text;
};

#define SHA256    GNUTLS_DIG_SHA256
#define GOOD      RTLS_RESULT_SUCCESS, "good"
#define UNTRUSTED RTLS_RESULT_CERTIFICATE_NOT_TRUSTED
#define UNKNOWN   UNTRUSTED, "not signed by a trusted CA"

static const struct path_row path_rows[] = {
	{ "A6.4 by an intermediate CA", &issuing, { &issuing }, NULL, SHA256,
		GOOD },
	{ "A6.4 the root is sent along", &issuing, { &issuing, &root }, NULL,
		SHA256, GOOD },
	{ "A6.4 in another order", &issuing, { &root, &issuing }, NULL, SHA256,
		GOOD },
	{ "A6.4 the intermediate CA is not sent", &issuing, { NULL }, NULL,
		SHA256, UNKNOWN },
	{ "A6.4 the intermediate CA is expired", &late, { &late }, NULL, SHA256,
		RTLS_RESULT_CERTIFICATE_EXPIRED,
		"of a CA above it expired or not yet valid" },
	{ "EDGE 120 cross-signed by a root that is expired", &bridge,
		{ &crossed }, NULL, SHA256, GOOD },
	{ "EDGE 120 and that root is sent along", &bridge,
		{ &crossed, &expired_root }, NULL, SHA256, GOOD },
	{ "A6.4 signed by a certificate that is no CA", &no_ca, { &no_ca },
		NULL, SHA256, UNTRUSTED, "signed by what is no CA" },
	{ "A6.4 outside the names its CA may sign for", &fenced, { &fenced },
		NULL, SHA256, UNTRUSTED, "outside its CA's constraints" },
	{ "A6.4 made for servers", &root, { NULL }, GNUTLS_KP_TLS_WWW_SERVER,
		SHA256, GOOD },
	{ "A6.4 made for clients only", &root, { NULL },
		GNUTLS_KP_TLS_WWW_CLIENT, SHA256, UNTRUSTED,
		"not made for a server" },
	{ "EDGE 122 signed with SHA-1", &root, { NULL }, NULL, GNUTLS_DIG_SHA1,
		UNTRUSTED, "signed with an insecure algorithm" },
};

static void test_path(void **state)
{
	static const struct san names[] = { DNS(HOST) };
	const struct path_row *row = *state;
	struct rtls_certificate_verdict verdict;
	struct rtls_chain chain = { 0 };
	struct identity leaf;

	make_leaf(&leaf, names, 1, row->purpose, row->issuer, row->digest);
	append(&chain, &leaf);
	for (size_t i = 0; i < COUNT(row->more) && row->more[i] != NULL; i++)
		append(&chain, row->more[i]);
	assert_int_equal(
		rtls_chain_judge(&chain, HOST, ca_file, &verdict), RTLS_OK);
	assert_string_equal(verdict.text, row->text);
	assert_int_equal(verdict.result, row->result);
	rtls_chain_clear(&chain);
	drop(&leaf);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_name, name_rows);
	check_add(&suite, "A6.4 the last of 400 names", test_many_names, NULL);
	CHECK_TABLE(&suite, test_path, path_rows);
	return _cmocka_run_group_tests(
		"identity", suite.tests, suite.count, make_all, free_all);
}
