/* test_rules.c - the rules file and its wildcards. */
#include "check.h"
#include "policy/rules.h"

#define DUMP_SIZE 4096
#define DIGITS_29 "12345678901234567890123456789"
#define DIGITS_58 DIGITS_29 "01234567890123456789012345678"

struct row {
	const char *proves;
	struct rtls_slice text;
	enum rtls_status status;
	const char *wanted; /* all rules as dump() writes them, or the reason */
};

static const struct row rows[] = {
	{ "an empty file", TEXT(""), RTLS_OK, "" },
	{ "comments and blank lines", TEXT("# a\n\n \t\n \t# flag x y\n#"),
		RTLS_OK, "" },
	{ "flag", TEXT("flag Subject *[secure]*"), RTLS_OK,
		"1 flag Subject <*[secure]*>\n" },
	{ "dnssec asks", TEXT("dnssec To *@bank.example\n"), RTLS_OK,
		"1 dnssec To <*@bank.example>\n" },
	{ "dnssec requires", TEXT("dnssec To *@bank.example SECURE\n"), RTLS_OK,
		"1 dnssec To <*@bank.example> SECURE\n" },
	{ "SECURE in lower case requires too",
		TEXT("dnssec To *@bank.example secure\n"), RTLS_OK,
		"1 dnssec To <*@bank.example> SECURE\n" },
	{ "SECURE is a word", TEXT("dnssec To *INSECURE\n"), RTLS_OK,
		"1 dnssec To <*INSECURE>\n" },
	{ "SECURE is the last word", TEXT("dnssec To SECURE x\n"), RTLS_OK,
		"1 dnssec To <SECURE x>\n" },
	{ "a quoted SECURE is text", TEXT("dnssec To \"a SECURE\"\n"), RTLS_OK,
		"1 dnssec To <a SECURE>\n" },
	{ "only a quoted SECURE", TEXT("dnssec To \"SECURE\" SECURE\n"),
		RTLS_OK, "1 dnssec To <SECURE> SECURE\n" },
	{ "for flag SECURE is text", TEXT("flag Subject top SECURE\n"), RTLS_OK,
		"1 flag Subject <top SECURE>\n" },
	{ "blanks inside a wildcard", TEXT("flag Subject  a \t b \t\n"),
		RTLS_OK, "1 flag Subject <a \t b>\n" },
	{ "quoted blanks stay", TEXT("flag Subject \" a \" \n"), RTLS_OK,
		"1 flag Subject < a >\n" },
	{ "quotes inside quotes", TEXT("flag Subject \"a\"b\"\n"), RTLS_OK,
		"1 flag Subject <a\"b>\n" },
	{ "quotes inside", TEXT("flag Subject a\"b\"\n"), RTLS_OK,
		"1 flag Subject <a\"b\">\n" },
	{ "# in a wildcard", TEXT("flag Subject #1\n"), RTLS_OK,
		"1 flag Subject <#1>\n" },
	{ "UTF-8", TEXT("flag Subject *gr\xc3\xbc\xc3\x9f*\n"), RTLS_OK,
		"1 flag Subject <*gr\xc3\xbc\xc3\x9f*>\n" },
	{ "several, with CRLF", TEXT("flag A b\r\n\r\n#\r\n dnssec X-1 c"),
		RTLS_OK, "1 flag A <b>\n4 dnssec X-1 <c>\n" },
	{ "a name of 64 letters", TEXT("flag " DIGITS_58 "901234 x"), RTLS_OK,
		"1 flag " DIGITS_58 "901234 <x>\n" },
	{ "levels, apart from the rules",
		TEXT("level *.a.example verified\nflag A b\n"
		     "level b.example disable"),
		RTLS_OK,
		"2 flag A <b>\n1 level <*.a.example> verified\n"
		"3 level <b.example> disable\n" },
	{ "all levels",
		TEXT("level a enforce\nlevel b\tverified \n"
		     "level ?-_* opportunistic\nlevel * disable\n"),
		RTLS_OK,
		"1 level <a> enforce\n2 level <b> verified\n"
		"3 level <?-_*> opportunistic\n4 level <*> disable\n" },
	{ "demands, apart from the rules and levels",
		TEXT("require *.a.example verified\nflag A b\n"
		     "level b.example disable\nrequire b.example\tsts \n"
		     "require b.example dnssec"),
		RTLS_OK,
		"2 flag A <b>\n3 level <b.example> disable\n"
		"1 require <*.a.example> verified\n"
		"4 require <b.example> sts\n5 require <b.example> dnssec\n" },
	{ "a demand without domain", TEXT("require"), RTLS_INVALID,
		"line 1: expected a domain" },
	{ "a demand of a domain that is none",
		TEXT("#\nrequire a@b.example sts"), RTLS_INVALID,
		"line 2: expected a domain" },
	{ "nothing is demanded", TEXT("require a.example"), RTLS_INVALID,
		"line 1: expected verified, sts or dnssec" },
	{ "an unknown demand", TEXT("require a.example enforce"), RTLS_INVALID,
		"line 1: expected verified, sts or dnssec" },
	{ "what only an exemption knows", TEXT("require a.example requiretls"),
		RTLS_INVALID, "line 1: expected verified, sts or dnssec" },
	{ "a demand in another case", TEXT("require a.example STS"),
		RTLS_INVALID, "line 1: expected verified, sts or dnssec" },
	{ "two in one line", TEXT("require a.example sts,dnssec"), RTLS_INVALID,
		"line 1: expected verified, sts or dnssec" },
	{ "more behind the demand", TEXT("require a.example sts dnssec"),
		RTLS_INVALID, "line 1: expected verified, sts or dnssec" },
	{ "a level without domain", TEXT("level"), RTLS_INVALID,
		"line 1: expected a domain" },
	{ "a domain that is none", TEXT("level a@b.example enforce"),
		RTLS_INVALID, "line 1: expected a domain" },
	{ "a domain that would never match", TEXT("level .a.example enforce"),
		RTLS_INVALID, "line 1: expected a domain" },
	{ "two dots", TEXT("level a..example enforce"), RTLS_INVALID,
		"line 1: expected a domain" },
	{ "a last dot", TEXT("level a.example. enforce"), RTLS_INVALID,
		"line 1: expected a domain" },
	{ "a U-label", TEXT("level b\xc3\xbc.example enforce"), RTLS_INVALID,
		"line 1: expected a domain" },
	{ "no level", TEXT("level a.example"), RTLS_INVALID,
		"line 1: expected enforce, verified" },
	{ "an unknown level", TEXT("level a.example enforced"), RTLS_INVALID,
		"line 1: expected enforce, verified" },
	{ "a level in another case", TEXT("level a.example Enforce"),
		RTLS_INVALID, "line 1: expected enforce, verified" },
	{ "more behind the level", TEXT("level a.example enforce x"),
		RTLS_INVALID, "line 1: expected enforce, verified" },
	{ "unknown verb", TEXT("#\nflags Subject x"), RTLS_INVALID,
		"line 2: expected \"flag\", \"dnssec\", \"level\" or \"require\"" },
	{ "verbs have a case", TEXT("Flag Subject x"), RTLS_INVALID,
		"line 1: expected \"flag\", \"dnssec\", \"level\" or \"require\"" },
	{ "no field", TEXT("flag"), RTLS_INVALID,
		"line 1: expected the name of a header field" },
	{ "a colon", TEXT("flag Subject: x"), RTLS_INVALID, "without colon" },
	{ "a name of 65 letters", TEXT("flag " DIGITS_58 "9012345 x"),
		RTLS_INVALID, "expected the name of a header field" },
	{ "no wildcard", TEXT("\n\nflag Subject\n"), RTLS_INVALID,
		"line 3: expected a wildcard" },
	{ "blank wildcard", TEXT("flag Subject \t\n"), RTLS_INVALID,
		"expected a wildcard" },
	{ "empty wildcard", TEXT("flag Subject \"\"\n"), RTLS_INVALID,
		"expected a wildcard" },
	{ "only SECURE", TEXT("dnssec To SECURE\n"), RTLS_INVALID,
		"expected a wildcard" },
	{ "open quote", TEXT("flag Subject \"a\n"), RTLS_INVALID,
		"quotes in pairs" },
	{ "only a quote", TEXT("flag Subject \"\n"), RTLS_INVALID,
		"quotes in pairs" },
	{ "junk behind the quotes", TEXT("dnssec To \"a\" SECURE x\n"),
		RTLS_INVALID, "quotes in pairs" },
	{ "NUL byte", TEXT("flag Subject a\0b\n"), RTLS_INVALID,
		"expected a wildcard" },
	{ "control character", TEXT("flag Subject a\rb\n"), RTLS_INVALID,
		"expected a wildcard" },
};

