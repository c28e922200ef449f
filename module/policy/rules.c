/* rules.c - see rules.h.
 *
 *   line     = *WSP (comment / flag / dnssec / level / require / "") *WSP eol
 *   comment  = "#" *OCTET
 *   flag     = "flag" 1*WSP field 1*WSP wildcard
 *   dnssec   = "dnssec" 1*WSP field 1*WSP wildcard [1*WSP "SECURE"]
 *   level    = "level" 1*WSP 1*domain 1*WSP name
 *   require  = "require" 1*WSP 1*domain 1*WSP ("verified" / "sts" / "dnssec")
 *   name     = "enforce" / "verified" / "opportunistic" / "disable"
 *   domain   = ALPHA / DIGIT / "-" / "." / "_" / "*" / "?"
 *   field    = 1*64(ALPHA / DIGIT / "-")
 *   wildcard = DQUOTE 1*text DQUOTE / 1*text */
#include "rules.h"

#include <string.h>

#include "field.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_field_name(struct rtls_slice name)
{
	for (size_t i = 0; i < name.size; i++)
		if (!rtls_byte_is_alnum(name.data[i]) && name.data[i] != '-')
			return false;
	return name.size >= 1 && name.size <= RTLS_FIELD_NAME_MAX;
}

/* Take the last word off when it is SECURE. In lower case too: read as part of
 * the wildcard it would silently require nothing. */
static bool take_secure(struct rtls_slice *rest)
{
	struct rtls_slice text = rtls_slice_trim(*rest);
	size_t start = text.size;

	while (start > 0 && text.data[start - 1] != ' ' &&
		text.data[start - 1] != '\t')
		start--;
	if (!rtls_slice_is_nocase(
		    rtls_slice_n(text.data + start, text.size - start),
		    "SECURE"))
		return false;
	*rest = rtls_slice_n(text.data, start);
	return true;
}

static bool parse_pattern(struct rtls_slice rest, struct rtls_slice *pattern)
{
	struct rtls_slice text = rtls_slice_trim(rest);

	if (rtls_slice_starts(text, "\"")) {
		if (text.size < 2 || text.data[text.size - 1] != '"')
			return false;
		text = rtls_slice_n(text.data + 1, text.size - 2);
	}
	for (size_t i = 0; i < text.size; i++) {
		const unsigned char byte = (unsigned char)text.data[i];

		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return false;
	}
	*pattern = text;
	return text.size != 0;
}

/* No empty label: such a name would never match. */
bool rtls_wildcard_is_domain(struct rtls_slice pattern)
{
	bool in_label = false;

	for (size_t i = 0; i < pattern.size; i++) {
		if (!rtls_byte_is_alnum(pattern.data[i]) &&
			(pattern.data[i] == '\0' ||
				strchr("-._*?", pattern.data[i]) == NULL))
			return false;
		if (pattern.data[i] == '.' && !in_label)
			return false;
		in_label = pattern.data[i] != '.';
	}
	return in_label;
}

static bool take_domain(struct rtls_slice *rest, struct rtls_slice *domain,
	struct rtls_mistake *mistake)
{
	return (rtls_slice_word(rest, domain) &&
		       rtls_wildcard_is_domain(*domain)) ||
	       rtls_mistake(mistake, RTLS_WILDCARD_EXPECTED, *domain);
}

/* Behind the word "level". */
static bool parse_level(struct rtls_slice rest, struct rtls_level_rule *rule,
	struct rtls_mistake *mistake)
{
	struct rtls_slice name;

	if (!take_domain(&rest, &rule->domain, mistake))
		return false;
	name = rtls_slice_trim(rest);
	for (unsigned i = 0; i < RTLS_LEVEL_COUNT; i++) {
		rule->level = (enum rtls_level)i;
		if (rtls_slice_is(name, rtls_level_name(rule->level)))
			return true;
	}
	return rtls_mistake(mistake,
		"enforce, verified, opportunistic or disable behind the domain",
		name);
}

