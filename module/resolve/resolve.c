/* resolve.c - one domain from DNS and HTTPS to its cache record.
 *
 * A new record begins as what the old one knows and is still true (an unexpired policy, a back-off);
 * then each part is looked up again. */
#include "resolve.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "note_exempt.h"
#include "resolving.h"
#include "store/cache.h"
#include "store/lock.h"
#include "warned.h"

#define NOTE_MAX 512

/* How the time is divided: so much of resolve_timeout is ours, so much of it
 * for waiting, and of what is left then so much for DNS. */
#define OURS_PERCENT 90
#define WAIT_PERCENT 75
#define DNS_PERCENT  60

/* --- for the parts ---------------------------------------------------------- */

struct rtls_slice rtls_resolving_keep(
	struct rtls_resolving *resolving, struct rtls_slice text)
{
	struct rtls_resolved *resolved = resolving->resolved;
	char *copy = resolved->arena + resolved->arena_size;

	if (text.size == 0 ||
		text.size > sizeof(resolved->arena) - resolved->arena_size)
		return rtls_slice_n(copy, 0);
	/* One byte that a record must not hold would keep it from being
	 * written; whoever let it through should have quoted it. */
	for (size_t i = 0; i < text.size; i++)
		copy[i] = text.data[i] >= ' ' && text.data[i] <= '~'
				  ? text.data[i]
				  : '?';
	resolved->arena_size += text.size;
	return rtls_slice_n(copy, text.size);
}

