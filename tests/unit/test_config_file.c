/* test_config_file.c - files that have power: who may write them, and what is
 * said when they do not count. */
#include "spool_dir.h"

#include "store/config_file.h"

static char rules_buffer[RTLS_RULES_SIZE_MAX + 1];

/* base_dir is ours, mode 0700: with root as its owner it counts. */
static const char *in_base(const char *name)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "%s/%s", base_dir, name);
	return path;
}

static void write_text(const char *name, const char *text)
{
	write_file(in_base(name), text, strlen(text));
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip(); /* nothing that another user owns counts */
}

static void no_file_means_defaults(void **state)
{
	struct rtls_config config, defaults;
	struct rtls_err err;

	(void)state;
	memset(&config, 0xa5, sizeof(config));
	rtls_config_defaults(&defaults);
	assert_int_equal(
		rtls_config_load(in_base("conf"), &config, &err), RTLS_OK);
	assert_memory_equal(&config, &defaults, sizeof(config));
	memset(&config, 0xa5, sizeof(config));
	assert_int_equal(
		rtls_config_load(in_base("no/conf"), &config, &err), RTLS_OK);
	assert_memory_equal(&config, &defaults, sizeof(config));
}

static void a_file_is_read(void **state)
{
	struct rtls_config config;
	struct rtls_err err = { "" };

	(void)state;
	need_root();
	write_text("conf", "# comment\nmta_sts = no\n");
	assert_int_equal(
		rtls_config_load(in_base("conf"), &config, &err), RTLS_OK);
	assert_false(config.mta_sts);
	assert_int_equal(config.requiretls, RTLS_LEVEL_ENFORCE);
}

