/* explain_log.h - `exim-requiretls explain --log`: the lines of one message and of the reports
 * about it, out of Exim's main log, each with what it means. */
#ifndef RTLS_EXPLAIN_LOG_H
#define RTLS_EXPLAIN_LOG_H

#include <stdbool.h>

/*
 * Opens the file as who one is, and is nobody from then on when one was root. Prints to
 * stdout.
 *
 * path  a file that can be read twice
 * 0, or the exit status with the error said; EX_NOINPUT also when there is no such line
 */
int rtls_explain_log(const char *path, const char *message_id, bool json);

#endif
