/* setup_diff.c - the change as diff(1) shows it. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tool/setup.h"

#define DIFF       "/usr/bin/diff"
#define DIFFERENT  1
#define LABEL_SIZE (RTLS_SETUP_PATH_SIZE + 16)

/* A file in memory; -1: it could not be had. */
static int remember(const char *text, size_t size)
{
	int fd = memfd_create("setup", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (write(fd, text, size) == (ssize_t)size &&
		lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* Terminals get what they can show; whoever wrote the file was root. */
static void print(struct rtls_slice text, FILE *out)
{
	for (size_t i = 0; i < text.size; i++) {
		const unsigned char c = (unsigned char)text.data[i];

		if (c == '\r' || (c < ' ' && c != '\n' && c != '\t') ||
			c == 0x7f)
			(void)fprintf(out, "\\x%02x", c);
		else
			(void)fputc(c, out);
	}
}

static bool diff(
	struct rtls_setup *setup, const struct rtls_setup_file *file, FILE *out)
{
	char before[LABEL_SIZE], after[LABEL_SIZE];
	const char *const words[] = { DIFF, "-u", "--label", before, "--label",
		after, "/dev/fd/3", "/dev/fd/4", NULL };
	int fd[2] = { remember(file->before, file->before_size),
		remember(file->after, file->after_size) };

	(void)snprintf(before, sizeof(before), "%s",
		file->is_there ? file->path : "/dev/null");
	(void)snprintf(after, sizeof(after), "%s",
		file->shall_be_there ? file->path : "/dev/null");
	if (fd[0] >= 0 && fd[1] >= 0)
		(void)rtls_command_run(&setup->command, words, fd);
	else
		setup->command.exit_status = -1;
	for (size_t i = 0; i < 2; i++)
		if (fd[i] >= 0)
			(void)close(fd[i]);
	if (setup->command.exit_status > DIFFERENT ||
		setup->command.exit_status < 0)
		return false;
	print(rtls_command_output(&setup->command), out);
	return true;
}

bool rtls_setup_diff(struct rtls_setup *setup, FILE *out)
{
	for (size_t i = 0; i < setup->files.count; i++)
		if (rtls_setup_file_is_changed(&setup->files.file[i]) &&
			!diff(setup, &setup->files.file[i], out))
			return false;
	return true;
}
