/* fuzz_flags.c - $local_scan_data, the TLS-Required header and the tag. What
 * was read is written and read again the same; a stripped address is shorter
 * by the tag and keeps its domain. */
#include <string.h>

#include "fuzz.h"
#include "policy/flags.h"

static void check_flags(struct rtls_slice input)
{
	char buffer[128];
	struct rtls_text text;
	struct rtls_flags flags;
	struct rtls_flags again;

	if (rtls_flags_parse(input, &flags) != RTLS_OK)
		return;
	rtls_text_init(&text, buffer, sizeof(buffer));
	rtls_flags_format(&flags, &text);
	PROPERTY(!text.overflow);
	PROPERTY(rtls_flags_parse(rtls_text_slice(&text), &again) == RTLS_OK);
	PROPERTY(memcmp(&flags, &again, sizeof(flags)) == 0);
}

static void check_header(struct rtls_slice input)
{
	if (rtls_tls_required_is_no(input))
		PROPERTY(memchr(input.data, 'o', input.size) != NULL ||
			 memchr(input.data, 'O', input.size) != NULL);
}

static void check_tag(struct rtls_slice input)
{
	const struct rtls_slice tag = rtls_slice("+requiretls");
	char *out = malloc(input.size + 1);
	size_t length;

	PROPERTY(out != NULL);
	if (rtls_tag_strip(input, tag, out, input.size + 1)) {
		length = strlen(out);
		PROPERTY(length + tag.size == input.size ||
			 length + tag.size + 1 == input.size);
		PROPERTY(strchr(out, '@') != NULL && out[0] != '@');
		PROPERTY(memchr(input.data, '@', input.size) != NULL);
		PROPERTY(out[length - 1] == input.data[input.size - 1]);
		PROPERTY(!rtls_tag_strip(input, tag, out, length));
	}
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice input = fuzz_input(data, size);

	check_flags(input);
	check_header(input);
	check_tag(input);
	return 0;
}
