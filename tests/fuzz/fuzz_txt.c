/* fuzz_txt.c - TXT records as dig prints them. */
#include <string.h>

#include "fuzz.h"
#include "policy/text.h"
#include "policy/txt.h"

/* What we write as quoted strings, cut anywhere, joins to the same. */
static void check_written(struct rtls_slice joined, size_t cut)
{
	size_t cap = 4 * joined.size + 8;
	char *written = malloc(cap), *buffer = malloc(joined.size);
	struct rtls_slice again;
	struct rtls_text out;

	PROPERTY(written != NULL && (buffer != NULL || joined.size == 0));
	rtls_text_init(&out, written, cap);
	rtls_text_printf(&out, "\"");
	for (size_t i = 0; i < joined.size; i++)
		rtls_text_printf(&out, "%s\\%03u", i == cut ? "\" \"" : "",
			(unsigned)(unsigned char)joined.data[i]);
	rtls_text_printf(&out, "\"");
	PROPERTY(!out.overflow);
	PROPERTY(rtls_txt_join(rtls_text_slice(&out), buffer, joined.size,
			 &again, NULL) == RTLS_OK);
	PROPERTY(rtls_slice_equal(again, joined));
	free(buffer);
	free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_slice line = fuzz_input(data, size), joined;
	char *buffer = malloc(size);
	struct rtls_err err = { "" };
	enum rtls_status status;

	PROPERTY(buffer != NULL || size == 0);
	/* Joining never makes it longer. */
	status = rtls_txt_join(line, buffer, size, &joined, &err);
	PROPERTY((status == RTLS_INVALID) == (err.text[0] != '\0'));
	PROPERTY(strcmp(err.text, "the TXT record is too long") != 0);
	if (status == RTLS_OK) {
		PROPERTY(fuzz_inside(line, joined) ||
			 fuzz_inside(rtls_slice_n(buffer, size), joined));
		check_written(joined, joined.size / 2);
	} else {
		PROPERTY(status == RTLS_INVALID);
	}
	free(buffer);
	return 0;
}
