/* status.h - the results every function of the project shares.
 *
 * Each value is something a caller does differently; why it happened is a
 * text in struct rtls_err, which can be cut but cannot fail. */
#ifndef RTLS_STATUS_H
#define RTLS_STATUS_H

enum rtls_status {
	RTLS_OK,
	RTLS_NONE,      /* not there, or not ours: no error */
	RTLS_INVALID,   /* there, but malformed */
	RTLS_TEMPORARY, /* cannot be known now: try later */
	RTLS_NO_MEMORY,
	RTLS_BUG, /* a caller broke the contract */
};

#define RTLS_ERR_SIZE 256

struct rtls_err {
	char text[RTLS_ERR_SIZE];
};

#define RTLS_MUST_CHECK        __attribute__((warn_unused_result))
#define RTLS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * Write the reason, cut to the size of err.
 *
 * err     may be NULL: then nothing happens
 * format  as for printf; foreign text goes through rtls_quote() first
 */
void rtls_err_set(struct rtls_err *err, const char *format, ...)
	RTLS_PRINTF(2, 3);

/* What a check found: NULL gives RTLS_OK, else it is the reason, and RTLS_INVALID. */
RTLS_MUST_CHECK enum rtls_status rtls_err_check(
	struct rtls_err *err, const char *why);

#endif
