/* test_cache.c - one file per domain. */
#include "spool_dir.h"

#include "store/cache.h"

static char buffer[RTLS_RECORD_SIZE_MAX + 1];

struct path_row {
	const char *domain;
	const char *below; /* NULL: refused */
};

/* The two digits are the last byte of the 64-bit FNV-1a: stable for ever. */
static const struct path_row paths[] = {
	{ "example.org", "cache/51/example.org" },
	{ "mx_1.example", "cache/d0/mx_1.example" },
	{ "Example.org", NULL },
	{ "example.org.", NULL },
	{ "", NULL },
	{ ".", NULL },
	{ "..", NULL },
	{ "../../etc/passwd", NULL },
	{ "a/b", NULL },
	{ ".tmp-1-2-3", NULL },
	{ "b\xc3\xbc"
	  "cher.example",
		NULL },
	{ "[192.0.2.1]", NULL },
	{ "192.0.2.1", NULL },
	{ "a\nb", NULL },
};

static void path_of_a_domain(void **state)
{
	char path[RTLS_CACHE_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct path_row *row = &paths[i];

		if (row->below != NULL) {
			assert_int_equal(
				rtls_cache_path(spool_dir, row->domain, path),
				RTLS_OK);
			assert_string_equal(path, in_spool(row->below));
			continue;
		}
		assert_int_equal(rtls_cache_path(spool_dir, row->domain, path),
			RTLS_INVALID);
		assert_string_equal(path, "");
		assert_int_equal(rtls_cache_get(spool_dir, row->domain, buffer,
					 NULL, NULL),
			RTLS_INVALID);
		assert_int_equal(
			rtls_cache_remove(spool_dir, row->domain, NULL),
			RTLS_INVALID);
	}
}

static void path_must_fit(void **state)
{
	char spool[RTLS_CACHE_PATH_MAX], path[RTLS_CACHE_PATH_MAX];

	(void)state;
	memset(spool, 'a', sizeof(spool));
	spool[0] = '/';
	/* "/cache/51/example.org" takes 21, NUL 1. */
	spool[sizeof(spool) - 22] = '\0';
	assert_int_equal(rtls_cache_path(spool, "example.org", path), RTLS_OK);
	assert_int_equal(strlen(path), sizeof(path) - 1);
	spool[sizeof(spool) - 22] = 'a';
	spool[sizeof(spool) - 21] = '\0';
	assert_int_equal(
		rtls_cache_path(spool, "example.org", path), RTLS_INVALID);
}

static struct rtls_record make_record(const char *domain)
{
	struct rtls_record record = {
		.domain = rtls_slice(domain),
		.mx_answer = RTLS_MX_HOSTS,
		.mx_dnssec = RTLS_DNSSEC_SECURE,
		.mx_until_s = 1795290320,
		.mx_count = 1,
		.txt = RTLS_TXT_NONE,
		.txt_until_s = 1795290320,
	};

	record.mx[0].preference = 10;
	record.mx[0].host = rtls_slice("mx1.example.org");
	return record;
}

static enum rtls_status put(const char *domain)
{
	struct rtls_record record = make_record(domain);

	return rtls_cache_put(spool_dir, &record, NULL);
}

static void gives_back_what_was_put(void **state)
{
	struct rtls_record record = make_record("example.org"), got;
	struct rtls_err err = { "" };
	int fds = open_fds();

	(void)state;
	record.note_count = 1;
	record.note[0] = rtls_slice("for the log, once");
	assert_int_equal(
		rtls_cache_get(spool_dir, "example.org", buffer, &got, &err),
		RTLS_NONE);
	assert_int_equal(rtls_cache_put(spool_dir, &record, &err), RTLS_OK);
	assert_int_equal(
		rtls_cache_get(spool_dir, "example.org", buffer, &got, &err),
		RTLS_OK);
	assert_true(rtls_slice_is(got.domain, "example.org"));
	assert_int_equal(got.mx_count, 1);
	assert_int_equal(got.mx_until_s, 1795290320);
	assert_int_equal(got.note_count, 0);
	assert_int_equal(record.note_count, 1);
	assert_int_equal(mode_of(in_spool("cache/51/example.org")), 0640);

	assert_int_equal(
		rtls_cache_remove(spool_dir, "example.org", &err), RTLS_OK);
	assert_int_equal(
		rtls_cache_remove(spool_dir, "example.org", &err), RTLS_NONE);
	assert_int_equal(
		rtls_cache_get(spool_dir, "example.org", buffer, &got, &err),
		RTLS_NONE);
	assert_int_equal(open_fds(), fds);
}

static enum rtls_status get(const char *wanted)
{
	struct rtls_record record;
	struct rtls_err err = { "" };
	enum rtls_status status =
		rtls_cache_get(spool_dir, "example.org", buffer, &record, &err);

	assert_non_null(strstr(err.text, wanted));
	return status;
}

