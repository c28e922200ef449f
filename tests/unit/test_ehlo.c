/* test_ehlo.c - what a host says of itself in answer to EHLO. */
#include "check.h"
#include "policy/ehlo.h"

struct row {
	const char *proves;
	struct rtls_slice answer;
	const char *name;
	bool starttls;
	bool requiretls;
};

static const struct row rows[] = {
	{ "name and extension",
		TEXT("250-mx.example Hello\r\n250-SIZE 1\r\n250 STARTTLS\r\n"),
		"mx.example", true, false },
	{ "LF alone", TEXT("250-mx.example\n250-STARTTLS\n250 HELP\n"),
		"mx.example", true, false },
	{ "not offered", TEXT("250-mx.example\r\n250 HELP\r\n"), "mx.example",
		false, false },
	{ "the name is no extension", TEXT("250 STARTTLS\r\n"), "STARTTLS",
		false, false },
	{ "a longer word is another", TEXT("250-x\r\n250 STARTTLSX\r\n"), "x",
		false, false },
	{ "as Exim, which compares capitals", TEXT("250-x\r\n250 starttls\r\n"),
		"x", false, false },
	{ "with a parameter", TEXT("250-x\r\n250 STARTTLS now\r\n"), "x", true,
		false },
	{ "lines too short are none", TEXT("250\r\n250-x\r\n"), "x", false,
		false },
	{ "no name", TEXT("250-\r\n250 STARTTLS\r\n"), "", true, false },
	{ "REQUIRETLS", TEXT("250-x\r\n250-requiretls\r\n250 HELP\r\n"), "x",
		false, true },
	{ "as a name it is none", TEXT("250 REQUIRETLS\r\n"), "REQUIRETLS",
		false, false },
	{ "nothing", TEXT(""), "", false, false },
};

static void test_row(void **state)
{
	const struct row *row = *state;
	struct rtls_ehlo ehlo;

	rtls_ehlo_parse(row->answer, &ehlo);
	check_slice(ehlo.name, row->name);
	assert_int_equal(ehlo.starttls, row->starttls);
	assert_int_equal(ehlo.requiretls, row->requiretls);
	for (size_t size = 0; size <= row->answer.size; size++) {
		char *copy = check_copy(row->answer, size);

		rtls_ehlo_parse(rtls_slice_n(copy, size), &ehlo);
		assert_true(check_inside(rtls_slice_n(copy, size), ehlo.name));
		free(copy);
	}
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	return check_run(&suite, "ehlo");
}
