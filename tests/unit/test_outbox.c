/* test_outbox.c - no report twice, retries with growing pauses, missed days
 * (items B1.8, B5.2, B7.4, B8.3 and B8.4). The world outside is report_world.h. */
#include "report_world.h"
#include "store/file.h"

/* --- the file ---------------------------------------------------------------- */

static const char good_file[] =
	"requiretls-outbox 1\n"
	"domain a.example\n"
	"record found 2026-11-21T03:00:00Z - 1\n"
	"to sent 2026-11-21T03:00:02Z - 1 mailto:tlsrpt@a.example\n"
	"to pending 2026-11-21T03:00:03Z 2026-11-21T03:15:03Z 2 "
	"https://a.example/x?y\n"
	"to sending 2026-11-21T03:00:03Z - 3 mailto:b@a.example\n"
	"to failed - - 0 mailto:c@a.example\n";

struct file_row {
	const char *proves;
	const char *text; /* NULL: good_file */
	bool is_good;
};

static const struct file_row file_rows[] = {
	{ "B7.4 all states", NULL, true },
	{ "B7.4 no place",
		"requiretls-outbox 1\ndomain a.example\nrecord none - - 1\n",
		true },
	{ "B7.4 nothing yet",
		"requiretls-outbox 1\ndomain a.example\nrecord pending - - 0\n",
		true },
	{ "B7.4 another version",
		"requiretls-outbox 2\ndomain a.example\nrecord none - - 1\n",
		false },
	{ "B7.4 another domain",
		"requiretls-outbox 1\ndomain b.example\nrecord none - - 1\n",
		false },
	{ "B7.4 cut behind an address",
		"requiretls-outbox 1\ndomain a.example\nrecord found - - 1\n"
		"to pending - - 0 mailto:a@b.example",
		false },
	{ "B7.4 an address twice",
		"requiretls-outbox 1\ndomain a.example\nrecord found - - 1\n"
		"to sent - - 1 mailto:a@b.example\n"
		"to pending - - 0 mailto:a@b.example\n",
		false },
	{ "B7.4 an address that is none",
		"requiretls-outbox 1\ndomain a.example\nrecord found - - 1\n"
		"to sent - - 1 a@b.example\n",
		false },
	{ "B7.4 unknown state",
		"requiretls-outbox 1\ndomain a.example\nrecord found - - 1\n"
		"to lost - - 1 mailto:a@b.example\n",
		false },
	{ "B7.4 bad time",
		"requiretls-outbox 1\ndomain a.example\nrecord found x - 1\n",
		false },
	{ "B7.4 bad number",
		"requiretls-outbox 1\ndomain a.example\nrecord found - - -1\n",
		false },
	{ "B7.4 more behind the record",
		"requiretls-outbox 1\ndomain a.example\nrecord none - - 1 x\n",
		false },
	{ "B7.4 empty", "", false },
	{ "B7.4 foreign", "hello\n", false },
};

static void test_file(void **state)
{
	const struct file_row *row = *state;
	struct rtls_slice text =
		rtls_slice(row->text != NULL ? row->text : good_file);
	struct rtls_outbox outbox;
	struct rtls_err err = { "" };
	struct rtls_text again;
	char buffer[4096], *copy = check_copy(text, text.size);

	check_touch_not(&outbox, sizeof(outbox));
	assert_int_equal(rtls_outbox_parse(rtls_slice_n(copy, text.size),
				 "a.example", &outbox, &err),
		row->is_good ? RTLS_OK : RTLS_INVALID);
	free(copy);
	if (!row->is_good) {
		assert_true(check_is_untouched(&outbox, sizeof(outbox)));
		check_err(&err, "a.example");
		return;
	}
	rtls_text_init(&again, buffer, sizeof(buffer));
	rtls_outbox_format(&outbox, &again);
	assert_string_equal(buffer, text.data);
}

