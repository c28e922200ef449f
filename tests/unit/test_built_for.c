/* test_built_for.c - what a module says it was built for. */
#include "check.h"
#include "policy/built_for.h"

#define MARK RTLS_BUILT_FOR_MARK

struct row {
	const char *proves;
	struct rtls_slice file;
	enum rtls_status status;
	const char *release;
};

static const struct row rows[] = {
	{ "among other bytes", TEXT("\177ELF\0\1" MARK "4.96\n\0\0x"), RTLS_OK,
		"4.96" },
	{ "a candidate's name", TEXT(MARK "4.98.2-RC1_a+x\n"), RTLS_OK,
		"4.98.2-RC1_a+x" },
	{ "as long as may be", TEXT(MARK "0123456789012345678901234567890\n"),
		RTLS_OK, "0123456789012345678901234567890" },
	{ "too long", TEXT(MARK "01234567890123456789012345678901\n"),
		RTLS_NONE, NULL },
	{ "another file", TEXT("\177ELF Exim 4.96\n"), RTLS_NONE, NULL },
	{ "nothing behind it", TEXT(MARK "\n"), RTLS_NONE, NULL },
	{ "it is not ended", TEXT(MARK "4.96"), RTLS_NONE, NULL },
	{ "ended by something else", TEXT(MARK "4.96\0"), RTLS_NONE, NULL },
	{ "foreign bytes", TEXT(MARK "4.\x1b[31m\n"), RTLS_NONE, NULL },
	{ "the format of a message is none", TEXT(MARK "%s\n" MARK "4.96\n"),
		RTLS_OK, "4.96" },
	{ "twice the same", TEXT(MARK "4.96\nx" MARK "4.96\n"), RTLS_OK,
		"4.96" },
	{ "two that differ", TEXT(MARK "4.96\nx" MARK "4.97\n"), RTLS_INVALID,
		NULL },
	{ "half of it, and then all", TEXT("exim-requiretls: mod" MARK "4.9\n"),
		RTLS_OK, "4.9" },
	{ "nothing", TEXT(""), RTLS_NONE, NULL },
};

static void test_row(void **state)
{
	const struct row *row = *state;

	for (size_t size = 0; size <= row->file.size; size++) {
		char *copy = check_copy(row->file, size);
		char release[RTLS_BUILT_FOR_SIZE] = "untouched";
		enum rtls_status status =
			rtls_built_for_find(rtls_slice_n(copy, size), release);

		free(copy);
		if (status != RTLS_OK)
			assert_string_equal(release, "untouched");
		if (size < row->file.size)
			continue;
		assert_int_equal(status, row->status);
		if (row->release != NULL)
			assert_string_equal(release, row->release);
	}
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	return check_run(&suite, "built_for");
}
