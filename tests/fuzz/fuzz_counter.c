/* fuzz_counter.c - a line of the file of counters: what is taken has the one form there is, and its name
 * can stand in a metric's label as it is. */
#include <inttypes.h>

#include "fuzz.h"
#include "store/counters.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice input = fuzz_input(data, size);
	char line[RTLS_COUNTER_LINE + 1];
	struct rtls_counter counter;

	if (!rtls_counter_parse(input, &counter))
		return 0;
	for (const char *c = counter.name; *c != '\0'; c++)
		PROPERTY((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ||
			 *c == '-' || *c == '.' || *c == ' ');
	PROPERTY(counter.name[0] != '\0' && counter.name[0] != ' ');
	PROPERTY(snprintf(line, sizeof(line), "1 %-57s%020" PRIu64,
			 counter.name, counter.value) == (int)input.size);
	PROPERTY(memcmp(line, input.data, input.size) == 0);
	return 0;
}
