/* file_remove.c - remove what lies below the spool, and nothing that a link leads to. */
#include "store/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/open.h"

static enum rtls_status remove_in(int parent, const char *name, int flags,
	const char *path, struct rtls_err *err)
{
	if (unlinkat(parent, name, flags) == 0)
		return RTLS_OK;
	if (errno == ENOENT)
		return RTLS_NONE;
	return rtls_open_failed(err, "remove", path, errno);
}

enum rtls_status rtls_file_remove_below(
	const char *root_directory, const char *path, struct rtls_err *err)
{
	enum rtls_status status;
	const char *name;
	int parent;

	status = rtls_open_parent(
		root_directory, path, false, &parent, &name, err);
	if (status != RTLS_OK)
		return status;
	status = remove_in(parent, name, 0, path, err);
	(void)close(parent);
	return status;
}

/* What cannot be removed here keeps the directory, and that says so. */
static void empty_directory(DIR *directory)
{
	const struct dirent *entry;
	struct stat info;

	while ((entry = readdir(directory)) != NULL)
		if (fstatat(dirfd(directory), entry->d_name, &info,
			    AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(info.st_mode))
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
}

/* A stream of the directory, or NULL with errno. */
static DIR *open_directory(int parent, const char *name)
{
	int fd = rtls_open_at(parent, name, O_RDONLY | O_DIRECTORY, 0);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	int error = errno;

	if (fd >= 0 && directory == NULL)
		(void)close(fd);
	errno = error;
	return directory;
}

enum rtls_status rtls_file_remove_directory(
	const char *root_directory, const char *path, struct rtls_err *err)
{
	enum rtls_status status;
	DIR *directory = NULL;
	const char *name;
	int parent;

	status = rtls_open_parent(
		root_directory, path, false, &parent, &name, err);
	if (status != RTLS_OK)
		return status;
	directory = open_directory(parent, name);
	if (directory != NULL) {
		empty_directory(directory);
		(void)closedir(directory);
		status = remove_in(parent, name, AT_REMOVEDIR, path, err);
	} else {
		status = errno == ENOENT
				 ? RTLS_NONE
				 : rtls_open_failed(err, "open", path, errno);
	}
	(void)close(parent);
	return status;
}