static void dump(const struct rtls_rules *rules, char out[DUMP_SIZE])
{
	struct rtls_text text;

	rtls_text_init(&text, out, DUMP_SIZE);
	for (size_t i = 0; i < rules->count; i++) {
		const struct rtls_rule *rule = &rules->rule[i];

		rtls_text_printf(&text, "%u %s ", rule->line,
			rule->flag ? "flag" : "dnssec");
		rtls_text_add(&text, rule->field);
		rtls_text_add(&text, rtls_slice(" <"));
		rtls_text_add(&text, rule->pattern);
		rtls_text_printf(&text, ">%s\n", rule->secure ? " SECURE" : "");
	}
	for (size_t i = 0; i < rules->level_count; i++) {
		rtls_text_printf(&text, "%u level <", rules->level[i].line);
		rtls_text_add(&text, rules->level[i].domain);
		rtls_text_printf(&text, "> %s\n",
			rtls_level_name(rules->level[i].level));
	}
	for (size_t i = 0; i < rules->require_count; i++) {
		rtls_text_printf(&text, "%u require <", rules->require[i].line);
		rtls_text_add(&text, rules->require[i].domain);
		rtls_text_printf(&text, "> %s\n",
			rtls_protection_name(rules->require[i].protection));
	}
	assert_false(text.overflow);
}

