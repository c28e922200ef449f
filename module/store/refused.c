/* refused.c - notes on flagged messages whose hosts were all refused. */
#include "store/refused.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/text.h"
#include "store/file.h"
#include "store/lines.h"
#include "store/open.h"

/* 16 characters up to Exim 4.96, 23 since 4.97. */
#define MESSAGE_ID_MAX 32
#define LINE_SIZE      (RTLS_DOMAIN_SIZE + RTLS_ERR_SIZE + 2)

/* Letters, digits and hyphens only: it becomes a file name. */
static bool is_message_id(const char *id)
{
	size_t size = strlen(id);

	if (size == 0 || size > MESSAGE_ID_MAX)
		return false;
	for (; *id != '\0'; id++) {
		bool alpha = (*id >= 'a' && *id <= 'z') ||
			     (*id >= 'A' && *id <= 'Z');

		if (!alpha && !(*id >= '0' && *id <= '9') && *id != '-')
			return false;
	}
	return true;
}

static bool is_normalized(const char *domain)
{
	char normal[RTLS_DOMAIN_SIZE];

	return rtls_domain_normalize(rtls_slice(domain), normal) == RTLS_OK &&
	       strcmp(normal, domain) == 0;
}

static enum rtls_status note_path(const char *spool, const char *message_id,
	const char *domain, char out[PATH_MAX], struct rtls_err *err)
{
	int n;

	if (!is_message_id(message_id) || !is_normalized(domain)) {
		rtls_err_set(err, "not a message id, or not a domain name");
		return RTLS_INVALID;
	}
	n = snprintf(out, PATH_MAX, "%s/refused/%s", spool, message_id);
	if (n >= 0 && n < PATH_MAX)
		return RTLS_OK;
	rtls_err_set(err, "the spool's path is too long");
	return RTLS_INVALID;
}

/* The newest note on the domain, as it stands in the file. */
static enum rtls_status find_note(
	int fd, const char *domain, char note[RTLS_ERR_SIZE])
{
	enum rtls_status found = RTLS_NONE;
	struct rtls_lines lines;
	struct rtls_slice line;

	rtls_lines_init(&lines, fd);
	for (;;) {
		enum rtls_status status = rtls_lines_next(&lines, &line);

		if (status == RTLS_NONE)
			return found;
		if (status == RTLS_TEMPORARY)
			return status;
		if (status != RTLS_OK)
			continue;
		if (!rtls_slice_is(rtls_slice_take(&line, '\t'), domain))
			continue;
		if (line.size >= RTLS_ERR_SIZE) /* edited by hand */
			line.size = RTLS_ERR_SIZE - 1;
		if (line.size > 0)
			memcpy(note, line.data, line.size);
		note[line.size] = '\0';
		found = RTLS_OK;
	}
}

/* Not rtls_quote(): the text was quoted when it was put. */
static void keep_printable(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

enum rtls_status rtls_refused_get(const char *spool, const char *message_id,
	const char *domain, char *text, struct rtls_err *err)
{
	enum rtls_status status;
	char path[PATH_MAX];
	struct rtls_opened file;

	text[0] = '\0';
	status = note_path(spool, message_id, domain, path, err);
	if (status == RTLS_OK)
		status = rtls_open_below(spool, path, &file, err);
	if (status != RTLS_OK)
		return status;
	status = find_note(file.fd, domain, text);
	if (status == RTLS_TEMPORARY)
		(void)rtls_open_failed(err, "read", path, errno);
	(void)close(file.fd);
	keep_printable(text);
	return status;
}

enum rtls_status rtls_refused_put(const char *spool, const char *message_id,
	const char *domain, struct rtls_slice text, struct rtls_err *err)
{
	char note[RTLS_ERR_SIZE], kept[RTLS_ERR_SIZE];
	enum rtls_status status;
	char line[LINE_SIZE];
	char path[PATH_MAX];
	struct rtls_text out;

	status = note_path(spool, message_id, domain, path, err);
	if (status != RTLS_OK)
		return status;
	rtls_quote(note, sizeof(note), text);
	/* Each retry of a message may say the same again. */
	if (rtls_refused_get(spool, message_id, domain, kept, NULL) ==
			RTLS_OK &&
		strcmp(kept, note) == 0)
		return RTLS_OK;
	rtls_text_init(&out, line, sizeof(line));
	rtls_text_printf(&out, "%s\t%s\n", domain, note);
	return rtls_file_append(spool, path, rtls_text_slice(&out), err);
}
