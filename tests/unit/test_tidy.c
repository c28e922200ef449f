/* test_tidy.c - what goes at the end of a run, what becomes small, and what stays. */
#include "spool_dir.h"

#include "policy/record.h"
#include "report/outbox.h"
#include "report/tidy.h"
#include "store/cache.h"
#include "store/journal.h"
#include "store/policies.h"

#define NOW   INT64_C(1795262400) /* 2026-11-21T12:00:00Z */
#define DAY_S INT64_C(86400)

#define LINE "1\t1795132800\ta.example\tsts\t-\tsuccess\t-\tmx\t-\t-\t-\n"
#define TWO  "2\t1795132800\ta.example\tsts\t-\tsuccess\t2\t-\tmx\t-\t-\t-\n"

static char said[4096];

static void say(void *context, const char *line)
{
	const size_t size = strlen(said);

	assert_ptr_equal(context, said);
	(void)snprintf(said + size, sizeof(said) - size, "%s\n", line);
}

static struct rtls_config config;

static void tidy_at(int64_t now_s)
{
	const int fds = open_fds();

	said[0] = '\0';
	rtls_tidy(&config, now_s, say, said);
	assert_int_equal(open_fds(), fds);
}

static int make(void **state)
{
	rtls_config_defaults(&config);
	if (make_spool(state) != 0)
		return -1;
	(void)snprintf(config.spool, sizeof(config.spool), "%s", spool_dir);
	(void)mkdir(in_spool("tlsrpt"), 0750);
	(void)mkdir(in_spool("outbox"), 0750);
	return mkdir(in_spool("policy"), 0750);
}

static const char *journal(const char *date)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "tlsrpt/%s", date);
	return in_spool(name);
}

static void write_journal(const char *date)
{
	write_file(journal(date), LINE LINE, strlen(LINE LINE));
}

static bool exists(const char *path)
{
	struct stat info;

	return lstat(path, &info) == 0;
}

static void put_outbox(const char *date, const char *domain)
{
	struct rtls_outbox outbox;

	rtls_outbox_init(&outbox, domain);
	assert_int_equal(
		rtls_outbox_put(spool_dir, date, &outbox, NULL), RTLS_OK);
	assert_int_equal(
		rtls_outbox_day_finish(spool_dir, date, NULL), RTLS_OK);
}

static void ages_by_tlsrpt_keep(void **state)
{
	(void)state;
	write_journal("2026-10-22"); /* over for 30 days less 12 hours */
	write_journal("2026-10-21");
	put_outbox("2026-10-22", "a.example");
	put_outbox("2026-10-21", "a.example");
	put_outbox("2026-10-21", "b.example");
	tidy_at(NOW);
	assert_true(exists(journal("2026-10-22")));
	assert_false(exists(journal("2026-10-21")));
	assert_true(exists(in_spool("outbox/2026-10-22/a.example")));
	assert_false(exists(in_spool("outbox/2026-10-21")));
	assert_string_equal(said, "");
	config.tlsrpt_keep_days = 1;
	write_journal("2026-11-20");
	write_journal("2026-11-19");
	tidy_at(NOW);
	assert_true(exists(journal("2026-11-20")));
	assert_false(exists(journal("2026-11-19")));
	assert_false(exists(in_spool("outbox/2026-10-22")));
	assert_string_equal(said, "");
}

static void leaves_what_is_not_ours(void **state)
{
	static const char *const names[] = { "tlsrpt/notes", "tlsrpt/2026-1-1",
		"outbox/old", "outbox/2026-10-01/link", "tlsrpt/2026-10-02",
		"outbox/2026-10-03" };
	char outside[64];

	(void)state;
	(void)snprintf(outside, sizeof(outside), "%s/outside", base_dir);
	assert_int_equal(mkdir(outside, 0750), 0);
	(void)snprintf(outside, sizeof(outside), "%s/outside/f", base_dir);
	write_file(outside, LINE, strlen(LINE));
	write_file(in_spool("tlsrpt/notes"), "", 0);
	write_file(in_spool("tlsrpt/2026-1-1"), "", 0);
	assert_int_equal(mkdir(in_spool("outbox/old"), 0750), 0);
	assert_int_equal(mkdir(in_spool("outbox/2026-10-01"), 0750), 0);
	assert_int_equal(
		symlink(outside, in_spool("outbox/2026-10-01/link")), 0);
	assert_int_equal(symlink(outside, journal("2026-10-02")), 0);
	assert_int_equal(
		symlink("../../outside", in_spool("outbox/2026-10-03")), 0);
	tidy_at(NOW);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_true(exists(in_spool(names[i])));
	assert_content(outside, LINE);
	/* One of them cannot be removed, and that is said. */
	assert_non_null(strstr(said, "outbox/2026-10-01: "));
	assert_null(strstr(strchr(said, '\n') + 1, "\n"));
}

