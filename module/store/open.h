/* open.h - opening what lies below a directory of ours, no link followed.
 *
 * The spool belongs to the Exim user, but routing reads it as root: a link in
 * place of one of its directories must not lead root elsewhere. So neither
 * root_directory nor anything below it may be a link; what is above it is the
 * configuration's business. For the files of store/ only. */
#ifndef RTLS_OPEN_H
#define RTLS_OPEN_H

#include <stdbool.h>
#include <sys/types.h>

#include "policy/status.h"

/* How the name of a file begins that is still being written. */
#define RTLS_UNFINISHED ".tmp-"

/* openat() that no signal interrupts; O_CLOEXEC and O_NOFOLLOW always. */
RTLS_MUST_CHECK int rtls_open_at(
	int directory, const char *name, int flags, mode_t mode);

/*
 * Open the directory in which path lies.
 *
 * root_directory  path must lie below it
 * make            make what is missing, root_directory itself included (0750),
 *                 and open for fsync(); else only to look files up in it
 * fd              to be closed by the caller; -1 unless RTLS_OK
 * name            the last part of path, borrowed from it; may be NULL
 * RTLS_NONE       a directory is missing; never with make
 * RTLS_TEMPORARY  any other error; err says which
 * RTLS_BUG        path is not below root_directory, or has a part "..", "." or ""
 */
RTLS_MUST_CHECK enum rtls_status rtls_open_parent(const char *root_directory,
	const char *path, bool make, int *fd, const char **name,
	struct rtls_err *err);

/* A file opened for reading, and how large it was then. */
struct rtls_opened {
	int fd; /* to be closed by the caller; -1 unless RTLS_OK */
	size_t size_bytes;
};

/*
 * Open a regular file for reading.
 *
 * directory  AT_FDCWD, or what rtls_open_parent() gave
 * name       opened relative to directory
 * path       for err
 * RTLS_NONE, RTLS_INVALID, RTLS_TEMPORARY  as rtls_file_read()
 */
RTLS_MUST_CHECK enum rtls_status rtls_open_regular(int directory,
	const char *name, const char *path, struct rtls_opened *file,
	struct rtls_err *err);

/* Both in one: path below root_directory, for reading. */
RTLS_MUST_CHECK enum rtls_status rtls_open_below(const char *root_directory,
	const char *path, struct rtls_opened *file, struct rtls_err *err);

/* err: "what path: strerror(error)"; returns RTLS_TEMPORARY. */
enum rtls_status rtls_open_failed(
	struct rtls_err *err, const char *what, const char *path, int error);

#endif
