/* explain_log.c - see explain_log.h. The file is read twice: first to find out which other
 * messages belong to it, then for their lines. */
#include "tool/explain_log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tool/confine.h"
#include "tool/log_line.h"
#include "tool/verb.h"

#define LINE_SIZE   8192 /* of a longer one the rest is passed over */
#define SHOWN_SIZE  2048
#define RELATED_MAX 32
#define LINES_MAX   2000
#define DETAILS_MAX 12

struct search {
	FILE *file;
	size_t id_count;
	char id[RELATED_MAX][RTLS_LOG_ID_MAX + 1];
	size_t line_count;
	bool is_cut; /* there are more than LINES_MAX */
	json_t *json;
};

static bool is_related(const struct search *search, struct rtls_slice id)
{
	for (size_t i = 0; i < search->id_count; i++)
		if (rtls_slice_is(id, search->id[i]))
			return true;
	return false;
}

static void add_related(struct search *search, struct rtls_slice id)
{
	if (search->id_count == RELATED_MAX || is_related(search, id))
		return;
	(void)rtls_slice_copy(
		id, search->id[search->id_count++], sizeof(search->id[0]));
}

/* The next line, terminator and what is too much left out. False: there is none. */
static bool read_line(FILE *file, char line[LINE_SIZE], size_t *size)
{
	int c = getc_unlocked(file);

	*size = 0;
	if (c == EOF)
		return false;
	for (; c != EOF && c != '\n'; c = getc_unlocked(file))
		if (*size < LINE_SIZE)
			line[(*size)++] = (char)c;
	return true;
}

/* A report about one of them, or what one of them is a report about. */
static void relate(struct search *search, const struct rtls_log_line *line)
{
	struct rtls_slice about;

	if (!rtls_log_line_reference(line, &about))
		return;
	if (is_related(search, about))
		add_related(search, line->id);
	else if (is_related(search, line->id))
		add_related(search, about);
}

static json_t *line_json(const struct rtls_log_line *line, const char *shown)
{
	json_t *details = json_array();
	const char *detail;

	for (size_t i = 0; i < DETAILS_MAX &&
			   (detail = rtls_log_line_detail(line, i)) != NULL;
		i++)
		(void)json_array_append_new(details, json_string(detail));
	return json_pack("{s:o, s:o, s:s, s:b, s:s, s:o}", "time",
		rtls_verb_json(line->time), "id", rtls_verb_json(line->id),
		"text", shown, "ours", rtls_log_line_is_ours(line), "meaning",
		rtls_log_line_meaning(line), "details", details);
}

static void print_line(const struct rtls_log_line *line, const char *shown)
{
	const char *detail;

	(void)printf("%.*s %.*s %s\n", (int)line->time.size, line->time.data,
		(int)line->id.size, line->id.data, shown);
	(void)printf("    %s\n", rtls_log_line_meaning(line));
	for (size_t i = 0; i < DETAILS_MAX &&
			   (detail = rtls_log_line_detail(line, i)) != NULL;
		i++)
		(void)printf("    - %s\n", detail);
}

static void show(struct search *search, const struct rtls_log_line *line)
{
	char shown[SHOWN_SIZE];
	struct rtls_text text;

	if (!is_related(search, line->id))
		return;
	if (search->line_count == LINES_MAX) {
		search->is_cut = true;
		return;
	}
	search->line_count++;
	rtls_text_init(&text, shown, sizeof(shown));
	rtls_text_quote(&text, line->text);
	if (search->json != NULL)
		(void)json_array_append_new(
			search->json, line_json(line, shown));
	else
		print_line(line, shown);
}

static int for_each_line(struct search *search,
	void (*visit)(struct search *search, const struct rtls_log_line *line))
{
	static char text[LINE_SIZE];
	struct rtls_log_line line;
	size_t size;

	if (fseek(search->file, 0, SEEK_SET) != 0)
		return rtls_verb_fail(EX_NOINPUT,
			"the log must be a file that can be read "
			"twice");
	while (read_line(search->file, text, &size))
		if (rtls_log_line_parse(rtls_slice_n(text, size), &line) ==
			RTLS_OK)
			visit(search, &line);
	if (ferror(search->file))
		return rtls_verb_fail(
			EX_IOERR, "reading the log: %s", strerror(errno));
	return EX_OK;
}

static int finish(
	struct search *search, const char *path, const char *message_id)
{
	struct rtls_quoted q;

	if (search->line_count == 0) {
		json_decref(search->json);
		return rtls_verb_fail(EX_NOINPUT,
			"%s: no line is about %s; perhaps one of an older log "
			"is",
			rtls_quoted(&q, rtls_slice(path)), message_id);
	}
	if (search->is_cut)
		(void)rtls_verb_fail(EX_OK,
			"there are more lines; these are the first %d",
			LINES_MAX);
	return search->json == NULL ? EX_OK
				    : rtls_verb_print_json(search->json, EX_OK);
}

int rtls_explain_log(const char *path, const char *message_id, bool json)
{
	static struct search search;
	struct rtls_quoted q;
	int exit_status;

	if (!rtls_log_is_id(rtls_slice(message_id)))
		return rtls_verb_fail(EX_DATAERR,
			"\"%s\" is no message id of Exim's, like "
			"1vNabc-0000ab-1A",
			rtls_quoted(&q, rtls_slice(message_id)));
	search.file = fopen(path, "rbe");
	if (search.file == NULL)
		return rtls_verb_fail(EX_NOINPUT, "%s: %s",
			rtls_quoted(&q, rtls_slice(path)), strerror(errno));
	rtls_confine_nobody();
	search.json = json ? json_array() : NULL;
	add_related(&search, rtls_slice(message_id));
	exit_status = for_each_line(&search, relate);
	if (exit_status == EX_OK)
		exit_status = for_each_line(&search, show);
	(void)fclose(search.file);
	if (exit_status == EX_OK)
		return finish(&search, path, message_id);
	json_decref(search.json);
	return exit_status;
}