void rtls_resolving_note(
	struct rtls_resolving *resolving, const char *format, ...)
{
	struct rtls_record *record = resolving->record;
	struct rtls_slice kept;
	char note[NOTE_MAX];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(note, sizeof(note), format, args);
	va_end(args);
	if (size <= 0 || record->note_count == RTLS_NOTES_MAX)
		return;
	kept = rtls_resolving_keep(
		resolving, rtls_slice_trim(rtls_slice(note)));
	if (kept.size > 0)
		record->note[record->note_count++] = kept;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

unsigned rtls_resolving_left_ms(const struct rtls_resolving *resolving)
{
	int64_t left_ms = resolving->deadline_ms - now_ms();

	return left_ms > 0 ? (unsigned)left_ms : 0;
}

int64_t rtls_resolving_until(
	const struct rtls_resolving *resolving, uint32_t ttl_s, uint32_t max_s)
{
	/* A second at least: this very delivery has to find the record fresh. */
	if (ttl_s == 0)
		ttl_s = 1;
	return resolving->now_s + (ttl_s < max_s ? ttl_s : max_s);
}

/* --- old and new ------------------------------------------------------------ */

static void carry_over(struct rtls_resolving *resolving)
{
	const struct rtls_record *old = &resolving->old;
	struct rtls_record *record = resolving->record;

	record->domain =
		rtls_resolving_keep(resolving, rtls_slice(resolving->domain));
	record->used_s = resolving->now_s;
	if (resolving->is_background && old->used_s != 0 &&
		old->used_s < resolving->now_s)
		record->used_s = old->used_s;
	/* We have the lock: whoever began that fetch did not come to its end. */
	record->fetch = old->fetch == RTLS_FETCH_RUNNING ? RTLS_FETCH_FAILED
							 : old->fetch;
	record->fetch_id = old->fetch_id;
	record->fetch_retry_s = old->fetch_retry_s;
	record->fetch_error = old->fetch_error;
	for (size_t i = 0; i < old->earlier_count; i++)
		if (rtls_record_holds_off(
			    old->earlier[i].retry_s, resolving->now_s))
			record->earlier[record->earlier_count++] =
				old->earlier[i];
	if (old->policy_text.size == 0 ||
		old->policy_until_s < resolving->now_s)
		return;
	record->policy_id = old->policy_id;
	record->policy_fetched_s = old->policy_fetched_s;
	record->policy_until_s = old->policy_until_s;
	record->policy_digest = old->policy_digest;
	record->policy_text = old->policy_text;
	/* The clock was ahead when it came. That is no reason to forget it, but
	 * it counts from now, and is fetched anew. */
	if (!rtls_record_has_policy(old, resolving->now_s)) {
		record->policy_fetched_s = resolving->now_s;
		record->policy_until_s = resolving->now_s +
					 old->policy_until_s -
					 old->policy_fetched_s;
		resolving->force_fetch = true;
	}
}

static void read_old(struct rtls_resolving *resolving, struct rtls_err *err)
{
	struct rtls_record *old = &resolving->old;

	err->text[0] = '\0';
	if (rtls_cache_get(resolving->config->spool, resolving->domain,
		    resolving->resolved->old_text, old, err) == RTLS_NONE)
		err->text[0] = '\0';
	if (old->domain.size == 0)
		memset(old, 0, sizeof(*old));
}

/* A cache over its bound is no reason to forget what was just found out. */
static void make_room(struct rtls_resolving *resolving)
{
	const struct rtls_config *config = resolving->config;
	enum rtls_status ignored;

	ignored = rtls_cache_make_room(config->spool, resolving->domain,
		config->cache_max, resolving->now_s, NULL);
	(void)ignored;
}

void rtls_resolving_write(struct rtls_resolving *resolving)
{
	struct rtls_record *stored = malloc(sizeof(*stored));
	struct rtls_err err = { "out of memory" };

	if (stored != NULL) {
		*stored = *resolving->record;
		if (resolving->is_kept_out) {
			stored->policy_id = rtls_slice("");
			stored->policy_fetched_s = 0;
			stored->policy_until_s = 0;
			stored->policy_digest = rtls_slice("");
			stored->policy_text = rtls_slice("");
		}
	}
	if (stored != NULL && resolving->old.domain.size == 0)
		make_room(resolving);
	resolving->resolved->is_stored =
		stored != NULL && rtls_cache_put(resolving->config->spool,
					  stored, &err) == RTLS_OK;
	free(stored);
	if (resolving->resolved->is_stored || resolving->is_write_noted)
		return;
	resolving->is_write_noted = true;
	rtls_resolving_note(resolving, "cache record of %s not written: %s",
		resolving->domain, err.text);
}

static unsigned part(unsigned time_ms, unsigned percent)
{
	return (unsigned)((uint64_t)time_ms * percent / 100);
}

/* --- looking up ------------------------------------------------------------- */

static void note_resolver(struct rtls_resolving *resolving)
{
	if (rtls_dns_can_validate(resolving->dns) ||
		!rtls_warn_daily(resolving->config->spool, "no-dnssec",
			resolving->now_s))
		return;
	rtls_resolving_note(resolving,
		"the resolver cannot do DNSSEC: every answer counts as insecure, there is no DANE");
}

/* One domain's servers may be slow; nobody's answering is for a person. */
static void note_silence(
	struct rtls_resolving *resolving, const struct rtls_dns_query *mx)
{
	if (mx->outcome != RTLS_DNS_FAILED ||
		strcmp(mx->why, RTLS_DNS_NO_ANSWER) != 0 ||
		!rtls_warn_daily(resolving->config->spool, "no-answer",
			resolving->now_s))
		return;
	rtls_resolving_note(resolving,
		"the resolver gave no answer for the MX of %s in time: is it alive?",
		resolving->domain);
}

static enum rtls_status look_up(struct rtls_resolving *resolving,
	struct rtls_dns_query *queries, struct rtls_err *err)
{
	bool sts = resolving->config->mta_sts;
	enum rtls_status status;

