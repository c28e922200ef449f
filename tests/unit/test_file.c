/* test_file.c - reading, replacing, appending and listing, with real faults:
 * links, FIFOs, limits, full disks, failing system calls, kill -9. */
#include "spool_dir.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include "store/file.h"

static char buffer[65536];

/* --- reading --------------------------------------------------------------- */

static void reads_up_to_the_limit(void **state)
{
	const char *path = in_spool("f");
	struct rtls_slice text;
	struct rtls_err err;
	char *exact;

	(void)state;
	for (size_t size = 0; size < 20; size++) {
		write_file(path, "0123456789\0abcdefghij", size);
		exact = malloc(size + 1);
		assert_non_null(exact);
		assert_int_equal(rtls_file_read(path, exact, size, &text, &err),
			RTLS_OK);
		assert_int_equal(text.size, size);
		assert_memory_equal(text.data, "0123456789\0abcdefghij", size);
		assert_int_equal(exact[size], '\0');
		if (size > 0) {
			assert_int_equal(rtls_file_read(path, exact, size - 1,
						 &text, &err),
				RTLS_INVALID);
			assert_non_null(strstr(err.text, "larger than"));
			/* Out-parameters are untouched. */
			assert_int_equal(text.size, size);
		}
		free(exact);
	}
}

static enum rtls_status read_it(const char *path)
{
	struct rtls_slice text;
	struct rtls_err err = { "" };
	int fds = open_fds();
	enum rtls_status status =
		rtls_file_read(path, buffer, sizeof(buffer) - 1, &text, &err);

	assert_int_equal(open_fds(), fds);
	if (status != RTLS_OK)
		assert_string_not_equal(err.text, "");
	return status;
}

static void bind_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);
}

static void reads_regular_files_only(void **state)
{
	(void)state;
	write_file(in_spool("file"), "x", 1);
	assert_int_equal(mkfifo(in_spool("fifo"), 0644), 0);
	assert_int_equal(symlink("file", in_spool("link")), 0);
	assert_int_equal(symlink("nothing", in_spool("dangling")), 0);
	bind_socket(in_spool("socket"));

	assert_int_equal(read_it(in_spool("file")), RTLS_OK);
	assert_int_equal(read_it(in_spool("fifo")), RTLS_INVALID);
	assert_int_equal(read_it(in_spool("link")), RTLS_INVALID);
	assert_int_equal(read_it(in_spool("dangling")), RTLS_INVALID);
	assert_int_equal(read_it(in_spool("socket")), RTLS_INVALID);
	assert_int_equal(read_it(spool_dir), RTLS_INVALID);
	assert_int_equal(read_it("/dev/full"), RTLS_INVALID);
	assert_int_equal(read_it(in_spool("none")), RTLS_NONE);
	assert_int_equal(read_it(in_spool("none/none")), RTLS_NONE);
	assert_int_equal(read_it(in_spool("file/none")), RTLS_TEMPORARY);
	assert_int_equal(read_it(""), RTLS_NONE);
}

static void quotes_names_in_errors(void **state)
{
	struct rtls_slice text;
	struct rtls_err err;

	(void)state;
	assert_int_equal(
		rtls_file_read(in_spool("a\nb\x1b"), buffer, 10, &text, &err),
		RTLS_NONE);
	assert_non_null(strstr(err.text, "a\\x0ab\\x1b"));
	assert_int_equal(
		rtls_file_read(in_spool("none"), buffer, 10, &text, NULL),
		RTLS_NONE);
}

static enum rtls_status read_below(const char *root, const char *path)
{
	struct rtls_slice text;
	int fds = open_fds();
	enum rtls_status status = rtls_file_read_below(
		root, path, buffer, sizeof(buffer) - 1, &text, NULL);

	assert_int_equal(open_fds(), fds);
	return status;
}

