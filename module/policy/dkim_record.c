/* dkim_record.c - see dkim_record.h. */
#include "dkim_record.h"

#include "field.h"
#include "tag_list.h"
#include "text.h"

/* Is the word one of a list with ":" between, blanks around? */
static bool has_word(const struct rtls_slice *list, const char *word)
{
	struct rtls_slice rest = *list;

	while (rest.size > 0)
		if (rtls_slice_is(
			    rtls_slice_trim(rtls_slice_take(&rest, ':')), word))
			return true;
	return false;
}

static bool allows(const struct rtls_slice *services, const char *service)
{
	return services == NULL || has_word(services, "*") ||
	       has_word(services, service);
}

static bool is_base64(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!rtls_byte_is_alnum(text.data[i]) && text.data[i] != '+' &&
			text.data[i] != '/' && text.data[i] != '=' &&
			text.data[i] != ' ' && text.data[i] != '\t')
			return false;
	return true;
}

static const char *parse_type(
	const struct rtls_slice *type, struct rtls_dkim_record *record)
{
	if (type == NULL || rtls_slice_is(*type, "rsa"))
		record->type = RTLS_DKIM_RSA;
	else if (rtls_slice_is(*type, "ed25519"))
		record->type = RTLS_DKIM_ED25519;
	else
		return "k must be rsa or ed25519";
	return NULL;
}

static const char *parse_tags(
	const struct rtls_tag_list *tags, struct rtls_dkim_record *record)
{
	const struct rtls_slice *version = rtls_tag_list_get(tags, "v");
	const struct rtls_slice *flags = rtls_tag_list_get(tags, "t");
	const struct rtls_slice *services = rtls_tag_list_get(tags, "s");
	const struct rtls_slice *data = rtls_tag_list_get(tags, "p");

	if (version != NULL && (version != &tags->tag[0].value ||
				       !rtls_slice_is(*version, "DKIM1")))
		return "v must come first and be DKIM1";
	if (data == NULL)
		return "p is missing";
	if (!is_base64(*data))
		return "p must be base64";
	record->key = *data;
	record->is_testing = flags != NULL && has_word(flags, "y");
	record->has_mail = allows(services, "email");
	record->has_tlsrpt = allows(services, "tlsrpt");
	return parse_type(rtls_tag_list_get(tags, "k"), record);
}

enum rtls_status rtls_dkim_record_parse(struct rtls_slice text,
	struct rtls_dkim_record *record, struct rtls_err *err)
{
	struct rtls_dkim_record parsed = { .is_testing = false };
	struct rtls_tag_list tags;
	enum rtls_status status;

	if (rtls_tag_list_parse(text, &tags, err) != RTLS_OK)
		return RTLS_INVALID;
	status = rtls_err_check(err, parse_tags(&tags, &parsed));
	if (status == RTLS_OK)
		*record = parsed;
	return status;
}
