/* test_run_options.c - what the keys of reports change about a run (items B1.8, B2.5, B9.1). */
#include "report_world.h"

#define GOOD(domain) LINE(domain "\tsts\t-\tsuccess\t-\t-\t-\t-\t-")
#define BAD(domain)  LINE(domain "\tsts\t-\tcertificate-expired\t-\t-\t-\t-\t-")
#define TLSA(domain, result)                                                   \
	LINE(domain "\ttlsa\t-\t" result "\t-\tmx.example\t-\t-\t-")

/* A world with this journal, in which each domain is asked for at an address of its own. */
static void options_make(struct world *world, const char *journal)
{
	static const char *const names[] = { "a.example", "b.example",
		"mx.example" };
	static const char *const places[] = { "mailto:a@a.example",
		"mailto:b@b.example", "mailto:mx@mx.example" };

	world_make(world);
	check_journal_write(world->spool, journal);
	/* ASCII, so that the words of a mail can be read as they are */
	(void)snprintf(world->config.organization,
		sizeof(world->config.organization), "Lab");
	for (size_t i = 0; i < COUNT(names); i++) {
		world->other[i][0] = names[i];
		world->other[i][1] = places[i];
	}
}

/* --- tlsrpt_domains ---------------------------------------------------------------- */

static char directory[64];

/* It counts only when root's. */
static void domains_make(struct world *world, const char *text)
{
	FILE *file;

	(void)snprintf(
		directory, sizeof(directory), "/tmp/rtls-domains-XXXXXX");
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(directory));
	(void)snprintf(world->config.report_domains,
		sizeof(world->config.report_domains), "%s/domains", directory);
	file = fopen(world->config.report_domains, "we");
	assert_non_null(file);
	(void)fputs(text, file);
	(void)fclose(file);
}

struct domains_row {
	const char *proves;
	const char *domains;
	const char *sent;
	size_t lookups;
	const char *on_host; /* words of the last mail, or NULL */
};

static const struct domains_row domains_rows[] = {
	{ "B9.1 a file without lines", "#\n",
		"a@a.example b@b.example mx@mx.example ", 3,
		"\n1 sessions good, 1 failed.\n" },
	{ "B9.1 a silent domain is asked nothing, and in no report",
		"silent a.*\n", "b@b.example mx@mx.example ", 2,
		"\n0 sessions good, 1 failed.\n" },
	{ "B9.1 a silent host", "silent mx.example\n",
		"a@a.example b@b.example ", 2, NULL },
	{ "B9.1 only one", "report b.example\nsilent *\n", "b@b.example ", 1,
		NULL },
	{ "B9.1 none", "silent *\n", "", 0, NULL },
};