/* A cut file is not ours, or has fewer places: never another place. */
static void test_file_cut(void **state)
{
	struct rtls_outbox whole, cut;

	(void)state;
	assert_int_equal(rtls_outbox_parse(rtls_slice(good_file), "a.example",
				 &whole, NULL),
		RTLS_OK);
	for (size_t size = 0; size < sizeof(good_file) - 1; size++) {
		char *copy = check_copy(rtls_slice(good_file), size);
		enum rtls_status status = rtls_outbox_parse(
			rtls_slice_n(copy, size), "a.example", &cut, NULL);

		free(copy);
		if (status != RTLS_OK)
			continue;
		assert_int_equal(cut.record, RTLS_RECORD_FOUND);
		assert_true(cut.to_count < whole.to_count);
		for (size_t i = 0; i < cut.to_count; i++)
			assert_string_equal(
				cut.to[i].rua.uri, whole.to[i].rua.uri);
	}
}

static void test_names(void **state)
{
	static const char *const bad[][2] = { { "2026-11-31", "a.example" },
		{ "../x", "a.example" }, { TEST_DAY, "../../etc/passwd" },
		{ TEST_DAY, "A.example" }, { TEST_DAY, "" },
		{ TEST_DAY, ".hidden" }, { TEST_DAY, "a/b" } };
	struct rtls_outbox outbox;
	char spool[64];

	(void)state;
	check_spool_make(spool);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(rtls_outbox_get(spool, bad[i][0], bad[i][1],
					 &outbox, NULL),
			RTLS_BUG);
		rtls_outbox_init(&outbox, bad[i][1]);
		assert_int_equal(
			rtls_outbox_put(spool, bad[i][0], &outbox, NULL),
			RTLS_BUG);
	}
	check_spool_remove(spool);
}

/* The fullest outbox there can be fits its file. */
static void test_full(void **state)
{
	struct rtls_outbox outbox, again;
	struct rtls_rua rua = { .kind = RTLS_RUA_HTTPS };
	char spool[64];

	(void)state;
	check_spool_make(spool);
	rtls_outbox_init(&outbox, "a.example");
	memset(rua.uri, 'x', sizeof(rua.uri) - 1);
	memcpy(rua.uri, "https://x.example/", 18);
	for (size_t i = 0; i < RTLS_TLSRPT_RUA_MAX; i++) {
		rua.uri[8] = (char)('a' + i);
		assert_true(rtls_outbox_add(&outbox, &rua));
		assert_false(rtls_outbox_add(&outbox, &rua));
		outbox.to[i].tries =
			(struct rtls_tries){ NOW, NOW + 86400, 1000000 };
	}
	rua.uri[8] = 'Z';
	assert_false(rtls_outbox_add(&outbox, &rua));
	assert_int_equal(
		rtls_outbox_put(spool, TEST_DAY, &outbox, NULL), RTLS_OK);
	assert_int_equal(
		rtls_outbox_get(spool, TEST_DAY, "a.example", &again, NULL),
		RTLS_OK);
	assert_int_equal(again.to_count, RTLS_TLSRPT_RUA_MAX);
	check_spool_remove(spool);
}

/* 15, 30, 60 ... minutes, the last try at 24 hours. */
static void test_back_off(void **state)
{
	static const int64_t after_s[] = { 0, 900, 2700, 6300, 13500, 27900,
		56700, 86400 };
	struct rtls_tries tries = { .count = 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(after_s); i++) {
		assert_true(rtls_tries_is_due(&tries, NOW + after_s[i]));
		if (after_s[i] > 0)
			assert_false(rtls_tries_is_due(
				&tries, NOW + after_s[i] - 1));
		rtls_tries_begin(&tries, NOW + after_s[i]);
		assert_int_equal(rtls_tries_fail(&tries, NOW + after_s[i]),
			i + 1 < COUNT(after_s));
	}
	assert_int_equal(tries.count, COUNT(after_s));
	assert_int_equal(tries.first_s, NOW);
	/* A clock that was far ahead must not silence us for years. */
	tries.next_s = NOW + 2 * 86400;
	assert_true(rtls_tries_is_due(&tries, NOW));
}

static void test_day(void **state)
{
	char spool[64], path[256];

	(void)state;
	check_spool_make(spool);
	assert_false(rtls_outbox_day_is_done(spool, TEST_DAY));
	assert_int_equal(
		rtls_outbox_day_finish(spool, TEST_DAY, NULL), RTLS_OK);
	assert_true(rtls_outbox_day_is_done(spool, TEST_DAY));
	assert_false(rtls_outbox_day_is_done(spool, "2026-11-21"));
	assert_false(rtls_outbox_day_is_done(spool, "../outbox/" TEST_DAY));
	assert_int_equal(rtls_outbox_day_finish(spool, "../x", NULL), RTLS_BUG);
	(void)snprintf(
		path, sizeof(path), "%s/outbox/%s/.done", spool, TEST_DAY);
	assert_int_equal(
		rtls_file_replace(spool, path, rtls_slice("?"), NULL), RTLS_OK);
	assert_false(rtls_outbox_day_is_done(spool, TEST_DAY));
	check_spool_remove(spool);
}

