/* bounce.c - see bounce.h. */
#include "exim/bounce.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exim/api.h"
#include "policy/flags.h"

/* How far into the report the end of the returned headers may be. */
#define REPORT_SIZE_MAX  (8 * 1024 * 1024)
#define SPOOL_HEADER_MAX (256 * 1024)
#define COMMAND_MAX      16384
#define PATH_SIZE        1024

/* tttttt-pppppp-ss up to Exim 4.96, tttttt-ppppppppppp-ssss since 4.97. An
 * Exim that was upgraded still has the old ones in its queue. */
#define MESSAGE_ID_OLD 16
#define MESSAGE_ID_MAX 23

static bool is_message_id(struct rtls_slice text)
{
	if (text.size != MESSAGE_ID_OLD && text.size != MESSAGE_ID_MAX)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			    (c >= 'a' && c <= 'z') || c == '-'))
			return false;
	}
	return true;
}

/* Exim keeps the id in a variable that modules cannot see; its own command
 * line says it too. The arguments there are separated by NUL. */
static bool reported_message(char id[MESSAGE_ID_MAX + 1])
{
	static char buffer[COMMAND_MAX];
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t size;
	struct rtls_slice rest;

	if (fd < 0)
		return false;
	size = read(fd, buffer, sizeof(buffer));
	close(fd);
	if (size <= 0)
		return false;
	rest = rtls_slice_n(buffer, (size_t)size);
	while (rest.size > 0) {
		struct rtls_slice argument = rtls_slice_take(&rest, '\0');

		if (!rtls_slice_starts(argument, "-E"))
			continue;
		argument = rtls_slice_n(argument.data + 2, argument.size - 2);
		if (is_message_id(argument))
			return rtls_slice_copy(
				argument, id, MESSAGE_ID_MAX + 1);
	}
	return false;
}

/* "-aclm _name size", a line end, so many bytes, a line end. The bytes may be any
 * text: take them, lest some line of theirs be read as one of Exim's. */
static bool take_acl_variable(struct rtls_slice *header, struct rtls_slice line,
	struct rtls_slice *name, struct rtls_slice *value)
{
	unsigned long long size;

	(void)rtls_slice_take(&line, ' ');
	*name = rtls_slice_take(&line, ' ');
	if (!rtls_slice_number(line, SPOOL_HEADER_MAX, &size) ||
		size >= header->size)
		return false;
	*value = rtls_slice_n(header->data, (size_t)size);
	*header =
		rtls_slice_n(header->data + size + 1, header->size - size - 1);
	return true;
}

/* What local_scan() left counts; without that what requiretls_flag() left. Where this
 * Exim has a flag of its own and the message had it, Exim has seen to the report. */
static bool spool_header_flagged(struct rtls_slice header)
{
	const bool patched = rtls_exim_speaks_requiretls();
	struct rtls_slice line, name, value;
	bool flagged = false, scanned = false, exims = false;

	while (rtls_slice_line(&header, &line)) {
		if (line.size == 0) /* the recipients and headers follow */
			return patched ? flagged && !exims : flagged || exims;
		if (rtls_slice_starts(line, "--"))
			line = rtls_slice_n(line.data + 1, line.size - 1);
		if (rtls_slice_starts(line, "-acl")) {
			if (!take_acl_variable(&header, line, &name, &value))
				return true; /* cut off */
			if (rtls_slice_is(name, "_requiretls_data") && !scanned)
				flagged = rtls_flags_are_yes(value, flagged);
		} else if (rtls_slice_starts(line, "-local_scan ")) {
			flagged = rtls_flags_are_yes(line, flagged);
			scanned = true;
		} else if (rtls_slice_is(line, "-requiretls")) {
			exims = true;
		}
	}
	return true; /* cut off before the end: not known */
}

/* Open a spool file of Exim's: it stands in input/, or in a directory named for a
 * character of the id; that of a named queue has one more directory above it.
 * -1: there is none. */
static int spool_open(const char *id, char kind, int flags)
{
	const int careful = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	char directory[512], queue[128] = "", path[PATH_SIZE];
	int fd;

	if (!rtls_slice_copy(rtls_exim_value("$spool_directory"), directory,
		    sizeof(directory)) ||
		!rtls_slice_copy(
			rtls_exim_value("$queue_name"), queue, sizeof(queue)))
		return -1;
	snprintf(path, sizeof(path), "%s/%s/input/%s-%c", directory, queue, id,
		kind);
	fd = open(path, flags | careful);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "%s/%s/input/%c/%s-%c", directory, queue,
		id[5], id, kind);
	return open(path, flags | careful);
}

/* The first so many bytes; closes the file. */
static size_t spool_read(int fd, char *buffer, size_t size)
{
	size_t used = 0;
	ssize_t got = 1;

	while (got > 0 && used < size) {
		got = read(fd, buffer + used, size - used);
		if (got > 0)
			used += (size_t)got;
	}
	close(fd);
	return used;
}

bool rtls_bounce_is_report(void)
{
	char id[MESSAGE_ID_MAX + 1];

	return *rtls_exim_sender() == '\0' && reported_message(id);
}

/* The line that counts stands near the top of the -H file. Whatever cannot be
 * known: ask for protection. */