	snprintf(queries[0].name, sizeof(queries[0].name), "%s",
		resolving->domain);
	queries[0].type = RTLS_DNS_MX;
	snprintf(queries[1].name, sizeof(queries[1].name), "_mta-sts.%s",
		resolving->domain);
	queries[1].type = RTLS_DNS_TXT;
	status = rtls_dns_run(resolving->dns, queries, sts ? 2 : 1, err);
	if (status == RTLS_OK)
		note_silence(resolving, &queries[0]);
	if (status == RTLS_OK)
		status = rtls_resolve_mx(resolving, &queries[0], err);
	if (status == RTLS_OK)
		rtls_resolve_txt(resolving, sts ? &queries[1] : NULL);
	return status;
}

static enum rtls_status ask_dns(
	struct rtls_resolving *resolving, struct rtls_err *err)
{
	struct rtls_dns_query *queries = calloc(2, sizeof(*queries));
	enum rtls_status status;

	if (queries == NULL) {
		rtls_err_set(err, "out of memory");
		return RTLS_NO_MEMORY;
	}
	status = rtls_dns_open(resolving->config, &resolving->dns, err);
	if (status == RTLS_OK) {
		rtls_dns_limit(resolving->dns,
			part(rtls_resolving_left_ms(resolving), DNS_PERCENT));
		status = look_up(resolving, queries, err);
		note_resolver(resolving);
		rtls_dns_close(resolving->dns);
		resolving->dns = NULL;
	}
	rtls_dns_query_free(&queries[0]);
	rtls_dns_query_free(&queries[1]);
	free(queries);
	return status;
}

/* The policy came, and cannot be kept. What is on disk then says that its fetch was
 * cut off, and the domain would go without it until the back-off ends: better
 * nothing is known. An older policy, though, is better than nothing. */
static void drop_mark(const struct rtls_resolving *resolving)
{
	enum rtls_status ignored;

	if (resolving->resolved->is_stored ||
		resolving->record->fetch != RTLS_FETCH_OK ||
		rtls_record_has_policy(&resolving->old, resolving->now_s))
		return;
	ignored = rtls_cache_remove(
		resolving->config->spool, resolving->domain, NULL);
	(void)ignored;
}

static enum rtls_status update(struct rtls_resolving *resolving,
	const struct rtls_err *unreadable, struct rtls_err *err)
{
	enum rtls_status status;

	carry_over(resolving);
	if (unreadable->text[0] != '\0')
		rtls_resolving_note(resolving, "%s", unreadable->text);
	status = ask_dns(resolving, err);
	if (status != RTLS_OK)
		return RTLS_TEMPORARY;
	rtls_resolve_policy(resolving);
	rtls_note_exempt(resolving);
	rtls_resolving_write(resolving);
	drop_mark(resolving);
	return RTLS_OK;
}

/* --- single flight ---------------------------------------------------------- */

/* A spool without lock file is no reason not to deliver; a lock that another
 * process holds for all that time is: it asks what we would ask. */
static enum rtls_status take_lock(
	struct rtls_resolving *resolving, int *fd, struct rtls_err *err)
{
	unsigned wait_ms =
		part(rtls_resolving_left_ms(resolving), WAIT_PERCENT);
	int64_t start_ms = now_ms();

	if (rtls_lock_take(resolving->config->spool, resolving->domain, wait_ms,
		    fd, err) == RTLS_OK)
		return RTLS_OK;
	return now_ms() - start_ms < wait_ms ? RTLS_OK : RTLS_TEMPORARY;
}

static enum rtls_status resolve_locked(struct rtls_resolving *resolving,
	bool is_forced, enum rtls_status lock, struct rtls_err *err)
{
	struct rtls_err unreadable;

	read_old(resolving, &unreadable);
	if (!is_forced &&
		rtls_record_is_fresh(&resolving->old, resolving->now_s)) {
		*resolving->record = resolving->old;
		resolving->resolved->is_stored = true;
		return RTLS_OK;
	}
	return lock == RTLS_OK ? update(resolving, &unreadable, err) : lock;
}

/* NULL: no memory, said. To be freed with free(), its resolved apart from it. */
static struct rtls_resolving *start(const struct rtls_config *config,
	const char *domain, int64_t now_s, unsigned time_ms,
	struct rtls_err *err)
{
	struct rtls_resolving *resolving = calloc(1, sizeof(*resolving));
	struct rtls_resolved *made = calloc(1, sizeof(*made));

