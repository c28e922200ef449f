/* scan.c - local_scan(): decide once, when a message is received, what it
 * asks for, and leave that in the spool as $local_scan_data.
 *
 * RFC 8689: section 4.1 (tagging), section 3 (TLS-Required), section 5
 * (bounces). Cannot fail open: whatever cannot be read is a temporary reject. */
#include "exim/api.h"

#include <stdio.h>
#include <string.h>

#include "exim/bounce.h"
#include "policy/flags.h"
#include "policy/rules.h"
#include "policy/text.h"
#include "store/config_file.h"

#define ADDRESS_SIZE 1024

/* The tag is ours, not the recipient's: it comes off each address. */
static void scan_tags(
	const struct rtls_config *config, struct rtls_flags *flags)
{
	char bare[ADDRESS_SIZE];

	for (int i = 0; i < recipients_count && config->tag[0] != '\0'; i++) {
		const char *address = (char *)recipients_list[i].address;

		if (!rtls_tag_strip(rtls_slice(address),
			    rtls_slice(config->tag), bare, sizeof(bare)))
			continue;
		/* Exim made this address; without the tag it is no less tainted. */
		recipients_list[i].address = string_copy_taint(
			(uschar *)bare, recipients_list[i].address);
		rtls_flags_set(flags, RTLS_BY_TAG);
	}
}

static bool addresses_match(struct rtls_slice pattern, struct rtls_slice list)
{
	while (list.size > 0) {
		struct rtls_slice address = rtls_slice_take(&list, '\n');

		if (rtls_wildcard_matches(pattern, rtls_slice_trim(address)))
			return true;
	}
	return false;
}

/* Exim expands no more of a header field than 64 KiB. */
#define FIELD_SIZE_MAX 60000

/* One field as the rules see it. Rules about the same field follow each other
 * as a rule; what Exim expands for one serves the next. */
struct field {
	struct rtls_slice name;
	struct rtls_slice value;     /* encoded words undone, lines joined */
	struct rtls_slice addresses; /* one a line */
	bool is_long;
};

/* The text of one header line behind its name; false when it is another. */
static bool header_value(const header_line *line, struct rtls_slice name,
	struct rtls_slice *value)
{
	if (line->type == '*' || line->text == NULL || line->slen < 0)
		return false; /* '*': removed */
	*value = rtls_slice_n((char *)line->text, (size_t)line->slen);
	return rtls_slice_equal_nocase(
		rtls_slice_trim(rtls_slice_take(value, ':')), name);
}

static void field_read(struct rtls_slice name, struct field *field)
{
	char what[2 * RTLS_FIELD_NAME_MAX + 64];
	struct rtls_slice value;
	size_t size = 0;

	for (const header_line *line = header_list; line; line = line->next)
		if (header_value(line, name, &value))
			size += value.size;
	*field = (struct field){ .name = name,
		.is_long = size > FIELD_SIZE_MAX };
	if (size == 0 || field->is_long)
		return;
	snprintf(what, sizeof(what), "$h_%.*s:", (int)name.size, name.data);
	field->value = rtls_exim_value(what);
	snprintf(what, sizeof(what), "${addresses:>\\n $rh_%.*s:}",
		(int)name.size, name.data);
	field->addresses = rtls_exim_value(what);
}

/* A field that Exim cuts is searched as it stands, anywhere in it: rather one
 * message too many than one too few. */
static bool long_matches(const struct rtls_rule *rule)
{
	static char wide[RTLS_RULES_SIZE_MAX + 3];
	struct rtls_text pattern;
	struct rtls_slice value;

	rtls_text_init(&pattern, wide, sizeof(wide));
	rtls_text_printf(&pattern, "*");
	rtls_text_add(&pattern, rule->pattern);
	rtls_text_printf(&pattern, "*");
	for (const header_line *line = header_list; line; line = line->next)
		if (header_value(line, rule->field, &value) &&
			rtls_wildcard_matches(rtls_text_slice(&pattern), value))
			return true;
	return false;
}

/* As a whole, or by any one address in it. */
static bool rule_matches(const struct rtls_rule *rule, struct field *field)
{
	if (!rtls_slice_equal_nocase(rule->field, field->name))
		field_read(rule->field, field);
	if (field->is_long)
		return long_matches(rule);
	return field->value.size > 0 &&
	       (rtls_wildcard_matches(rule->pattern, field->value) ||
		       addresses_match(rule->pattern, field->addresses));
}