static void follows_no_link_below_the_root(void **state)
{
	char slash[96], linked[64];

	(void)state;
	assert_int_equal(mkdir(in_spool("a"), 0755), 0);
	assert_int_equal(mkdir(in_spool("a/b"), 0755), 0);
	write_file(in_spool("a/b/f"), "x", 1);
	assert_int_equal(symlink("a", in_spool("link")), 0);
	assert_int_equal(symlink("f", in_spool("a/b/g")), 0);
	(void)snprintf(linked, sizeof(linked), "%s/linked", base_dir);
	assert_int_equal(symlink("spool", linked), 0);

	assert_int_equal(read_below(spool_dir, in_spool("a/b/f")), RTLS_OK);
	(void)snprintf(slash, sizeof(slash), "%s//", spool_dir);
	assert_int_equal(read_below(slash, in_spool("a/b/f")), RTLS_OK);
	assert_int_equal(
		read_below(spool_dir, in_spool("link/b/f")), RTLS_TEMPORARY);
	assert_int_equal(
		read_below(spool_dir, in_spool("a/b/g")), RTLS_INVALID);
	(void)snprintf(slash, sizeof(slash), "%s/a/b/f", linked);
	assert_int_equal(read_below(linked, slash), RTLS_TEMPORARY);
	assert_int_equal(read_below(spool_dir, in_spool("none/f")), RTLS_NONE);
	assert_int_equal(
		read_below(in_spool("no"), in_spool("no/f")), RTLS_NONE);
	assert_int_equal(
		read_below(spool_dir, in_spool("a/b/f/g")), RTLS_TEMPORARY);
}

static void keeps_within_the_root(void **state)
{
	static const char *const below[] = { "..", ".", "a/../../f", "a/./f",
		"a//f", "a/", "" };
	char beside[64];

	(void)state;
	assert_int_equal(mkdir(in_spool("a"), 0755), 0);
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		assert_true(
			read_below(spool_dir, in_spool(below[i])) == RTLS_BUG ||
			read_below(spool_dir, in_spool(below[i])) ==
				RTLS_TEMPORARY);
		assert_int_not_equal(
			rtls_file_replace(spool_dir, in_spool(below[i]),
				rtls_slice("x"), NULL),
			RTLS_OK);
	}
	assert_int_equal(read_below(spool_dir, "/etc/passwd"), RTLS_BUG);
	assert_int_equal(read_below(spool_dir, base_dir), RTLS_BUG);
	assert_int_equal(read_below("", "/etc/passwd"), RTLS_BUG);
	/* A path that only begins with the same letters. */
	(void)snprintf(beside, sizeof(beside), "%s-f", spool_dir);
	write_file(beside, "x", 1);
	assert_int_equal(read_below(spool_dir, beside), RTLS_BUG);
}

/* --- files that have power ------------------------------------------------- */

static enum rtls_status read_trusted(const char *path, const char *wanted)
{
	struct rtls_slice text;
	struct rtls_err err = { "" };
	int fds = open_fds();
	enum rtls_status status = rtls_file_read_trusted(
		path, buffer, sizeof(buffer) - 1, &text, &err);

	assert_int_equal(open_fds(), fds);
	assert_non_null(strstr(err.text, wanted));
	return status;
}

static void trusts_root_alone(void **state)
{
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/conf", base_dir);
	assert_int_equal(read_trusted(path, "conf"), RTLS_NONE);
	write_file(path, "x", 1);
	if (geteuid() != 0) {
		assert_int_equal(read_trusted(path, "owner"), RTLS_INVALID);
		skip();
	}
	assert_int_equal(read_trusted(path, ""), RTLS_OK);
	assert_int_equal(chmod(path, 0664), 0);
	assert_int_equal(read_trusted(path, "mode 0664"), RTLS_INVALID);
	assert_int_equal(chmod(path, 0646), 0);
	assert_int_equal(read_trusted(path, "mode 0646"), RTLS_INVALID);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chown(path, 65534, 0), 0);
	assert_int_equal(read_trusted(path, "owner 65534"), RTLS_INVALID);
	assert_int_equal(chown(path, 0, 65534), 0);
	assert_int_equal(read_trusted(path, ""), RTLS_OK);

	assert_int_equal(chmod(base_dir, 01777), 0);
	assert_int_equal(read_trusted(path, "directory of"), RTLS_INVALID);
	assert_int_equal(chmod(base_dir, 0770), 0);
	assert_int_equal(read_trusted(path, "mode 0770"), RTLS_INVALID);
	assert_int_equal(chmod(base_dir, 0755), 0);
	assert_int_equal(chown(base_dir, 65534, 0), 0);
	assert_int_equal(read_trusted(path, "directory of"), RTLS_INVALID);
	assert_int_equal(chown(base_dir, 0, 0), 0);
	assert_int_equal(read_trusted(path, ""), RTLS_OK);
}

