/* setup_look.c - what Exim is, how it is configured, and what of ours is there. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "policy/text.h"
#include "store/config_file.h"
#include "store/system_file.h"
#include "tool/exim_answers.h"
#include "tool/setup.h"

#define SMALL_MAX 65536
#define HEAVY     "on Debian: apt install exim4-daemon-heavy"

#define SAY(setup, level, topic, advice, ...)                                  \
	rtls_findings_add(&(setup)->findings, RTLS_FINDING_##level, (topic),   \
		(advice), __VA_ARGS__)

bool rtls_setup_exim(
	struct rtls_setup *setup, const char *argument, const char *second)
{
	const char *words[6] = { setup->config.sendmail };
	size_t n = 1;

	if (setup->file != NULL) {
		words[n++] = "-C";
		words[n++] = setup->file;
	}
	words[n++] = argument;
	words[n] = second;
	return rtls_command_run(&setup->command, words, NULL);
}

bool rtls_setup_option(struct rtls_setup *setup, const char *name, char *value,
	size_t value_size)
{
	struct rtls_slice found;

	value[0] = '\0';
	return rtls_setup_exim(setup, "-bP", name) &&
	       rtls_exim_answer_option(
		       rtls_command_output(&setup->command), name, &found) &&
	       rtls_slice_copy(found, value, value_size);
}

/* --- the program --------------------------------------------------------------------- */

/* The first line, or the one that names the mistake. */
static void say_broken(struct rtls_setup *setup)
{
	struct rtls_slice rest = rtls_command_output(&setup->command), line,
			  said = rtls_slice("it says nothing");
	struct rtls_quoted why;

	while (rtls_slice_line(&rest, &line)) {
		if (line.size > 0)
			said = line;
		if (memmem(line.data, line.size, "error in", 8) != NULL)
			break;
	}
	SAY(setup, BAD, "exim",
		"mend that first: exim4 -bV must end without an error",
		"%s -bV fails: %s", setup->config.sendmail,
		rtls_quoted(&why, said));
}

static bool has_all(struct rtls_setup *setup)
{
	const char *lacks;
	size_t count = 0;

	while ((lacks = rtls_exim_version_lacks(&setup->version, count)) !=
		NULL) {
		SAY(setup, BAD, "exim", HEAVY, "it is built without %s", lacks);
		count++;
	}
	if (count == 0)
		SAY(setup, GOOD, "exim", NULL,
			"it has all that is needed: Expand_dlfunc, GnuTLS, "
			"DANE, Event, dnsdb");
	return count == 0;
}

static void say_requiretls(struct rtls_setup *setup)
{
	if (setup->version.has_requiretls)
		SAY(setup, GOOD, "requiretls", NULL,
			"it speaks REQUIRETLS: flagged mail goes only to "
			"hosts that do, too");
	else if (setup->config.requiretls == RTLS_LEVEL_ENFORCE)
		SAY(setup, WARNING, "requiretls",
			"requiretls = verified in " RTLS_CONFIG_PATH
			": verified TLS to the next hop is enough; or a patched "
			"Exim, see README.md",
			"a stock Exim: mail that a sender flags comes back "
			"with 5.7.30");
	else
		SAY(setup, GOOD, "requiretls", NULL,
			"a stock Exim, and requiretls = %s says what flagged "
			"mail needs",
			rtls_level_name(setup->config.requiretls));
}

static bool look_at_exim(struct rtls_setup *setup)
{
	const bool is_good = rtls_setup_exim(setup, "-bV", NULL);
	const struct rtls_slice output = rtls_command_output(&setup->command);
	bool fits;

	if (rtls_exim_version_parse(output, &setup->version) != RTLS_OK) {
		SAY(setup, BAD, "exim", "look at the key sendmail",
			"%s -bV gives no version", setup->config.sendmail);
		return false;
	}
	fits = strcmp(setup->version.release, RTLS_EXIM_VERSION) == 0;
	if (fits)
		SAY(setup, GOOD, "exim", NULL,
			"Exim %s, which the module is built for",
			setup->version.release);
	else
		SAY(setup, BAD, "exim",
			"build and install the module again, for this Exim",
			"Exim %s, but the module is built for %s",
			setup->version.release, RTLS_EXIM_VERSION);
	fits = has_all(setup) && fits;
	if (!is_good) {
		say_broken(setup);
		return false;
	}
	if (!rtls_slice_copy(rtls_exim_answer_file(output), setup->conf_path,
		    sizeof(setup->conf_path)))
		setup->conf_path[0] = '\0';
	say_requiretls(setup);
	return fits;
}

