/* temporary.h - a file that is written beside the one it will replace. For the files of
 * store/ only; all of these leave errno set when they fail. */
#ifndef RTLS_TEMPORARY_H
#define RTLS_TEMPORARY_H

#include <stdbool.h>

#include "policy/slice.h"

#define RTLS_TEMPORARY_SIZE 64
#define RTLS_FILE_MODE      0640

/* A new file in directory, open for writing; -1 when there can be none.
 * name  filled; rtls_file_each() knows such names, and removes old ones */
int rtls_temporary_open(int directory, char name[RTLS_TEMPORARY_SIZE]);

/* All of text. */
bool rtls_temporary_write(int fd, struct rtls_slice text);

/* fd is gone in any case. */
bool rtls_temporary_close(int fd);

/* Make what was renamed in a directory last. */
bool rtls_temporary_sync_directory(int fd);

#endif
