/* verb.h - the verbs of exim-requiretls, one file each, and what they share.
 *
 * A verb gets its own name as argv[0] and returns an exit status of
 * sysexits.h. Nothing a stranger wrote is printed but through rtls_quoted() or
 * as JSON. */
#ifndef RTLS_VERB_H
#define RTLS_VERB_H

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <sysexits.h>

#include "policy/config.h"
#include "policy/domain.h"
#include "policy/record.h"

#ifndef RTLS_VERSION
#define RTLS_VERSION "0.1"
#endif

/* What a verb may keep of the caller's power. */
enum rtls_power {
	RTLS_POWER_ALL,  /* works on what the caller may read */
	RTLS_POWER_USER, /* as the configured user, in a fixed environment */
	RTLS_POWER_USER_MAIL,  /* the same, but sendmail is setuid */
	RTLS_POWER_USER_FILES, /* as USER; another process writes files */
};

/* A verb, at the end of its file, with its help beside its options. */
struct rtls_verb {
	const char *name;
	const char *summary; /* one line for the list of verbs */
	const char *help;    /* what --help prints, from "Usage: " on */
	int (*run)(int argc, char **argv);
	enum rtls_power power;
	const char *except; /* a first word with RTLS_POWER_ALL, or NULL */
};

extern const struct rtls_verb rtls_verb_check;
extern const struct rtls_verb rtls_verb_parse;
extern const struct rtls_verb rtls_verb_config;
extern const struct rtls_verb rtls_verb_cache;
extern const struct rtls_verb rtls_verb_resolve;
extern const struct rtls_verb rtls_verb_report;
extern const struct rtls_verb rtls_verb_explain;
extern const struct rtls_verb rtls_verb_publish;
extern const struct rtls_verb rtls_verb_metrics;
extern const struct rtls_verb rtls_verb_setup;

/* "exim-requiretls: ..." on stderr; returns exit_status. */
int rtls_verb_fail(int exit_status, const char *format, ...) RTLS_PRINTF(2, 3);

/* The same with EX_USAGE and a pointer to --help. why may be NULL: it has been said. */
int rtls_verb_misused(const char *verb, const char *why);

/* What a status that is not RTLS_OK means to the shell: 65 bad data, 75 try
 * later, 70 our own mistake. */
int rtls_verb_exit(enum rtls_status status);

/* The configuration in force; 0, or the exit status with the error said
 * ("path: line N: ..."). */
RTLS_MUST_CHECK int rtls_verb_load_config(struct rtls_config *config);

/* May this user work in the spool? 0 or EX_NOPERM, said. A spool that is not there
 * yet is no obstacle. */
RTLS_MUST_CHECK int rtls_verb_check_spool(const struct rtls_config *config);

/* A domain name from the command line; 0 or EX_DATAERR, said. */
RTLS_MUST_CHECK int rtls_verb_domain(
	const char *argument, char domain[RTLS_DOMAIN_SIZE]);

/*
 * Read all of a file.
 *
 * path   "-" is standard input
 * data   for the caller to free(); terminated
 * err    set on failure, nothing is printed
 * 0, EX_NOINPUT, EX_DATAERR (larger than size_max), EX_IOERR or EX_OSERR
 */
RTLS_MUST_CHECK int rtls_verb_read(const char *path, size_t size_max,
	char **data, size_t *size, struct rtls_err *err);

/* The same of a file that is open; it stays so. err->text is set only when the file is too large. */
RTLS_MUST_CHECK int rtls_verb_read_open(FILE *file, size_t size_max,
	char **data, size_t *size, struct rtls_err *err);

/* A JSON string; bytes that are not UTF-8 are quoted. NULL: no memory. */
json_t *rtls_verb_json(struct rtls_slice text);

/* Print one line of JSON and give the value back to the library.
 * json may be NULL: there was no memory. 0 or EX_OSERR. */
RTLS_MUST_CHECK int rtls_verb_print_json(json_t *json, int exit_status);

#endif