/* --- its configuration --------------------------------------------------------------- */

static bool is_split(struct rtls_setup *setup)
{
	char buffer[SMALL_MAX + 1];
	struct rtls_slice text, value;
	struct rtls_err err = { "" };

	(void)setup;
	return rtls_system_file_read(RTLS_SETUP_DEBIAN
		       "/update-exim4.conf.conf",
		       buffer, SMALL_MAX, &text, &err) == RTLS_OK &&
	       rtls_debian_answer(text, "dc_use_split_config", &value) &&
	       rtls_slice_is_nocase(value, "true");
}

static void look_at_style(struct rtls_setup *setup)
{
	struct rtls_quoted path;

	if (setup->file == NULL &&
		strcmp(setup->conf_path, RTLS_SETUP_GENERATED) == 0 &&
		access(RTLS_SETUP_GENERATE, X_OK) == 0) {
		setup->style =
			is_split(setup) ? RTLS_SETUP_SPLIT : RTLS_SETUP_UNSPLIT;
		setup->wish.is_debian = true;
		SAY(setup, GOOD, "config", NULL, "Debian's configuration, %s",
			setup->style == RTLS_SETUP_SPLIT
				? "split: " RTLS_SETUP_DEBIAN "/conf.d"
				: "in one file: " RTLS_SETUP_DEBIAN
				  "/exim4.conf.template");
		return;
	}
	if (setup->file != NULL)
		(void)snprintf(setup->conf_path, sizeof(setup->conf_path), "%s",
			setup->file);
	setup->style = RTLS_SETUP_OWN;
	SAY(setup, GOOD, "config", NULL, "a configuration of your own: %s",
		rtls_quoted(&path, rtls_slice(setup->conf_path)));
}

static void look_at_local_scan(struct rtls_setup *setup)
{
	char path[RTLS_SETUP_PATH_SIZE];
	struct rtls_quoted q;

	if (!rtls_setup_option(setup, "local_scan_path", path, sizeof(path))) {
		setup->wish.by_acl = true;
		SAY(setup, GOOD, "local_scan", NULL,
			"this Exim loads none: messages are flagged by ACL");
	} else if (path[0] == '\0' || strcmp(path, RTLS_MODULE_PATH) == 0) {
		SAY(setup, GOOD, "local_scan", NULL,
			path[0] == '\0' ? "free: the module takes it"
					: "the module has it");
	} else {
		setup->wish.by_acl = true;
		SAY(setup, WARNING, "local_scan",
			"it stays: messages are flagged by ACL instead "
			"(REQUIRETLS_BY_ACL)",
			"local_scan_path is %s, of somebody else",
			rtls_quoted(&q, rtls_slice(path)));
	}
}

/* --- what is installed ----------------------------------------------------------------- */

static bool look_at_file(struct rtls_setup *setup, const char *path)
{
	struct stat found;

	if (stat(path, &found) != 0)
		SAY(setup, BAD, "installed", RTLS_INSTALL_AGAIN, "%s: %s", path,
			strerror(errno));
	else if (found.st_uid != 0 || (found.st_mode & 0022U) != 0)
		SAY(setup, BAD, "installed",
			"chown root:root and chmod go-w: Exim uses it as root",
			"%s: somebody else than root may change it", path);
	else
		return true;
	return false;
}

static bool look_at_installed(struct rtls_setup *setup)
{
	const char *const paths[] = { RTLS_MODULE_PATH, setup->config.program,
		RTLS_STANZAS "/main.conf", RTLS_STANZAS "/acl.conf",
		RTLS_STANZAS "/routers.conf", RTLS_STANZAS "/transports.conf" };
	bool is_good = true;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		is_good = look_at_file(setup, paths[i]) && is_good;
	if (is_good)
		SAY(setup, GOOD, "installed", NULL,
			"%s, %s and the stanzas in %s", RTLS_MODULE_PATH,
			setup->config.program, RTLS_STANZAS);
	return is_good;
}

