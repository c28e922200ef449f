/* test_setup_plan.c - what goes where in configurations of all shapes, and which are left alone. */
#include <stdio.h>

#include "check.h"
#include "tool/setup_plan.h"

/* In what is wanted, "{" and "}" are lines in place of the marks. */
#define MAIN       "{\n.include_if_exists " RTLS_STANZAS "/main.conf\n}\n"
#define ROUTERS    "{\n.include_if_exists " RTLS_STANZAS "/routers.conf\n}\n"
#define TRANSPORTS "{\n.include_if_exists " RTLS_STANZAS "/transports.conf\n}\n"
#define ACL        "{\n.include_if_exists " RTLS_STANZAS "/acl.conf\n}\n"
#define OBSERVE_MX                                                             \
	"{\n.ifdef REQUIRETLS_EVENT\n  event_action = REQUIRETLS_EVENT\n"      \
	"  multi_domain = false\n.endif\n}\n"
#define OBSERVE                                                                \
	"{\n.ifdef REQUIRETLS_EVENT\n  event_action = REQUIRETLS_EVENT\n"      \
	".endif\n}\n"

#define LOCAL  "domainlist local_domains = a.example\n"
#define LOOKUP "mx:\n  driver = dnslookup\n  transport = t\n"
#define SMTP   "t:\n  driver = smtp\n"
#define HOST   "smart:\n  driver = manualroute\n  domains = ! +local_domains\n"

#define SEES    RTLS_FINDING_GOOD
#define WARNS   RTLS_FINDING_WARNING
#define REFUSES RTLS_FINDING_BAD

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order of reading */
struct row {
	const char *proves;
	const char *text;
	struct rtls_setup_wish wish;
	const char *wanted; /* NULL: it is left alone */
	enum rtls_finding_level level;
	const char *says; /* a finding of that level, or NULL */
};

static const struct rtls_setup_wish observes = { .observes = true };

#define PLAIN(routers, transports)                                             \
	LOCAL "begin routers\n" routers "begin transports\n" transports
#define CHANGED(routers, transports)                                           \
	LOCAL MAIN "begin routers\n" routers                                   \
		   "begin transports\n" TRANSPORTS transports

