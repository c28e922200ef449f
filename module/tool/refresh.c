/* refresh.c - see refresh.h. */
#include "tool/refresh.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/timestamp.h"
#include "resolve/refresh.h"
#include "store/cache.h"
#include "store/counters.h"
#include "store/file.h"
#include "store/hash.h"
#include "tool/names.h"
#include "tool/verb.h"
#include "tool/view.h"

#define REFUSED_KEPT_S (7 * RTLS_DAY_S)

/* --- one domain, for both ---------------------------------------------------- */

/* A policy that we hold is fetched again whatever DNS says (RFC 8461 sections
 * 3.3 and 10.2). A domain without one has no policy host to be asked, and need
 * not hear from us while no mail goes there. */
static bool holds_policy(const struct rtls_config *config, const char *domain)
{
	char *buffer = malloc(RTLS_RECORD_SIZE_MAX + 1);
	struct rtls_record record;
	bool holds;

	holds = buffer != NULL &&
		rtls_cache_get(config->spool, domain, buffer, &record, NULL) ==
			RTLS_OK &&
		rtls_record_has_policy(&record, (int64_t)time(NULL));
	free(buffer);
	return holds;
}

/* Has the domain a policy in force that could not be fetched anew? Of mode
 * none nobody needs to hear (RFC 8461 section 8.3). */
static bool is_failing(const struct rtls_record *record, int64_t now_s)
{
	struct rtls_sts_policy policy;

	return record->fetch == RTLS_FETCH_FAILED &&
	       rtls_record_has_policy(record, now_s) &&
	       rtls_sts_policy_parse(record->policy_text, &policy, NULL) ==
		       RTLS_OK &&
	       policy.mode != RTLS_STS_NONE;
}

static void print_record(
	const struct rtls_record *record, const char *domain, int64_t now_s)
{
	bool failing = is_failing(record, now_s);
	char line[RTLS_ERR_SIZE];
	struct rtls_quoted q;
	struct rtls_text text;

	rtls_text_init(&text, line, sizeof(line));
	rtls_view_summary(record, now_s, &text);
	(void)printf("%s: %s%s", domain, failing ? "FAILED " : "", line);
	if (record->fetch == RTLS_FETCH_FAILED)
		(void)printf(" fetch failed: %s",
			rtls_quoted(&q, record->fetch_error));
	(void)putchar('\n');
	/* Quoted already, and said once: nobody else will hear of it. */
	for (size_t i = 0; i < record->note_count; i++)
		(void)printf("%s: note: %.*s\n", domain,
			(int)record->note[i].size, record->note[i].data);
}

int rtls_refresh_domain(const struct rtls_config *config, const char *domain)
{
	struct rtls_resolve_options options = { .force_dns = true,
		.force_fetch = holds_policy(config, domain),
		.now_s = (int64_t)time(NULL) };
	struct rtls_resolved *resolved = NULL;
	struct rtls_err err = { "" };
	int exit_status = EX_OK;

	if (rtls_resolve_domain(config, domain, &options, &resolved, &err) !=
		RTLS_OK) {
		(void)printf("%s: FAILED %s\n", domain, err.text);
		return EX_TEMPFAIL;
	}
	print_record(rtls_resolved_record(resolved), domain, options.now_s);
	if (is_failing(rtls_resolved_record(resolved), options.now_s) ||
		!rtls_resolved_is_stored(resolved))
		exit_status = EX_TEMPFAIL;
	rtls_resolved_free(resolved);
	return exit_status;
}

/* --- what is due ------------------------------------------------------------- */

struct refresh {
	const struct rtls_config *config;
	bool all;
	bool is_terminal;
	struct rtls_names names;
	size_t at; /* of names */
	size_t fetched, failed, busy, dropped;
	char buffer[RTLS_RECORD_SIZE_MAX + 1];
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
	(void)number;
	is_interrupted = 1;
}

