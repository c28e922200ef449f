/* setup_apply.c - make the change, have Exim check it, and undo it when Exim does not like it. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/system_file.h"
#include "tool/confine.h"
#include "tool/exim_answers.h"
#include "tool/setup.h"
#include "tool/setup_journal.h"
#include "tool/verb.h"

#define TRY        RTLS_SETUP_UNDER_WAY "/try"
#define SYSTEMD    "/run/systemd/system"
#define ADDRESS    "postmaster"
#define OUR_ROUTER "requiretls_decide"
#define FUNCTION   "${dlfunc{" RTLS_MODULE_PATH "}{requiretls_level}{enforce}}"

/* --- what Exim says ---------------------------------------------------------------------- */

/* The last line it said, or the one that names a mistake and the one behind it, which says more; quoted. */
static const char *said(struct rtls_setup *setup, struct rtls_quoted *quoted)
{
	const struct rtls_slice all = rtls_command_output(&setup->command);
	struct rtls_slice rest = all, line,
			  last = rtls_slice("it said nothing");

	while (rtls_slice_line(&rest, &line)) {
		if (line.size > 0)
			last = line;
		if (memmem(line.data, line.size, "error in", 8) == NULL)
			continue;
		if (rtls_slice_line(&rest, &line) && line.size > 0)
			last = rtls_slice_trim(line);
		break;
	}
	return rtls_quoted(quoted, last);
}

static bool is_below_debian(const struct rtls_setup_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (rtls_setup_file_is_changed(&files->file[i]) &&
			strncmp(files->file[i].path, RTLS_SETUP_DEBIAN "/",
				sizeof(RTLS_SETUP_DEBIAN)) == 0)
			return true;
	return false;
}

/* Debian's one file of many. It looks for mistakes before it lets Exim have it. */
static bool generate(struct rtls_setup *setup)
{
	const char *const words[] = { RTLS_SETUP_GENERATE, NULL };

	if (access(RTLS_SETUP_GENERATE, X_OK) != 0)
		return true;
	return rtls_command_run(&setup->command, words, NULL);
}

/* Do our routers come before the one that sends to other hosts? */
static bool check_routers(struct rtls_setup *setup, struct rtls_err *err)
{
	struct rtls_slice list;
	size_t ours, theirs = 0;
	struct rtls_quoted q;

	if (!rtls_setup_exim(setup, "-bP", "router_list")) {
		rtls_err_set(err, "-bP router_list: %s", said(setup, &q));
		return false;
	}
	list = rtls_command_output(&setup->command);
	ours = rtls_exim_answer_place(list, rtls_slice(OUR_ROUTER));
	if (setup->plan.before.size > 0)
		theirs = rtls_exim_answer_place(list, setup->plan.before);
	if (ours > 0 && (theirs == 0 || ours < theirs))
		return true;
	rtls_err_set(
		err, "Exim has no router " OUR_ROUTER " where it should be");
	return false;
}

static bool check_transports(struct rtls_setup *setup, struct rtls_err *err)
{
	for (size_t i = 0; i < setup->plan.observed_count; i++) {
		struct rtls_slice listed, action = { "", 0 };
		struct rtls_quoted name;
		char text[RTLS_SETUP_PATH_SIZE];

		if (!rtls_slice_copy(
			    setup->plan.observed[i], text, sizeof(text)))
			continue;
		if (!rtls_setup_exim(setup, "-bP", "transports"))
			return false;
		listed = rtls_command_output(&setup->command);
		(void)snprintf(text, sizeof(text),
			"%.*s transport:", (int)setup->plan.observed[i].size,
			setup->plan.observed[i].data);
		listed.data =
			memmem(listed.data, listed.size, text, strlen(text));
		if (listed.data == NULL)
			continue; /* within an .if of the site's */
		listed.size = setup->command.size -
			      (size_t)(listed.data - setup->command.output);
		if (rtls_exim_answer_option(listed, "event_action", &action) &&
			memmem(action.data, action.size, "requiretls_session",
				18) != NULL)
			continue;
		rtls_err_set(err,
			"the transport %s has no event_action of ours",
			rtls_quoted(&name, setup->plan.observed[i]));
		return false;
	}
	return true;
}

static bool check_module(struct rtls_setup *setup, struct rtls_err *err)
{
	struct rtls_quoted q;

	if (rtls_setup_exim(setup, "-be", FUNCTION) &&
		memmem(setup->command.output, setup->command.size,
			"Failed:", 7) == NULL)
		return true;
	rtls_err_set(err, "Exim cannot load the module: %s", said(setup, &q));
	return false;
}

