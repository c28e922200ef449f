/* config.c - `exim-requiretls config`: what is in force, where it comes from, and
 * whether the files count. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/config_file.h"
#include "store/file.h"
#include "tool/config_exempt.h"
#include "tool/confine.h"
#include "tool/options.h"
#include "tool/verb.h"

#define VALUE_SIZE (2 * RTLS_CONFIG_VALUE_MAX)

/* A configuration, and what the files have to do with it. */
struct shown {
	const char *path;
	bool draft; /* --file: checked, but not what is in force */
	bool exists;
	bool counts;
	struct rtls_err why;    /* it does not count */
	struct rtls_slice text; /* of the file; borrows from buffer */
	struct rtls_config config;
	struct rtls_rules rules;
	struct rtls_exemptions exemptions;
	struct rtls_reported reported;
	int64_t now_s;
	char buffer[RTLS_CONFIG_SIZE_MAX + 1];
	char rules_buffer[RTLS_RULES_SIZE_MAX + 1];
	char exempt_buffer[RTLS_EXEMPT_SIZE_MAX + 1];
	char reported_buffer[RTLS_REPORTED_SIZE_MAX + 1];
};

/* A draft may belong to whoever wrote it; that it would not count is said. */
static enum rtls_status load_draft(struct shown *shown, struct rtls_err *err)
{
	struct rtls_err why = { "" };
	struct rtls_quoted q;
	enum rtls_status status;

	if (!shown->exists) {
		*err = shown->why;
		return RTLS_NONE;
	}
	status = rtls_config_parse(shown->text, &shown->config, &why);
	if (status != RTLS_OK)
		rtls_err_set(err, "%s: %s",
			rtls_quoted(&q, rtls_slice(shown->path)), why.text);
	return status;
}

static enum rtls_status load(struct shown *shown, struct rtls_err *err)
{
	struct rtls_slice unused;
	enum rtls_status status;

	status = rtls_file_read_trusted(shown->path, shown->buffer,
		RTLS_CONFIG_SIZE_MAX, &unused, &shown->why);
	shown->counts = status == RTLS_OK;
	/* Again without the checks, for the origin of each value. */
	status = rtls_file_read(shown->path, shown->buffer,
		RTLS_CONFIG_SIZE_MAX, &shown->text, err);
	shown->exists = status == RTLS_OK;
	status = shown->draft
			 ? load_draft(shown, err)
			 : rtls_config_load(shown->path, &shown->config, err);
	if (status != RTLS_OK)
		return status;
	status = rtls_rules_load(
		&shown->config, shown->rules_buffer, &shown->rules, err);
	if (status != RTLS_OK)
		return status;
	status = rtls_exempt_load(
		&shown->config, shown->exempt_buffer, &shown->exemptions, err);
	if (status != RTLS_OK)
		return status;
	return rtls_reported_load(
		&shown->config, shown->reported_buffer, &shown->reported, err);
}

/* Is the key set in the file? The text is valid: each key stands there once. */
static bool is_set(const struct shown *shown, const char *name)
{
	struct rtls_slice rest = shown->text, line;

	while (rtls_slice_line(&rest, &line)) {
		line = rtls_slice_trim(line);
		if (line.size == 0 || line.data[0] == '#')
			continue;
		if (rtls_slice_is(
			    rtls_slice_trim(rtls_slice_take(&line, '=')), name))
			return true;
	}
	return false;
}

static const char *file_state(const struct shown *shown)
{
	if (!shown->exists)
		return "not there, all defaults";
	if (!shown->counts)
		return shown->why.text;
	return shown->draft ? "would count" : "counts";
}

static int print_text(const struct shown *shown)
{
	const char *name, *help;
	struct rtls_quoted q;
	struct rtls_text value;
	char buffer[VALUE_SIZE];

	if (shown->exists && !shown->counts) /* this names the file itself */
		(void)printf("# %s\n", shown->why.text);
	else
		(void)printf("# %s: %s\n",
			rtls_quoted(&q, rtls_slice(shown->path)),
			file_state(shown));
	if (shown->config.rules[0] == '\0')
		(void)puts("# no rules file");
	else
		(void)printf("# %s: %zu rules, %zu levels, %zu demands\n",
			rtls_quoted(&q, rtls_slice(shown->config.rules)),
			shown->rules.count, shown->rules.level_count,
			shown->rules.require_count);
	rtls_config_exempt_print(&shown->config, &shown->rules,
		&shown->exemptions, shown->now_s);
	rtls_text_init(&value, buffer, sizeof(buffer));
	for (size_t i = 0;
		rtls_config_key(&shown->config, i, &name, &value, &help); i++) {
		(void)printf("\n# %s (%s)\n%s = %s\n", help,
			is_set(shown, name) ? "set" : "default", name, buffer);
		rtls_text_init(&value, buffer, sizeof(buffer));
	}
	return EX_OK;
}

