/* words.c - see words.h. */
#include "report/words.h"

static const struct {
	const char *result;
	const char *advice;
} words[RTLS_RESULT_COUNT] = {
	[RTLS_RESULT_SUCCESS] = { "success", "" },
	[RTLS_RESULT_STARTTLS_NOT_SUPPORTED] = { "the host did not offer STARTTLS",
		"check that the MX host offers STARTTLS to everybody, and look for "
		"firewalls or mail inspection on the way that take it out" },
	[RTLS_RESULT_CERTIFICATE_HOST_MISMATCH] = { "the certificate is for another name",
		"the certificate of the MX host must have the name that is in the "
		"MX record as a subject alternative name" },
	[RTLS_RESULT_CERTIFICATE_EXPIRED] = { "the certificate expired",
		"renew the certificate of the MX host, and see that the mail server "
		"loads the new one" },
	[RTLS_RESULT_CERTIFICATE_NOT_TRUSTED] = { "the certificate is not trusted",
		"use a certificate of a public CA, and send the intermediate "
		"certificates along" },
	[RTLS_RESULT_VALIDATION_FAILURE] = { "TLS failed or the policy was not met",
		"see the reason; try the host with openssl s_client -starttls smtp, "
		"and look at its log for that time" },
	[RTLS_RESULT_TLSA_INVALID] = { "no TLSA record was usable",
		"the TLSA records do not match the certificate: publish the new "
		"record before the certificate changes, and take the old one away "
		"after" },
	[RTLS_RESULT_DNSSEC_INVALID] = { "DNSSEC validation failed",
		"check the signatures and the DS record of the zone of the MX host, "
		"and of the domain" },
	[RTLS_RESULT_DANE_REQUIRED] = { "DANE was required, but there was no TLSA record",
		"the sender insists on DANE here: publish signed TLSA records for "
		"each MX host, or ask them to lift that" },
	[RTLS_RESULT_STS_POLICY_FETCH_ERROR] = { "the MTA-STS policy could not be fetched",
		"see that https://mta-sts.DOMAIN/.well-known/mta-sts.txt answers from "
		"everywhere, with status 200 and no redirection" },
	[RTLS_RESULT_STS_POLICY_INVALID] = { "the MTA-STS policy is malformed",
		"check the policy file with exim-requiretls parse sts-policy" },
	[RTLS_RESULT_STS_WEBPKI_INVALID] = { "the certificate of the MTA-STS policy host is bad",
		"renew the certificate of the web server for mta-sts.DOMAIN, or put "
		"that name into it" },
};

/* RFC 8460 has no result type for these. Ours, mox's, and those that are spelled alike. */
static const struct {
	const char *code;
	const char *words;
} reasons[] = {
	{ "sts-mx-mismatch", "the MX host is not in the MTA-STS policy: add it "
			     "there and publish a new id" },
	{ "mtasts-policy-mx-mismatch",
		"the MX host is not in the MTA-STS policy: add it there and "
		"publish a new id" },
	{ "STARTTLS is not offered",
		"the MX host did not offer STARTTLS: look for firewalls or mail "
		"inspection on the way that take it out" },
	{ "TLS handshake failed",
		"STARTTLS was offered, then no TLS came about: compare the "
		"protocol versions and ciphers of the MX host with today's" },
	{ "DANE validation failed",
		"the certificate matches none of the TLSA records: publish the new "
		"record before the certificate changes" },
	{ "no usable TLSA record",
		"none of the TLSA records has numbers that count for mail: use 3 1 1 "
		"or 2 1 1" },
};

#define REASON_COUNT (sizeof(reasons) / sizeof(reasons[0]))

const char *rtls_words_result(enum rtls_result result)
{
	return words[result].result;
}

const char *rtls_words_advice(enum rtls_result result)
{
	return words[result].advice;
}

const char *rtls_words_reason(struct rtls_slice reason)
{
	for (size_t i = 0; i < REASON_COUNT; i++)
		if (rtls_slice_is_nocase(reason, reasons[i].code))
			return reasons[i].words;
	return NULL;
}
