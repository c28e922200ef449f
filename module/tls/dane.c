/* dane.c - see dane.h. */
#include "tls/dane.h"

#include <stdio.h>
#include <string.h>

#include "tls/tlsa.h"

#define USAGE_DANE_TA 2
#define NO_REASON     "DANE validation failed"

static void certificates_free(gnutls_x509_crt_t *crt, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(crt[i]);
}

/* The first so many of the chain; how many could be read. */
static unsigned certificates_read(const struct rtls_chain *chain,
	unsigned count, gnutls_x509_crt_t crt[RTLS_CHAIN_MAX])
{
	unsigned read = 0;

	while (read < count && gnutls_x509_crt_init(&crt[read]) == 0) {
		if (gnutls_x509_crt_import(crt[read], &chain->der[read],
			    GNUTLS_X509_FMT_DER) != 0) {
			gnutls_x509_crt_deinit(crt[read]);
			break;
		}
		read++;
	}
	return read;
}

/* Does the chain lead to that certificate of it? */
static bool leads_to(gnutls_x509_crt_t *crt, unsigned anchor)
{
	gnutls_x509_trust_list_t trusted;
	unsigned bits = GNUTLS_CERT_INVALID;
	bool does = false;

	if (gnutls_x509_trust_list_init(&trusted, 0) != 0)
		return false;
	if (gnutls_x509_trust_list_add_cas(trusted, &crt[anchor], 1, 0) == 1 &&
		gnutls_x509_trust_list_verify_crt(trusted, crt,
			anchor == 0 ? 1 : anchor, 0, &bits, NULL) == 0)
		does = bits == 0;
	gnutls_x509_trust_list_deinit(trusted, 0);
	return does;
}

static bool is_anchored(const struct rtls_chain *chain, unsigned anchor)
{
	gnutls_x509_crt_t crt[RTLS_CHAIN_MAX];
	unsigned read = certificates_read(chain, anchor + 1, crt);
	bool does = read == anchor + 1 && leads_to(crt, anchor);

	certificates_free(crt, read);
	return does;
}

/* The anchor the record is about; the number of certificates when there is none. */
static unsigned find_anchor(
	const struct rtls_chain *chain, struct rtls_slice record)
{
	unsigned index = 0;

	while (index < chain->count &&
		!rtls_tlsa_is_about(chain, index, USAGE_DANE_TA, record))
		index++;
	return index;
}

static void set(struct rtls_certificate_verdict *verdict,
	enum rtls_result result, const char *text)
{
	verdict->result = result;
	(void)snprintf(verdict->text, sizeof(verdict->text), "%s", text);
}

/* A host has to send its anchor along (RFC 7672 section 3.1.2). Of a record with all of it other
 * senders may take it; Exim with GnuTLS does not, and we say what Exim does. */
static void set_not_sent(
	struct rtls_slice record, struct rtls_certificate_verdict *verdict)
{
	struct rtls_slice usage = rtls_slice_take(&record, ' ');

	if (!rtls_slice_is(usage, "2"))
		return;
	(void)rtls_slice_take(&record, ' ');
	set(verdict, RTLS_RESULT_VALIDATION_FAILURE,
		rtls_slice_starts(record, "0 ")
			? "the certificate of its DANE-TA record is not sent "
			  "along; Exim does not take it from the record"
			: "the certificate of its DANE-TA record is not sent "
			  "along");
}

/* What a record says of the chain is worse than that it is about another one. */
static bool judge_record(const struct rtls_chain *chain,
	struct rtls_slice record, const char *host,
	struct rtls_certificate_verdict *verdict)
{
	unsigned anchor;

	if (rtls_tlsa_is_leaf(chain, record)) {
		set(verdict, RTLS_RESULT_SUCCESS, "good");
		return true;
	}
	anchor = find_anchor(chain, record);
	if (anchor == chain->count) {
		if (strcmp(verdict->text, NO_REASON) == 0)
			set_not_sent(record, verdict);
		return false;
	}
	if (!is_anchored(chain, anchor)) {
		set(verdict, RTLS_RESULT_VALIDATION_FAILURE,
			"does not lead to the certificate of its DANE-TA "
			"record, or is out of its dates");
		return false;
	}
	/* By its CN too, other than in chain.h; the latter says why not. */
	if (!rtls_tlsa_names_host(chain, host) &&
		rtls_chain_names_host(chain, host, verdict) != RTLS_OK)
		return false;
	set(verdict, RTLS_RESULT_SUCCESS, "good");
	return true;
}

void rtls_dane_judge(const struct rtls_chain *chain,
	const struct rtls_slice *records, size_t count, const char *host,
	struct rtls_certificate_verdict *verdict)
{
	set(verdict, RTLS_RESULT_VALIDATION_FAILURE, NO_REASON);
	for (size_t i = 0; i < count; i++)
		if (judge_record(chain, records[i], host, verdict))
			return;
}