/* --- runs ------------------------------------------------------------------------------ */

static void test_once(void **state)
{
	struct world world;

	(void)state;
	world_make(&world);
	world.rua[1] = "https://a.example/tlsrpt";
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_string_equal(
		world.sent, "tlsrpt@a.example https://a.example/tlsrpt ");
	assert_int_equal(world.sums.sent, 2);
	check_log(&world, "report for a.example of 2026-11-20 to "
			  "mailto:tlsrpt@a.example sent\n");
	for (int64_t hours = 0; hours < 24 * 9; hours += 5) {
		assert_int_equal(
			world_run(&world, NOW + hours * HOUR_S), RTLS_OK);
		assert_string_equal(world.sent, "");
		assert_string_equal(world.log, "");
		assert_int_equal(world.lookups, 0);
	}
	check_spool_remove(world.spool);
}

static void test_domains(void **state)
{
	struct world world;
	FILE *file;

	(void)state;
	world_make(&world);
	file = check_spool_file(world.spool, "tlsrpt", TEST_DAY);
	for (unsigned i = 0; i < 40; i++)
		(void)fprintf(file,
			LINE("d%02u.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-"),
			i);
	(void)fputs(
		LINE("norua.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-"), file);
	(void)fclose(file);
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_int_equal(world.lookups, 41);
	assert_int_equal(world.mails, 40);
	assert_int_equal(world.sums.unwanted, 1);
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_int_equal(world.lookups, 0);
	assert_int_equal(world.mails, 0);
	check_spool_remove(world.spool);
}

static void test_retry(void **state)
{
	struct world world;
	struct rtls_outbox outbox;
	size_t tries = 0;

	(void)state;
	world_make(&world);
	world.deliveries_fail = true;
	for (int64_t s = 0; s < 48 * HOUR_S; s += 300) {
		assert_int_equal(world_run(&world, NOW + s), RTLS_OK);
		tries += world.mails;
		assert_int_equal(
			world.sums.deferred + world.sums.dropped, world.mails);
		if (s == 300)
			assert_int_equal(world.sums.waiting, 1);
		if (world.sums.dropped > 0)
			check_log(&world, "dropped after 24 hours: unwilling");
		else if (world.mails > 0)
			check_log(&world, "deferred: unwilling; next try 2026");
	}
	assert_int_equal(tries, 8);
	world_outbox(&world, "a.example", &outbox);
	assert_int_equal(outbox.to[0].state, RTLS_DELIVERY_FAILED);
	assert_false(rtls_outbox_is_open(&outbox));
	check_spool_remove(world.spool);
}

static void test_retry_succeeds(void **state)
{
	struct world world;

	(void)state;
	world_make(&world);
	world.rua[1] = "https://a.example/tlsrpt";
	world.deliveries_fail = true;
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	world.deliveries_fail = false;
	assert_int_equal(world_run(&world, NOW + 899), RTLS_OK);
	assert_string_equal(world.sent, "");
	assert_int_equal(world_run(&world, NOW + 900), RTLS_OK);
	assert_string_equal(
		world.sent, "tlsrpt@a.example https://a.example/tlsrpt ");
	assert_int_equal(world.lookups, 0);
	check_spool_remove(world.spool);
}

static void test_lookup_fails(void **state)
{
	struct world world;
	size_t asked = 0;

	(void)state;
	world_make(&world);
	world.lookups_fail = true;
	for (int64_t s = 0; s < 48 * HOUR_S; s += 300) {
		assert_int_equal(world_run(&world, NOW + s), RTLS_OK);
		asked += world.lookups;
		assert_int_equal(world.mails, 0);
	}
	assert_int_equal(asked, 8);
	check_spool_remove(world.spool);
	world_make(&world);
	world.lookups_fail = true;
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	check_log(&world, "deferred: no answer for _smtp._tls.a.example: "
			  "SERVFAIL");
	world.lookups_fail = false;
	assert_int_equal(world_run(&world, NOW + 900), RTLS_OK);
	assert_int_equal(world.mails, 1);
	check_spool_remove(world.spool);
}

