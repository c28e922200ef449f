/* confine.c - drop root, descriptors and environment. */
#include "tool/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "tool/verb.h"

#define NOBODY 65534

void rtls_confine_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

/* setuid(0) must fail from now on, and so must going back by a saved id. */
static bool is_dropped(uid_t uid, gid_t gid)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getresuid(&ruid, &euid, &suid) != 0 ||
		getresgid(&rgid, &egid, &sgid) != 0)
		return false;
	if (ruid != uid || euid != uid || suid != uid)
		return false;
	if (rgid != gid || egid != gid || sgid != gid)
		return false;
	return setuid(0) != 0 && seteuid(0) != 0;
}

int rtls_confine_drop(const char *user)
{
	const struct passwd *entry;
	uid_t uid;
	gid_t gid;

	if (getuid() != 0 && geteuid() != 0)
		return EX_OK;
	errno = 0;
	entry = getpwnam(user);
	if (entry == NULL)
		return rtls_verb_fail(EX_CONFIG,
			"the configured user \"%s\" does not exist", user);
	uid = entry->pw_uid;
	gid = entry->pw_gid;
	if (uid == 0 || gid == 0)
		return rtls_verb_fail(
			EX_CONFIG, "the configured user \"%s\" is root", user);
	/* No other group, as when the module starts us: what lists groups may go to the
	 * network. */
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
		setresuid(uid, uid, uid) != 0)
		return rtls_verb_fail(EX_OSERR, "cannot become %s: %s", user,
			strerror(errno));
	if (!is_dropped(uid, gid))
		return rtls_verb_fail(
			EX_SOFTWARE, "root could be had back: I stop here");
	return EX_OK;
}

void rtls_confine_nobody(void)
{
	if (geteuid() != 0)
		return;
	/* In a container that has no such ids this fails, and the root of that
	 * container is all there is. */
	if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
		setresuid(NOBODY, NOBODY, NOBODY) != 0)
		return;
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* By no-color.org, or because the terminal has none. */
static bool are_colours_unwanted(void)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return (no_colour != NULL && no_colour[0] != '\0') ||
	       (terminal != NULL && strcmp(terminal, "dumb") == 0);
}

/* Put the fixed environment in place; true when there was something else, which
 * libraries may have read already. Of what the caller had only that is left whether
 * colours are wanted. */
static bool replace_environment(void)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char no_colour[] = "NO_COLOR=1";
	static char *fixed[] = { path, NULL, NULL };
	bool was_clean = true;

	if (are_colours_unwanted())
		fixed[1] = no_colour;
	for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
		if (strncmp(*entry, "PATH=", 5) != 0 &&
			strcmp(*entry, no_colour) != 0)
			was_clean = false;
	environ = fixed;
	return !was_clean;
}

int rtls_confine(const struct rtls_config *config, char **argv, bool setuid)
{
	bool again = replace_environment();
	int exit_status;

	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	(void)signal(SIGPIPE, SIG_IGN); /* a peer's reset is an error, no end */
	(void)umask(027);
	if (chdir("/") != 0)
		return rtls_verb_fail(EX_OSERR, "chdir /: %s", strerror(errno));
	exit_status = rtls_confine_drop(config->user);
	if (exit_status != EX_OK)
		return exit_status;
	if (!setuid && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return rtls_verb_fail(
			EX_OSERR, "no_new_privs: %s", strerror(errno));
	if (again)
		(void)execve("/proc/self/exe", argv, environ);
	/* Without /proc there is no second start: what libraries read before
	 * main() was the environment of whoever typed the command. */
	return EX_OK;
}
