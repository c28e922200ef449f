/* chain.c - see chain.h. */
#include "tls/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/domain.h"
#include "policy/text.h"
#include "policy/timestamp.h"
#include "store/system_file.h"
#include "tls/ca_bundle.h"
#include "tls/leaf.h"

#define BASE64_MAX (128 * 1024)
#ifndef BUNDLE_SIZE_MAX /* less when fuzzing: it is allocated at once */
#define BUNDLE_SIZE_MAX (4 * 1024 * 1024)
#endif

/* --- collecting ----------------------------------------------------------- */

void rtls_chain_clear(struct rtls_chain *chain)
{
	for (unsigned i = 0; i < chain->count; i++)
		gnutls_free(chain->der[i].data);
	chain->count = 0;
}

enum rtls_status rtls_chain_append(
	struct rtls_chain *chain, const gnutls_datum_t *der)
{
	gnutls_datum_t *copy = &chain->der[chain->count];

	if (chain->count == RTLS_CHAIN_MAX)
		return RTLS_OK;
	copy->data = gnutls_malloc(der->size);
	if (copy->data == NULL)
		return RTLS_NO_MEMORY;
	memcpy(copy->data, der->data, der->size);
	copy->size = der->size;
	chain->count++;
	return RTLS_OK;
}

enum rtls_status rtls_chain_prepend(
	struct rtls_chain *chain, struct rtls_slice base64)
{
	gnutls_datum_t text = { (unsigned char *)(size_t)base64.data,
		(unsigned)base64.size };
	gnutls_datum_t der = { NULL, 0 };

	if (base64.size == 0 || base64.size > BASE64_MAX ||
		gnutls_base64_decode2(&text, &der) != 0)
		return RTLS_INVALID;
	if (chain->count == RTLS_CHAIN_MAX) {
		/* The far end goes: the leaf has yet to come. */
		chain->count--;
		gnutls_free(chain->der[chain->count].data);
	}
	memmove(chain->der + 1, chain->der, chain->count * sizeof(der));
	chain->der[0] = der;
	chain->count++;
	return RTLS_OK;
}

/* --- reading -------------------------------------------------------------- */

struct certificates {
	bool lacks_memory; /* nothing is known of the rest */
	unsigned count;
	gnutls_x509_crt_t crt[RTLS_CHAIN_MAX]; /* [0]: the leaf */
};

static void certificates_free(struct certificates *read)
{
	for (unsigned i = 0; i < read->count; i++)
		gnutls_x509_crt_deinit(read->crt[i]);
	read->count = 0;
}

/* The first so many of the chain. What cannot be read ends it: the leaf must be
 * there, and without a link above it the rest leads nowhere. */
static bool certificates_read(
	const struct rtls_chain *chain, unsigned max, struct certificates *read)
{
	int bad = 0;

	read->count = 0;
	while (bad == 0 && read->count < chain->count && read->count < max) {
		gnutls_x509_crt_t *crt = &read->crt[read->count];

		bad = gnutls_x509_crt_init(crt);
		if (bad != 0)
			break;
		bad = gnutls_x509_crt_import(
			*crt, &chain->der[read->count], GNUTLS_X509_FMT_DER);
		if (bad == 0)
			read->count++;
		else
			gnutls_x509_crt_deinit(*crt);
	}
	read->lacks_memory = bad == GNUTLS_E_MEMORY_ERROR;
	return read->count > 0;
}

/* --- the name ------------------------------------------------------------- */

enum rtls_status rtls_chain_names_host(const struct rtls_chain *chain,
	const char *host, struct rtls_certificate_verdict *verdict)
{
	struct certificates read;
	enum rtls_status status = RTLS_NONE;

	verdict->result = RTLS_RESULT_VALIDATION_FAILURE;
	snprintf(verdict->text, sizeof(verdict->text), "unreadable");
	if (certificates_read(chain, 1, &read))
		status = rtls_leaf_names_host(read.crt[0], host, verdict);
	certificates_free(&read);
	return status;
}

/* --- the reason ----------------------------------------------------------- */

static void explain_dates(
	gnutls_x509_crt_t leaf, struct rtls_certificate_verdict *verdict)
{
	char date[RTLS_DATE_SIZE];
	time_t until = gnutls_x509_crt_get_expiration_time(leaf);
	time_t from = gnutls_x509_crt_get_activation_time(leaf);
	time_t now = time(NULL);

	verdict->result = RTLS_RESULT_CERTIFICATE_EXPIRED;
	if (until < now)
		snprintf(verdict->text, sizeof(verdict->text), "expired %s",
			rtls_date_format(date, until));
	else if (from > now)
		snprintf(verdict->text, sizeof(verdict->text),
			"not valid before %s", rtls_date_format(date, from));
	else
		snprintf(verdict->text, sizeof(verdict->text),
			"of a CA above it expired or not yet valid");
}

/* The bits of gnutls_certificate_status_t that mean "no trust", said
 * plainly. */
