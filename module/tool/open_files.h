/* open_files.h - files and directories from a command line, opened by a process that does nothing else. So the
 * one that reads what strangers wrote can be without power, and still gets what only root may open. */
#ifndef RTLS_OPEN_FILES_H
#define RTLS_OPEN_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#define RTLS_OPEN_PATH_MAX 4096

struct rtls_open_files {
	int socket;
	pid_t opener;
};

/* One of them. */
struct rtls_open_file {
	char path
		[RTLS_OPEN_PATH_MAX]; /* as it was named, or below the directory that was */
	bool is_named; /* on the command line; else found in a directory */
	int error;     /* 0, or errno: it could not be opened */
	int fd;        /* for the caller to close; -1 on error and for "-" */
};

/*
 * Start the opener, then give up root (rtls_confine_nobody()).
 *
 * paths  "-" is standard input; a directory is a Maildir when it has new/ or cur/, else its plain
 *        files count. No symbolic link is followed, and nothing but plain files is opened, in a directory
 * 0 or EX_OSERR, said
 */
int rtls_open_files_start(
	struct rtls_open_files *files, int count, char *const *paths);

/* The next one, in the order of the paths and of the names in a directory. False: that was all. */
bool rtls_open_files_next(
	struct rtls_open_files *files, struct rtls_open_file *file);

/* 0, or EX_OSERR when the opener was not done by itself, said. */
int rtls_open_files_end(struct rtls_open_files *files);

#endif
