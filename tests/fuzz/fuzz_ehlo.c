/* fuzz_ehlo.c - the answer to EHLO. STARTTLS is offered when some line but the first says so,
 * and what a host calls itself cannot make it so. */
#include <string.h>

#include "fuzz.h"
#include "policy/ehlo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char offer[] = "\n250-x\r\n250 STARTTLS\r\n";
	const struct rtls_slice answer = fuzz_input(data, size);
	struct rtls_ehlo ehlo;
	char *longer = malloc(size + sizeof(offer));

	PROPERTY(longer != NULL);
	rtls_ehlo_parse(answer, &ehlo);
	PROPERTY(fuzz_inside(answer, ehlo.name));
	PROPERTY(ehlo.name.size == 0 ||
		 (memchr(ehlo.name.data, ' ', ehlo.name.size) == NULL &&
			 memchr(ehlo.name.data, '\n', ehlo.name.size) == NULL));
	if (ehlo.starttls)
		PROPERTY(memmem(data, size, "STARTTLS", 8) != NULL &&
			 memchr(data, '\n', size) != NULL);
	if (ehlo.requiretls)
		PROPERTY(memchr(data, '\n', size) != NULL && size >= 15);
	if (size > 0)
		memcpy(longer, data, size);
	memcpy(longer + size, offer, sizeof(offer));
	rtls_ehlo_parse(rtls_slice_n(longer, size + strlen(offer)), &ehlo);
	PROPERTY(ehlo.starttls);
	free(longer);
	return 0;
}
