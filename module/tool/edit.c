/* edit.c - edit one cache record by hand. */
#include "tool/edit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/cache.h"
#include "store/file.h"
#include "store/policies.h"
#include "tool/confine.h"
#include "tool/verb.h"

#define COPY_DIRECTORY "/tmp/exim-requiretls.XXXXXX"

/* One edit: the copy's place, the text before and after. */
struct edit {
	const struct rtls_config *config;
	const char *domain;
	char directory[sizeof(COPY_DIRECTORY)];
	char copy[sizeof(COPY_DIRECTORY) + RTLS_DOMAIN_SIZE];
	struct rtls_slice before, after;
	char before_buffer[RTLS_RECORD_SIZE_MAX + 1];
	char after_buffer[RTLS_RECORD_SIZE_MAX + 1];
};

/* The record as text, valid or not. */
static int read_record(struct edit *edit)
{
	char path[RTLS_CACHE_PATH_MAX];
	struct rtls_err err = { "" };
	enum rtls_status status;

	status = rtls_cache_path(edit->config->spool, edit->domain, path);
	if (status == RTLS_OK)
		status = rtls_file_read_below(edit->config->spool, path,
			edit->before_buffer, RTLS_RECORD_SIZE_MAX,
			&edit->before, &err);
	if (status == RTLS_OK)
		return EX_OK;
	if (status == RTLS_NONE)
		return rtls_verb_fail(
			EX_NOINPUT, "no record of %s", edit->domain);
	return rtls_verb_fail(rtls_verb_exit(status), "%s", err.text);
}

static int write_copy(struct edit *edit)
{
	struct rtls_err err = { "" };

	memcpy(edit->directory, COPY_DIRECTORY, sizeof(COPY_DIRECTORY));
	if (mkdtemp(edit->directory) == NULL)
		return rtls_verb_fail(EX_CANTCREAT, "%s: %s", COPY_DIRECTORY,
			strerror(errno));
	(void)snprintf(edit->copy, sizeof(edit->copy), "%s/%s", edit->directory,
		edit->domain);
	if (rtls_file_replace(
		    edit->directory, edit->copy, edit->before, &err) == RTLS_OK)
		return EX_OK;
	(void)rmdir(edit->directory);
	return rtls_verb_fail(EX_CANTCREAT, "%s", err.text);
}

static void remove_copy(const struct edit *edit)
{
	(void)unlink(edit->copy);
	/* Stays when the editor left a backup there. */
	(void)rmdir(edit->directory);
}

/* $EDITOR may have arguments of its own: that is what the shell is for. */
static void run_editor_in_child(const char *copy)
{
	const char *editor = getenv("EDITOR");

	if (editor != NULL && editor[0] != '\0')
		(void)execl("/bin/sh", "sh", "-c", "exec $EDITOR \"$1\"", "sh",
			copy, (char *)NULL);
	(void)execl("/usr/bin/editor", "editor", copy, (char *)NULL);
	(void)execlp("vi", "vi", copy, (char *)NULL);
	_exit(127);
}

/* The exit status of a child; -1 when it was killed or there is none. */
static int wait_for(pid_t child)
{
	int state = 0;

	if (child < 0)
		return -1;
	while (waitpid(child, &state, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static int run_editor(const struct edit *edit)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, interrupt, quit;
	pid_t child;
	int result;

	(void)fflush(stdout);
	child = fork();
	if (child == 0)
		run_editor_in_child(edit->copy);
	/* ^C belongs to the editor. */
	(void)sigaction(SIGINT, &ignore, &interrupt);
	(void)sigaction(SIGQUIT, &ignore, &quit);
	result = wait_for(child);
	(void)sigaction(SIGINT, &interrupt, NULL);
	(void)sigaction(SIGQUIT, &quit, NULL);
	return result;
}

/* Parse what was saved; the policy within it too. */
static enum rtls_status check(const struct edit *edit,
	struct rtls_record *record, struct rtls_err *err)
{
	struct rtls_sts_policy policy;
	struct rtls_err why = { "" };
	enum rtls_status status;

	status = rtls_record_parse(edit->after, edit->domain, record, err);
	if (status != RTLS_OK || record->policy_text.size == 0)
		return status;
	status = rtls_sts_policy_parse(record->policy_text, &policy, &why);
	if (status != RTLS_OK)
		rtls_err_set(err, "policy-text: %s", why.text);
	return status;
}

/* In the child that has become the Exim user. */
static int write_back_in_child(const struct edit *edit)
{
	char digest[RTLS_DIGEST_SIZE];
	struct rtls_err err = { "" };
	struct rtls_record record;
	enum rtls_status status;

	status = check(edit, &record, &err);
	if (status == RTLS_OK && record.policy_text.size > 0) {
		/* The digest is not for people to compute. */
		status = rtls_policies_digest(record.policy_text, digest);
		record.policy_digest = rtls_slice(digest);
	}
	if (status == RTLS_OK)
		status = rtls_cache_put(edit->config->spool, &record, &err);
	if (status == RTLS_OK)
		return EX_OK;
	return rtls_verb_fail(rtls_verb_exit(status), "%s", err.text);
}

static int write_back(const struct edit *edit)
{
	pid_t child;
	int result;

	(void)fflush(stdout);
	child = fork();
	if (child == 0) {
		result = rtls_confine_drop(edit->config->user);
		_exit(result == EX_OK ? write_back_in_child(edit) : result);
	}
	result = wait_for(child);
	return result < 0 ? EX_OSERR : result;
}

/* Everything behind the editor; the copy is removed only when all went well. */
static int finish(struct edit *edit)
{
	struct rtls_err err = { "" };
	struct rtls_record record;
	enum rtls_status status;
	int exit_status;

	status = rtls_file_read(edit->copy, edit->after_buffer,
		RTLS_RECORD_SIZE_MAX, &edit->after, &err);
	if (status == RTLS_OK && rtls_slice_equal(edit->before, edit->after)) {
		(void)puts("nothing changed");
		remove_copy(edit);
		return EX_OK;
	}
	if (status == RTLS_OK)
		status = check(edit, &record, &err);
	if (status != RTLS_OK)
		return rtls_verb_fail(EX_DATAERR,
			"not written: %s\nexim-requiretls: what you saved is "
			"kept as %s",
			err.text, edit->copy);
	exit_status = write_back(edit);
	if (exit_status == EX_OK)
		remove_copy(edit);
	else
		(void)rtls_verb_fail(exit_status,
			"what you saved is kept as %s", edit->copy);
	return exit_status;
}

int rtls_edit(const struct rtls_config *config, const char *domain)
{
	struct edit *edit = calloc(1, sizeof(*edit));
	int exit_status;

	if (edit == NULL)
		return rtls_verb_fail(EX_OSERR, "out of memory");
	edit->config = config;
	edit->domain = domain;
	exit_status = read_record(edit);
	if (exit_status == EX_OK)
		exit_status = write_copy(edit);
	if (exit_status == EX_OK) {
		if (run_editor(edit) == 0)
			exit_status = finish(edit);
		else
			exit_status = rtls_verb_fail(EX_UNAVAILABLE,
				"the editor failed; the copy is kept as %s",
				edit->copy);
	}
	free(edit);
	return exit_status;
}
