/* test_lock.c - one lock per name, given back by the kernel. */
#include "spool_dir.h"

#include <sys/time.h>
#include <time.h>

#include "store/lock.h"

#define RACERS 16
#define ROUNDS 20

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void one_holder_per_name(void **state)
{
	struct rtls_err err = { "" };
	int fds = open_fds();
	int a, b, other;
	int64_t start;

	(void)state;
	assert_int_equal(
		rtls_lock_take(spool_dir, "a.example", 0, &a, &err), RTLS_OK);
	assert_int_equal(fcntl(a, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(mode_of(in_spool("lock")) & 07137, 0);
	start = now_ms();
	assert_int_equal(rtls_lock_take(spool_dir, "a.example", 150, &b, &err),
		RTLS_TEMPORARY);
	assert_in_range(now_ms() - start, 150, 1000);
	assert_int_equal(b, -1);
	assert_non_null(strstr(err.text, "a.example"));
	assert_int_equal(
		rtls_lock_take(spool_dir, "b.example", 0, &other, &err),
		RTLS_OK);
	rtls_lock_release(a);
	assert_int_equal(
		rtls_lock_take(spool_dir, "a.example", 0, &b, &err), RTLS_OK);
	rtls_lock_release(b);
	rtls_lock_release(other);
	rtls_lock_release(-1);
	assert_int_equal(open_fds(), fds);
}

/* Closing another descriptor of the file does not give the lock away, as it
 * would with the classic locks. */
static void survives_close_of_another_fd(void **state)
{
	int a, b;

	(void)state;
	assert_int_equal(
		rtls_lock_take(spool_dir, "a.example", 0, &a, NULL), RTLS_OK);
	(void)close(open(in_spool("lock"), O_RDWR | O_CLOEXEC));
	assert_int_equal(rtls_lock_take(spool_dir, "a.example", 0, &b, NULL),
		RTLS_TEMPORARY);
	rtls_lock_release(a);
}

static void there_may_be_no_lock_file(void **state)
{
	struct rtls_err err = { "" };
	int fd = 0;

	(void)state;
	assert_int_equal(rtls_lock_take(in_spool("no/such"), "a", 0, &fd, &err),
		RTLS_TEMPORARY);
	assert_int_equal(fd, -1);
	assert_string_not_equal(err.text, "");
	assert_int_equal(symlink("/tmp/elsewhere", in_spool("lock")), 0);
	assert_int_equal(
		rtls_lock_take(spool_dir, "a", 0, &fd, &err), RTLS_TEMPORARY);
	assert_int_equal(access("/tmp/elsewhere", F_OK), -1);
	assert_int_equal(unlink(in_spool("lock")), 0);
	assert_int_equal(mkdir(in_spool("lock"), 0755), 0);
	assert_int_equal(
		rtls_lock_take(spool_dir, "a", 0, &fd, &err), RTLS_TEMPORARY);
	assert_int_equal(fd, -1);
	/* A spool that is not there yet is made. */
	assert_int_equal(
		rtls_lock_take(in_spool("new"), "a", 0, &fd, &err), RTLS_OK);
	rtls_lock_release(fd);
}

/* Holds the lock until killed; a byte on the pipe says that it has it. */
static void hold_for_ever(int pipe_fd)
{
	int fd;

	if (rtls_lock_take(spool_dir, "a.example", 0, &fd, NULL) != RTLS_OK ||
		write(pipe_fd, "x", 1) != 1)
		_exit(1);
	for (;;)
		(void)pause();
}

static void a_killed_holder_leaves_no_lock(void **state)
{
	int ends[2];
	pid_t child;
	char byte;
	int fd;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		hold_for_ever(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(rtls_lock_take(spool_dir, "a.example", 20, &fd, NULL),
		RTLS_TEMPORARY);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(
		rtls_lock_take(spool_dir, "a.example", 2000, &fd, NULL),
		RTLS_OK);
	rtls_lock_release(fd);
	assert_int_equal(waitpid(child, NULL, 0), child);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* Read a number, wait a little, write it back plus one. */
static int count_up(unsigned number)
{
	char text[32];

	(void)number;
	for (int i = 0; i < ROUNDS; i++) {
		struct timespec pause = { 0, 100000 };
		ssize_t size;
		int lock, fd;

		if (rtls_lock_take(spool_dir, "a.example", 60000, &lock,
			    NULL) != RTLS_OK)
			return 1;
		fd = open(in_spool("count"), O_RDWR | O_CLOEXEC);
		size = read(fd, text, sizeof(text) - 1);
		if (size <= 0)
			return 2;
		text[size] = '\0';
		(void)nanosleep(&pause, NULL);
		size = snprintf(
			text, sizeof(text), "%ld", strtol(text, NULL, 10) + 1);
		if (pwrite(fd, text, (size_t)size, 0) != size)
			return 3;
		(void)close(fd);
		rtls_lock_release(lock);
	}
	return 0;
}

static void many_racers_one_at_a_time(void **state)
{
	char wanted[32];

	(void)state;
	write_file(in_spool("count"), "0", 1);
	assert_true(in_children(RACERS, count_up));
	(void)snprintf(wanted, sizeof(wanted), "%d", RACERS * ROUNDS);
	assert_content(in_spool("count"), wanted);
}

static void on_alarm(int number)
{
	(void)number;
}

/* Exim's SIGALRM must neither end the wait nor be used by it. */
static void signals_do_not_shorten_the_wait(void **state)
{
	struct itimerval often = { { 0, 3000 }, { 0, 3000 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = on_alarm }, before;
	int a, b;
	int64_t start;

	(void)state;
	assert_int_equal(
		rtls_lock_take(spool_dir, "a.example", 0, &a, NULL), RTLS_OK);
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	start = now_ms();
	assert_int_equal(rtls_lock_take(spool_dir, "a.example", 200, &b, NULL),
		RTLS_TEMPORARY);
	assert_in_range(now_ms() - start, 200, 1500);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
	rtls_lock_release(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_holder_per_name),
		TEST(survives_close_of_another_fd),
		TEST(there_may_be_no_lock_file),
		TEST(a_killed_holder_leaves_no_lock),
		TEST(many_racers_one_at_a_time),
		TEST(signals_do_not_shorten_the_wait),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
