/* test_level.c - requiretls_level(), the main option requiretls_level of a patched
 * Exim. Linked with host.c in place of Exim. */
#include "check.h"
#include "host.h"

int requiretls_level(uschar **yield, int argc, uschar *argv[]);

#define NONE NULL /* not set: under strict_acl_vars the expansion fails */

struct row {
	const char *proves;
	const char *requiretls, *local_scan, *acl;
	const char *domain, *plan_for, *level; /* level: the plan's word */
	const char *host, *wanted;
};

#define YES "requiretls=yes by=tag dnssec=no"
#define NO  "requiretls=no dnssec=no"

static const struct row rows[] = {
	{ "unflagged, not seen by our routers", "no", NO, NONE, "a.example",
		NONE, NONE, "192.0.2.1", "disable" },
	{ "an Exim without local_scan()", "no", NONE, NONE, "a.example", NONE,
		NONE, "192.0.2.1", "disable" },
	{ "flagged, not seen", "yes", YES, NONE, "a.example", NONE, NONE,
		"192.0.2.1", "elsewhere" },
	{ "flagged by a stock Exim", "no", YES, NONE, "a.example", NONE, NONE,
		"192.0.2.1", "elsewhere" },
	{ "flagged by an ACL", "no", NONE, YES, "a.example", NONE, NONE,
		"192.0.2.1", "elsewhere" },
	{ "damaged flags", "no", "requiretls=perhaps", NONE, "a.example", NONE,
		NONE, "192.0.2.1", "elsewhere" },
	{ "the plan's word", "yes", YES, NONE, "a.example", "A.example",
		"verified", "192.0.2.1", "verified" },
	{ "the plan says nothing is needed", "yes", YES, NONE, "a.example",
		"a.example", "disable", "192.0.2.1", "disable" },
	{ "a plan without a word", "no", NO, NONE, "a.example", "a.example", "",
		"192.0.2.1", "disable" },
	{ "the flag is newer than the plan", "yes", NO, NONE, "a.example",
		"a.example", "", "192.0.2.1", "elsewhere" },
	{ "a plan for another domain", "yes", YES, NONE, "b.example",
		"a.example", "disable", "192.0.2.1", "elsewhere" },
	{ "several domains that agree", "yes", YES, NONE, "", "a.example",
		"verified", "192.0.2.1", "verified" },
	{ "this machine", "yes", YES, NONE, "a.example", NONE, NONE,
		"127.0.0.1", "disable" },
	{ "this machine, IPv6", "yes", YES, NONE, "a.example", NONE, NONE,
		"::1", "disable" },
	{ "an address that looks like it", "yes", YES, NONE, "a.example", NONE,
		NONE, "::127.0.0.1", "elsewhere" },
};

static void test_level(void **state)
{
	const struct row *row = *state;

	host_reset();
	host_set("$requiretls", row->requiretls);
	host_set("$local_scan_data", row->local_scan);
	host_set("$acl_m_requiretls_data", row->acl);
	host_set("$domain", row->domain);
	host_set("$r_requiretls_for", row->plan_for);
	host_set("${extract{requiretls}{$r_requiretls}}", row->level);
	host_set("$host_address", row->host);
	assert_string_equal(
		host_call(requiretls_level, "elsewhere"), row->wanted);
}

static void test_no_argument(void **state)
{
	(void)state;
	host_reset();
	host_set("$requiretls", "yes");
	assert_string_equal(host_call(requiretls_level, NULL), "enforce");
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_level, rows);
	check_add(&suite, "without an argument all is needed", test_no_argument,
		NULL);
	return check_run(&suite, "level");
}
