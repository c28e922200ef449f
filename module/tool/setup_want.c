/* setup_want.c - the files as they shall be: with us, or without. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "tool/setup.h"
#include "tool/verb.h"

#define CONF_D        RTLS_SETUP_DEBIAN "/conf.d"
#define TEMPLATE      RTLS_SETUP_DEBIAN "/exim4.conf.template"
#define DATA_ACL      RTLS_SETUP_DEBIAN "/requiretls-data.acl"
#define FIRST_OF_OURS "180_exim-requiretls"
#define SNIPPET_SIZE  4096

/* What is in conf.d. Mixed states must work, too, for whoever is cut off: what others need comes
 * first, and the routers last. */
static const struct {
	const char *path;
	const char *text; /* NULL: see below */
	bool by_acl;
} snippets[] = {
	{ CONF_D "/main/90_exim-requiretls", NULL, false },
	{ CONF_D "/acl/50_exim-requiretls",
		".include_if_exists " RTLS_STANZAS "/acl.conf\n", false },
	{ DATA_ACL,
		".ifdef REQUIRETLS_EVENT\n"
		"  require acl = requiretls_flag_message\n"
		".endif\n",
		true },
	{ CONF_D "/transport/30_exim-requiretls",
		".include_if_exists " RTLS_STANZAS "/transports.conf\n",
		false },
	{ CONF_D "/router/180_exim-requiretls",
		".include_if_exists " RTLS_STANZAS "/routers.conf\n", false },
};
#define SNIPPETS (sizeof(snippets) / sizeof(snippets[0]))
#define ROUTERS  (SNIPPETS - 1)

/* Debian's transports. The file behind each goes on with it: update-exim4.conf puts one behind the other,
 * and so a conffile of Debian's need not be changed. */
static const struct {
	const char *name, *path, *addition;
	bool is_smart_host;
} transports[] = {
	{ "remote_smtp", CONF_D "/transport/30_exim4-config_remote_smtp",
		CONF_D "/transport/30_exim4-config_remote_smtp-requiretls",
		false },
	{ "remote_smtp_smarthost",
		CONF_D "/transport/30_exim4-config_remote_smtp_smarthost",
		CONF_D "/transport/"
		       "30_exim4-config_remote_smtp_smarthost-requiretls",
		true },
};
#define TRANSPORTS (sizeof(transports) / sizeof(transports[0]))

#define SAY(setup, level, topic, advice, ...)                                  \
	rtls_findings_add(&(setup)->findings, RTLS_FINDING_##level, (topic),   \
		(advice), __VA_ARGS__)

/* --- a file of which nothing or all is ours --------------------------------------------- */

static struct rtls_slice before(const struct rtls_setup_file *file)
{
	return rtls_slice_n(file->before, file->before_size);
}

/* What earlier versions installed: comments, and an include of the stanzas. */
static bool is_old_snippet(struct rtls_slice text)
{
	struct rtls_slice entry;
	unsigned number = 0;
	bool is_ours = false;

	while (rtls_slice_entry(&text, &entry, &number)) {
		if (!rtls_slice_starts(entry, ".include") ||
			memmem(entry.data, entry.size, "requiretls/", 11) ==
				NULL)
			return false;
		is_ours = true;
	}
	return is_ours;
}

static bool load(struct rtls_setup *setup, const char *path,
	struct rtls_setup_file **file)
{
	struct rtls_err err = { "" };
	enum rtls_status status =
		rtls_setup_files_load(&setup->files, path, file, &err);

	if (status == RTLS_OK)
		return true;
	if (status == RTLS_NONE)
		rtls_err_set(&err, "%.300s: no such directory", path);
	if (status == RTLS_NO_MEMORY)
		rtls_err_set(&err, "out of memory");
	SAY(setup, BAD, "files", "I change only what belongs to root alone",
		"%s", err.text);
	return false;
}

/* The text without our blocks, in a buffer to be freed; NULL: said. */
static char *take_out(struct rtls_setup *setup,
	const struct rtls_setup_file *file, struct rtls_slice *rest,
	size_t *count)
{
	char *buffer = malloc(file->before_size + 1);
	struct rtls_text out;
	struct rtls_quoted path;
	struct rtls_err err = { "out of memory" };

	if (buffer != NULL) {
		rtls_text_init(&out, buffer, file->before_size + 1);
		if (rtls_setup_take_out(before(file), &out, count, &err) ==
			RTLS_OK) {
			*rest = rtls_text_slice(&out);
			return buffer;
		}
	}
	free(buffer);
	SAY(setup, BAD, "files", "take the lines out by hand", "%s: %s",
		rtls_quoted(&path, rtls_slice(file->path)), err.text);
	return NULL;
}

static bool want(struct rtls_setup_file *file, bool shall_be_there,
	struct rtls_slice text)
{
	return rtls_setup_file_want(file, shall_be_there, text);
}