static enum rtls_status parse_cut(struct rtls_slice whole, size_t size,
	char dumped[DUMP_SIZE], struct rtls_err *err)
{
	static struct rtls_rules rules;
	char *copy = check_copy(whole, size);
	const struct rtls_slice text = rtls_slice_n(copy, size);
	enum rtls_status status;

	check_touch_not(&rules, sizeof(rules));
	status = rtls_rules_parse(text, &rules, err);
	if (status == RTLS_OK) {
		for (size_t i = 0; i < rules.count; i++) {
			assert_true(check_inside(text, rules.rule[i].field));
			assert_true(check_inside(text, rules.rule[i].pattern));
		}
		for (size_t i = 0; i < rules.level_count; i++)
			assert_true(check_inside(text, rules.level[i].domain));
		for (size_t i = 0; i < rules.require_count; i++)
			assert_true(
				check_inside(text, rules.require[i].domain));
		dump(&rules, dumped);
	} else {
		assert_int_equal(status, RTLS_INVALID);
		assert_true(check_is_untouched(&rules, sizeof(rules)));
		assert_int_equal(strncmp(err->text, "line ", 5), 0);
	}
	free(copy);
	return status;
}

static void test_parse(void **state)
{
	const struct row *row = *state;
	char dumped[DUMP_SIZE];
	struct rtls_err err = { "" };

	assert_int_equal(parse_cut(row->text, row->text.size, dumped, &err),
		row->status);
	if (row->status == RTLS_OK)
		assert_string_equal(dumped, row->wanted);
	else
		check_err(&err, row->wanted);
	for (size_t size = 0; size < row->text.size; size++)
		(void)parse_cut(row->text, size, dumped, &err);
}

struct limit {
	const char *proves;
	const char *line;
	const char *wanted;
};

static const struct limit limits[] = {
	{ "too many rules", "flag A b\n",
		"line 257: expected at most 256 rules" },
	{ "too many levels", "level a disable\n",
		"line 257: expected at most 256 levels" },
	{ "too many demands", "require a sts\n",
		"line 257: expected at most 256 demands" },
};

static void test_limit(void **state)
{
	const struct limit *row = *state;
	const size_t size = strlen(row->line);
	static char text[(RTLS_RULES_MAX + 1) * 32];
	static struct rtls_rules rules;
	struct rtls_err err;

	for (size_t i = 0; i <= RTLS_RULES_MAX; i++)
		memcpy(text + i * size, row->line, size);
	assert_int_equal(
		rtls_rules_parse(rtls_slice_n(text, RTLS_RULES_MAX * size),
			&rules, &err),
		RTLS_OK);
	assert_int_equal(rules.count + rules.level_count + rules.require_count,
		RTLS_RULES_MAX);
	assert_int_equal(rtls_rules_parse(rtls_slice_n(text,
						  (RTLS_RULES_MAX + 1) * size),
				 &rules, &err),
		RTLS_INVALID);
	check_err(&err, row->wanted);
}

static void test_size(void **state)
{
	static char large[RTLS_RULES_SIZE_MAX + 1];
	static struct rtls_rules rules;
	struct rtls_err err;

	(void)state;
	memset(large, '#', sizeof(large));
	assert_int_equal(rtls_rules_parse(rtls_slice_n(large, sizeof(large)),
				 &rules, &err),
		RTLS_INVALID);
	check_err(&err, "line 1: expected at most 65536 bytes");
	assert_int_equal(
		rtls_rules_parse(
			rtls_slice_n(large, sizeof(large) - 1), &rules, &err),
		RTLS_OK);
}