static const struct row rows[] = {
	{ "the shortest", PLAIN(LOOKUP, SMTP), { .observes = true },
		CHANGED(ROUTERS LOOKUP, SMTP OBSERVE_MX), SEES,
		"before the router mx" },
	{ "nobody is observed", PLAIN(LOOKUP, SMTP), { .observes = false },
		CHANGED(ROUTERS LOOKUP, SMTP), SEES, NULL },
	{ "ACLs before it",
		LOCAL "begin acl\nrcpt:\n  accept\nbegin routers\n" LOOKUP
		      "begin transports\n" SMTP,
		{ .observes = false },
		LOCAL MAIN "begin acl\n" ACL "rcpt:\n  accept\nbegin "
			   "routers\n" ROUTERS LOOKUP
			   "begin transports\n" TRANSPORTS SMTP,
		SEES, NULL },
	{ "comments belong to what is below",
		PLAIN("l:\n  driver = accept\n\n# one\n# two\n" LOOKUP, SMTP),
		{ .observes = false },
		CHANGED("l:\n  driver = accept\n\n" ROUTERS "# one\n# "
			"two\n" LOOKUP,
			SMTP),
		SEES, NULL },
	{ "a label within a continued value is none",
		PLAIN("l:\n  driver = redirect\n  data = x\\\nmx:\\\n  # c\n  "
		      "driver = dnslookup\n" LOOKUP,
			SMTP),
		{ .observes = false },
		CHANGED("l:\n  driver = redirect\n  data = x\\\nmx:\\\n  # "
			"c\n  driver = dnslookup\n" ROUTERS LOOKUP,
			SMTP),
		SEES, NULL },
	{ "begin within a continued value is none",
		"domainlist local_domains = a \\\nbegin routers\nbegin "
		"routers\n" LOOKUP "begin transports\n" SMTP,
		{ .observes = false },
		"domainlist local_domains = a \\\nbegin routers\n" MAIN
		"begin routers\n" ROUTERS LOOKUP
		"begin transports\n" TRANSPORTS SMTP,
		SEES, NULL },
	{ "a router for some domains stays before",
		PLAIN("hub:\n  driver = manualroute\n  domains = "
		      "b.example\n" LOOKUP,
			SMTP),
		{ .observes = false },
		CHANGED("hub:\n  driver = manualroute\n  domains = "
			"b.example\n" ROUTERS LOOKUP,
			SMTP),
		WARNS, "the router hub stands before ours" },
	{ "the value may be in the next line",
		PLAIN("a:\n  driver = dnslookup\n  domains = \\\n   ! "
		      "+local_domains\n  transport = t\n",
			SMTP),
		{ .observes = false },
		CHANGED(ROUTERS
			"a:\n  driver = dnslookup\n  domains = \\\n   ! "
			"+local_domains\n  transport = t\n",
			SMTP),
		SEES, "before the router a" },
	{ "of lookups for some only, the first",
		PLAIN("a:\n  driver = dnslookup\n  domains = b.example\n",
			SMTP),
		{ .observes = false },
		CHANGED(ROUTERS
			"a:\n  driver = dnslookup\n  domains = b.example\n",
			SMTP),
		SEES, "before the router a" },
	{ "a condition comes along",
		PLAIN(".ifdef X\n" LOOKUP ".endif\n", SMTP),
		{ .observes = false },
		CHANGED(ROUTERS ".ifdef X\n" LOOKUP ".endif\n", SMTP), SEES,
		NULL },
	{ "one in the other",
		PLAIN("# c\n.ifdef X\n.ifdef Y\n.endif\n.ifndef Z\n" LOOKUP
		      ".endif\n.endif\n",
			SMTP),
		{ .observes = false },
		CHANGED(ROUTERS "# c\n.ifdef X\n.ifdef Y\n.endif\n.ifndef "
				"Z\n" LOOKUP ".endif\n.endif\n",
			SMTP),
		SEES, NULL },
	{ "behind others in a condition",
		PLAIN(".ifdef X\nl:\n  driver = accept\n" LOOKUP ".endif\n",
			SMTP),
		{ .observes = true }, NULL, REFUSES,
		"stands behind others in an .if" },
	{ "a condition around the section",
		LOCAL ".ifdef X\nbegin routers\n" LOOKUP
		      ".endif\nbegin transports\n" SMTP,
		{ .observes = true }, NULL, REFUSES, "" },
	{ "no router that sends", PLAIN("l:\n  driver = accept\n", SMTP),
		{ .observes = true }, NULL, REFUSES,
		"no router here sends to other hosts" },
	{ "it may be in a file that is included",
		PLAIN(".include /etc/routers\n", SMTP), { .observes = true },
		NULL, REFUSES, "what is included I do not change" },
	{ "no routers", LOCAL "begin transports\n" SMTP, { .observes = true },
		NULL, REFUSES, "no router here" },
	{ "no transports", LOCAL "begin routers\n" LOOKUP, { .observes = true },
		NULL, REFUSES, "\"begin transports\"" },
	{ "no local domains",
		"begin routers\n" LOOKUP "begin transports\n" SMTP,
		{ .observes = true }, NULL, REFUSES, "local_domains" },
	{ "empty", "", { .observes = true }, NULL, REFUSES, "no router here" },
	{ "by hand already",
		LOCAL ".include " RTLS_STANZAS "/main.conf\nbegin routers\n",
		{ .observes = true }, NULL, WARNS, "included by hand" },
	{ "by hand, of an earlier version",
		LOCAL
		".include /etc/exim4/requiretls/main.conf\nbegin routers\n",
		{ .observes = true }, NULL, WARNS, "included by hand" },
	/* transports */
	{ "an event_action of somebody else's stays",
		PLAIN(LOOKUP, SMTP "  event_action = ${x}\n"),
		{ .observes = true },
		CHANGED(ROUTERS LOOKUP, SMTP "  event_action = ${x}\n"), WARNS,
		"t has an event_action of somebody else" },
	{ "and so does one that is ours",
		PLAIN(LOOKUP, SMTP "  event_action = REQUIRETLS_EVENT\n"),
		{ .observes = true },
		CHANGED(ROUTERS LOOKUP,
			SMTP "  event_action = REQUIRETLS_EVENT\n"),
		SEES, "t has our event_action already" },
	{ "multi_domain is set already",
		PLAIN(LOOKUP, SMTP "  no_multi_domain\n"), { .observes = true },
		CHANGED(ROUTERS LOOKUP, SMTP OBSERVE "  no_multi_domain\n"),
		SEES, NULL },
	{ "a driver line that goes on",
		PLAIN(LOOKUP, "t:\n  driver = \\\n  smtp\n  port = 25\n"),
		{ .observes = true },
		CHANGED(ROUTERS LOOKUP, "t:\n  driver = \\\n  smtp\n" OBSERVE_MX
					"  port = 25\n"),
		SEES, NULL },
	{ "with a comment in between",
		PLAIN(LOOKUP, "t:\n  driver = \\\n# c\n  smtp\n"),
		{ .observes = true },
		CHANGED(ROUTERS LOOKUP,
			"t:\n  driver = \\\n# c\n  smtp\n" OBSERVE_MX),
		SEES, NULL },
	{ "letters do not matter",
		LOCAL "Begin Routers\n" LOOKUP "BEGIN TRANSPORTS\n" SMTP,
		{ .observes = false },
		LOCAL MAIN "Begin Routers\n" ROUTERS LOOKUP
			   "BEGIN TRANSPORTS\n" TRANSPORTS SMTP,
		SEES, NULL },
	{ "a section with something behind it",
		LOCAL "begin routers x\n" LOOKUP "begin transports\n" SMTP,
		{ .observes = true }, NULL, REFUSES, "no router here" },
	{ "LMTP is not observed", PLAIN(LOOKUP, SMTP "  protocol = lmtp\n"),
		{ .observes = true },
		CHANGED(ROUTERS LOOKUP, SMTP "  protocol = lmtp\n"), SEES,
		NULL },
	{ "two routers, one transport", PLAIN(LOOKUP LOOKUP, SMTP),
		{ .observes = true },
		CHANGED(ROUTERS LOOKUP LOOKUP, SMTP OBSERVE_MX), SEES, NULL },
	{ "a transport that is expanded",
		PLAIN("mx:\n  driver = dnslookup\n  transport = ${x}\n", SMTP),
		{ .observes = true },
		CHANGED(ROUTERS
			"mx:\n  driver = dnslookup\n  transport = ${x}\n",
			SMTP),
		WARNS, "the transport of the router mx is not to be seen" },
	/* smart hosts */
	{ "a smart host",
		PLAIN(HOST "  transport = t\n  route_list = * isp.example "
			   "byname\n",
			SMTP),
		{ .observes = true },
		LOCAL "{\n.ifndef REQUIRETLS_VIA\nREQUIRETLS_VIA = "
		      "isp.example\n.endif\n.include_if_exists " RTLS_STANZAS
		      "/main.conf\n}\nbegin routers\n" ROUTERS HOST
		      "  transport = t\n  route_list = * isp.example "
		      "byname\nbegin transports\n" TRANSPORTS SMTP OBSERVE,
		SEES, "all mail goes to isp.example" },
	{ "two, with a port and a login",
		PLAIN(HOST "  transport = t\n  route_list = * \"a.example : "
			   "b.example::587\"\n",
			SMTP "  hosts_try_auth = *\n"),
		{ .observes = false },
		LOCAL "{\n.ifndef REQUIRETLS_VIA\nREQUIRETLS_VIA = a.example : "
		      "b.example::587\n.endif\n.ifndef "
		      "REQUIRETLS_LOGIN_HOSTS\nREQUIRETLS_LOGIN_HOSTS = "
		      "*\n.endif\n.include_if_exists " RTLS_STANZAS
		      "/main.conf\n}\nbegin routers\n" ROUTERS HOST
		      "  transport = t\n  route_list = * \"a.example : "
		      "b.example::587\"\nbegin transports\n" TRANSPORTS SMTP
		      "  hosts_try_auth = *\n",
		SEES, NULL },
	{ "the port of the transport",
		PLAIN(HOST "  transport = t\n  route_list = * isp.example\n",
			SMTP "  port = 465\n  protocol = smtps\n"),
		{ .observes = false },
		LOCAL "{\n.ifndef REQUIRETLS_VIA\nREQUIRETLS_VIA = "
		      "isp.example::465\n.endif\n.ifndef "
		      "REMOTE_SMTP_SMARTHOST_PROTOCOL\n"
		      "REMOTE_SMTP_SMARTHOST_PROTOCOL = "
		      "smtps\n.endif\n.include_if_exists " RTLS_STANZAS
		      "/main.conf\n}\nbegin routers\n" ROUTERS HOST
		      "  transport = t\n  route_list = * isp.example\n"
		      "begin transports\n" TRANSPORTS SMTP
		      "  port = 465\n  protocol = smtps\n",
		SEES, NULL },
	{ "one that the site has named already",
		"REQUIRETLS_VIA = x.example\n" PLAIN(
			HOST "  transport = t\n  route_data = ${y}\n", SMTP),
		{ .observes = false },
		"REQUIRETLS_VIA = x.example\n" CHANGED(ROUTERS HOST
			"  transport = t\n  route_data = ${y}\n",
			SMTP),
		SEES, NULL },
	{ "one that is looked up",
		PLAIN(HOST "  transport = t\n  route_data = ${y}\n", SMTP),
		{ .observes = true }, NULL, REFUSES,
		"the router smart sends all mail to a smart host" },
	{ "one that is expanded",
		PLAIN(HOST "  transport = t\n  route_list = * $x\n", SMTP),
		{ .observes = true }, NULL, REFUSES, "smart host" },
	{ "several rules",
		PLAIN(HOST "  transport = t\n  route_list = * a ; * b\n", SMTP),
		{ .observes = true }, NULL, REFUSES, "smart host" },
	{ "on Debian its macro is known",
		PLAIN(HOST "  transport = t\n  route_list = * DCsmarthost\n",
			SMTP),
		{ .is_debian = true },
		CHANGED(ROUTERS HOST
			"  transport = t\n  route_list = * DCsmarthost\n",
			SMTP),
		SEES, NULL },
	/* ACLs */
	{ "flags by ACL",
		LOCAL "acl_smtp_data = data\nbegin acl\ndata:\n  accept\n"
		      "begin routers\n" LOOKUP "begin transports\n" SMTP,
		{ .by_acl = true },
		LOCAL "acl_smtp_data = data\n{\n.ifndef "
		      "REQUIRETLS_BY_ACL\nREQUIRETLS_BY_ACL = "
		      "yes\n.endif\n.include_if_exists " RTLS_STANZAS
		      "/main.conf\n.ifdef REQUIRETLS_EVENT\nacl_not_smtp = "
		      "requiretls_flag_message\n.endif\n}\nbegin acl\n" ACL
		      "data:\n{\n.ifdef REQUIRETLS_EVENT\n  require acl = "
		      "requiretls_flag_message\n.endif\n}\n  accept\n"
		      "begin routers\n" ROUTERS LOOKUP
		      "begin transports\n" TRANSPORTS SMTP,
		SEES, "flagged by ACL" },
	{ "an ACL that is not there",
		LOCAL "acl_smtp_data = ${x}\nbegin acl\nbegin routers\n" LOOKUP
		      "begin transports\n" SMTP,
		{ .by_acl = true }, NULL, REFUSES, "yours I do not" },
	{ "acl_not_smtp is taken",
		LOCAL "acl_not_smtp = x\nbegin acl\nbegin routers\n" LOOKUP
		      "begin transports\n" SMTP,
		{ .by_acl = true }, NULL, REFUSES, "yours I do not" },
};

