/* warned.h - say a warning once a day, over all processes: <spool>/warned/<name>. */
#ifndef RTLS_WARNED_H
#define RTLS_WARNED_H

#include <stdbool.h>
#include <stdint.h>

/*
 * name  of the warning, safe as a file name
 * True when it has not been given within the day up to now_s; it counts as given from now on.
 * Where the mark cannot be written it is true each time.
 */
bool rtls_warn_daily(const char *spool, const char *name, int64_t now_s);

#endif
