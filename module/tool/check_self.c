/* check_self.c - `check --self`: would this installation do what it should? As the Exim user,
 * which is who reads and writes all of it when mail goes. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "policy/timestamp.h"
#include "store/config_file.h"
#include "store/system_file.h"
#include "tls/ca_bundle.h"
#include "tool/check.h"
#include "tool/check_exim.h"
#include "tool/check_libc.h"
#include "tool/exim.h"
#include "tool/module_file.h"
#include "tool/verb.h"

#define GOOD_NAME   "ietf.org"
#define BROKEN_NAME "dnssec-failed.org"
#define VALUE_SIZE  256
#define BUNDLE_MAX  (4 * 1024 * 1024)
#define SYSTEMD     "/run/systemd/system"

#define GOOD    RTLS_FINDING_GOOD
#define WARNING RTLS_FINDING_WARNING
#define BAD     RTLS_FINDING_BAD
#define UNKNOWN RTLS_FINDING_UNKNOWN

/* --- files ------------------------------------------------------------------------ */

static void check_config(struct rtls_check *check)
{
	bool is_there = access(RTLS_CONFIG_PATH, F_OK) == 0;

	/* It was read before anything else; with a mistake we would not be here. */
	rtls_findings_add(&check->findings, is_there ? GOOD : WARNING, "config",
		is_there ? NULL
			 : "the defaults are in force; what one looks "
			   "like is in requiretls.conf(5)",
		RTLS_CONFIG_PATH "%s", is_there ? " counts" : " is not there");
}

static void check_rules(struct rtls_check *check)
{
	char *text = malloc(RTLS_RULES_SIZE_MAX + 1);
	struct rtls_rules *rules = malloc(sizeof(*rules));
	enum rtls_status status = RTLS_NO_MEMORY;
	struct rtls_err err = { "out of memory" };

	if (text != NULL && rules != NULL)
		status = rtls_rules_load(&check->config, text, rules, &err);
	if (status != RTLS_OK)
		rtls_findings_add(&check->findings,
			rtls_check_level_unread(check, status), "rules",
			"mail is refused for now until it is mended", "%s",
			err.text);
	else if (check->config.rules[0] != '\0')
		rtls_findings_add(&check->findings, GOOD, "rules", NULL,
			"%s counts", check->config.rules);
	free(text);
	free(rules);
}

static void check_exemptions(struct rtls_check *check)
{
	char *text = malloc(RTLS_EXEMPT_SIZE_MAX + 1);
	struct rtls_exemptions *exemptions = malloc(sizeof(*exemptions));
	enum rtls_status status = RTLS_NO_MEMORY;
	struct rtls_err err = { "out of memory" };

	if (text != NULL && exemptions != NULL)
		status = rtls_exempt_load(
			&check->config, text, exemptions, &err);
	if (status != RTLS_OK)
		rtls_findings_add(&check->findings,
			rtls_check_level_unread(check, status), "exempt",
			"mail waits until it is mended", "%s", err.text);
	else if (check->config.exempt[0] != '\0')
		rtls_findings_add(&check->findings, GOOD, "exempt", NULL,
			"%s counts", check->config.exempt);
	free(text);
	free(exemptions);
}

static void judge_spool(struct rtls_check *check, const struct stat *found)
{
	const char *spool = check->config.spool;
	const struct passwd *user = getpwnam(check->config.user);
	unsigned mode = found->st_mode & 07777U;

	if (!S_ISDIR(found->st_mode))
		rtls_findings_add(&check->findings, BAD, "spool",
			"remove it: the program makes a directory of it",
			"%s is no directory", spool);
	else if (user == NULL || found->st_uid != user->pw_uid)
		rtls_findings_add(&check->findings, BAD, "spool",
			"chown -R to the user of the configuration",
			"%s belongs to user %u, not to %s", spool,
			(unsigned)found->st_uid, check->config.user);
	else if ((mode & 0027U) != 0)
		rtls_findings_add(&check->findings, BAD, "spool", "chmod 0750",
			"%s has mode %04o: others may read or write it", spool,
			mode);
	else if (access(spool, R_OK | W_OK | X_OK) != 0)
		rtls_findings_add(&check->findings, UNKNOWN, "spool",
			"run me as root or as that user",
			"%s is not open to this user", spool);
	else
		rtls_findings_add(&check->findings, GOOD, "spool", NULL,
			"%s belongs to %s, mode %04o", spool,
			check->config.user, mode);
}