static void test_domains(void **state)
{
	const struct domains_row *row = *state;
	struct world world;

	options_make(&world,
		TLSA("a.example", "success") TLSA("b.example", "tlsa-invalid"));
	domains_make(&world, row->domains);
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_string_equal(world.sent, row->sent);
	assert_int_equal(world.lookups, row->lookups);
	if (row->on_host != NULL)
		assert_non_null(strstr(world.mail, row->on_host));
	assert_true(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	check_spool_remove(directory);
	check_spool_remove(world.spool);
}

/* Whom it may concern is not known: nothing is sent. */
static void test_domains_broken(void **state)
{
	struct world world;

	(void)state;
	options_make(&world, GOOD("a.example"));
	domains_make(&world, "a.example\n");
	assert_int_equal(world_run(&world, NOW), RTLS_TEMPORARY);
	assert_string_equal(world.sent, "");
	assert_int_equal(world.lookups, 0);
	check_err(&world.err, "domains: line 1: expected report or silent");
	check_spool_remove(directory);
	assert_int_equal(world_run(&world, NOW), RTLS_TEMPORARY);
	check_err(&world.err, "domains");
	world.config.report_domains[0] = '\0';
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_string_equal(world.sent, "a@a.example ");
	check_spool_remove(world.spool);
}

/* --- tlsrpt_success_only ------------------------------------------------------------ */

static void test_success_only(void **state)
{
	struct world world;

	(void)state;
	options_make(
		&world, GOOD("a.example") GOOD("b.example") BAD("b.example"));
	world.config.report_success_only = false;
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_int_equal(world.lookups, 1);
	assert_string_equal(world.sent, "b@b.example ");
	assert_true(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	check_spool_remove(world.spool);
}

/* A domain without a report does not get the sessions: its host does, with failures. */
static void test_success_only_hosts(void **state)
{
	struct world world;

	(void)state;
	options_make(&world,
		TLSA("a.example", "success") TLSA("b.example", "tlsa-invalid"));
	world.config.report_success_only = false;
	world.other[0][1] = "mailto:mx@mx.example";
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_string_equal(world.sent, "b@b.example mx@mx.example ");
	assert_non_null(strstr(world.mail, "\n1 sessions good, 1 failed.\n"));
	check_spool_remove(world.spool);

	/* What is left of the host are successes. */
	options_make(&world,
		TLSA("a.example", "success") TLSA("b.example", "tlsa-invalid"));
	world.config.report_success_only = false;
	world.other[1][1] = "mailto:mx@mx.example";
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_string_equal(world.sent, "mx@mx.example ");
	assert_non_null(strstr(world.mail, "Report Domain: b.example\n"));
	assert_true(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	check_spool_remove(world.spool);

	/* None at all: nobody is asked. */
	options_make(&world, TLSA("a.example", "success"));
	world.config.report_success_only = false;
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_int_equal(world.lookups, 0);
	check_spool_remove(world.spool);
}

/* --- tlsrpt_rua ---------------------------------------------------------------------- */

static void rua_make(struct world *world)
{
	options_make(world, GOOD("a.example") GOOD("norua.example")
				    TLSA("b.example", "success"));
	world->other[3][0] = "a.example";
	world->other[3][1] = "https://a.example/";
	(void)snprintf(world->config.report_rua,
		sizeof(world->config.report_rua), "mailto:test@c.example");
}

/* Each report goes there once, and only where somebody asks for it. */
static void test_rua(void **state)
{
	struct world world;
	struct rtls_outbox outbox;

	(void)state;
	rua_make(&world);
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_string_equal(
		world.sent, "test@c.example test@c.example test@c.example ");
	check_log(&world, "report for a.example of 2026-11-20 to "
			  "mailto:a@a.example (tlsrpt_rua: "
			  "mailto:test@c.example) sent\n");
	assert_non_null(strstr(world.mail, "\nTo: test@c.example\n"));
	world_outbox(&world, "a.example", &outbox);
	assert_int_equal(outbox.to_count, 2);
	assert_int_equal(outbox.to[1].state, RTLS_DELIVERY_SENT);
	assert_string_equal(outbox.to[1].rua.uri, "https://a.example/");
	assert_true(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	check_spool_remove(world.spool);
}

static void test_rua_retry(void **state)
{
	struct world world;

	(void)state;
	rua_make(&world);
	world.deliveries_fail = true;
	for (int64_t s = 0; s < 24 * HOUR_S; s += 900) {
		assert_int_equal(world_run(&world, NOW + s), RTLS_OK);
		assert_int_equal(world.sums.deferred + world.sums.waiting, 3);
	}
	assert_int_equal(world_run(&world, NOW + 24 * HOUR_S), RTLS_OK);
	assert_int_equal(world.sums.dropped, 3);
	assert_true(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	check_spool_remove(world.spool);
}

static void test_rua_https(void **state)
{
	struct world world;

	(void)state;
	rua_make(&world);
	(void)snprintf(world.config.report_rua, sizeof(world.config.report_rua),
		"https://c.example/");
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_int_equal(world.posts, 3);
	assert_int_equal(world.mails, 0);
	check_spool_remove(world.spool);
}

static void test_rua_is_none(void **state)
{
	struct world world;

	(void)state;
	rua_make(&world);
	(void)snprintf(world.config.report_rua, sizeof(world.config.report_rua),
		"https://10.0.0.1/");
	assert_int_equal(world_run(&world, NOW), RTLS_INVALID);
	check_err(&world.err, "tlsrpt_rua: a URL whose host is no name");
	assert_int_equal(world.lookups, 0);
	check_spool_remove(world.spool);
}

static void test_rua_dry_run(void **state)
{
	struct world world;
	struct stat info;
	char path[256];

	(void)state;
	rua_make(&world);
	(void)snprintf(path, sizeof(path), "%s/dry", world.spool);
	assert_int_equal(rtls_report_dry_run(&world.config, &world.options,
				 &world.outside, path, &world.err),
		RTLS_OK);
	check_log(&world, "report for a.example of 2026-11-20: would go to "
			  "https://a.example/\n");
	check_log(&world, "report for a.example of 2026-11-20: would go, by "
			  "tlsrpt_rua, to mailto:test@c.example\n");
	(void)snprintf(path, sizeof(path), "%s/dry/a.example.eml", world.spool);
	assert_int_equal(stat(path, &info), 0);
	(void)snprintf(
		path, sizeof(path), "%s/dry/norua.example.eml", world.spool);
	assert_int_equal(stat(path, &info), -1);
	check_spool_remove(world.spool);
}

/* --- tlsrpt_max_size ------------------------------------------------------------------- */

static void test_max_size(void **state)
{
	struct world world;
	char path[256];
	FILE *file;

	(void)state;
	options_make(&world, GOOD("a.example"));
	file = check_spool_file(world.spool, "tlsrpt", TEST_DAY);
	for (unsigned i = 0; i < 200; i++)
		(void)fprintf(file,
			LINE("a.example\tsts\t-\tvalidation-failure\t-\tmx\t-"
			     "\t192.0.2.%u\treason %u"),
			i, i * i);
	(void)fclose(file);
	world.config.report_max_size_bytes = 600;
	(void)snprintf(path, sizeof(path), "%s/dry", world.spool);
	assert_int_equal(rtls_report_dry_run(&world.config, &world.options,
				 &world.outside, path, &world.err),
		RTLS_OK);
	check_log(&world, "report for a.example of 2026-11-20: trimmed\n");
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	check_log(&world, "report for a.example of 2026-11-20: trimmed to ");
	assert_string_equal(world.sent, "a@a.example ");
	assert_non_null(strstr(world.mail, "\nRare failures are added up"));
	assert_non_null(strstr(world.mail, "\n0 sessions good, 200 failed.\n"));
	check_spool_remove(world.spool);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_domains, domains_rows);
	check_add(&suite, "B9.1 a file that does not count",
		test_domains_broken, NULL);
	check_add(&suite, "B2.5 only days with failures", test_success_only,
		NULL);
	check_add(&suite, "B2.5 only hosts with failures",
		test_success_only_hosts, NULL);
	check_add(&suite, "B1.7 another place for all", test_rua, NULL);
	check_add(&suite, "B7.4 another place fails", test_rua_retry, NULL);
	check_add(&suite, "B8.1 another place by HTTPS", test_rua_https, NULL);
	check_add(&suite, "B8.4 another place that is none", test_rua_is_none,
		NULL);
	check_add(
		&suite, "B6 dry run to another place", test_rua_dry_run, NULL);
	check_add(&suite, "165 a report too large", test_max_size, NULL);
	return check_run(&suite, "run_options");
}
