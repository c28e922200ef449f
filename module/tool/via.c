/* via.c - see via.h. */
#include "tool/via.h"

#include <stdio.h>
#include <string.h>

#include "policy/text.h"
#include "tool/exim.h"
#include "tool/verb.h"

#define MACRO "REQUIRETLS_VIA"

static void read_list(struct rtls_slice list, struct rtls_via *via)
{
	rtls_quote(via->text, sizeof(via->text), list);
	switch (rtls_next_hops_parse(list, &via->hops)) {
	case RTLS_OK:
		via->state = RTLS_VIA_HOSTS;
		return;
	case RTLS_NONE:
		via->state = RTLS_VIA_NONE;
		return;
	default:
		via->state = RTLS_VIA_BROKEN;
		via->hops.count = 0;
	}
}

/* Exim expands it for each message; what is made of it without one would be a guess. */
static void ask_exim(const struct rtls_config *config, struct rtls_via *via)
{
	char value[RTLS_VIA_TEXT_SIZE];

	switch (rtls_exim_macro(
		config->sendmail, MACRO, value, sizeof(value))) {
	case RTLS_OK:
		break;
	case RTLS_NONE: /* our stanzas are not in its configuration */
		return;
	default:
		via->state = RTLS_VIA_UNKNOWN;
		return;
	}
	if (strchr(value, '$') == NULL) {
		read_list(rtls_slice(value), via);
		return;
	}
	rtls_quote(via->text, sizeof(via->text), rtls_slice(value));
	via->state = RTLS_VIA_VARIES;
}

void rtls_via_find(const struct rtls_config *config, const char *given,
	struct rtls_via *via)
{
	memset(via, 0, sizeof(*via));
	via->source = given != NULL ? "--via"
				    : "the macro " MACRO
				      " of Exim's configuration";
	if (given != NULL)
		read_list(rtls_slice(given), via);
	else
		ask_exim(config, via);
}

bool rtls_via_counts(const struct rtls_via *via)
{
	return via->state == RTLS_VIA_HOSTS || via->state == RTLS_VIA_BROKEN;
}

const char *rtls_via_doubt(const struct rtls_via *via)
{
	if (via->state == RTLS_VIA_VARIES)
		return "which smart host mail goes to depends on the message: "
		       "say by --via which; this is what comes of none";
	if (via->state == RTLS_VIA_UNKNOWN)
		return "Exim tells only root and its own user whether mail "
		       "goes to a smart host: say by --via; this is what comes "
		       "of none";
	return NULL;
}

static json_t *hop_json(const struct rtls_next_hop *hop)
{
	char buffer[RTLS_NEXT_HOP_SIZE + 32];
	struct rtls_text text;

	rtls_text_init(&text, buffer, sizeof(buffer));
	rtls_text_printf(&text, "%s%s", hop->host, hop->by_mx ? "/mx" : "");
	if (hop->port != 0)
		rtls_text_printf(&text, "::%u", hop->port);
	return rtls_verb_json(rtls_text_slice(&text));
}

json_t *rtls_via_json(const struct rtls_via *via)
{
	json_t *list;

	if (!rtls_via_counts(via))
		return json_null();
	list = json_array();
	for (size_t i = 0; i < via->hops.count; i++)
		(void)json_array_append_new(list, hop_json(&via->hops.hop[i]));
	return list;
}