static json_t *keys_json(const struct shown *shown)
{
	json_t *keys = json_object();
	const char *name, *help;
	struct rtls_text value;
	char buffer[VALUE_SIZE];

	rtls_text_init(&value, buffer, sizeof(buffer));
	for (size_t i = 0;
		rtls_config_key(&shown->config, i, &name, &value, &help); i++) {
		json_t *key = json_pack("{s:o, s:s}", "value",
			rtls_verb_json(rtls_text_slice(&value)), "origin",
			is_set(shown, name) ? "set" : "default");

		(void)json_object_set_new(keys, name, key);
		rtls_text_init(&value, buffer, sizeof(buffer));
	}
	return keys;
}

static int print_json(const struct shown *shown)
{
	return rtls_verb_print_json(
		json_pack("{s:o, s:b, s:b, s:s, s:{s:o, s:I, s:I, s:I}, s:o, "
			  "s:o, s:o}",
			"file", rtls_verb_json(rtls_slice(shown->path)),
			"exists", shown->exists, "counts",
			shown->exists && shown->counts, "state",
			file_state(shown), "rules", "file",
			rtls_verb_json(rtls_slice(shown->config.rules)),
			"count", (json_int_t)shown->rules.count, "levels",
			(json_int_t)shown->rules.level_count, "demands",
			(json_int_t)shown->rules.require_count, "exempt",
			rtls_config_exempt_json(&shown->config,
				&shown->exemptions, shown->now_s),
			"warnings",
			rtls_config_warnings_json(&shown->config, &shown->rules,
				&shown->exemptions, shown->now_s),
			"keys", keys_json(shown)),
		EX_OK);
}

/* Root can read everything; who has to is the Exim user. True too when we are
 * not root: then the file has been read by now. */
static bool user_can_read(const char *user, const char *path)
{
	int status = 0;
	pid_t pid;

	if (geteuid() != 0 || path[0] == '\0')
		return true;
	pid = fork();
	if (pid == 0)
		_exit(rtls_confine_drop(user) != EX_OK ||
			open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) < 0);
	return pid < 0 || (waitpid(pid, &status, 0) == pid && status == 0);
}

static bool is_readable(const struct shown *shown, struct rtls_err *err)
{
	const struct rtls_config *config = &shown->config;
	const char *const paths[] = { shown->path, config->rules,
		config->exempt, config->report_domains, config->ca_file };
	struct rtls_quoted q;

	/* A draft need not be readable, and what does not count is not read. */
	if (shown->draft || !shown->exists || !shown->counts)
		return true;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (user_can_read(config->user, paths[i]))
			continue;
		rtls_err_set(err,
			"%s: the user %s, as whom Exim runs, cannot "
			"read it",
			rtls_quoted(&q, rtls_slice(paths[i])), config->user);
		return false;
	}
	return true;
}

static int show(struct shown *shown, bool json)
{
	struct rtls_err err = { "" };

	if (load(shown, &err) == RTLS_OK && is_readable(shown, &err))
		return json ? print_json(shown) : print_text(shown);
	(void)rtls_verb_fail(EX_CONFIG, "%s", err.text);
	if (json)
		return rtls_verb_print_json(
			json_pack("{s:s}", "error", err.text), EX_CONFIG);
	return EX_CONFIG;
}

static int run_config(int argc, char **argv)
{
	static const struct option options[] = {
		{ "file", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = NULL;
	bool json = false;
	struct shown *shown;
	int option, exit_status;

	while ((option = rtls_options_next("config", argc, argv, options)) !=
		-1) {
		if (option == 'f')
			path = optarg;
		else if (option == 'j')
			json = true;
		else
			return EX_USAGE;
	}
	exit_status =
		rtls_options_count("config", argc, argv, 0, 0, "no argument");
	if (exit_status != EX_OK)
		return exit_status;
	shown = calloc(1, sizeof(*shown));
	if (shown == NULL)
		return rtls_verb_fail(EX_OSERR, "out of memory");
	shown->draft = path != NULL && strcmp(path, RTLS_CONFIG_PATH) != 0;
	shown->path = path != NULL ? path : RTLS_CONFIG_PATH;
	shown->now_s = (int64_t)time(NULL);
	exit_status = show(shown, json);
	free(shown);
	return exit_status;
}

const struct rtls_verb rtls_verb_config = {
	.name = "config",
	.summary = "print the configuration in force, or its first mistake",
	.help = "Usage: exim-requiretls config [--file PATH] [--json]\n"
		"\n"
		"  --file  check another file than " RTLS_CONFIG_PATH "\n"
		"  --json  print JSON\n",
	.run = run_config,
	.power = RTLS_POWER_ALL,
};
