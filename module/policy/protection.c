/* protection.c - see protection.h. */
#include "protection.h"

static const struct {
	unsigned protection;
	const char *name;
} names[] = {
	{ RTLS_PROTECT_STS, "sts" },
	{ RTLS_PROTECT_DNSSEC, "dnssec" },
	{ RTLS_PROTECT_REQUIRETLS, "requiretls" },
	{ RTLS_PROTECT_VERIFIED, "verified" },
};

#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

const char *rtls_protection_name(unsigned protection)
{
	for (size_t i = 0; i < NAME_COUNT; i++)
		if (names[i].protection == protection)
			return names[i].name;
	return NULL;
}

unsigned rtls_protection_named(struct rtls_slice name)
{
	for (size_t i = 0; i < NAME_COUNT; i++)
		if (rtls_slice_is(name, names[i].name))
			return names[i].protection;
	return 0;
}

void rtls_protections_format(unsigned set, struct rtls_text *out)
{
	const char *comma = "";

	for (size_t i = 0; i < NAME_COUNT; i++) {
		if ((set & names[i].protection) == 0)
			continue;
		rtls_text_printf(out, "%s%s", comma, names[i].name);
		comma = ",";
	}
}