/* Without a resolver nothing is asked, and nothing counts as a try. */
static void test_no_resolver(void **state)
{
	struct world world;

	(void)state;
	world_make(&world);
	world.no_resolver = true;
	for (int64_t days = 0; days < 3; days++) {
		assert_int_equal(world_run(&world, NOW + days * 24 * HOUR_S),
			RTLS_TEMPORARY);
		check_err(&world.err, "no resolver");
	}
	world.no_resolver = false;
	assert_int_equal(world_run(&world, NOW + 72 * HOUR_S), RTLS_OK);
	assert_int_equal(world.mails, 1);
	check_spool_remove(world.spool);
}

/* --- crashes ---------------------------------------------------------------------------- */

static void copy_outbox(const char *from_spool, const char *to_spool)
{
	struct rtls_outbox outbox;

	assert_int_equal(rtls_outbox_get(from_spool, TEST_DAY, "a.example",
				 &outbox, NULL),
		RTLS_OK);
	assert_int_equal(
		rtls_outbox_put(to_spool, TEST_DAY, &outbox, NULL), RTLS_OK);
}

static struct world *survivor;

/* The state of the disk at the moment of delivery, as another machine finds it. */
static void take_snapshot(struct world *world)
{
	copy_outbox(world->spool, survivor->spool);
}

static void test_crash(void **state)
{
	struct world world, after;
	struct rtls_outbox outbox;

	(void)state;
	world_make(&world);
	world_make(&after);
	survivor = &after;
	world.rua[1] = "https://a.example/tlsrpt";
	after.rua[1] = world.rua[1];
	world.meanwhile = take_snapshot;
	/* The crash comes in the middle of the last delivery, the second. */
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	world_outbox(&after, "a.example", &outbox);
	assert_int_equal(outbox.to[0].state, RTLS_DELIVERY_SENT);
	assert_int_equal(outbox.to[1].state, RTLS_DELIVERY_SENDING);
	assert_int_equal(world_run(&after, NOW + 60), RTLS_OK);
	assert_string_equal(after.sent, "");
	assert_int_equal(after.sums.dropped, 1);
	check_log(&after, "to https://a.example/tlsrpt dropped: a run was "
			  "interrupted while sending");
	assert_int_equal(world_run(&after, NOW + 24 * HOUR_S), RTLS_OK);
	assert_string_equal(after.sent, "");
	assert_string_equal(after.log, "");
	check_spool_remove(world.spool);
	check_spool_remove(after.spool);
}

/* A crash before the first byte was noted down: everything is still to be sent. */
static void test_crash_before(void **state)
{
	struct world world;
	struct rtls_outbox outbox;

	(void)state;
	world_make(&world);
	world_outbox(&world, "a.example", &outbox);
	outbox.record = RTLS_RECORD_FOUND;
	outbox.to_count = 1;
	assert_int_equal(rtls_rua_parse(rtls_slice("mailto:x@a.example"),
				 &outbox.to[0].rua, NULL),
		RTLS_OK);
	assert_int_equal(
		rtls_outbox_put(world.spool, TEST_DAY, &outbox, NULL), RTLS_OK);
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	/* to the address of then, though DNS says another one now */
	assert_string_equal(world.sent, "x@a.example ");
	check_spool_remove(world.spool);
}

/* A file where the directory should be: no state can be written. */
static void test_disk_fails(void **state)
{
	struct world world;
	char path[256];
	FILE *file;

	(void)state;
	world_make(&world);
	(void)snprintf(path, sizeof(path), "%s/outbox", world.spool);
	file = fopen(path, "we");
	assert_non_null(file);
	(void)fclose(file);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(world_run(&world, NOW), RTLS_TEMPORARY);
		assert_int_equal(world.mails, 0);
		assert_true(world.err.text[0] != '\0');
	}
	remove_outbox(&world);
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_int_equal(world.mails, 1);
	check_spool_remove(world.spool);
}

