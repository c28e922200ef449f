/* bounce.c - see bounce.h. */
#include "exim/bounce.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exim/api.h"
#include "policy/returned.h"
#include "policy/spool_header.h"

/* How far into the report the end of the returned headers may be. */
#define REPORT_SIZE_MAX (8 * 1024 * 1024)
#define COMMAND_MAX     16384
#define PATH_SIZE       1024

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
	buffer = malloc(RTLS_SPOOL_HEADER_MAX + 1);
	if (buffer == NULL) {
		close(fd);
		return true;
	}
	size = spool_read(fd, buffer, RTLS_SPOOL_HEADER_MAX);
	flagged = size == 0 ||
		  rtls_spool_header_flagged(rtls_slice_n(buffer, size),
			  rtls_exim_speaks_requiretls());
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

static bool report_write(int fd, const char *text,
	const struct rtls_returned *returned, const char *boundary)
{
	char tail[256];
	char *out;
	size_t size = returned->body - returned->headers;
	size_t total;
	bool good;

	snprintf(tail, sizeof(tail), "\n--%s--\n", boundary);
	total = strlen(returned->new_type) + size + strlen(tail);
	out = malloc(total + 1);
	if (out == NULL)
		return false;
	snprintf(out, total + 1, "%s%.*s%s", returned->new_type, (int)size,
		text + returned->headers, tail);
	/* A NUL in the headers would cut the text short: then leave it. */
	good = strlen(out) == total &&
	       pwrite(fd, out, total,
		       (off_t)(SPOOL_DATA_START_OFFSET + returned->type)) ==
		       (ssize_t)total &&
	       ftruncate(fd, (off_t)(SPOOL_DATA_START_OFFSET + returned->type +
				     total)) == 0;
	if (good)
		body_linecount = count_lines(text, returned->type) +
				 count_lines(out, total);
	free(out);
	return good;
}

void rtls_bounce_cut_body(int fd)
{
	char boundary[100];
	struct rtls_returned returned;
	char *text = malloc(REPORT_SIZE_MAX);
	ssize_t size = text == NULL || fd < 0
			       ? 0
			       : pread(fd, text, REPORT_SIZE_MAX,
					 SPOOL_DATA_START_OFFSET);
	bool cut = size > 0 && report_boundary(boundary, sizeof(boundary)) &&
		   rtls_returned_find(rtls_slice_n(text, (size_t)size),
			   boundary, &returned) &&
		   report_write(fd, text, &returned, boundary);

	if (!cut && (size <= 0 || !rtls_returned_is_headers_only(
					  rtls_slice_n(text, (size_t)size))))
		rtls_exim_log("the body of a returned message stays in its "
			      "bounce: the report could not be changed");
	free(text);
}
