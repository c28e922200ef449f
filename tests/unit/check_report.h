/* check_report.h - what the tests of reports share: a spool of their own, journal
 * lines, a configuration. */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "policy/config.h"
#include "policy/result.h"

#define TEST_DAY        "2026-11-20"
#define TEST_DAY_S      INT64_C(1795132800)
#define TEST_SECONDS    86400
#define TEST_NEXT_DAY_S (TEST_DAY_S + TEST_SECONDS)

/* The first digits of SHA-256 of "mta1", see check_config(). */
#define TEST_HOST_ID "d91d1c56"

static inline void check_config(struct rtls_config *config, const char *spool)
{
	rtls_config_defaults(config);
	config->tlsrpt = true;
	(void)snprintf(config->spool, sizeof(config->spool), "%s", spool);
	(void)snprintf(config->organization, sizeof(config->organization),
		"Lab & Söhne");
	(void)snprintf(config->contact, sizeof(config->contact),
		"Postmaster@Lab.Example");
	config->from[0] = '\0';
	(void)snprintf(
		config->report_host, sizeof(config->report_host), "%s", "mta1");
}

static inline void check_spool_make(char path[64])
{
	(void)snprintf(path, 64, "/tmp/rtls-report-XXXXXX");
	assert_non_null(mkdtemp(path));
}

static inline int check_remove_one(
	const char *path, const struct stat *info, int type, struct FTW *place)
{
	(void)info;
	(void)type;
	(void)place;
	return remove(path);
}

static inline void check_spool_remove(const char *path)
{
	(void)nftw(path, check_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Open <spool>/<directory>/<name> for writing. */
static inline FILE *check_spool_file(
	const char *spool, const char *directory, const char *name)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", spool, directory);
	(void)mkdir(path, 0750);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", spool, directory, name);
	file = fopen(path, "we");
	assert_non_null(file);
	return file;
}

static inline void check_journal_write(const char *spool, const char *text)
{
	FILE *file = check_spool_file(spool, "tlsrpt", TEST_DAY);

	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* A short way to write a journal line: fields as in result.h, from the domain on. */
#define LINE(fields) "1\t1795140000\t" fields "\n"

#endif
