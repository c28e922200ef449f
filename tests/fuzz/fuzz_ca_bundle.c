/* fuzz_ca_bundle.c - a bundle of CAs in PEM, read for a certificate that "fuzz CA" issued. What is
 * picked from it is a certificate with that name in it. */
#include <gnutls/x509.h>

#include "der.h"
#include "tls/ca_bundle.h"

/* The certificate is made once. */
static gnutls_x509_crt_t leaf(void)
{
	static gnutls_x509_crt_t crt;
	static struct der der;
	struct rtls_slice made;
	gnutls_datum_t datum;

	if (crt != NULL)
		return crt;
	der_begin(&der);
	made = der_end(&der, der.at, rtls_slice("mx.bank.example"), "fuzz CA");
	datum = (gnutls_datum_t){ (unsigned char *)(uintptr_t)made.data,
		(unsigned)made.size };
	PROPERTY(gnutls_x509_crt_init(&crt) == 0);
	PROPERTY(gnutls_x509_crt_import(crt, &datum, GNUTLS_X509_FMT_DER) == 0);
	return crt;
}

static void check_ca(gnutls_x509_crt_t ca)
{
	gnutls_datum_t der;

	PROPERTY(gnutls_x509_crt_export2(ca, GNUTLS_X509_FMT_DER, &der) == 0);
	PROPERTY(memmem(der.data, der.size, "fuzz CA", 7) != NULL);
	gnutls_free(der.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice pem = fuzz_input(data, size);
	const gnutls_x509_crt_t chain = leaf();
	struct rtls_cas cas;

	rtls_cas_select(pem, &chain, 1, &cas);
	PROPERTY(cas.count <= RTLS_CA_MAX);
	PROPERTY(cas.count == 0 || rtls_cas_any(pem));
	PROPERTY(!rtls_cas_any(pem) ||
		 memmem(data, size, "-----BEGIN CERTIFICATE-----", 27) != NULL);
	for (unsigned i = 0; i < cas.count; i++)
		check_ca(cas.ca[i]);
	rtls_cas_free(&cas);
	PROPERTY(cas.count == 0);
	return 0;
}