/* A mistake in the configuration? Where the address is not local, its host may be down, too. */
static bool is_mistake(struct rtls_slice text)
{
	static const char *const words[] = { "expan", "configuration", "dlopen",
		"unknown driver" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (memmem(text.data, text.size, words[i], strlen(words[i])) !=
			NULL)
			return true;
	return false;
}

static bool check_all(
	struct rtls_setup *setup, bool has_address, struct rtls_err *err)
{
	struct rtls_quoted q;

	if (!rtls_setup_exim(setup, "-bV", NULL)) {
		rtls_err_set(err, "exim -bV: %s", said(setup, &q));
		return false;
	}
	if (setup->applies &&
		(!check_routers(setup, err) || !check_transports(setup, err) ||
			!check_module(setup, err)))
		return false;
	if (!has_address || rtls_setup_exim(setup, "-bt", ADDRESS) ||
		!is_mistake(rtls_command_output(&setup->command)))
		return true;
	rtls_err_set(err, "exim -bt " ADDRESS ": %s", said(setup, &q));
	return false;
}

/* --- the change ---------------------------------------------------------------------------- */

/* A configuration of the site's is looked at by Exim before it takes the place of the old one. */
static bool try_before(struct rtls_setup *setup, struct rtls_err *err)
{
	const struct stat as = { .st_mode = 0600 };
	const char *kept = setup->file;
	struct rtls_quoted q;
	bool is_good = true;

	for (size_t i = 0; i < setup->files.count && is_good; i++) {
		const struct rtls_setup_file *file = &setup->files.file[i];

		if (setup->style != RTLS_SETUP_OWN ||
			!rtls_setup_file_is_changed(file) ||
			!file->shall_be_there)
			continue;
		if (rtls_setup_write(TRY,
			    rtls_slice_n(file->after, file->after_size), &as,
			    err) != RTLS_OK)
			return false;
		setup->file = TRY;
		is_good = rtls_setup_exim(setup, "-bV", NULL);
		setup->file = kept;
		if (!is_good)
			rtls_err_set(err, "exim -bV: %s", said(setup, &q));
		if (rtls_setup_unlink(TRY, err) != RTLS_OK)
			return false;
	}
	return is_good;
}

static bool change(struct rtls_setup *setup, struct rtls_err *err)
{
	const struct stat as = { .st_mode = 0644 };

	for (size_t i = 0; i < setup->files.count; i++) {
		const struct rtls_setup_file *file = &setup->files.file[i];
		enum rtls_status status;

		if (!rtls_setup_file_is_changed(file))
			continue;
		status = file->shall_be_there
				 ? rtls_setup_write(file->path,
					   rtls_slice_n(file->after,
						   file->after_size),
					   file->is_there ? &file->state : &as,
					   err)
				 : rtls_setup_unlink(file->path, err);
		if (status != RTLS_OK)
			return false;
	}
	return true;
}

/* What Exim reads may still be of the change; it works with it all the same, or as before. */
static void say_not_generated(struct rtls_setup *setup)
{
	struct rtls_quoted q;

	(void)rtls_verb_fail(EX_OK,
		RTLS_SETUP_GENERATE " fails, run it again when it can work: %s",
		said(setup, &q));
}

/* What was put back needs no copies any more, unless something was left. */
static enum rtls_status end_putting_back(bool is_left, struct rtls_err *err)
{
	char kept[RTLS_SETUP_PATH_SIZE];
	enum rtls_status status;

	if (!is_left)
		return rtls_setup_forget(err);
	status = rtls_setup_keep(kept, err);
	if (status == RTLS_OK)
		(void)rtls_verb_fail(EX_OK, "what it was is kept in %s", kept);
	return status;
}

static int undo(struct rtls_setup *setup, const struct rtls_err *why)
{
	struct rtls_err err = { "" };
	bool is_left;

	(void)rtls_verb_fail(EX_CONFIG, "%s", why->text);
	if (rtls_setup_put_back(&is_left, &err) != RTLS_OK)
		return rtls_verb_fail(EX_IOERR,
			"and it could not all be put back: %s; the copies "
			"are in " RTLS_SETUP_UNDER_WAY
			", start me again to have it put back",
			err.text);
	if (is_below_debian(&setup->files) && !generate(setup))
		say_not_generated(setup);
	if (end_putting_back(is_left, &err) != RTLS_OK)
		(void)rtls_verb_fail(EX_IOERR, "%s", err.text);
	return rtls_verb_fail(EX_CONFIG, "everything%s is as it was before",
		is_left ? " else" : "");
}

int rtls_setup_recover(struct rtls_setup *setup)
{
	struct rtls_err err = { "" };
	bool is_left;

	if (!rtls_setup_is_under_way())
		return EX_OK;
	if (rtls_setup_put_back(&is_left, &err) != RTLS_OK)
		return rtls_verb_fail(EX_IOERR,
			"an earlier run was cut off, and it cannot be put "
			"back: %s",
			err.text);
	if (!generate(setup))
		say_not_generated(setup);
	if (end_putting_back(is_left, &err) != RTLS_OK)
		return rtls_verb_fail(EX_IOERR, "%s", err.text);
	(void)rtls_verb_fail(EX_OK,
		"an earlier run was cut off; what it had changed was put back");
	return EX_OK;
}

/* --- around it ------------------------------------------------------------------------------ */

/* The directory above belongs to the Exim user, so it is that user who makes ours. */
static void make_spool(const struct rtls_setup *setup)
{
	pid_t pid;

	if (access(setup->config.spool, F_OK) == 0)
		return;
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(rtls_confine_drop(setup->config.user) == EX_OK &&
					mkdir(setup->config.spool, 0750) == 0
				? 0
				: 1);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* Whose file the number is in may write anything there: so only to an Exim. */
static bool is_exim(const struct rtls_setup *setup, unsigned long long pid)
{
	char path[64];
	struct stat theirs, ours;

	(void)snprintf(path, sizeof(path), "/proc/%llu/exe", pid);
	return stat(path, &theirs) == 0 &&
	       stat(setup->config.sendmail, &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

static bool reload_by_signal(struct rtls_setup *setup)
{
	char path[RTLS_SETUP_PATH_SIZE], buffer[65];
	struct rtls_slice text;
	struct rtls_err err = { "" };
	unsigned long long pid;

	if (!rtls_setup_option(setup, "pid_file_path", path, sizeof(path)))
		return false;
	if (path[0] == '\0')
		(void)snprintf(path, sizeof(path), "/run/exim4/exim.pid");
	if (rtls_system_file_read(
		    path, buffer, sizeof(buffer) - 1, &text, &err) != RTLS_OK)
		return false;
	text = rtls_slice_trim(rtls_slice_take(&text, '\n'));
	return rtls_slice_number(text, 4194304, &pid) && pid > 1 &&
	       is_exim(setup, pid) && kill((pid_t)pid, SIGHUP) == 0;
}

static bool reload(struct rtls_setup *setup)
{
	const char *const asks[] = { "/bin/systemctl", "is-active", "--quiet",
		"exim4.service", NULL };
	const char *const reloads[] = { "/bin/systemctl", "reload",
		"exim4.service", NULL };

	if (access(SYSTEMD, F_OK) == 0 &&
		rtls_command_run(&setup->command, asks, NULL))
		return rtls_command_run(&setup->command, reloads, NULL);
	return reload_by_signal(setup);
}

static void finish(struct rtls_setup *setup)
{
	char kept[RTLS_SETUP_PATH_SIZE];
	struct rtls_err err = { "" };
	const bool is_kept = rtls_setup_keep(kept, &err) == RTLS_OK;
	bool is_told;

	if (setup->applies)
		make_spool(setup);
	is_told = setup->file == NULL && reload(setup);
	if (!is_kept)
		(void)rtls_verb_fail(EX_OK, "%s", err.text);
	if (setup->json)
		return;
	(void)printf("\n%s.\n",
		setup->applies ? "Done: exim-requiretls is switched on"
			       : "Done: exim-requiretls is switched off");
	if (is_kept)
		(void)printf("What was changed is kept in %s.\n", kept);
	(void)puts(is_told ? "The running Exim was told."
			   : "No running Exim was found that would have to be "
			     "told.");
	if (setup->applies)
		(void)puts("See it: \"exim-requiretls check --self\", then "
			   "\"exim-requiretls check DOMAIN\".");
}

int rtls_setup_apply(struct rtls_setup *setup)
{
	struct rtls_err err = { "out of memory" };
	/* What does not work before, need not work after. */
	const bool was_good = rtls_setup_exim(setup, "-bV", NULL);
	const bool has_address =
		was_good && rtls_setup_exim(setup, "-bt", ADDRESS);
	bool is_good;

	/* What it runs ends with them, and then everything is put back. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	if (rtls_setup_begin(&setup->files, &err) != RTLS_OK) {
		struct rtls_err ignored;

		(void)!rtls_setup_forget(&ignored);
		return rtls_verb_fail(EX_CANTCREAT, "%s", err.text);
	}
	is_good = (!was_good || try_before(setup, &err)) && change(setup, &err);
	if (is_good && is_below_debian(&setup->files) && !generate(setup)) {
		struct rtls_quoted q;

		rtls_err_set(&err, RTLS_SETUP_GENERATE ": %s", said(setup, &q));
		is_good = !was_good;
	}
	if (!is_good || (was_good && !check_all(setup, has_address, &err)))
		return undo(setup, &err);
	finish(setup);
	return EX_OK;
}
