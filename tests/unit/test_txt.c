/* test_txt.c - TXT records on one line, plain or as dig prints them
 * (items A1.3 and B1.5: joined without spaces). */
#include "check.h"
#include "policy/sts_record.h"
#include "policy/txt.h"

#define OUT_SIZE 32

struct row {
	const char *proves;
	struct rtls_slice line;
	enum rtls_status status;
	struct rtls_slice joined; /* or words of the reason */
};

static const struct row rows[] = {
	{ "A1.3 plain text as it is", TEXT("v=STSv1; id=x1"), RTLS_OK,
		TEXT("v=STSv1; id=x1") },
	{ "A1.3 plain text keeps its blanks", TEXT(" v=STSv1; id=x1 "), RTLS_OK,
		TEXT(" v=STSv1; id=x1 ") },
	{ "A1.3 plain text keeps quotes and backslashes",
		TEXT("a\\\"\\065 \"b"), RTLS_OK, TEXT("a\\\"\\065 \"b") },
	{ "A1.3 plain text has no limit here",
		TEXT("0123456789012345678901234567890123456789"), RTLS_OK,
		TEXT("0123456789012345678901234567890123456789") },
	{ "A1.3 empty line", TEXT(""), RTLS_OK, TEXT("") },
	{ "A1.3 blank line", TEXT(" \t"), RTLS_OK, TEXT(" \t") },
	{ "A1.3 one string", TEXT("\"v=STSv1; id=x1\""), RTLS_OK,
		TEXT("v=STSv1; id=x1") },
	{ "A1.3 B1.5 strings are joined without a space",
		TEXT("\"v=STSv1; id=\" \"x1\""), RTLS_OK,
		TEXT("v=STSv1; id=x1") },
	{ "A1.3 blanks inside strings stay", TEXT("\"a \"\t\" b\""), RTLS_OK,
		TEXT("a  b") },
	{ "A1.3 no blank between strings", TEXT("\"a\"\"b\""), RTLS_OK,
		TEXT("ab") },
	{ "A1.3 blanks around the strings", TEXT(" \t\"a\" \"b\" \t"), RTLS_OK,
		TEXT("ab") },
	{ "A1.3 empty string", TEXT("\"\""), RTLS_OK, TEXT("") },
	{ "A1.3 empty strings", TEXT("\"\" \"a\" \"\""), RTLS_OK, TEXT("a") },
	{ "A1.3 escaped quote and backslash", TEXT("\"a\\\"b\\\\c\""), RTLS_OK,
		TEXT("a\"b\\c") },
	{ "A1.3 escaped ; as some tools write it", TEXT("\"v=STSv1\\; id=x\""),
		RTLS_OK, TEXT("v=STSv1; id=x") },
	{ "A1.3 decimal escapes", TEXT("\"\\065\\000\\255\""), RTLS_OK,
		TEXT("A\0\xff") },
	{ "A1.3 a digit behind an escape", TEXT("\"\\0651\""), RTLS_OK,
		TEXT("A1") },
	{ "A1.3 bytes above 126 stay", TEXT("\"\xc3\xa4\""), RTLS_OK,
		TEXT("\xc3\xa4") },
	{ "A1.3 as long as it may be",
		TEXT("\"01234567890123456789012345678901\""), RTLS_OK,
		TEXT("01234567890123456789012345678901") },
	{ "A1.3 too long", TEXT("\"012345678901234567890123456789012\""),
		RTLS_INVALID, TEXT("too long") },
	{ "A1.3 too long by an escape",
		TEXT("\"01234567890123456789012345678901\\032\""), RTLS_INVALID,
		TEXT("too long") },
	{ "A1.3 escape above 255", TEXT("\"\\256\""), RTLS_INVALID,
		TEXT("three digits") },
	{ "A1.3 escape of two digits", TEXT("\"\\65\""), RTLS_INVALID,
		TEXT("three digits") },
	{ "A1.3 escape of two digits at the end", TEXT("\"\\65"), RTLS_INVALID,
		TEXT("three digits") },
	{ "A1.3 open quote", TEXT("\"a"), RTLS_INVALID, TEXT("closing") },
	{ "A1.3 only a quote", TEXT("\""), RTLS_INVALID, TEXT("closing") },
	{ "A1.3 open second quote", TEXT("\"a\" \""), RTLS_INVALID,
		TEXT("closing") },
	{ "A1.3 the closing quote is escaped", TEXT("\"a\\\""), RTLS_INVALID,
		TEXT("closing") },
	{ "A1.3 backslash at the end", TEXT("\"a\\"), RTLS_INVALID,
		TEXT("closing") },
	{ "A1.3 junk between strings", TEXT("\"a\" b \"c\""), RTLS_INVALID,
		TEXT("quoted strings") },
	{ "A1.3 junk behind a string", TEXT("\"a\"b"), RTLS_INVALID,
		TEXT("quoted strings") },
};

