/* status.c - the reason of a failure as text that cannot fail. */
#include "status.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

void rtls_err_set(struct rtls_err *err, const char *format, ...)
{
	va_list args;

	if (err == NULL)
		return;
	va_start(args, format);
	if (vsnprintf(err->text, sizeof(err->text), format, args) < 0)
		err->text[0] = '\0';
	va_end(args);
}

enum rtls_status rtls_err_check(struct rtls_err *err, const char *why)
{
	if (why == NULL)
		return RTLS_OK;
	rtls_err_set(err, "%s", why);
	return RTLS_INVALID;
}
