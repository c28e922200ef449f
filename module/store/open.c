/* open.c - opening below a directory of ours, part by part, without links. */
#include "store/open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/text.h"

#define DIRECTORY_MODE 0750

/* O_NONBLOCK: a FIFO must not hold us up before fstat() tells. */
#define READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY)

enum rtls_status rtls_open_failed(
	struct rtls_err *err, const char *what, const char *path, int error)
{
	struct rtls_quoted q;
	char reason[80];

	/* strerror() may use a buffer of the host's; this does not. */
	rtls_err_set(err, "%s %s: %s", what, rtls_quoted(&q, rtls_slice(path)),
		strerror_r(error, reason, sizeof(reason)));
	return RTLS_TEMPORARY;
}

int rtls_open_at(int directory, const char *name, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(
			directory, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

/* A directory just made gets its mode whatever the umask is, and its name is
 * made to last. False with errno set. */
static bool settle_directory(int parent, const char *name)
{
	if (fchmodat(parent, name, DIRECTORY_MODE, 0) != 0)
		return false;
	if (parent != AT_FDCWD)
		(void)fsync(parent);
	return true;
}

/* openat() for one directory; the result is an fd or -1 with errno. */
static int open_directory(int parent, const char *name, bool make)
{
	/* O_PATH needs no right to list, and cannot be fsynced. */
	int flags = O_DIRECTORY | (make ? O_RDONLY : O_PATH);
	int fd = rtls_open_at(parent, name, flags, 0);

	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	if (mkdirat(parent, name, DIRECTORY_MODE) == 0) {
		if (!settle_directory(parent, name))
			return -1;
	} else if (errno != EEXIST) { /* another process may do the same */
		return -1;
	}
	return rtls_open_at(parent, name, flags, 0);
}

/* The next part of *rest, which then points behind its slash; false when it is
 * the last one, when it is none ("", ".", ".."), or too long. */
static bool take_part(const char **rest, char part[NAME_MAX + 1])
{
	const char *slash = strchr(*rest, '/');
	size_t size = slash == NULL ? 0 : (size_t)(slash - *rest);

	if (slash == NULL || size == 0 || size > NAME_MAX)
		return false;
	memcpy(part, *rest, size);
	part[size] = '\0';
	if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
		return false;
	*rest = slash + 1;
	return true;
}

static bool is_last_part(const char *name)
{
	return name[0] != '\0' && strchr(name, '/') == NULL &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* What of path lies below root_directory; NULL when it does not. */
static const char *part_below(const char *root_directory, const char *path)
{
	size_t size = strlen(root_directory);

	while (size > 1 && root_directory[size - 1] == '/')
		size--;
	if (size == 0 || strncmp(path, root_directory, size) != 0)
		return NULL;
	path += size;
	if (*path != '/')
		return NULL;
	while (*path == '/')
		path++;
	return path;
}

/* root_directory without the trailing slashes that would make open() follow a
 * link in spite of O_NOFOLLOW. */
static int open_root(const char *root_directory, bool make)
{
	size_t size = strlen(root_directory);
	char trimmed[PATH_MAX];

	while (size > 1 && root_directory[size - 1] == '/')
		size--;
	if (size >= sizeof(trimmed)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(trimmed, root_directory, size);
	trimmed[size] = '\0';
	return open_directory(AT_FDCWD, trimmed, make);
}

enum rtls_status rtls_open_parent(const char *root_directory, const char *path,
	bool make, int *fd, const char **name, struct rtls_err *err)
{
	const char *rest = part_below(root_directory, path);
	char part[NAME_MAX + 1];
	int at, next;

	*fd = -1;
	if (rest == NULL) {
		rtls_err_set(err, "a path outside the spool");
		return RTLS_BUG;
	}
	at = open_root(root_directory, make);
	while (at >= 0 && take_part(&rest, part)) {
		next = open_directory(at, part, make);
		(void)close(at);
		at = next;
	}
	if (at < 0) {
		int error = errno;

		(void)rtls_open_failed(err, "directory of", path, error);
		return error == ENOENT && !make ? RTLS_NONE : RTLS_TEMPORARY;
	}
	if (!is_last_part(rest)) {
		(void)close(at);
		rtls_err_set(err, "a malformed path");
		return RTLS_BUG;
	}
	*fd = at;
	if (name != NULL)
		*name = rest;
	return RTLS_OK;
}

static enum rtls_status invalid_file(
	struct rtls_err *err, const char *path, const char *why)
{
	struct rtls_quoted q;

	rtls_err_set(err, "%s: %s", rtls_quoted(&q, rtls_slice(path)), why);
	return RTLS_INVALID;
}

static enum rtls_status no_fd(struct rtls_err *err, const char *path, int error)
{
	if (error == ELOOP)
		return invalid_file(err, path, "a symbolic link");
	if (error == ENXIO) /* a socket */
		return invalid_file(err, path, "not a regular file");
	(void)rtls_open_failed(err, "open", path, error);
	return error == ENOENT ? RTLS_NONE : RTLS_TEMPORARY;
}

/* fd goes to file, or is closed. */
static enum rtls_status keep_regular(int fd, const char *path,
	struct rtls_opened *file, struct rtls_err *err)
{
	enum rtls_status status;
	struct stat info;

	if (fstat(fd, &info) != 0) {
		status = rtls_open_failed(err, "stat", path, errno);
	} else if (!S_ISREG(info.st_mode)) {
		status = invalid_file(err, path, "not a regular file");
	} else {
		*file = (struct rtls_opened){ fd, (size_t)info.st_size };
		return RTLS_OK;
	}
	(void)close(fd);
	return status;
}

enum rtls_status rtls_open_regular(int directory, const char *name,
	const char *path, struct rtls_opened *file, struct rtls_err *err)
{
	int fd = rtls_open_at(directory, name, READ_FLAGS, 0);

	*file = (struct rtls_opened){ -1, 0 };
	return fd < 0 ? no_fd(err, path, errno)
		      : keep_regular(fd, path, file, err);
}

/* No part of it leads anywhere else. */
static bool is_plain(const char *rest)
{
	char part[NAME_MAX + 1];

	while (take_part(&rest, part))
		;
	return is_last_part(rest);
}

/* All of path in one call; -1 when that was not to be, for whatever reason. */
static int open_at_once(const char *root_directory, const char *path)
{
	const struct open_how how = {
		.flags = READ_FLAGS | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	const char *rest = part_below(root_directory, path);
	int root, fd;

	if (rest == NULL || !is_plain(rest))
		return -1;
	root = open_root(root_directory, false);
	if (root < 0)
		return -1;
	/* glibc has no function for it. */
	fd = (int)syscall(SYS_openat2, root, rest, &how, sizeof(how));
	(void)close(root);
	return fd;
}

/* Routing does this for each message. Step by step it takes two calls more for each
 * directory, but says what is in the way, and does without openat2() (Linux 5.6). */
enum rtls_status rtls_open_below(const char *root_directory, const char *path,
	struct rtls_opened *file, struct rtls_err *err)
{
	enum rtls_status status;
	const char *name;
	int directory;
	int fd = open_at_once(root_directory, path);

	*file = (struct rtls_opened){ -1, 0 };
	if (fd >= 0)
		return keep_regular(fd, path, file, err);
	status = rtls_open_parent(
		root_directory, path, false, &directory, &name, err);
	if (status != RTLS_OK)
		return status;
	status = rtls_open_regular(directory, name, path, file, err);
	(void)close(directory);
	return status;
}
