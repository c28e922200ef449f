/* test_explanation.c - what `exim-requiretls explain` makes of a record, a site's files and a
 * message: class, ends, hosts, and the places that are named. */
#include <stdio.h>

#include "check.h"
#include "store/config_file.h"
#include "tool/explanation.h"

#define NOW_S 1795600000 /* 2026-11-25T09:46:40Z */
#define FRESH "2026-11-25T10:00:00Z"
#define STALE "2026-11-25T09:00:00Z"
#define DIGEST                                                                 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define RECORD(until, dnssec, hosts, txt)                                           \
	"requiretls-record 1\ndomain a.example\nmx-answer hosts\nmx-dnssec " dnssec \
	"\nmx-until " until "\n" hosts "txt " txt "\ntxt-until " until "\n"
#define POLICY(mode, patterns)                                                 \
	"txt-id 1\nfetch ok\nfetch-id 1\npolicy-id 1\npolicy-fetched "         \
	"2026-11-25T08:00:00Z\npolicy-until 2026-12-01T08:00:00Z\n"            \
	"policy-digest " DIGEST "\npolicy-text\nversion: STSv1\nmode: " mode   \
	"\n" patterns "max_age: 518400\n"

#define MX1 "mx 10 mx1.a.example address=insecure tlsa=unknown\n"
#define MX2 "mx 20 mx2.a.example address=insecure tlsa=unknown\n"
#define DANE                                                                   \
	"mx 10 mx1.a.example address=secure tlsa=secure\n"                     \
	"tlsa mx1.a.example 3 1 1 00\n"
#define FAIL "mx 10 mx1.a.example address=secure tlsa=failed\n"

struct row {
	const char *proves;
	const char *record; /* NULL: nothing is cached */
	const char *rules;
	const char *exempt;
	bool flagged;
	bool relaxed;
	enum rtls_level level;
	/* "class stock/code patched/code mx1:yes mx2:no", then " asks unanswered/code" */
	const char *wanted;
	const char *source; /* of one of the reasons; NULL: any */
};

#define VERIFIED RTLS_LEVEL_VERIFIED
#define ENFORCE  RTLS_LEVEL_ENFORCE

