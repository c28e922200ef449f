/* test_file_append.c - lines of many processes in one file, cut, killed and moved away.
 * The code under test is included, so that others can do things between two of its steps. */
#include "spool_dir.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

/* What another process does right behind the next fstat() of the code. */
static void (*meanwhile)(void);

static int fstat_and_more(int fd, struct stat *info)
{
	int result = fstat(fd, info);
	void (*todo)(void) = meanwhile;

	meanwhile = NULL;
	if (todo != NULL)
		todo();
	return result;
}

#define fstat fstat_and_more
#include "store/file_append.c" /* NOLINT(bugprone-suspicious-include) */
#undef fstat

#define WRITERS 16
#define ROUNDS  200

static enum rtls_status append(const char *text)
{
	return rtls_file_append(
		spool_dir, in_spool("f"), rtls_slice(text), NULL);
}

static void append_raw(const char *text)
{
	int fd = open(in_spool("f"), O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void a_torn_line_swallows_none(void **state)
{
	(void)state;
	assert_int_equal(append("one\n"), RTLS_OK);
	append_raw("to");
	assert_int_equal(append("two\n"), RTLS_OK);
	assert_int_equal(append("three\n"), RTLS_OK);
	assert_content(in_spool("f"), "one\nto\ntwo\nthree\n");
}

static void tear(void)
{
	append_raw("to");
}

static void complete(void)
{
	append_raw("\nother\n");
}

/* Between a writer's look at the end and its write, another one is cut short: what
 * was swallowed is written again. */
static void torn_in_between(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(append("one\n"), RTLS_OK);
	fd = open(in_spool("f"), O_RDWR | O_APPEND | O_CLOEXEC);
	meanwhile = tear;
	assert_int_equal(append_once(fd, rtls_slice("two\n")), 0);
	(void)close(fd);
	assert_content(in_spool("f"), "one\ntotwo\n\ntwo\n");
}

/* The other way round: it was torn, and somebody mended it. */
static void mended_in_between(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(append("one\n"), RTLS_OK);
	append_raw("to");
	fd = open(in_spool("f"), O_RDWR | O_APPEND | O_CLOEXEC);
	meanwhile = complete;
	assert_int_equal(append_once(fd, rtls_slice("two\n")), 0);
	(void)close(fd);
	assert_content(in_spool("f"), "one\nto\nother\n\ntwo\n");
}

static int append_under_limit(void *context)
{
	struct rlimit limit = { 6, 6 };

	(void)context;
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	return append("second\n") == RTLS_TEMPORARY ? 0 : 1;
}

static void a_full_disk_spoils_one_line(void **state)
{
	(void)state;
	assert_int_equal(append("one\n"), RTLS_OK);
	assert_int_equal(in_child(append_under_limit, NULL), 0);
	assert_content(in_spool("f"), "one\nse");
	assert_int_equal(append("three\n"), RTLS_OK);
	assert_content(in_spool("f"), "one\nse\nthree\n");
}

/* --- another file in its place -------------------------------------------- */

static void move_away(void)
{
	assert_int_equal(rename(in_spool("f"), in_spool("old")), 0);
	write_file(in_spool("f"), "new\n", 4);
}

static void goes_by_the_name(void **state)
{
	(void)state;
	assert_int_equal(append("one\n"), RTLS_OK);
	meanwhile = move_away; /* behind open(), before the write */
	assert_int_equal(append("two\n"), RTLS_OK);
	assert_content(in_spool("old"), "one\n");
	assert_content(in_spool("f"), "new\ntwo\n");
}

static int replace_under_lock(void *context)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const struct timespec pause = { 0, 200000000L };
	int fd = open(in_spool("f"), O_RDWR | O_CLOEXEC);

	if (fcntl(fd, F_OFD_SETLK, &whole) != 0)
		return 1;
	write_file(in_spool("locked"), "", 0);
	(void)nanosleep(&pause, NULL);
	move_away();
	(void)context;
	return 0;
}

static void waits_for_who_replaces_it(void **state)
{
	pid_t child;

	(void)state;
	assert_int_equal(append("one\n"), RTLS_OK);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(replace_under_lock(NULL));
	while (access(in_spool("locked"), F_OK) != 0)
		(void)usleep(1000);
	assert_int_equal(append("two\n"), RTLS_OK);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_content(in_spool("old"), "one\n");
	assert_content(in_spool("f"), "new\ntwo\n");
}

/* --- killed ----------------------------------------------------------------- */

#define LINE_LENGTH 20000 /* several pages: a kill may come between two */

static unsigned *
	done; /* shared with the children: lines of each that are said to be there */

static void append_for_ever(unsigned number)
{
	static char line[LINE_LENGTH + 2];

	memset(line, (int)('a' + number), LINE_LENGTH);
	line[LINE_LENGTH] = '\n';
	for (;;) {
		if (append(line) != RTLS_OK)
			_exit(1);
		done[number]++;
	}
}

/* Is it a line as a writer writes it? Half of one's may stand in front of another's. */
static bool is_whole(struct rtls_slice line)
{
	for (size_t i = 1; i < line.size; i++)
		if (line.data[i] != line.data[0])
			return false;
	return line.size == LINE_LENGTH;
}

/* How many whole lines of each writer there are; the number of those that are not whole. */
static unsigned count_lines(const char *text, unsigned whole[WRITERS])
{
	struct rtls_slice rest = rtls_slice(text), line;
	unsigned torn = 0;

	while (rtls_slice_line(&rest, &line)) {
		if (line.size == 0)
			continue;
		if (is_whole(line))
			whole[line.data[0] - 'a']++;
		else
			torn++;
	}
	return torn;
}

static char *read_all_of(const char *path)
{
	struct stat info;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;

	assert_int_equal(fstat(fd, &info), 0);
	text = calloc(1, (size_t)info.st_size + 1);
	assert_non_null(text);
	assert_int_equal(
		read(fd, text, (size_t)info.st_size), (ssize_t)info.st_size);
	(void)close(fd);
	return text;
}

/* What a writer was told is there is there, whoever was killed meanwhile. */
static void survives_kills(void **state)
{
	const struct timespec pause = { 0, 40000000L };
	unsigned whole[WRITERS] = { 0 };
	pid_t child[WRITERS];
	char *text;

	(void)state;
	done = mmap(NULL, sizeof(unsigned) * WRITERS, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(done != MAP_FAILED);
	for (unsigned i = 0; i < WRITERS; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] == 0)
			append_for_ever(i);
	}
	(void)nanosleep(&pause, NULL);
	for (unsigned i = 0; i < WRITERS; i++) {
		assert_int_equal(kill(child[i], SIGKILL), 0);
		assert_int_equal(waitpid(child[i], NULL, 0), child[i]);
	}
	text = read_all_of(in_spool("f"));
	assert_in_range(count_lines(text, whole), 0, WRITERS);
	for (unsigned i = 0; i < WRITERS; i++)
		assert_in_range(whole[i], done[i], done[i] + 1);
	free(text);
	(void)munmap(done, sizeof(unsigned) * WRITERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_torn_line_swallows_none),
		TEST(torn_in_between),
		TEST(mended_in_between),
		TEST(a_full_disk_spoils_one_line),
		TEST(goes_by_the_name),
		TEST(waits_for_who_replaces_it),
		TEST(survives_kills),
	};

	return cmocka_run_group_tests_name("file_append", tests, NULL, NULL);
}
