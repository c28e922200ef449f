/* fuzz_config.c - requiretls.conf. What `exim-requiretls config` prints of it
 * gives the same configuration back. */
#include <string.h>

#include "fuzz.h"
#include "policy/config.h"

#define PRINTED_SIZE 16384

static void print_config(const struct rtls_config *config, char *out)
{
	char buffer[RTLS_CONFIG_VALUE_MAX];
	struct rtls_text value;
	struct rtls_text all;
	const char *name;
	const char *help;

	rtls_text_init(&all, out, PRINTED_SIZE);
	rtls_text_init(&value, buffer, sizeof(buffer));
	for (size_t i = 0; rtls_config_key(config, i, &name, &value, &help);
		i++) {
		PROPERTY(!value.overflow);
		rtls_text_printf(&all, "%s = %s\n", name, buffer);
		rtls_text_init(&value, buffer, sizeof(buffer));
	}
	PROPERTY(!all.overflow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char printed[PRINTED_SIZE];
	static char again[PRINTED_SIZE];
	const struct rtls_slice input = fuzz_input(data, size);
	struct rtls_config config;
	struct rtls_err err;

	if (rtls_config_parse(input, &config, &err) != RTLS_OK) {
		PROPERTY(strncmp(err.text, "line ", 5) == 0);
		return 0;
	}
	PROPERTY(config.spool[0] == '/' && config.program[0] == '/');
	PROPERTY(config.rules[0] == '/' || config.rules[0] == '\0');
	PROPERTY(config.resolver_count <= RTLS_RESOLVERS_MAX);
	PROPERTY(config.dns_timeout_ms > 0);
	PROPERTY(!config.tlsrpt || (config.contact[0] && config.from[0]));
	print_config(&config, printed);
	PROPERTY(rtls_config_parse(rtls_slice(printed), &config, &err) ==
		 RTLS_OK);
	print_config(&config, again);
	PROPERTY(strcmp(printed, again) == 0);
	return 0;
}