static void an_unreadable_record_is_a_miss(void **state)
{
	const char *path = in_spool("cache/51/example.org");
	char *huge = calloc(1, RTLS_RECORD_SIZE_MAX + 1);
	char *whole;

	(void)state;
	assert_int_equal(put("example.org"), RTLS_OK);
	whole = content_of(path);
	/* Cut anywhere it is unreadable or, between two lines, shorter. */
	for (size_t size = 0; size < strlen(whole); size++) {
		struct rtls_record record;

		write_file(path, whole, size);
		assert_in_range(rtls_cache_get(spool_dir, "example.org", buffer,
					&record, NULL),
			RTLS_OK, RTLS_INVALID);
		if (size == 0 || whole[size - 1] != '\n')
			assert_int_equal(get("example.org"), RTLS_INVALID);
	}
	free(whole);
	write_file(path, "garbage\x1b\n", 9);
	assert_int_equal(get("cache record of example.org"), RTLS_INVALID);
	assert_non_null(huge);
	write_file(path, huge, RTLS_RECORD_SIZE_MAX + 1);
	free(huge);
	assert_int_equal(get("larger than"), RTLS_INVALID);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(get("not a regular file"), RTLS_INVALID);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(get("symbolic link"), RTLS_INVALID);
}

static void the_record_of_another_domain_is_a_miss(void **state)
{
	(void)state;
	assert_int_equal(put("example.org"), RTLS_OK);
	assert_int_equal(put("mx_1.example"), RTLS_OK);
	assert_int_equal(rename(in_spool("cache/d0/mx_1.example"),
				 in_spool("cache/51/example.org")),
		0);
	assert_int_equal(get("example.org"), RTLS_INVALID);
}

static void a_linked_directory_is_not_entered(void **state)
{
	char outside[64];

	(void)state;
	(void)snprintf(outside, sizeof(outside), "%s/outside", base_dir);
	assert_int_equal(put("example.org"), RTLS_OK);
	assert_int_equal(rename(in_spool("cache/51"), outside), 0);
	assert_int_equal(symlink("../../outside", in_spool("cache/51")), 0);
	assert_int_equal(get("directory of"), RTLS_TEMPORARY);
	assert_int_equal(put("example.org"), RTLS_TEMPORARY);
}

static void refuses_to_write_nonsense(void **state)
{
	struct rtls_record record = make_record("Not Normal");
	struct rtls_err err = { "" };

	(void)state;
	assert_int_equal(
		rtls_cache_put(spool_dir, &record, &err), RTLS_INVALID);
	record = make_record("a.example");
	record.domain = rtls_slice_n("a.exa\0ple", 9);
	assert_int_equal(
		rtls_cache_put(spool_dir, &record, &err), RTLS_INVALID);
	record = make_record("a.example");
	record.mx_count = 0; /* mx-answer hosts without hosts */
	assert_int_not_equal(rtls_cache_put(spool_dir, &record, &err), RTLS_OK);
	assert_int_equal(count_entries(spool_dir), 1);
}

struct seen {
	char names[256];
	int count;
	int stop_after;
};

static bool visit(const char *domain, void *context)
{
	struct seen *seen = context;

	size_t size = strlen(seen->names);

	(void)snprintf(
		seen->names + size, sizeof(seen->names) - size, "%s ", domain);
	return ++seen->count != seen->stop_after;
}

static void visits_each_domain(void **state)
{
	struct seen seen = { "", 0, 0 };
	struct rtls_err err = { "" };
	int fds = open_fds();

	(void)state;
	assert_int_equal(
		rtls_cache_each(spool_dir, visit, &seen, &err), RTLS_OK);
	assert_int_equal(seen.count, 0);
	assert_int_equal(
		rtls_cache_each(in_spool("none"), visit, &seen, &err), RTLS_OK);

	assert_int_equal(put("example.org"), RTLS_OK);
	assert_int_equal(put("mx_1.example"), RTLS_OK);
	write_file(in_spool("cache/51/.tmp-1-2-3"), "x", 1);
	write_file(in_spool("cache/51/Example.org"), "x", 1);
	write_file(in_spool("cache/51/a b"), "x", 1);
	write_file(in_spool("cache/51/mx_1.example"), "x", 1); /* wrong one */
	write_file(in_spool("cache/example.org"), "x", 1);
	assert_int_equal(mkdir(in_spool("cache/zz"), 0755), 0);
	write_file(in_spool("cache/zz/example.org"), "x", 1);
	assert_int_equal(
		rtls_cache_each(spool_dir, visit, &seen, &err), RTLS_OK);
	assert_string_equal(seen.names, "example.org mx_1.example ");

	memset(&seen, 0, sizeof(seen));
	seen.stop_after = 1;
	assert_int_equal(
		rtls_cache_each(spool_dir, visit, &seen, &err), RTLS_OK);
	assert_int_equal(seen.count, 1);
	write_file(in_spool("cache/a0"), "", 0);
	seen.stop_after = 0;
	assert_int_equal(
		rtls_cache_each(spool_dir, visit, &seen, &err), RTLS_TEMPORARY);
	assert_non_null(strstr(err.text, "cache/a0"));
	assert_int_equal(open_fds(), fds);
}

