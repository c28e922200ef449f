/* built_for.h - which release of Exim a requiretls.so was built for, found in its bytes: whoever
 * wants to know need not load it.
 * Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_BUILT_FOR_H
#define RTLS_BUILT_FOR_H

#include "slice.h"
#include "status.h"

/* The module has this once (exim/api.c), with the release and a LF behind it:
 *   mark = MARK release LF
 *   release = 1*31(ALPHA / DIGIT / "." / "_" / "+" / "-") */
#define RTLS_BUILT_FOR_MARK "exim-requiretls: module for Exim "
#define RTLS_BUILT_FOR_SIZE 32

/*
 * file     all of the module; borrowed
 * release  filled on RTLS_OK, else untouched: "4.96"
 * RTLS_NONE     no such mark: some other file, or an old module
 * RTLS_INVALID  several of them that differ
 */
RTLS_MUST_CHECK enum rtls_status rtls_built_for_find(
	struct rtls_slice file, char release[RTLS_BUILT_FOR_SIZE]);

#endif
