/* test_counters.c - numbers that only grow, in one file that many processes change. */
#include "spool_dir.h"

#include "store/counters.h"

#define GOOD   "session enforce success"
#define BOUNCE "bounce strict 5.7.10"

static struct rtls_counters counters;

static enum rtls_status add(const char *name, uint64_t count)
{
	const int fds = open_fds();
	const enum rtls_status status =
		rtls_counters_add(spool_dir, name, count, NULL);

	assert_int_equal(open_fds(), fds);
	return status;
}

static uint64_t value_of(const char *name)
{
	const struct rtls_counter *counter;

	assert_int_equal(
		rtls_counters_read(spool_dir, &counters, NULL), RTLS_OK);
	counter = rtls_counters_find(&counters, name);
	return counter == NULL ? 0 : counter->value;
}

static void numbers_grow_and_the_last_time_is_replaced(void **state)
{
	(void)state;
	assert_int_equal(
		rtls_counters_read(spool_dir, &counters, NULL), RTLS_NONE);
	assert_int_equal(counters.count, 0);
	assert_int_equal(add(GOOD, 1), RTLS_OK);
	assert_int_equal(add(BOUNCE, 2), RTLS_OK);
	assert_int_equal(add(GOOD, 40), RTLS_OK);
	assert_int_equal(rtls_counters_set(spool_dir, "refresh time", 99, NULL),
		RTLS_OK);
	assert_int_equal(
		rtls_counters_set(spool_dir, "refresh time", 7, NULL), RTLS_OK);
	assert_int_equal(value_of(GOOD), 41);
	assert_int_equal(value_of(BOUNCE), 2);
	assert_int_equal(value_of("refresh time"), 7);
	assert_int_equal(value_of("session enforce"), 0);
	assert_int_equal(counters.count, 3);
	assert_int_equal(counters.skipped, 0);
	assert_int_equal(mode_of(in_spool("counters")), 0640);
	assert_content(in_spool("counters"),
		"1 session enforce success                                  "
		"00000000000000000041\n"
		"1 bounce strict 5.7.10                                     "
		"00000000000000000002\n"
		"1 refresh time                                             "
		"00000000000000000007\n");
}

static void a_name_is_a_name(void **state)
{
	static const char *const bad[] = { "", " a", "a ", "a  b", "A", "a\nb",
		"a_b", "a\"b",
		"a234567890a234567890a234567890a234567890a234567890a234567" };
	char longest[RTLS_COUNTER_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(add(bad[i], 1), RTLS_INVALID);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(access(in_spool("counters"), F_OK), -1);
	assert_int_equal(add(longest, 3), RTLS_OK);
	assert_int_equal(value_of(longest), 3);
}

static void what_does_not_parse_is_passed_over(void **state)
{
	static const char text[] =
		"1 session enforce success                                  "
		"00000000000000000041\n"
		"2 session enforce success                                  "
		"00000000000000000041\n"
		"1 session enforce success                                  "
		"0000000000000000004x\n"
		"1 session \"enforce\" success                                "
		"00000000000000000001\n"
		"1 session enforce success                                  "
		"00000000000000000001 "
		"1 session enforce success                                  "
		"00000000000000000100\n"
		"1 bounce str";

	(void)state;
	write_file(in_spool("counters"), text, strlen(text));
	assert_int_equal(value_of(GOOD), 141);
	assert_int_equal(counters.skipped, 5);
	/* The torn one at the end is written over. */
	assert_int_equal(add(BOUNCE, 5), RTLS_OK);
	assert_int_equal(add(GOOD, 1), RTLS_OK);
	assert_int_equal(value_of(GOOD), 142);
	assert_int_equal(value_of(BOUNCE), 5);
	assert_int_equal(counters.skipped, 4);
}

static void the_file_is_bounded(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < RTLS_COUNTERS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(add(name, 1), RTLS_OK);
	}
	assert_int_equal(add("another", 1), RTLS_INVALID);
	assert_int_equal(add("n0", 1), RTLS_OK);
	assert_int_equal(value_of("n0"), 2);
	assert_int_equal(counters.count, RTLS_COUNTERS_MAX);
	assert_int_equal(value_of("another"), 0);
}

static void nothing_but_a_file_of_ours_is_touched(void **state)
{
	(void)state;
	write_file(in_spool("other"), "x", 1);
	assert_int_equal(symlink("other", in_spool("counters")), 0);
	assert_int_equal(add(GOOD, 1), RTLS_INVALID);
	assert_int_equal(
		rtls_counters_read(spool_dir, &counters, NULL), RTLS_INVALID);
	assert_content(in_spool("other"), "x");
	assert_int_equal(unlink(in_spool("counters")), 0);
	assert_int_equal(mkfifo(in_spool("counters"), 0600), 0);
	assert_int_equal(add(GOOD, 1), RTLS_INVALID);
	assert_int_equal(
		rtls_counters_read(spool_dir, &counters, NULL), RTLS_INVALID);
}

static void no_number_wraps(void **state)
{
	(void)state;
	assert_int_equal(add(GOOD, UINT64_MAX - 1), RTLS_OK);
	assert_int_equal(add(GOOD, 5), RTLS_OK);
	assert_true(value_of(GOOD) == UINT64_MAX);
}

#define WRITERS 8
#define TIMES   200

/* Each a process, as deliveries are; the first ones make the lines too. */
static void many_processes_lose_nothing(void **state)
{
	pid_t child[WRITERS];
	int status;

	(void)state;
	for (int i = 0; i < WRITERS; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] != 0)
			continue;
		for (int n = 0; n < TIMES; n++)
			if (rtls_counters_add(spool_dir,
				    n % 2 == 0 ? GOOD : BOUNCE, 1,
				    NULL) != RTLS_OK)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(value_of(GOOD), WRITERS * TIMES / 2);
	assert_int_equal(value_of(BOUNCE), WRITERS * TIMES / 2);
	assert_int_equal(counters.count, 2);
	assert_int_equal(counters.skipped, 0);
}

/* Nobody changes or reads a number while another process does; and nobody waits for ever. */
static void a_lock_is_waited_for_but_not_for_ever(void **state)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd;

	(void)state;
	assert_int_equal(add(GOOD, 1), RTLS_OK);
	fd = open(in_spool("counters"), O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &whole), 0);
	assert_int_equal(add(GOOD, 1), RTLS_TEMPORARY);
	assert_int_equal(
		rtls_counters_read(spool_dir, &counters, NULL), RTLS_TEMPORARY);
	assert_int_equal(counters.count, 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(value_of(GOOD), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			numbers_grow_and_the_last_time_is_replaced, make_spool,
			remove_spool),
		cmocka_unit_test_setup_teardown(
			a_name_is_a_name, make_spool, remove_spool),
		cmocka_unit_test_setup_teardown(
			what_does_not_parse_is_passed_over, make_spool,
			remove_spool),
		cmocka_unit_test_setup_teardown(
			the_file_is_bounded, make_spool, remove_spool),
		cmocka_unit_test_setup_teardown(
			nothing_but_a_file_of_ours_is_touched, make_spool,
			remove_spool),
		cmocka_unit_test_setup_teardown(
			no_number_wraps, make_spool, remove_spool),
		cmocka_unit_test_setup_teardown(
			a_lock_is_waited_for_but_not_for_ever, make_spool,
			remove_spool),
		cmocka_unit_test_setup_teardown(
			many_processes_lose_nothing, make_spool, remove_spool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
