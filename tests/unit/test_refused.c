/* test_refused.c - notes on flagged messages whose hosts were all refused. */
#include "spool_dir.h"

#include "store/refused.h"

#define ID_496 "1sXyZa-000123-AB"
#define ID_497 "1sXyZa-00000001234-AbCd"
#define TEXT   "5.7.30 no MX host of a.example offers REQUIRETLS"

static enum rtls_status put(
	const char *id, const char *domain, const char *text)
{
	int fds = open_fds();
	enum rtls_status status =
		rtls_refused_put(spool_dir, id, domain, rtls_slice(text), NULL);

	assert_int_equal(open_fds(), fds);
	return status;
}

/* The note, or "" when there is none. */
static const char *get(const char *id, const char *domain)
{
	static char text[RTLS_ERR_SIZE];
	int fds = open_fds();
	enum rtls_status status =
		rtls_refused_get(spool_dir, id, domain, text, NULL);

	assert_int_equal(open_fds(), fds);
	if (status != RTLS_OK) {
		assert_int_equal(status, RTLS_NONE);
		assert_string_equal(text, "");
	}
	return text;
}

static void one_note_per_message_and_domain(void **state)
{
	(void)state;
	assert_string_equal(get(ID_496, "a.example"), "");
	assert_int_equal(put(ID_496, "a.example", TEXT), RTLS_OK);
	assert_int_equal(put(ID_496, "b.example", "5.7.10 b"), RTLS_OK);
	assert_int_equal(put(ID_497, "a.example", "5.7.10 other"), RTLS_OK);
	assert_string_equal(get(ID_496, "a.example"), TEXT);
	assert_string_equal(get(ID_496, "b.example"), "5.7.10 b");
	assert_string_equal(get(ID_496, "c.example"), "");
	assert_string_equal(get(ID_496, "example"), "");
	assert_string_equal(get(ID_497, "a.example"), "5.7.10 other");
	assert_string_equal(get(ID_497, "b.example"), "");
}

static void the_newest_note_counts(void **state)
{
	(void)state;
	assert_int_equal(put(ID_496, "a.example", "first"), RTLS_OK);
	assert_int_equal(put(ID_496, "a.example", "second"), RTLS_OK);
	assert_string_equal(get(ID_496, "a.example"), "second");
	/* The same again, once per retry, does not make the file grow. */
	for (int i = 0; i < 10; i++)
		assert_int_equal(put(ID_496, "a.example", "second"), RTLS_OK);
	assert_content(in_spool("refused/" ID_496),
		"a.example\tfirst\na.example\tsecond\n");
}

static void foreign_bytes_stay_on_their_line(void **state)
{
	char longer[1000];

	(void)state;
	assert_int_equal(
		put(ID_496, "a.example", "x\nb.example\tforged\x80"), RTLS_OK);
	assert_string_equal(get(ID_496, "b.example"), "");
	assert_string_equal(
		get(ID_496, "a.example"), "x\\x0ab.example\\x09forged\\x80");
	memset(longer, 'y', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(put(ID_496, "c.example", longer), RTLS_OK);
	assert_int_equal(strlen(get(ID_496, "c.example")), RTLS_ERR_SIZE - 1);
	assert_int_equal(put(ID_496, "d.example", ""), RTLS_OK);
}

static void names_are_checked(void **state)
{
	static const char *const ids[] = { "", ".", "..", "../cache/x", "a/b",
		"a b", "1sXyZa.000123.AB",
		"1234567890123456789012345678901234567890" };
	static const char *const domains[] = { "", "A.example", "a.example.",
		"a\tb", "a\nb" };
	char text[RTLS_ERR_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_int_equal(put(ids[i], "a.example", "x"), RTLS_INVALID);
		assert_int_equal(rtls_refused_get(spool_dir, ids[i],
					 "a.example", text, NULL),
			RTLS_INVALID);
	}
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		assert_int_equal(put(ID_496, domains[i], "x"), RTLS_INVALID);
	assert_int_equal(count_entries(spool_dir), 1);
}

static void a_damaged_file_is_read_as_far_as_it_goes(void **state)
{
	static const char content[] = "\n\tx\nno tab\n"
				      "a.example\tgood \x1b\xff\n"
				      "b.example\ttorn";
	static char longer[40000];
	const char *path = in_spool("refused/" ID_496);
	int fd;

	(void)state;
	assert_int_equal(put(ID_496, "a.example", "x"), RTLS_OK);
	write_file(path, content, sizeof(content) - 1);
	assert_string_equal(get(ID_496, "a.example"), "good ??");
	assert_string_equal(get(ID_496, "b.example"), "");
	assert_string_equal(get(ID_496, "no"), "");

	/* Longer than a buffer, and than what the caller has room for. */
	memset(longer, 'z', sizeof(longer));
	(void)memcpy(longer, "c.example\t", sizeof("c.example\t") - 1);
	longer[1000] = '\n';
	(void)memcpy(longer + 1001, "d.example\t", sizeof("d.example\t") - 1);
	longer[39999] = '\n';
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, longer, sizeof(longer)), sizeof(longer));
	(void)close(fd);
	assert_int_equal(strlen(get(ID_496, "c.example")), RTLS_ERR_SIZE - 1);
	assert_string_equal(get(ID_496, "d.example"), "");
}

static void says_when_it_cannot_write(void **state)
{
	struct rtls_err err = { "" };

	(void)state;
	write_file(in_spool("refused"), "", 0);
	assert_int_equal(rtls_refused_put(spool_dir, ID_496, "a.example",
				 rtls_slice("x"), &err),
		RTLS_TEMPORARY);
	assert_string_not_equal(err.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_note_per_message_and_domain),
		TEST(the_newest_note_counts),
		TEST(foreign_bytes_stay_on_their_line),
		TEST(names_are_checked),
		TEST(a_damaged_file_is_read_as_far_as_it_goes),
		TEST(says_when_it_cannot_write),
	};

	return cmocka_run_group_tests_name("refused", tests, NULL, NULL);
}
