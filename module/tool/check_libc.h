/* check_libc.h - does libc's resolver, by which Exim asks, show that an answer was validated? */
#ifndef RTLS_CHECK_LIBC_H
#define RTLS_CHECK_LIBC_H

enum rtls_libc {
	RTLS_LIBC_SEES_AD,
	RTLS_LIBC_HIDES_AD,
	RTLS_LIBC_NO_ANSWER,
};

/* name: normalized, of a signed zone. Takes at most about time_ms. */
enum rtls_libc rtls_check_libc(const char *name, unsigned time_ms);

#endif
