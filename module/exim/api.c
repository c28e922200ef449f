/* api.c - see api.h. */
#include "exim/api.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/built_for.h"
#include "policy/domain.h"
#include "policy/text.h"
#include "store/config_file.h"
#include "store/idna.h"
#include "store/site.h"

#define LOG_LINE_SIZE 4096

/* Only patched Exims have it, and only their header declares it. A module
 * that was built with another header must load in both: undefined, its
 * address is NULL. */
/* NOLINTNEXTLINE(readability-redundant-declaration) */
extern BOOL message_requiretls __attribute__((weak, visibility("default")));

#if LOCAL_SCAN_ABI_VERSION_MAJOR >= 9
#define WRITE_LOG(...) log_write(__VA_ARGS__)

const char *rtls_exim_expand(const char *what)
{
	return (const char *)expand_string((const uschar *)what);
}
#else
#define WRITE_LOG(...) log_write(0, __VA_ARGS__)

const char *rtls_exim_expand(const char *what)
{
	/* Exim takes a non-const pointer, but does not write through it. */
	union {
		const char *in;
		uschar *out;
	} text = { .in = what };

	return (const char *)expand_string(text.out);
}
#endif

struct rtls_slice rtls_exim_value(const char *what)
{
	return rtls_slice(rtls_exim_expand(what));
}

void rtls_exim_log(const char *format, ...)
{
	static char line[LOG_LINE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	WRITE_LOG(LOG_MAIN, "requiretls: %s", line);
}

int rtls_exim_return_like(
	uschar **yield, struct rtls_slice text, const uschar *like)
{
	uschar *copy = store_get((int)text.size + 1, like);

	if (text.size > 0)
		memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	*yield = copy;
	return OK;
}

int rtls_exim_return(uschar **yield, struct rtls_slice text)
{
	return rtls_exim_return_like(yield, text, GET_UNTAINTED);
}

const char *rtls_exim_sender(void)
{
	return sender_address == NULL ? "" : (const char *)sender_address;
}

int rtls_exim_recipient_count(void)
{
	return recipients_count;
}

const char *rtls_exim_recipient(int index)
{
	return (const char *)recipients_list[index].address;
}

void rtls_exim_recipient_set(int index, const char *address)
{
	recipients_list[index].address = string_copy_taint(
		(const uschar *)address, recipients_list[index].address);
}

bool rtls_exim_flag_message(bool flagged)
{
	if (&message_requiretls == NULL)
		return false;
	message_requiretls = flagged ? TRUE : FALSE;
	return true;
}

/* For who looks at the file without loading it. */
__attribute__((used, retain)) static const char built_for[] =
	RTLS_BUILT_FOR_MARK RTLS_EXIM_VERSION "\n";

/* ${dlfunc} checks nothing about the host it runs in, so we do. */
static enum rtls_status version_check(struct rtls_err *err)
{
	struct rtls_slice running = rtls_exim_value("$version_number");
	struct rtls_quoted quoted;

	if (rtls_slice_is(running, RTLS_EXIM_VERSION))
		return RTLS_OK;
	rtls_err_set(err,
		"requiretls.so was built for Exim %s, this is Exim %s: install "
		"the module of this release",
		RTLS_EXIM_VERSION, rtls_quoted(&quoted, running));
	return RTLS_INVALID;
}

const struct rtls_config *rtls_exim_config(struct rtls_err *err)
{
	static struct rtls_config config;
	static struct rtls_err reason;
	static enum {
		UNREAD,
		GOOD,
		BAD
	} state = UNREAD;

	if (state == UNREAD) {
		enum rtls_status status = version_check(&reason);

		if (status == RTLS_OK)
			status = rtls_config_load(
				RTLS_CONFIG_PATH, &config, &reason);
		state = status == RTLS_OK ? GOOD : BAD;
		if (state == BAD)
			rtls_exim_log("configuration error: %s", reason.text);
	}
	if (state == GOOD)
		return &config;
	if (err != NULL)
		*err = reason;
	return NULL;
}

enum rtls_status rtls_exim_load_site(
	const struct rtls_config *config, struct rtls_err *err)
{
	static bool loaded;
	enum rtls_status status = RTLS_OK;

	if (!loaded)
		status = rtls_site_load(config, err);
	loaded = status == RTLS_OK;
	return status;
}

bool rtls_exim_speaks_requiretls(void)
{
	static enum {
		UNKNOWN,
		YES,
		NO
	} state = UNKNOWN;

	if (state == UNKNOWN)
		state = rtls_exim_expand("$requiretls") != NULL ? YES : NO;
	return state == YES;
}

enum rtls_status rtls_exim_domain(struct rtls_slice text, char *out)
{
	return rtls_idna_normalize(text, out);
}