/* A file of ours with just that text. */
static bool want_snippet(
	struct rtls_setup *setup, const char *path, const char *text)
{
	char content[SNIPPET_SIZE];
	struct rtls_setup_file *file;
	struct rtls_slice rest;
	struct rtls_quoted q;
	size_t count;
	char *kept;
	bool is_ours;

	if (!load(setup, path, &file))
		return false;
	if (file->is_there) {
		kept = take_out(setup, file, &rest, &count);
		is_ours = kept != NULL &&
			  (rest.size == 0 ||
				  (count == 0 && is_old_snippet(rest)));
		free(kept);
		if (!is_ours) {
			SAY(setup, BAD, "files", "move it away",
				"%s has lines that are not mine",
				rtls_quoted(&q, rtls_slice(path)));
			return false;
		}
	}
	(void)snprintf(content, sizeof(content), "%s%s%s", RTLS_SETUP_BEGIN,
		text, RTLS_SETUP_END);
	return want(file, true, rtls_slice(content));
}

/* Without us; a file in which nothing else stands goes. */
static bool want_out(struct rtls_setup *setup, const char *path)
{
	struct rtls_setup_file *file;
	struct rtls_slice rest;
	bool is_good;
	size_t count;
	char *kept;

	if (access(path, F_OK) != 0)
		return true;
	if (!load(setup, path, &file))
		return false;
	kept = take_out(setup, file, &rest, &count);
	is_good = kept != NULL;
	if (is_good && count == 0 && is_old_snippet(rest))
		is_good = want(file, false, rtls_slice(""));
	else if (is_good && count > 0)
		is_good = want(file, rest.size > 0, rest);
	free(kept);
	return is_good;
}

/* --- Debian, split -------------------------------------------------------------------- */

static bool parse_part(struct rtls_setup *setup, const char *path,
	enum rtls_exim_section section, struct rtls_setup_file **file)
{
	return load(setup, path, file) &&
	       rtls_exim_conf_parse(before(*file), section, &setup->conf) ==
		       RTLS_OK;
}

static bool want_transport(struct rtls_setup *setup, size_t i)
{
	const struct rtls_exim_block *block = NULL;
	struct rtls_setup_file *file;
	char replaced[RTLS_SETUP_PATH_SIZE];
	bool multi_domain, may = false;

	/* A file NAME.rul takes the place of NAME. */
	(void)snprintf(
		replaced, sizeof(replaced), "%s.rul", transports[i].path);
	if (setup->wish.observes &&
		parse_part(setup,
			access(replaced, F_OK) == 0 ? replaced
						    : transports[i].path,
			RTLS_EXIM_TRANSPORTS, &file))
		block = rtls_exim_conf_find(&setup->conf, RTLS_EXIM_TRANSPORTS,
			rtls_slice(transports[i].name));
	/* What is added belongs to the last one of the file. */
	if (block != NULL && block == &setup->conf.block[setup->conf.count - 1])
		may = rtls_setup_may_observe(
			block, &multi_domain, &setup->findings);
	else if (setup->wish.observes)
		SAY(setup, WARNING, "transport",
			"add event_action = REQUIRETLS_EVENT to the transport "
			"that sends your mail",
			"%s is not where Debian has it", transports[i].name);
	if (!may)
		return want_out(setup, transports[i].addition);
	setup->plan.observed[setup->plan.observed_count++] =
		rtls_slice(transports[i].name);
	return want_snippet(setup, transports[i].addition,
		rtls_setup_observe_text(
			multi_domain && !transports[i].is_smart_host));
}

/* update-exim4.conf takes no other; a file NAME.rul in its place is rare. */
static bool is_plain_name(const char *name)
{
	return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
				 "stuvwxyz0123456789_-")] == '\0';
}

static void warn_of_hubbed_hosts(struct rtls_setup *setup)
{
	if (access(RTLS_SETUP_DEBIAN "/hubbed_hosts", F_OK) == 0)
		SAY(setup, WARNING, "routers",
			"right where they are hosts of your own",
			"the router hubbed_hosts stands before ours: nothing "
			"is looked at of mail to the domains in " RTLS_SETUP_DEBIAN
			"/hubbed_hosts");
}

/* Files of the site's that come before ours. */
static int is_earlier(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       strcmp(entry->d_name, FIRST_OF_OURS) < 0;
}

static bool warn_of_routers(struct rtls_setup *setup)
{
	struct dirent **names = NULL;
	int count = scandir(CONF_D "/router", &names, is_earlier, alphasort);
	bool is_good = true;

	for (int i = 0; i < count; i++) {
		char path[RTLS_SETUP_PATH_SIZE];
		struct rtls_setup_file *file;

		(void)snprintf(path, sizeof(path), CONF_D "/router/%s",
			names[i]->d_name);
		/* A directory, or too many: it is only looked at. */
		if (is_plain_name(names[i]->d_name) && is_good)
			is_good = parse_part(
				setup, path, RTLS_EXIM_ROUTERS, &file);
		if (is_plain_name(names[i]->d_name) && is_good)
			rtls_setup_warn_of_routers(
				&setup->conf, NULL, &setup->findings);
		free(names[i]);
	}
	free(names);
	warn_of_hubbed_hosts(setup);
	return is_good;
}

