/* fuzz_media_type.c - a header line of an HTTP answer, whole, and with "Content-Type:" in front. */
#include "fuzz.h"
#include "grammar.h"
#include "resolve/media_type.h"

static void check_line(struct rtls_slice line)
{
	static const char header[] = "^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-"
				     "[Tt][Yy][Pp][Ee](:[^\r;]*)?";
	static regex_t *compiled;
	struct rtls_slice type = { NULL, 0 }, wanted = { NULL, 0 };

	if (!rtls_media_type(line, &type)) {
		PROPERTY(type.data == NULL);
		return;
	}
	PROPERTY(fuzz_inside(line, type));
	if (line.size > GRAMMAR_TEXT_MAX ||
		memchr(line.data, '\0', line.size) != NULL)
		return;
	PROPERTY(grammar_matches(&compiled, header, line, &wanted));
	if (wanted.size > 0)
		wanted = rtls_slice_n(wanted.data + 1, wanted.size - 1);
	PROPERTY(rtls_slice_equal(type, rtls_slice_trim(wanted)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char name[] = "Content-Type:";
	const size_t name_size = sizeof(name) - 1;
	char *line = malloc(name_size + size);

	PROPERTY(line != NULL);
	memcpy(line, name, name_size);
	if (size > 0)
		memcpy(line + name_size, data, size);
	check_line(fuzz_input(data, size));
	check_line(rtls_slice_n(line, name_size + size));
	free(line);
	return 0;
}
