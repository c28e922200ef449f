/* module_file.h - look at an installed requiretls.so without loading it: who loads it runs it. */
#ifndef RTLS_MODULE_FILE_H
#define RTLS_MODULE_FILE_H

#include "policy/built_for.h"

/*
 * path     links are followed
 * release  of the Exim it was built for, on RTLS_OK; else untouched
 * err      why, else; may be NULL
 * RTLS_NONE     no such file, or it does not say (another file, or an old module)
 * RTLS_INVALID  it says different things, or is too large for a module
 * RTLS_TEMPORARY, RTLS_NO_MEMORY  it cannot be read now
 */
RTLS_MUST_CHECK enum rtls_status rtls_module_file_release(const char *path,
	char release[RTLS_BUILT_FOR_SIZE], struct rtls_err *err);

#endif