struct match {
	const char *proves;
	struct rtls_slice pattern;
	struct rtls_slice text;
	bool matches;
};

static const struct match matches[] = {
	{ "wildcard: equal", TEXT("abc"), TEXT("abc"), true },
	{ "wildcard: no case", TEXT("aBC"), TEXT("Abc"), true },
	{ "wildcard: whole text", TEXT("abc"), TEXT("abcd"), false },
	{ "wildcard: whole pattern", TEXT("abcd"), TEXT("abc"), false },
	{ "wildcard: both empty", TEXT(""), TEXT(""), true },
	{ "wildcard: empty pattern", TEXT(""), TEXT("a"), false },
	{ "wildcard: star alone", TEXT("*"), TEXT("anything"), true },
	{ "wildcard: star is also nothing", TEXT("*"), TEXT(""), true },
	{ "wildcard: many stars", TEXT("***"), TEXT(""), true },
	{ "wildcard: star in front", TEXT("*@bank.example"),
		TEXT("joe@bank.example"), true },
	{ "wildcard: and not behind", TEXT("*@bank.example"),
		TEXT("joe@bank.example.net"), false },
	{ "wildcard: star behind", TEXT("Re: *"), TEXT("re: x"), true },
	{ "wildcard: star inside", TEXT("a*b"), TEXT("axxb"), true },
	{ "wildcard: the last place counts", TEXT("*ab"), TEXT("abab"), true },
	{ "wildcard: second star", TEXT("*a*b"), TEXT("xaxb"), true },
	{ "wildcard: overlap is no match", TEXT("ab*ba"), TEXT("aba"), false },
	{ "wildcard: tries again", TEXT("*aab*c"), TEXT("aaabxc"), true },
	{ "wildcard: question mark", TEXT("a?c"), TEXT("abc"), true },
	{ "wildcard: question mark is one", TEXT("a?c"), TEXT("ac"), false },
	{ "wildcard: question mark behind a star", TEXT("*?"), TEXT(""),
		false },
	{ "wildcard: star and question mark", TEXT("*?b"), TEXT("bb"), true },
	{ "wildcard: brackets are text", TEXT("*[secure]*"),
		TEXT("Re: [Secure] x"), true },
	{ "wildcard: brackets are no set", TEXT("[abc]"), TEXT("a"), false },
	{ "wildcard: backslash is text", TEXT("\\*"), TEXT("\\x"), true },
	{ "wildcard: a star in the text", TEXT("a"), TEXT("*"), false },
	{ "wildcard: NUL byte", TEXT("a?b*"), TEXT("a\0b\0"), true },
	{ "wildcard: bytes above 126", TEXT("*\xc3\xbc"), TEXT("x\xc3\xbc"),
		true },
	{ "wildcard: folded header", TEXT("*secure*"), TEXT("a\n secure"),
		true },
};

/* The obvious way, to compare with: exponential, for short texts only. */
static bool matches_plainly(struct rtls_slice pattern, struct rtls_slice text)
{
	const struct rtls_slice rest = { pattern.data + 1, pattern.size - 1 };
	const struct rtls_slice next = { text.data + 1, text.size - 1 };

	if (pattern.size == 0)
		return text.size == 0;
	if (pattern.data[0] == '*')
		return matches_plainly(rest, text) ||
		       (text.size != 0 && matches_plainly(pattern, next));
	return text.size != 0 &&
	       (pattern.data[0] == '?' || pattern.data[0] == text.data[0]) &&
	       matches_plainly(rest, next);
}

static void test_match(void **state)
{
	const struct match *row = *state;
	char *pattern = check_copy(row->pattern, row->pattern.size);
	char *text = check_copy(row->text, row->text.size);

	assert_int_equal(
		rtls_wildcard_matches(rtls_slice_n(pattern, row->pattern.size),
			rtls_slice_n(text, row->text.size)),
		row->matches);
	free(pattern);
	free(text);
}

