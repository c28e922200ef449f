/* fuzz_parse.c - what `exim-requiretls parse` prints: the first line names the kind, the rest is the
 * text. There is JSON that can be printed, or a reason in printable words; and what was understood,
 * written as such a text, is understood the same. */
#include <string.h>

#include "fuzz.h"
#include "policy/text.h"
#include "tool/parse_text.h"

#define WRITTEN_SIZE 262144

static void add_strings(struct rtls_text *out, const json_t *array,
	const char *before, const char *between)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *item = json_string_value(json_array_get(array, i));

		PROPERTY(item != NULL);
		rtls_text_printf(out, "%s%s", i == 0 ? before : between, item);
	}
}

static void write_text(
	const char *kind, const json_t *json, struct rtls_text *out)
{
	const char *id = json_string_value(json_object_get(json, "id"));
	const char *mode = json_string_value(json_object_get(json, "mode"));

	if (strcmp(kind, "sts-record") == 0) {
		PROPERTY(id != NULL);
		rtls_text_printf(out, "v=STSv1; id=%s;\n", id);
	} else if (strcmp(kind, "sts-policy") == 0) {
		PROPERTY(mode != NULL);
		rtls_text_printf(out,
			"version: STSv1\nmode: %s\nmax_age: %" JSON_INTEGER_FORMAT
			"\n",
			mode,
			json_integer_value(json_object_get(json, "max_age")));
		add_strings(out, json_object_get(json, "mx"), "mx: ", "\nmx: ");
	} else if (strcmp(kind, "tlsrpt-record") == 0) {
		rtls_text_printf(out, "v=TLSRPTv1; rua=");
		add_strings(out, json_object_get(json, "rua"), "", ",");
	}
}

static void check_again(const struct rtls_parse_kind *kind, const json_t *json)
{
	static char buffer[WRITTEN_SIZE];
	struct rtls_err err = { "" };
	struct rtls_text written;
	json_t *again;

	rtls_text_init(&written, buffer, sizeof(buffer));
	write_text(kind->name, json, &written);
	/* A record of no usable URI cannot be written as one. */
	if (written.size == 0 || written.overflow ||
		written.size > kind->size_max ||
		buffer[written.size - 1] == '=')
		return;
	again = kind->parse(rtls_text_slice(&written), &err);
	PROPERTY(again != NULL);
	PROPERTY(json_equal(again, json));
	json_decref(again);
}

static void check_printable(const json_t *json)
{
	char *text = json_dumps(json, JSON_ENCODE_ANY);

	PROPERTY(text != NULL);
	for (const char *at = text; *at != '\0'; at++)
		PROPERTY((unsigned char)*at >= ' ');
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_slice text = fuzz_input(data, size);
	const struct rtls_parse_kind *kind;
	struct rtls_err err = { "" };
	char name[32];
	json_t *json;

	if (!rtls_slice_copy(rtls_slice_take(&text, '\n'), name, sizeof(name)))
		return 0;
	kind = rtls_parse_kind(name);
	if (kind == NULL || text.size > kind->size_max)
		return 0;
	json = kind->parse(text, &err);
	if (json != NULL) {
		check_printable(json);
		check_again(kind, json);
		json_decref(json);
		return 0;
	}
	PROPERTY(err.text[0] != '\0');
	for (const char *at = err.text; *at != '\0'; at++)
		PROPERTY(*at >= ' ' && *at <= '~');
	return 0;
}
