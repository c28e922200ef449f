/* config_exempt.c - see config_exempt.h. */
#include "tool/config_exempt.h"

#include <stdio.h>

#define WARNING_SIZE 1024

/* --- warnings ----------------------------------------------------------------- */

struct warnings {
	const struct rtls_config *config;
	const struct rtls_rules *rules;
	const struct rtls_exemptions *exemptions;
	int64_t now_s;
};

static void warn_over(const struct warnings *warnings,
	const struct rtls_exemption *exemption, struct rtls_text *out)
{
	struct rtls_quoted path, domain;

	if (!rtls_exemption_is_over(exemption, warnings->now_s))
		return;
	rtls_text_printf(out, "%s: line %u: the exemption of %s from ",
		rtls_quoted(&path, rtls_slice(warnings->config->exempt)),
		exemption->line, rtls_quoted(&domain, exemption->domain));
	rtls_protections_format(exemption->lifts, out);
	rtls_text_printf(out, " ran out on ");
	rtls_text_add(out, exemption->until);
	rtls_text_printf(out, " and has no effect: ");
	rtls_text_quote(out, exemption->reason);
}

/* Such mail would wait for ever. */
static void warn_no_sts(const struct warnings *warnings,
	const struct rtls_require_rule *rule, struct rtls_text *out)
{
	struct rtls_quoted path, domain;

	if (warnings->config->mta_sts || rule->protection != RTLS_PROTECT_STS)
		return;
	rtls_text_printf(out,
		"%s: line %u: %s is required to have an MTA-STS policy, and "
		"mta_sts = no keeps it from having one: mail to it waits",
		rtls_quoted(&path, rtls_slice(warnings->config->rules)),
		rule->line, rtls_quoted(&domain, rule->domain));
}

/* Each line of the two lists has a number, whether there is something to say of it or
 * not. false: there is no such line. */
static bool warning(
	const struct warnings *warnings, size_t number, struct rtls_text *out)
{
	const size_t over = warnings->exemptions->count;

	if (number < over)
		warn_over(warnings, &warnings->exemptions->exemption[number],
			out);
	else if (number - over < warnings->rules->require_count)
		warn_no_sts(warnings, &warnings->rules->require[number - over],
			out);
	else
		return false;
	return true;
}

static void print_warnings(const struct warnings *warnings)
{
	char buffer[WARNING_SIZE];
	struct rtls_text text;

	rtls_text_init(&text, buffer, sizeof(buffer));
	for (size_t i = 0; warning(warnings, i, &text); i++) {
		if (text.size > 0)
			(void)printf("# warning: %s\n", buffer);
		rtls_text_init(&text, buffer, sizeof(buffer));
	}
}

json_t *rtls_config_warnings_json(const struct rtls_config *config,
	const struct rtls_rules *rules,
	const struct rtls_exemptions *exemptions, int64_t now_s)
{
	const struct warnings warnings = { config, rules, exemptions, now_s };
	json_t *array = json_array();
	char buffer[WARNING_SIZE];
	struct rtls_text text;

	rtls_text_init(&text, buffer, sizeof(buffer));
	for (size_t i = 0; warning(&warnings, i, &text); i++) {
		if (text.size > 0)
			(void)json_array_append_new(array, json_string(buffer));
		rtls_text_init(&text, buffer, sizeof(buffer));
	}
	return array;
}

/* --- the list ----------------------------------------------------------------- */

static const char *names_of(unsigned set, char buffer[64])
{
	struct rtls_text text;

	rtls_text_init(&text, buffer, 64);
	rtls_protections_format(set, &text);
	return buffer;
}

static void print_one(const struct rtls_exemption *exemption, int64_t now_s)
{
	const int64_t days = rtls_exemption_days_left(exemption, now_s);
	char lifts[64], left[64], reason[4 * RTLS_EXEMPT_REASON_MAX + 1];
	struct rtls_quoted domain;

	if (rtls_exemption_is_over(exemption, now_s))
		(void)snprintf(left, sizeof(left), "over");
	else if (days == 0)
		(void)snprintf(left, sizeof(left), "the last day");
	else
		(void)snprintf(left, sizeof(left), "%lld day%s left",
			(long long)days, days == 1 ? "" : "s");
	rtls_quote(reason, sizeof(reason), exemption->reason);
	(void)printf("#   line %u: %s %s until=%.*s (%s) \"%s\"\n",
		exemption->line, rtls_quoted(&domain, exemption->domain),
		names_of(exemption->lifts, lifts), (int)exemption->until.size,
		exemption->until.data, left, reason);
}

void rtls_config_exempt_print(const struct rtls_config *config,
	const struct rtls_rules *rules,
	const struct rtls_exemptions *exemptions, int64_t now_s)
{
	const struct warnings warnings = { config, rules, exemptions, now_s };
	struct rtls_quoted path;

	if (config->exempt[0] == '\0')
		(void)puts("# no exemptions");
	else
		(void)printf("# %s: %zu exemptions\n",
			rtls_quoted(&path, rtls_slice(config->exempt)),
			exemptions->count);
	for (size_t i = 0; i < exemptions->count; i++)
		print_one(&exemptions->exemption[i], now_s);
	print_warnings(&warnings);
}

static json_t *one_json(const struct rtls_exemption *exemption, int64_t now_s)
{
	json_t *lifts = json_array();

	for (unsigned one = 1; one <= exemption->lifts; one <<= 1)
		if ((exemption->lifts & one) != 0)
			(void)json_array_append_new(
				lifts, json_string(rtls_protection_name(one)));
	return json_pack("{s:I, s:o, s:o, s:o, s:b, s:I, s:o}", "line",
		(json_int_t)exemption->line, "domain",
		rtls_verb_json(exemption->domain), "lifts", lifts, "until",
		rtls_verb_json(exemption->until), "in_force",
		!rtls_exemption_is_over(exemption, now_s), "days_left",
		(json_int_t)rtls_exemption_days_left(exemption, now_s),
		"reason", rtls_verb_json(exemption->reason));
}

json_t *rtls_config_exempt_json(const struct rtls_config *config,
	const struct rtls_exemptions *exemptions, int64_t now_s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < exemptions->count; i++)
		(void)json_array_append_new(
			list, one_json(&exemptions->exemption[i], now_s));
	return json_pack("{s:o, s:I, s:o}", "file",
		rtls_verb_json(rtls_slice(config->exempt)), "count",
		(json_int_t)exemptions->count, "exemptions", list);
}
