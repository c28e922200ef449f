/* idna.c - U-labels to A-labels by GnuTLS (libidn2 below it). */
#include "store/idna.h"

#include <gnutls/gnutls.h>

/* A name of 253 ASCII characters cannot come from more UTF-8 than this. */
#define UTF8_SIZE_MAX (4 * RTLS_DOMAIN_MAX)

static bool is_ascii(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] > 126)
			return false;
	return true;
}

/* libidn2 takes a terminated string: a NUL would cut the name off unseen. */
static bool has_control(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] <= ' ' || text.data[i] == 127)
			return true;
	return false;
}

enum rtls_status rtls_idna_normalize(struct rtls_slice text, char *out)
{
	gnutls_datum_t mapped = { NULL, 0 };
	enum rtls_status status;
	int result;

	out[0] = '\0';
	/* Not through IDNA: its rules refuse "_", which MX names have. */
	if (is_ascii(text))
		return rtls_domain_normalize(text, out);
	if (text.size > UTF8_SIZE_MAX || has_control(text))
		return RTLS_INVALID;
	/* FORCE_2008: non-transitional UTS 46, and no second try with the
	 * transitional rules, by which two names could become one. */
	result = gnutls_idna_map(text.data, (unsigned)text.size, &mapped,
		GNUTLS_IDNA_FORCE_2008);
	if (result < 0)
		return result == GNUTLS_E_MEMORY_ERROR ? RTLS_NO_MEMORY
						       : RTLS_INVALID;
	status = rtls_domain_normalize(
		rtls_slice_n((const char *)mapped.data, mapped.size), out);
	gnutls_free(mapped.data);
	return status;
}
