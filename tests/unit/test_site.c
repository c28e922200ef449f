/* test_site.c - what a site's own two files say of one domain, in one answer. */
#include "spool_dir.h"

#include "store/site.h"

#define NOW_S 1795600000 /* 2026-11-25 */

static struct rtls_config config;

static void write_named(char *path, const char *name, const char *text)
{
	(void)snprintf(path, RTLS_CONFIG_VALUE_MAX, "%s/%s", base_dir, name);
	write_file(path, text, strlen(text));
}

static int start(void **state)
{
	if (make_spool(state) != 0)
		return -1;
	rtls_config_defaults(&config);
	config.requiretls = RTLS_LEVEL_VERIFIED;
	return 0;
}

static void look_up(const char *domain, struct rtls_site *site)
{
	struct rtls_err err = { "" };

	assert_int_equal(rtls_site_load(&config, &err), RTLS_OK);
	rtls_site_look_up(&config, domain, NOW_S, site);
}

static void no_files(void **state)
{
	struct rtls_site site;

	(void)state;
	look_up("a.example", &site);
	assert_int_equal(site.level, RTLS_LEVEL_VERIFIED);
	assert_int_equal(site.required, 0);
	assert_int_equal(site.exempt, 0);
	assert_int_equal(site.rules->count, 0);
	assert_int_equal(site.exemptions->count, 0);
}

static void both_files(void **state)
{
	struct rtls_site site;

	(void)state;
	if (geteuid() != 0)
		skip(); /* nothing that another user owns counts */
	write_named(config.rules, "rules",
		"level a.example enforce\nrequire *.example sts\n"
		"require b.example dnssec\n");
	write_named(config.exempt, "exempt",
		"a.example sts until=2026-11-25 \"x\"\n"
		"a.example dnssec until=2026-11-24 \"over\"\n");
	look_up("a.example", &site);
	assert_int_equal(site.level, RTLS_LEVEL_ENFORCE);
	assert_int_equal(site.required, RTLS_PROTECT_STS);
	assert_int_equal(site.exempt, RTLS_PROTECT_STS);
	look_up("b.example", &site);
	assert_int_equal(site.level, RTLS_LEVEL_VERIFIED);
	assert_int_equal(site.required, RTLS_PROTECT_STS | RTLS_PROTECT_DNSSEC);
	assert_int_equal(site.exempt, 0);
	assert_int_equal(site.rules->require_count, 2);
	assert_int_equal(site.exemptions->count, 2);
}

static void a_mistake_is_said(void **state)
{
	struct rtls_err err = { "" };

	(void)state;
	if (geteuid() != 0)
		skip();
	write_named(config.rules, "rules", "");
	write_named(config.exempt, "exempt", "#\nwhat\n");
	assert_int_equal(rtls_site_load(&config, &err), RTLS_INVALID);
	assert_non_null(strstr(err.text, "exempt: line 2: expected"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_files, start, remove_spool),
		cmocka_unit_test_setup_teardown(
			both_files, start, remove_spool),
		cmocka_unit_test_setup_teardown(
			a_mistake_is_said, start, remove_spool),
	};

	return cmocka_run_group_tests_name("site", tests, NULL, NULL);
}
