/* file.h - the only place that opens, reads and writes files of ours.
 *
 * Reading: O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, regular files only, bounded; so
 * that a root process is safe in a directory of the Exim user.
 * Writing: O_EXCL temporary beside the target, write, fsync, close, rename, fsync of
 * the directory; a reader sees the old text or the new one. */
#ifndef RTLS_FILE_H
#define RTLS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/slice.h"
#include "policy/status.h"

/*
 * buffer   of the caller's, size_max + 1 bytes; terminated on RTLS_OK
 * text     the content, borrowed from buffer
 * RTLS_NONE       no such file (or directory)
 * RTLS_INVALID    not a regular file, a link, larger than size_max
 * RTLS_TEMPORARY  any other error; err says which
 */
RTLS_MUST_CHECK enum rtls_status rtls_file_read(const char *path, char *buffer,
	size_t size_max, struct rtls_slice *text, struct rtls_err *err);

/*
 * As rtls_file_read(), for a file in the spool: neither root_directory nor
 * anything below it may be a link, so that whoever owns the spool cannot lead a root
 * process elsewhere by way of a directory.
 */
RTLS_MUST_CHECK enum rtls_status rtls_file_read_below(
	const char *root_directory, const char *path, char *buffer,
	size_t size_max, struct rtls_slice *text, struct rtls_err *err);

/*
 * As rtls_file_read(), for files that have power: the file must belong to
 * root and be writable by nobody else, and so must its directory (a sticky directory is not enough).
 * RTLS_INVALID also when that does not hold; err names path and mode.
 */
RTLS_MUST_CHECK enum rtls_status rtls_file_read_trusted(const char *path,
	char *buffer, size_t size_max, struct rtls_slice *text,
	struct rtls_err *err);

/*
 * Replace path by text, mode 0640, durable when it returns RTLS_OK. Missing directories of the
 * path below root_directory are made (0750), and so is root_directory itself
 * when its parent is there.
 * RTLS_TEMPORARY  nothing was changed; no temporary is left behind. (When only
 *                 the last step, fsync of the directory, failed, the new text
 *                 is there but may not survive a power failure.)
 * A process killed on the way may leave one temporary, ".tmp-...", which
 * no later call reads, reuses or trips over.
 */
RTLS_MUST_CHECK enum rtls_status rtls_file_replace(const char *root_directory,
	const char *path, struct rtls_slice text, struct rtls_err *err);

/*
 * Replace a file that another program reads, mode 0644, in a directory that somebody else named and made:
 * links on the way there are followed. A reader sees the old text or the new one. Not RTLS_OK:
 * nothing was changed.
 */
RTLS_MUST_CHECK enum rtls_status rtls_file_publish(
	const char *path, struct rtls_slice text, struct rtls_err *err);

/*
 * Append in one write() to path (made with its directories below root_directory
 * when missing). A short write is an error, and leaves what was written.
 *
 * text  whole lines. When the file does not end in a LF, they go behind one; so
 *       a reader may meet empty lines, and a line that was cut short spoils no
 *       other.
 */
RTLS_MUST_CHECK enum rtls_status rtls_file_append(const char *root_directory,
	const char *path, struct rtls_slice text, struct rtls_err *err);

/*
 * Call visit for each regular file in a directory of the spool, in no order;
 * names that begin with a dot are skipped. visit returns false to stop, and may
 * remove the file. Temporaries that a killed writer left more than an hour ago
 * (or in the future) are removed in passing.
 *
 * path        below root_directory, without a trailing slash
 * modified_s  when the file was written
 * RTLS_NONE   no such directory
 */
RTLS_MUST_CHECK enum rtls_status rtls_file_each(const char *root_directory,
	const char *path,
	bool (*visit)(const char *name, int64_t modified_s, void *context),
	void *context, struct rtls_err *err);

/* The same for each directory in it. */
RTLS_MUST_CHECK enum rtls_status rtls_file_each_directory(
	const char *root_directory, const char *path,
	bool (*visit)(const char *name, int64_t modified_s, void *context),
	void *context, struct rtls_err *err);

/* As rtls_file_remove(), for a file in the spool: no directory on the way may be a link. */
RTLS_MUST_CHECK enum rtls_status rtls_file_remove_below(
	const char *root_directory, const char *path, struct rtls_err *err);

/*
 * Remove a directory of the spool and the regular files in it, hidden ones too.
 * RTLS_NONE       no such directory
 * RTLS_TEMPORARY  it is still there, with what could not be removed; anything that is
 *                 no regular file cannot
 */
RTLS_MUST_CHECK enum rtls_status rtls_file_remove_directory(
	const char *root_directory, const char *path, struct rtls_err *err);

/* unlink(); a file that is not there is RTLS_NONE. */
RTLS_MUST_CHECK enum rtls_status rtls_file_remove(
	const char *path, struct rtls_err *err);

#endif
