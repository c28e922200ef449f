/* exim_version.c - see exim_version.h. */
#include "exim_version.h"

#include <string.h>

#include "text.h"

/* "Support for: crypteq iconv() IPv6": is the word there? */
static bool has_word(struct rtls_slice words, const char *wanted)
{
	struct rtls_slice word;

	while (rtls_slice_word(&words, &word))
		if (rtls_slice_is(word, wanted))
			return true;
	return false;
}

static void read_support(
	struct rtls_slice words, struct rtls_exim_version *version)
{
	version->has_requiretls = has_word(words, "REQUIRETLS");
	version->has_dlfunc = has_word(words, "Expand_dlfunc");
	version->has_gnutls = has_word(words, "GnuTLS");
	version->has_dane = has_word(words, "DANE");
	version->has_events = has_word(words, "Event");
}

/* What follows the prefix, or nothing. */
static bool take_prefix(struct rtls_slice *line, const char *prefix)
{
	size_t size = strlen(prefix);

	if (!rtls_slice_starts(*line, prefix))
		return false;
	*line = rtls_slice_n(line->data + size, line->size - size);
	return true;
}

enum rtls_status rtls_exim_version_parse(
	struct rtls_slice text, struct rtls_exim_version *version)
{
	struct rtls_exim_version found = { .has_requiretls = false };
	struct rtls_slice line, word;

	while (rtls_slice_line(&text, &line)) {
		if (take_prefix(&line, "Exim version ")) {
			if (rtls_slice_word(&line, &word))
				rtls_quote(found.release, sizeof(found.release),
					word);
		} else if (take_prefix(&line, "Support for: ")) {
			read_support(line, &found);
		} else if (rtls_slice_starts(line, "Lookups")) {
			(void)rtls_slice_take(&line, ':');
			found.has_dnsdb |= has_word(line, "dnsdb");
		}
	}
	if (found.release[0] == '\0')
		return RTLS_INVALID;
	*version = found;
	return RTLS_OK;
}

const char *rtls_exim_version_lacks(
	const struct rtls_exim_version *version, size_t number)
{
	const struct {
		bool is_there;
		const char *name;
	} needs[] = {
		{ version->has_dlfunc, "Expand_dlfunc" },
		{ version->has_gnutls, "GnuTLS" },
		{ version->has_dane, "DANE" },
		{ version->has_events, "Event" },
		{ version->has_dnsdb, "the lookup dnsdb" },
	};

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (!needs[i].is_there && number-- == 0)
			return needs[i].name;
	return NULL;
}
