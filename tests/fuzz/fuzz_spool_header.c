/* fuzz_spool_header.c - the -H file of Exim's spool. A file that was cut off is flagged; and
 * what a stranger got into a variable says nothing about the message. */
#include <string.h>

#include "fuzz.h"
#include "policy/spool_header.h"
#include "policy/text.h"

#define HEADER_SIZE 65536

static bool has_end(struct rtls_slice header)
{
	const char *text = header.data;
	size_t size = header.size;

	return size > 0 &&
	       (text[0] == '\n' || (size > 1 && memcmp(text, "\r\n", 2) == 0) ||
		       memmem(text, size, "\n\n", 2) != NULL ||
		       memmem(text, size, "\n\r\n", 3) != NULL);
}

/* The input as the value of a variable, Exim's own line behind it. */
static void check_hidden(struct rtls_slice value, const char *flags, bool yes)
{
	static char buffer[HEADER_SIZE];
	struct rtls_text header;

	rtls_text_init(&header, buffer, sizeof(buffer));
	rtls_text_printf(&header, "1-H\nroot 0 0\n-aclm _x %zu\n", value.size);
	rtls_text_add(&header, value);
	rtls_text_printf(&header, "\n-local_scan %s\n\nbob@x.example\n", flags);
	if (!header.overflow)
		PROPERTY(rtls_spool_header_flagged(
				 rtls_text_slice(&header), false) == yes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice header = fuzz_input(data, size);
	bool flagged = rtls_spool_header_flagged(header, false);
	bool patched = rtls_spool_header_flagged(header, true);

	PROPERTY(has_end(header) || (flagged && patched));
	/* A patched Exim takes care of some, of none besides. */
	PROPERTY(flagged || !patched);
	check_hidden(header, "requiretls=no dnssec=no", false);
	check_hidden(header, "requiretls=yes by=tag dnssec=no", true);
	return 0;
}
