/* system_file.h - read a file of the system's: resolv.conf, the trust anchor, the CA
 * bundle. Other than ours it may be a link; whoever names it is root. */
#ifndef RTLS_SYSTEM_FILE_H
#define RTLS_SYSTEM_FILE_H

#include "policy/slice.h"
#include "policy/status.h"

/* As rtls_file_read(), but links are followed. */
RTLS_MUST_CHECK enum rtls_status rtls_system_file_read(const char *path,
	char *buffer, size_t size_max, struct rtls_slice *text,
	struct rtls_err *err);

#endif