static const struct row rows[] = {
	{ "nothing is known", NULL, "", "", false, false, VERIFIED,
		"unknown deliver/ deliver/ asks deliver/", "/spool/cache" },
	{ "nothing is known, flagged", NULL, "", "", true, false, VERIFIED,
		"unknown wait/4.4.3 wait/4.4.3 asks wait/4.4.3", "--flagged" },
	{ "nothing has to be known", NULL, "", "", false, true, VERIFIED,
		"relaxed deliver/ deliver/",
		"--relaxed: the header TLS-Required: No" },
	{ "plain", RECORD(FRESH, "insecure", MX1, "none"), "", "", false, false,
		VERIFIED, "plain deliver/ deliver/ mx1:yes",
		"cache record of a.example, expires in 13 minutes" },
	{ "plain, out of its time", RECORD(STALE, "insecure", MX1, "none"), "",
		"", false, false, VERIFIED,
		"plain deliver/ deliver/ mx1:yes asks deliver/",
		"cache record of a.example, expired 46 minutes ago" },
	{ "a policy",
		RECORD(FRESH, "insecure", MX1 MX2, "valid")
			POLICY("enforce", "mx: mx2.a.example\n"),
		"", "", false, false, VERIFIED,
		"enforce deliver/ deliver/ mx1:no mx2:yes",
		"cache record of a.example, fetched 106 minutes ago, expires "
		"in 5 days" },
	{ "a policy that names no host",
		RECORD(FRESH, "insecure", MX1 MX2, "valid")
			POLICY("enforce", "mx: b.example\n"),
		"", "", false, false, VERIFIED,
		"enforce wait/ wait/ mx1:no mx2:no", NULL },
	{ "the same, flagged: nothing vouches",
		RECORD(FRESH, "insecure", MX1 MX2, "valid")
			POLICY("enforce", "mx: b.example\n"),
		"", "", true, false, VERIFIED,
		"strict bounce/5.7.10 bounce/5.7.10 mx1:no mx2:no", NULL },
	{ "the same, flagged and signed: all are refused",
		RECORD(FRESH, "secure", MX1 MX2, "valid")
			POLICY("enforce", "mx: b.example\n"),
		"", "", true, false, VERIFIED,
		"strict bounce/5.7.10 bounce/5.7.10 mx1:no mx2:no", NULL },
	{ "a lookup that failed is no reason to bounce",
		RECORD(FRESH, "secure", FAIL, "none"), "", "", true, false,
		VERIFIED, "strict wait/ wait/ mx1:no", NULL },
	{ "mode testing",
		RECORD(FRESH, "insecure", MX1, "valid")
			POLICY("testing", "mx: mx2.a.example\n"),
		"", "", false, false, VERIFIED,
		"observe deliver/ deliver/ mx1:yes", NULL },
	{ "DANE", RECORD(FRESH, "secure", DANE, "none"), "", "", true, false,
		VERIFIED, "strict deliver/ deliver/ mx1:yes",
		RTLS_CONFIG_PATH ", requiretls = verified" },
	{ "the level enforce is for a patched Exim",
		RECORD(FRESH, "secure", MX1, "none"), "", "", true, false,
		ENFORCE, "strict bounce/5.7.30 deliver/ mx1:yes",
		RTLS_CONFIG_PATH ", requiretls = enforce" },
	{ "a level of its own", RECORD(FRESH, "secure", MX1, "none"),
		"#\nlevel a.example verified\n", "", true, false, ENFORCE,
		"strict deliver/ deliver/ mx1:yes", "/rules, line 2" },
	{ "a rule", RECORD(FRESH, "insecure", MX1, "none"),
		"\n\nrequire *.example dnssec\n", "", false, false, VERIFIED,
		"enforce bounce/5.7.10 bounce/5.7.10 mx1:no",
		"/rules, line 3" },
	{ "a rule beats the header", RECORD(FRESH, "insecure", MX1, "none"),
		"require a.example verified\n", "", false, true, VERIFIED,
		"enforce deliver/ deliver/ mx1:yes", "/rules, line 1" },
	{ "an exemption",
		RECORD(FRESH, "insecure", MX1, "valid")
			POLICY("enforce", "mx: mx2.a.example\n"),
		"", "a.example sts until=2026-11-25 \"x\"\n", false, false,
		VERIFIED, "observe deliver/ deliver/ mx1:yes",
		"/exempt, line 1" },
	{ "one that is over",
		RECORD(FRESH, "insecure", MX1, "valid")
			POLICY("enforce", "mx: mx2.a.example\n"),
		"", "a.example sts until=2026-11-24 \"x\"\n", false, false,
		VERIFIED, "enforce wait/ wait/ mx1:no", "/exempt, line 1" },
	{ "the field To", RECORD(FRESH, "secure", MX1, "none"),
		"flag To bob@*\n", "", false, false, VERIFIED,
		"strict deliver/ deliver/ mx1:yes", "/rules, line 1" },
	{ "a field that is not known here",
		RECORD(FRESH, "secure", MX1, "none"), "\nflag X *\n", "", false,
		false, VERIFIED, "plain deliver/ deliver/ mx1:yes",
		"/rules, line 2" },
	{ "null MX, elsewhere",
		"requiretls-record 1\ndomain a.example\nmx-answer "
		"null\nmx-dnssec insecure\nmx-until " FRESH
		"\ntxt none\ntxt-until " FRESH "\n",
		"", "", false, false, VERIFIED, "plain bounce/ bounce/", NULL },
};

static struct rtls_config config;
static struct rtls_rules rules;
static struct rtls_exemptions exemptions;
static struct rtls_known known;

