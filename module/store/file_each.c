/* file_each.c - list the regular files of a directory in the spool. */
#include "store/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/open.h"

#define STALE_AFTER_S 3600

/* What rtls_file_each() was asked. */
struct listing {
	DIR *directory;
	mode_t kind; /* S_IFREG or S_IFDIR */
	bool (*visit)(const char *name, int64_t modified_s, void *context);
	void *context;
};

/* A writer that was killed leaves its temporary behind; whoever passes by
 * later takes it away. One of a wrong clock's future goes too. */
static void drop_stale(const struct listing *listing, const char *name)
{
	const time_t now = time(NULL);
	struct stat info;
	int directory = dirfd(listing->directory);

	if (strncmp(name, RTLS_UNFINISHED, strlen(RTLS_UNFINISHED)) == 0 &&
		fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(info.st_mode) &&
		(info.st_mtime < now - STALE_AFTER_S ||
			info.st_mtime > now + STALE_AFTER_S))
		(void)unlinkat(directory, name, 0);
}

/* False when visit wants no more. A file that vanished meanwhile is no file. */
static bool visit_entry(const struct listing *listing, const char *name)
{
	struct stat info;

	if (name[0] == '.') {
		drop_stale(listing, name);
		return true;
	}
	if (fstatat(dirfd(listing->directory), name, &info,
		    AT_SYMLINK_NOFOLLOW) != 0)
		return true;
	if ((info.st_mode & S_IFMT) != listing->kind)
		return true;
	return listing->visit(name, (int64_t)info.st_mtime, listing->context);
}

/* 0, or errno of readdir(). */
static int visit_all(const struct listing *listing)
{
	for (;;) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(listing->directory);
		if (entry == NULL)
			return errno;
		if (!visit_entry(listing, entry->d_name))
			return 0;
	}
}

/* A stream of the directory, or NULL with errno. */
static DIR *open_stream(int parent, const char *name)
{
	int fd = rtls_open_at(parent, name, O_RDONLY | O_DIRECTORY, 0);
	DIR *directory;
	int error;

	if (fd < 0)
		return NULL;
	directory = fdopendir(fd);
	if (directory == NULL) {
		error = errno;
		(void)close(fd);
		errno = error;
	}
	return directory;
}

/* listing: all but its directory. */
static enum rtls_status list(struct listing *listing,
	const char *root_directory, const char *path, struct rtls_err *err)
{
	enum rtls_status status;
	const char *name;
	int parent, error;

	status = rtls_open_parent(
		root_directory, path, false, &parent, &name, err);
	if (status != RTLS_OK)
		return status;
	listing->directory = open_stream(parent, name);
	error = errno;
	(void)close(parent);
	if (listing->directory == NULL) {
		(void)rtls_open_failed(err, "open", path, error);
		return error == ENOENT ? RTLS_NONE : RTLS_TEMPORARY;
	}
	error = visit_all(listing);
	(void)closedir(listing->directory);
	return error == 0 ? RTLS_OK
			  : rtls_open_failed(err, "list", path, error);
}

enum rtls_status rtls_file_each(const char *root_directory, const char *path,
	bool (*visit)(const char *name, int64_t modified_s, void *context),
	void *context, struct rtls_err *err)
{
	struct listing listing = { NULL, S_IFREG, visit, context };

	return list(&listing, root_directory, path, err);
}

enum rtls_status rtls_file_each_directory(const char *root_directory,
	const char *path,
	bool (*visit)(const char *name, int64_t modified_s, void *context),
	void *context, struct rtls_err *err)
{
	struct listing listing = { NULL, S_IFDIR, visit, context };

	return list(&listing, root_directory, path, err);
}
