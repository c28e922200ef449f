/* test_command.c - programs that setup runs, and how long it waits for them. */
#include "check.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool/command.h"

static char said[4096];
static struct rtls_command command = {
	.limit_s = 120, .output = said, .output_max = sizeof(said)
};

static bool run(const char *script)
{
	const char *const words[] = { "/bin/sh", "-c", script, NULL };

	return rtls_command_run(&command, words, NULL);
}

static void assert_said(const char *text)
{
	const struct rtls_slice output = rtls_command_output(&command);

	assert_int_equal(output.size, strlen(text));
	assert_memory_equal(output.data, text, output.size);
}

static void its_status_and_both_outputs_are_had(void **state)
{
	(void)state;
	assert_true(run("echo out; echo err >&2"));
	assert_said("out\nerr\n");
	assert_false(run("echo $HOME$LANG; exit 3"));
	assert_int_equal(command.exit_status, 3);
	assert_said("\n");
	assert_false(run("kill -9 $$"));
	assert_int_equal(command.exit_status, -1);
}

static void what_is_too_much_is_cut(void **state)
{
	(void)state;
	assert_true(run("head -c 300000 /dev/zero"));
	assert_int_equal(rtls_command_output(&command).size, sizeof(said));
}

/* The alarm is for this test only: without a limit it would never end. */
static void a_silent_one_is_killed(void **state)
{
	(void)state;
	command.limit_s = 1;
	(void)alarm(60);
	assert_false(run("echo before; exec sleep 3600"));
	(void)alarm(0);
	assert_int_equal(command.exit_status, -1);
	assert_said("before\n");
}

static void so_is_one_that_has_closed_its_outputs(void **state)
{
	(void)state;
	command.limit_s = 1;
	(void)alarm(60);
	assert_false(run("echo before; exec sleep 3600 >&- 2>&-"));
	(void)alarm(0);
	assert_int_equal(command.exit_status, -1);
	assert_said("before\n");
}

static void it_reads_what_it_is_given(void **state)
{
	int fd[2];

	(void)state;
	command.limit_s = 120;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "given\n", 6), 6);
	(void)close(fd[1]);
	command.input = fd[0];
	assert_true(run("cat"));
	assert_said("given\n");
	(void)close(fd[0]);
	command.input = 0;
	assert_true(run("cat"));
	assert_said("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_status_and_both_outputs_are_had),
		cmocka_unit_test(what_is_too_much_is_cut),
		cmocka_unit_test(a_silent_one_is_killed),
		cmocka_unit_test(so_is_one_that_has_closed_its_outputs),
		cmocka_unit_test(it_reads_what_it_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
