/* report_world.h - the world outside of a run, for its tests: DNS, Exim and the web as they
 * want them, a spool, and a clock. */
#ifndef REPORT_WORLD_H
#define REPORT_WORLD_H

#include "check_report.h"
#include "report/outbox.h"
#include "report/run.h"

#define HOUR_S INT64_C(3600)
#define NOW    (TEST_NEXT_DAY_S + 3 * HOUR_S)

#define LOG_SIZE 16384

struct world {
	char spool[64];
	struct rtls_config config;
	struct rtls_outside outside;
	struct rtls_run_options options;
	struct rtls_run_sums sums;
	struct rtls_err err;
	/* what it answers */
	bool no_resolver;
	bool lookups_fail;
	bool deliveries_fail;
	const char *rua[3]; /* of every domain but norua.example */
	/* The places of single domains, in place of that: name, URI; NULL for none,
	 * or "FAIL" */
	const char *other[6][2];
	/* what it was asked */
	size_t lookups, mails, posts;
	char sent[LOG_SIZE]; /* "target " per delivery that was taken */
	char mail[LOG_SIZE]; /* the last one */
	char log[LOG_SIZE];
	/* called in the middle of a delivery, and before each line of the log */
	void (*meanwhile)(struct world *world);
	void (*on_log)(struct world *world);
};

static inline void add_rua(struct rtls_lookup *lookup, const char *uri)
{
	assert_int_equal(rtls_rua_parse(rtls_slice(uri),
				 &lookup->rua[lookup->count++], NULL),
		RTLS_OK);
	lookup->outcome = RTLS_LOOKUP_FOUND;
}

/* A name may stand there several times: so many places. */
static inline bool answer_other(
	const struct world *world, struct rtls_lookup *lookup)
{
	bool is_known = false;

	for (size_t i = 0; i < COUNT(world->other); i++) {
		if (world->other[i][0] == NULL ||
			strcmp(world->other[i][0], lookup->domain) != 0)
			continue;
		is_known = true;
		if (world->other[i][1] == NULL)
			continue;
		if (strcmp(world->other[i][1], "FAIL") == 0)
			lookup->outcome = RTLS_LOOKUP_FAILED;
		else
			add_rua(lookup, world->other[i][1]);
	}
	return is_known;
}

static inline enum rtls_status fake_lookup(void *context,
	struct rtls_lookup *lookups, size_t count, struct rtls_err *err)
{
	struct world *world = context;

	if (world->no_resolver) {
		rtls_err_set(err, "no resolver");
		return RTLS_INVALID;
	}
	assert_in_range(count, 1, RTLS_LOOKUPS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct rtls_lookup *lookup = &lookups[i];

		world->lookups++;
		lookup->why[0] = '\0';
		lookup->count = 0;
		lookup->outcome = RTLS_LOOKUP_NONE;
		if (world->lookups_fail) {
			lookup->outcome = RTLS_LOOKUP_FAILED;
			(void)snprintf(
				lookup->why, sizeof(lookup->why), "SERVFAIL");
			continue;
		}
		if (strcmp(lookup->domain, "norua.example") == 0)
			continue;
		if (answer_other(world, lookup))
			continue;
		for (size_t k = 0; k < 3 && world->rua[k] != NULL; k++)
			add_rua(lookup, world->rua[k]);
	}
	return RTLS_OK;
}

/* Append to one of the texts of LOG_SIZE bytes. */
static inline void add_text(char *text, const char *words, const char *end)
{
	size_t size = strlen(text);
	int n = snprintf(text + size, LOG_SIZE - size, "%s%s", words, end);

	assert_in_range(n, 0, (int)(LOG_SIZE - size - 1));
}

static inline enum rtls_status deliver(
	struct world *world, const char *target, struct rtls_err *err)
{
	if (world->meanwhile != NULL)
		world->meanwhile(world);
	if (world->deliveries_fail) {
		rtls_err_set(err, "unwilling");
		return RTLS_TEMPORARY;
	}
	add_text(world->sent, target, " ");
	return RTLS_OK;
}

static inline enum rtls_status fake_mail(void *context, const char *address,
	struct rtls_slice message, struct rtls_err *err)
{
	struct world *world = context;

	world->mails++;
	assert_true(rtls_slice_copy(message, world->mail, sizeof(world->mail)));
	assert_true(rtls_slice_starts(message, "From: Postmaster@lab.example"));
	return deliver(world, address, err);
}

static inline enum rtls_status fake_post(void *context, const char *url,
	struct rtls_slice body, struct rtls_err *err)
{
	struct world *world = context;

	world->posts++;
	assert_true(rtls_slice_starts(body, "\x1f\x8b\x08"));
	return deliver(world, url, err);
}

static inline void fake_log(void *context, const char *line)
{
	struct world *world = context;

	if (world->on_log != NULL)
		world->on_log(world);
	assert_null(strchr(line, '\n'));
	add_text(world->log, line, "\n");
}

static inline void world_make(struct world *world)
{
	*world = (struct world){ .rua = { "mailto:tlsrpt@a.example" } };
	check_spool_make(world->spool);
	check_config(&world->config, world->spool);
	world->config.report_min_age_s = 0;
	world->config.report_spread_s = 0;
	world->outside = (struct rtls_outside){ .context = world,
		.lookup = fake_lookup,
		.mail = fake_mail,
		.post = fake_post,
		.log = fake_log };
	world->options.now_s = NOW;
	check_journal_write(world->spool,
		LINE("a.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-"));
}

static inline enum rtls_status world_run(struct world *world, int64_t now_s)
{
	world->options.now_s = now_s;
	world->sent[0] = '\0';
	world->log[0] = '\0';
	world->lookups = 0;
	world->mails = 0;
	world->posts = 0;
	return rtls_report_run(&world->config, &world->options, &world->outside,
		&world->sums, &world->err);
}

static inline void world_outbox(
	struct world *world, const char *domain, struct rtls_outbox *outbox)
{
	assert_int_equal(
		rtls_outbox_get(world->spool, TEST_DAY, domain, outbox, NULL),
		RTLS_OK);
}

static inline void check_log(const struct world *world, const char *wanted)
{
	if (strstr(world->log, wanted) != NULL)
		return;
	print_error("log:\n%swanted: %s\n", world->log, wanted);
	fail();
}

static inline void remove_outbox(struct world *world)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/outbox", world->spool);
	check_spool_remove(path);
}

#endif
