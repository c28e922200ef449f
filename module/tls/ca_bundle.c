/* ca_bundle.c - pick from a PEM bundle what a chain could need. */
#include "tls/ca_bundle.h"

#include <stdbool.h>
#include <string.h>

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"

struct names {
	unsigned count;
	gnutls_datum_t name[RTLS_CHAIN_MAX]; /* owned */
};

/* An empty name (an empty SEQUENCE) is seen in leaves, occurs by chance in any
 * DER, and never is an issuer's. */
static void add_name(gnutls_datum_t *name, struct names *names)
{
	if (name->size <= 2 ||
		names->count == sizeof(names->name) / sizeof(*names->name)) {
		gnutls_free(name->data);
		return;
	}
	names->name[names->count++] = *name;
}

static bool names_read(const gnutls_x509_crt_t *chain, unsigned chain_size,
	struct names *names)
{
	names->count = 0;
	for (unsigned i = 0; i < chain_size; i++) {
		gnutls_datum_t name;
		int bad = gnutls_x509_crt_get_raw_issuer_dn(chain[i], &name);

		if (bad == 0)
			add_name(&name, names);
		else if (bad == GNUTLS_E_MEMORY_ERROR)
			return false;
	}
	return true;
}

static void names_free(struct names *names)
{
	for (unsigned i = 0; i < names->count; i++)
		gnutls_free(names->name[i].data);
}

static bool names_occur(const struct names *names, const gnutls_datum_t *der)
{
	for (unsigned i = 0; i < names->count; i++)
		if (memmem(der->data, der->size, names->name[i].data,
			    names->name[i].size) != NULL)
			return true;
	return false;
}

/* The base64 between the next pair of lines; false when there is none left. */
static bool next_certificate(struct rtls_slice *rest, gnutls_datum_t *base64)
{
	const char *begin, *end;

	if (rest->size == 0)
		return false;
	begin = memmem(rest->data, rest->size, BEGIN, sizeof(BEGIN) - 1);
	if (begin == NULL)
		return false;
	begin += sizeof(BEGIN) - 1;
	rest->size -= (size_t)(begin - rest->data);
	rest->data = begin;
	end = memmem(rest->data, rest->size, END, sizeof(END) - 1);
	if (end == NULL)
		return false;
	base64->data = (unsigned char *)(size_t)begin;
	base64->size = (unsigned)(end - begin);
	rest->size -= (size_t)(end - rest->data);
	rest->data = end;
	return true;
}

static void add_ca(const gnutls_datum_t *der, struct rtls_cas *cas)
{
	gnutls_x509_crt_t *ca = &cas->ca[cas->count];

	int bad = gnutls_x509_crt_init(ca);

	if (bad == 0) {
		bad = gnutls_x509_crt_import(*ca, der, GNUTLS_X509_FMT_DER);
		if (bad == 0)
			cas->count++;
		else
			gnutls_x509_crt_deinit(*ca);
	}
	if (bad == GNUTLS_E_MEMORY_ERROR)
		cas->lacks_memory = true;
}

void rtls_cas_select(struct rtls_slice pem, const gnutls_x509_crt_t *chain,
	unsigned chain_size, struct rtls_cas *cas)
{
	struct names names;
	gnutls_datum_t base64;

	cas->count = 0;
	cas->lacks_memory = !names_read(chain, chain_size, &names);
	while (cas->count < RTLS_CA_MAX && next_certificate(&pem, &base64)) {
		gnutls_datum_t der = { NULL, 0 };

		int bad = gnutls_base64_decode2(&base64, &der);

		if (bad == GNUTLS_E_MEMORY_ERROR)
			cas->lacks_memory = true;
		if (bad != 0)
			continue;
		if (names_occur(&names, &der))
			add_ca(&der, cas);
		gnutls_free(der.data);
	}
	names_free(&names);
}

bool rtls_cas_any(struct rtls_slice pem)
{
	gnutls_datum_t base64;

	return next_certificate(&pem, &base64);
}

void rtls_cas_free(struct rtls_cas *cas)
{
	for (unsigned i = 0; i < cas->count; i++)
		gnutls_x509_crt_deinit(cas->ca[i]);
	cas->count = 0;
}
