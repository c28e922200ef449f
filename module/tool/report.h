/* report.h - the actions of `exim-requiretls report` that have files of their own, and what
 * they share. Each gets its own name as argv[0] and returns an exit status. */
#ifndef RTLS_TOOL_REPORT_H
#define RTLS_TOOL_REPORT_H

#include "tool/verb.h"

int rtls_verb_report_key(
	const struct rtls_config *config, int argc, char **argv);
int rtls_verb_report_run(
	const struct rtls_config *config, int argc, char **argv);
int rtls_verb_report_show(
	const struct rtls_config *config, int argc, char **argv);
int rtls_verb_report_status(
	const struct rtls_config *config, int argc, char **argv);
/* What others sent: it needs no configuration of ours. */
int rtls_verb_report_read(int argc, char **argv);

/* Say err; the exit status of a status that is not RTLS_OK. */
int rtls_verb_report_fail(enum rtls_status status, const struct rtls_err *err);

/* The first second of a date; EX_OK, or EX_DATAERR, said. */
RTLS_MUST_CHECK int rtls_verb_report_date(const char *text, int64_t *day_s);

#endif
