/* test_ca_bundle.c - the few CAs that are picked from a bundle are those that
 * the whole bundle would have used. */
#include "check.h"

#include <stdio.h>
#include <time.h>

#include "store/system_file.h"
#include "tls/ca_bundle.h"

#define CAS         40
#define PEM_MAX     4096
#define SYSTEM_CAS  "/etc/ssl/certs/ca-certificates.crt"
#define SYSTEM_SIZE (4 * 1024 * 1024)

struct identity {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t der;
	char pem[PEM_MAX];
};

static struct identity root, other, issuing, leaf, nameless, pinned;

/* issuer NULL: self-signed; name NULL: no subject at all. */
static void make(struct identity *made, const char *name,
	const struct identity *issuer, bool is_ca)
{
	size_t size = sizeof(made->pem) - 1;
	time_t now = time(NULL);

	assert_int_equal(gnutls_x509_privkey_init(&made->key), 0);
	assert_int_equal(
		gnutls_x509_privkey_generate(made->key, GNUTLS_PK_ECDSA,
			GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	assert_int_equal(gnutls_x509_crt_init(&made->crt), 0);
	assert_int_equal(gnutls_x509_crt_set_version(made->crt, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(made->crt, "\1", 1), 0);
	if (name != NULL)
		assert_int_equal(gnutls_x509_crt_set_dn_by_oid(made->crt,
					 GNUTLS_OID_X520_COMMON_NAME, 0, name,
					 (unsigned)strlen(name)),
			0);
	assert_int_equal(
		gnutls_x509_crt_set_activation_time(made->crt, now - 60), 0);
	assert_int_equal(
		gnutls_x509_crt_set_expiration_time(made->crt, now + 3600), 0);
	assert_int_equal(gnutls_x509_crt_set_key(made->crt, made->key), 0);
	assert_int_equal(
		gnutls_x509_crt_set_basic_constraints(made->crt, is_ca, -1), 0);
	assert_int_equal(gnutls_x509_crt_sign2(made->crt,
				 issuer != NULL ? issuer->crt : made->crt,
				 issuer != NULL ? issuer->key : made->key,
				 GNUTLS_DIG_SHA256, 0),
		0);
	assert_int_equal(gnutls_x509_crt_export2(
				 made->crt, GNUTLS_X509_FMT_DER, &made->der),
		0);
	assert_int_equal(gnutls_x509_crt_export(made->crt, GNUTLS_X509_FMT_PEM,
				 made->pem, &size),
		0);
	made->pem[size] = '\0';
}

static void drop(struct identity *made)
{
	gnutls_x509_crt_deinit(made->crt);
	gnutls_x509_privkey_deinit(made->key);
	gnutls_free(made->der.data);
}

static int make_all(void **state)
{
	(void)state;
	make(&root, "Root", NULL, true);
	make(&other, "Other root", NULL, true);
	make(&issuing, "Issuing", &root, true);
	make(&leaf, "mta-sts.d.example", &issuing, false);
	make(&nameless, NULL, &issuing, false);
	make(&pinned, "Pinned", &other, false);
	return 0;
}

static int drop_all(void **state)
{
	(void)state;
	drop(&root);
	drop(&other);
	drop(&issuing);
	drop(&leaf);
	drop(&nameless);
	drop(&pinned);
	return 0;
}

/* The first bytes of the bundle, in a block of that size. */
static struct rtls_cas select_from(const char *bundle, size_t size,
	const struct identity *first, const struct identity *second)
{
	char *copy = check_copy(rtls_slice_n(bundle, size), size);
	gnutls_x509_crt_t chain[2];
	unsigned count = 0;
	struct rtls_cas cas;

	if (first != NULL)
		chain[count++] = first->crt;
	if (second != NULL)
		chain[count++] = second->crt;
	rtls_cas_select(rtls_slice_n(copy, size), chain, count, &cas);
	free(copy);
	return cas;
}

static void check_selected(struct rtls_cas cas, const struct identity *wanted)
{
	assert_int_equal(cas.count, wanted != NULL ? 1 : 0);
	if (wanted != NULL)
		assert_true(gnutls_x509_crt_equals(cas.ca[0], wanted->crt));
	rtls_cas_free(&cas);
}

static void picks_by_name(void **state)
{
	char bundle[3 * PEM_MAX];

	(void)state;
	(void)snprintf(bundle, sizeof(bundle), "# comment\n%s\nx\n%s",
		other.pem, root.pem);
	check_selected(
		select_from(bundle, strlen(bundle), &leaf, &issuing), &root);
	/* The chain as sent may have the root in it. */
	check_selected(select_from(bundle, strlen(bundle), &root, NULL), &root);
	/* Without the intermediate there is no path. */
	check_selected(select_from(bundle, strlen(bundle), &leaf, NULL), NULL);
	check_selected(select_from(bundle, strlen(bundle), NULL, NULL), NULL);
}

static void picks_the_issuer_itself(void **state)
{
	char bundle[3 * PEM_MAX];

	(void)state;
	(void)snprintf(bundle, sizeof(bundle), "%s%s", issuing.pem, other.pem);
	check_selected(
		select_from(bundle, strlen(bundle), &leaf, NULL), &issuing);
	(void)snprintf(bundle, sizeof(bundle), "%s%s", root.pem, pinned.pem);
	check_selected(
		select_from(bundle, strlen(bundle), &pinned, NULL), &pinned);
}

static void an_empty_name_picks_nothing(void **state)
{
	char bundle[3 * PEM_MAX];

	(void)state;
	(void)snprintf(bundle, sizeof(bundle), "%s%s", other.pem, issuing.pem);
	check_selected(
		select_from(bundle, strlen(bundle), &nameless, NULL), &issuing);
}

static void survives_any_cut(void **state)
{
	char bundle[2 * PEM_MAX];
	size_t size;

	(void)state;
	size = (size_t)snprintf(
		bundle, sizeof(bundle), "%s%s", other.pem, root.pem);
	for (size_t cut = 0; cut < size; cut++) {
		struct rtls_cas cas = select_from(bundle, cut, &issuing, NULL);

		assert_in_range(cas.count, 0, 1);
		rtls_cas_free(&cas);
	}
}

static void survives_garbage(void **state)
{
	static const char bundle[] = "-----BEGIN CERTIFICATE-----\n\n"
				     "-----END CERTIFICATE-----\n"
				     "-----BEGIN CERTIFICATE-----\n"
				     "!!!\n-----END CERTIFICATE-----\n"
				     "-----BEGIN CERTIFICATE-----\n"
				     "AAAA\n-----END CERTIFICATE-----\n"
				     "-----BEGIN CERTIFICATE-----";

	(void)state;
	check_selected(select_from(bundle, strlen(bundle), &leaf, NULL), NULL);
}

static void is_bounded(void **state)
{
	static char bundle[CAS * PEM_MAX];
	struct rtls_cas cas;
	size_t size = 0;

	(void)state;
	for (unsigned i = 0; i < CAS; i++)
		size += (size_t)snprintf(
			bundle + size, sizeof(bundle) - size, "%s", root.pem);
	cas = select_from(bundle, size, &issuing, NULL);
	assert_int_equal(cas.count, RTLS_CA_MAX);
	rtls_cas_free(&cas);
}

static bool verifies(const gnutls_x509_crt_t *cas, unsigned count,
	gnutls_x509_crt_t certificate)
{
	gnutls_x509_trust_list_t list;
	unsigned bits = 0;
	int bad;

	assert_int_equal(gnutls_x509_trust_list_init(&list, 0), 0);
	assert_int_equal(
		gnutls_x509_trust_list_add_cas(list, cas, count, 0), count);
	bad = gnutls_x509_trust_list_verify_crt2(
		list, &certificate, 1, NULL, 0, 0, &bits, NULL);
	gnutls_x509_trust_list_deinit(list, 0);
	return bad == 0 && bits == 0;
}

/* Each CA of the system is what its own name picks, and holds as it does with
 * the whole bundle. */
static void agrees_with_the_system(void **state)
{
	char *text = malloc(SYSTEM_SIZE + 1);
	gnutls_x509_crt_t *all = NULL;
	struct rtls_slice pem;
	gnutls_datum_t file;
	unsigned count = 0;

	(void)state;
	assert_non_null(text);
	if (rtls_system_file_read(SYSTEM_CAS, text, SYSTEM_SIZE, &pem, NULL) !=
		RTLS_OK)
		pem = rtls_slice("");
	file.data = (unsigned char *)text;
	file.size = (unsigned)pem.size;
	/* A machine without CAs has nothing to compare. */
	if (pem.size > 0)
		assert_true(gnutls_x509_crt_list_import2(&all, &count, &file,
				    GNUTLS_X509_FMT_PEM, 0) >= 0);
	for (unsigned i = 0; i < count; i++) {
		struct rtls_cas cas;

		rtls_cas_select(pem, &all[i], 1, &cas);
		assert_in_range(cas.count, 1, 4);
		assert_int_equal(verifies(cas.ca, cas.count, all[i]),
			verifies(all, count, all[i]));
		rtls_cas_free(&cas);
	}
	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(all[i]);
	gnutls_free(all);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(picks_by_name),
		cmocka_unit_test(picks_the_issuer_itself),
		cmocka_unit_test(an_empty_name_picks_nothing),
		cmocka_unit_test(survives_any_cut),
		cmocka_unit_test(survives_garbage),
		cmocka_unit_test(is_bounded),
		cmocka_unit_test(agrees_with_the_system),
	};

	return cmocka_run_group_tests(tests, make_all, drop_all);
}
