/* lock.h - one lock per domain: byte-range locks (open file description
 * locks) in the single file <spool>/lock, at an offset hashed from the name. The
 * kernel releases them, so a crash leaves none behind. */
#ifndef RTLS_LOCK_H
#define RTLS_LOCK_H

#include "policy/status.h"

/*
 * timeout_ms  how long to wait for another holder
 * fd          what to give to rtls_lock_release(); -1 unless RTLS_OK
 * RTLS_TEMPORARY  the wait was in vain, or there can be no lock file; err says which
 */
RTLS_MUST_CHECK enum rtls_status rtls_lock_take(const char *spool,
	const char *name, unsigned timeout_ms, int *fd, struct rtls_err *err);
void rtls_lock_release(int fd);

#endif