static void put_word(char *at, const char *mark, const char *word)
{
	char *found;

	while ((found = strstr(at, mark)) != NULL) {
		memcpy(found, word, 2);
		memmove(found + 2, found + strlen(mark),
			strlen(found + strlen(mark)) + 1);
	}
}

static void check_finding(
	const struct rtls_findings *findings, const struct row *row)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->finding[i].level == row->level &&
			strstr(findings->finding[i].text, row->says) != NULL)
			return;
	for (size_t i = 0; i < findings->count; i++)
		print_error("said: %s\n", findings->finding[i].text);
	fail();
}

static void test_plan(void **state)
{
	const struct row *row = *state;
	const size_t size = strlen(row->text);
	char *copy = check_copy(rtls_slice(row->text), size);
	static struct rtls_exim_conf conf;
	static struct rtls_setup_plan plan;
	struct rtls_findings findings = { .count = 0 };
	struct rtls_text text;
	char out[16384];
	bool planned;

	assert_int_equal(rtls_exim_conf_parse(rtls_slice_n(copy, size),
				 RTLS_EXIM_MAIN, &conf),
		RTLS_OK);
	planned = rtls_setup_plan(&conf, &row->wish, &plan, &findings);
	if (row->says != NULL)
		check_finding(&findings, row);
	assert_int_equal(planned, row->wanted != NULL);
	if (planned) {
		rtls_text_init(&text, out, sizeof(out));
		assert_int_equal(rtls_setup_put(rtls_slice_n(copy, size),
					 plan.block, plan.count, &text),
			RTLS_OK);
		put_word(out, RTLS_SETUP_BEGIN, "{\n");
		put_word(out, RTLS_SETUP_END, "}\n");
		assert_string_equal(out, row->wanted);
	}
	rtls_findings_free(&findings);
	free(copy);
}

