/* open_files.c - see open_files.h. */
#include "tool/open_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/confine.h"
#include "tool/verb.h"

/* What goes from the opener to the reader, with the descriptor beside it. */
struct note {
	int error;
	bool is_named;
	char path[RTLS_OPEN_PATH_MAX];
};

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* --- the opener ---------------------------------------------------------------- */

/* fd is closed here. Without a reader there is nothing left to do. */
static void send_file(
	int socket, const char *path, bool is_named, int fd, int error)
{
	struct note note = { .error = error, .is_named = is_named };
	struct iovec bytes = { &note, sizeof(note) };
	union control control = { .bytes = { 0 } };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };

	(void)snprintf(note.path, sizeof(note.path), "%s", path);
	if (fd >= 0) {
		control.header =
			(struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
		_exit(EX_OSERR);
	if (fd >= 0)
		(void)close(fd);
}

/* A plain file of a directory; what is not one is passed over. */
static void send_entry(
	int socket, int directory, const char *name, const char *path)
{
	struct stat info;
	int fd;

	if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		!S_ISREG(info.st_mode))
		return;
	fd = openat(directory, name,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, &info) == 0 && !S_ISREG(info.st_mode)) {
		(void)close(fd);
		return;
	}
	send_file(socket, path, false, fd, fd < 0 ? errno : 0);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* directory is closed here. */
static void send_directory(int socket, int directory, const char *path)
{
	char file[RTLS_OPEN_PATH_MAX];
	struct dirent **entries = NULL;
	int count = scandirat(directory, ".", &entries, is_visible, alphasort);

	if (count < 0)
		send_file(socket, path, false, -1, errno);
	for (int i = 0; i < count; i++) {
		/* What is too long to be said is cut; what is opened is not. */
		(void)snprintf(
			file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		send_entry(socket, directory, entries[i]->d_name, file);
		free(entries[i]);
	}
	free(entries);
	(void)close(directory);
}

static int open_directory(int directory, const char *name)
{
	return openat(directory, name,
		O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW);
}

static void send_directories(int socket, int directory, const char *path)
{
	static const char *const names[] = { "new", "cur" };
	char below[RTLS_OPEN_PATH_MAX];
	bool is_maildir = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = open_directory(directory, names[i]);

		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			continue;
		is_maildir = true;
		(void)snprintf(below, sizeof(below), "%s/%s", path, names[i]);
		if (fd < 0)
			send_file(socket, below, false, -1, errno);
		else
			send_directory(socket, fd, below);
	}
	if (is_maildir)
		(void)close(directory);
	else
		send_directory(socket, directory, path);
}

static void send_path(int socket, const char *path)
{
	struct stat info;
	int fd;

	if (strcmp(path, "-") == 0) {
		send_file(socket, path, true, -1, 0);
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
		send_directories(socket, fd, path);
	else
		send_file(socket, path, true, fd, fd < 0 ? errno : 0);
}

/* --- the reader ---------------------------------------------------------------- */

int rtls_open_files_start(
	struct rtls_open_files *files, int count, char *const *paths)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return rtls_verb_fail(
			EX_OSERR, "socketpair: %s", strerror(errno));
	files->opener = fork();
	if (files->opener == 0) {
		(void)close(pair[0]);
		for (int i = 0; i < count; i++)
			send_path(pair[1], paths[i]);
		_exit(EX_OK);
	}
	(void)close(pair[1]);
	if (files->opener < 0) {
		(void)close(pair[0]);
		return rtls_verb_fail(EX_OSERR, "fork: %s", strerror(errno));
	}
	files->socket = pair[0];
	rtls_confine_nobody();
	return EX_OK;
}

bool rtls_open_files_next(
	struct rtls_open_files *files, struct rtls_open_file *file)
{
	struct note note;
	struct iovec bytes = { &note, sizeof(note) };
	union control control;
	struct msghdr message = { .msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	const struct cmsghdr *header;

	if (recvmsg(files->socket, &message, MSG_CMSG_CLOEXEC) !=
		(ssize_t)sizeof(note))
		return false;
	memcpy(file->path, note.path, sizeof(file->path));
	file->is_named = note.is_named;
	file->error = note.error;
	file->fd = -1;
	header = CMSG_FIRSTHDR(&message);
	if (header != NULL)
		memcpy(&file->fd, CMSG_DATA(header), sizeof(int));
	else if (note.error == 0 && strcmp(note.path, "-") != 0)
		file->error = EMFILE; /* it was sent, but could not be had */
	return true;
}

int rtls_open_files_end(struct rtls_open_files *files)
{
	int status = -1;

	(void)close(files->socket);
	while (waitpid(files->opener, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_OK)
		return EX_OK;
	return rtls_verb_fail(EX_OSERR, "not all files could be opened");
}