static enum rtls_status scan_rules(const struct rtls_config *config,
	struct rtls_flags *flags, struct rtls_err *err)
{
	static char buffer[RTLS_RULES_SIZE_MAX + 1];
	static struct rtls_rules rules;
	enum rtls_status status = rtls_rules_load(config, buffer, &rules, err);
	struct field field = { 0 };

	if (status != RTLS_OK)
		return status;
	for (size_t i = 0; i < rules.count; i++)
		if (rule_matches(&rules.rule[i], &field))
			rtls_rule_apply(&rules.rule[i], flags);
	return RTLS_OK;
}

/* RFC 8689 section 3: exactly one field, and only "No" means anything. */
static void scan_tls_required(struct rtls_flags *flags)
{
	static const char name[] = "TLS-Required";
	const char *ignored = NULL;
	unsigned count = 0;
	bool no = false;

	for (const header_line *line = header_list; line; line = line->next) {
		struct rtls_slice value;

		if (!header_value(line, rtls_slice(name), &value))
			continue;
		count++;
		no = rtls_tls_required_is_no(value);
	}
	if (count == 0)
		return;
	if (count > 1)
		ignored = "there is more than one";
	else if (!no)
		ignored = "its value is not No";
	else if (flags->dnssec == RTLS_DNSSEC_REQUIRE)
		ignored = "a rule demands DNSSEC"; /* the site's word counts */
	if (ignored != NULL) {
		rtls_exim_log("TLS-Required header ignored: %s", ignored);
		return;
	}
	flags->requiretls = RTLS_REQUIRETLS_RELAXED;
	flags->by = RTLS_BY_HEADER;
}

static enum rtls_status scan_message(const struct rtls_config *config, int fd,
	struct rtls_flags *flags, struct rtls_err *err)
{
	enum rtls_status status;

	if (rtls_flag_value_is_yes(rtls_exim_value("$requiretls")))
		rtls_flags_set(flags, RTLS_BY_ESMTP);
	scan_tags(config, flags);
	if (rtls_flag_value_is_yes(rtls_exim_value("$acl_m_requiretls")))
		rtls_flags_set(flags, RTLS_BY_ACL);
	status = scan_rules(config, flags, err);
	if (status != RTLS_OK)
		return status;
	if (rtls_bounce_of_flagged()) {
		rtls_flags_set(flags, RTLS_BY_BOUNCE);
		rtls_bounce_cut_body(fd);
	}
	/* requiretls = disable: the tags came off, and that was all. */
	if (config->requiretls == RTLS_LEVEL_DISABLE) {
		flags->requiretls = RTLS_REQUIRETLS_NO;
		flags->by = RTLS_BY_NOTHING;
	}
	if (flags->requiretls == RTLS_REQUIRETLS_NO &&
		config->honour_tls_required_no)
		scan_tls_required(flags);
	return RTLS_OK;
}

RTLS_EXPORT int local_scan(int fd, uschar **return_text)
{
	char data[128];
	struct rtls_text text;
	struct rtls_flags flags = { 0 };
	struct rtls_err err = { "" };
	const struct rtls_config *config = rtls_exim_config(&err);

	if (config == NULL ||
		scan_message(config, fd, &flags, &err) != RTLS_OK) {
		rtls_exim_log("message refused for now: %s", err.text);
		/* What is wrong here is not the sender's business. */
		rtls_exim_return(
			return_text, rtls_slice("local configuration error"));
		return LOCAL_SCAN_TEMPREJECT;
	}
	rtls_text_init(&text, data, sizeof(data));
	rtls_flags_format(&flags, &text);
	rtls_exim_return(return_text, rtls_text_slice(&text));
	return LOCAL_SCAN_ACCEPT;
}

RTLS_EXPORT int local_scan_version_major(void);
RTLS_EXPORT int local_scan_version_minor(void);

int local_scan_version_major(void)
{
	return LOCAL_SCAN_ABI_VERSION_MAJOR;
}

int local_scan_version_minor(void)
{
	return LOCAL_SCAN_ABI_VERSION_MINOR;
}
