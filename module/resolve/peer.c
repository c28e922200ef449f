/* peer.c - judge the certificate of an HTTPS server. */
#include "peer.h"

#include "tls/chain.h"

static enum rtls_status chain_read(
	gnutls_session_t session, struct rtls_chain *chain)
{
	unsigned size = 0;
	const gnutls_datum_t *peers =
		gnutls_certificate_get_peers(session, &size);

	for (unsigned i = 0; peers != NULL && i < size; i++)
		if (rtls_chain_append(chain, &peers[i]) != RTLS_OK)
			return RTLS_TEMPORARY;
	return RTLS_OK;
}

enum rtls_status rtls_peer_verify(gnutls_session_t session, const char *host,
	const char *ca_file, struct rtls_err *err)
{
	struct rtls_certificate_verdict verdict = { .text = "not judged: out "
							    "of memory" };
	struct rtls_chain chain = { 0 };
	enum rtls_status status = chain_read(session, &chain);

	if (status == RTLS_OK)
		status = rtls_chain_judge(&chain, host, ca_file, &verdict);
	if (status == RTLS_OK || status == RTLS_TEMPORARY)
		rtls_err_set(err, "certificate %s", verdict.text);
	else
		rtls_err_set(err, "the server showed no certificate that can "
				  "be read");
	if (status == RTLS_NONE ||
		(status == RTLS_OK && verdict.result != RTLS_RESULT_SUCCESS))
		status = RTLS_INVALID;
	rtls_chain_clear(&chain);
	return status;
}