bool rtls_bounce_of_flagged(void)
{
	char id[MESSAGE_ID_MAX + 1];
	char *buffer;
	size_t size;
	bool flagged;
	int fd;

	if (*rtls_exim_sender() != '\0' || !reported_message(id))
		return false;
	fd = spool_open(id, 'H', O_RDONLY);
	if (fd < 0)
		return true;
	buffer = malloc(SPOOL_HEADER_MAX + 1);
	if (buffer == NULL) {
		close(fd);
		return true;
	}
	size = spool_read(fd, buffer, SPOOL_HEADER_MAX);
	flagged = size == 0 || spool_header_flagged(rtls_slice_n(buffer, size));
	free(buffer);
	return flagged;
}

int rtls_bounce_open_body(void)
{
	struct rtls_slice id = rtls_exim_value("$message_exim_id");
	char name[MESSAGE_ID_MAX + 1];

	if (!is_message_id(id) || !rtls_slice_copy(id, name, sizeof(name)))
		return -1;
	return spool_open(name, 'D', O_RDWR);
}

/* Where the pieces of a report are, as offsets into its text. */
struct report {
	const char *new_type;
	size_t type;    /* where the old one stands, up to headers */
	size_t headers; /* the returned message begins */
	size_t body;    /* its headers end, an empty line not counted */
};

static const struct {
	const char *old_type, *new_type;
} types[] = {
	{ "Content-type: message/rfc822\n\n",
		"Content-type: text/rfc822-headers\n\n" },
	{ "Content-type: message/global\n\n",
		"Content-type: message/global-headers\n\n" },
};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

static bool report_parse(const char *text, size_t size, const char *boundary,
	struct report *report)
{
	char opening[256];
	const char *part = NULL, *end;
	size_t i;

	for (i = 0; i < TYPE_COUNT && part == NULL; i++) {
		snprintf(opening, sizeof(opening), "\n--%s\n%s", boundary,
			types[i].old_type);
		part = memmem(text, size, opening, strlen(opening));
	}
	if (part == NULL)
		return false;
	report->headers = (size_t)(part - text) + strlen(opening);
	report->type = report->headers - strlen(types[i - 1].old_type);
	report->new_type = types[i - 1].new_type;
	end = memmem(text + report->headers, size - report->headers, "\n\n", 2);
	if (end == NULL)
		return false;
	report->body = (size_t)(end - text) + 1;
	return true;
}

/* Exim wrote it without the body, as RET=HDRS or a delay warning has it. */
static bool is_headers_only(const char *text, size_t size)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (memmem(text, size, types[i].new_type,
			    strlen(types[i].new_type)) != NULL)
			return true;
	return false;
}

static int count_lines(const char *text, size_t size)
{
	int lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

/* Exim gives each report a boundary of its own and names it in the header. */
static bool report_boundary(char *out, size_t size)
{
	static const char key[] = "boundary=";
	struct rtls_slice type = rtls_exim_value("$rh_content-type:");
	const char *found =
		type.size == 0 ? NULL
			       : memmem(type.data, type.size, key, strlen(key));
	size_t length = 0;

	if (found == NULL)
		return false;
	found += strlen(key);
	while (found[length] != '\0' && found[length] != ';' &&
		found[length] != '\n' && found[length] != ' ')
		length++;
	return length > 0 &&
	       rtls_slice_copy(rtls_slice_n(found, length), out, size);
}

static bool report_write(int fd, const char *text, const struct report *report,
	const char *boundary)
{
	char tail[256];
	char *out;
	size_t size = report->body - report->headers;
	size_t total;
	bool good;

	snprintf(tail, sizeof(tail), "\n--%s--\n", boundary);
	total = strlen(report->new_type) + size + strlen(tail);
	out = malloc(total + 1);
	if (out == NULL)
		return false;
	snprintf(out, total + 1, "%s%.*s%s", report->new_type, (int)size,
		text + report->headers, tail);
	/* A NUL in the headers would cut the text short: then leave it. */
	good = strlen(out) == total &&
	       pwrite(fd, out, total,
		       (off_t)(SPOOL_DATA_START_OFFSET + report->type)) ==
		       (ssize_t)total &&
	       ftruncate(fd, (off_t)(SPOOL_DATA_START_OFFSET + report->type +
				     total)) == 0;
	if (good)
		body_linecount = count_lines(text, report->type) +
				 count_lines(out, total);
	free(out);
	return good;
}

void rtls_bounce_cut_body(int fd)
{
	char boundary[100];
	struct report report;
	char *text = malloc(REPORT_SIZE_MAX);
	ssize_t size = text == NULL || fd < 0
			       ? 0
			       : pread(fd, text, REPORT_SIZE_MAX,
					 SPOOL_DATA_START_OFFSET);
	bool cut = size > 0 && report_boundary(boundary, sizeof(boundary)) &&
		   report_parse(text, (size_t)size, boundary, &report) &&
		   report_write(fd, text, &report, boundary);

	if (!cut && (size <= 0 || !is_headers_only(text, (size_t)size)))
		rtls_exim_log("the body of a returned message stays in its "
			      "bounce: the report could not be changed");
	free(text);
}
