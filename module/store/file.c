/* file.c - bounded reading, replacing by rename. */
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/text.h"
#include "store/open.h"
#include "store/temporary.h"

#define WRITABLE_BY_OTHER (S_IWGRP | S_IWOTH)
#define PUBLISHED_MODE    0644

/* --- reading --------------------------------------------------------------- */

/* Read until the end or until one byte more than size_max. What is read here is replaced
 * by rename, never appended to: as many bytes as there were is all. */
static enum rtls_status read_all(const struct rtls_opened *file,
	const char *path, char *buffer, size_t size_max,
	struct rtls_slice *text, struct rtls_err *err)
{
	struct rtls_quoted q;
	size_t size = 0;

	while (size <= size_max && (size == 0 || size != file->size_bytes)) {
		ssize_t n = TEMP_FAILURE_RETRY(
			read(file->fd, buffer + size, size_max + 1 - size));

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
	struct rtls_opened file;
	enum rtls_status status;

	status = rtls_open_regular(AT_FDCWD, path, path, &file, err);
	if (status != RTLS_OK)
		return status;
	status = read_all(&file, path, buffer, size_max, text, err);
	(void)close(file.fd);
	return status;
}

enum rtls_status rtls_file_read_below(const char *root_directory,
	const char *path, char *buffer, size_t size_max,
	struct rtls_slice *text, struct rtls_err *err)
{
	struct rtls_opened file;
	enum rtls_status status;

	status = rtls_open_below(root_directory, path, &file, err);
	if (status != RTLS_OK)
		return status;
	status = read_all(&file, path, buffer, size_max, text, err);
	(void)close(file.fd);
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

/* The directory part of path, opened; links in it are the business of whoever named it. */
static enum rtls_status open_directory_of(
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
	struct rtls_opened file;
	enum rtls_status status;
	const char *name;
	int directory;

	status = open_directory_of(path, &name, &directory, err);
	if (status != RTLS_OK)
		return status;
	status = rtls_open_regular(directory, name, path, &file, err);
	if (status == RTLS_OK) {
		status = check_trust(directory, "directory of ", path, err);
		if (status == RTLS_OK)
			status = check_trust(file.fd, "", path, err);
		if (status == RTLS_OK)
			status = read_all(
				&file, path, buffer, size_max, text, err);
		(void)close(file.fd);
	}
	(void)close(directory);
	return status;
}

/* --- writing --------------------------------------------------------------- */

/* Write, sync and close the temporary; takes fd. False with errno set. */
static bool fill_temporary(int fd, struct rtls_slice text, mode_t mode)
{
	int error;

	/* fchmod: the mode must not depend on the umask of the host. */
	if (rtls_temporary_write(fd, text) && fchmod(fd, mode) == 0 &&
		TEMP_FAILURE_RETRY(fsync(fd)) == 0)
		return rtls_temporary_close(fd);
	error = errno;
	(void)close(fd);
	errno = error;
	return false;
}

struct target {
	int directory;
	const char *name; /* in it */
	const char *path; /* for err */
	mode_t mode;
};

static enum rtls_status replace(const struct target *target,
	struct rtls_slice text, struct rtls_err *err)
{
	const int directory = target->directory;
	char temporary[RTLS_TEMPORARY_SIZE];
	int fd = rtls_temporary_open(directory, temporary);
	int error;

	if (fd < 0)
		return rtls_open_failed(
			err, "make a temporary for", target->path, errno);
	if (!fill_temporary(fd, text, target->mode) ||
		renameat(directory, temporary, directory, target->name) != 0) {
		error = errno;
		(void)unlinkat(directory, temporary, 0);
		return rtls_open_failed(err, "write", target->path, error);
	}
	return RTLS_OK;
}

enum rtls_status rtls_file_replace(const char *root_directory, const char *path,
	struct rtls_slice text, struct rtls_err *err)
{
	struct target target = { .path = path, .mode = RTLS_FILE_MODE };
	enum rtls_status status;

	status = rtls_open_parent(root_directory, path, true, &target.directory,
		&target.name, err);
	if (status != RTLS_OK)
		return status;
	status = replace(&target, text, err);
	if (status == RTLS_OK &&
		!rtls_temporary_sync_directory(target.directory))
		status = rtls_open_failed(
			err, "sync the directory of", path, errno);
	(void)close(target.directory);
	return status;
}

enum rtls_status rtls_file_publish(
	const char *path, struct rtls_slice text, struct rtls_err *err)
{
	struct target target = { .path = path, .mode = PUBLISHED_MODE };
	enum rtls_status status =
		open_directory_of(path, &target.name, &target.directory, err);

	if (status != RTLS_OK)
		return status;
	status = replace(&target, text, err);
	(void)close(target.directory);
	return status;
}

enum rtls_status rtls_file_remove(const char *path, struct rtls_err *err)
{
	if (unlink(path) == 0)
		return RTLS_OK;
	if (errno == ENOENT)
		return RTLS_NONE;
	return rtls_open_failed(err, "remove", path, errno);
}