static bool look_at_config(struct rtls_setup *setup)
{
	struct rtls_err err = { "" };

	if (rtls_config_load(RTLS_CONFIG_PATH, &setup->config, &err) !=
		RTLS_OK) {
		rtls_config_defaults(&setup->config);
		SAY(setup, BAD, "config",
			"mend it: until then all mail is refused for now", "%s",
			err.text);
		return false;
	}
	if (access(RTLS_CONFIG_PATH, F_OK) == 0)
		SAY(setup, GOOD, "config", NULL, RTLS_CONFIG_PATH " counts");
	else
		SAY(setup, WARNING, "config",
			"what a new one looks like is in "
			"requiretls.conf(5)",
			RTLS_CONFIG_PATH
			" is not there: the defaults are in force");
	return true;
}

static void look_at_spool(struct rtls_setup *setup)
{
	const struct passwd *user = getpwnam(setup->config.user);
	const char *spool = setup->config.spool;
	struct stat found;

	if (lstat(spool, &found) != 0)
		SAY(setup, GOOD, "spool", NULL,
			"%s is not there yet: it is made with --apply, or by "
			"the first lookup",
			spool);
	else if (user == NULL || !S_ISDIR(found.st_mode) ||
		 found.st_uid != user->pw_uid || (found.st_mode & 0027U) != 0)
		SAY(setup, WARNING, "spool",
			"chown -R to that user, chmod 0750: else nothing is "
			"remembered",
			"%s does not belong to %s alone", spool,
			setup->config.user);
	else
		SAY(setup, GOOD, "spool", NULL, "%s belongs to %s", spool,
			setup->config.user);
}

/* --- around it ------------------------------------------------------------------------- */

static void look_at_resolver(struct rtls_setup *setup)
{
	char buffer[SMALL_MAX + 1];
	struct rtls_slice text, line, word;
	struct rtls_err err = { "" };
	bool is_trusted = false;

	if (rtls_system_file_read("/etc/resolv.conf", buffer, SMALL_MAX, &text,
		    &err) != RTLS_OK)
		text = rtls_slice("");
	while (rtls_slice_line(&text, &line))
		if (rtls_slice_word(&line, &word) &&
			rtls_slice_is(word, "options"))
			while (rtls_slice_word(&line, &word))
				if (rtls_slice_is(word, "trust-ad"))
					is_trusted = true;
	if (is_trusted)
		SAY(setup, GOOD, "resolver", NULL,
			"/etc/resolv.conf says trust-ad; \"exim-requiretls "
			"check --self\" asks it");
	else
		SAY(setup, WARNING, "resolver",
			"a resolver that validates, best on this machine, and "
			"\"options edns0 trust-ad\": see \"The resolver\" in "
			"OPERATING.md",
			"/etc/resolv.conf lacks trust-ad: Exim sees no DNSSEC "
			"and does no DANE");
}

static bool is_there(const char *path)
{
	struct stat found;

	return lstat(path, &found) == 0;
}

static void look_at_timer(struct rtls_setup *setup)
{
	if (is_there("/run/systemd/system") &&
		!is_there("/etc/systemd/system/timers.target.wants/"
			  "exim-requiretls-refresh.timer"))
		SAY(setup, WARNING, "timer",
			"systemctl enable --now "
			"exim-requiretls-refresh.timer "
			"exim-requiretls-report.timer",
			"no timer keeps the policies alive");
	else if (!is_there("/run/systemd/system") &&
		 !is_there("/etc/cron.d/exim-requiretls"))
		SAY(setup, WARNING, "timer", RTLS_INSTALL_AGAIN,
			"no systemd here, and no /etc/cron.d/exim-requiretls");
	else
		SAY(setup, GOOD, "timer", NULL,
			"policies are kept alive in the background");
}

void rtls_setup_look(struct rtls_setup *setup)
{
	bool is_good = look_at_config(setup);

	is_good = look_at_installed(setup) && is_good;
	if (!look_at_exim(setup)) {
		setup->may_change = false;
		return;
	}
	look_at_style(setup);
	look_at_local_scan(setup);
	look_at_spool(setup);
	look_at_resolver(setup);
	look_at_timer(setup);
	setup->may_change = is_good;
}
