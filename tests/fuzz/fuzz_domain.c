/* fuzz_domain.c - domain names and their match: the input is two names
 * with LF between, each the pattern and the host in turn. */
#include <string.h>

#include "fuzz.h"
#include "policy/domain.h"

static size_t count_labels(struct rtls_slice name)
{
	size_t count = 0;

	if (name.size > 0 && name.data[name.size - 1] == '.')
		name.size--;
	while (name.size > 0) {
		rtls_slice_take(&name, '.');
		count++;
	}
	return count;
}

static void check_name(struct rtls_slice text)
{
	char normal[RTLS_DOMAIN_SIZE], again[RTLS_DOMAIN_SIZE];

	PROPERTY(!rtls_domain_is_ldh(text) || !rtls_domain_is_literal(text));
	if (rtls_domain_normalize(text, normal) != RTLS_OK) {
		PROPERTY(normal[0] == '\0');
		PROPERTY(!rtls_domain_is_ldh(text));
		return;
	}
	PROPERTY(!rtls_domain_is_literal(text));
	/* Safe as a file name, an argument and in a list of Exim's. */
	PROPERTY(normal[0] != '\0' && normal[0] != '.' && normal[0] != '-');
	PROPERTY(strspn(normal, "abcdefghijklmnopqrstuvwxyz0123456789-_.") ==
		 strlen(normal));
	PROPERTY(strstr(normal, "..") == NULL);
	PROPERTY(rtls_domain_normalize(rtls_slice(normal), again) == RTLS_OK);
	PROPERTY(strcmp(normal, again) == 0);
	PROPERTY(rtls_domain_matches(rtls_slice(normal), text));
}

static void check_match(struct rtls_slice pattern, struct rtls_slice host)
{
	char normal[RTLS_DOMAIN_SIZE];

	if (!rtls_domain_matches(pattern, host))
		return;
	PROPERTY(count_labels(pattern) == count_labels(host));
	PROPERTY(rtls_domain_normalize(host, normal) == RTLS_OK);
	PROPERTY(rtls_domain_matches(pattern, rtls_slice(normal)));
	if (rtls_slice_starts(pattern, "*.")) {
		const char *dot = strchr(normal, '.');

		PROPERTY(dot != NULL && dot != normal);
		pattern = rtls_slice_n(pattern.data + 1, pattern.size - 1);
		PROPERTY(rtls_slice_is_nocase(pattern, dot));
	} else {
		PROPERTY(rtls_slice_is_nocase(pattern, normal));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_slice second = fuzz_input(data, size);
	struct rtls_slice first = rtls_slice_take(&second, '\n');

	check_name(first);
	check_name(second);
	check_match(first, second);
	check_match(second, first);
	check_match(first, first);
	return 0;
}
