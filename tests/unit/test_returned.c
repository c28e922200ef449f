/* test_returned.c - where the returned message is in Exim's own report. */
#include "check.h"
#include "policy/returned.h"

#define PART  "\n--b\nContent-type: message/rfc822\n\n"
#define UTF8  "\n--b\nContent-type: message/global\n\n"
#define FIRST "Sorry.\n\n--b\nContent-type: text/plain\n\nNo.\n"

struct row {
	const char *proves;
	struct rtls_slice text;
	bool found;
	const char *headers; /* of the returned message */
	const char *new_type;
};

static const struct row rows[] = {
	{ "the last part", TEXT(FIRST PART "a: b\nc: d\n\nbody\n\n--b--\n"),
		true, "a: b\nc: d\n", "Content-type: text/rfc822-headers\n\n" },
	{ "of UTF-8", TEXT(FIRST UTF8 "a: b\n\nbody\n"), true, "a: b\n",
		"Content-type: message/global-headers\n\n" },
	{ "the first of several", TEXT(PART "a: b\n\n" PART "c: d\n\n"), true,
		"a: b\n", "Content-type: text/rfc822-headers\n\n" },
	{ "no message", TEXT(FIRST), false, NULL, NULL },
	{ "headers only already",
		TEXT("\n--b\nContent-type: text/rfc822-headers\n\na: b\n\n"),
		false, NULL, NULL },
	{ "another boundary",
		TEXT("\n--c\nContent-type: message/rfc822\n\na: b\n\n"), false,
		NULL, NULL },
	{ "a boundary that goes on",
		TEXT("\n--bb\nContent-type: message/rfc822\n\na: b\n\n"), false,
		NULL, NULL },
	{ "headers that do not end", TEXT(PART "a: b\n"), false, NULL, NULL },
	{ "empty", TEXT(""), false, NULL, NULL },
};

static void check_found(const struct row *row, struct rtls_returned *returned)
{
	const char *text = row->text.data;

	check_slice(rtls_slice_n(text + returned->headers,
			    returned->body - returned->headers),
		row->headers);
	assert_memory_equal(text + returned->type, "Content-type: message/",
		strlen("Content-type: message/"));
	assert_string_equal(returned->new_type, row->new_type);
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct rtls_returned returned;

	check_touch_not(&returned, sizeof(returned));
	assert_int_equal(
		rtls_returned_find(row->text, "b", &returned), row->found);
	if (row->found)
		check_found(row, &returned);
	else
		assert_true(check_is_untouched(&returned, sizeof(returned)));
	for (size_t size = 0; size < row->text.size; size++) {
		char *copy = check_copy(row->text, size);

		(void)rtls_returned_find(
			rtls_slice_n(copy, size), "b", &returned);
		free(copy);
	}
}

static void test_boundary(void **state)
{
	char boundary[RTLS_BOUNDARY_MAX + 128];
	struct rtls_returned returned;

	(void)state;
	memset(boundary, 'b', sizeof(boundary));
	boundary[sizeof(boundary) - 1] = '\0';
	assert_false(rtls_returned_find(rtls_slice(PART), boundary, &returned));
}

static void test_headers_only(void **state)
{
	(void)state;
	assert_true(rtls_returned_is_headers_only(
		rtls_slice("x\nContent-type: text/rfc822-headers\n\na: b\n")));
	assert_false(rtls_returned_is_headers_only(rtls_slice(PART)));
	assert_false(rtls_returned_is_headers_only(rtls_slice("")));
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "a boundary too long", test_boundary, NULL);
	check_add(&suite, "headers only", test_headers_only, NULL);
	return check_run(&suite, "returned");
}
