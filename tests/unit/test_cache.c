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
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