static const struct {
	unsigned bit;
	const char *text;
} reasons[] = {
	{ GNUTLS_CERT_REVOKED, "revoked" },
	{ GNUTLS_CERT_SIGNER_NOT_FOUND, "not signed by a trusted CA" },
	{ GNUTLS_CERT_SIGNER_NOT_CA, "signed by what is no CA" },
	{ GNUTLS_CERT_INSECURE_ALGORITHM, "signed with an insecure algorithm" },
	{ GNUTLS_CERT_SIGNATURE_FAILURE, "signature wrong" },
	{ GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE,
		"outside its CA's constraints" },
	{ GNUTLS_CERT_PURPOSE_MISMATCH, "not made for a server" },
	{ GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS,
		"with an unknown critical extension" },
};

static const char *explain_trust(gnutls_x509_crt_t leaf, unsigned bits)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (!(bits & reasons[i].bit))
			continue;
		if (reasons[i].bit == GNUTLS_CERT_SIGNER_NOT_FOUND &&
			gnutls_x509_crt_check_issuer(leaf, leaf))
			return "self-signed";
		return reasons[i].text;
	}
	return NULL;
}

static void explain(gnutls_x509_crt_t leaf, const char *host, unsigned bits,
	struct rtls_certificate_verdict *verdict)
{
	const unsigned dates = GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED;
	const char *trust = explain_trust(leaf, bits);

	if (trust == NULL && (bits & dates)) {
		explain_dates(leaf, verdict);
		return;
	}
	if (bits == 0 && rtls_leaf_names_host(leaf, host, verdict) != RTLS_OK)
		return;
	verdict->result = bits == 0 ? RTLS_RESULT_SUCCESS
				    : RTLS_RESULT_CERTIFICATE_NOT_TRUSTED;
	snprintf(verdict->text, sizeof(verdict->text), "%s",
		bits == 0       ? "good"
		: trust != NULL ? trust
				: "not trusted");
}

/* --- the judgement -------------------------------------------------------- */

static enum rtls_status verify(
	struct certificates *read, struct rtls_slice pem, unsigned *bits)
{
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(size_t)GNUTLS_KP_TLS_WWW_SERVER };
	gnutls_x509_trust_list_t trusted;
	enum rtls_status status = RTLS_TEMPORARY;
	struct rtls_cas cas;

	if (gnutls_x509_trust_list_init(&trusted, 0) != 0)
		return RTLS_TEMPORARY;
	rtls_cas_select(pem, read->crt, read->count, &cas);
	/* The list borrows the CAs: it goes before they are freed. */
	if (!cas.lacks_memory &&
		gnutls_x509_trust_list_add_cas(trusted, cas.ca, cas.count, 0) ==
			(int)cas.count &&
		gnutls_x509_trust_list_verify_crt2(trusted, read->crt,
			read->count, &purpose, 1, 0, bits, NULL) == 0)
		status = RTLS_OK;
	gnutls_x509_trust_list_deinit(trusted, 0);
	rtls_cas_free(&cas);
	return status;
}

static enum rtls_status trouble(
	struct rtls_certificate_verdict *verdict, const char *why)
{
	verdict->result = RTLS_RESULT_VALIDATION_FAILURE;
	snprintf(verdict->text, sizeof(verdict->text), "not judged: %.200s",
		why);
	return RTLS_TEMPORARY;
}

static enum rtls_status judge(struct certificates *read, const char *host,
	const char *ca_file, struct rtls_certificate_verdict *verdict)
{
	char *buffer = malloc(BUNDLE_SIZE_MAX + 1);
	struct rtls_err err = { "out of memory" };
	enum rtls_status status;
	struct rtls_slice pem;
	unsigned bits = 0;

	if (buffer == NULL)
		return trouble(verdict, err.text);
	status = rtls_system_file_read(
		ca_file, buffer, BUNDLE_SIZE_MAX, &pem, &err);
	if (status == RTLS_NONE)
		rtls_err_set(&err, "%.200s: no such file", ca_file);
	if (status == RTLS_OK && !rtls_cas_any(pem)) {
		rtls_err_set(&err, "%.200s: no certificate in it", ca_file);
		status = RTLS_TEMPORARY;
	}
	if (status == RTLS_OK)
		status = verify(read, pem, &bits);
	free(buffer);
	if (status != RTLS_OK)
		return trouble(verdict, err.text);
	explain(read->crt[0], host, bits, verdict);
	return RTLS_OK;
}

enum rtls_status rtls_chain_judge(const struct rtls_chain *chain,
	const char *host, const char *ca_file,
	struct rtls_certificate_verdict *verdict)
{
	struct certificates read;
	enum rtls_status status = RTLS_NONE;

	if (certificates_read(chain, RTLS_CHAIN_MAX, &read) &&
		!read.lacks_memory)
		status = judge(&read, host, ca_file, verdict);
	else if (read.lacks_memory)
		status = trouble(verdict, "out of memory");
	certificates_free(&read);
	return status;
}
