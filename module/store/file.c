/* file.c - bounded reading, replacing by rename, appending in one write. */
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/text.h"
#include "store/open.h"

#define FILE_MODE         0640
#define TEMPORARY_SIZE    64
#define TEMPORARY_TRIES   8
#define WRITABLE_BY_OTHER (S_IWGRP | S_IWOTH)

/* --- reading --------------------------------------------------------------- */

/* Read until the end or until one byte more than size_max. */
static enum rtls_status read_all(int fd, const char *path, char *buffer,
	size_t size_max, struct rtls_slice *text, struct rtls_err *err)
{
	struct rtls_quoted q;
	size_t size = 0;

	while (size <= size_max) {
		ssize_t n = TEMP_FAILURE_RETRY(
			read(fd, buffer + size, size_max + 1 - size));

		if (n < 0)
			return rtls_open_failed(err, "read", path, errno);
		if (n == 0)
			break;
		size += (size_t)n;
	}
	if (size > size_max) {
		rtls_err_set(err, "%s: larger than %zu bytes",
			rtls_quoted(&q, rtls_slice(path)), size_max);
		return RTLS_INVALID;
	}
	buffer[size] = '\0';
	*text = rtls_slice_n(buffer, size);
	return RTLS_OK;
}

enum rtls_status rtls_file_read(const char *path, char *buffer, size_t size_max,
	struct rtls_slice *text, struct rtls_err *err)
{
	enum rtls_status status;
	int fd;

	status = rtls_open_regular(AT_FDCWD, path, path, &fd, err);
	if (status != RTLS_OK)
		return status;
	status = read_all(fd, path, buffer, size_max, text, err);
	(void)close(fd);
	return status;
}

enum rtls_status rtls_file_read_below(const char *root_directory,
	const char *path, char *buffer, size_t size_max,
	struct rtls_slice *text, struct rtls_err *err)
{
	enum rtls_status status;
	int fd;

	status = rtls_open_below(root_directory, path, &fd, err);
	if (status != RTLS_OK)
		return status;
	status = read_all(fd, path, buffer, size_max, text, err);
	(void)close(fd);
	return status;
}

/* what: "" for the file, "directory of " for its directory. */
static enum rtls_status check_trust(
	int fd, const char *what, const char *path, struct rtls_err *err)
{
	struct rtls_quoted q;
	struct stat info;

	if (fstat(fd, &info) != 0)
		return rtls_open_failed(err, "stat", path, errno);
	if (info.st_uid == 0 && (info.st_mode & WRITABLE_BY_OTHER) == 0)
		return RTLS_OK;
	rtls_err_set(err,
		"%s%s does not count: owner %lu, mode %04o; it must belong to "
		"root and be writable by nobody else",
		what, rtls_quoted(&q, rtls_slice(path)),
		(unsigned long)info.st_uid, (unsigned)info.st_mode & 07777);
	return RTLS_INVALID;
}

/* The directory part of path, opened; links in it are root's own. */
static enum rtls_status open_trusted_directory(
	const char *path, const char **name, int *fd, struct rtls_err *err)
{
	const char *slash = strrchr(path, '/');
	size_t size = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	char directory[PATH_MAX] = ".";

	*fd = -1;
	*name = path + size;
	if (size >= sizeof(directory))
		return rtls_open_failed(err, "open", path, ENAMETOOLONG);
	if (size > 0) {
		memcpy(directory, path, size);
		directory[size] = '\0';
	}
	do /* links are followed here, unlike in rtls_open_at() */
		*fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (*fd < 0 && errno == EINTR);
	if (*fd >= 0)
		return RTLS_OK;
	if (errno == ENOENT) {
		(void)rtls_open_failed(err, "open", path, ENOENT);
		return RTLS_NONE;
	}
	return rtls_open_failed(err, "open", path, errno);
}

enum rtls_status rtls_file_read_trusted(const char *path, char *buffer,
	size_t size_max, struct rtls_slice *text, struct rtls_err *err)
{
	enum rtls_status status;
	const char *name;
	int directory, fd;

	status = open_trusted_directory(path, &name, &directory, err);
	if (status != RTLS_OK)
		return status;
	status = rtls_open_regular(directory, name, path, &fd, err);
	if (status == RTLS_OK) {
		status = check_trust(directory, "directory of ", path, err);
		if (status == RTLS_OK)
			status = check_trust(fd, "", path, err);
		if (status == RTLS_OK)
			status =
				read_all(fd, path, buffer, size_max, text, err);
		(void)close(fd);
	}
	(void)close(directory);
	return status;
}

/* --- writing --------------------------------------------------------------- */

/* Unique among processes by pid and counter, not to be guessed by randomness;
 * O_EXCL makes a clash harmless in any case. */
