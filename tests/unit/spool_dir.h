/* spool_dir.h - a temporary spool for one test, and children that do things
 * to it. cmocka's includes come first, as it wants them. */
#ifndef SPOOL_DIR_H
#define SPOOL_DIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/slice.h"
#include "policy/status.h"

#define UNUSED __attribute__((unused))

/* "/tmp/rtls-test.XXXXXX" is above, and root's alone; the spool below it. */
static char base_dir[32];
static char spool_dir[48];

static int remove_entry(const char *path, UNUSED const struct stat *info,
	UNUSED int type, UNUSED struct FTW *ftw)
{
	return remove(path);
}

static UNUSED int make_spool(void **state)
{
	(void)state;
	(void)snprintf(base_dir, sizeof(base_dir), "/tmp/rtls-test.XXXXXX");
	if (mkdtemp(base_dir) == NULL)
		return -1;
	(void)snprintf(spool_dir, sizeof(spool_dir), "%s/spool", base_dir);
	return mkdir(spool_dir, 0750);
}

static UNUSED int remove_spool(void **state)
{
	(void)state;
	return nftw(base_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* "<spool>/<name>" in one of several buffers, so that two fit in one call. */
static UNUSED const char *in_spool(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", spool_dir, name);
	return path;
}

static UNUSED void write_file(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	assert_int_equal(close(fd), 0);
}

/* The content as a terminated text of the caller's to free. */
static UNUSED char *content_of(const char *path)
{
	FILE *file = fopen(path, "rbe");
	char *text = calloc(1, 1 << 20);

	assert_non_null(text);
	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 20) - 1, file) < (1 << 20) - 1);
	(void)fclose(file);
	return text;
}

static UNUSED void assert_content(const char *path, const char *wanted)
{
	char *text = content_of(path);

	assert_string_equal(text, wanted);
	free(text);
}

static UNUSED mode_t mode_of(const char *path)
{
	struct stat info;

	assert_int_equal(lstat(path, &info), 0);
	return info.st_mode & 07777;
}

static int entries;

static int count_entry(UNUSED const char *path, UNUSED const struct stat *info,
	UNUSED int type, UNUSED struct FTW *ftw)
{
	entries++;
	return 0;
}

/* Files and directories below path, itself included. */
static UNUSED int count_entries(const char *path)
{
	entries = 0;
	assert_int_equal(nftw(path, count_entry, 16, FTW_PHYS), 0);
	return entries;
}

static UNUSED int open_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Run body in a child; what it returned, or -1 when it died. */
static UNUSED int in_child(int (*body)(void *context), void *context)
{
	int state = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(body(context));
	assert_int_equal(waitpid(child, &state, 0), child);
	return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

/* Run body(0) .. body(count - 1) at once; true when all returned 0. */
static UNUSED bool in_children(unsigned count, int (*body)(unsigned number))
{
	bool all = true;

	for (unsigned i = 0; i < count; i++) {
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			_exit(body(i));
	}
	for (unsigned i = 0; i < count; i++) {
		int state = 0;

		assert_true(wait(&state) > 0);
		all = all && WIFEXITED(state) && WEXITSTATUS(state) == 0;
	}
	return all;
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, make_spool, remove_spool)

#endif
