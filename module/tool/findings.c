/* findings.c - see findings.h. */
#include "tool/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "tool/verb.h"

#define TEXT_SIZE    3072
#define TOPIC_WIDTH  11
#define EXIT_IS_BAD  1
#define COLOUR_RESET "\033[0m"

static const struct {
	const char *name;
	const char *colour;
} levels[] = {
	[RTLS_FINDING_GOOD] = { "good", "\033[32m" },
	[RTLS_FINDING_WARNING] = { "warning", "\033[33m" },
	[RTLS_FINDING_BAD] = { "bad", "\033[31m" },
	[RTLS_FINDING_UNKNOWN] = { "unknown", "\033[35m" },
};

static bool has_room(struct rtls_findings *findings)
{
	size_t room = findings->room == 0 ? 32 : 2 * findings->room;
	struct rtls_finding *grown;

	if (findings->count < findings->room)
		return true;
	if (findings->room >= RTLS_FINDINGS_MAX)
		return false;
	grown = reallocarray(findings->finding, room, sizeof(*grown));
	if (grown == NULL)
		return false;
	findings->finding = grown;
	findings->room = room;
	return true;
}

void rtls_findings_add(struct rtls_findings *findings,
	enum rtls_finding_level level, const char *topic, const char *advice,
	const char *format, ...)
{
	struct rtls_finding finding = { level, topic, malloc(TEXT_SIZE),
		advice };
	va_list args;

	if (finding.text == NULL || !has_room(findings)) {
		findings->is_cut = true;
		free(finding.text);
		return;
	}
	va_start(args, format);
	(void)vsnprintf(finding.text, TEXT_SIZE, format, args);
	va_end(args);
	findings->finding[findings->count++] = finding;
}

void rtls_findings_move(
	struct rtls_findings *from, struct rtls_findings *findings)
{
	for (size_t i = 0; i < from->count; i++) {
		if (has_room(findings)) {
			findings->finding[findings->count++] = from->finding[i];
		} else {
			findings->is_cut = true;
			free(from->finding[i].text);
		}
	}
	findings->is_cut = findings->is_cut || from->is_cut;
	from->count = 0;
}

void rtls_findings_free(struct rtls_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free(findings->finding[i].text);
	free(findings->finding);
}

static bool has_level(
	const struct rtls_findings *findings, enum rtls_finding_level level)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->finding[i].level == level)
			return true;
	return false;
}

int rtls_findings_exit(const struct rtls_findings *findings)
{
	if (has_level(findings, RTLS_FINDING_BAD))
		return EXIT_IS_BAD;
	if (findings->is_cut || has_level(findings, RTLS_FINDING_UNKNOWN))
		return EX_TEMPFAIL;
	return EX_OK;
}

const char *rtls_findings_status(const struct rtls_findings *findings)
{
	switch (rtls_findings_exit(findings)) {
	case EX_OK:
		return has_level(findings, RTLS_FINDING_WARNING) ? "warning"
								 : "good";
	case EXIT_IS_BAD:
		return "bad";
	default:
		return "unknown";
	}
}

static bool is_coloured(void)
{
	const char *no_colour = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) &&
	       (no_colour == NULL || no_colour[0] == '\0');
}

void rtls_findings_print(const struct rtls_findings *findings)
{
	const bool coloured = is_coloured();

	for (size_t i = 0; i < findings->count; i++) {
		const struct rtls_finding *finding = &findings->finding[i];

		(void)printf("%s%-7s%s  %-*s %s\n",
			coloured ? levels[finding->level].colour : "",
			levels[finding->level].name,
			coloured ? COLOUR_RESET : "", TOPIC_WIDTH,
			finding->topic, finding->text);
		if (finding->advice != NULL)
			(void)printf("         %*s -> %s\n", TOPIC_WIDTH, "",
				finding->advice);
	}
	if (findings->is_cut)
		(void)puts("There was more than could be kept.");
}

void rtls_findings_drop(struct rtls_findings *findings, const char *topic)
{
	size_t kept = 0;

	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->finding[i].topic, topic) == 0)
			free(findings->finding[i].text);
		else
			findings->finding[kept++] = findings->finding[i];
	findings->count = kept;
}

/* --- for monitoring ---------------------------------------------------------------------- */

/* From bad to good, with the exit status and the word of the Monitoring Plugins. */
static const struct {
	enum rtls_finding_level level;
	int exit_status;
	const char *word;
} ranks[] = {
	{ RTLS_FINDING_BAD, 2, "CRITICAL" },
	{ RTLS_FINDING_UNKNOWN, 3, "UNKNOWN" },
	{ RTLS_FINDING_WARNING, 1, "WARNING" },
	{ RTLS_FINDING_GOOD, 0, "OK" },
};

static size_t count(
	const struct rtls_findings *findings, enum rtls_finding_level level)
{
	size_t found = 0;

	for (size_t i = 0; i < findings->count; i++)
		found += findings->finding[i].level == level ? 1 : 0;
	return found;
}

/* "|" begins the numbers. */
static void print_text(const char *text)
{
	for (; *text != '\0'; text++)
		(void)putchar(*text == '|' ? '/' : *text);
}

static void print_first(
	const struct rtls_findings *findings, enum rtls_finding_level level)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->finding[i].level == level) {
			(void)printf("%s: ", findings->finding[i].topic);
			print_text(findings->finding[i].text);
			return;
		}
}

int rtls_findings_print_plugin(
	const struct rtls_findings *findings, const char *about)
{
	size_t rank = 0;

	while (ranks[rank].level != RTLS_FINDING_GOOD &&
		!has_level(findings, ranks[rank].level) &&
		!(ranks[rank].level == RTLS_FINDING_UNKNOWN &&
			findings->is_cut))
		rank++;
	(void)printf("REQUIRETLS %s - %s: ", ranks[rank].word, about);
	if (ranks[rank].level == RTLS_FINDING_GOOD)
		(void)printf("%zu good", findings->count);
	else
		print_first(findings, ranks[rank].level);
	(void)printf(" | bad=%zu unknown=%zu warning=%zu good=%zu\n",
		count(findings, RTLS_FINDING_BAD),
		count(findings, RTLS_FINDING_UNKNOWN),
		count(findings, RTLS_FINDING_WARNING),
		count(findings, RTLS_FINDING_GOOD));
	for (size_t i = 0; i < findings->count; i++) {
		const struct rtls_finding *finding = &findings->finding[i];

		if (finding->level == RTLS_FINDING_GOOD)
			continue;
		(void)printf(
			"%s %s: ", levels[finding->level].name, finding->topic);
		print_text(finding->text);
		(void)putchar('\n');
	}
	return ranks[rank].exit_status;
}

json_t *rtls_findings_json(const struct rtls_findings *findings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < findings->count && list != NULL; i++) {
		const struct rtls_finding *finding = &findings->finding[i];
		json_t *item = json_pack("{s:s, s:s, s:o, s:s?}", "level",
			levels[finding->level].name, "topic", finding->topic,
			"text", rtls_verb_json(rtls_slice(finding->text)),
			"advice", finding->advice);

		if (item == NULL || json_array_append_new(list, item) != 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}
