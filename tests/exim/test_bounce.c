/* test_bounce.c - Exim's own reports: found by -E<message id> on the command
 * line, and by what the spool says of that message. The tests are run by programs
 * with such a command line, one after the other: ids of 16 characters, and of 23.
 * Linked with host.c in place of Exim. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "exim/bounce.h"
#include "exim/scan.h"
#include "host.h"

#define OLD_ID "1xUtst-000SPI-0J"
#define NEW_ID "1xUu2h-0000000002S-1WY2"

static const char *id;
static char directory[] = "/tmp/rtls-bounce-XXXXXX";

static int make_spool(void **state)
{
	char path[128];

	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/input", directory);
	if (mkdir(path, 0700) != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/input/%c", directory, id[5]);
	return mkdir(path, 0700);
}

static int remove_spool(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/input/%c", directory, id[5]);
	(void)rmdir(path);
	(void)snprintf(path, sizeof(path), "%s/input", directory);
	(void)rmdir(path);
	return rmdir(directory);
}

static void spool_path(char path[128], bool split, char kind)
{
	(void)snprintf(path, 128, "%s/input/%.*s%s-%c", directory,
		split ? 2 : 0, (const char[]){ id[5], '/', '\0' }, id, kind);
}

static void spool_write(bool split, char kind, const char *text)
{
	char path[128];
	FILE *file;

	spool_path(path, split, kind);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void spool_remove(bool split, char kind)
{
	char path[128];

	spool_path(path, split, kind);
	assert_int_equal(unlink(path), 0);
}

static int start(void **state)
{
	(void)state;
	host_reset();
	host_set("$spool_directory", directory);
	host_set("$queue_name", "");
	host_set_sender("");
	return 0;
}

#define HEAD                                                                   \
	"1-H\nroot 0 0\n<alice@lab.example>\n1795301925 0\n"                   \
	"-received_time_usec .5\n"
#define TAIL "-body_linecount 1\nXX\n1\nbob@bank.example\n\n001P Received: x\n"
#define YES  "-local_scan requiretls=yes by=tag dnssec=no\n"
#define NO   "-local_scan requiretls=no dnssec=no\n"

static const struct {
	const char *what;
	const char *spool;
	bool flagged;
} rows[] = {
	{ "not flagged", HEAD NO TAIL, false },
	{ "flagged", HEAD YES TAIL, true },
	{ "tainted", HEAD "-" YES TAIL, true },
	{ "before the module was there", HEAD TAIL, false },
	{ "another local_scan()", HEAD "-local_scan clean\n" TAIL, false },
	{ "damaged", HEAD "-local_scan requiretls=ye\n" TAIL, true },
	{ "empty", "", true },
	{ "cut off", HEAD, true },
	{ "by an ACL",
		HEAD "-aclm _requiretls_data 32\n"
		     "requiretls=yes by=rule dnssec=no\n" TAIL,
		true },
	{ "by an ACL, tainted",
		HEAD "--aclm _requiretls_data 32\n"
		     "requiretls=yes by=rule dnssec=no\n" TAIL,
		true },
	{ "not by an ACL",
		HEAD "-aclm _requiretls_data 23\n"
		     "requiretls=no dnssec=no\n" TAIL,
		false },
	{ "not known to an ACL",
		HEAD "-aclm _requiretls_data 18\nrequiretls=unknown\n" TAIL,
		true },
	{ "by an ACL, and another local_scan()",
		HEAD "-aclm _requiretls_data 32\n"
		     "requiretls=yes by=rule dnssec=no\n"
		     "-local_scan clean\n" TAIL,
		true },
	{ "local_scan() counts",
		HEAD "-aclm _requiretls_data 32\n"
		     "requiretls=yes by=rule dnssec=no\n" NO TAIL,
		false },
	{ "a variable that looks like Exim's line",
		HEAD
		"-aclm 0 40\nx\n-local_scan requiretls=no dnssec=no\n-x\n" YES
			TAIL,
		true },
	{ "a variable that looks like the other",
		HEAD
		"-aclc _x 48\n"
		"y\n-local_scan requiretls=yes by=tag dnssec=no\n-x\n" NO TAIL,
		false },
	{ "a variable with an empty line", HEAD "-aclm _x 3\na\n\n\n" YES TAIL,
		true },
	{ "a variable that is cut off", HEAD "-aclm _x 4000\na\n" NO TAIL,
		true },
	{ "a variable longer than it says", HEAD "-aclm _x 1\nab\n" NO TAIL,
		true },
	{ "a variable without a size", HEAD "-aclm _x\na\n" NO TAIL, true },
};

static void check_row(size_t i, bool split)
{
	bool flagged;

	spool_write(split, 'H', rows[i].spool);
	flagged = rtls_bounce_of_flagged();
	if (flagged != rows[i].flagged)
		print_error("%s\n", rows[i].what);
	assert_int_equal(flagged, rows[i].flagged);
	spool_remove(split, 'H');
}

static void test_spool(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_row(i, false);
		check_row(i, true);
	}
}

static void test_no_file(void **state)
{
	(void)state;
	assert_true(rtls_bounce_of_flagged());
}

static void test_sender(void **state)
{
	(void)state;
	assert_true(rtls_bounce_is_report());
	host_set_sender("alice@lab.example");
	assert_false(rtls_bounce_is_report());
	assert_false(rtls_bounce_of_flagged());
}

static void check_scan(const char *wanted, bool cut_body)
{
	struct rtls_scan scan;
	uschar *text = NULL;

	assert_ptr_equal(rtls_scan_received(&scan), host_config());
	assert_int_equal(rtls_scan_return(&text, &scan.flags), OK);
	assert_string_equal((char *)text, wanted);
	assert_int_equal(scan.cut_body, cut_body);
}

/* The label is the bounce's, whatever else would flag it. */
static void test_scan_stock(void **state)
{
	(void)state;
	host_set("$acl_m_requiretls", "yes");
	spool_write(false, 'H', HEAD YES TAIL);
	check_scan("requiretls=yes by=bounce dnssec=no", true);
	spool_write(false, 'H', HEAD NO TAIL);
	check_scan("requiretls=yes by=acl dnssec=no", false);
	spool_remove(false, 'H');
}

