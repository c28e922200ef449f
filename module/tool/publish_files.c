/* publish_files.c - see publish_files.h. */
#include "tool/publish_files.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/file.h"
#include "tool/verb.h"

#define PATH_SIZE 1024
#define TEXT_MAX  65536
#define WRITTEN   'w'

static const char *const names[RTLS_PUBLISH_FILES] = {
	RTLS_PUBLISH_POLICY_FILE,
	RTLS_PUBLISH_ZONE_FILE,
	"nginx.conf",
	"apache.conf",
};

/* --- writing -------------------------------------------------------------------------------- */

/* The web server is another user. */
static int write_file(const char *directory, const char *name, const char *text)
{
	char path[PATH_SIZE];
	struct rtls_err err = { "" };

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (rtls_file_replace(directory, path, rtls_slice(text), &err) !=
		RTLS_OK)
		return rtls_verb_fail(EX_CANTCREAT,
			"%s (the directory must be there, and open to this "
			"user)",
			err.text);
	if (chmod(path, 0644) != 0)
		return rtls_verb_fail(
			EX_CANTCREAT, "%s: %s", path, strerror(errno));
	return EX_OK;
}

static int open_well_known(const char *directory)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/.well-known", directory);
	if (chmod(path, 0755) != 0)
		return rtls_verb_fail(
			EX_CANTCREAT, "%s: %s", path, strerror(errno));
	return EX_OK;
}

/* The policy before the record: who sees a new id must find the new policy. */
int rtls_publish_files_write(
	const char *directory, const char *const texts[RTLS_PUBLISH_FILES])
{
	int exit_status = write_file(directory, names[0], texts[0]);

	if (exit_status == EX_OK)
		exit_status = open_well_known(directory);
	for (size_t i = 1; i < RTLS_PUBLISH_FILES && exit_status == EX_OK; i++)
		exit_status = write_file(directory, names[i], texts[i]);
	return exit_status;
}

/* --- from one process to the other: a size and so many bytes, for each ----------------------- */

static bool send_bytes(const void *data, size_t size)
{
	const char *rest = data;

	while (size > 0) {
		ssize_t n = send(STDIN_FILENO, rest, size, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		rest += n;
		size -= (size_t)n;
	}
	return true;
}

static bool receive_bytes(int fd, void *data, size_t size)
{
	char *rest = data;

	while (size > 0) {
		ssize_t n = read(fd, rest, size);

		if (n <= 0)
			return false;
		rest += n;
		size -= (size_t)n;
	}
	return true;
}

/* The reason why they are not written is said by who should have done it. */
int rtls_publish_files_hand_over(const char *const texts[RTLS_PUBLISH_FILES])
{
	char answer = 0;

	for (size_t i = 0; i < RTLS_PUBLISH_FILES; i++) {
		size_t size = strlen(texts[i]);

		if (!send_bytes(&size, sizeof(size)) ||
			!send_bytes(texts[i], size))
			return rtls_verb_fail(
				EX_CANTCREAT, "nobody writes the files");
	}
	return receive_bytes(STDIN_FILENO, &answer, 1) && answer == WRITTEN
		       ? EX_OK
		       : EX_CANTCREAT;
}

/* One text, with a NUL behind it. NULL: none, or what nobody of ours sends. */
static char *receive_text(int fd)
{
	size_t size = 0;
	char *text;

	if (!receive_bytes(fd, &size, sizeof(size)) || size > TEXT_MAX)
		return NULL;
	text = calloc(1, size + 1);
	if (text != NULL && receive_bytes(fd, text, size) &&
		strlen(text) == size)
		return text;
	free(text);
	return NULL;
}

/* False: the other process has given up, and said why. */
static bool write_received(int fd, const char *directory)
{
	char *texts[RTLS_PUBLISH_FILES] = { NULL };
	bool is_written = false;
	size_t count = 0;

	while (count < RTLS_PUBLISH_FILES &&
		(texts[count] = receive_text(fd)) != NULL)
		count++;
	if (count == RTLS_PUBLISH_FILES)
		is_written = rtls_publish_files_write(directory,
				     (const char *const *)texts) == EX_OK;
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	return is_written;
}

/* --- the process that writes -------------------------------------------------------------------- */

/* Whoever owns the directory may do so anyway: with root's power a link that he puts there would
 * lead elsewhere. */
static bool become_owner(const struct stat *owned)
{
	return setgroups(0, NULL) == 0 &&
	       setresgid(owned->st_gid, owned->st_gid, owned->st_gid) == 0 &&
	       setresuid(owned->st_uid, owned->st_uid, owned->st_uid) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* It ends as the other one does. */
static _Noreturn void be_writer(
	int fd, pid_t other, const char *directory, const struct stat *owned)
{
	const char written = WRITTEN;
	int status = 0;

	(void)umask(022);
	if (become_owner(owned) && write_received(fd, directory))
		(void)send(fd, &written, 1, MSG_NOSIGNAL);
	(void)close(fd);
	while (waitpid(other, &status, 0) < 0 && errno == EINTR)
		continue;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE);
}

/* Of --directory; NULL: it is not there, or nothing is written. */
static const char *find_directory(int argc, char **argv)
{
	static const char option[] = "--directory";
	const size_t size = sizeof(option) - 1;
	const char *directory = NULL;

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--verify") == 0)
			return NULL;
		if (strncmp(argv[i], option, size) != 0)
			continue;
		if (argv[i][size] == '=')
			directory = argv[i] + size + 1;
		else if (argv[i][size] == '\0')
			directory = argv[i + 1];
	}
	return directory;
}

/* The same words, and that option in front of them. */
static char **add_option(int argc, char **argv)
{
	static char option[] = "--" RTLS_PUBLISH_HANDED_OVER;
	char **longer = calloc((size_t)argc + 2, sizeof(*longer));

	if (longer == NULL)
		return NULL;
	longer[0] = argv[0];
	longer[1] = argv[1];
	longer[2] = option;
	for (int i = 2; i < argc; i++)
		longer[i + 1] = argv[i];
	return longer;
}

/* Only the process that goes on returns. */
static bool start_writer(const char *directory, const struct stat *owned)
{
	bool is_started;
	int pair[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	child = fork();
	if (child > 0) {
		(void)close(pair[1]);
		be_writer(pair[0], child, directory, owned);
	}
	is_started = child == 0 && dup2(pair[1], STDIN_FILENO) == STDIN_FILENO;
	(void)close(pair[0]);
	(void)close(pair[1]);
	return is_started;
}

void rtls_publish_files_start(int *argc, char ***argv)
{
	const char *directory = find_directory(*argc, *argv);
	struct stat owned;
	char **longer;

	if (geteuid() != 0 || directory == NULL || directory[0] != '/' ||
		stat(directory, &owned) != 0 || !S_ISDIR(owned.st_mode))
		return;
	longer = add_option(*argc, *argv);
	if (longer != NULL && start_writer(directory, &owned)) {
		*argv = longer;
		(*argc)++;
		return;
	}
	free(longer);
}