/* Cut anywhere, it is planned or refused, and can be taken out again (put does look). */
static void test_cut(void **state)
{
	const struct row *row = *state;
	const struct rtls_slice text = rtls_slice(row->text);
	static struct rtls_exim_conf conf;
	static struct rtls_setup_plan plan;
	struct rtls_text out;
	char buffer[16384];

	for (size_t size = 0; size < text.size; size++) {
		char *copy = check_copy(text, size);
		struct rtls_findings findings = { .count = 0 };

		assert_int_equal(rtls_exim_conf_parse(rtls_slice_n(copy, size),
					 RTLS_EXIM_MAIN, &conf),
			RTLS_OK);
		rtls_text_init(&out, buffer, sizeof(buffer));
		if (rtls_setup_plan(&conf, &observes, &plan, &findings))
			assert_int_not_equal(
				rtls_setup_put(rtls_slice_n(copy, size),
					plan.block, plan.count, &out),
				RTLS_NO_MEMORY);
		rtls_findings_free(&findings);
		free(copy);
	}
}

static void test_too_many(void **state)
{
	char *text = check_repeat(
		"begin routers\n", "a:\n", RTLS_EXIM_BLOCKS_MAX, "");
	char *more = check_repeat(
		"begin routers\n", "a:\n", RTLS_EXIM_BLOCKS_MAX + 1, "");
	struct rtls_exim_conf *conf = malloc(sizeof(*conf));

	(void)state;
	assert_non_null(conf);
	assert_int_equal(
		rtls_exim_conf_parse(rtls_slice(text), RTLS_EXIM_MAIN, conf),
		RTLS_OK);
	assert_int_equal(
		rtls_exim_conf_parse(rtls_slice(more), RTLS_EXIM_MAIN, conf),
		RTLS_INVALID);
	free(conf);
	free(text);
	free(more);
}

int main(void)
{
	struct check_suite suite = { .count = 0 };

	CHECK_TABLE(&suite, test_plan, rows);
	CHECK_TABLE(&suite, test_cut, rows);
	check_add(&suite, "too many routers", test_too_many, NULL);
	return check_run(&suite, "setup_plan");
}
