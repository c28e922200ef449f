/* bounce.h - bounces of flagged messages (RFC 8689 section 5): found out
 * while Exim takes in its own delivery report, which then returns the
 * headers of the message and not its body. */
#ifndef RTLS_BOUNCE_H
#define RTLS_BOUNCE_H

#include <stdbool.h>

/* Is the message that is being received Exim's own report about another one? */
bool rtls_bounce_is_report(void);

/*
 * Is the message that is being received Exim's own report about a flagged message?
 * Its process was started with -E<message id> and an empty sender; the flag is in the
 * spool file of that message. Anybody may start Exim so: all that can be gained is
 * a flag.
 */
bool rtls_bounce_of_flagged(void);

/*
 * The body of the message that is being received, for rtls_bounce_cut_body(), where Exim
 * does not hand it over: in an ACL.
 *
 * -1  it cannot be opened
 */
int rtls_bounce_open_body(void);

/*
 * RET=HDRS for a report that was written with the whole message in it: in the
 * last part, "message/rfc822" becomes "text/rfc822-headers" and what follows its headers goes.
 * A report of another shape stays as it is.
 *
 * fd  the body file as local_scan() gets it, open for writing; or -1: a log line says
 *     that the body stays in
 */
void rtls_bounce_cut_body(int fd);

#endif