/* All patterns of up to 5 of "ab*?" against all texts of up to 5 of "ab". */
static void test_all_matches(void **state)
{
	char pattern[8];
	char text[8];

	(void)state;
	for (unsigned p = 0; p < 1U << 12; p++) {
		const size_t p_size = p >> 10 == 3 ? 5 : p >> 10;

		for (size_t i = 0; i < 5; i++)
			pattern[i] = "ab*?"[p >> (2 * i) & 3];
		for (unsigned t = 0; t < 1U << 7; t++) {
			const size_t t_size = (t >> 5) + 2;
			const struct rtls_slice a = { pattern, p_size };
			const struct rtls_slice b = { text, t_size };

			for (size_t i = 0; i < 5; i++)
				text[i] = "ab"[t >> i & 1];
			if (rtls_wildcard_matches(a, b) !=
				matches_plainly(a, b)) {
				print_error("%.*s, %.*s\n", (int)p_size,
					pattern, (int)t_size, text);
				fail();
			}
		}
	}
}

/* A recursive one would need longer than the world is old. */
static void test_effort(void **state)
{
	static char pattern[2001];
	static char text[65536];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(pattern); i++)
		pattern[i] = i % 2 == 0 ? 'a' : '*';
	pattern[sizeof(pattern) - 1] = 'b';
	memset(text, 'a', sizeof(text));
	assert_false(
		rtls_wildcard_matches(rtls_slice_n(pattern, sizeof(pattern)),
			rtls_slice_n(text, sizeof(text))));
}

struct effect {
	const char *proves;
	bool flag;
	bool secure;
	struct rtls_flags before;
	struct rtls_flags after;
};

#define PLAIN RTLS_REQUIRETLS_NO, RTLS_BY_NOTHING
#define YES   RTLS_REQUIRETLS_YES

static const struct effect effects[] = {
	{ "rule: flags", true, false, { PLAIN, RTLS_DNSSEC_NO },
		{ YES, RTLS_BY_RULE, RTLS_DNSSEC_NO } },
	{ "rule: who flagged first is kept", true, false,
		{ YES, RTLS_BY_TAG, RTLS_DNSSEC_NO },
		{ YES, RTLS_BY_TAG, RTLS_DNSSEC_NO } },
	{ "C4.4 rule: beats TLS-Required: No", true, false,
		{ RTLS_REQUIRETLS_RELAXED, RTLS_BY_HEADER, RTLS_DNSSEC_NO },
		{ YES, RTLS_BY_RULE, RTLS_DNSSEC_NO } },
	{ "rule: keeps the DNSSEC wish", true, false,
		{ PLAIN, RTLS_DNSSEC_REQUIRE },
		{ YES, RTLS_BY_RULE, RTLS_DNSSEC_REQUIRE } },
	{ "rule: asks", false, false, { PLAIN, RTLS_DNSSEC_NO },
		{ PLAIN, RTLS_DNSSEC_REQUEST } },
	{ "rule: requires", false, true, { PLAIN, RTLS_DNSSEC_REQUEST },
		{ PLAIN, RTLS_DNSSEC_REQUIRE } },
	{ "rule: takes nothing away", false, false,
		{ PLAIN, RTLS_DNSSEC_REQUIRE },
		{ PLAIN, RTLS_DNSSEC_REQUIRE } },
	{ "rule: dnssec does not flag", false, true,
		{ RTLS_REQUIRETLS_RELAXED, RTLS_BY_HEADER, RTLS_DNSSEC_NO },
		{ RTLS_REQUIRETLS_RELAXED, RTLS_BY_HEADER,
			RTLS_DNSSEC_REQUIRE } },
};

static void test_apply(void **state)
{
	const struct effect *row = *state;
	const struct rtls_rule rule = { .flag = row->flag,
		.secure = row->secure };
	struct rtls_flags flags = row->before;

	rtls_rule_apply(&rule, &flags);
	assert_int_equal(flags.requiretls, row->after.requiretls);
	assert_int_equal(flags.by, row->after.by);
	assert_int_equal(flags.dnssec, row->after.dnssec);
}

static void test_level(void **state)
{
	static struct rtls_rules rules;

	(void)state;
	assert_int_equal(
		rtls_rules_parse(
			rtls_slice("level mx.a.example disable\n"
				   "level *.A.example verified\n"
				   "level a.example enforce\n"
				   "level *.a.example opportunistic\n"),
			&rules, NULL),
		RTLS_OK);
	assert_int_equal(rtls_rules_level(&rules, rtls_slice("mx.a.example"),
				 RTLS_LEVEL_ENFORCE),
		RTLS_LEVEL_DISABLE);
	assert_int_equal(rtls_rules_level(&rules, rtls_slice("x.y.a.example"),
				 RTLS_LEVEL_ENFORCE),
		RTLS_LEVEL_VERIFIED);
	assert_int_equal(rtls_rules_level(&rules, rtls_slice("a.example"),
				 RTLS_LEVEL_DISABLE),
		RTLS_LEVEL_ENFORCE);
	assert_int_equal(rtls_rules_level(&rules, rtls_slice("b.example"),
				 RTLS_LEVEL_OPPORTUNISTIC),
		RTLS_LEVEL_OPPORTUNISTIC);
	assert_int_equal(
		rtls_rules_level_rule(&rules, rtls_slice("x.a.example"))->line,
		2);
	assert_null(rtls_rules_level_rule(&rules, rtls_slice("b.example")));
}

