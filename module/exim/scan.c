/* scan.c - see scan.h; and local_scan(), which leaves the flags in the spool as
 * $local_scan_data. Cannot fail open: whatever cannot be read is a temporary
 * reject. */
#include "exim/scan.h"

#include <stdio.h>
#include <string.h>

#include "exim/bounce.h"
#include "policy/flags.h"
#include "policy/rules.h"
#include "policy/text.h"
#include "store/config_file.h"

#define FLAGS_SIZE 128 /* what rtls_flags_format() may need */

static void scan_tags(
	const struct rtls_config *config, struct rtls_flags *flags)
{
	char bare[RTLS_SCAN_ADDRESS_SIZE];

	for (int i = 0; i < rtls_exim_recipient_count(); i++)
		if (rtls_scan_bare_address(
			    config, rtls_exim_recipient(i), bare))
			rtls_flags_set(flags, RTLS_BY_TAG);
}

/* The tag is ours, not the recipient's: it comes off each address. */
static void strip_tags(const struct rtls_config *config)
{
	char bare[RTLS_SCAN_ADDRESS_SIZE];

	for (int i = 0; i < rtls_exim_recipient_count(); i++)
		if (rtls_scan_bare_address(
			    config, rtls_exim_recipient(i), bare))
			rtls_exim_recipient_set(i, bare);
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
	snprintf(what, sizeof(what), RTLS_FIELD_EXPAND_VALUE, (int)name.size,
		name.data);
	field->value = rtls_exim_value(what);
	snprintf(what, sizeof(what), RTLS_FIELD_EXPAND_ADDRESSES,
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
	return rtls_rule_matches(rule, field->value, field->addresses);
}

/* The tags come off whatever the key requiretls says; routing looks at the level again. */
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
	rtls_rules_settle(&rules, config->requiretls, flags);
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
	else
		ignored = rtls_rules_relax(flags);
	if (ignored != NULL)
		rtls_exim_log("TLS-Required header ignored: %s", ignored);
}

/* A patched Exim flags its own reports and leaves their bodies out, or is told not
 * to (requiretls_redact_dsn): its word counts. On a stock one, where $requiretls is
 * nothing, and for a report about a message of before the patches were there, that
 * is for us to do. */
static void scan_envelope(struct rtls_scan *scan)
{
	if (rtls_flag_value_is_yes(rtls_exim_value("$requiretls"))) {
		rtls_flags_set(&scan->flags, rtls_bounce_is_report()
						     ? RTLS_BY_BOUNCE
						     : RTLS_BY_ESMTP);
		return;
	}
	scan->cut_body = rtls_bounce_of_flagged();
	if (scan->cut_body)
		rtls_flags_set(&scan->flags, RTLS_BY_BOUNCE);
}

static enum rtls_status scan_message(const struct rtls_config *config,
	struct rtls_scan *scan, struct rtls_err *err)
{
	struct rtls_flags *flags = &scan->flags;
	enum rtls_status status;

	*scan = (struct rtls_scan){ 0 };
	scan_envelope(scan);
	scan_tags(config, flags);
	if (rtls_flag_value_is_yes(rtls_exim_value("$acl_m_requiretls")))
		rtls_flags_set(flags, RTLS_BY_ACL);
	status = scan_rules(config, flags, err);
	if (status != RTLS_OK)
		return status;
	if (flags->requiretls == RTLS_REQUIRETLS_NO &&
		config->honour_tls_required_no)
		scan_tls_required(flags);
	/* Where the level is disable this clears what an ACL has set. */
	rtls_exim_flag_message(flags->requiretls == RTLS_REQUIRETLS_YES);
	return RTLS_OK;
}

enum rtls_status rtls_scan_ahead(const struct rtls_config *config,
	const char *address, struct rtls_flags *flags, struct rtls_err *err)
{
	char bare[RTLS_SCAN_ADDRESS_SIZE];

	*flags = (struct rtls_flags){ 0 };
	if (rtls_flag_value_is_yes(rtls_exim_value("$requiretls")))
		rtls_flags_set(flags, RTLS_BY_ESMTP);
	scan_tags(config, flags);
	if (rtls_scan_bare_address(config, address, bare))
		rtls_flags_set(flags, RTLS_BY_TAG);
	if (rtls_flag_value_is_yes(rtls_exim_value("$acl_m_requiretls")))
		rtls_flags_set(flags, RTLS_BY_ACL);
	return scan_rules(config, flags, err);
}

bool rtls_scan_bare_address(const struct rtls_config *config,
	const char *address, char bare[RTLS_SCAN_ADDRESS_SIZE])
{
	return rtls_tag_strip(rtls_slice(address), rtls_slice(config->tag),
		bare, RTLS_SCAN_ADDRESS_SIZE);
}

/* An ACL that does not call requiretls_flag() would be found out by nobody. While an address
 * is verified there is no message yet. */
static void log_unseen(void)
{
	static bool complained;

	if (complained || rtls_exim_value("$message_exim_id").size == 0)
		return;
	complained = true;
	rtls_exim_log("the message was not looked at when it was received: "
		      "headers could not flag it");
}

void rtls_scan_flags(struct rtls_flags *flags)
{
	const struct rtls_flags all = { .requiretls = RTLS_REQUIRETLS_YES,
		.dnssec = RTLS_DNSSEC_REQUIRE };
	enum rtls_status status =
		rtls_flags_parse(rtls_exim_value("$local_scan_data"), flags);

	if (status == RTLS_NONE) {
		status = rtls_flags_parse(
			rtls_exim_value("$acl_m_requiretls_data"), flags);
		if (status == RTLS_NONE)
			log_unseen();
		/* While addresses are verified this is all there is, and an ACL may
		 * set it after requiretls_flag() has looked. */
		if (status != RTLS_INVALID &&
			rtls_flag_value_is_yes(
				rtls_exim_value("$acl_m_requiretls")))
			rtls_flags_set(flags, RTLS_BY_ACL);
	}
	if (status == RTLS_INVALID)
		*flags = all;
}

const struct rtls_config *rtls_scan_received(struct rtls_scan *scan)
{
	struct rtls_err err = { "" };
	const struct rtls_config *config = rtls_exim_config(&err);

	if (config != NULL && scan_message(config, scan, &err) == RTLS_OK)
		return config;
	rtls_exim_log("message refused for now: %s", err.text);
	return NULL;
}

int rtls_scan_return(uschar **yield, const struct rtls_flags *flags)
{
	char data[FLAGS_SIZE];
	struct rtls_text text;

	rtls_text_init(&text, data, sizeof(data));
	rtls_flags_format(flags, &text);
	return rtls_exim_return(yield, rtls_text_slice(&text));
}

RTLS_EXPORT int local_scan(int fd, uschar **return_text)
{
	struct rtls_scan scan;
	const struct rtls_config *config = rtls_scan_received(&scan);

	if (config == NULL) {
		/* What is wrong here is not the sender's business. */
		rtls_exim_return(
			return_text, rtls_slice("local configuration error"));
		return LOCAL_SCAN_TEMPREJECT;
	}
	strip_tags(config);
	if (scan.cut_body)
		rtls_bounce_cut_body(fd);
	rtls_scan_return(return_text, &scan.flags);
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