/* Nor is the directory itself followed. */
static void follows_no_link(void **state)
{
	char outside[64], file[80];

	(void)state;
	(void)snprintf(outside, sizeof(outside), "%s/outside", base_dir);
	(void)snprintf(file, sizeof(file), "%s/2026-10-01", outside);
	assert_int_equal(mkdir(outside, 0750), 0);
	write_file(file, LINE LINE, strlen(LINE LINE));
	assert_int_equal(rmdir(in_spool("tlsrpt")), 0);
	assert_int_equal(symlink(outside, in_spool("tlsrpt")), 0);
	tidy_at(NOW);
	assert_content(file, LINE LINE);
	assert_non_null(strstr(said, "tlsrpt: "));
}

static void compacts_what_is_done(void **state)
{
	static const struct {
		const char *date;
		bool is_marked, becomes_compact;
	} days[] = {
		{ "2026-11-21", true, false }, /* today */
		{ "2026-11-22", true, false }, /* a wrong clock's */
		{ "2026-11-20", true, true }, { "2026-11-19", false, false },
		{ "2026-11-14", false, false },
		{ "2026-11-13", false, true }, /* no run looks at it */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		write_journal(days[i].date);
		if (days[i].is_marked)
			put_outbox(days[i].date, "a.example");
	}
	tidy_at(NOW);
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++)
		assert_content(journal(days[i].date),
			days[i].becomes_compact ? TWO : LINE LINE);
	assert_string_equal(said, "");
}

static ino_t inode(const char *path)
{
	struct stat info;

	assert_int_equal(stat(path, &info), 0);
	return info.st_ino;
}

static void compacts_once(void **state)
{
	const struct rtls_session_result late = { .time_s = NOW - DAY_S,
		.policy_domain = rtls_slice("late.example") };
	ino_t first;

	(void)state;
	write_journal("2026-11-20");
	put_outbox("2026-11-20", "a.example");
	tidy_at(NOW);
	first = inode(journal("2026-11-20"));
	tidy_at(NOW + 900);
	assert_int_equal(inode(journal("2026-11-20")), first);
	assert_int_equal(rtls_journal_append(spool_dir, &late, NULL), RTLS_OK);
	tidy_at(NOW + 1800);
	assert_int_not_equal(inode(journal("2026-11-20")), first);
}

static void says_what_is_gone(void **state)
{
	(void)state;
	write_file(journal("2026-11-13"), "torn\n" LINE, 5 + strlen(LINE));
	tidy_at(NOW);
	assert_string_equal(said,
		"journal of 2026-11-13: 1 lines that did not parse are gone\n");
}

/* --- policy texts ----------------------------------------------------------- */

/* Put a policy of so many days ago. */
static void put_policy(const char *text, int days, char digest[])
{
	struct timespec times[2] = { { 0, 0 }, { 0, 0 } };
	char name[RTLS_DIGEST_SIZE + 8];

	assert_int_equal(
		rtls_policies_put(spool_dir, rtls_slice(text), digest, NULL),
		RTLS_OK);
	times[0].tv_sec = times[1].tv_sec = (time_t)(NOW - days * DAY_S - 1);
	(void)snprintf(name, sizeof(name), "policy/%s", digest);
	assert_int_equal(utimensat(AT_FDCWD, in_spool(name), times, 0), 0);
}

static bool has_policy(const char *digest)
{
	char buffer[RTLS_STS_POLICY_SIZE_MAX + 1];
	struct rtls_slice text;

	return rtls_policies_get(spool_dir, rtls_slice(digest), buffer, &text,
		       NULL) == RTLS_OK;
}