static void trusts_no_link(void **state)
{
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/conf", base_dir);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(read_trusted(path, "symbolic link"), RTLS_INVALID);
	assert_int_equal(read_trusted("/etc/passwd/x", "x"), RTLS_TEMPORARY);
	assert_int_equal(read_trusted("/nonexistent/x", "x"), RTLS_NONE);
}

/* --- replacing ------------------------------------------------------------- */

static enum rtls_status replace(const char *name, const char *text)
{
	struct rtls_err err = { "" };
	int fds = open_fds();
	enum rtls_status status = rtls_file_replace(
		spool_dir, in_spool(name), rtls_slice(text), &err);

	assert_int_equal(open_fds(), fds);
	if (status != RTLS_OK)
		assert_string_not_equal(err.text, "");
	return status;
}

static void replaces_as_a_whole(void **state)
{
	static const mode_t umasks[] = { 0, 022, 077, 0777 };

	(void)state;
	for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
		mode_t before = umask(umasks[i]);
		char name[32];
		int reader;

		(void)snprintf(name, sizeof(name), "%zu/a/f", i);
		if (geteuid() != 0 && umasks[i] == 0777)
			break; /* a directory that its owner cannot enter */
		assert_int_equal(replace(name, "one"), RTLS_OK);
		reader = open(in_spool(name), O_RDONLY | O_CLOEXEC);
		assert_int_equal(replace(name, "second"), RTLS_OK);
		(void)umask(before);

		assert_content(in_spool(name), "second");
		assert_int_equal(mode_of(in_spool(name)), 0640);
		(void)snprintf(name, sizeof(name), "%zu/a", i);
		assert_int_equal(mode_of(in_spool(name)), 0750);
		assert_int_equal(count_entries(in_spool(name)), 2);
		/* Who had it open goes on with the old text. */
		assert_int_equal(read(reader, buffer, 10), 3);
		assert_memory_equal(buffer, "one", 3);
		(void)close(reader);
	}
}

static void makes_the_root_itself(void **state)
{
	(void)state;
	assert_int_equal(rmdir(spool_dir), 0);
	assert_int_equal(replace("a/f", "x"), RTLS_OK);
	assert_int_equal(mode_of(spool_dir), 0750);
	/* But not what is above it. */
	assert_int_equal(rtls_file_replace(in_spool("no/such"),
				 in_spool("no/such/f"), rtls_slice("x"), NULL),
		RTLS_TEMPORARY);
}

static void replaces_the_link_not_its_target(void **state)
{
	char outside[64];

	(void)state;
	(void)snprintf(outside, sizeof(outside), "%s/outside", base_dir);
	write_file(outside, "mine", 4);
	assert_int_equal(symlink("../outside", in_spool("f")), 0);
	assert_int_equal(replace("f", "new"), RTLS_OK);
	assert_content(in_spool("f"), "new");
	assert_content(outside, "mine");
	/* A directory that is a link is not entered. */
	assert_int_equal(symlink("..", in_spool("d")), 0);
	assert_int_equal(replace("d/outside", "new"), RTLS_TEMPORARY);
	assert_content(outside, "mine");
}

static void leaves_nothing_behind_on_failure(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_spool("d"), 0755), 0);
	assert_int_equal(mkdir(in_spool("d/f"), 0755), 0);
	write_file(in_spool("file"), "x", 1);
	assert_int_equal(replace("d/f", "x"), RTLS_TEMPORARY);
	assert_int_equal(replace("file/f", "x"), RTLS_TEMPORARY);
	assert_int_equal(count_entries(spool_dir), 4);
}

