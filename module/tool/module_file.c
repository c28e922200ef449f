/* module_file.c - see module_file.h. */
#include "tool/module_file.h"

#include <stdlib.h>

#include "store/system_file.h"

#define MODULE_SIZE_MAX (16 * 1024 * 1024) /* it has some hundred KiB */

enum rtls_status rtls_module_file_release(const char *path,
	char release[RTLS_BUILT_FOR_SIZE], struct rtls_err *err)
{
	char *buffer = malloc(MODULE_SIZE_MAX + 1);
	enum rtls_status status;
	struct rtls_slice bytes;

	if (buffer == NULL) {
		rtls_err_set(err, "out of memory");
		return RTLS_NO_MEMORY;
	}
	status = rtls_system_file_read(
		path, buffer, MODULE_SIZE_MAX, &bytes, err);
	if (status == RTLS_NONE) {
		rtls_err_set(err, "no such file");
	} else if (status == RTLS_OK) {
		status = rtls_built_for_find(bytes, release);
		if (status == RTLS_NONE)
			rtls_err_set(err, "does not say for which Exim it was "
					  "built");
		else if (status == RTLS_INVALID)
			rtls_err_set(err, "says different things of the Exim "
					  "it was built for");
	}
	free(buffer);
	return status;
}