/* Behind the word "require". */
static bool parse_require(struct rtls_slice rest,
	struct rtls_require_rule *rule, struct rtls_mistake *mistake)
{
	struct rtls_slice name;

	if (!take_domain(&rest, &rule->domain, mistake))
		return false;
	name = rtls_slice_trim(rest);
	rule->protection = rtls_protection_named(name);
	return (rule->protection != 0 &&
		       rule->protection != RTLS_PROTECT_REQUIRETLS) ||
	       rtls_mistake(mistake,
		       "verified, sts or dnssec behind the domain", name);
}

static bool parse_rule(struct rtls_slice line, struct rtls_rule *rule,
	struct rtls_mistake *mistake)
{
	struct rtls_slice rest = line;
	struct rtls_slice verb = { 0 };

	(void)rtls_slice_word(&rest, &verb);
	rule->flag = rtls_slice_is(verb, "flag");
	if (!rule->flag && !rtls_slice_is(verb, "dnssec"))
		return rtls_mistake(mistake,
			"\"flag\", \"dnssec\", \"level\" or \"require\"", verb);
	if (!rtls_slice_word(&rest, &rule->field) ||
		!is_field_name(rule->field))
		return rtls_mistake(mistake,
			"the name of a header field, without colon",
			rule->field);
	rule->secure = !rule->flag && rest.size != 0 && take_secure(&rest);
	return parse_pattern(rest, &rule->pattern) ||
	       rtls_mistake(mistake, "a wildcard, its quotes in pairs", rest);
}

static bool add_level(struct rtls_slice rest, unsigned number,
	struct rtls_rules *rules, struct rtls_mistake *mistake)
{
	struct rtls_level_rule rule = { .line = number };

	if (!parse_level(rest, &rule, mistake))
		return false;
	if (rules->level_count == RTLS_RULES_MAX)
		return rtls_mistake_limit(mistake, "at most 256 levels");
	rules->level[rules->level_count++] = rule;
	return true;
}

static bool add_require(struct rtls_slice rest, unsigned number,
	struct rtls_rules *rules, struct rtls_mistake *mistake)
{
	struct rtls_require_rule rule = { .line = number };

	if (!parse_require(rest, &rule, mistake))
		return false;
	if (rules->require_count == RTLS_RULES_MAX)
		return rtls_mistake_limit(mistake, "at most 256 demands");
	rules->require[rules->require_count++] = rule;
	return true;
}

static bool add_rule(struct rtls_slice line, unsigned number,
	struct rtls_rules *rules, struct rtls_mistake *mistake)
{
	struct rtls_rule rule = { .line = number };

	if (!parse_rule(line, &rule, mistake))
		return false;
	if (rules->count == RTLS_RULES_MAX)
		return rtls_mistake_limit(mistake, "at most 256 rules");
	rules->rule[rules->count++] = rule;
	return true;
}

/* One line that is no comment. */
static bool parse_line(struct rtls_slice line, unsigned number, void *out,
	struct rtls_mistake *mistake)
{
	struct rtls_rules *rules = out;
	struct rtls_slice rest = line;
	struct rtls_slice verb = { 0 };

	(void)rtls_slice_word(&rest, &verb);
	if (rtls_slice_is(verb, "level"))
		return add_level(rest, number, rules, mistake);
	if (rtls_slice_is(verb, "require"))
		return add_require(rest, number, rules, mistake);
	return add_rule(line, number, rules, mistake);
}

enum rtls_status rtls_rules_parse(
	struct rtls_slice text, struct rtls_rules *rules, struct rtls_err *err)
{
	struct rtls_rules parsed = { 0 };
	enum rtls_status status =
		rtls_mistake_find(text, parse_line, &parsed, err);

	if (status == RTLS_OK)
		*rules = parsed;
	return status;
}

/* On a mismatch only the last star is tried again, one byte further: what an
 * earlier one took does not matter any more. */
