/* test_file_remove.c - what is removed below the spool, and what never is. */
#include "spool_dir.h"

#include "store/file.h"

static void removes_a_file(void **state)
{
	int fds = open_fds();

	(void)state;
	assert_int_equal(mkdir(in_spool("d"), 0750), 0);
	write_file(in_spool("d/f"), "x", 1);
	assert_int_equal(
		rtls_file_remove_below(spool_dir, in_spool("d/f"), NULL),
		RTLS_OK);
	assert_int_equal(
		rtls_file_remove_below(spool_dir, in_spool("d/f"), NULL),
		RTLS_NONE);
	assert_int_equal(
		rtls_file_remove_below(spool_dir, in_spool("e/f"), NULL),
		RTLS_NONE);
	assert_int_equal(rtls_file_remove_below(spool_dir, in_spool("d"), NULL),
		RTLS_TEMPORARY);
	assert_int_equal(open_fds(), fds);
}

static void removes_a_directory(void **state)
{
	int fds = open_fds();

	(void)state;
	assert_int_equal(mkdir(in_spool("d"), 0750), 0);
	write_file(in_spool("d/f"), "x", 1);
	write_file(in_spool("d/.hidden"), "x", 1);
	assert_int_equal(
		rtls_file_remove_directory(spool_dir, in_spool("d"), NULL),
		RTLS_OK);
	assert_int_equal(access(in_spool("d"), F_OK), -1);
	assert_int_equal(
		rtls_file_remove_directory(spool_dir, in_spool("d"), NULL),
		RTLS_NONE);
	assert_int_equal(open_fds(), fds);
}

/* The spool, with a directory outside of it: "out" with a file, and a link to it. */
static void make_outside(char file[64])
{
	char directory[64];

	(void)snprintf(directory, sizeof(directory), "%s/out", base_dir);
	assert_int_equal(mkdir(directory, 0750), 0);
	(void)snprintf(file, 64, "%s/out/f", base_dir);
	write_file(file, "x", 1);
	assert_int_equal(symlink(directory, in_spool("link")), 0);
}

static void follows_no_link(void **state)
{
	struct rtls_err err = { "" };
	char file[64];

	(void)state;
	make_outside(file);
	assert_int_equal(
		rtls_file_remove_below(spool_dir, in_spool("link/f"), &err),
		RTLS_TEMPORARY);
	assert_int_equal(
		rtls_file_remove_directory(spool_dir, in_spool("link"), &err),
		RTLS_TEMPORARY);
	assert_string_not_equal(err.text, "");
	assert_int_equal(
		rtls_file_remove_below(spool_dir, file, &err), RTLS_BUG);
	assert_int_equal(
		rtls_file_remove_below(spool_dir, in_spool("../out/f"), &err),
		RTLS_BUG);
	assert_content(file, "x");
	/* A link in a directory stays, and so does what it leads to. */
	assert_int_equal(mkdir(in_spool("d"), 0750), 0);
	assert_int_equal(symlink(file, in_spool("d/link")), 0);
	assert_int_equal(mkdir(in_spool("d/sub"), 0750), 0);
	write_file(in_spool("d/f"), "x", 1);
	assert_int_equal(
		rtls_file_remove_directory(spool_dir, in_spool("d"), &err),
		RTLS_TEMPORARY);
	assert_int_equal(count_entries(in_spool("d")), 3);
	assert_content(file, "x");
}

static bool count_name(const char *name, int64_t modified_s, void *context)
{
	assert_true(strcmp(name, "d") == 0 || strcmp(name, "e") == 0);
	assert_true(modified_s > 0);
	++*(int *)context;
	return true;
}

static void lists_directories(void **state)
{
	char file[64];
	int count = 0;

	(void)state;
	assert_int_equal(rtls_file_each_directory(spool_dir, in_spool("x"),
				 count_name, &count, NULL),
		RTLS_NONE);
	assert_int_equal(mkdir(in_spool("x"), 0750), 0);
	assert_int_equal(mkdir(in_spool("x/d"), 0750), 0);
	assert_int_equal(mkdir(in_spool("x/e"), 0750), 0);
	assert_int_equal(mkdir(in_spool("x/.d"), 0750), 0);
	write_file(in_spool("x/file"), "x", 1);
	make_outside(file);
	assert_int_equal(rename(in_spool("link"), in_spool("x/link")), 0);
	assert_int_equal(rtls_file_each_directory(spool_dir, in_spool("x"),
				 count_name, &count, NULL),
		RTLS_OK);
	assert_int_equal(count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(removes_a_file),
		TEST(removes_a_directory),
		TEST(follows_no_link),
		TEST(lists_directories),
	};

	return cmocka_run_group_tests_name("file_remove", tests, NULL, NULL);
}