/* As store/known.h and store/site.h do it. */
static void fill(const struct row *row, struct rtls_site *site)
{
	const struct rtls_slice domain = rtls_slice("a.example");
	struct rtls_err err = { "" };

	rtls_config_defaults(&config);
	config.requiretls = row->level;
	(void)snprintf(config.spool, sizeof(config.spool), "/spool");
	(void)snprintf(config.rules, sizeof(config.rules), "/rules");
	(void)snprintf(config.exempt, sizeof(config.exempt), "/exempt");
	assert_int_equal(rtls_rules_parse(rtls_slice(row->rules), &rules, NULL),
		RTLS_OK);
	assert_int_equal(rtls_exemptions_parse(
				 rtls_slice(row->exempt), &exemptions, NULL),
		RTLS_OK);
	*site = (struct rtls_site){ .level = rtls_rules_level(
					    &rules, domain, row->level),
		.required = rtls_rules_required(&rules, domain),
		.exempt = rtls_exemptions_in_force(&exemptions, domain, NOW_S),
		.rules = &rules,
		.exemptions = &exemptions };
	memset(&known, 0, sizeof(known));
	if (row->record == NULL)
		return;
	if (rtls_record_parse(rtls_slice(row->record), "a.example",
		    &known.record, &err) != RTLS_OK)
		fail_msg("%s", err.text);
	known.known = true;
	known.resolved = rtls_record_is_fresh(&known.record, NOW_S);
	assert_int_equal(rtls_known_read_policy(&known, NOW_S, NULL), RTLS_OK);
}

static void dump(
	const struct rtls_explanation *explanation, char *out, size_t out_size)
{
	struct rtls_text text;

	rtls_text_init(&text, out, out_size);
	rtls_text_printf(&text, "%s %s/%s %s/%s", explanation->class,
		rtls_outcome_name(explanation->stock.kind),
		explanation->stock.code,
		rtls_outcome_name(explanation->patched.kind),
		explanation->patched.code);
	for (size_t i = 0; i < explanation->host_count; i++)
		rtls_text_printf(&text, " %.3s:%s",
			explanation->host[i].host.data,
			explanation->host[i].use ? "yes" : "no");
	if (explanation->asks_first)
		rtls_text_printf(&text, " asks %s/%s",
			rtls_outcome_name(explanation->unanswered.kind),
			explanation->unanswered.code);
}

static bool names_source(
	const struct rtls_explanation *explanation, const char *source)
{
	for (size_t i = 0; i < explanation->reason_count; i++)
		if (strcmp(explanation->reason[i].source, source) == 0)
			return true;
	return source == NULL;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	static struct rtls_explanation explanation;
	struct rtls_site site;
	struct rtls_explain_question question = { .config = &config,
		.address = rtls_slice("bob@a.example"),
		.domain = "a.example",
		.flagged = row->flagged,
		.relaxed = row->relaxed,
		.site = &site,
		.known = &known,
		.now_s = NOW_S };
	char words[512];

	fill(row, &site);
	rtls_explain(&question, &explanation);
	dump(&explanation, words, sizeof(words));
	assert_string_equal(words, row->wanted);
	if (row->source != NULL && !names_source(&explanation, row->source)) {
		for (size_t i = 0; i < explanation.reason_count; i++)
			print_error("%s [%s]\n", explanation.reason[i].text,
				explanation.reason[i].source);
		fail();
	}
}

/* More rules than there is room for reasons; the end is still right. */
static void test_many_rules(void **state)
{
	static struct rtls_explanation explanation;
	static char text[8192];
	struct row row = { "", RECORD(FRESH, "secure", MX1, "none"), text, "",
		false, false, VERIFIED, "", NULL };
	struct rtls_site site;
	struct rtls_explain_question question = { .config = &config,
		.address = rtls_slice("bob@a.example"),
		.domain = "a.example",
		.site = &site,
		.known = &known,
		.now_s = NOW_S };
	size_t size = 0;

	(void)state;
	for (size_t i = 0; i < 200; i++)
		size += (size_t)snprintf(
			text + size, sizeof(text) - size, "flag X-%zu *\n", i);
	(void)snprintf(text + size, sizeof(text) - size, "flag To *\n");
	fill(&row, &site);
	rtls_explain(&question, &explanation);
	assert_true(explanation.reason_count < RTLS_REASONS_MAX);
	assert_int_equal(explanation.flags.by, RTLS_BY_RULE);
	assert_string_equal(explanation.class, "strict");
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "many rules", test_many_rules, NULL);
	return check_run(&suite, "explanation");
}
