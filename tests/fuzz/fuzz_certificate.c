/* fuzz_certificate.c - what a server shows: one certificate in DER when the input begins like one;
 * else its lines are certificates in base64, as Exim hands them over. */
#include <string.h>

#include "fuzz.h"
#include "tls/certificate.h"
#include "tls/chain.h"
#include "tls/dane.h"

#define SEQUENCE 0x30

static void check_verdict(const struct rtls_chain *chain)
{
	struct rtls_certificate_verdict verdict = { .text = "" };

	if (rtls_chain_names_host(chain, "mx.bank.example", &verdict) ==
		RTLS_OK)
		return;
	PROPERTY(verdict.text[0] != '\0');
	PROPERTY(verdict.result == RTLS_RESULT_CERTIFICATE_HOST_MISMATCH ||
		 verdict.result == RTLS_RESULT_VALIDATION_FAILURE);
	for (const char *at = verdict.text; *at != '\0'; at++)
		PROPERTY(*at >= ' ' && *at <= '~');
}

static void check_printable(const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		PROPERTY(*at >= ' ' && *at <= '~');
}

/* What is shown to people, and the judgement by a record that is about no certificate. */
static void check_description(const struct rtls_chain *chain)
{
	const struct rtls_slice record = rtls_slice("2 1 1 00");
	struct rtls_certificate_verdict verdict;
	struct rtls_certificate certificate;

	rtls_dane_judge(chain, &record, 1, "mx.bank.example", &verdict);
	PROPERTY(verdict.result != RTLS_RESULT_SUCCESS);
	check_printable(verdict.text);
	if (rtls_certificate_describe(chain, &certificate) != RTLS_OK)
		return;
	PROPERTY(certificate.chain_count == chain->count);
	check_printable(certificate.names);
	check_printable(certificate.issuer);
}

static void check_base64(struct rtls_slice input)
{
	struct rtls_chain chain = { .count = 0 };
	struct rtls_slice line;

	while (rtls_slice_line(&input, &line)) {
		unsigned before = chain.count;
		enum rtls_status status = rtls_chain_prepend(&chain, line);

		PROPERTY(status == RTLS_OK || status == RTLS_INVALID);
		PROPERTY(status == RTLS_OK || chain.count == before);
		PROPERTY(chain.count <= RTLS_CHAIN_MAX);
	}
	check_verdict(&chain);
	check_description(&chain);
	rtls_chain_clear(&chain);
	PROPERTY(chain.count == 0);
}

static void check_der(const uint8_t *data, size_t size)
{
	const gnutls_datum_t der = { (unsigned char *)(uintptr_t)data,
		(unsigned)size };
	struct rtls_chain chain = { .count = 0 };

	PROPERTY(rtls_chain_append(&chain, &der) == RTLS_OK);
	check_verdict(&chain);
	check_description(&chain);
	rtls_chain_clear(&chain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] == SEQUENCE)
		check_der(data, size);
	else
		check_base64(fuzz_input(data, size));
	return 0;
}
