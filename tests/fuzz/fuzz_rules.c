/* fuzz_rules.c - the rules file, and its wildcards against its own lines. What
 * was understood is written as rules, which mean the same. */
#include <string.h>

#include "fuzz.h"
#include "policy/rules.h"

static void write_rules(const struct rtls_rules *rules, struct rtls_text *out)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rtls_rule *rule = &rules->rule[i];

		rtls_text_printf(out, "%s ", rule->flag ? "flag" : "dnssec");
		rtls_text_add(out, rule->field);
		rtls_text_add(out, rtls_slice(" \""));
		rtls_text_add(out, rule->pattern);
		rtls_text_printf(out, "\"%s\n", rule->secure ? " SECURE" : "");
	}
	for (size_t i = 0; i < rules->level_count; i++) {
		rtls_text_printf(out, "level ");
		rtls_text_add(out, rules->level[i].domain);
		rtls_text_printf(
			out, " %s\n", rtls_level_name(rules->level[i].level));
	}
	for (size_t i = 0; i < rules->require_count; i++) {
		rtls_text_printf(out, "require ");
		rtls_text_add(out, rules->require[i].domain);
		rtls_text_printf(out, " %s\n",
			rtls_protection_name(rules->require[i].protection));
	}
}

static void check_same(const struct rtls_rules *a, const struct rtls_rules *b)
{
	PROPERTY(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		PROPERTY(a->rule[i].flag == b->rule[i].flag);
		PROPERTY(a->rule[i].secure == b->rule[i].secure);
		PROPERTY(rtls_slice_equal(a->rule[i].field, b->rule[i].field));
		PROPERTY(rtls_slice_equal(
			a->rule[i].pattern, b->rule[i].pattern));
	}
	PROPERTY(a->level_count == b->level_count);
	for (size_t i = 0; i < a->level_count; i++) {
		PROPERTY(a->level[i].level == b->level[i].level);
		PROPERTY(rtls_slice_equal(
			a->level[i].domain, b->level[i].domain));
	}
	PROPERTY(a->require_count == b->require_count);
	for (size_t i = 0; i < a->require_count; i++) {
		PROPERTY(a->require[i].protection == b->require[i].protection);
		PROPERTY(rtls_slice_equal(
			a->require[i].domain, b->require[i].domain));
	}
}

static void check_rule(struct rtls_slice input, const struct rtls_rule *rule)
{
	struct rtls_flags flags = { RTLS_REQUIRETLS_NO, RTLS_BY_NOTHING,
		RTLS_DNSSEC_NO };

	PROPERTY(fuzz_inside(input, rule->field) && rule->field.size != 0);
	PROPERTY(fuzz_inside(input, rule->pattern) && rule->pattern.size != 0);
	PROPERTY(!rule->flag || !rule->secure);
	/* A wildcard matches itself: "*" is any text, "?" any byte. */
	PROPERTY(rtls_wildcard_matches(rule->pattern, rule->pattern));
	if (memchr(rule->pattern.data, '*', rule->pattern.size) == NULL)
		PROPERTY(!rtls_wildcard_matches(rule->pattern, rtls_slice("")));
	rtls_rule_apply(rule, &flags);
	PROPERTY(rule->flag == (flags.requiretls == RTLS_REQUIRETLS_YES));
	PROPERTY(rule->flag == (flags.dnssec == RTLS_DNSSEC_NO));
}

static void check_level(struct rtls_slice input, const struct rtls_rules *rules,
	const struct rtls_level_rule *rule)
{
	PROPERTY(fuzz_inside(input, rule->domain));
	PROPERTY(rule->level < RTLS_LEVEL_COUNT);
	/* Its own wildcard finds it, or one before it. */
	PROPERTY(rtls_rules_level(rules, rule->domain, RTLS_LEVEL_COUNT) !=
		 RTLS_LEVEL_COUNT);
}

static void check_require(struct rtls_slice input,
	const struct rtls_rules *rules, const struct rtls_require_rule *rule)
{
	PROPERTY(fuzz_inside(input, rule->domain));
	PROPERTY(rule->protection == RTLS_PROTECT_STS ||
		 rule->protection == RTLS_PROTECT_DNSSEC ||
		 rule->protection == RTLS_PROTECT_VERIFIED);
	PROPERTY((rtls_rules_required(rules, rule->domain) &
			 rule->protection) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtls_rules rules;
	static struct rtls_rules again;
	static char buffer[2 * RTLS_RULES_SIZE_MAX];
	const struct rtls_slice input = fuzz_input(data, size);
	struct rtls_text text;
	struct rtls_err err;

	if (rtls_rules_parse(input, &rules, &err) != RTLS_OK) {
		PROPERTY(strncmp(err.text, "line ", 5) == 0);
		return 0;
	}
	for (size_t i = 0; i < rules.count; i++)
		check_rule(input, &rules.rule[i]);
	for (size_t i = 0; i < rules.level_count; i++)
		check_level(input, &rules, &rules.level[i]);
	for (size_t i = 0; i < rules.require_count; i++)
		check_require(input, &rules, &rules.require[i]);
	rtls_text_init(&text, buffer, sizeof(buffer));
	write_rules(&rules, &text);
	if (text.overflow || text.size > RTLS_RULES_SIZE_MAX)
		return 0;
	PROPERTY(rtls_rules_parse(rtls_text_slice(&text), &again, &err) ==
		 RTLS_OK);
	check_same(&rules, &again);
	return 0;
}