static void move_outbox(struct world *world, bool away)
{
	char path[256], other[256];

	(void)snprintf(path, sizeof(path), "%s/outbox", world->spool);
	(void)snprintf(other, sizeof(other), "%s/away", world->spool);
	if (away) {
		assert_int_equal(rename(path, other), 0);
		(void)fclose(check_spool_file(world->spool, ".", "outbox"));
	} else {
		assert_int_equal(remove(path), 0);
		assert_int_equal(rename(other, path), 0);
	}
}

static unsigned logged;

/* The log: the first place "sent", its state not written, that of the second
 * place not written; then the outbox is back. */
static void bring_disk_back(struct world *world)
{
	if (++logged == 3)
		move_outbox(world, false);
}

static void take_disk_away(struct world *world)
{
	if (logged++ == 0)
		move_outbox(world, true);
	logged = 0;
	world->meanwhile = NULL;
	world->on_log = bring_disk_back;
}

/* The disk fails while the first of three places is served: the second one is not, and
 * is still to be served later; the first, of which the disk says "sending", never again. */
static void test_disk_fails_midway(void **state)
{
	struct world world;

	(void)state;
	world_make(&world);
	world.rua[1] = "mailto:b@a.example";
	world.rua[2] = "mailto:c@a.example";
	logged = 0;
	world.meanwhile = take_disk_away;
	assert_int_equal(world_run(&world, NOW), RTLS_TEMPORARY);
	assert_string_equal(world.sent, "tlsrpt@a.example c@a.example ");
	world.on_log = NULL;
	assert_int_equal(world_run(&world, NOW + 60), RTLS_OK);
	assert_string_equal(world.sent, "b@a.example ");
	assert_int_equal(world.sums.dropped, 0);
	check_spool_remove(world.spool);
}

/* The log: "sent", then that this could not be noted down. */
static void bring_disk_back_soon(struct world *world)
{
	if (++logged == 2)
		move_outbox(world, false);
}

static void take_disk_away_once(struct world *world)
{
	move_outbox(world, true);
	logged = 0;
	world->meanwhile = NULL;
	world->on_log = bring_disk_back_soon;
}

/* The disk fails while the only place is served: the day is not done, since the disk says
 * "sending", which the next run has to give up. */
