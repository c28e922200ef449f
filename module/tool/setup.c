/* setup.c - `setup`: look at Exim, show what has to change, and change it. */
#include "tool/setup.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/config_file.h"
#include "tool/exim_answers.h"
#include "tool/options.h"
#include "tool/setup_journal.h"
#include "tool/verb.h"

/* Of update-exim4.conf and Exim, on a machine that is busy. */
#define COMMAND_LIMIT_S 120

#define EXIT_IS_BAD 1

static int read_options(int argc, char **argv, struct rtls_setup *setup)
{
	static const struct option options[] = {
		{ "apply", no_argument, NULL, 'a' },
		{ "remove", no_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ "no-observe", no_argument, NULL, 'n' },
		{ "config", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	int option, exit_status;

	setup->wish.observes = true;
	while ((option = rtls_options_next("setup", argc, argv, options)) !=
		-1) {
		switch (option) {
		case 'a':
			setup->applies = true;
			break;
		case 'r':
			setup->removes = true;
			break;
		case 'j':
			setup->json = true;
			break;
		case 'n':
			setup->wish.observes = false;
			break;
		case 'c':
			setup->file = optarg;
			break;
		default:
			return EX_USAGE;
		}
	}
	exit_status =
		rtls_options_count("setup", argc, argv, 0, 0, "no argument");
	if (exit_status != EX_OK)
		return exit_status;
	if (setup->applies && setup->removes)
		return rtls_verb_misused(
			"setup", "--apply or --remove, not both");
	if (setup->file != NULL && setup->file[0] != '/')
		return rtls_options_value("setup", "--config", setup->file,
			"a path that begins with /");
	return EX_OK;
}

/* Nothing of the caller's is left but what rtls_command_run() passes on anyway; files get
 * the mode they are given. */
static int prepare(struct rtls_setup *setup)
{
	struct rtls_err err = { "" };

	(void)umask(022);
	(void)signal(SIGPIPE, SIG_IGN);
	if (chdir("/") != 0)
		return rtls_verb_fail(EX_OSERR, "chdir / failed");
	rtls_config_defaults(&setup->config);
	if (!setup->applies && !setup->removes)
		return EX_OK;
	if (geteuid() != 0)
		return rtls_verb_fail(
			EX_NOPERM, "setup: only root may change that");
	if (rtls_setup_lock(&err) != RTLS_OK)
		return rtls_verb_fail(EX_TEMPFAIL, "%s", err.text);
	return rtls_setup_recover(setup);
}

/* Where Exim reads its configuration; it must not be good for that. */
static int look_for_removal(struct rtls_setup *setup)
{
	struct rtls_err err = { "" };

	/* With a mistake in it the defaults do. */
	if (rtls_config_load(RTLS_CONFIG_PATH, &setup->config, &err) != RTLS_OK)
		rtls_config_defaults(&setup->config);
	(void)!rtls_setup_exim(setup, "-bV", NULL);
	(void)!rtls_slice_copy(
		rtls_exim_answer_file(rtls_command_output(&setup->command)),
		setup->conf_path, sizeof(setup->conf_path));
	if (setup->file != NULL)
		(void)snprintf(setup->conf_path, sizeof(setup->conf_path), "%s",
			setup->file);
	if (setup->conf_path[0] != '\0' &&
		strcmp(setup->conf_path, RTLS_SETUP_GENERATED) != 0)
		setup->style = RTLS_SETUP_OWN;
	return rtls_setup_want_out(setup);
}

static int look(struct rtls_setup *setup)
{
	if (setup->removes)
		return look_for_removal(setup);
	if (rtls_setup_is_under_way())
		rtls_findings_add(&setup->findings, RTLS_FINDING_WARNING,
			"files", "--apply or --remove puts back first",
			"an earlier run of setup was cut off");
	rtls_setup_look(setup);
	if (setup->style != RTLS_SETUP_UNKNOWN && !rtls_setup_want(setup)) {
		setup->may_change = false;
		rtls_setup_files_free(&setup->files);
	}
	return EX_OK;
}

/* --- what is said ------------------------------------------------------------------------ */

static json_t *changes_json(const struct rtls_setup *setup)
{
	json_t *list = json_array();

	for (size_t i = 0; i < setup->files.count && list != NULL; i++) {
		const struct rtls_setup_file *file = &setup->files.file[i];
		const char *action = !file->is_there         ? "create"
				     : !file->shall_be_there ? "remove"
							     : "change";

		if (rtls_setup_file_is_changed(file) &&
			json_array_append_new(list,
				json_pack("{s:s, s:o}", "action", action,
					"file",
					rtls_verb_json(
						rtls_slice(file->path)))) != 0)
			return list;
	}
	return list;
}

static int print_json(struct rtls_setup *setup, int exit_status, bool is_made)
{
	static const char *const styles[] = { "unknown", "split", "unsplit",
		"own" };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_t *json;

	if (out != NULL) {
		(void)!rtls_setup_diff(setup, out);
		(void)fclose(out);
	}
	json = json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "status",
		rtls_findings_status(&setup->findings), "exim",
		setup->version.release, "style", styles[setup->style],
		"changed", is_made ? 1 : 0, "findings",
		rtls_findings_json(&setup->findings), "changes",
		changes_json(setup), "diff",
		rtls_verb_json(rtls_slice_n(text, size)));
	free(text);
	return rtls_verb_print_json(json, exit_status);
}

static int print_diff(struct rtls_setup *setup)
{
	(void)putchar('\n');
	if (!rtls_setup_diff(setup, stdout))
		return rtls_verb_fail(EX_UNAVAILABLE,
			"the change cannot be shown: diff(1) failed");
	if (!setup->applies && !setup->removes)
		(void)puts("\nNothing was changed. \"exim-requiretls setup "
			   "--apply\" does it.");
	return EX_OK;
}

/* Findings, difference, change. */
static int act(struct rtls_setup *setup)
{
	const bool is_asked = setup->applies || setup->removes;
	const bool differs = rtls_setup_files_are_changed(&setup->files);
	int exit_status = rtls_findings_exit(&setup->findings);
	bool is_made = false;

	if (!setup->json)
		rtls_findings_print(&setup->findings);
	if (differs && !setup->json) {
		int failed = print_diff(setup);

		if (failed != EX_OK)
			return failed;
	}
	if (exit_status != EX_OK) {
		if (is_asked)
			(void)rtls_verb_fail(EXIT_IS_BAD,
				"nothing was changed: mend what is bad first");
	} else if (differs && is_asked) {
		exit_status = rtls_setup_apply(setup);
		is_made = exit_status == EX_OK;
	} else if (!differs && !setup->json) {
		(void)printf("\n%sThere is nothing to change.\n",
			!setup->removes && setup->files.count > 0
				? "It is switched on. "
				: "");
	}
	return setup->json ? print_json(setup, exit_status, is_made)
			   : exit_status;
}

static int run_setup(int argc, char **argv)
{
	struct rtls_setup *setup = calloc(1, sizeof(*setup));
	int exit_status;

	if (setup == NULL)
		return rtls_verb_fail(EX_OSERR, "out of memory");
	setup->command = (struct rtls_command){ .limit_s = COMMAND_LIMIT_S,
		.output = setup->said,
		.output_max = sizeof(setup->said) };
	exit_status = read_options(argc, argv, setup);
	if (exit_status == EX_OK)
		exit_status = prepare(setup);
	if (exit_status == EX_OK)
		exit_status = look(setup);
	/* What stands in the way of taking out is said like all that is bad. */
	if (exit_status == EX_OK || exit_status == EX_CONFIG)
		exit_status = act(setup);
	rtls_findings_free(&setup->findings);
	rtls_setup_files_free(&setup->files);
	free(setup->text);
	free(setup);
	return exit_status;
}

const struct rtls_verb rtls_verb_setup = {
	.name = "setup",
	.summary = "look at Exim, and switch all this on or off",
	.help = "Usage: exim-requiretls setup [--apply|--remove] [--no-observe]\n"
		"                             [--config FILE] [--json]\n"
		"\n"
		"Says what will work and what is missing, and shows what has to change in Exim's\n"
		"configuration.\n"
		"\n"
		"  --apply       change it, have Exim check it, undo it if Exim does not like it\n"
		"  --remove      take out what --apply put in\n"
		"  --no-observe  leave your own transports alone: ordinary mail is not judged and\n"
		"                not reported\n"
		"  --config      Exim's configuration file, when Exim does not find it itself\n"
		"  --json        print JSON\n"
		"\n"
		"Exit status 0: all is set up, or can be; 1: something bad stands in the way; 78:\n"
		"it was tried, and undone.\n",
	.run = run_setup,
	.power = RTLS_POWER_ALL,
};
