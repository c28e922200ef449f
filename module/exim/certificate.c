/* certificate.c - see certificate.h. */
#include "exim/certificate.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/text.h"
#include "policy/timestamp.h"

#define SAN_COUNT_MAX 512
#define BASE64_MAX    (128 * 1024)

void rtls_chain_clear(struct rtls_chain *chain)
{
	for (unsigned i = 0; i < chain->count; i++)
		gnutls_x509_crt_deinit(chain->certificate[i]);
	chain->count = 0;
}

static enum rtls_status certificate_import(
	struct rtls_slice base64, gnutls_x509_crt_t *certificate)
{
	gnutls_datum_t text = { (unsigned char *)(void *)(size_t)base64.data,
		(unsigned)base64.size };
	gnutls_datum_t der = { NULL, 0 };
	enum rtls_status status = RTLS_INVALID;

	if (base64.size == 0 || base64.size > BASE64_MAX ||
		gnutls_base64_decode2(&text, &der) != 0)
		return RTLS_INVALID;
	if (gnutls_x509_crt_init(certificate) == 0) {
		if (gnutls_x509_crt_import(
			    *certificate, &der, GNUTLS_X509_FMT_DER) == 0)
			status = RTLS_OK;
		else
			gnutls_x509_crt_deinit(*certificate);
	}
	gnutls_free(der.data);
	return status;
}

enum rtls_status rtls_chain_add(
	struct rtls_chain *chain, struct rtls_slice base64)
{
	gnutls_x509_crt_t certificate;
	enum rtls_status status = certificate_import(base64, &certificate);

	if (status != RTLS_OK)
		return status;
	if (chain->count == RTLS_CHAIN_MAX) {
		/* The far end goes: the leaf has yet to come. */
		gnutls_x509_crt_deinit(chain->certificate[RTLS_CHAIN_MAX - 1]);
		chain->count--;
	}
	for (unsigned i = chain->count; i > 0; i--)
		chain->certificate[i] = chain->certificate[i - 1];
	chain->certificate[0] = certificate;
	chain->count++;
	return RTLS_OK;
}

enum rtls_status rtls_chain_names_host(const struct rtls_chain *chain,
	const char *host, struct rtls_certificate_verdict *why)
{
	struct rtls_text names;
	char shown[160];
	char san[RTLS_DOMAIN_SIZE];

	if (chain->count == 0)
		return RTLS_NONE;
	rtls_text_init(&names, shown, sizeof(shown));
	for (unsigned i = 0; i < SAN_COUNT_MAX; i++) {
		size_t size = sizeof(san);
		int type = gnutls_x509_crt_get_subject_alt_name(
			chain->certificate[0], i, san, &size, NULL);

		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (type != GNUTLS_SAN_DNSNAME)
			continue; /* also a name longer than any host's */
		if (rtls_domain_matches(
			    rtls_slice_n(san, size), rtls_slice(host)))
			return RTLS_OK;
		rtls_text_printf(&names, "%s", names.size > 0 ? " " : "");
		rtls_text_quote(&names, rtls_slice_n(san, size));
	}
	why->result = RTLS_RESULT_CERTIFICATE_HOST_MISMATCH;
	snprintf(why->text, sizeof(why->text), "%s is not among its names: %s",
		host, names.size > 0 ? shown : "it has no DNS name");
	return RTLS_NONE;
}

static void verdict_expired(
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
			"a certificate of its chain is expired or not yet valid");
}

/* The bits of gnutls_certificate_status_t that mean "no trust", said plainly. */
static const struct {
	unsigned bit;
	const char *text;
} untrusted[] = {
	{ GNUTLS_CERT_REVOKED, "revoked" },
	{ GNUTLS_CERT_SIGNER_NOT_FOUND, "not signed by a trusted CA" },
	{ GNUTLS_CERT_SIGNER_NOT_CA, "signed by what is no CA" },
	{ GNUTLS_CERT_INSECURE_ALGORITHM, "signed with an insecure algorithm" },
	{ GNUTLS_CERT_SIGNATURE_FAILURE, "its signature is wrong" },
	{ GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE,
		"outside its CA's constraints" },
	{ GNUTLS_CERT_PURPOSE_MISMATCH, "not made for a server" },
	{ GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, "unknown critical extension" },
};

static void verdict_of_status(const struct rtls_chain *chain, const char *host,
	unsigned status, struct rtls_certificate_verdict *verdict)
{
	const unsigned dates = GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED;

	for (size_t i = 0; i < sizeof(untrusted) / sizeof(untrusted[0]); i++) {
		if (!(status & untrusted[i].bit))
			continue;
		verdict->result = RTLS_RESULT_CERTIFICATE_NOT_TRUSTED;
		snprintf(verdict->text, sizeof(verdict->text), "%s",
			untrusted[i].bit == GNUTLS_CERT_SIGNER_NOT_FOUND &&
					gnutls_x509_crt_check_issuer(
						chain->certificate[0],
						chain->certificate[0])
				? "self-signed"
				: untrusted[i].text);
		return;
	}
	if (status & dates) {
		verdict_expired(chain->certificate[0], verdict);
		return;
	}
	if (rtls_chain_names_host(chain, host, verdict) != RTLS_OK)
		return;
	verdict->result = status == 0 ? RTLS_RESULT_SUCCESS
				      : RTLS_RESULT_CERTIFICATE_NOT_TRUSTED;
	snprintf(verdict->text, sizeof(verdict->text), "%s",
		status == 0 ? "good" : "not trusted");
}

enum rtls_status rtls_chain_judge(const struct rtls_chain *chain,
	const char *host, const char *ca_file,
	struct rtls_certificate_verdict *verdict)
{
	gnutls_x509_trust_list_t trusted;
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(void *)(size_t)
			GNUTLS_KP_TLS_WWW_SERVER };
	enum rtls_status result = RTLS_TEMPORARY;
	unsigned status = 0;

	if (chain->count == 0)
		return RTLS_NONE;
	if (gnutls_x509_trust_list_init(&trusted, 0) != 0)
		return RTLS_TEMPORARY;
	if (gnutls_x509_trust_list_add_trust_file(
		    trusted, ca_file, NULL, GNUTLS_X509_FMT_PEM, 0, 0) > 0 &&
		gnutls_x509_trust_list_verify_crt2(trusted,
			(gnutls_x509_crt_t *)(void *)(size_t)chain->certificate,
			chain->count, &purpose, 1, 0, &status, NULL) == 0) {
		verdict_of_status(chain, host, status, verdict);
		result = RTLS_OK;
	}
	gnutls_x509_trust_list_deinit(trusted, 1);
	return result;
}