static enum rtls_status join_copy(struct rtls_slice whole, size_t size,
	char *out, size_t *out_used, struct rtls_err *err)
{
	struct rtls_slice line = { check_copy(whole, size), size };
	char *buffer = malloc(OUT_SIZE);
	struct rtls_slice joined;
	enum rtls_status status;

	assert_non_null(buffer);
	check_touch_not(&joined, sizeof(joined));
	err->text[0] = '\0';
	status = rtls_txt_join(line, buffer, OUT_SIZE, &joined, err);
	if (status == RTLS_OK) {
		struct rtls_slice room = { buffer, OUT_SIZE };

		assert_true(check_inside(line, joined) ||
			    check_inside(room, joined));
		if (joined.size > 0)
			memcpy(out, joined.data, joined.size);
		*out_used = joined.size;
	} else {
		assert_int_equal(status, RTLS_INVALID);
		assert_true(check_is_untouched(&joined, sizeof(joined)));
		assert_true(err->text[0] != '\0');
	}
	free(buffer);
	free((char *)(uintptr_t)line.data);
	return status;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct rtls_err err;
	char out[128];
	size_t size = 0;

	assert_int_equal(join_copy(row->line, row->line.size, out, &size, &err),
		row->status);
	if (row->status == RTLS_OK)
		assert_true(
			rtls_slice_equal(rtls_slice_n(out, size), row->joined));
	else
		check_err(&err, row->joined.data);
}

static void test_cuts(void **state)
{
	struct rtls_err err;
	char out[128];
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t size = 0; size < rows[i].line.size; size++)
			(void)join_copy(rows[i].line, size, out, &used, &err);
}

static void test_no_room(void **state)
{
	struct rtls_slice joined;

	(void)state;
	assert_int_equal(
		rtls_txt_join(rtls_slice("\"\""), NULL, 0, &joined, NULL),
		RTLS_OK);
	assert_int_equal(joined.size, 0);
	assert_int_equal(
		rtls_txt_join(rtls_slice("\"a\""), NULL, 0, &joined, NULL),
		RTLS_INVALID);
}

static void test_then_parse(void **state)
{
	struct rtls_sts_record record;
	struct rtls_slice joined;
	char out[OUT_SIZE];

	(void)state;
	assert_int_equal(
		rtls_txt_join(rtls_slice("\"v=STS\" \"v1; i\" \"d=x1\""), out,
			sizeof(out), &joined, NULL),
		RTLS_OK);
	assert_int_equal(rtls_sts_record_parse(joined, &record, NULL), RTLS_OK);
	check_slice(record.id, "x1");
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "each line cut at every length", test_cuts, NULL);
	check_add(&suite, "A1.3 no room at all", test_no_room, NULL);
	check_add(&suite,
		"A1.3 a version cut into strings is joined before "
		"it is parsed",
		test_then_parse, NULL);
	return check_run(&suite, "txt");
}
