/* certificate.c - see certificate.h. */
#include "tls/certificate.h"

#include "policy/text.h"
#include "tls/leaf.h"

#define ISSUER_MAX 1024

static void describe_issuer(gnutls_x509_crt_t leaf, char *out, size_t out_size)
{
	gnutls_datum_t issuer = { NULL, 0 };

	out[0] = '\0';
	if (gnutls_x509_crt_get_issuer_dn3(leaf, &issuer, 0) != 0)
		return;
	rtls_quote(out, out_size,
		rtls_slice_n((const char *)issuer.data,
			issuer.size < ISSUER_MAX ? issuer.size : ISSUER_MAX));
	gnutls_free(issuer.data);
}

enum rtls_status rtls_certificate_describe(
	const struct rtls_chain *chain, struct rtls_certificate *out)
{
	struct rtls_text names;
	gnutls_x509_crt_t leaf;

	if (chain->count == 0 || gnutls_x509_crt_init(&leaf) != 0)
		return RTLS_NONE;
	if (gnutls_x509_crt_import(leaf, &chain->der[0], GNUTLS_X509_FMT_DER) !=
		0) {
		gnutls_x509_crt_deinit(leaf);
		return RTLS_NONE;
	}
	rtls_text_init(&names, out->names, sizeof(out->names));
	rtls_leaf_list_names(leaf, &names);
	describe_issuer(leaf, out->issuer, sizeof(out->issuer));
	out->from_s = (int64_t)gnutls_x509_crt_get_activation_time(leaf);
	out->until_s = (int64_t)gnutls_x509_crt_get_expiration_time(leaf);
	out->chain_count = chain->count;
	gnutls_x509_crt_deinit(leaf);
	return RTLS_OK;
}
