/* confine.h - a process that parses what strangers send is never root, holds
 * nobody's descriptors, and is not steered by its environment. */
#ifndef RTLS_CONFINE_H
#define RTLS_CONFINE_H

#include <stdbool.h>

#include "policy/config.h"

/* Open 0, 1 and 2 on /dev/null if they are closed: else the next file
 * opened would be standard output. */
void rtls_confine_descriptors(void);

/*
 * For verbs that use the network or the spool. Closes all other descriptors,
 * replaces the environment, and when root, becomes config->user for good.
 *
 * A library may have read the environment before main(): GnuTLS does. So when there
 * was more than PATH in it, the program starts anew with what is left, as the
 * user it has become; then this function does not return.
 *
 * argv    of main(), for starting anew
 * setuid  the verb starts setuid programs (sendmail): they may keep working
 * 0, or the exit status with the error said
 */
RTLS_MUST_CHECK int rtls_confine(
	const struct rtls_config *config, char **argv, bool setuid);

/* Only the change of user: in a child that is about to write the spool.
 * Nothing when not root. 0 or the exit status, said. */
RTLS_MUST_CHECK int rtls_confine_drop(const char *user);

/* For a verb that parses foreign files but needs no user of ours: root becomes
 * nobody, as far as it can. */
void rtls_confine_nobody(void);

#endif