static void name_temporary(char name[TEMPORARY_SIZE])
{
	static atomic_uint counter;
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) !=
		(ssize_t)sizeof(random)) {
		struct timespec now = { 0, 0 };

		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		random = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec;
	}
	(void)snprintf(name, TEMPORARY_SIZE,
		RTLS_UNFINISHED "%ld-%u-%016" PRIx64, (long)getpid(),
		atomic_fetch_add(&counter, 1), random);
}

static int open_temporary(int directory, char name[TEMPORARY_SIZE])
{
	int fd = -1;

	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		name_temporary(name);
		fd = rtls_open_at(directory, name, O_WRONLY | O_CREAT | O_EXCL,
			FILE_MODE);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd;
}

/* False with errno set. */
static bool write_all(int fd, struct rtls_slice text)
{
	while (text.size > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(write(fd, text.data, text.size));

		if (n < 0)
			return false;
		if (n == 0) {
			errno = EIO;
			return false;
		}
		text.data += n;
		text.size -= (size_t)n;
	}
	return true;
}

/* On Linux the descriptor is gone after EINTR, and the data was synced. */
static bool close_written(int fd)
{
	return close(fd) == 0 || errno == EINTR;
}

/* Write, sync and close the temporary; takes fd. False with errno set. */
static bool fill_temporary(int fd, struct rtls_slice text)
{
	int error;

	/* fchmod: the mode must not depend on the umask of the host. */
	if (write_all(fd, text) && fchmod(fd, FILE_MODE) == 0 &&
		TEMP_FAILURE_RETRY(fsync(fd)) == 0)
		return close_written(fd);
	error = errno;
	(void)close(fd);
	errno = error;
	return false;
}

/* Some file systems cannot sync a directory and say so: nothing to do then. */
static bool sync_directory(int fd)
{
	return TEMP_FAILURE_RETRY(fsync(fd)) == 0 || errno == EINVAL ||
	       errno == ENOTSUP;
}

static enum rtls_status replace_in(int directory, const char *name,
	const char *path, struct rtls_slice text, struct rtls_err *err)
{
	char temporary[TEMPORARY_SIZE];
	int fd = open_temporary(directory, temporary);
	int error;

	if (fd < 0)
		return rtls_open_failed(
			err, "make a temporary for", path, errno);
	if (!fill_temporary(fd, text) ||
		renameat(directory, temporary, directory, name) != 0) {
		error = errno;
		(void)unlinkat(directory, temporary, 0);
		return rtls_open_failed(err, "write", path, error);
	}
	if (!sync_directory(directory))
		return rtls_open_failed(
			err, "sync the directory of", path, errno);
	return RTLS_OK;
}

enum rtls_status rtls_file_replace(const char *root_directory, const char *path,
	struct rtls_slice text, struct rtls_err *err)
{
	enum rtls_status status;
	const char *name;
	int directory;

	status = rtls_open_parent(
		root_directory, path, true, &directory, &name, err);
	if (status != RTLS_OK)
		return status;
	status = replace_in(directory, name, path, text, err);
	(void)close(directory);
	return status;
}

/* An fd, or -1 with errno. The mode is set by who made the file only. */
static int open_append(int directory, const char *name)
{
	int flags = O_WRONLY | O_APPEND | O_NONBLOCK;
	int fd = -1;

	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		fd = rtls_open_at(directory, name, flags, 0);
		if (fd >= 0 || errno != ENOENT)
			return fd;
		fd = rtls_open_at(
			directory, name, flags | O_CREAT | O_EXCL, FILE_MODE);
		if (fd >= 0) {
			(void)fchmod(fd, FILE_MODE);
			return fd;
		}
		if (errno != EEXIST)
			return -1;
	}
	return fd;
}

/* 0, or what is wrong as errno. */
static int append_once(int fd, struct rtls_slice text)
{
	struct stat info;
	ssize_t n;

	if (fstat(fd, &info) != 0)
		return errno;
	if (!S_ISREG(info.st_mode))
		return EINVAL;
	n = TEMP_FAILURE_RETRY(write(fd, text.data, text.size));
	if (n < 0)
		return errno;
	/* Only a full disk or a limit cuts a write; it will say so next time. */
	return (size_t)n == text.size ? 0 : ENOSPC;
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
	fd = open_append(directory, name);
	error = fd < 0 ? errno : append_once(fd, text);
	if (fd >= 0 && !close_written(fd) && error == 0)
		error = errno;
	(void)close(directory);
	return error == 0 ? RTLS_OK
			  : rtls_open_failed(err, "append to", path, error);
}

enum rtls_status rtls_file_remove(const char *path, struct rtls_err *err)
{
	if (unlink(path) == 0)
		return RTLS_OK;
	if (errno == ENOENT)
		return RTLS_NONE;
	return rtls_open_failed(err, "remove", path, errno);
}