static void check_spool(struct rtls_check *check)
{
	struct stat found;

	if (lstat(check->config.spool, &found) == 0)
		judge_spool(check, &found);
	else if (errno == ENOENT)
		rtls_findings_add(&check->findings, WARNING, "spool",
			"the first lookup makes it", "%s is not there yet",
			check->config.spool);
	else
		rtls_findings_add(&check->findings, UNKNOWN, "spool",
			"run me as root or as the Exim user", "%s: %s",
			check->config.spool, strerror(errno));
}

static void check_trust_store(struct rtls_check *check)
{
	char *buffer = malloc(BUNDLE_MAX + 1);
	const char *path = check->config.ca_file;
	struct rtls_err err = { "no such file" };
	enum rtls_status status;
	struct rtls_slice pem;

	if (buffer == NULL) {
		check->findings.is_cut = true;
		return;
	}
	status = rtls_system_file_read(path, buffer, BUNDLE_MAX, &pem, &err);
	if (status != RTLS_OK)
		rtls_findings_add(&check->findings, BAD, "trust-store",
			"apt install --reinstall ca-certificates, or look at "
			"the key ca_file",
			"%s: %s", path, err.text);
	else if (!rtls_cas_any(pem))
		rtls_findings_add(&check->findings, BAD, "trust-store",
			"apt install --reinstall ca-certificates, or look at "
			"the key ca_file",
			"%s: no certificate in it", path);
	else
		rtls_findings_add(&check->findings, GOOD, "trust-store", NULL,
			"%s is readable", path);
	free(buffer);
}

/* --- the clock ---------------------------------------------------------------------- */

/* Files of the past must be of the past. */
static bool is_before_file(const struct rtls_check *check, const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 &&
	       found.st_mtime > (time_t)check->now_s + RTLS_DAY_S;
}