/* For another program: readable whatever the umask, the directory its own. */
static void publishes_as_a_whole(void **state)
{
	static const mode_t umasks[] = { 0, 022, 077 };
	char outside[64];

	(void)state;
	(void)snprintf(outside, sizeof(outside), "%s/outside", base_dir);
	write_file(outside, "mine", 4);
	assert_int_equal(symlink("../outside", in_spool("f")), 0);
	assert_int_equal(symlink(".", in_spool("here")), 0);
	for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
		const mode_t before = umask(umasks[i]);
		const int fds = open_fds();

		assert_int_equal(rtls_file_publish(in_spool("here/f"),
					 rtls_slice("new"), NULL),
			RTLS_OK);
		(void)umask(before);
		assert_int_equal(open_fds(), fds);
		assert_content(in_spool("f"), "new");
		assert_int_equal(mode_of(in_spool("f")), 0644);
	}
	assert_content(outside, "mine");
	/* Nothing is made, and nothing is left. */
	assert_int_equal(
		rtls_file_publish(in_spool("no/f"), rtls_slice("x"), NULL),
		RTLS_NONE);
	assert_int_equal(mkdir(in_spool("d"), 0755), 0);
	assert_int_equal(
		rtls_file_publish(in_spool("d"), rtls_slice("x"), NULL),
		RTLS_TEMPORARY);
	assert_int_equal(count_entries(spool_dir), 4);
}

