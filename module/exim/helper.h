/* helper.h - start `exim-requiretls resolve` for a domain that is not in the
 * cache, within a time budget; and write what root must not.
 *
 * The program talks to the network, so it never is root and inherits nothing: the child
 * drops to the Exim user before exec, closes all descriptors and gets a fixed
 * environment. */
#ifndef RTLS_HELPER_H
#define RTLS_HELPER_H

#include "policy/config.h"
#include "policy/status.h"
#include "policy/text.h"

/*
 * fresh    ask DNS again although the cache has an answer
 * wait_ms  how long to wait for the answer. At the end of config->resolve_timeout_ms, the
 *          longest it can be, the program is killed; before that it is left at its
 *          work, so that a fetch is not cut off and what it finds gets into the
 *          cache
 * answer   initialized by the caller; gets the record the program prints
 * RTLS_TEMPORARY  no answer: the program is missing, failed, said more than fits or took
 *                 too long; err says which
 */
RTLS_MUST_CHECK enum rtls_status rtls_helper_resolve(
	const struct rtls_config *config, const char *domain, bool fresh,
	unsigned wait_ms, struct rtls_text *answer, struct rtls_err *err);

/*
 * Do something small as the Exim user and wait for it: in a child that has given up root for good
 * and has no descriptor but 0 to 2, or here when this process is not root.
 *
 * work  must end by itself, soon, and is killed after some seconds else; 0 is good
 * 0, or what went wrong: work was not done, or said so
 */
RTLS_MUST_CHECK int rtls_helper_as_exim(
	int (*work)(void *context), void *context);

#endif
