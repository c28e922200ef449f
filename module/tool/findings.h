/* findings.h - what a check found: one line each, how bad it is, and what to do. */
#ifndef RTLS_FINDINGS_H
#define RTLS_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "policy/status.h"

#define RTLS_FINDINGS_MAX 2048
/* Advice, where a file that comes with the program is gone. */
#define RTLS_INSTALL_AGAIN "install the package again, or make install"

enum rtls_finding_level {
	RTLS_FINDING_GOOD,
	RTLS_FINDING_WARNING, /* it could be better */
	RTLS_FINDING_BAD,
	RTLS_FINDING_UNKNOWN, /* it could not be checked from here */
};

struct rtls_finding {
	enum rtls_finding_level level;
	const char *topic;  /* one word of ours: "mx" */
	char *text;         /* owned; foreign text in it is quoted */
	const char *advice; /* what to do, of ours; or NULL */
};

/* To be zeroed at first, and freed in the end. */
struct rtls_findings {
	size_t count, room;
	struct rtls_finding *finding;
	bool is_cut; /* there was no memory, or too much to say */
};

/* topic and advice are borrowed for good. What is longer than a screen is cut. */
void rtls_findings_add(struct rtls_findings *findings,
	enum rtls_finding_level level, const char *topic, const char *advice,
	const char *format, ...) RTLS_PRINTF(5, 6);
/* All of them behind those of another, and none is left. */
void rtls_findings_move(
	struct rtls_findings *from, struct rtls_findings *findings);
void rtls_findings_free(struct rtls_findings *findings);

/* 1: something is bad; 75: nothing is, but something could not be checked; else 0. */
int rtls_findings_exit(const struct rtls_findings *findings);

/* On stdout, for people; in colour where that is a terminal and NO_COLOR is not set. */
void rtls_findings_print(const struct rtls_findings *findings);

/* For monitoring, as plug-ins do it: a line "REQUIRETLS CRITICAL - about: text | bad=1 ...", and
 * below it all that is not good. Returns its exit status: 0 good, 1 warning, 2 bad, 3 unknown. */
int rtls_findings_print_plugin(
	const struct rtls_findings *findings, const char *about);

/* Take out all of a topic. */
void rtls_findings_drop(struct rtls_findings *findings, const char *topic);

/* An array of {"level", "topic", "text", "advice"}; NULL: no memory. */
json_t *rtls_findings_json(const struct rtls_findings *findings);

/* "good", "warning", "bad", "unknown" by the exit status. */
const char *rtls_findings_status(const struct rtls_findings *findings);

#endif