/* --- the bound --------------------------------------------------------------- */

#define NOW INT64_C(1795290320)

/* Domains that all lie in one directory. */
static void name_in_bucket(unsigned number, char domain[RTLS_DOMAIN_SIZE])
{
	char path[RTLS_CACHE_PATH_MAX];

	for (unsigned i = 0, found = 0;; i++) {
		(void)snprintf(domain, RTLS_DOMAIN_SIZE, "d%u.example", i);
		assert_int_equal(
			rtls_cache_path(spool_dir, domain, path), RTLS_OK);
		if (strstr(path, "/cache/51/") != NULL && found++ == number)
			return;
	}
}

static void put_used(unsigned number, int64_t used_s, int64_t policy_until_s)
{
	char domain[RTLS_DOMAIN_SIZE];
	struct rtls_record record;

	name_in_bucket(number, domain);
	record = make_record(domain);
	record.used_s = used_s;
	if (policy_until_s != 0) {
		record.policy_text = rtls_slice("version: STSv1\n");
		record.policy_fetched_s = policy_until_s - 86400;
		record.policy_until_s = policy_until_s;
		record.policy_digest = rtls_slice(
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	}
	assert_int_equal(rtls_cache_put(spool_dir, &record, NULL), RTLS_OK);
}

/* Which of the first 16 are there, as bits. */
static unsigned there(void)
{
	unsigned found = 0;

	for (unsigned i = 0; i < 16; i++) {
		char domain[RTLS_DOMAIN_SIZE];
		struct rtls_record record;

		name_in_bucket(i, domain);
		if (rtls_cache_get(spool_dir, domain, buffer, &record, NULL) !=
			RTLS_NONE)
			found |= 1U << i;
	}
	return found;
}

static enum rtls_status make_room(unsigned domains_max)
{
	return rtls_cache_make_room(
		spool_dir, "example.org", domains_max, NOW, NULL);
}

static void gives_up_what_is_used_least(void **state)
{
	(void)state;
	assert_int_equal(make_room(1), RTLS_OK); /* nothing there yet */
	put_used(0, NOW - 10, 0);
	put_used(1, NOW - 30, 0);
	put_used(2, NOW - 20, 0);
	put_used(3, NOW - 40, NOW + 60);
	assert_int_equal(make_room(5 * 256), RTLS_OK);
	assert_int_equal(there(), 0xf);
	/* Each directory has its share, rounded up. */
	assert_int_equal(make_room(4 * 256), RTLS_OK);
	assert_int_equal(there(), 0xd);
	assert_int_equal(make_room(2 * 256 + 1), RTLS_OK);
	assert_int_equal(there(), 0x9);
	/* A policy goes last, however long ago it was of use. */
	assert_int_equal(make_room(2 * 256), RTLS_OK);
	assert_int_equal(there(), 0x8);
	assert_int_equal(make_room(1), RTLS_OK);
	assert_int_equal(there(), 0);
}

static void gives_up_an_eighth(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16; i++)
		put_used(i, NOW - 100 + i, 0);
	assert_int_equal(make_room(17 * 256), RTLS_OK);
	assert_int_equal(there(), 0xffff);
	/* Of 16, room for the new one and 2 more. */
	assert_int_equal(make_room(16 * 256), RTLS_OK);
	assert_int_equal(there(), 0xfff8);
}

static void judges_what_is_stored(void **state)
{
	char domain[RTLS_DOMAIN_SIZE], path[RTLS_CACHE_PATH_MAX];

	(void)state;
	put_used(0, NOW + 86400 * 400, 0); /* used, says a wrong clock */
	put_used(1, NOW, NOW + 60);
	put_used(2, NOW, NOW - 60); /* the policy ran out */
	put_used(3, NOW, 0);
	name_in_bucket(3, domain);
	assert_int_equal(rtls_cache_path(spool_dir, domain, path), RTLS_OK);
	write_file(path, "rubbish", 7);
	/* What cannot be read goes first. */
	assert_int_equal(make_room(4 * 256), RTLS_OK);
	assert_int_equal(there(), 0x7);
	assert_int_equal(make_room(2 * 256), RTLS_OK);
	assert_int_equal(there(), 0x2);
}

static void room_for_no_domain(void **state)
{
	struct rtls_err err = { "" };

	(void)state;
	assert_int_equal(
		rtls_cache_make_room(spool_dir, "../x", 1000, NOW, &err),
		RTLS_INVALID);
	assert_string_not_equal(err.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(path_of_a_domain),
		TEST(path_must_fit),
		TEST(gives_back_what_was_put),
		TEST(an_unreadable_record_is_a_miss),
		TEST(the_record_of_another_domain_is_a_miss),
		TEST(a_linked_directory_is_not_entered),
		TEST(refuses_to_write_nonsense),
		TEST(visits_each_domain),
		TEST(gives_up_what_is_used_least),
		TEST(gives_up_an_eighth),
		TEST(judges_what_is_stored),
		TEST(room_for_no_domain),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
