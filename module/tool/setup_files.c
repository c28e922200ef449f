/* setup_files.c - see setup_files.h. */
#include "tool/setup_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "policy/text.h"

#define TEMPORARY ".exim-requiretls.tmp"
#define ACL       "system.posix_acl_access"
#define ACL_SIZE  8192

static enum rtls_status failed(
	struct rtls_err *err, const char *path, const char *what)
{
	struct rtls_quoted q;

	rtls_err_set(err, "%s: %s", rtls_quoted(&q, rtls_slice(path)), what);
	return RTLS_TEMPORARY;
}

static enum rtls_status untrusted(
	struct rtls_err *err, const char *path, const char *what)
{
	(void)failed(err, path, what);
	return RTLS_INVALID;
}

static bool is_roots(const struct stat *found)
{
	return found->st_uid == 0 && (found->st_mode & S_IWOTH) == 0 &&
	       (found->st_gid == 0 || (found->st_mode & S_IWGRP) == 0);
}

/* Each directory above path, which has no link in it. */
static enum rtls_status check_above(const char *path, struct rtls_err *err)
{
	char above[RTLS_SETUP_PATH_SIZE];
	struct stat found;

	(void)snprintf(above, sizeof(above), "%s", path);
	for (char *slash = strrchr(above, '/'); slash != NULL;
		slash = strrchr(above, '/')) {
		slash[slash == above ? 1 : 0] = '\0';
		if (lstat(above, &found) != 0)
			return errno == ENOENT
				       ? RTLS_NONE
				       : failed(err, above, strerror(errno));
		if (!S_ISDIR(found.st_mode) || !is_roots(&found))
			return untrusted(err, above,
				"somebody else than root may write there");
		if (above[1] == '\0')
			break;
	}
	return RTLS_OK;
}

/* Without links; of a file that is not there its directory is. */
static enum rtls_status find_real(
	const char *path, char real[RTLS_SETUP_PATH_SIZE], struct rtls_err *err)
{
	const char *slash = strrchr(path, '/');
	char resolved[PATH_MAX], above[RTLS_SETUP_PATH_SIZE];
	struct stat found;
	int size;

	if (path[0] != '/' || strlen(path) >= sizeof(above))
		return untrusted(err, path, "not a path from the root on");
	if (realpath(path, resolved) != NULL) {
		size = snprintf(real, RTLS_SETUP_PATH_SIZE, "%s", resolved);
	} else {
		if (errno != ENOENT)
			return failed(err, path, strerror(errno));
		if (lstat(path, &found) == 0)
			return untrusted(err, path, "a link to nothing");
		(void)snprintf(above, sizeof(above), "%.*s",
			(int)(slash == path ? 1 : slash - path), path);
		if (realpath(above, resolved) == NULL)
			return errno == ENOENT
				       ? RTLS_NONE
				       : failed(err, above, strerror(errno));
		size = snprintf(real, RTLS_SETUP_PATH_SIZE, "%s%s",
			strcmp(resolved, "/") == 0 ? "" : resolved, slash);
	}
	if (size < 0 || size >= RTLS_SETUP_PATH_SIZE ||
		strchr(real, '\n') != NULL)
		return untrusted(err, path, "not a path that I can keep");
	return check_above(real, err);
}

static enum rtls_status read_all(
	struct rtls_setup_file *file, int fd, struct rtls_err *err)
{
	const size_t size = (size_t)file->state.st_size;
	size_t done = 0;

	file->before = malloc(size + 1);
	if (file->before == NULL)
		return RTLS_NO_MEMORY;
	while (done < size) {
		ssize_t n = read(fd, file->before + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(err, file->path,
				n < 0 ? strerror(errno) : "it got shorter");
		done += (size_t)n;
	}
	file->before[size] = '\0';
	file->before_size = size;
	return RTLS_OK;
}

static enum rtls_status read_file(
	struct rtls_setup_file *file, struct rtls_err *err)
{
	enum rtls_status status;
	int fd = open(file->path,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		file->before = strdup("");
		return file->before == NULL ? RTLS_NO_MEMORY : RTLS_OK;
	}
	if (fd < 0)
		return failed(err, file->path, strerror(errno));
	file->is_there = true;
	if (fstat(fd, &file->state) != 0)
		status = failed(err, file->path, strerror(errno));
	else if (!S_ISREG(file->state.st_mode))
		status = untrusted(err, file->path, "not a regular file");
	else if (!is_roots(&file->state))
		status = untrusted(err, file->path,
			"somebody else than root may change it");
	else if ((size_t)file->state.st_size > RTLS_SETUP_TEXT_MAX)
		status = untrusted(err, file->path, "too large");
	else
		status = read_all(file, fd, err);
	(void)close(fd);
	return status;
}

enum rtls_status rtls_setup_files_load(struct rtls_setup_files *files,
	const char *path, struct rtls_setup_file **file, struct rtls_err *err)
{
	struct rtls_setup_file found = { .is_there = false };
	enum rtls_status status = find_real(path, found.path, err);

	if (files->count == RTLS_SETUP_FILES_MAX)
		return untrusted(err, path, "one file too many");
	if (status == RTLS_OK)
		status = read_file(&found, err);
	if (status == RTLS_OK &&
		!rtls_setup_file_want(&found, found.is_there,
			rtls_slice_n(found.before, found.before_size)))
		status = RTLS_NO_MEMORY;
	if (status != RTLS_OK) {
		free(found.before);
		return status;
	}
	files->file[files->count] = found;
	*file = &files->file[files->count++];
	return RTLS_OK;
}

void rtls_setup_files_free(struct rtls_setup_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->file[i].before);
		free(files->file[i].after);
	}
	files->count = 0;
}

