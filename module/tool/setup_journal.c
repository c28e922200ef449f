/* setup_journal.c - see setup_journal.h. */
#include "tool/setup_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "policy/text.h"
#include "store/file.h"
#include "tool/verb.h"

#define LIST       RTLS_SETUP_UNDER_WAY "/list"
#define LIST_MAX   16384
#define NUMBER_MAX 4294967295ULL

static enum rtls_status failed(
	struct rtls_err *err, const char *path, int error)
{
	rtls_err_set(err, "%s: %s", path, strerror(error));
	return RTLS_TEMPORARY;
}

static enum rtls_status make_directory(const char *path, struct rtls_err *err)
{
	struct stat found;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return failed(err, path, errno);
	if (lstat(path, &found) != 0)
		return failed(err, path, errno);
	if (!S_ISDIR(found.st_mode) || found.st_uid != 0 ||
		(found.st_mode & 0022U) != 0)
		return failed(err, path, EPERM);
	return RTLS_OK;
}

enum rtls_status rtls_setup_lock(struct rtls_err *err)
{
	enum rtls_status status = make_directory(RTLS_SETUP_BACKUPS, err);
	int fd;

	if (status != RTLS_OK)
		return status;
	fd = open(RTLS_SETUP_BACKUPS "/lock",
		O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(err, RTLS_SETUP_BACKUPS "/lock", errno);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return RTLS_OK; /* the descriptor is the lock */
	(void)close(fd);
	rtls_err_set(err, "another setup is at work");
	return RTLS_TEMPORARY;
}

bool rtls_setup_is_under_way(void)
{
	return access(LIST, F_OK) == 0;
}

#define NEW ".new"

/* What a file was, or with NEW what it becomes. */
static void name_copy(char path[RTLS_SETUP_PATH_SIZE], unsigned long long n,
	const char *suffix)
{
	(void)snprintf(path, RTLS_SETUP_PATH_SIZE,
		RTLS_SETUP_UNDER_WAY "/%llu%s", n, suffix);
}

static enum rtls_status copy_file(
	const struct rtls_setup_file *file, size_t n, struct rtls_err *err)
{
	const struct stat as = { .st_mode = 0600 };
	enum rtls_status status = RTLS_OK;
	char copy[RTLS_SETUP_PATH_SIZE];

	name_copy(copy, n, "");
	if (file->is_there)
		status = rtls_setup_write(copy,
			rtls_slice_n(file->before, file->before_size),
			&file->state, err);
	name_copy(copy, n, NEW);
	if (status == RTLS_OK && file->shall_be_there)
		status = rtls_setup_write(copy,
			rtls_slice_n(file->after, file->after_size), &as, err);
	return status;
}

static enum rtls_status copy_files(const struct rtls_setup_files *files,
	struct rtls_text *list, struct rtls_err *err)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct rtls_setup_file *file = &files->file[i];
		enum rtls_status status;

		if (!rtls_setup_file_is_changed(file))
			continue;
		status = copy_file(file, i, err);
		if (status != RTLS_OK)
			return status;
		rtls_text_printf(list, "%zu %s %s\n", i,
			file->is_there ? "was" : "none", file->path);
	}
	if (!list->overflow)
		return RTLS_OK;
	rtls_err_set(err, "the list of changed files gets too long");
	return RTLS_INVALID;
}

enum rtls_status rtls_setup_begin(
	const struct rtls_setup_files *files, struct rtls_err *err)
{
	const struct stat as = { .st_mode = 0600 };
	enum rtls_status status;
	struct rtls_text list;
	char *text = malloc(LIST_MAX);

	if (text == NULL)
		return RTLS_NO_MEMORY;
	rtls_text_init(&list, text, LIST_MAX);
	/* What a run left that was killed before it changed anything. */
	status = rtls_setup_forget(err);
	if (status == RTLS_OK)
		status = make_directory(RTLS_SETUP_UNDER_WAY, err);
	if (status == RTLS_OK)
		status = copy_files(files, &list, err);
	if (status == RTLS_OK)
		status = rtls_setup_write(
			LIST, rtls_text_slice(&list), &as, err);
	free(text);
	return status;
}

/* One line of the list: the file, and what it was and was to become. */
struct entry {
	char path[RTLS_SETUP_PATH_SIZE];
	struct rtls_setup_files files;
	struct rtls_setup_file *before, *after, *now;
};

/* "N was PATH": the copy with that number is what PATH was; "N none PATH": it was not there.
 * RTLS_NONE: not even its directory is there any more. */
static enum rtls_status entry_load(
	struct rtls_slice line, struct entry *entry, struct rtls_err *err)
{
	struct rtls_slice number = rtls_slice_take(&line, ' ');
	struct rtls_slice what = rtls_slice_take(&line, ' ');
	char name[RTLS_SETUP_PATH_SIZE];
	enum rtls_status status;
	unsigned long long n;

