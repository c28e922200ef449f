/* test_policies.c - policy texts under their digest. */
#include "spool_dir.h"

#include "policy/sts_policy.h"
#include "store/policies.h"

#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static char buffer[RTLS_STS_POLICY_SIZE_MAX + 1];

static void digest_is_sha256(void **state)
{
	char digest[RTLS_DIGEST_SIZE];

	(void)state;
	assert_int_equal(
		rtls_policies_digest(rtls_slice("abc"), digest), RTLS_OK);
	assert_string_equal(digest, ABC);
	assert_int_equal(
		rtls_policies_digest(rtls_slice(NULL), digest), RTLS_OK);
	assert_string_equal(digest, EMPTY);
}

static enum rtls_status get(const char *digest, struct rtls_slice *text)
{
	int fds = open_fds();
	enum rtls_status status = rtls_policies_get(
		spool_dir, rtls_slice(digest), buffer, text, NULL);

	assert_int_equal(open_fds(), fds);
	return status;
}

static void put(const char *text)
{
	char digest[RTLS_DIGEST_SIZE];
	int fds = open_fds();

	assert_int_equal(
		rtls_policies_put(spool_dir, rtls_slice(text), digest, NULL),
		RTLS_OK);
	assert_int_equal(open_fds(), fds);
}

static void gives_back_what_was_put(void **state)
{
	char digest[RTLS_DIGEST_SIZE];
	struct rtls_slice text;

	(void)state;
	assert_int_equal(get(ABC, &text), RTLS_NONE);
	assert_int_equal(
		rtls_policies_put(spool_dir, rtls_slice("abc"), digest, NULL),
		RTLS_OK);
	assert_string_equal(digest, ABC);
	put("");
	assert_int_equal(get(ABC, &text), RTLS_OK);
	assert_true(rtls_slice_is(text, "abc"));
	assert_int_equal(get(EMPTY, &text), RTLS_OK);
	assert_int_equal(text.size, 0);
}

static void is_written_once_and_renewed(void **state)
{
	const char *path = in_spool("policy/" ABC);
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	struct stat before, after;

	(void)state;
	put("abc");
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mtime, 1000);
	put("abc");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_true(after.st_mtime > 1000);
}

static void a_damaged_text_is_written_again(void **state)
{
	const char *path = in_spool("policy/" ABC);
	struct rtls_slice text = rtls_slice("untouched");

	(void)state;
	put("abc");
	write_file(path, "ab", 2);
	assert_int_equal(get(ABC, &text), RTLS_INVALID);
	assert_true(rtls_slice_is(text, "untouched"));
	put("abc");
	assert_int_equal(get(ABC, &text), RTLS_OK);
	assert_true(rtls_slice_is(text, "abc"));
}

static void digests_only(void **state)
{
	static const char *const wrong[] = { "", "..", "../../etc/passwd",
		"ba7816bf", ABC "0",
		"BA7816BF8F01CFEA414140DE5DAE2223"
		"B00361A396177A9CB410FF61F20015AD",
		"ga7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad",
		"/a7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad" };
	struct rtls_slice text;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(get(wrong[i], &text), RTLS_INVALID);
}

static void size_is_capped(void **state)
{
	char *big = calloc(1, RTLS_STS_POLICY_SIZE_MAX + 1);
	char digest[RTLS_DIGEST_SIZE];
	struct rtls_slice text;

	(void)state;
	assert_non_null(big);
	assert_int_equal(rtls_policies_put(spool_dir,
				 rtls_slice_n(big, RTLS_STS_POLICY_SIZE_MAX),
				 digest, NULL),
		RTLS_OK);
	assert_int_equal(get(digest, &text), RTLS_OK);
	assert_int_equal(text.size, RTLS_STS_POLICY_SIZE_MAX);
	assert_int_equal(
		rtls_policies_put(spool_dir,
			rtls_slice_n(big, RTLS_STS_POLICY_SIZE_MAX + 1), digest,
			NULL),
		RTLS_INVALID);
	assert_string_equal(digest, "");
	free(big);
}

static void says_when_it_cannot_write(void **state)
{
	char digest[RTLS_DIGEST_SIZE];
	struct rtls_err err = { "" };

	(void)state;
	write_file(in_spool("policy"), "", 0);
	assert_int_equal(
		rtls_policies_put(spool_dir, rtls_slice("abc"), digest, &err),
		RTLS_TEMPORARY);
	assert_string_not_equal(err.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(digest_is_sha256),
		TEST(gives_back_what_was_put),
		TEST(is_written_once_and_renewed),
		TEST(a_damaged_text_is_written_again),
		TEST(digests_only),
		TEST(size_is_capped),
		TEST(says_when_it_cannot_write),
	};

	return cmocka_run_group_tests_name("policies", tests, NULL, NULL);
}
