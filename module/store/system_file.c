/* system_file.c - read a file of the system's, which may be a link. */
#include "system_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/file.h"

enum rtls_status rtls_system_file_read(const char *path, char *buffer,
	size_t size_max, struct rtls_slice *text, struct rtls_err *err)
{
	char *real = realpath(path, NULL);
	enum rtls_status status;

	if (real == NULL) {
		rtls_err_set(err, "%s: %s", path, strerror(errno));
		return errno == ENOENT || errno == ENOTDIR ? RTLS_NONE
							   : RTLS_TEMPORARY;
	}
	status = rtls_file_read(real, buffer, size_max, text, err);
	free(real);
	return status;
}