	if (!rtls_slice_number(number, NUMBER_MAX, &n) ||
		!rtls_slice_copy(line, entry->path, sizeof(entry->path)) ||
		entry->path[0] != '/') {
		rtls_err_set(err, LIST ": a line of it is not mine");
		return RTLS_INVALID;
	}
	name_copy(name, n, "");
	status =
		rtls_setup_files_load(&entry->files, name, &entry->before, err);
	if (status == RTLS_OK &&
		entry->before->is_there == rtls_slice_is(what, "none"))
		status = failed(err, name, ENOENT);
	name_copy(name, n, NEW);
	if (status == RTLS_OK)
		status = rtls_setup_files_load(
			&entry->files, name, &entry->after, err);
	if (status == RTLS_OK)
		status = rtls_setup_files_load(
			&entry->files, entry->path, &entry->now, err);
	return status;
}

static bool is_same(
	const struct rtls_setup_file *a, const struct rtls_setup_file *b)
{
	return a->is_there == b->is_there && a->before_size == b->before_size &&
	       memcmp(a->before, b->before, a->before_size) == 0;
}

/* Whose file it is may have changed it since: months, when nobody started setup again. */
static enum rtls_status put_back_one(
	struct rtls_slice line, bool *is_left, struct rtls_err *err)
{
	struct entry entry = { .files.count = 0 };
	enum rtls_status status = entry_load(line, &entry, err);
	struct rtls_quoted q;

	if (status == RTLS_OK)
		rtls_setup_tidy(entry.path);
	if (status == RTLS_OK && is_same(entry.now, entry.before)) {
		; /* nothing to do, and no write that could fail */
	} else if (status == RTLS_NONE ||
		   (status == RTLS_OK && !is_same(entry.now, entry.after))) {
		*is_left = true;
		(void)rtls_verb_fail(EX_OK,
			"somebody else changed %s since: it stays as it is",
			rtls_quoted(&q, rtls_slice(entry.path)));
		status = RTLS_OK;
	} else if (status == RTLS_OK && !entry.before->is_there) {
		status = rtls_setup_unlink(entry.path, err);
	} else if (status == RTLS_OK) {
		status = rtls_setup_write(entry.path,
			rtls_slice_n(entry.before->before,
				entry.before->before_size),
			&entry.before->state, err);
	}
	rtls_setup_files_free(&entry.files);
	return status;
}

enum rtls_status rtls_setup_put_back(bool *is_left, struct rtls_err *err)
{
	char *buffer = malloc(LIST_MAX + 1);
	enum rtls_status status = RTLS_NO_MEMORY;
	struct rtls_slice text = { "", 0 }, line;

	*is_left = false;
	if (buffer != NULL)
		status = rtls_file_read(LIST, buffer, LIST_MAX, &text, err);
	/* One that cannot be put back is no reason to leave the others. */
	while (rtls_slice_line(&text, &line)) {
		struct rtls_err why = { "out of memory" };
		const enum rtls_status one = put_back_one(line, is_left, &why);

		if (one != RTLS_OK && status == RTLS_OK) {
			status = one;
			*err = why;
		}
	}
	free(buffer);
	return status;
}

enum rtls_status rtls_setup_forget(struct rtls_err *err)
{
	enum rtls_status status = rtls_file_remove(LIST, err);

	if (status == RTLS_OK || status == RTLS_NONE)
		status = rtls_file_remove_directory(
			RTLS_SETUP_BACKUPS, RTLS_SETUP_UNDER_WAY, err);
	return status == RTLS_NONE ? RTLS_OK : status;
}

enum rtls_status rtls_setup_keep(
	char kept[RTLS_SETUP_PATH_SIZE], struct rtls_err *err)
{
	const time_t now = time(NULL);
	struct tm utc;
	char day[32];

	if (gmtime_r(&now, &utc) == NULL ||
		strftime(day, sizeof(day), "%Y%m%dT%H%M%SZ", &utc) == 0)
		return failed(err, RTLS_SETUP_UNDER_WAY, EOVERFLOW);
	for (unsigned n = 1; n < 1000; n++) {
		(void)snprintf(kept, RTLS_SETUP_PATH_SIZE,
			RTLS_SETUP_BACKUPS "/%s%s%.0u", day, n > 1 ? "-" : "",
			n > 1 ? n : 0);
		if (rename(RTLS_SETUP_UNDER_WAY, kept) == 0)
			/* Else a power failure could have it undone yet. */
			return rtls_setup_sync_above(kept)
				       ? RTLS_OK
				       : failed(err, kept, errno);
		if (errno != EEXIST && errno != ENOTEMPTY)
			break;
	}
	return failed(err, RTLS_SETUP_UNDER_WAY, errno);
}
