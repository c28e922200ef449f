/* fuzz_tag_list.c - a list of tags, and the DKIM key and DMARC record that are made of one. What
 * was read is written and reads the same. */
#include <string.h>

#include "fuzz.h"
#include "policy/dkim_record.h"
#include "policy/dmarc.h"
#include "policy/tag_list.h"

static void check_list(struct rtls_slice text, const struct rtls_tag_list *list)
{
	struct rtls_tag_list again;
	char *written = malloc(text.size + 2 * RTLS_TAGS_MAX);
	size_t size = 0;

	PROPERTY(written != NULL);
	for (size_t i = 0; i < list->count; i++) {
		const struct rtls_tag *tag = &list->tag[i];

		PROPERTY(tag->name.size > 0 && fuzz_inside(text, tag->name));
		PROPERTY(fuzz_inside(text, tag->value));
		memcpy(written + size, tag->name.data, tag->name.size);
		size += tag->name.size;
		written[size++] = '=';
		if (tag->value.size > 0)
			memcpy(written + size, tag->value.data,
				tag->value.size);
		size += tag->value.size;
		written[size++] = ';';
	}
	PROPERTY(rtls_tag_list_parse(
			 rtls_slice_n(written, size), &again, NULL) == RTLS_OK);
	PROPERTY(again.count == list->count);
	for (size_t i = 0; i < list->count; i++)
		PROPERTY(rtls_slice_equal(
				 list->tag[i].name, again.tag[i].name) &&
			 rtls_slice_equal(
				 list->tag[i].value, again.tag[i].value));
	free(written);
}

static void check_err(enum rtls_status status, const struct rtls_err *err)
{
	PROPERTY((status == RTLS_INVALID) == (err->text[0] != '\0'));
	for (const char *c = err->text; *c != '\0'; c++)
		PROPERTY(*c >= ' ' && *c <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice text = fuzz_input(data, size);
	struct rtls_err err = { "" };
	struct rtls_tag_list list;
	struct rtls_dkim_record key;
	struct rtls_dmarc record;
	enum rtls_status listed = rtls_tag_list_parse(text, &list, &err);
	enum rtls_status status;

	check_err(listed, &err);
	if (listed == RTLS_OK)
		check_list(text, &list);
	err.text[0] = '\0';
	status = rtls_dkim_record_parse(text, &key, &err);
	check_err(status, &err);
	if (status == RTLS_OK)
		PROPERTY(listed == RTLS_OK && fuzz_inside(text, key.key));
	err.text[0] = '\0';
	status = rtls_dmarc_parse(text, &record, &err);
	check_err(status, &err);
	if (status == RTLS_OK)
		PROPERTY(listed == RTLS_OK && record.percent <= 100 &&
			 fuzz_inside(text, record.rua));
	return 0;
}
