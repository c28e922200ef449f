/* fuzz_idna.c - domain names as users write them. What comes out is a name in normal form
 * that stays as it is; shown to a user as U-labels it means the same. */
#include <gnutls/gnutls.h>
#include <string.h>

#include "fuzz.h"
#include "store/idna.h"

static bool is_ascii(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] > 126)
			return false;
	return true;
}

static void check_reverse(const char *name)
{
	gnutls_datum_t shown = { NULL, 0 };
	char again[RTLS_DOMAIN_SIZE];

	if (gnutls_idna_reverse_map(name, (unsigned)strlen(name), &shown, 0) <
		0)
		return;
	PROPERTY(rtls_idna_normalize(
			 rtls_slice_n((char *)shown.data, shown.size), again) ==
		 RTLS_OK);
	PROPERTY(strcmp(name, again) == 0);
	gnutls_free(shown.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice input = fuzz_input(data, size);
	char name[RTLS_DOMAIN_SIZE], again[RTLS_DOMAIN_SIZE];
	enum rtls_status status = rtls_idna_normalize(input, name);

	if (is_ascii(input)) {
		PROPERTY(rtls_domain_normalize(input, again) == status);
		PROPERTY(strcmp(name, again) == 0);
	}
	if (status != RTLS_OK) {
		PROPERTY(status == RTLS_INVALID && name[0] == '\0');
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		PROPERTY(data[i] > ' ' && data[i] != 0x7f);
	PROPERTY(rtls_domain_normalize(rtls_slice(name), again) == RTLS_OK);
	PROPERTY(strcmp(name, again) == 0);
	if (!is_ascii(input))
		check_reverse(name);
	return 0;
}
