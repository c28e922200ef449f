/* test_run_crash.c - a run that is killed at each of its steps, one after the other (item B8.4):
 * the next runs send nothing a second time, lose nothing silently, and come to an end. Two places
 * for the domain, two for its MX host. */
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "report_world.h"

static unsigned steps, kill_at; /* kill_at 0: never */

static void step(void)
{
	if (++steps == kill_at)
		_exit(0);
}

/* The program's, in place of libc's: before and after each there is a different disk. */
int fsync(int fd)
{
	int result;

	step();
	result = (int)syscall(SYS_fsync, fd);
	step();
	return result;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int renameat(int old_directory, const char *old_name, int new_directory,
	const char *new_name)
{
	int result;

	step();
	result = (int)syscall(SYS_renameat2, old_directory, old_name,
		new_directory, new_name, 0);
	step();
	return result;
}

/* What left the machine stays gone when the process dies: a line in a file. */
static void note_delivery(const struct world *world, const char *target)
{
	char path[256], line[256];
	int size = snprintf(line, sizeof(line), "%s\n", target), fd;

	(void)snprintf(path, sizeof(path), "%s/deliveries", world->spool);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, line, (size_t)size), size);
	(void)close(fd);
}

static enum rtls_status lossy_lookup(void *context, struct rtls_lookup *lookups,
	size_t count, struct rtls_err *err)
{
	enum rtls_status status;

	step();
	status = fake_lookup(context, lookups, count, err);
	step();
	return status;
}

static enum rtls_status lossy_mail(void *context, const char *address,
	struct rtls_slice message, struct rtls_err *err)
{
	(void)message;
	(void)err;
	step();
	note_delivery(context, address);
	step();
	return RTLS_OK;
}

static enum rtls_status lossy_post(void *context, const char *url,
	struct rtls_slice body, struct rtls_err *err)
{
	(void)body;
	(void)err;
	step();
	note_delivery(context, url);
	step();
	return RTLS_OK;
}

static const char *const places[] = { "a@a.example", "https://a.example/",
	"https://mx.example/", "mx@mx.example" };

static void crash_make(struct world *world)
{
	world_make(world);
	check_journal_write(world->spool,
		LINE("a.example\ttlsa\t-\tsuccess\t-\tmx.example\t-\t-\t-"));
	world->rua[0] = "mailto:a@a.example";
	world->rua[1] = "https://a.example/";
	world->other[0][0] = "mx.example";
	world->other[0][1] = "mailto:mx@mx.example";
	world->other[1][0] = "mx.example";
	world->other[1][1] = "https://mx.example/";
	world->outside.lookup = lossy_lookup;
	world->outside.mail = lossy_mail;
	world->outside.post = lossy_post;
}

/* How often a place got its report. */
static size_t delivered(const struct world *world, const char *target)
{
	char path[256], line[256];
	size_t count = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/deliveries", world->spool);
	file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, target, strlen(target)) == 0)
			count++;
	if (file != NULL)
		(void)fclose(file);
	return count;
}

/* Run in a process that dies at step number; false when there is no such step. */
static bool run_and_die(struct world *world, unsigned number)
{
	int state = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		steps = 0;
		kill_at = number;
		(void)world_run(world, NOW);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &state, 0), child);
	assert_true(WIFEXITED(state));
	return WEXITSTATUS(state) == 0;
}

/* What the run after says of places it gave up. */
static bool was_given_up(const struct world *world, const char *target)
{
	char words[256];

	(void)snprintf(words, sizeof(words),
		"%s dropped: a run was interrupted while sending", target);
	return strstr(world->log, words) != NULL;
}

static void check_after(struct world *world)
{
	size_t given_up = 0;

	assert_int_equal(world_run(world, NOW + 900), RTLS_OK);
	for (size_t i = 0; i < COUNT(places); i++) {
		size_t times = delivered(world, places[i]);
		bool dropped = was_given_up(world, places[i]);

		assert_in_range(times, dropped ? 0 : 1, 1);
		given_up += dropped;
	}
	assert_in_range(given_up, 0, 1);
	assert_int_equal(world->sums.dropped, given_up);
	assert_true(rtls_outbox_day_is_done(world->spool, TEST_DAY));
	assert_int_equal(world_run(world, NOW + 24 * HOUR_S), RTLS_OK);
	for (size_t i = 0; i < COUNT(places); i++)
		assert_in_range(delivered(world, places[i]), 0, 1);
	assert_string_equal(world->log, "");
}

static void test_killed(void **state)
{
	struct world world;
	unsigned number;
	bool has_died = true;

	(void)state;
	for (number = 1; has_died; number++) {
		crash_make(&world);
		has_died = run_and_die(&world, number);
		check_after(&world);
		check_spool_remove(world.spool);
	}
	assert_true(number > 60);
}

int main(void)
{
	static struct check_suite suite;

	check_add(&suite, "B8.4 killed at each step", test_killed, NULL);
	return check_run(&suite, "run_crash");
}
