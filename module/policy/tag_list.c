/* tag_list.c - see tag_list.h.
 *
 *   tag-list = tag *(";" tag) [";"]
 *   tag      = [FWS] name [FWS] "=" [FWS] value [FWS]
 *   name     = ALPHA *(ALPHA / DIGIT / "_")
 *   value    = *(VALCHAR / FWS)                  ; VALCHAR: visible, no ";"
 */
#include "tag_list.h"

#include <string.h>

#include "field.h"
#include "text.h"

static bool is_name(struct rtls_slice name)
{
	if (name.size == 0 || rtls_byte_is_digit(name.data[0]) ||
		name.data[0] == '_')
		return false;
	for (size_t i = 0; i < name.size; i++)
		if (!rtls_byte_is_alnum(name.data[i]) && name.data[i] != '_')
			return false;
	return true;
}

static bool is_value(struct rtls_slice value)
{
	for (size_t i = 0; i < value.size; i++)
		if (value.data[i] != '\t' &&
			(value.data[i] < ' ' || value.data[i] > '~'))
			return false;
	return true;
}

static enum rtls_status invalid(
	struct rtls_err *err, const char *why, struct rtls_slice found)
{
	struct rtls_quoted quoted;

	rtls_err_set(
		err, "%s (found \"%s\")", why, rtls_quoted(&quoted, found));
	return RTLS_INVALID;
}

static enum rtls_status add_tag(struct rtls_tag_list *list,
	struct rtls_slice text, struct rtls_err *err)
{
	struct rtls_slice value = text;
	struct rtls_tag tag;

	tag.name = rtls_slice_trim(rtls_slice_take(&value, '='));
	tag.value = rtls_slice_trim(value);
	if (memchr(text.data, '=', text.size) == NULL || !is_name(tag.name) ||
		!is_value(tag.value))
		return invalid(err, "expected \"name=value\"", text);
	for (size_t i = 0; i < list->count; i++)
		if (rtls_slice_equal(list->tag[i].name, tag.name))
			return invalid(err, "a tag twice", text);
	if (list->count == RTLS_TAGS_MAX)
		return invalid(err, "too many tags", text);
	list->tag[list->count++] = tag;
	return RTLS_OK;
}

enum rtls_status rtls_tag_list_parse(struct rtls_slice text,
	struct rtls_tag_list *list, struct rtls_err *err)
{
	struct rtls_tag_list parsed = { .count = 0 };

	while (text.size > 0) {
		struct rtls_slice tag =
			rtls_slice_trim(rtls_slice_take(&text, ';'));
		enum rtls_status status;

		/* Only behind the last ";". */
		if (tag.size == 0 && text.size == 0 && parsed.count > 0)
			break;
		if (tag.size == 0)
			return invalid(err, "an empty tag", text);
		status = add_tag(&parsed, tag, err);
		if (status != RTLS_OK)
			return status;
	}
	*list = parsed;
	return RTLS_OK;
}

const struct rtls_slice *rtls_tag_list_get(
	const struct rtls_tag_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (rtls_slice_is(list->tag[i].name, name))
			return &list->tag[i].value;
	return NULL;
}
