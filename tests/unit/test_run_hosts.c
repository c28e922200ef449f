/* test_run_hosts.c - reports on MX hosts: to whom, when and with what in them (items B1.1 and
 * B4.7). */
#include "report_world.h"

#define TLSA(domain, result)                                                   \
	LINE(domain "\ttlsa\t-\t" result "\t-\tmx.example\t-\t-\t-")
#define JOURNAL                                                                \
	TLSA("a.example", "success")                                           \
	TLSA("a.example", "success")                                           \
	TLSA("norua.example", "validation-failure")

static void hosts_make(struct world *world, const char *journal)
{
	world_make(world);
	/* ASCII, so that the words of a mail can be read as they are */
	(void)snprintf(world->config.organization,
		sizeof(world->config.organization), "Lab");
	check_journal_write(world->spool, journal);
}

static void set_places(
	struct world *world, size_t i, const char *name, const char *uri)
{
	world->other[i][0] = name;
	world->other[i][1] = uri;
}

static void check_mail(const struct world *world, const char *wanted)
{
	if (strstr(world->mail, wanted) != NULL)
		return;
	print_error("mail:\n%swanted: %s\n", world->mail, wanted);
	fail();
}

/* The host hears of all sessions, the domain of its own. */
static void test_both(void **state)
{
	struct world world;

	(void)state;
	hosts_make(&world, JOURNAL);
	set_places(&world, 0, "mx.example", "mailto:mx@mx.example");
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_int_equal(world.lookups, 3);
	assert_string_equal(world.sent, "tlsrpt@a.example mx@mx.example ");
	check_log(&world, "report for mx.example of 2026-11-20 to "
			  "mailto:mx@mx.example sent\n");
	check_mail(&world, "Subject: Report Domain: mx.example\n");
	check_mail(&world, "\nTLS-Report-Domain: mx.example\n");
	check_mail(&world, "\n2 sessions good, 1 failed.\n");
	assert_true(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	check_spool_remove(world.spool);
}

/* One report per record: what the places hear anyway is not in it. */
static void test_same_places(void **state)
{
	struct world world;

	(void)state;
	hosts_make(&world, JOURNAL);
	world.rua[1] = "mailto:b@a.example";
	set_places(&world, 0, "mx.example", "mailto:b@a.example");
	set_places(&world, 1, "mx.example", "mailto:tlsrpt@a.example");
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_string_equal(world.sent, "tlsrpt@a.example b@a.example "
					"b@a.example tlsrpt@a.example ");
	check_mail(&world, "Subject: Report Domain: mx.example\n");
	check_mail(&world, "\n0 sessions good, 1 failed.\n");
	check_spool_remove(world.spool);
}

static void test_other_places(void **state)
{
	static const char *const places[] = { "mailto:b@a.example",
		"mailto:c@a.example", "mailto:b@a.example" };
	struct world world;

	(void)state;
	/* one less, one that is another, one more */
	for (size_t i = 0; i < 3; i++) {
		hosts_make(&world, JOURNAL);
		world.rua[1] = i == 2 ? NULL : "mailto:b@a.example";
		set_places(&world, 0, "mx.example", places[i]);
		if (i > 0)
			set_places(&world, 1, "mx.example",
				"mailto:tlsrpt@a.example");
		assert_int_equal(world_run(&world, NOW), RTLS_OK);
		assert_int_equal(world.mails, i == 1 ? 4 : 3);
		check_mail(&world, "\n2 sessions good, 1 failed.\n");
		check_spool_remove(world.spool);
	}
}

/* Nothing is left: no report, once and for all. */
static void test_nothing_left(void **state)
{
	struct world world;
	struct rtls_outbox outbox;

	(void)state;
	hosts_make(&world, TLSA("a.example", "success"));
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_string_equal(world.sent, "tlsrpt@a.example ");
	check_log(&world, "no report for mx.example of 2026-11-20: its "
			  "sessions are in other reports to the same place\n");
	world_outbox(&world, "mx.example", &outbox);
	assert_false(rtls_outbox_is_open(&outbox));
	assert_true(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	check_spool_remove(world.spool);
}

/* Whether a domain gets the sessions is not known: the host waits, for a day at most. */
static void test_waits(void **state)
{
	struct world world;

	(void)state;
	hosts_make(&world, JOURNAL);
	set_places(&world, 0, "mx.example", "mailto:mx@mx.example");
	set_places(&world, 1, "a.example", "FAIL");
	for (int64_t s = 0; s < 24 * HOUR_S; s += 1800) {
		assert_int_equal(world_run(&world, NOW + s), RTLS_OK);
		assert_string_equal(world.sent, "");
		assert_int_equal(world.sums.waiting, 1);
	}
	assert_int_equal(world_run(&world, NOW + 24 * HOUR_S), RTLS_OK);
	assert_string_equal(world.sent, "mx@mx.example ");
	check_mail(&world, "\n2 sessions good, 1 failed.\n");
	check_spool_remove(world.spool);

	hosts_make(&world, JOURNAL);
	set_places(&world, 0, "a.example", "FAIL");
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_string_equal(world.sent, "");
	set_places(&world, 0, "a.example", "mailto:tlsrpt@a.example");
	assert_int_equal(world_run(&world, NOW + HOUR_S), RTLS_OK);
	assert_string_equal(world.sent, "tlsrpt@a.example tlsrpt@a.example ");
	check_mail(&world, "\n0 sessions good, 1 failed.\n");
	check_spool_remove(world.spool);
}

/* A host whose moment comes before that of its domains waits for them. */
static void test_schedule(void **state)
{
	struct world world;
	size_t sent = 0;

	(void)state;
	hosts_make(&world, JOURNAL);
	set_places(&world, 0, "mx.example", "mailto:mx@mx.example");
	for (unsigned machine = 0; machine < 8; machine++) {
		remove_outbox(&world);
		world.config.report_spread_s = 4 * 3600;
		(void)snprintf(world.config.report_host,
			sizeof(world.config.report_host), "mta%u", machine);
		for (int64_t s = 0; s <= 4 * HOUR_S; s += 900) {
			assert_int_equal(world_run(&world, TEST_NEXT_DAY_S + s),
				RTLS_OK);
			sent += world.mails;
			if (strstr(world.sent, "mx@mx.example") != NULL)
				check_mail(&world,
					"\n2 sessions good, 1 failed.\n");
		}
		assert_int_equal(sent, 2 * (machine + 1));
	}
	check_spool_remove(world.spool);
}

/* A recipient domain that is a host, too: one lookup, one report. */
static void test_host_and_domain(void **state)
{
	struct world world;

	(void)state;
	hosts_make(&world,
		JOURNAL TLSA("mx.example", "success")
			LINE("mx.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-"));
	set_places(&world, 0, "mx.example", "mailto:mx@mx.example");
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_int_equal(world.lookups, 3);
	assert_string_equal(world.sent, "tlsrpt@a.example mx@mx.example ");
	check_mail(&world, "\n4 sessions good, 1 failed.\n");
	check_mail(&world, "\nMTA-STS policy of mx.example\n");
	check_spool_remove(world.spool);
}

/* What was sent on a domain cannot be read: to its host it is not sent again. */
static void test_damaged(void **state)
{
	struct world world;
	FILE *file;
	char path[256];

	(void)state;
	hosts_make(&world, JOURNAL);
	set_places(&world, 0, "mx.example", "mailto:mx@mx.example");
	(void)snprintf(path, sizeof(path), "%s/outbox", world.spool);
	(void)mkdir(path, 0750);
	file = check_spool_file(world.spool, "outbox/" TEST_DAY, "a.example");
	(void)fputs("garbage", file);
	(void)fclose(file);
	assert_int_equal(world_run(&world, NOW), RTLS_TEMPORARY);
	assert_string_equal(world.sent, "mx@mx.example ");
	check_mail(&world, "\n0 sessions good, 1 failed.\n");
	check_spool_remove(world.spool);
}

static void test_dry_run(void **state)
{
	struct world world;
	struct stat info;
	char path[256];

	(void)state;
	hosts_make(&world, JOURNAL);
	(void)snprintf(path, sizeof(path), "%s/dry", world.spool);
	assert_int_equal(rtls_report_dry_run(&world.config, &world.options,
				 &world.outside, path, &world.err),
		RTLS_OK);
	check_log(&world, "report for mx.example of 2026-11-20: would go to "
			  "mailto:tlsrpt@a.example\n");
	(void)snprintf(
		path, sizeof(path), "%s/dry/mx.example.json", world.spool);
	assert_int_equal(stat(path, &info), 0);
	check_spool_remove(world.spool);
}

int main(void)
{
	static struct check_suite suite;

	check_add(&suite, "B1.1 a report for the domain, one for the host",
		test_both, NULL);
	check_add(&suite, "B4.7 the same places", test_same_places, NULL);
	check_add(&suite, "B4.7 other places", test_other_places, NULL);
	check_add(&suite, "B4.7 nothing left", test_nothing_left, NULL);
	check_add(&suite, "B1.1 a domain's record is not known yet", test_waits,
		NULL);
	check_add(&suite, "B1.1 B5.2 each at its moment", test_schedule, NULL);
	check_add(&suite, "B1.1 host and domain in one", test_host_and_domain,
		NULL);
	check_add(&suite, "B8.4 a damaged outbox file of a domain",
		test_damaged, NULL);
	check_add(&suite, "B6 dry run", test_dry_run, NULL);
	return check_run(&suite, "run_hosts");
}