	if (resolving == NULL || made == NULL) {
		free(resolving);
		free(made);
		rtls_err_set(err, "out of memory");
		return NULL;
	}
	resolving->config = config;
	resolving->domain = domain;
	resolving->now_s = now_s;
	resolving->deadline_ms = now_ms() + time_ms;
	resolving->resolved = made;
	resolving->record = &made->record;
	return resolving;
}

static enum rtls_status finish(struct rtls_resolving *resolving, int lock_fd,
	enum rtls_status status, struct rtls_resolved **resolved)
{
	rtls_lock_release(lock_fd);
	if (status == RTLS_OK)
		*resolved = resolving->resolved;
	else
		rtls_resolved_free(resolving->resolved);
	free(resolving);
	return status;
}

enum rtls_status rtls_resolve_domain(const struct rtls_config *config,
	const char *domain, const struct rtls_resolve_options *options,
	struct rtls_resolved **resolved, struct rtls_err *err)
{
	struct rtls_resolving *resolving = start(config, domain, options->now_s,
		part(config->resolve_timeout_ms, OURS_PERCENT), err);
	enum rtls_status status;
	int fd = -1;

	if (resolving == NULL)
		return RTLS_TEMPORARY;
	resolving->force_fetch = options->force_fetch;
	resolving->for_module = options->for_module;
	status = take_lock(resolving, &fd, err);
	status = resolve_locked(resolving,
		options->force_dns || options->force_fetch, status, err);
	return finish(resolving, fd, status, resolved);
}

/* --- in the background ------------------------------------------------------ */

#define BACKGROUND_LOCK_MS 100

/* Is the record still the one that was found to be due? */
static bool is_still_due(
	const struct rtls_record *old, const struct rtls_refreshed *refreshed)
{
	return old->policy_text.size > 0 &&
	       old->policy_fetched_s <= refreshed->started_s &&
	       old->policy_until_s >= refreshed->now_s;
}

static enum rtls_status take_in(
	struct rtls_resolving *resolving, struct rtls_refreshed *refreshed)
{
	struct rtls_fetch_result *fetched = &refreshed->fetched;
	struct rtls_err ignored;

	read_old(resolving, &ignored);
	if (!is_still_due(&resolving->old, refreshed))
		return RTLS_NONE;
	carry_over(resolving);
	rtls_resolve_mx_keep(resolving);
	rtls_resolve_txt(resolving, refreshed->txt);
	if (fetched->body.size > 0)
		memcpy(resolving->resolved->body, fetched->body.data,
			fetched->body.size);
	fetched->body =
		rtls_slice_n(resolving->resolved->body, fetched->body.size);
	rtls_resolve_fetched(resolving, fetched);
	rtls_resolving_write(resolving);
	return RTLS_OK;
}

enum rtls_status rtls_resolve_refreshed(const struct rtls_config *config,
	struct rtls_refreshed *refreshed, struct rtls_resolved **resolved,
	struct rtls_err *err)
{
	struct rtls_resolving *resolving = start(config, refreshed->domain,
		refreshed->now_s, BACKGROUND_LOCK_MS, err);
	enum rtls_status status;
	int fd = -1;

	if (resolving == NULL)
		return RTLS_TEMPORARY;
	resolving->is_background = true;
	status = take_lock(resolving, &fd, err);
	status = status == RTLS_OK ? take_in(resolving, refreshed) : RTLS_NONE;
	return finish(resolving, fd, status, resolved);
}

/* --- the answer ------------------------------------------------------------- */

bool rtls_resolved_is_stored(const struct rtls_resolved *resolved)
{
	return resolved->is_stored;
}

const struct rtls_record *rtls_resolved_record(
	const struct rtls_resolved *resolved)
{
	return &resolved->record;
}

void rtls_resolved_free(struct rtls_resolved *resolved)
{
	free(resolved);
}
