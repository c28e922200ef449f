/* test_compact.c - a day's journal made small: the same reports, and no line lost whoever
 * writes, dies or fills the disk meanwhile. The code under test is included, so that others can do things
 * between two of its steps. */
#include "spool_dir.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* What happens behind the next fsync() and around the next renameat() of the code. */
static void (*after_sync)(void);
static void (*before_rename)(void);
static void (*after_rename)(void);

static void do_once(void (**what)(void))
{
	void (*todo)(void) = *what;

	*what = NULL;
	if (todo != NULL)
		todo();
}

static int fsync_and_more(int fd)
{
	const int result = fsync(fd);

	do_once(&after_sync);
	return result;
}

static int renameat_and_more(
	int from_directory, const char *from, int to_directory, const char *to)
{
	int result;

	do_once(&before_rename);
	result = renameat(from_directory, from, to_directory, to);
	do_once(&after_rename);
	return result;
}

#define fsync    fsync_and_more
#define renameat renameat_and_more
#include "store/journal_compact.c" /* NOLINT(bugprone-suspicious-include) */
#undef fsync
#undef renameat

#include "report/aggregate.h"
#include "report/report.h"

#define DAY     "2026-11-21"
#define DAY_S   INT64_C(1795219200)
#define JOURNAL "tlsrpt/" DAY
#define WRITERS 16
#define ROUNDS  300

static void write_journal(const char *text)
{
	(void)mkdir(in_spool("tlsrpt"), 0750);
	write_file(in_spool(JOURNAL), text, strlen(text));
}

static enum rtls_status compact_day(struct rtls_compaction *done)
{
	struct rtls_err err = { "" };
	int fds = open_fds();
	enum rtls_status status =
		rtls_journal_compact(spool_dir, DAY, done, &err);

	assert_int_equal(open_fds(), fds);
	if (status != RTLS_OK && status != RTLS_NONE)
		assert_string_not_equal(err.text, "");
	return status;
}

static void must_compact(void)
{
	struct rtls_compaction done = { 0 };

	assert_int_equal(compact_day(&done), RTLS_OK);
}

#define TAIL(domain, result) domain "\tsts\t-\t" result

static const char messy[] = "1\t1795219201\t" TAIL("b.example",
	"success") "\t-\tmx2\t-\t-\t-\n"
		   "1\t1795219203\t" TAIL("a.example",
			   "success") "\t-\tmx\t-\t-\t-\n"
				      "1\t1795219205\t" TAIL("b.example",
					      "success") "\t-\tmx2\t-\t-\t-\n"
							 "\n"
							 "garbage\n"
							 "1\t1795219202\t" TAIL(
								 "a.example",
								 "success") "\t-\tmx\t-\t-\t-\n"
									    "1\t1795219204\t" TAIL(
										    "a-b.example",
										    "success") "\t-\tmx\t-\t-\t-\n"
											       "2\t1795219200\t" TAIL(
												       "a.example",
												       "success\t40") "\t-\tmx\t-\t-\t-\n"
														      "1\t1795219209\t" TAIL(
															      "b.example",
															      "tlsa-invalid") "\t-\tmx\t-\t-\tr\n";

static const char tidy[] = "1\t1795219204\t" TAIL("a-b.example",
	"success") "\t-\tmx\t-\t-\t-\n"
		   "2\t1795219200\t" TAIL("a.example",
			   "success\t42") "\t-\tmx\t-\t-\t-\n"
					  "2\t1795219201\t" TAIL("b.example",
						  "success\t2") "\t-\tmx2\t-\t-\t-\n"
								"1\t1795219209\t" TAIL(
									"b.example",
									"tlsa-invalid") "\t-\tmx\t-\t-\tr\n";

static int64_t modified(void)
{
	struct stat info;

	assert_int_equal(stat(in_spool(JOURNAL), &info), 0);
	return (int64_t)info.st_mtime;
}

static void a_line_per_result(void **state)
{
	struct rtls_compaction done = { 0 };

	(void)state;
	write_journal(messy);
	assert_int_equal(compact_day(&done), RTLS_OK);
	assert_content(in_spool(JOURNAL), tidy);
	assert_int_equal(done.sessions, 46);
	assert_int_equal(done.lines, 4);
	assert_int_equal(done.skipped, 1);
	assert_int_equal(mode_of(in_spool(JOURNAL)), 0640);
	assert_int_equal(count_entries(in_spool("tlsrpt")), 2);
	must_compact(); /* what is compact stays as it is */
	assert_content(in_spool(JOURNAL), tidy);
}

