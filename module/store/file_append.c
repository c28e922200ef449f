/* file_append.c - append lines, by many processes at once, each in one write().
 *
 * A full disk may cut a write short. The next writer sees that the file does not end in a LF, and
 * begins with one; in front of each write, and once more behind it, for another one may have been cut
 * in between. A reader passes over the empty lines that this may make. Nobody truncates: the end may
 * already be somebody else's.
 *
 * journal_compact.c puts another file in the place of this one. It locks the old one for the last step;
 * so a writer locks too (shared), and looks whether the name still means the file it has open. */
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "store/open.h"
#include "store/temporary.h"

#define TRIES         8
#define LOCK_TRIES    100
#define LOCK_PAUSE_NS 10000000L

/* An fd, or -1 with errno. The mode is set by who made the file only. */
static int open_append(int directory, const char *name)
{
	int flags = O_RDWR | O_APPEND | O_NONBLOCK;
	int fd = -1;

	for (int i = 0; i < TRIES; i++) {
		fd = rtls_open_at(directory, name, flags, 0);
		if (fd >= 0 || errno != ENOENT)
			return fd;
		fd = rtls_open_at(directory, name, flags | O_CREAT | O_EXCL,
			RTLS_FILE_MODE);
		if (fd >= 0) {
			(void)fchmod(fd, RTLS_FILE_MODE);
			return fd;
		}
		if (errno != EEXIST)
			return -1;
	}
	return fd;
}

/* Wait for a compaction to end its last step, some milliseconds; a second at most, since a
 * delivery waits with us. Who goes on without the lock is found by the compaction after it. */
static void lock_shared(int fd)
{
	struct flock whole = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	const struct timespec pause = { 0, LOCK_PAUSE_NS };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (fcntl(fd, F_OFD_SETLK, &whole) == 0 ||
			(errno != EAGAIN && errno != EACCES && errno != EINTR))
			return;
		(void)nanosleep(&pause, NULL);
	}
}

/* Is what the name means now the open file? Anything that cannot be asked is. */
static bool is_current(int directory, const char *name, int fd)
{
	struct stat open_file, named;

	if (fstat(fd, &open_file) != 0)
		return true;
	if (fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) != 0)
		return errno != ENOENT;
	return open_file.st_dev == named.st_dev &&
	       open_file.st_ino == named.st_ino;
}

/* open_append(), locked. The lock goes with the descriptor. */
static int open_current(int directory, const char *name)
{
	for (int i = 0;; i++) {
		int fd = open_append(directory, name);

		if (fd < 0)
			return fd;
		lock_shared(fd);
		if (i == TRIES || is_current(directory, name, fd))
			return fd;
		(void)close(fd);
	}
}

/* What cannot be read may be torn. */
static bool ends_line(int fd, off_t end)
{
	char last = '\0';

	return end <= 0 ||
	       (TEMP_FAILURE_RETRY(pread(fd, &last, 1, end - 1)) == 1 &&
		       last == '\n');
}

/* 0, or what is wrong as errno. */
static int write_line(int fd, bool after_torn, struct rtls_slice text)
{
	static char line_feed = '\n';
	struct iovec part[] = {
		{ &line_feed, after_torn ? 1 : 0 },
		{ (void *)(uintptr_t)text.data, text.size },
	};
	ssize_t n = TEMP_FAILURE_RETRY(writev(fd, part, 2));

	if (n < 0)
		return errno;
	/* Only a full disk or a limit cuts a write; it will say so next time. */
	return (size_t)n == part[0].iov_len + text.size ? 0 : ENOSPC;
}

/* 0, or what is wrong as errno. What was appended to a torn line does not parse, and so
 * it is written again. */
static int append_once(int fd, struct rtls_slice text)
{
	struct stat info;
	bool after_torn;
	int error;

	if (fstat(fd, &info) != 0)
		return errno;
	if (!S_ISREG(info.st_mode))
		return EINVAL;
	after_torn = !ends_line(fd, info.st_size);
	error = write_line(fd, after_torn, text);
	if (error != 0 || after_torn)
		return error;
	if (!ends_line(fd, lseek(fd, 0, SEEK_CUR) - (off_t)text.size))
		error = write_line(fd, true, text);
	return error;
}

enum rtls_status rtls_file_append(const char *root_directory, const char *path,
	struct rtls_slice text, struct rtls_err *err)
{
	enum rtls_status status;
	const char *name;
	int directory, fd, error;

	status = rtls_open_parent(
		root_directory, path, true, &directory, &name, err);
	if (status != RTLS_OK)
		return status;
	fd = open_current(directory, name);
	error = fd < 0 ? errno : append_once(fd, text);
	if (fd >= 0 && !rtls_temporary_close(fd) && error == 0)
		error = errno;
	(void)close(directory);
	return error == 0 ? RTLS_OK
			  : rtls_open_failed(err, "append to", path, error);
}