static void limit_file_size(rlim_t size)
{
	struct rlimit limit = { size, size };

	(void)signal(SIGXFSZ, SIG_IGN);
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

static int replace_under_limit(void *context)
{
	(void)context;
	limit_file_size(10);
	return replace("f", "more than ten bytes") == RTLS_TEMPORARY ? 0 : 1;
}

static void survives_a_file_size_limit(void **state)
{
	(void)state;
	assert_int_equal(replace("f", "old"), RTLS_OK);
	assert_int_equal(in_child(replace_under_limit, NULL), 0);
	assert_content(in_spool("f"), "old");
	assert_int_equal(count_entries(spool_dir), 2);
}

/* A full disk, if we may mount one. 77: we may not. */
static int replace_on_full_disk(void *context)
{
	static char big[200000];
	size_t left = sizeof(big);
	enum rtls_status status;
	int fd;

	(void)context;
	if (unshare(CLONE_NEWNS) != 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("tmpfs", spool_dir, "tmpfs", 0, "size=64k") != 0)
		return 77;
	if (replace("f", "old") != RTLS_OK)
		return 2;
	fd = open(in_spool("filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (left > 0 && write(fd, big, 4096) > 0)
		left -= 4096;
	status = replace("f", "new");
	if (status != RTLS_TEMPORARY || count_entries(spool_dir) != 3)
		return 3;
	assert_content(in_spool("f"), "old");
	if (rtls_file_append(spool_dir, in_spool("j"), rtls_slice("x\n"),
		    NULL) != RTLS_TEMPORARY)
		return 4;
	if (ftruncate(fd, 0) != 0)
		return 5;
	return replace("f", "new") == RTLS_OK ? 0 : 6;
}

static void survives_a_full_disk(void **state)
{
	int result = in_child(replace_on_full_disk, NULL);

	(void)state;
	if (result == 77)
		skip();
	assert_int_equal(result, 0);
}

/* Make one system call fail with EIO from now on, by a seccomp filter. */
static bool break_syscall(int number)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

struct broken {
	const char *name;
	int number;
	const char *after; /* what f then holds */
};

static int replace_with_broken_call(void *context)
{
	const struct broken *broken = context;

	if (!break_syscall(broken->number))
		return 77;
	return rtls_file_replace(spool_dir, in_spool("f"), rtls_slice("new"),
		       NULL) == RTLS_TEMPORARY
		       ? 0
		       : 1;
}

static void survives_each_failing_call(void **state)
{
	struct broken calls[] = {
		{ "openat", SYS_openat, "old" },
		{ "write", SYS_write, "old" },
		{ "fchmod", SYS_fchmod, "old" },
		{ "fsync", SYS_fsync, "old" },
		{ "close", SYS_close, "old" },
		{ "renameat", SYS_renameat, "old" },
	};

	(void)state;
	assert_int_equal(replace("f", "old"), RTLS_OK);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int result = in_child(replace_with_broken_call, &calls[i]);

		if (result == 77)
			skip();
		assert_int_equal(result, 0);
		assert_content(in_spool("f"), calls[i].after);
		/* Neither temporaries nor anything else. */
		assert_int_equal(count_entries(spool_dir), 2);
	}
}

/* --- many at once ---------------------------------------------------------- */

#define WRITERS 16
#define ROUNDS  50

static char text_of_writer[WRITERS][3000];

static void make_writer_texts(void)
{
	for (unsigned i = 0; i < WRITERS; i++) {
		size_t size = 100 + i * 180;

		memset(text_of_writer[i], 'a' + (int)i, size);
		text_of_writer[i][size] = '\0';
	}
}

static bool is_writer_text(struct rtls_slice text)
{
	for (unsigned i = 0; i < WRITERS; i++)
		if (rtls_slice_is(text, text_of_writer[i]))
			return true;
	return false;
}

/* Writers, and one reader that must never see half a text. */
static int write_or_read(unsigned number)
{
	struct rtls_slice text;

	for (int i = 0; i < ROUNDS; i++) {
		if (number < WRITERS &&
			replace("x/f", text_of_writer[number]) != RTLS_OK)
			return 1;
		if (number < WRITERS)
			continue;
		switch (rtls_file_read(in_spool("x/f"), buffer,
			sizeof(buffer) - 1, &text, NULL)) {
		case RTLS_OK:
			if (!is_writer_text(text))
				return 2;
			break;
		case RTLS_NONE:
			break;
		default:
			return 3;
		}
	}
	return 0;
}

static void many_writers_one_text(void **state)
{
	char *text;

	(void)state;
	make_writer_texts();
	assert_true(in_children(WRITERS + 1, write_or_read));
	text = content_of(in_spool("x/f"));
	assert_true(is_writer_text(rtls_slice(text)));
	free(text);
	assert_int_equal(count_entries(spool_dir), 3);
}

static int make_directories(unsigned number)
{
	char name[64];

	for (int i = 0; i < ROUNDS; i++) {
		(void)snprintf(name, sizeof(name), "%d/a/b/%u", i, number);
		if (replace(name, "x") != RTLS_OK)
			return 1;
	}
	return 0;
}

static void many_make_the_same_directories(void **state)
{
	(void)state;
	assert_true(in_children(WRITERS, make_directories));
	assert_int_equal(count_entries(spool_dir), 1 + ROUNDS * (3 + WRITERS));
}

static int append_lines(unsigned number)
{
	char line[3100];

	for (int i = 0; i < ROUNDS; i++) {
		(void)snprintf(
			line, sizeof(line), "%s\n", text_of_writer[number]);
		if (rtls_file_append(spool_dir, in_spool("x/journal"),
			    rtls_slice(line), NULL) != RTLS_OK)
			return 1;
	}
	return 0;
}

static void many_appenders_no_torn_line(void **state)
{
	static char all[WRITERS * ROUNDS * 3001 + 1];
	struct rtls_slice text, line;
	unsigned lines = 0;

	(void)state;
	make_writer_texts();
	assert_true(in_children(WRITERS, append_lines));
	assert_int_equal(rtls_file_read(in_spool("x/journal"), all,
				 sizeof(all) - 1, &text, NULL),
		RTLS_OK);
	while (rtls_slice_line(&text, &line)) {
		/* One that grows page by page looks torn to the next writer. */
		if (line.size == 0)
			continue;
		assert_true(is_writer_text(line));
		lines++;
	}
	assert_int_equal(lines, WRITERS * ROUNDS);
	assert_int_equal(mode_of(in_spool("x/journal")), 0640);
}

static void replace_for_ever(void)
{
	for (unsigned i = 0;; i++)
		if (replace("x/f", text_of_writer[i % WRITERS]) != RTLS_OK)
			_exit(1);
}

static bool count_visible(const char *name, int64_t modified_s, void *context)
{
	assert_string_equal(name, "f");
	assert_true(modified_s > 0);
	++*(int *)context;
	return true;
}

/* A killed writer leaves the old text or the new one, and at most one
 * temporary, which nobody sees and nothing trips over. */
static void survives_kill(void **state)
{
	int visible = 0;

	(void)state;
	make_writer_texts();
	assert_int_equal(replace("x/f", text_of_writer[0]), RTLS_OK);
	for (int round = 0; round < 40; round++) {
		struct timespec pause = { 0, 300000 + round * 137000 };
		pid_t child = fork();
		char *text;

		assert_true(child >= 0);
		if (child == 0)
			replace_for_ever();
		(void)nanosleep(&pause, NULL);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		text = content_of(in_spool("x/f"));
		assert_true(is_writer_text(rtls_slice(text)));
		free(text);
		assert_int_equal(replace("x/f", text_of_writer[1]), RTLS_OK);
	}
	assert_in_range(count_entries(in_spool("x")), 2, 2 + 40);
	assert_int_equal(rtls_file_each(spool_dir, in_spool("x"), count_visible,
				 &visible, NULL),
		RTLS_OK);
	assert_int_equal(visible, 1);
}

/* --- appending, removing, listing ------------------------------------------ */

static int append_under_limit(void *context)
{
	struct rtls_err err = { "" };

	(void)context;
	limit_file_size(10);
	if (rtls_file_append(spool_dir, in_spool("f"), rtls_slice("12345678"),
		    &err) != RTLS_TEMPORARY)
		return 1; /* four bytes fit: a short write is an error */
	return err.text[0] == '\0' ? 2 : 0;
}

static void appends_to_regular_files_only(void **state)
{
	struct rtls_slice line = rtls_slice("line\n");
	char outside[64];
	int fds = open_fds();

	(void)state;
	(void)snprintf(outside, sizeof(outside), "%s/outside", base_dir);
	write_file(outside, "", 0);
	assert_int_equal(symlink("../outside", in_spool("link")), 0);
	assert_int_equal(mkfifo(in_spool("fifo"), 0644), 0);
	assert_int_equal(rtls_file_append(spool_dir, in_spool("f"), line, NULL),
		RTLS_OK);
	assert_int_equal(rtls_file_append(spool_dir, in_spool("f"),
				 rtls_slice("x"), NULL),
		RTLS_OK);
	assert_content(in_spool("f"), "line\nx");
	assert_int_equal(in_child(append_under_limit, NULL), 0);

	assert_int_equal(
		rtls_file_append(spool_dir, in_spool("link"), line, NULL),
		RTLS_TEMPORARY);
	assert_content(outside, "");
	assert_int_equal(
		rtls_file_append(spool_dir, in_spool("fifo"), line, NULL),
		RTLS_TEMPORARY);
	assert_int_equal(
		rtls_file_append(spool_dir, in_spool("f/g"), line, NULL),
		RTLS_TEMPORARY);
	assert_int_equal(open_fds(), fds);
}

static void does_not_wait_for_a_fifo(void **state)
{
	int reader;

	(void)state;
	assert_int_equal(mkfifo(in_spool("fifo"), 0644), 0);
	reader = open(in_spool("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_int_equal(rtls_file_append(spool_dir, in_spool("fifo"),
				 rtls_slice("x"), NULL),
		RTLS_TEMPORARY);
	assert_int_equal(read(reader, buffer, 1), 0);
	(void)close(reader);
}

static void removes_once(void **state)
{
	struct rtls_err err = { "" };

	(void)state;
	write_file(in_spool("f"), "x", 1);
	assert_int_equal(rtls_file_remove(in_spool("f"), &err), RTLS_OK);
	assert_int_equal(rtls_file_remove(in_spool("f"), &err), RTLS_NONE);
	assert_int_equal(rtls_file_remove(spool_dir, &err), RTLS_TEMPORARY);
	assert_non_null(strstr(err.text, "remove"));
}

struct seen {
	int count;
	int stop_after;
};

static bool remove_visited(const char *name, int64_t modified_s, void *context)
{
	struct seen *seen = context;

	(void)modified_s;
	assert_int_equal(name[0], 'f');
	assert_int_equal(rtls_file_remove(in_spool(name), NULL), RTLS_OK);
	return ++seen->count != seen->stop_after;
}

static void lists_regular_files(void **state)
{
	struct seen seen = { 0, 3 };
	int fds = open_fds();

	(void)state;
	for (int i = 0; i < 10; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "f%d", i);
		write_file(in_spool(name), "x", 1);
	}
	write_file(in_spool(".tmp-1-2-3"), "x", 1);
	assert_int_equal(mkdir(in_spool("dir"), 0755), 0);
	assert_int_equal(mkfifo(in_spool("gifo"), 0644), 0);
	assert_int_equal(symlink("/etc/passwd", in_spool("link")), 0);
	assert_int_equal(rtls_file_each(base_dir, spool_dir, remove_visited,
				 &seen, NULL),
		RTLS_OK);
	assert_int_equal(seen.count, 3);
	assert_int_equal(rtls_file_each(base_dir, spool_dir, remove_visited,
				 &seen, NULL),
		RTLS_OK);
	assert_int_equal(seen.count, 10);

	assert_int_equal(rtls_file_each(spool_dir, in_spool("none"),
				 remove_visited, &seen, NULL),
		RTLS_NONE);
	assert_int_equal(rtls_file_each(spool_dir, in_spool("gifo"),
				 remove_visited, &seen, NULL),
		RTLS_TEMPORARY);
	assert_int_equal(rtls_file_each(spool_dir, in_spool("link"),
				 remove_visited, &seen, NULL),
		RTLS_TEMPORARY);
	assert_int_equal(open_fds(), fds);
}

/* What a killed writer left goes when it is old; a writer at work is left in
 * peace, and so are other files with a dot. */
static void drops_old_temporaries(void **state)
{
	const struct timespec old[] = { { 1000000000, 0 }, { 1000000000, 0 } };
	const struct timespec ahead[] = { { 4000000000, 0 },
		{ 4000000000, 0 } };
	struct seen seen = { 0, 100 };

	(void)state;
	write_file(in_spool(".tmp-1-2-3"), "x", 1);
	write_file(in_spool(".tmp-4-5-6"), "x", 1);
	write_file(in_spool(".tmp-7-8-9"), "x", 1);
	write_file(in_spool(".other"), "x", 1);
	assert_int_equal(
		utimensat(AT_FDCWD, in_spool(".tmp-4-5-6"), old, 0), 0);
	assert_int_equal(
		utimensat(AT_FDCWD, in_spool(".tmp-7-8-9"), ahead, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, in_spool(".other"), old, 0), 0);
	assert_int_equal(rtls_file_each(base_dir, spool_dir, remove_visited,
				 &seen, NULL),
		RTLS_OK);
	assert_int_equal(seen.count, 0);
	assert_int_equal(access(in_spool(".tmp-1-2-3"), F_OK), 0);
	assert_int_equal(access(in_spool(".other"), F_OK), 0);
	assert_int_not_equal(access(in_spool(".tmp-4-5-6"), F_OK), 0);
	/* EDGE 65: of a wrong clock's future, it would stay for ever. */
	assert_int_not_equal(access(in_spool(".tmp-7-8-9"), F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(drops_old_temporaries),
		TEST(reads_up_to_the_limit),
		TEST(reads_regular_files_only),
		TEST(quotes_names_in_errors),
		TEST(follows_no_link_below_the_root),
		TEST(keeps_within_the_root),
		TEST(trusts_root_alone),
		TEST(trusts_no_link),
		TEST(replaces_as_a_whole),
		TEST(makes_the_root_itself),
		TEST(replaces_the_link_not_its_target),
		TEST(leaves_nothing_behind_on_failure),
		TEST(publishes_as_a_whole),
		TEST(survives_a_file_size_limit),
		TEST(survives_a_full_disk),
		TEST(survives_each_failing_call),
		TEST(many_writers_one_text),
		TEST(many_make_the_same_directories),
		TEST(many_appenders_no_torn_line),
		TEST(survives_kill),
		TEST(appends_to_regular_files_only),
		TEST(does_not_wait_for_a_fifo),
		TEST(removes_once),
		TEST(lists_regular_files),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
