/* fuzz_exim_block.c - any text as what Exim prints of its routers: blocks lie in it one behind
 * the other, and one that stands behind them is found. */
#include <string.h>

#include "fuzz.h"
#include "policy/exim_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char tail[] = "\nzz router:\ndriver = x\nno_more\n";
	const struct rtls_slice text = fuzz_input(data, size);
	struct rtls_slice rest = text;
	struct rtls_exim_block block, found;
	const char *end = text.data;
	char *longer = malloc(size + sizeof(tail));

	PROPERTY(longer != NULL);
	while (rtls_exim_block_next(&rest, "router", &block)) {
		PROPERTY(fuzz_inside(text, block.name) && block.name.size > 0);
		PROPERTY(fuzz_inside(text, block.body));
		PROPERTY(block.name.data >= end);
		end = block.body.data + block.body.size;
		PROPERTY(fuzz_inside(
			text, rtls_exim_block_option(&block, "driver")));
		PROPERTY(rtls_exim_block_find(
			text, "router", block.name, &found));
	}
	if (size > 0)
		memcpy(longer, data, size);
	memcpy(longer + size, tail, sizeof(tail));
	rest = rtls_slice_n(longer, size + strlen(tail));
	PROPERTY(
		rtls_exim_block_find(rest, "router", rtls_slice("zz"), &found));
	while (rtls_exim_block_next(&rest, "router", &block))
		found = block;
	PROPERTY(rtls_slice_is(found.name, "zz"));
	PROPERTY(rtls_slice_is(rtls_exim_block_option(&found, "driver"), "x"));
	PROPERTY(rtls_exim_block_has(&found, "no_more"));
	free(longer);
	return 0;
}