bool rtls_setup_file_want(struct rtls_setup_file *file, bool shall_be_there,
	struct rtls_slice text)
{
	char *copy = malloc(text.size + 1);

	if (copy == NULL)
		return false;
	if (text.size > 0)
		memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	free(file->after);
	file->after = copy;
	file->after_size = text.size;
	file->shall_be_there = shall_be_there;
	return true;
}

bool rtls_setup_file_is_changed(const struct rtls_setup_file *file)
{
	if (file->is_there != file->shall_be_there)
		return true;
	return file->is_there && (file->before_size != file->after_size ||
					 memcmp(file->before, file->after,
						 file->after_size) != 0);
}

bool rtls_setup_files_are_changed(const struct rtls_setup_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (rtls_setup_file_is_changed(&files->file[i]))
			return true;
	return false;
}

/* --- writing --------------------------------------------------------------------- */

bool rtls_setup_sync_above(const char *path)
{
	char above[RTLS_SETUP_PATH_SIZE];
	char *slash;
	bool is_synced;
	int fd;

	(void)snprintf(above, sizeof(above), "%s", path);
	slash = strrchr(above, '/');
	if (slash == NULL)
		return false;
	slash[slash == above ? 1 : 0] = '\0';
	fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	is_synced = fsync(fd) == 0;
	(void)close(fd);
	return is_synced;
}

static bool write_all(int fd, struct rtls_slice text)
{
	while (text.size > 0) {
		ssize_t n = write(fd, text.data, text.size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text = rtls_slice_n(text.data + n, text.size - (size_t)n);
	}
	return true;
}

/* Beside path, hidden: update-exim4.conf takes no such name. */
static bool name_temporary(
	const char *path, char temporary[RTLS_SETUP_PATH_SIZE])
{
	const char *slash = strrchr(path, '/');
	int size;

	if (slash == NULL)
		return false;
	size = snprintf(temporary, RTLS_SETUP_PATH_SIZE, "%.*s/.%s" TEMPORARY,
		(int)(slash - path), path, slash + 1);
	return size > 0 && size < RTLS_SETUP_PATH_SIZE;
}

/* Without its ACL, too, a file would be readable by others than before: the mode shows the mask in place
 * of the group. */
static bool copy_acl(const char *path, int fd)
{
	char acl[ACL_SIZE];
	const ssize_t size = getxattr(path, ACL, acl, sizeof(acl));

	if (size < 0)
		return errno == ENODATA || errno == ENOTSUP || errno == ENOENT;
	return fsetxattr(fd, ACL, acl, (size_t)size, 0) == 0;
}

static bool fill(
	int fd, struct rtls_slice text, const struct stat *as, const char *path)
{
	return write_all(fd, text) && fchown(fd, as->st_uid, as->st_gid) == 0 &&
	       copy_acl(path, fd) && fchmod(fd, as->st_mode & 07777U) == 0 &&
	       fsync(fd) == 0;
}

enum rtls_status rtls_setup_write(const char *path, struct rtls_slice text,
	const struct stat *as, struct rtls_err *err)
{
	char temporary[RTLS_SETUP_PATH_SIZE];
	bool is_good;
	int fd, error;

	if (!name_temporary(path, temporary))
		return untrusted(err, path, "too long");
	(void)unlink(temporary); /* of a run that was killed */
	fd = open(temporary,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(err, path, strerror(errno));
	is_good = fill(fd, text, as, path);
	error = errno;
	if (close(fd) != 0 && is_good) {
		error = errno;
		is_good = false;
	}
	if (is_good && rename(temporary, path) != 0) {
		error = errno;
		is_good = false;
	}
	if (!is_good) {
		(void)unlink(temporary);
		return failed(err, path, strerror(error));
	}
	return rtls_setup_sync_above(path) ? RTLS_OK
					   : failed(err, path, strerror(errno));
}

void rtls_setup_tidy(const char *path)
{
	char temporary[RTLS_SETUP_PATH_SIZE];

	if (name_temporary(path, temporary))
		(void)unlink(temporary);
}

enum rtls_status rtls_setup_unlink(const char *path, struct rtls_err *err)
{
	rtls_setup_tidy(path);
	if (unlink(path) != 0 && errno != ENOENT)
		return failed(err, path, strerror(errno));
	return rtls_setup_sync_above(path) || errno == ENOENT
		       ? RTLS_OK
		       : failed(err, path, strerror(errno));
}
