/* fuzz_spf.c - an SPF record. What is one stays one, and the same, with blanks behind it and with
 * its terms said once more behind it, as far as these may be said twice. */
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "policy/spf.h"

static size_t count_words(struct rtls_slice text)
{
	struct rtls_slice word;
	size_t count = 0;

	while (rtls_slice_word(&text, &word))
		count++;
	return count;
}

static bool is_same(const struct rtls_spf *a, const struct rtls_spf *b)
{
	return a->all == b->all && a->has_redirect == b->has_redirect &&
	       a->has_ptr == b->has_ptr && a->has_more == b->has_more &&
	       a->lookups == b->lookups;
}

/* What is walked through is what was counted, but for what nobody looks at. */
static void check_terms(struct rtls_slice text, const struct rtls_spf *record)
{
	struct rtls_slice rest = text;
	struct rtls_spf_term term;
	unsigned count = 0;

	while (rtls_spf_next(record, text, &rest, &term)) {
		count++;
		PROPERTY(fuzz_inside(text, term.text));
		PROPERTY(fuzz_inside(term.text, term.domain));
		PROPERTY(term.domain.size > 0 ||
			 (term.kind != RTLS_SPF_INCLUDE &&
				 term.kind != RTLS_SPF_REDIRECT &&
				 term.kind != RTLS_SPF_EXISTS));
	}
	PROPERTY(count <= record->lookups);
	PROPERTY(count == record->lookups || record->has_more ||
		 (record->has_redirect && record->all != RTLS_SPF_ALL_MISSING));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char tail[] = "  -ALL";
	const struct rtls_slice text = fuzz_input(data, size);
	struct rtls_spf record, again;
	struct rtls_err err = { "" };
	enum rtls_status status = rtls_spf_parse(text, &record, &err);
	char *longer;

	for (const char *c = err.text; *c != '\0'; c++)
		PROPERTY(*c >= ' ' && *c <= '~');
	if (status != RTLS_OK) {
		PROPERTY(status == RTLS_NONE || status == RTLS_INVALID);
		PROPERTY((status == RTLS_INVALID) == (err.text[0] != '\0'));
		return 0;
	}
	PROPERTY(
		size >= 6 && strncasecmp((const char *)data, "v=spf1", 6) == 0);
	for (size_t i = 0; i < size; i++)
		PROPERTY(data[i] >= ' ' && data[i] <= '~');
	PROPERTY(record.lookups < count_words(text));
	check_terms(text, &record);
	longer = malloc(size + sizeof(tail));
	PROPERTY(longer != NULL);
	memcpy(longer, data, size);
	memcpy(longer + size, tail, sizeof(tail));
	PROPERTY(rtls_spf_parse(rtls_slice_n(longer, size + 2), &again, NULL) ==
			 RTLS_OK &&
		 is_same(&record, &again));
	PROPERTY(rtls_spf_parse(rtls_slice_n(longer, size + strlen(tail)),
			 &again, NULL) == RTLS_OK);
	PROPERTY(again.all != RTLS_SPF_ALL_MISSING);
	PROPERTY(record.all == RTLS_SPF_ALL_MISSING || again.all == record.all);
	free(longer);
	return 0;
}