static void test_disk_fails_last(void **state)
{
	struct world world;

	(void)state;
	world_make(&world);
	world.meanwhile = take_disk_away_once;
	assert_int_equal(world_run(&world, NOW), RTLS_TEMPORARY);
	assert_string_equal(world.sent, "tlsrpt@a.example ");
	assert_false(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	world.on_log = NULL;
	assert_int_equal(world_run(&world, NOW + 60), RTLS_OK);
	assert_string_equal(world.sent, "");
	assert_int_equal(world.sums.dropped, 1);
	assert_true(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	check_spool_remove(world.spool);
}

static void test_damaged(void **state)
{
	struct world world;
	char path[256];

	(void)state;
	world_make(&world);
	world.deliveries_fail = true;
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	world.deliveries_fail = false;
	(void)snprintf(path, sizeof(path), "%s/outbox/%s/a.example",
		world.spool, TEST_DAY);
	assert_int_equal(rtls_file_replace(world.spool, path,
				 rtls_slice("garbage"), NULL),
		RTLS_OK);
	assert_int_equal(world_run(&world, NOW + HOUR_S), RTLS_TEMPORARY);
	assert_string_equal(world.sent, "");
	assert_false(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	check_log(&world, "a.example does not parse: nothing is sent");
	check_spool_remove(world.spool);
}

/* Another run comes while this one delivers. */
static void run_again(struct world *world)
{
	static struct world second;
	struct rtls_err err = { "" };

	second = *world;
	second.meanwhile = NULL;
	second.outside.context = &second;
	assert_int_equal(rtls_report_run(&second.config, &second.options,
				 &second.outside, &second.sums, &err),
		RTLS_TEMPORARY);
	check_err(&err, "lock");
	assert_int_equal(second.mails, world->mails);
}

static void test_two_runs(void **state)
{
	struct world world;

	(void)state;
	world_make(&world);
	world.meanwhile = run_again;
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_string_equal(world.sent, "tlsrpt@a.example ");
	check_spool_remove(world.spool);
}

/* --- days ------------------------------------------------------------------------------- */

static void test_missed_days(void **state)
{
	struct world world;

	(void)state;
	world_make(&world);
	assert_int_equal(
		world_run(&world, TEST_NEXT_DAY_S - 1), RTLS_OK); /* not over */
	assert_int_equal(world.lookups, 0);
	assert_int_equal(
		world_run(&world, TEST_NEXT_DAY_S + 7 * 24 * HOUR_S), RTLS_OK);
	assert_int_equal(world.lookups, 0); /* nobody waits for it any more */
	assert_int_equal(
		world_run(&world, TEST_NEXT_DAY_S + 7 * 24 * HOUR_S - 1),
		RTLS_OK);
	assert_int_equal(world.mails, 1);
	remove_outbox(&world);
	assert_int_equal(world_run(&world, TEST_NEXT_DAY_S), RTLS_OK);
	assert_int_equal(world.mails, 1);
	check_spool_remove(world.spool);
}

static void test_date(void **state)
{
	struct world world;

	(void)state;
	world_make(&world);
	world.options.date = "2026-11-19";
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_int_equal(world.lookups, 0);
	world.options.date = TEST_DAY;
	assert_int_equal(world_run(&world, TEST_NEXT_DAY_S - 1), RTLS_INVALID);
	check_err(&world.err, "not over yet");
	world.options.date = "2026-11-20x";
	assert_int_equal(world_run(&world, NOW), RTLS_INVALID);
	world.options.date = TEST_DAY;
	/* long ago, but asked for */
	assert_int_equal(
		world_run(&world, TEST_NEXT_DAY_S + 90 * 24 * HOUR_S), RTLS_OK);
	assert_int_equal(world.mails, 1);
	check_spool_remove(world.spool);
}

/* --- the schedule ------------------------------------------------------------------------- */

#define MANY 40

/* MANY domains more, and a schedule. */
static void world_spread(struct world *world)
{
	FILE *file = check_spool_file(world->spool, "tlsrpt", TEST_DAY);

	for (unsigned i = 0; i < MANY; i++)
		(void)fprintf(file,
			LINE("d%u.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-"), i);
	(void)fclose(file);
	world->config.report_min_age_s = 600;
	world->config.report_spread_s = 4 * 3600;
}

/* A run every quarter of an hour: each report once, none early, never many at a time. */
static void test_spread(void **state)
{
	struct world world;
	size_t sent = 0;

	(void)state;
	world_make(&world);
	world_spread(&world);
	assert_int_equal(world_run(&world, TEST_NEXT_DAY_S + 599), RTLS_OK);
	assert_int_equal(world.lookups, 0);
	for (int64_t s = 600; s < 4 * HOUR_S + 600 + 900; s += 900) {
		assert_int_equal(
			world_run(&world, TEST_NEXT_DAY_S + s), RTLS_OK);
		assert_int_equal(world.lookups, world.mails);
		assert_in_range(world.mails, 0, MANY / 4);
		sent += world.mails;
		assert_int_equal(world.sums.waiting, MANY - sent);
		/* The next run is the same one again. */
		assert_int_equal(
			world_run(&world, TEST_NEXT_DAY_S + s), RTLS_OK);
		assert_int_equal(world.mails, 0);
	}
	assert_int_equal(sent, MANY);
	assert_true(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	check_spool_remove(world.spool);
}

/* Who comes late, or is told to, does not wait. */
static void test_spread_late(void **state)
{
	struct world world;

	(void)state;
	world_make(&world);
	world_spread(&world);
	assert_int_equal(
		world_run(&world, TEST_NEXT_DAY_S + 29 * HOUR_S), RTLS_OK);
	assert_int_equal(world.mails, MANY);
	remove_outbox(&world);
	world.options.now = true;
	assert_int_equal(world_run(&world, TEST_NEXT_DAY_S), RTLS_OK);
	assert_int_equal(world.mails, MANY);
	/* Lines may still come in. */
	assert_false(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	remove_outbox(&world);
	world.options.now = false;
	world.options.date = TEST_DAY;
	assert_int_equal(world_run(&world, TEST_NEXT_DAY_S), RTLS_OK);
	assert_int_equal(world.mails, MANY);
	check_spool_remove(world.spool);
}

/* A day that is done is not read again; one of which something is left is. */
static void test_done(void **state)
{
	struct world world;

	(void)state;
	world_make(&world);
	world.deliveries_fail = true;
	assert_int_equal(world_run(&world, NOW), RTLS_OK);
	assert_false(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	world.deliveries_fail = false;
	assert_int_equal(world_run(&world, NOW + HOUR_S), RTLS_OK);
	assert_true(rtls_outbox_day_is_done(world.spool, TEST_DAY));
	check_journal_write(
		world.spool, LINE("b.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-"));
	assert_int_equal(world_run(&world, NOW + HOUR_S), RTLS_OK);
	assert_int_equal(world.lookups, 0);
	/* asked for */
	world.options.date = TEST_DAY;
	assert_int_equal(world_run(&world, NOW + HOUR_S), RTLS_OK);
	assert_int_equal(world.lookups, 1);
	check_spool_remove(world.spool);
}

/* --- dry run ---------------------------------------------------------------------------- */

static size_t file_size(const char *directory, const char *name)
{
	char path[256];
	struct stat info;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

static void test_dry_run(void **state)
{
	struct world world;
	char directory[128];

	(void)state;
	world_make(&world);
	world.rua[1] = "https://a.example/tlsrpt";
	world.rua[2] = "mailto:b@a.example";
	(void)snprintf(directory, sizeof(directory), "%s/dry", world.spool);
	assert_int_equal(rtls_report_dry_run(&world.config, &world.options,
				 &world.outside, directory, &world.err),
		RTLS_OK);
	assert_int_equal(world.mails + world.posts, 0);
	assert_true(file_size(directory, "a.example.json") > 300);
	assert_true(file_size(directory, "a.example.json.gz") > 100);
	assert_true(file_size(directory, "a.example.eml") > 1000);
	assert_true(file_size(directory, "a.example.2.eml") > 1000);
	assert_int_equal(file_size(world.spool, "outbox"), 0);
	check_log(&world, "would go to https://a.example/tlsrpt");
	world.no_resolver = true;
	assert_int_equal(rtls_report_dry_run(&world.config, &world.options,
				 &world.outside, directory, &world.err),
		RTLS_OK);
	check_log(&world, "lookup of its address failed: no resolver");
	world.options.date = "2026-11-01";
	assert_int_equal(rtls_report_dry_run(&world.config, &world.options,
				 &world.outside, directory, &world.err),
		RTLS_NONE);
	check_spool_remove(world.spool);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_file, file_rows);
	check_add(
		&suite, "B7.4 a file cut at every length", test_file_cut, NULL);
	check_add(&suite, "B7.4 no way out of the outbox", test_names, NULL);
	check_add(&suite, "B7.4 the fullest outbox", test_full, NULL);
	check_add(&suite, "B8.4 the mark of a day", test_day, NULL);
	check_add(&suite, "B7.4 back-off and 24 hours", test_back_off, NULL);
	check_add(&suite, "B1.8 B8.4 each place once, whatever runs again",
		test_once, NULL);
	check_add(&suite, "B1.4 many domains, one of them without a record",
		test_domains, NULL);
	check_add(&suite, "B7.4 B8.3 retries end after 24 hours", test_retry,
		NULL);
	check_add(&suite, "B7.4 B8.3 a retry succeeds", test_retry_succeeds,
		NULL);
	check_add(&suite, "B1.9 lookups fail", test_lookup_fails, NULL);
	check_add(&suite, "B1.9 no resolver", test_no_resolver, NULL);
	check_add(&suite, "B8.4 a crash while sending", test_crash, NULL);
	check_add(
		&suite, "B8.4 a crash before sending", test_crash_before, NULL);
	check_add(&suite, "B8.4 what cannot be noted is not sent",
		test_disk_fails, NULL);
	check_add(&suite, "B8.4 the disk fails for a moment",
		test_disk_fails_midway, NULL);
	check_add(&suite, "B8.4 the disk fails at the end",
		test_disk_fails_last, NULL);
	check_add(&suite, "B8.4 a damaged outbox file", test_damaged, NULL);
	check_add(&suite, "B8.4 two runs at once", test_two_runs, NULL);
	check_add(&suite, "B5.1 missed days", test_missed_days, NULL);
	check_add(&suite, "B5.1 a given day", test_date, NULL);
	check_add(&suite, "B5.2 spread over the span", test_spread, NULL);
	check_add(&suite, "B5.2 late, or told to", test_spread_late, NULL);
	check_add(&suite, "B8.4 a day that is done", test_done, NULL);
	check_add(&suite, "B6 dry run", test_dry_run, NULL);
	return check_run(&suite, "outbox");
}
