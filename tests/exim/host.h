/* host.h - a stand-in for Exim and for module/exim/api.c: what the module reads of its host
 * is set by the test, what it says is kept for it. */
#ifndef RTLS_TESTS_HOST_H
#define RTLS_TESTS_HOST_H

#include "exim/api.h"

/* What ${...} expands to from now on; NULL: the expansion fails. */
void host_set(const char *what, const char *value);
/* Forget all of it, the log, headers and recipients. */
void host_reset(void);

/* What a function of ${dlfunc...} answers, until host_reset(). argument NULL: called with
 * none. */
const char *host_call(int (*function)(uschar **yield, int argc, uschar *argv[]),
	const char *argument);

/* The last text that nothing was set for; "" after host_reset(). */
const char *host_asked(void);

/* The log lines since host_reset(), one after the other. */
const char *host_log(void);

/* The configuration the module sees; NULL after host_break_config(). */
struct rtls_config *host_config(void);
void host_break_config(void);

/* Message that is being received. Texts are borrowed. */
void host_add_header(const char *line);
void host_add_recipient(const char *address);
const char *host_recipient(int index);
void host_set_sender(const char *address);

/* Exim's own flag on the message: 1, 0, or -1 when nobody touched it. */
int host_flagged(void);

#endif
