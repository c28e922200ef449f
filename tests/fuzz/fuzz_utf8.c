/* fuzz_utf8.c - what may stand in a report, against jansson's idea of UTF-8 and
 * the bytes of what I-JSON leaves out. */
#include <jansson.h>

#include "fuzz.h"
#include "policy/utf8.h"

/* Of well-formed UTF-8: controls and noncharacters, by their bytes. */
static bool has_unclean(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const uint8_t *at = data + i;
		size_t left = size - i;

		if (at[0] < 0x20 || at[0] == 0x7f)
			return true;
		if (left >= 2 && at[0] == 0xc2 && at[1] < 0xa0)
			return true;
		if (left >= 3 && at[0] == 0xef && at[1] == 0xb7 &&
			at[2] >= 0x90 && at[2] <= 0xaf)
			return true; /* U+FDD0 to U+FDEF */
		if (left >= 3 && at[0] == 0xef && at[1] == 0xbf &&
			at[2] >= 0xbe)
			return true; /* U+FFFE, U+FFFF */
		if (left >= 4 && at[0] >= 0xf0 && (at[1] & 0x0f) == 0x0f &&
			at[2] == 0xbf && at[3] >= 0xbe)
			return true; /* the last two of another plane */
	}
	return false;
}

/* A cleaned text is clean, and one that was is the same; cut anywhere it is still clean. */
static void check_clean(struct rtls_slice input, bool was_clean)
{
	char out[256];

	for (size_t size = sizeof(out); size > 0; size /= 2) {
		rtls_utf8_clean(input, out, size);
		PROPERTY(strlen(out) < size);
		PROPERTY(rtls_utf8_is_clean(rtls_slice(out)));
		if (size == sizeof(out) && 3 * input.size < size && was_clean)
			PROPERTY(rtls_slice_is(input, out));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice input = fuzz_input(data, size);
	json_t *json = json_stringn(size == 0 ? "" : input.data, size);
	bool clean = rtls_utf8_is_clean(input), ascii = true;

	PROPERTY(clean == (json != NULL && !has_unclean(data, size)));
	for (size_t i = 0; i < size; i++)
		ascii = ascii && data[i] >= 0x20 && data[i] < 0x7f;
	PROPERTY(rtls_utf8_is_ascii(input) == ascii);
	PROPERTY(!ascii || clean);
	check_clean(input, clean);
	json_decref(json);
	return 0;
}
