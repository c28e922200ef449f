/* fuzz_tlsrpt_record.c - TXT records at _smtp._tls. */
#include "fuzz.h"
#include "grammar.h"
#include "policy/text.h"
#include "policy/tlsrpt_record.h"

#define WRITTEN_SIZE (1 << 20)

/* RFC 8460 section 3: nothing else is accepted. The URIs are checked one by one. */
static bool is_record(struct rtls_slice text)
{
	static const char record[] =
		"^v=TLSRPTv1(" GRAMMAR_DELIM "(rua=[\t !-:<-~]*|" GRAMMAR_NAME
		"=" GRAMMAR_VALUE "))+(" GRAMMAR_DELIM ")?$";
	static const char rua[] = ";[ \t]*rua=";
	static regex_t *compiled[2];

	return grammar_matches(&compiled[0], record, text, NULL) &&
	       grammar_matches(&compiled[1], rua, text, NULL);
}

static void check_uri(struct rtls_slice text, struct rtls_slice uri)
{
	struct rtls_slice rest = uri;
	struct rtls_slice scheme = rtls_slice_take(&rest, ':');

	PROPERTY(fuzz_inside(text, uri));
	PROPERTY(rtls_slice_is_nocase(scheme, "mailto") ||
		 rtls_slice_is_nocase(scheme, "https"));
	for (size_t i = 0; i < uri.size; i++) {
		char byte = uri.data[i];

		PROPERTY(byte > ' ' && byte <= '~');
		PROPERTY(byte != ',' && byte != ';' && byte != '!');
		PROPERTY(byte != '"' && byte != '\\' && byte != '<');
	}
}

static bool is_same(
	const struct rtls_tlsrpt_record *a, const struct rtls_tlsrpt_record *b)
{
	if (a->rua_count != b->rua_count)
		return false;
	for (size_t i = 0; i < a->rua_count; i++)
		if (!rtls_slice_equal(a->rua[i], b->rua[i]))
			return false;
	return true;
}

/* What we write, we read. */
static void check_written(const struct rtls_tlsrpt_record *record)
{
	static char written[WRITTEN_SIZE];
	struct rtls_tlsrpt_record again;
	struct rtls_text out;

	rtls_text_init(&out, written, sizeof(written));
	rtls_text_printf(&out, "v=TLSRPTv1;rua=");
	for (size_t i = 0; i < record->rua_count; i++) {
		rtls_text_printf(&out, "%s", i == 0 ? "" : ",");
		rtls_text_add(&out, record->rua[i]);
	}
	if (out.overflow || record->rua_count == 0)
		return;
	PROPERTY(rtls_tlsrpt_record_parse(
			 rtls_text_slice(&out), &again, NULL) == RTLS_OK);
	PROPERTY(is_same(record, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_slice text = fuzz_input(data, size);
	struct rtls_tlsrpt_record record, selected;
	struct rtls_err err = { "" };
	enum rtls_status status = rtls_tlsrpt_record_parse(text, &record, &err);

	PROPERTY((status == RTLS_INVALID) == (err.text[0] != '\0'));
	PROPERTY(
		rtls_tlsrpt_record_select(&text, 1, &selected, NULL) == status);
	if (status != RTLS_OK) {
		PROPERTY(status == RTLS_NONE || status == RTLS_INVALID);
		return 0;
	}
	PROPERTY(is_same(&record, &selected));
	PROPERTY(size > GRAMMAR_TEXT_MAX || is_record(text));
	PROPERTY(record.rua_count <= RTLS_TLSRPT_RUA_MAX);
	for (size_t i = 0; i < record.rua_count; i++) {
		check_uri(text, record.rua[i]);
		for (size_t j = 0; j < i; j++)
			PROPERTY(!rtls_slice_equal(
				record.rua[i], record.rua[j]));
	}
	check_written(&record);
	return 0;
}
