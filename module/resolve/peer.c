/* peer.c - judge the certificate of an HTTPS server. */
#include "peer.h"

#include <gnutls/x509.h>
#include <stdlib.h>
#include <time.h>

#include "ca_bundle.h"
#include "policy/domain.h"
#include "policy/text.h"
#include "policy/timestamp.h"
#include "system_file.h"

#define BUNDLE_SIZE_MAX (4 * 1024 * 1024)
#define SAN_MAX         512 /* names of one certificate looked at */
#define DATES           (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)

/* --- trust ------------------------------------------------------------------ */

static enum rtls_status trust_cas(
	gnutls_session_t session, struct rtls_slice pem, struct rtls_err *err)
{
	gnutls_certificate_credentials_t credentials;
	enum rtls_status status = RTLS_OK;
	const gnutls_datum_t *chain;
	struct rtls_cas cas;
	unsigned size = 0;

	chain = gnutls_certificate_get_peers(session, &size);
	if (chain == NULL || size == 0) {
		rtls_err_set(err, "the server showed no certificate");
		return RTLS_INVALID;
	}
	if (gnutls_credentials_get(session, GNUTLS_CRD_CERTIFICATE,
		    (void **)&credentials) != 0) {
		rtls_err_set(err, "the TLS session has no credentials");
		return RTLS_TEMPORARY;
	}
	rtls_cas_select(pem, chain, size, &cas);
	/* It copies them. */
	if (cas.count > 0 && gnutls_certificate_set_x509_trust(
				     credentials, cas.ca, (int)cas.count) < 0) {
		rtls_err_set(err, "out of memory");
		status = RTLS_TEMPORARY;
	}
	rtls_cas_free(&cas);
	return status;
}

static enum rtls_status trust_bundle(
	gnutls_session_t session, const char *ca_file, struct rtls_err *err)
{
	char *buffer = malloc(BUNDLE_SIZE_MAX + 1);
	enum rtls_status status;
	struct rtls_slice pem;

	if (buffer == NULL) {
		rtls_err_set(err, "out of memory");
		return RTLS_TEMPORARY;
	}
	status = rtls_system_file_read(
		ca_file, buffer, BUNDLE_SIZE_MAX, &pem, err);
	if (status == RTLS_OK)
		status = trust_cas(session, pem, err);
	else
		status = RTLS_TEMPORARY;
	free(buffer);
	return status;
}

/* --- the reason ------------------------------------------------------------- */

static const struct {
	unsigned bit;
	const char *text;
} reasons[] = {
	{ GNUTLS_CERT_REVOKED, "certificate revoked" },
	{ GNUTLS_CERT_SIGNER_NOT_FOUND,
		"certificate not signed by a trusted CA" },
	{ GNUTLS_CERT_SIGNER_NOT_CA, "certificate signed by what is no CA" },
	{ GNUTLS_CERT_INSECURE_ALGORITHM,
		"certificate signed with an insecure algorithm" },
	{ GNUTLS_CERT_SIGNATURE_FAILURE, "certificate signature wrong" },
	{ GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE,
		"certificate outside its CA's constraints" },
	{ GNUTLS_CERT_PURPOSE_MISMATCH, "certificate not made for a server" },
	{ GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS,
		"certificate with an unknown critical extension" },
};

static void explain_dates(gnutls_x509_crt_t leaf, struct rtls_err *err)
{
	char date[RTLS_DATE_SIZE];
	time_t until = gnutls_x509_crt_get_expiration_time(leaf);
	time_t from = gnutls_x509_crt_get_activation_time(leaf);
	time_t now = time(NULL);

	if (until < now)
		rtls_err_set(err, "certificate expired %s",
			rtls_date_format(date, until));
	else if (from > now)
		rtls_err_set(err, "certificate not valid before %s",
			rtls_date_format(date, from));
	else
		rtls_err_set(err, "a CA certificate expired or not yet valid");
}

static void explain(gnutls_x509_crt_t leaf, unsigned bits, struct rtls_err *err)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		if (!(bits & reasons[i].bit))
			continue;
		if (reasons[i].bit == GNUTLS_CERT_SIGNER_NOT_FOUND &&
			gnutls_x509_crt_check_issuer(leaf, leaf))
			rtls_err_set(err, "certificate self-signed");
		else
			rtls_err_set(err, "%s", reasons[i].text);
		return;
	}
	if (bits & DATES)
		explain_dates(leaf, err);
	else
		rtls_err_set(err, "certificate not trusted");
}

/* --- the name --------------------------------------------------------------- */

static enum rtls_status check_name(
	gnutls_x509_crt_t leaf, const char *host, struct rtls_err *err)
{
	char san[RTLS_DOMAIN_SIZE], seen[RTLS_DOMAIN_SIZE] = "";
	struct rtls_quoted quoted;

	for (unsigned i = 0; i < SAN_MAX; i++) {
		size_t size = sizeof(san);
		int type = gnutls_x509_crt_get_subject_alt_name(
			leaf, i, san, &size, NULL);

		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		/* Other kinds of names, and one too long to be any host's. */
		if (type != GNUTLS_SAN_DNSNAME)
			continue;
		if (rtls_domain_matches(
			    rtls_slice_n(san, size), rtls_slice(host)))
			return RTLS_OK;
		if (seen[0] == '\0')
			rtls_slice_copy(
				rtls_slice_n(san, size), seen, sizeof(seen));
	}
	if (seen[0] == '\0')
		rtls_err_set(err, "certificate has no DNS name");
	else
		rtls_err_set(err, "certificate is for %s",
			rtls_quoted(&quoted, rtls_slice(seen)));
	return RTLS_INVALID;
}

static enum rtls_status judge(gnutls_session_t session, gnutls_x509_crt_t leaf,
	const char *host, struct rtls_err *err)
{
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(size_t)GNUTLS_KP_TLS_WWW_SERVER };
	unsigned bits = 0;
	int bad;

	bad = gnutls_certificate_verify_peers(session, &purpose, 1, &bits);
	if (bad != 0) {
		rtls_err_set(err, "certificate not verified: %s",
			gnutls_strerror(bad));
		return RTLS_INVALID;
	}
	if (bits != 0) {
		explain(leaf, bits, err);
		return RTLS_INVALID;
	}
	return check_name(leaf, host, err);
}

enum rtls_status rtls_peer_verify(gnutls_session_t session, const char *host,
	const char *ca_file, struct rtls_err *err)
{
	enum rtls_status status = trust_bundle(session, ca_file, err);
	const gnutls_datum_t *chain;
	gnutls_x509_crt_t leaf;
	unsigned size = 0;

	if (status != RTLS_OK)
		return status;
	chain = gnutls_certificate_get_peers(session, &size);
	if (chain == NULL || gnutls_x509_crt_init(&leaf) != 0) {
		rtls_err_set(err, "out of memory");
		return RTLS_TEMPORARY;
	}
	if (gnutls_x509_crt_import(leaf, chain, GNUTLS_X509_FMT_DER) == 0) {
		status = judge(session, leaf, host, err);
	} else {
		rtls_err_set(err, "certificate unreadable");
		status = RTLS_INVALID;
	}
	gnutls_x509_crt_deinit(leaf);
	return status;
}
