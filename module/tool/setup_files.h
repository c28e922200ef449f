/* setup_files.h - the files that setup changes: what they hold now, what they shall hold, and the
 * one way to write them.
 *
 * It is root who writes. So every directory on the way belongs to root and nobody else may
 * write it; a link is followed first, and then what it leads to is what is changed. */
#ifndef RTLS_SETUP_FILES_H
#define RTLS_SETUP_FILES_H

#include <sys/stat.h>

#include "policy/slice.h"
#include "policy/status.h"

#define RTLS_SETUP_FILES_MAX 64
#define RTLS_SETUP_PATH_SIZE 512
#define RTLS_SETUP_TEXT_MAX  ((size_t)2 * 1024 * 1024)

struct rtls_setup_file {
	char path[RTLS_SETUP_PATH_SIZE]; /* no link */
	bool is_there, shall_be_there;
	struct stat state; /* when it is there */
	/* Owned; "" when it is not there. */
	char *before, *after;
	size_t before_size, after_size;
};

struct rtls_setup_files {
	size_t count;
	struct rtls_setup_file file[RTLS_SETUP_FILES_MAX];
};

/*
 * A file, with what it holds now as before and after.
 *
 * file          the new last of files
 * RTLS_OK       also when it is not there
 * RTLS_NONE     neither is its directory
 * RTLS_INVALID  somebody else than root could change it, or it is no regular file, or too large
 */
RTLS_MUST_CHECK enum rtls_status rtls_setup_files_load(
	struct rtls_setup_files *files, const char *path,
	struct rtls_setup_file **file, struct rtls_err *err);
void rtls_setup_files_free(struct rtls_setup_files *files);

/* text is copied. False: no memory. */
RTLS_MUST_CHECK bool rtls_setup_file_want(struct rtls_setup_file *file,
	bool shall_be_there, struct rtls_slice text);

bool rtls_setup_file_is_changed(const struct rtls_setup_file *file);
bool rtls_setup_files_are_changed(const struct rtls_setup_files *files);

/* Replace or make a file, durably, with that owner and mode; one that is replaced hands on its ACL. */
RTLS_MUST_CHECK enum rtls_status rtls_setup_write(const char *path,
	struct rtls_slice text, const struct stat *as, struct rtls_err *err);

/* Remove what a run that was killed left beside it. */
void rtls_setup_tidy(const char *path);

/* Have the directory that path is in keep what was done in it. False, with errno: it cannot. */
RTLS_MUST_CHECK bool rtls_setup_sync_above(const char *path);

/* Remove one, durably; one that is not there is no error. */
RTLS_MUST_CHECK enum rtls_status rtls_setup_unlink(
	const char *path, struct rtls_err *err);

#endif