static void assert_not_loaded(enum rtls_status wanted, const char *words)
{
	struct rtls_config config, untouched;
	struct rtls_err err = { "" };

	memset(&config, 0xa5, sizeof(config));
	memset(&untouched, 0xa5, sizeof(untouched));
	assert_int_equal(
		rtls_config_load(in_base("conf"), &config, &err), wanted);
	assert_memory_equal(&config, &untouched, sizeof(config));
	if (strstr(err.text, words) == NULL ||
		strstr(err.text, in_base("conf")) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", err.text, words);
}

static void mistakes_have_file_and_line(void **state)
{
	(void)state;
	need_root();
	write_text("conf", "mta_sts = yes\nmta-sts = no\n");
	assert_not_loaded(RTLS_INVALID, "conf: line 2: unknown key");
	write_text("conf", "\n\nmta_sts = \x1b[1m\n");
	assert_not_loaded(RTLS_INVALID, "line 3");
	write_text("conf", "tlsrpt = yes\n");
	assert_not_loaded(RTLS_INVALID, "tlsrpt");
}

static void who_may_write_it(void **state)
{
	(void)state;
	write_text("conf", "mta_sts = no\n");
	if (geteuid() != 0) {
		assert_not_loaded(RTLS_INVALID, "does not count");
		return;
	}
	assert_int_equal(chmod(in_base("conf"), 0664), 0);
	assert_not_loaded(RTLS_INVALID, "does not count: owner 0, mode 0664");
	assert_int_equal(chmod(in_base("conf"), 0644), 0);
	assert_int_equal(chown(in_base("conf"), 65534, 65534), 0);
	assert_not_loaded(RTLS_INVALID, "does not count: owner 65534");
	assert_int_equal(chown(in_base("conf"), 0, 0), 0);
	assert_int_equal(chmod(base_dir, 01777), 0);
	assert_not_loaded(RTLS_INVALID, "directory of");
}

static void what_it_may_be(void **state)
{
	char *huge = malloc(RTLS_CONFIG_SIZE_MAX + 1);

	(void)state;
	assert_non_null(huge);
	memset(huge, '#', RTLS_CONFIG_SIZE_MAX + 1);
	assert_int_equal(mkdir(in_base("conf"), 0755), 0);
	assert_not_loaded(RTLS_INVALID, "not a regular file");
	assert_int_equal(rmdir(in_base("conf")), 0);
	assert_int_equal(symlink("/dev/null", in_base("conf")), 0);
	assert_not_loaded(RTLS_INVALID, "symbolic link");
	assert_int_equal(unlink(in_base("conf")), 0);
	assert_int_equal(mkfifo(in_base("conf"), 0644), 0);
	assert_not_loaded(RTLS_INVALID, "not a regular file");
	assert_int_equal(unlink(in_base("conf")), 0);
	write_file(in_base("conf"), huge, RTLS_CONFIG_SIZE_MAX + 1);
	free(huge);
	if (geteuid() == 0)
		assert_not_loaded(RTLS_INVALID, "larger than");
}

static enum rtls_status load_rules(
	const char *name, struct rtls_rules *rules, const char *words)
{
	struct rtls_err err = { "" };
	struct rtls_config config;
	enum rtls_status status;

	rtls_config_defaults(&config);
	if (name != NULL)
		(void)snprintf(config.rules, sizeof(config.rules), "%s",
			in_base(name));
	status = rtls_rules_load(&config, rules_buffer, rules, &err);
	if (strstr(err.text, words) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", err.text, words);
	return status;
}

static void rules_cannot_fail_open(void **state)
{
	struct rtls_rules rules = { .count = 77 };

	(void)state;
	assert_int_equal(load_rules("rules", &rules, "rules"), RTLS_INVALID);
	assert_int_equal(load_rules("no/rules", &rules, "rules"), RTLS_INVALID);
	assert_int_equal(rules.count, 77);
	rules.level_count = rules.require_count = 77;
	assert_int_equal(load_rules(NULL, &rules, ""), RTLS_OK);
	assert_int_equal(
		rules.count + rules.level_count + rules.require_count, 0);
}

static void rules_are_read(void **state)
{
	struct rtls_rules rules = { .count = 77 };

	(void)state;
	need_root();
	write_text("rules", "flag Subject *[secure]*\n# x\n"
			    "dnssec To *@bank.example SECURE\n");
	assert_int_equal(load_rules("rules", &rules, ""), RTLS_OK);
	assert_int_equal(rules.count, 2);
	assert_true(rtls_slice_is(rules.rule[0].pattern, "*[secure]*"));
	write_text("rules", "flag Subject *\nflagg Subject *\n");
	rules.count = 77;
	assert_int_equal(
		load_rules("rules", &rules, "rules: line 2"), RTLS_INVALID);
	assert_int_equal(rules.count, 77);
	assert_int_equal(chmod(in_base("rules"), 0666), 0);
	assert_int_equal(
		load_rules("rules", &rules, "does not count"), RTLS_INVALID);
}

static char exempt_buffer[RTLS_EXEMPT_SIZE_MAX + 1];

static enum rtls_status load_exempt(
	const char *name, struct rtls_exemptions *exemptions, const char *words)
{
	struct rtls_err err = { "" };
	struct rtls_config config;
	enum rtls_status status;

	rtls_config_defaults(&config);
	if (name != NULL)
		(void)snprintf(config.exempt, sizeof(config.exempt), "%s",
			in_base(name));
	status = rtls_exempt_load(&config, exempt_buffer, exemptions, &err);
	if (strstr(err.text, words) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", err.text, words);
	return status;
}

static void exemptions_that_are_not_there(void **state)
{
	static struct rtls_exemptions list = { .count = 77 };

	(void)state;
	assert_int_equal(load_exempt("exempt", &list, "exempt"), RTLS_INVALID);
	assert_int_equal(
		load_exempt("no/exempt", &list, "exempt"), RTLS_INVALID);
	assert_int_equal(list.count, 77);
	assert_int_equal(load_exempt(NULL, &list, ""), RTLS_OK);
	assert_int_equal(list.count, 0);
}

#define EXEMPT_LINE "a.example sts until=2027-01-31 \"why\"\n"

static void exemptions_are_read(void **state)
{
	static struct rtls_exemptions list = { .count = 77 };

	(void)state;
	need_root();
	write_text("exempt", "# x\n" EXEMPT_LINE);
	assert_int_equal(load_exempt("exempt", &list, ""), RTLS_OK);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.exemption[0].line, 2);
	assert_true(rtls_slice_is(list.exemption[0].reason, "why"));
	write_text("exempt", EXEMPT_LINE "a.example\n");
	list.count = 77;
	assert_int_equal(
		load_exempt("exempt", &list, "exempt: line 2"), RTLS_INVALID);
	assert_int_equal(list.count, 77);
}

/* Whoever may write it may take protection away. */
static void exemptions_count_only_when_roots(void **state)
{
	static struct rtls_exemptions list;

	(void)state;
	need_root();
	write_text("exempt", EXEMPT_LINE);
	assert_int_equal(chmod(in_base("exempt"), 0664), 0);
	assert_int_equal(load_exempt("exempt", &list,
				 "does not count: owner 0, mode 0664"),
		RTLS_INVALID);
	assert_int_equal(chmod(in_base("exempt"), 0644), 0);
	assert_int_equal(chown(in_base("exempt"), 65534, 0), 0);
	assert_int_equal(
		load_exempt("exempt", &list, "does not count: owner 65534"),
		RTLS_INVALID);
	assert_int_equal(chown(in_base("exempt"), 0, 0), 0);
	assert_int_equal(load_exempt("exempt", &list, ""), RTLS_OK);
}

static void domains_of_reports(void **state)
{
	static char buffer[RTLS_REPORTED_SIZE_MAX + 1];
	static struct rtls_reported list = { .count = 77 };
	struct rtls_config config;
	struct rtls_err err = { "" };

	(void)state;
	need_root();
	rtls_config_defaults(&config);
	(void)snprintf(config.report_domains, sizeof(config.report_domains),
		"%s", in_base("silent"));
	assert_int_equal(
		rtls_reported_load(&config, buffer, &list, &err), RTLS_INVALID);
	write_text("silent", "# x\nsilent a.example\n");
	assert_int_equal(
		rtls_reported_load(&config, buffer, &list, &err), RTLS_OK);
	assert_int_equal(list.count, 1);
	assert_false(rtls_reported_has(&list, rtls_slice("a.example")));
	assert_int_equal(chmod(in_base("silent"), 0664), 0);
	list.count = 77;
	assert_int_equal(
		rtls_reported_load(&config, buffer, &list, &err), RTLS_INVALID);
	assert_non_null(strstr(err.text, "does not count: owner 0, mode 0664"));
	assert_int_equal(chmod(in_base("silent"), 0644), 0);
	write_text("silent", "silent a.example\nloud b.example\n");
	assert_int_equal(
		rtls_reported_load(&config, buffer, &list, &err), RTLS_INVALID);
	assert_non_null(strstr(err.text, "silent: line 2: expected report"));
	assert_int_equal(list.count, 77);
	config.report_domains[0] = '\0';
	assert_int_equal(
		rtls_reported_load(&config, buffer, &list, &err), RTLS_OK);
	assert_int_equal(list.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_file_means_defaults),
		TEST(a_file_is_read),
		TEST(mistakes_have_file_and_line),
		TEST(who_may_write_it),
		TEST(what_it_may_be),
		TEST(rules_cannot_fail_open),
		TEST(rules_are_read),
		TEST(exemptions_that_are_not_there),
		TEST(exemptions_are_read),
		TEST(exemptions_count_only_when_roots),
		TEST(domains_of_reports),
	};

	return cmocka_run_group_tests_name("config_file", tests, NULL, NULL);
}