static bool want_split(struct rtls_setup *setup)
{
	static const char acl_options[] =
		".ifdef REQUIRETLS_EVENT\n"
		"acl_not_smtp = requiretls_flag_message\n"
		".ifndef CHECK_DATA_LOCAL_ACL_FILE\n"
		"CHECK_DATA_LOCAL_ACL_FILE = " DATA_ACL "\n"
		".endif\n"
		".endif\n";
	char main_text[SNIPPET_SIZE];
	const struct rtls_slice none = { "", 0 };
	struct rtls_text text;
	bool is_good = true;

	rtls_text_init(&text, main_text, sizeof(main_text));
	rtls_setup_main_text(
		&text, &setup->wish, none, none, none, acl_options);
	for (size_t i = 0; i < ROUTERS && is_good; i++)
		is_good = snippets[i].by_acl && !setup->wish.by_acl
				  ? want_out(setup, snippets[i].path)
				  : want_snippet(setup, snippets[i].path,
					    snippets[i].text != NULL
						    ? snippets[i].text
						    : main_text);
	for (size_t i = 0; i < TRANSPORTS && is_good; i++)
		is_good = want_transport(setup, i);
	if (!is_good || !want_snippet(setup, snippets[ROUTERS].path,
				snippets[ROUTERS].text))
		return false;
	SAY(setup, GOOD, "routers", NULL,
		"ours go before Debian's router for mail to other hosts");
	return warn_of_routers(setup);
}

/* --- one file -------------------------------------------------------------------------- */

static bool put_in(struct rtls_setup *setup, struct rtls_setup_file *file,
	struct rtls_slice text)
{
	const size_t room = text.size + 2 * sizeof(setup->plan.storage) + 65536;
	char *buffer = malloc(room);
	struct rtls_text out;
	bool is_good = false;

	if (buffer == NULL)
		return false;
	rtls_text_init(&out, buffer, room);
	if (rtls_setup_put(text, setup->plan.block, setup->plan.count, &out) ==
		RTLS_OK)
		is_good = want(file, true, rtls_text_slice(&out));
	else
		SAY(setup, BAD, "files", "end its last line",
			"%s: I could not take out again what I put in",
			file->path);
	free(buffer);
	return is_good;
}

static bool want_one_file(struct rtls_setup *setup, const char *path)
{
	struct rtls_setup_file *file;
	struct rtls_slice text;
	bool is_good;
	char *kept;

	if (!load(setup, path, &file))
		return false;
	if (!file->is_there) {
		SAY(setup, BAD, "config", NULL, "%s is not there", path);
		return false;
	}
	/* Kept for good: the plan borrows from it. */
	kept = take_out(setup, file, &text, NULL);
	if (kept == NULL)
		return false;
	is_good = rtls_exim_conf_parse(text, RTLS_EXIM_MAIN, &setup->conf) ==
			  RTLS_OK &&
		  rtls_setup_plan(&setup->conf, &setup->wish, &setup->plan,
			  &setup->findings) &&
		  put_in(setup, file, text);
	setup->text = kept;
	return is_good;
}

bool rtls_setup_want(struct rtls_setup *setup)
{
	switch (setup->style) {
	case RTLS_SETUP_SPLIT:
		return want_split(setup);
	case RTLS_SETUP_UNSPLIT:
		warn_of_hubbed_hosts(setup);
		return want_one_file(setup, TEMPLATE);
	case RTLS_SETUP_OWN:
		return want_one_file(setup, setup->conf_path);
	case RTLS_SETUP_UNKNOWN:
		break;
	}
	return false;
}

/* --- without us -------------------------------------------------------------------------- */

static bool want_out_once(struct rtls_setup *setup, const char *path)
{
	for (size_t i = 0; i < setup->files.count; i++)
		if (strcmp(setup->files.file[i].path, path) == 0)
			return true;
	return want_out(setup, path);
}

int rtls_setup_want_out(struct rtls_setup *setup)
{
	bool is_good = want_out(setup, snippets[ROUTERS].path);

	for (size_t i = 0; i < TRANSPORTS && is_good; i++)
		is_good = want_out(setup, transports[i].addition);
	for (size_t i = ROUTERS; i > 0 && is_good; i--)
		is_good = want_out(setup, snippets[i - 1].path);
	is_good = is_good && want_out(setup, TEMPLATE) &&
		  want_out(setup, RTLS_SETUP_DEBIAN "/exim4.conf");
	if (is_good && setup->conf_path[0] == '/' &&
		strcmp(setup->conf_path, RTLS_SETUP_GENERATED) != 0)
		is_good = want_out_once(setup, setup->conf_path);
	return is_good ? EX_OK : EX_CONFIG;
}
