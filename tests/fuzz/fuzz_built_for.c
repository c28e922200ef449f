/* fuzz_built_for.c - any bytes as a module: what is found in them stands in them, and is fit to
 * be printed; and a module in front of which they stand is still found, or they contradict it. */
#include <string.h>

#include "fuzz.h"
#include "policy/built_for.h"

static void check_found(struct rtls_slice file, const char *release)
{
	char mark[sizeof(RTLS_BUILT_FOR_MARK) + RTLS_BUILT_FOR_SIZE + 1];
	size_t size = (size_t)snprintf(
		mark, sizeof(mark), RTLS_BUILT_FOR_MARK "%s\n", release);

	PROPERTY(release[0] != '\0' && size < sizeof(mark));
	PROPERTY(memmem(file.data, file.size, mark, size) != NULL);
	for (const char *c = release; *c != '\0'; c++)
		PROPERTY(*c > ' ' && *c <= '~' && *c != '%');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char module[] = "\1" RTLS_BUILT_FOR_MARK "4.96\n";
	const struct rtls_slice file = fuzz_input(data, size);
	char release[RTLS_BUILT_FOR_SIZE] = "", again[RTLS_BUILT_FOR_SIZE];
	const enum rtls_status status = rtls_built_for_find(file, release);
	char *longer = malloc(size + sizeof(module));
	struct rtls_slice both;

	PROPERTY(longer != NULL);
	if (status == RTLS_OK)
		check_found(file, release);
	if (size > 0)
		memcpy(longer, data, size);
	memcpy(longer + size, module, sizeof(module));
	both = rtls_slice_n(longer, size + strlen(module));
	if (status == RTLS_NONE || strcmp(release, "4.96") == 0) {
		PROPERTY(rtls_built_for_find(both, again) == RTLS_OK);
		PROPERTY(strcmp(again, "4.96") == 0);
	} else {
		PROPERTY(rtls_built_for_find(both, again) == RTLS_INVALID);
	}
	free(longer);
	return 0;
}