static void check_clock(struct rtls_check *check)
{
	struct timex state = { .modes = 0 };
	int result = adjtimex(&state);

	if (is_before_file(check, "/proc/self/exe") ||
		is_before_file(check, RTLS_CONFIG_PATH))
		rtls_findings_add(&check->findings, BAD, "clock",
			"set it: signatures and certificates have dates",
			"the clock is behind the files of this program");
	else if (result == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
		rtls_findings_add(&check->findings, WARNING, "clock",
			"run chrony, ntpsec or systemd-timesyncd",
			"no time service keeps the clock right, as far as the "
			"kernel knows");
	else
		rtls_findings_add(&check->findings, GOOD, "clock", NULL,
			"a time service keeps it right");
}

/* --- DNS ------------------------------------------------------------------------------ */

/* A name that is not there says nothing of itself. */
static bool is_no_name(
	struct rtls_check *check, const struct rtls_dns_query *query)
{
	if (query->outcome != RTLS_DNS_NXDOMAIN)
		return false;
	rtls_findings_add(&check->findings, UNKNOWN, "resolver",
		"name another one by --good or --broken", "%s does not exist",
		query->name);
	return true;
}

static void judge_good(
	struct rtls_check *check, const struct rtls_dns_query *query)
{
	struct rtls_quoted why;

	if (is_no_name(check, query))
		return;
	if (query->dnssec == RTLS_DNSSEC_SECURE)
		rtls_findings_add(&check->findings, GOOD, "resolver", NULL,
			"%s is signed, and that is seen (secure)", query->name);
	else if (query->outcome == RTLS_DNS_FAILED &&
		 query->dnssec != RTLS_DNSSEC_BOGUS)
		rtls_findings_add(&check->findings, UNKNOWN, "resolver",
			"is it alive? Does --good name a signed domain?",
			"%s could not be looked up: %s", query->name,
			rtls_quoted(&why, rtls_slice(query->why)));
	else
		rtls_findings_add(&check->findings, BAD, "resolver",
			"it must pass DNSSEC data on; look at the key "
			"trust_anchor and at the clock",
			"%s is signed, and counts as %s", query->name,
			query->dnssec == RTLS_DNSSEC_BOGUS ? "bogus"
							   : "insecure");
}

static void judge_broken(
	struct rtls_check *check, const struct rtls_dns_query *query)
{
	struct rtls_quoted why;

	if (is_no_name(check, query))
		return;
	if (query->outcome != RTLS_DNS_FAILED)
		rtls_findings_add(&check->findings, BAD, "resolver",
			"nobody validates: look at the keys dnssec and "
			"resolver",
			"%s has broken signatures, and is taken for good",
			query->name);
	else if (strcmp(query->why, RTLS_DNS_NO_ANSWER) == 0)
		rtls_findings_add(&check->findings, UNKNOWN, "resolver", NULL,
			"%s could not be looked up: %s", query->name,
			rtls_quoted(&why, rtls_slice(query->why)));
	else
		rtls_findings_add(&check->findings, GOOD, "resolver", NULL,
			"%s has broken signatures, and is refused",
			query->name);
}

static enum rtls_status ask_both(struct rtls_check *check,
	struct rtls_dns_query *queries, struct rtls_err *err)
{
	struct rtls_dns *dns = NULL;
	enum rtls_status status = rtls_dns_open(&check->config, &dns, err);

	if (status != RTLS_OK)
		return status;
	rtls_dns_limit(dns, rtls_check_left_ms(check) / 2);
	status = rtls_dns_run(dns, queries, 2, err);
	if (status == RTLS_OK && !rtls_dns_can_validate(dns))
		rtls_findings_add(&check->findings, BAD, "resolver",
			"ask one that gives DNSSEC data: see \"The resolver\" "
			"in OPERATING.md",
			"it cannot do DNSSEC: every answer counts as insecure");
	rtls_dns_close(dns);
	return status;
}

static void check_resolver(
	struct rtls_check *check, const char *good, const char *broken)
{
	struct rtls_dns_query *queries = calloc(2, sizeof(*queries));
	struct rtls_err err = { "" };

	if (queries == NULL) {
		check->findings.is_cut = true;
		return;
	}
	(void)snprintf(queries[0].name, sizeof(queries[0].name), "%s", good);
	(void)snprintf(queries[1].name, sizeof(queries[1].name), "%s", broken);
	queries[0].type = queries[1].type = RTLS_DNS_A;
	if (ask_both(check, queries, &err) != RTLS_OK) {
		rtls_findings_add(&check->findings, BAD, "resolver",
			"no lookup is possible: look at the keys resolver and "
			"trust_anchor",
			"%s", err.text);
	} else {
		judge_good(check, &queries[0]);
		judge_broken(check, &queries[1]);
	}
	rtls_dns_query_free(&queries[0]);
	rtls_dns_query_free(&queries[1]);
	free(queries);
}

/* What Exim sees, which asks by libc. */
static void check_libc(struct rtls_check *check, const char *good)
{
	switch (rtls_check_libc(good, rtls_check_left_ms(check))) {
	case RTLS_LIBC_SEES_AD:
		rtls_findings_add(&check->findings, GOOD, "libc", NULL,
			"Exim sees that %s is signed", good);
		break;
	case RTLS_LIBC_HIDES_AD:
		rtls_findings_add(&check->findings, BAD, "libc",
			"\"options edns0 trust-ad\" in /etc/resolv.conf, and a "
			"resolver that validates: else Exim does no DANE",
			"Exim does not see that %s is signed", good);
		break;
	case RTLS_LIBC_NO_ANSWER:
		rtls_findings_add(&check->findings, UNKNOWN, "libc",
			"look at /etc/resolv.conf", "libc got no answer for %s",
			good);
		break;
	}
}

/* --- timers ---------------------------------------------------------------------------- */

static bool is_there(const char *path)
{
	struct stat found;

	return lstat(path, &found) == 0;
}

/* Switched on, and stopped all the same? Where systemd does not say, it is taken for good. */
static bool is_stopped(const char *unit)
{
	const char *const words[] = { "/usr/bin/systemctl", "is-active", unit,
		NULL };
	char output[256];
	struct rtls_slice said =
		rtls_slice_trim(rtls_exim_run(words, output, sizeof(output)));

	return rtls_slice_is(said, "inactive\n") ||
	       rtls_slice_is(said, "failed\n");
}

static void check_timer(
	struct rtls_check *check, const char *what, const char *wanted)
{
	bool is_systemd = is_there(SYSTEMD);
	char unit[64], path[128];

	(void)snprintf(unit, sizeof(unit), "exim-requiretls-%s.timer", what);
	(void)snprintf(path, sizeof(path),
		"/etc/systemd/system/timers.target.wants/%s", unit);
	if (is_systemd && is_there(path) && is_stopped(unit))
		rtls_findings_add(&check->findings, BAD, "timer", wanted,
			"%s is switched on and not active", unit);
	else if (is_systemd && is_there(path))
		rtls_findings_add(&check->findings, GOOD, "timer", NULL,
			"exim-requiretls-%s.timer is switched on", what);
	else if (is_systemd)
		rtls_findings_add(&check->findings, BAD, "timer", wanted,
			"exim-requiretls-%s.timer is not switched on", what);
	else if (is_there("/etc/cron.d/exim-requiretls"))
		rtls_findings_add(&check->findings, GOOD, "timer", NULL,
			"no systemd here, cron does it: /etc/cron.d/exim-requiretls");
	else
		rtls_findings_add(&check->findings, BAD, "timer",
			RTLS_INSTALL_AGAIN,
			"no systemd here, and no /etc/cron.d/exim-requiretls");
}

/* --- Exim ------------------------------------------------------------------------------ */

static void check_support(
	struct rtls_check *check, const struct rtls_exim_version *version)
{
	const char *lacks;

	for (size_t i = 0;
		(lacks = rtls_exim_version_lacks(version, i)) != NULL; i++)
		rtls_findings_add(&check->findings, BAD, "exim",
			"on Debian: apt install exim4-daemon-heavy",
			"it is built without %s", lacks);
}

static void check_requiretls(
	struct rtls_check *check, const struct rtls_exim_version *version)
{
	if (version->has_requiretls)
		rtls_findings_add(&check->findings, GOOD, "exim", NULL,
			"it speaks REQUIRETLS");
	else if (check->config.requiretls == RTLS_LEVEL_ENFORCE)
		rtls_findings_add(&check->findings, WARNING, "exim",
			"set requiretls = verified, or build one: see \"Exim "
			"with the REQUIRETLS patches\" in OPERATING.md",
			"it lacks the REQUIRETLS patches: flagged mail is "
			"returned");
	else
		rtls_findings_add(&check->findings, GOOD, "exim", NULL,
			"it lacks the REQUIRETLS patches, which requiretls = "
			"%s takes into account",
			rtls_level_name(check->config.requiretls));
}

/* Of which release it is; "" when that is not known. */
static void check_exim(struct rtls_check *check, char release[32])
{
	struct rtls_exim_version version;
	struct rtls_err err = { "" };

	release[0] = '\0';
	if (rtls_exim_ask(check->config.sendmail, &version, &err) != RTLS_OK) {
		rtls_findings_add(&check->findings, UNKNOWN, "exim",
			"look at the key sendmail", "%s", err.text);
		return;
	}
	(void)snprintf(release, 32, "%s", version.release);
	rtls_findings_add(&check->findings, GOOD, "exim", NULL,
		"Exim %s answers", version.release);
	check_support(check, &version);
	check_requiretls(check, &version);
}

/* It refuses to work in another Exim, and so would mail be refused. */
static void check_release(
	struct rtls_check *check, const char *path, const char *running)
{
	char release[RTLS_BUILT_FOR_SIZE];
	struct rtls_err err = { "" };

	if (rtls_module_file_release(path, release, &err) != RTLS_OK)
		rtls_findings_add(&check->findings, UNKNOWN, "module",
			"is it ours, and of this version? Install it again",
			"%s: %s", path, err.text);
	else if (running[0] == '\0')
		rtls_findings_add(&check->findings, UNKNOWN, "module", NULL,
			"%s is built for Exim %s; what runs is not known", path,
			release);
	else if (strcmp(release, running) != 0)
		rtls_findings_add(&check->findings, BAD, "module",
			"build and install the module again: until then mail "
			"is refused for now",
			"%s is built for Exim %s, and this is Exim %s", path,
			release, running);
	else
		rtls_findings_add(&check->findings, GOOD, "module", NULL,
			"Exim loads %s, which is built for Exim %s", path,
			release);
}

static void check_file(
	struct rtls_check *check, const char *path, const char *running)
{
	struct stat found;

	if (stat(path, &found) != 0)
		rtls_findings_add(&check->findings, BAD, "module",
			RTLS_INSTALL_AGAIN
			": until then mail is refused for now",
			"%s: %s", path, strerror(errno));
	else if (found.st_uid != 0 || (found.st_mode & 0022U) != 0)
		rtls_findings_add(&check->findings, BAD, "module",
			"chown root, chmod 644: Exim runs it as root",
			"%s: somebody else than root may change it", path);
	else
		check_release(check, path, running);
}

/* Where it has local_scan() the module is loaded by that; else its ACLs have to call it. */
static void check_module(struct rtls_check *check, const char *running)
{
	char path[VALUE_SIZE];

	if (rtls_exim_option(check->config.sendmail, "local_scan_path", path,
		    sizeof(path)) != RTLS_OK)
		return;
	if (path[0] == '\0')
		rtls_findings_add(&check->findings, WARNING, "module",
			"exim-requiretls setup says what is to be done; "
			"right where REQUIRETLS_BY_ACL is set",
			"local_scan_path is not set: Exim does not load it");
	else
		check_file(check, path, running);
}

static void check_dns_options(struct rtls_check *check)
{
	char value[VALUE_SIZE];

	if (rtls_exim_option(check->config.sendmail, "dns_again_means_nonexist",
		    value, sizeof(value)) == RTLS_OK &&
		value[0] != '\0')
		rtls_findings_add(&check->findings, WARNING, "exim",
			"take it out: a failed TLSA lookup passes for none",
			"dns_again_means_nonexist = %s", value);
}

int rtls_check_self(
	struct rtls_check *check, const struct rtls_check_options *options)
{
	char good[RTLS_DOMAIN_SIZE], broken[RTLS_DOMAIN_SIZE], release[32];
	int exit_status = rtls_verb_domain(
		options->good != NULL ? options->good : GOOD_NAME, good);

	if (exit_status == EX_OK)
		exit_status = rtls_verb_domain(
			options->broken != NULL ? options->broken : BROKEN_NAME,
			broken);
	if (exit_status != EX_OK)
		return exit_status;
	check_config(check);
	check_rules(check);
	check_exemptions(check);
	check_spool(check);
	check_trust_store(check);
	check_clock(check);
	rtls_check_progress(check, "asking the resolver");
	check_resolver(check, good, broken);
	check_libc(check, good);
	check_exim(check, release);
	check_module(check, release);
	check_dns_options(check);
	rtls_check_exim_use(check);
	check_timer(check, "refresh",
		"systemctl enable --now exim-requiretls-refresh.timer");
	if (check->config.tlsrpt && is_there(SYSTEMD))
		check_timer(check, "report",
			"systemctl enable --now exim-requiretls-report.timer");
	return EX_OK;
}