static void says_whether_it_was_done(void **state)
{
	const struct rtls_session_result late = { .time_s = DAY_S + 86399,
		.policy_domain = rtls_slice("c.example") };

	(void)state;
	write_journal(messy);
	assert_false(rtls_journal_is_compact(DAY_S, modified()));
	must_compact();
	assert_true(rtls_journal_is_compact(DAY_S, modified()));
	assert_int_equal(rtls_journal_append(spool_dir, &late, NULL), RTLS_OK);
	assert_false(rtls_journal_is_compact(DAY_S, modified()));
}

/* A last line that is torn, or still growing, is for whoever reads it next. */
static void leaves_the_torn_end(void **state)
{
	char text[4096];

	(void)state;
	for (size_t cut = 1; cut < 20; cut++) {
		(void)snprintf(text, sizeof(text), "%s%.*s", messy, (int)cut,
			"1\t1795219299\tb.example");
		write_journal(text);
		must_compact();
		(void)snprintf(text, sizeof(text), "%s%.*s", tidy, (int)cut,
			"1\t1795219299\tb.example");
		assert_content(in_spool(JOURNAL), text);
	}
	write_journal("torn");
	must_compact();
	assert_content(in_spool(JOURNAL), "torn");
	write_journal("");
	must_compact();
	assert_content(in_spool(JOURNAL), "");
}

static void only_files_of_ours(void **state)
{
	struct rtls_compaction done = { 0 };
	char outside[64];

	(void)state;
	assert_int_equal(compact_day(&done), RTLS_NONE);
	assert_int_equal(rtls_journal_compact(spool_dir, "../x", &done, NULL),
		RTLS_INVALID);
	(void)snprintf(outside, sizeof(outside), "%s/outside", base_dir);
	write_file(outside, messy, strlen(messy));
	assert_int_equal(symlink(outside, in_spool(JOURNAL)), 0);
	assert_int_equal(compact_day(&done), RTLS_TEMPORARY);
	assert_content(outside, messy);
	assert_int_equal(unlink(in_spool(JOURNAL)), 0);
	assert_int_equal(mkfifo(in_spool(JOURNAL), 0600), 0);
	assert_int_equal(compact_day(&done), RTLS_INVALID);
	assert_int_equal(unlink(in_spool(JOURNAL)), 0);
	assert_int_equal(mkdir(in_spool(JOURNAL), 0700), 0);
	assert_int_equal(compact_day(&done), RTLS_TEMPORARY);
	assert_int_equal(rmdir(in_spool(JOURNAL)), 0);
	assert_int_equal(count_entries(in_spool("tlsrpt")), 1);
}

static int compact_under_limit(void *context)
{
	struct rlimit limit = { 100, 100 };
	struct rtls_compaction done = { 0 };

	(void)context;
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	return compact_day(&done) == RTLS_TEMPORARY ? 0 : 1;
}

static void a_full_disk_changes_nothing(void **state)
{
	(void)state;
	write_journal(messy);
	assert_int_equal(in_child(compact_under_limit, NULL), 0);
	assert_content(in_spool(JOURNAL), messy);
	assert_int_equal(count_entries(in_spool("tlsrpt")), 2);
}

/* --- while others write ------------------------------------------------------ */

#define LATE "1\t1795219207\t" TAIL("c.example", "success") "\t-\tmx\t-\t-\t-\n"