/* A second one ends it at once: no half-written record is left by that either. */
static void catch_interrupts(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = interrupt;
	action.sa_flags = (int)SA_RESETHAND;
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

/* One line that is written over, for somebody who watches. */
static void show_progress(const struct refresh *refresh)
{
	if (refresh->is_terminal)
		(void)fprintf(stderr,
			"\r%zu of %zu domains looked at, %zu fetched, %zu failed ",
			refresh->at, refresh->names.count, refresh->fetched,
			refresh->failed);
}

static void clear_progress(const struct refresh *refresh)
{
	if (refresh->is_terminal)
		(void)fputs("\r\033[K", stderr);
}

/* Is the domain forgotten: there is nothing in its record any more, or nobody has sent
 * mail there for as long as the operator wants to remember? A record that does not say
 * when it was used, or has it in the future, gets a time with its refresh. */
static bool is_forgotten(const struct rtls_config *config,
	const struct rtls_record *record, int64_t now_s)
{
	const int64_t keep_s = (int64_t)config->cache_keep_days * RTLS_DAY_S;

	return rtls_record_is_spent(record, now_s) ||
	       (record->used_s != 0 && record->used_s < now_s - keep_s);
}

static void drop(struct refresh *refresh, const char *domain)
{
	struct rtls_err err = { "" };
	enum rtls_status status =
		rtls_cache_remove(refresh->config->spool, domain, &err);

	if (status == RTLS_OK)
		refresh->dropped++;
	else if (status != RTLS_NONE)
		(void)printf("%s: not removed: %s\n", domain, err.text);
}

/* Is that domain to be refreshed? One to be forgotten is, on the way. */
static bool is_wanted(struct refresh *refresh, const char *domain)
{
	const int64_t now_s = (int64_t)time(NULL);
	struct rtls_record record;

	/* What does not parse is for a person: `cache list` shows it. */
	if (rtls_cache_get(refresh->config->spool, domain, refresh->buffer,
		    &record, NULL) != RTLS_OK)
		return false;
	if (is_forgotten(refresh->config, &record, now_s)) {
		drop(refresh, domain);
		return false;
	}
	if (!refresh->config->mta_sts)
		return false;
	return refresh->all
		       ? rtls_record_has_policy(&record, now_s)
		       : rtls_record_is_due(&record, rtls_hash(domain), now_s);
}

static bool next_domain(void *context, char domain[RTLS_DOMAIN_SIZE])
{
	struct refresh *refresh = context;

	while (refresh->at < refresh->names.count && !is_interrupted) {
		const char *name = refresh->names.name[refresh->at++];

		if (!is_wanted(refresh, name))
			continue;
		(void)rtls_slice_copy(
			rtls_slice(name), domain, RTLS_DOMAIN_SIZE);
		return true;
	}
	return false;
}

/* Good news is no news: there may be thousands of it every day. */
static void on_done(void *context, const char *domain, enum rtls_status status,
	const struct rtls_resolved *resolved, const struct rtls_err *err)
{
	const int64_t now_s = (int64_t)time(NULL);
	struct refresh *refresh = context;
	const struct rtls_record *record;

	if (status == RTLS_NONE) {
		refresh->busy++;
		return;
	}
	clear_progress(refresh);
	if (status == RTLS_OK) {
		record = rtls_resolved_record(resolved);
		if (is_failing(record, now_s) || record->note_count > 0)
			print_record(record, domain, now_s);
		if (is_failing(record, now_s) ||
			!rtls_resolved_is_stored(resolved))
			refresh->failed++;
		else
			refresh->fetched++;
	} else {
		(void)printf("%s: FAILED %s\n", domain, err->text);
		refresh->failed++;
	}
	(void)fflush(stdout);
	show_progress(refresh);
}

/* --- what is left over ------------------------------------------------------- */

/* One from the future is one of a wrong clock, and would stay for ever. */
static bool remove_old_note(const char *name, int64_t modified_s, void *context)
{
	const int64_t now_s = (int64_t)time(NULL);
	const struct refresh *refresh = context;
	char path[RTLS_CACHE_PATH_MAX];
	struct rtls_err err = { "" };
	int n;

	if (modified_s > now_s - REFUSED_KEPT_S &&
		modified_s < now_s + RTLS_DAY_S)
		return true;
	n = snprintf(path, sizeof(path), "%s/refused/%s",
		refresh->config->spool, name);
	if (n > 0 && (size_t)n < sizeof(path) &&
		rtls_file_remove(path, &err) == RTLS_TEMPORARY)
		(void)rtls_verb_fail(EX_TEMPFAIL, "%s", err.text);
	return true;
}

static bool pass_by(const char *name, int64_t modified_s, void *context)
{
	(void)name;
	(void)modified_s;
	(void)context;
	return true;
}

static void visit_directory(struct refresh *refresh, const char *name,
	bool (*visit)(const char *, int64_t, void *))
{
	const char *spool = refresh->config->spool;
	char path[RTLS_CACHE_PATH_MAX];
	struct rtls_err err = { "" };

	(void)snprintf(path, sizeof(path), "%s/%s", spool, name);
	if (rtls_file_each(spool, path, visit, refresh, &err) == RTLS_TEMPORARY)
		(void)rtls_verb_fail(EX_TEMPFAIL, "%s", err.text);
}

/* --- the whole cache --------------------------------------------------------- */

static void print_summary(const struct refresh *refresh)
{
	(void)printf(
		"%zu domains: %zu policies fetched, %zu failed, %zu in the hands of others, %zu records dropped%s\n",
		refresh->names.count, refresh->fetched, refresh->failed,
		refresh->busy, refresh->dropped,
		is_interrupted ? "; interrupted" : "");
}

/* For `metrics`. */
static void note_run(const struct refresh *refresh, bool is_complete)
{
	const char *spool = refresh->config->spool;
	struct rtls_err err = { "" };

	if (rtls_counters_add(spool, "refresh fetched", refresh->fetched,
		    &err) != RTLS_OK ||
		rtls_counters_add(spool, "refresh failed", refresh->failed,
			&err) != RTLS_OK ||
		rtls_counters_set(spool, "refresh-last fetched",
			refresh->fetched, &err) != RTLS_OK ||
		rtls_counters_set(spool, "refresh-last failed", refresh->failed,
			&err) != RTLS_OK ||
		rtls_counters_set(spool, "refresh-last complete",
			is_complete ? 1 : 0, &err) != RTLS_OK ||
		rtls_counters_set(spool, "refresh-last time",
			(uint64_t)time(NULL), &err) != RTLS_OK)
		(void)rtls_verb_fail(EX_OK, "%s", err.text);
}

static int run(struct refresh *refresh)
{
	struct rtls_refresh many = { .config = refresh->config,
		.next = next_domain,
		.done = on_done,
		.context = refresh };
	struct rtls_err err = { "" };
	enum rtls_status status;

	catch_interrupts();
	status = rtls_refresh_run(&many, &err);
	clear_progress(refresh);
	print_summary(refresh);
	note_run(refresh, status == RTLS_OK && !is_interrupted);
	if (status != RTLS_OK)
		return rtls_verb_fail(rtls_verb_exit(status), "%s", err.text);
	return refresh->failed > 0 || is_interrupted ? EX_TEMPFAIL : EX_OK;
}

int rtls_refresh_cache(const struct rtls_config *config, bool all)
{
	struct refresh *refresh = calloc(1, sizeof(*refresh));
	int exit_status;

	if (refresh == NULL)
		return rtls_verb_fail(EX_OSERR, "out of memory");
	refresh->config = config;
	refresh->all = all;
	refresh->is_terminal = isatty(STDERR_FILENO) == 1;
	/* Notes on messages that Exim gave up long ago; and listing takes away
	 * what a killed writer left. */
	visit_directory(refresh, "refused", remove_old_note);
	visit_directory(refresh, "policy", pass_by);
	exit_status = rtls_names_collect(config->spool, &refresh->names);
	if (exit_status == EX_OK)
		exit_status = run(refresh);
	rtls_names_free(&refresh->names);
	free(refresh);
	return exit_status;
}
