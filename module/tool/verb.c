/* verb.c - what the verbs share. */
#include "tool/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/config_file.h"
#include "store/idna.h"

int rtls_verb_fail(int exit_status, const char *format, ...)
{
	va_list args;

	(void)fputs("exim-requiretls: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return exit_status;
}

int rtls_verb_misused(const char *verb, const char *why)
{
	if (why != NULL)
		(void)rtls_verb_fail(EX_USAGE, "%s: %s", verb, why);
	(void)fprintf(stderr, "Try \"exim-requiretls %s --help\".\n", verb);
	return EX_USAGE;
}

int rtls_verb_exit(enum rtls_status status)
{
	switch (status) {
	case RTLS_OK:
		return EX_OK;
	case RTLS_NONE:
	case RTLS_INVALID:
		return EX_DATAERR;
	case RTLS_TEMPORARY:
	case RTLS_NO_MEMORY:
		return EX_TEMPFAIL;
	case RTLS_BUG:
		break;
	}
	return EX_SOFTWARE;
}

int rtls_verb_load_config(struct rtls_config *config)
{
	struct rtls_err err = { "" };

	if (rtls_config_load(RTLS_CONFIG_PATH, config, &err) == RTLS_OK)
		return EX_OK;
	return rtls_verb_fail(EX_CONFIG, "%s", err.text);
}

int rtls_verb_check_spool(const struct rtls_config *config)
{
	struct rtls_quoted q;

	if (faccessat(AT_FDCWD, config->spool, R_OK | W_OK | X_OK,
		    AT_EACCESS) == 0 ||
		(errno != EACCES && errno != EPERM))
		return EX_OK;
	return rtls_verb_fail(EX_NOPERM,
		"%s is not open to this user: run me as root or as %s",
		rtls_quoted(&q, rtls_slice(config->spool)), config->user);
}

int rtls_verb_domain(const char *argument, char domain[RTLS_DOMAIN_SIZE])
{
	struct rtls_quoted q;

	if (rtls_idna_normalize(rtls_slice(argument), domain) == RTLS_OK)
		return EX_OK;
	return rtls_verb_fail(EX_DATAERR, "\"%s\" is not a domain name",
		rtls_quoted(&q, rtls_slice(argument)));
}

static int unreadable(
	struct rtls_err *err, const char *path, int error, int exit_status)
{
	struct rtls_quoted q;

	rtls_err_set(err, "%s: %s", rtls_quoted(&q, rtls_slice(path)),
		strerror(error));
	return exit_status;
}

/* Read until the end, at most size_max bytes; the buffer grows with them. */
static int read_all(FILE *file, size_t size_max, char **data, size_t *size)
{
	size_t room = 0;

	*data = NULL;
	*size = 0;
	do {
		char *grown;

		room = room == 0 ? 65536 : 2 * room;
		if (room > size_max + 2)
			room = size_max + 2;
		grown = realloc(*data, room);
		if (grown == NULL)
			return EX_OSERR;
		*data = grown;
		*size += fread(grown + *size, 1, room - 1 - *size, file);
		if (ferror(file))
			return EX_IOERR;
	} while (*size == room - 1 && *size <= size_max);
	(*data)[*size] = '\0';
	return *size > size_max ? EX_DATAERR : EX_OK;
}

int rtls_verb_read_open(FILE *file, size_t size_max, char **data, size_t *size,
	struct rtls_err *err)
{
	int exit_status = read_all(file, size_max, data, size);

	if (exit_status == EX_DATAERR)
		rtls_err_set(err, "larger than %zu bytes", size_max);
	if (exit_status != EX_OK) {
		int error = errno;

		free(*data);
		*data = NULL;
		errno = error;
	}
	return exit_status;
}

int rtls_verb_read(const char *path, size_t size_max, char **data, size_t *size,
	struct rtls_err *err)
{
	bool is_standard = strcmp(path, "-") == 0;
	FILE *file = is_standard ? stdin : fopen(path, "rbe");
	int exit_status, error;

	if (file == NULL)
		return unreadable(err, path, errno, EX_NOINPUT);
	exit_status = rtls_verb_read_open(file, size_max, data, size, err);
	error = errno;
	if (!is_standard)
		(void)fclose(file);
	if (exit_status != EX_OK && exit_status != EX_DATAERR)
		exit_status = unreadable(err, path, error,
			error == EISDIR ? EX_NOINPUT : exit_status);
	return exit_status;
}

json_t *rtls_verb_json(struct rtls_slice text)
{
	struct rtls_quoted q;
	json_t *json = json_stringn(text.size == 0 ? "" : text.data, text.size);

	return json != NULL ? json : json_string(rtls_quoted(&q, text));
}

int rtls_verb_print_json(json_t *json, int exit_status)
{
	if (json == NULL)
		return rtls_verb_fail(EX_OSERR, "out of memory");
	if (json_dumpf(json, stdout, JSON_ENCODE_ANY) != 0)
		exit_status = EX_IOERR;
	(void)putchar('\n');
	json_decref(json);
	return exit_status;
}