static void append_late(void)
{
	int fd = open(in_spool(JOURNAL), O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_int_equal(write(fd, LATE, strlen(LATE)), strlen(LATE));
	(void)close(fd);
}

static void assert_tidy_and_late(void)
{
	char wanted[4096];

	(void)snprintf(wanted, sizeof(wanted), "%s%s", tidy, LATE);
	assert_content(in_spool(JOURNAL), wanted);
}

static void finds_who_did_not_wait(void **state)
{
	(void)state;
	write_journal(messy);
	before_rename = append_late; /* behind the last look at the old file */
	must_compact();
	assert_tidy_and_late();
}

static void die(void)
{
	_exit(0);
}

static int compact_and_die(void *context)
{
	struct rtls_compaction done = { 0 };

	(void)context;
	after_sync = append_late;
	after_rename = die;
	return compact_day(&done) == RTLS_OK ? 1 : 2;
}

/* What came while it was summed up is in the new file before that has the name. */
static void dies_right_behind_the_rename(void **state)
{
	(void)state;
	write_journal(messy);
	assert_int_equal(in_child(compact_and_die, NULL), 0);
	assert_tidy_and_late();
}

static void put_another_in_its_place(void)
{
	assert_int_equal(unlink(in_spool(JOURNAL)), 0);
	write_journal("another\n");
}

/* Two at once: who comes second leaves what the first one made. */
static void gives_way_to_another(void **state)
{
	struct rtls_compaction done = { 0 };
	struct compaction work = {
		.path = in_spool(JOURNAL), .name = DAY, .err = NULL
	};

	(void)state;
	write_journal(messy);
	work.directory =
		open(in_spool("tlsrpt"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(open_old(&work), RTLS_OK);
	assert_int_equal(check_current(&work), RTLS_OK);
	put_another_in_its_place();
	assert_int_equal(check_current(&work), RTLS_TEMPORARY);
	(void)close(work.old);
	(void)close(work.directory);
	assert_int_equal(compact_day(&done), RTLS_OK);
}

static struct rtls_session_result session_of(
	unsigned writer, char domain[static 32])
{
	(void)snprintf(domain, 32, "w%u.example", writer);
	return (struct rtls_session_result){ .time_s = DAY_S + 5,
		.policy_domain = rtls_slice(domain) };
}

static int append_many(unsigned writer)
{
	const struct timespec pause = { 0, 300000 };
	char domain[32];
	const struct rtls_session_result session = session_of(writer, domain);

	for (unsigned i = 0; i < ROUNDS; i++) {
		if (rtls_journal_append(spool_dir, &session, NULL) != RTLS_OK)
			return 1;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

static bool count(const struct rtls_session_result *result, void *context)
{
	*(uint64_t *)context += result->count;
	return true;
}

static uint64_t sessions_there(size_t *skipped)
{
	uint64_t sessions = 0;

	assert_int_equal(rtls_journal_each(spool_dir, DAY, count, &sessions,
				 skipped, NULL),
		RTLS_OK);
	return sessions;
}

static int compact_for_ever(void *context)
{
	(void)context;
	for (;;) {
		struct rtls_compaction done;
		enum rtls_status status =
			rtls_journal_compact(spool_dir, DAY, &done, NULL);

		if (status != RTLS_OK && status != RTLS_NONE &&
			status != RTLS_TEMPORARY)
			_exit(1);
	}
}

static pid_t start_compacting(void)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(compact_for_ever(NULL));
	return child;
}

static void stop(pid_t child)
{
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Sixteen writers and two compactions: each line counts, once. */
static void loses_no_line(void **state)
{
	pid_t first, second;
	bool all = true;
	size_t skipped;

	(void)state;
	first = start_compacting();
	second = start_compacting();
	for (unsigned i = 0; i < WRITERS; i++)
		if (fork() == 0)
			_exit(append_many(i));
	for (unsigned i = 0; i < WRITERS;) {
		int code = 0;
		pid_t child = wait(&code);

		assert_true(child > 0 && child != first && child != second);
		all = all && code == 0;
		i++;
	}
	stop(first);
	stop(second);
	assert_true(all);
	assert_int_equal(sessions_there(&skipped), WRITERS * ROUNDS);
	assert_int_equal(skipped, 0);
	must_compact();
	assert_int_equal(sessions_there(&skipped), WRITERS * ROUNDS);
}

static void survives_kills(void **state)
{
	size_t skipped;

	(void)state;
	for (unsigned i = 0; i < WRITERS; i++)
		assert_int_equal(append_many(i), 0);
	for (int round = 0; round < 30; round++) {
		const struct timespec pause = { 0, 500000 + round * 171000 };
		pid_t child = start_compacting();

		(void)nanosleep(&pause, NULL);
		stop(child);
		assert_int_equal(sessions_there(&skipped), WRITERS * ROUNDS);
		assert_int_equal(skipped, 0);
	}
}

/* --- the same reports -------------------------------------------------------- */

/* All reports of the day as one text of the caller's. */
static char *reports_text(void)
{
	static struct rtls_config config;
	struct rtls_reports *reports = NULL;
	size_t size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	rtls_config_defaults(&config);
	(void)snprintf(config.spool, sizeof(config.spool), "%s", spool_dir);
	(void)snprintf(config.contact, sizeof(config.contact), "a@b.example");
	(void)snprintf(config.organization, sizeof(config.organization), "B");
	assert_non_null(out);
	assert_int_equal(
		rtls_reports_load(&config, DAY, &reports, NULL), RTLS_OK);
	for (size_t i = 0; i < rtls_reports_count(reports); i++) {
		const struct rtls_report *report = rtls_reports_get(reports, i);
		struct rtls_report_names names;
		char *json = rtls_report_json(&config, report);

		assert_non_null(json);
		assert_int_equal(
			rtls_report_names(&config, report, &names, NULL),
			RTLS_OK);
		(void)fprintf(out, "%s %s %s\n", names.id, names.file, json);
		free(json);
	}
	rtls_reports_free(reports);
	assert_int_equal(fclose(out), 0);
	return text;
}

static unsigned draw(unsigned *state, unsigned below)
{
	*state = *state * 1103515245 + 12345;
	return (*state >> 16) % below;
}

/* Sessions of a domain with so many different policies, hosts and HELOs. */
static void add_sessions(FILE *file, const char *domain, unsigned sessions,
	unsigned different, unsigned *random)
{
	static const char *const types[] = { "no-policy-found", "sts", "tlsa" };
	static const char *const results[] = { "success", "certificate-expired",
		"validation-failure", "success" };

	for (unsigned i = 0; i < sessions; i++) {
		const unsigned type = draw(random, 3);
		char digest[RTLS_DIGEST_SIZE] = "-";

		if (type > 0)
			(void)snprintf(digest, sizeof(digest), "%064x",
				draw(random, different / 4 + 1));
		(void)fprintf(file,
			"1\t%u\t%s\t%s\t%s\t%s\t192.0.2.%u\tmx%u.example\t%s%u"
			"\t-\t-\n",
			1795219200 + draw(random, 86400), domain, types[type],
			digest, results[draw(random, 4)], draw(random, 2),
			draw(random, different / 2 + 1),
			draw(random, 3) == 0 ? "X" : "h",
			draw(random, different));
	}
}

static void write_day(unsigned sessions, unsigned different, unsigned random)
{
	FILE *file;

	write_journal("");
	file = fopen(in_spool(JOURNAL), "we");
	assert_non_null(file);
	add_sessions(file, "big.example", sessions, different, &random);
	add_sessions(file, "a.example", 300, 1, &random);
	add_sessions(file, "big-2.example", sessions / 2, different, &random);
	add_sessions(file, "a.example", 300, 1, &random);
	assert_int_equal(fclose(file), 0);
}

/* Within the caps of a report and far behind them: the same bytes, the same names. */
static void the_same_reports(void **state)
{
	(void)state;
	for (unsigned random = 0; random < 6; random++) {
		char *before, *after;

		write_day(6000, random % 2 == 0 ? 8 : 5000, random);
		before = reports_text();
		must_compact();
		after = reports_text();
		assert_string_equal(before, after);
		free(before);
		free(after);
		must_compact();
		after = reports_text();
		before = reports_text();
		assert_string_equal(before, after);
		free(before);
		free(after);
	}
}

#define LINES_MAX 20000

static size_t split(char *text, char *line[LINES_MAX])
{
	size_t count = 0;

	for (char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		*end = '\0';
		assert_true(count < LINES_MAX);
		line[count++] = text;
	}
	return count;
}

static void write_shuffled(char *line[], size_t count, unsigned random)
{
	FILE *file = fopen(in_spool(JOURNAL), "we");

	assert_non_null(file);
	for (size_t i = count; i > 0; i--) {
		const size_t other = draw(&random, (unsigned)i);
		char *moved = line[other];

		line[other] = line[i - 1];
		line[i - 1] = moved;
		(void)fprintf(file, "%s\n", moved);
	}
	assert_int_equal(fclose(file), 0);
}

/* Whatever order the writers had: the same reports, and the same compacted file. */
static void in_any_order(void **state)
{
	static char *line[LINES_MAX];
	char *text, *report, *compacted = NULL;
	size_t count;

	(void)state;
	write_day(2000, 1, 1);
	report = reports_text();
	text = content_of(in_spool(JOURNAL));
	count = split(text, line);
	for (unsigned random = 0; random < 5; random++) {
		char *again;

		write_shuffled(line, count, random);
		again = reports_text();
		assert_string_equal(again, report);
		free(again);
		must_compact();
		if (compacted == NULL)
			compacted = content_of(in_spool(JOURNAL));
		assert_content(in_spool(JOURNAL), compacted);
		again = reports_text();
		assert_string_equal(again, report);
		free(again);
	}
	free(text);
	free(report);
	free(compacted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_per_result),
		TEST(says_whether_it_was_done),
		TEST(leaves_the_torn_end),
		TEST(only_files_of_ours),
		TEST(a_full_disk_changes_nothing),
		TEST(finds_who_did_not_wait),
		TEST(dies_right_behind_the_rename),
		TEST(gives_way_to_another),
		TEST(loses_no_line),
		TEST(survives_kills),
		TEST(the_same_reports),
		TEST(in_any_order),
	};

	return cmocka_run_group_tests_name("compact", tests, NULL, NULL);
}