/* A patched Exim says by itself whether the report is flagged, and writes it
 * without the body. */
static void test_scan_patched(void **state)
{
	(void)state;
	spool_write(false, 'H', HEAD YES "-requiretls\n" TAIL);
	host_set("$requiretls", "yes");
	check_scan("requiretls=yes by=bounce dnssec=no", false);
	/* requiretls_redact_dsn: Exim knew of the flag, and left it out. */
	host_set("$requiretls", "");
	check_scan("requiretls=no dnssec=no", false);
	/* A message that was flagged before the patches were there. */
	spool_write(false, 'H', HEAD YES TAIL);
	check_scan("requiretls=yes by=bounce dnssec=no", true);
	assert_int_equal(host_flagged(), 1);
	spool_write(false, 'H', HEAD TAIL);
	check_scan("requiretls=no dnssec=no", false);
	spool_write(false, 'H', HEAD YES "-requiretls\n" TAIL);
	assert_int_equal(host_flagged(), 0);
	host_set("$requiretls", "yes");
	host_set_sender("alice@lab.example");
	check_scan("requiretls=yes by=esmtp dnssec=no", false);
	spool_remove(false, 'H');
}

static void test_open_body(void **state)
{
	static const char *const bad[] = { NULL, "", "../../../etc/passwd",
		"1xUtst-000SPI-0", "1xUtst/000SPI/0J" };
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		host_set("$message_exim_id", bad[i]);
		assert_int_equal(rtls_bounce_open_body(), -1);
	}
	host_set("$message_exim_id", id);
	assert_int_equal(rtls_bounce_open_body(), -1);
	spool_write(true, 'D', "x");
	fd = rtls_bounce_open_body();
	assert_int_equal(pwrite(fd, "y", 1, 0), 1);
	(void)close(fd);
	spool_remove(true, 'D');
	rtls_bounce_cut_body(-1);
	assert_non_null(strstr(host_log(), "stays in its bounce"));
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_spool, start),
		cmocka_unit_test_setup(test_no_file, start),
		cmocka_unit_test_setup(test_sender, start),
		cmocka_unit_test_setup(test_scan_stock, start),
		cmocka_unit_test_setup(test_scan_patched, start),
		cmocka_unit_test_setup(test_open_body, start),
	};
	char self[] = "/proc/self/exe", old_id[] = "-E" OLD_ID,
	     new_id[] = "-E" NEW_ID, bad_id[] = "-E1xUtst-000SPI-0J-";
	char *with_old[] = { argv[0], bad_id, old_id, NULL };
	char *with_new[] = { argv[0], new_id, NULL };
	int failed;

	(void)fflush(stdout);
	if (argc < 2)
		return execv(self, with_old);
	id = argv[argc - 1] + 2;
	failed = cmocka_run_group_tests(tests, make_spool, remove_spool);
	(void)fflush(stdout);
	if (failed == 0 && argc > 2)
		return execv(self, with_new);
	return failed;
}
