/* test_reported.c - on which domains reports are sent (item B9.1). */
#include <stdio.h>

#include "check.h"
#include "policy/reported.h"

struct row {
	const char *proves;
	struct rtls_slice text;
	const char *wrong; /* NULL: the file is good */
	/* words: domains reported on, "/", domains not reported on */
	const char *domains;
};

static const struct row rows[] = {
	{ "B9.1 an empty file: all", TEXT(""), NULL, "a.example /" },
	{ "B9.1 comments and blank lines", TEXT("# silent *\n\n \t\n\t#"), NULL,
		"a.example /" },
	{ "B9.1 one domain", TEXT("silent a.example"), NULL,
		"b.example x.a.example aa.example / a.example A.Example" },
	{ "B9.1 a wildcard", TEXT("silent *.a.example\r\n"), NULL,
		"a.example / x.a.example x.y.a.example" },
	{ "B9.1 the first line that matches counts",
		TEXT("\treport  www.a.example \n silent *a.example\nreport "
		     "x.a.example"),
		NULL, "www.a.example b.example / a.example x.a.example" },
	{ "B9.1 only one domain", TEXT("report a.example\nsilent *"), NULL,
		"a.example / b.example" },
	{ "B9.1 one character", TEXT("silent d?.example"), NULL,
		"d.example d10.example / d1.example" },
	{ "B9.1 another word", TEXT("#\nquiet a.example"),
		"line 2: expected report or silent", NULL },
	{ "B9.1 words have a case", TEXT("Silent a.example"),
		"line 1: expected report or silent", NULL },
	{ "B9.1 no domain", TEXT("silent a.example\nsilent"),
		"line 2: expected a domain", NULL },
	{ "B9.1 an address", TEXT("silent a@b.example"),
		"line 1: expected a domain", NULL },
	{ "B9.1 a U-label", TEXT("silent \xc3\xbc.example"),
		"line 1: expected a domain", NULL },
	{ "B9.1 NUL", TEXT("silent a\0.example"), "line 1: expected a domain",
		NULL },
	{ "B9.1 two domains", TEXT("silent a.example b.example"),
		"line 1: expected nothing behind the domain", NULL },
	{ "B9.1 a comment behind the domain", TEXT("silent a.example # x"),
		"line 1: expected nothing behind the domain", NULL },
};

static void check_domains(
	const struct rtls_reported *reported, const char *domains)
{
	struct rtls_slice rest = rtls_slice(domains), word;
	bool wanted = true;

	while (rtls_slice_word(&rest, &word)) {
		if (rtls_slice_is(word, "/"))
			wanted = false;
		else
			assert_int_equal(
				rtls_reported_has(reported, word), wanted);
	}
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct rtls_reported reported;
	struct rtls_err err = { "" };
	char *copy = check_copy(row->text, row->text.size);

	check_touch_not(&reported, sizeof(reported));
	assert_int_equal(rtls_reported_parse(rtls_slice_n(copy, row->text.size),
				 &reported, &err),
		row->wrong == NULL ? RTLS_OK : RTLS_INVALID);
	if (row->wrong == NULL) {
		check_domains(&reported, row->domains);
	} else {
		check_err(&err, row->wrong);
		assert_true(check_is_untouched(&reported, sizeof(reported)));
	}
	free(copy);
}

/* At every length: good or not, nothing behind it is read. */
static void test_cut(void **state)
{
	const struct row *row = *state;
	struct rtls_reported reported;

	for (size_t size = 0; size < row->text.size; size++) {
		char *copy = check_copy(row->text, size);
		enum rtls_status status = rtls_reported_parse(
			rtls_slice_n(copy, size), &reported, NULL);

		assert_true(status == RTLS_OK || status == RTLS_INVALID);
		free(copy);
	}
}

static void test_limits(void **state)
{
	static char text[RTLS_REPORTED_SIZE_MAX + 2];
	struct rtls_reported reported;
	struct rtls_err err = { "" };
	size_t size = 0;

	(void)state;
	for (size_t i = 0; i <= RTLS_REPORTED_MAX; i++) {
		size += (size_t)snprintf(
			text + size, sizeof(text) - size, "silent a\n");
		assert_int_equal(rtls_reported_parse(rtls_slice_n(text, size),
					 &reported, &err),
			i < RTLS_REPORTED_MAX ? RTLS_OK : RTLS_INVALID);
	}
	check_err(&err, "line 257: expected at most 256 lines");
	memset(text, '#', sizeof(text));
	assert_int_equal(
		rtls_reported_parse(rtls_slice_n(text, RTLS_REPORTED_SIZE_MAX),
			&reported, &err),
		RTLS_OK);
	assert_int_equal(rtls_reported_parse(
				 rtls_slice_n(text, RTLS_REPORTED_SIZE_MAX + 1),
				 &reported, &err),
		RTLS_INVALID);
	check_err(&err, "at most 65536 bytes");
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	CHECK_TABLE(&suite, test_cut, rows);
	check_add(&suite, "B9.1 limits", test_limits, NULL);
	return check_run(&suite, "reported");
}
