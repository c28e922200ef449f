/* host.c - see host.h. */
#include "host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "store/idna.h"
#include "store/site.h"

#define VALUES_MAX     64
#define STORE_MAX      4096
#define HEADERS_MAX    64
#define RECIPIENTS_MAX 16

header_line *header_list;
int body_linecount;

static struct {
	const char *what;
	const char *value;
} values[VALUES_MAX];
static size_t value_count;

/* Exim's store: everything given out, freed at the reset. */
static void *store[STORE_MAX];
static size_t store_count;

static char log_text[65536];
static char asked[4096];
static struct rtls_config config;
static bool config_broken;
static header_line headers[HEADERS_MAX];
static size_t header_count;
static char *recipients[RECIPIENTS_MAX];
static int recipient_count;
static const char *sender;
static int flagged;

static void *keep(void *block)
{
	if (block == NULL || store_count == STORE_MAX)
		abort();
	store[store_count++] = block;
	return block;
}

void host_set(const char *what, const char *value)
{
	for (size_t i = 0; i < value_count; i++)
		if (strcmp(values[i].what, what) == 0) {
			values[i].value = value;
			return;
		}
	if (value_count == VALUES_MAX)
		abort();
	values[value_count].what = what;
	values[value_count++].value = value;
}

void host_reset(void)
{
	value_count = 0;
	log_text[0] = '\0';
	asked[0] = '\0';
	rtls_config_defaults(&config);
	config_broken = false;
	header_list = NULL;
	header_count = 0;
	recipient_count = 0;
	sender = "alice@lab.example";
	flagged = -1;
	while (store_count > 0)
		free(store[--store_count]);
}

const char *host_asked(void)
{
	return asked;
}

const char *host_log(void)
{
	return log_text;
}

struct rtls_config *host_config(void)
{
	return &config;
}

void host_break_config(void)
{
	config_broken = true;
}

void host_add_header(const char *line)
{
	header_line *header = &headers[header_count++];

	if (header_count > HEADERS_MAX)
		abort();
	*header = (header_line){ .type = ' ',
		.slen = (int)strlen(line),
		.text = keep(strdup(line)) };
	if (header_list == NULL)
		header_list = header;
	else
		headers[header_count - 2].next = header;
}

void host_add_recipient(const char *address)
{
	if (recipient_count == RECIPIENTS_MAX)
		abort();
	recipients[recipient_count++] = keep(strdup(address));
}

const char *host_recipient(int index)
{
	return recipients[index];
}

void host_set_sender(const char *address)
{
	sender = address;
}

int host_flagged(void)
{
	return flagged;
}

/* --- in place of module/exim/api.c ---------------------------------------- */

const char *rtls_exim_expand(const char *what)
{
	for (size_t i = 0; i < value_count; i++)
		if (strcmp(values[i].what, what) == 0)
			return values[i].value == NULL
				       ? NULL
				       : keep(strdup(values[i].value));
	(void)snprintf(asked, sizeof(asked), "%s", what);
	return NULL;
}

struct rtls_slice rtls_exim_value(const char *what)
{
	return rtls_slice(rtls_exim_expand(what));
}

void rtls_exim_log(const char *format, ...)
{
	size_t used = strlen(log_text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(log_text + used, sizeof(log_text) - used, format, args);
	va_end(args);
	used = strlen(log_text);
	if (used + 1 < sizeof(log_text))
		memcpy(log_text + used, "\n", 2);
}

const char *rtls_exim_sender(void)
{
	return sender;
}

int rtls_exim_recipient_count(void)
{
	return recipient_count;
}

const char *rtls_exim_recipient(int index)
{
	return recipients[index];
}

void rtls_exim_recipient_set(int index, const char *address)
{
	recipients[index] = keep(strdup(address));
}

bool rtls_exim_flag_message(bool value)
{
	flagged = value;
	return true;
}

int rtls_exim_return_like(
	uschar **yield, struct rtls_slice text, const uschar *like)
{
	(void)like;
	return rtls_exim_return(yield, text);
}

int rtls_exim_return(uschar **yield, struct rtls_slice text)
{
	char *copy = keep(malloc(text.size + 1));

	if (text.size > 0)
		memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	*yield = (uschar *)copy;
	return OK;
}

const struct rtls_config *rtls_exim_config(struct rtls_err *err)
{
	if (!config_broken)
		return &config;
	rtls_err_set(err, "broken by the test");
	return NULL;
}

/* Each time: tests change the files. */
enum rtls_status rtls_exim_load_site(
	const struct rtls_config *of, struct rtls_err *err)
{
	return rtls_site_load(of, err);
}

bool rtls_exim_speaks_requiretls(void)
{
	return rtls_exim_expand("$requiretls") != NULL;
}

const char *host_call(int (*function)(uschar **yield, int argc, uschar *argv[]),
	const char *argument)
{
	char *copy = argument == NULL ? NULL : strdup(argument);
	uschar *arguments[] = { (uschar *)copy, NULL };
	uschar *yield = NULL;

	assert_int_equal(function(&yield, copy != NULL, arguments), OK);
	assert_non_null(yield);
	free(copy); /* the answer is no part of it */
	return (const char *)yield;
}

enum rtls_status rtls_exim_domain(struct rtls_slice text, char *out)
{
	return rtls_idna_normalize(text, out);
}