bool rtls_wildcard_matches(struct rtls_slice pattern, struct rtls_slice text)
{
	size_t p = 0;
	size_t t = 0;
	size_t behind_star = 0; /* 0: no star yet */
	size_t retry = 0;

	while (t < text.size) {
		if (p < pattern.size && pattern.data[p] == '*') {
			behind_star = ++p;
			retry = t;
		} else if (p < pattern.size &&
			   (pattern.data[p] == '?' ||
				   lower(pattern.data[p]) ==
					   lower(text.data[t]))) {
			p++;
			t++;
		} else if (behind_star != 0) {
			p = behind_star;
			t = ++retry;
		} else {
			return false;
		}
	}
	while (p < pattern.size && pattern.data[p] == '*')
		p++;
	return p == pattern.size;
}

const struct rtls_level_rule *rtls_rules_level_rule(
	const struct rtls_rules *rules, struct rtls_slice domain)
{
	for (size_t i = 0; i < rules->level_count; i++)
		if (rtls_wildcard_matches(rules->level[i].domain, domain))
			return &rules->level[i];
	return NULL;
}

enum rtls_level rtls_rules_level(const struct rtls_rules *rules,
	struct rtls_slice domain, enum rtls_level fallback)
{
	const struct rtls_level_rule *rule =
		rtls_rules_level_rule(rules, domain);

	return rule == NULL ? fallback : rule->level;
}

static bool requires_of(
	const struct rtls_require_rule *rule, struct rtls_slice domain)
{
	return rtls_wildcard_matches(rule->domain, domain);
}

const struct rtls_require_rule *rtls_rules_require_rule(
	const struct rtls_rules *rules, struct rtls_slice domain,
	unsigned protection)
{
	for (size_t i = 0; i < rules->require_count; i++)
		if (rules->require[i].protection == protection &&
			requires_of(&rules->require[i], domain))
			return &rules->require[i];
	return NULL;
}

unsigned rtls_rules_required(
	const struct rtls_rules *rules, struct rtls_slice domain)
{
	unsigned required = 0;

	for (size_t i = 0; i < rules->require_count; i++)
		if (requires_of(&rules->require[i], domain))
			required |= rules->require[i].protection;
	return required;
}

bool rtls_rule_matches(const struct rtls_rule *rule, struct rtls_slice value,
	struct rtls_slice addresses)
{
	if (value.size == 0)
		return false;
	if (rtls_wildcard_matches(rule->pattern, value))
		return true;
	while (addresses.size > 0) {
		struct rtls_slice address =
			rtls_slice_trim(rtls_slice_take(&addresses, '\n'));

		if (address.size > 0 &&
			rtls_wildcard_matches(rule->pattern, address))
			return true;
	}
	return false;
}

void rtls_rule_apply(const struct rtls_rule *rule, struct rtls_flags *flags)
{
	const enum rtls_dnssec_wish wish =
		rule->secure ? RTLS_DNSSEC_REQUIRE : RTLS_DNSSEC_REQUEST;

	if (!rule->flag) {
		if (flags->dnssec < wish)
			flags->dnssec = wish;
	} else {
		rtls_flags_set(flags, RTLS_BY_RULE);
	}
}

void rtls_rules_settle(const struct rtls_rules *rules, enum rtls_level fallback,
	struct rtls_flags *flags)
{
	if (fallback != RTLS_LEVEL_DISABLE || rules->level_count > 0 ||
		flags->by == RTLS_BY_ESMTP)
		return;
	flags->requiretls = RTLS_REQUIRETLS_NO;
	flags->by = RTLS_BY_NOTHING;
}

const char *rtls_rules_relax(struct rtls_flags *flags)
{
	if (flags->requiretls != RTLS_REQUIRETLS_NO)
		return "";
	if (flags->dnssec == RTLS_DNSSEC_REQUIRE)
		return "a rule demands DNSSEC"; /* the site's word counts */
	flags->requiretls = RTLS_REQUIRETLS_RELAXED;
	flags->by = RTLS_BY_HEADER;
	return NULL;
}