#define POLICY "version: STSv1\nmode: none\nmax_age: 86400\n"

static void put_record(const char *digest)
{
	struct rtls_record record;

	memset(&record, 0, sizeof(record));
	record.domain = rtls_slice("cached.example");
	record.policy_text = rtls_slice(POLICY);
	record.policy_id = rtls_slice("1");
	record.policy_digest = rtls_slice(digest);
	record.policy_fetched_s = NOW;
	record.policy_until_s = NOW + DAY_S;
	assert_int_equal(rtls_cache_put(spool_dir, &record, NULL), RTLS_OK);
}

static void use_policy(const char *digest, int64_t time_s)
{
	const struct rtls_session_result session = { .time_s = time_s,
		.type = RTLS_POLICY_STS,
		.digest = rtls_slice(digest),
		.policy_domain = rtls_slice("a.example") };

	assert_int_equal(
		rtls_journal_append(spool_dir, &session, NULL), RTLS_OK);
}

static void drops_policies_nobody_refers_to(void **state)
{
	char old[RTLS_DIGEST_SIZE], young[RTLS_DIGEST_SIZE];
	char used[RTLS_DIGEST_SIZE], used_before[RTLS_DIGEST_SIZE];
	char cached[RTLS_DIGEST_SIZE];

	(void)state;
	put_policy("old", 1, old);
	put_policy("young", 0, young);
	put_policy("used", 29, used);
	put_policy("used before", 40, used_before);
	put_policy(POLICY, 40, cached);
	write_file(in_spool("policy/foreign"), "", 0);
	use_policy(used, NOW - 29 * DAY_S);
	use_policy(used_before, NOW - 40 * DAY_S);
	put_record(cached);
	tidy_at(NOW);
	assert_string_equal(said, "");
	assert_false(has_policy(old));
	assert_true(has_policy(young));
	assert_true(has_policy(used));
	assert_false(has_policy(used_before));
	assert_true(has_policy(cached));
	assert_true(exists(in_spool("policy/foreign")));
}

static void looks_once_a_day(void **state)
{
	char digest[RTLS_DIGEST_SIZE];

	(void)state;
	put_policy("first", 2, digest);
	tidy_at(NOW);
	assert_false(has_policy(digest));
	put_policy("second", 2, digest);
	tidy_at(NOW + 3600);
	assert_true(has_policy(digest));
	tidy_at(NOW + 20 * 3600);
	assert_false(has_policy(digest));
	put_policy("third", 2, digest);
	tidy_at(NOW); /* the stamp is from the future, then */
	assert_false(has_policy(digest));
}

/* What might refer to a policy cannot be read: none is removed. */
static void keeps_all_when_in_doubt(void **state)
{
	char digest[RTLS_DIGEST_SIZE];

	(void)state;
	put_policy("old", 2, digest);
	assert_int_equal(rmdir(in_spool("tlsrpt")), 0);
	assert_int_equal(symlink("outbox", in_spool("tlsrpt")), 0);
	tidy_at(NOW);
	assert_true(has_policy(digest));
	assert_int_equal(unlink(in_spool("tlsrpt")), 0);
	assert_int_equal(symlink("outbox", in_spool("cache")), 0);
	tidy_at(NOW + DAY_S);
	assert_true(has_policy(digest));
	assert_non_null(strstr(said, "cache"));
}

static void an_empty_spool_is_tidy(void **state)
{
	(void)state;
	(void)rmdir(in_spool("tlsrpt"));
	(void)rmdir(in_spool("outbox"));
	(void)rmdir(in_spool("policy"));
	tidy_at(NOW);
	assert_string_equal(said, "");
}

#undef TEST
#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, make, remove_spool)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ages_by_tlsrpt_keep),
		TEST(leaves_what_is_not_ours),
		TEST(follows_no_link),
		TEST(compacts_what_is_done),
		TEST(compacts_once),
		TEST(says_what_is_gone),
		TEST(drops_policies_nobody_refers_to),
		TEST(looks_once_a_day),
		TEST(keeps_all_when_in_doubt),
		TEST(an_empty_spool_is_tidy),
	};

	return cmocka_run_group_tests_name("tidy", tests, NULL, NULL);
}