static void test_required(void **state)
{
	static const struct {
		const char *domain;
		unsigned required;
	} wanted[] = {
		{ "a.example", RTLS_PROTECT_VERIFIED | RTLS_PROTECT_STS },
		{ "A.Example", RTLS_PROTECT_VERIFIED | RTLS_PROTECT_STS },
		{ "mx.a.example", RTLS_PROTECT_DNSSEC },
		{ "b.example", RTLS_PROTECT_STS },
		{ "bb.example", 0 },
		{ "", 0 },
	};
	static struct rtls_rules rules;

	(void)state;
	assert_int_equal(
		rtls_rules_parse(
			rtls_slice("require a.example verified\n"
				   "level a.example disable\n"
				   "require *.a.example dnssec\n"
				   "require ?.example sts\nrequire b verified\n"
				   "require a.example sts\n"),
			&rules, NULL),
		RTLS_OK);
	for (size_t i = 0; i < COUNT(wanted); i++)
		assert_int_equal(rtls_rules_required(
					 &rules, rtls_slice(wanted[i].domain)),
			wanted[i].required);
	assert_int_equal(rtls_rules_require_rule(&rules,
				 rtls_slice("a.example"), RTLS_PROTECT_STS)
				 ->line,
		4);
	assert_null(rtls_rules_require_rule(
		&rules, rtls_slice("a.example"), RTLS_PROTECT_DNSSEC));
}

static void test_settle(void **state)
{
	static struct rtls_rules none, one;

	(void)state;
	one.level_count = 1;
	for (unsigned by = RTLS_BY_NOTHING; by <= RTLS_BY_BOUNCE; by++) {
		struct rtls_flags flags = { 0 };

		if (by != RTLS_BY_NOTHING)
			rtls_flags_set(&flags, (enum rtls_flagged_by)by);
		rtls_rules_settle(&none, RTLS_LEVEL_ENFORCE, &flags);
		assert_int_equal(flags.by, by);
		rtls_rules_settle(&one, RTLS_LEVEL_DISABLE, &flags);
		assert_int_equal(flags.by, by);
		rtls_rules_settle(&none, RTLS_LEVEL_DISABLE, &flags);
		assert_int_equal(flags.requiretls,
			by == RTLS_BY_ESMTP ? RTLS_REQUIRETLS_YES
					    : RTLS_REQUIRETLS_NO);
	}
}

static void test_relax(void **state)
{
	struct rtls_flags flags = { 0 };

	(void)state;
	assert_null(rtls_rules_relax(&flags));
	assert_int_equal(flags.requiretls, RTLS_REQUIRETLS_RELAXED);
	assert_int_equal(flags.by, RTLS_BY_HEADER);
	flags = (struct rtls_flags){ .dnssec = RTLS_DNSSEC_REQUIRE };
	assert_string_equal(rtls_rules_relax(&flags), "a rule demands DNSSEC");
	assert_int_equal(flags.requiretls, RTLS_REQUIRETLS_NO);
	rtls_flags_set(&flags, RTLS_BY_TAG);
	assert_string_equal(rtls_rules_relax(&flags), "");
	assert_int_equal(flags.requiretls, RTLS_REQUIRETLS_YES);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_parse, rows);
	CHECK_TABLE(&suite, test_limit, limits);
	check_add(&suite, "too large a file", test_size, NULL);
	CHECK_TABLE(&suite, test_match, matches);
	check_add(&suite, "wildcard: all short ones", test_all_matches, NULL);
	check_add(&suite, "wildcard: effort is bounded", test_effort, NULL);
	CHECK_TABLE(&suite, test_apply, effects);
	check_add(&suite, "level: the first that matches", test_level, NULL);
	check_add(&suite, "demands: all that match", test_required, NULL);
	check_add(&suite, "disable takes flags off", test_settle, NULL);
	check_add(&suite, "TLS-Required: No", test_relax, NULL);
	return check_run(&suite, "rules");
}
