/* leaf.c - see leaf.h. */
#include "tls/leaf.h"

#include <stdio.h>

#include "policy/domain.h"

#define SAN_COUNT_MAX 512
#define SAN_SHOWN     150

/* One name after the other; index starts at 0. */
static bool next_name(gnutls_x509_crt_t leaf, unsigned *index,
	char buffer[RTLS_DOMAIN_SIZE], struct rtls_slice *name)
{
	while (*index < SAN_COUNT_MAX) {
		size_t size = RTLS_DOMAIN_SIZE;
		int type = gnutls_x509_crt_get_subject_alt_name(
			leaf, (*index)++, buffer, &size, NULL);

		*name = rtls_slice_n(buffer, size);
		if (type == GNUTLS_SAN_DNSNAME)
			return true;
		/* What is left is also a name longer than any host's. */
		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return false;
	}
	return false;
}

void rtls_leaf_list_names(gnutls_x509_crt_t leaf, struct rtls_text *out)
{
	char buffer[RTLS_DOMAIN_SIZE];
	struct rtls_slice name;
	unsigned index = 0;

	while (!out->overflow && next_name(leaf, &index, buffer, &name)) {
		rtls_text_printf(out, "%s", out->size > 0 ? " " : "");
		rtls_text_quote(out, name);
	}
}

enum rtls_status rtls_leaf_names_host(gnutls_x509_crt_t leaf, const char *host,
	struct rtls_certificate_verdict *verdict)
{
	char buffer[RTLS_DOMAIN_SIZE], shown[SAN_SHOWN];
	struct rtls_slice name;
	struct rtls_text names;
	unsigned index = 0;

	while (next_name(leaf, &index, buffer, &name))
		if (rtls_domain_matches(name, rtls_slice(host)))
			return RTLS_OK;
	rtls_text_init(&names, shown, sizeof(shown));
	rtls_leaf_list_names(leaf, &names);
	verdict->result = RTLS_RESULT_CERTIFICATE_HOST_MISMATCH;
	if (names.size > 0)
		snprintf(verdict->text, sizeof(verdict->text),
			"is for %s, not for %.80s", shown, host);
	else
		snprintf(verdict->text, sizeof(verdict->text),
			"has no DNS name");
	return RTLS_NONE;
}
