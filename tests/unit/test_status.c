/* test_status.c - the reason of a failure: cut, never failing. */
#include "check.h"

static void test_set(void **state)
{
	struct rtls_err err = { "old" };

	(void)state;
	rtls_err_set(&err, "line %d: %s", 3, "x");
	assert_string_equal(err.text, "line 3: x");
	rtls_err_set(&err, "%s", "");
	assert_string_equal(err.text, "");
}

static void test_set_null(void **state)
{
	(void)state;
	rtls_err_set(NULL, "line %d", 3);
}

static void test_set_cut(void **state)
{
	struct rtls_err *err = malloc(sizeof(*err));
	char longer[2 * RTLS_ERR_SIZE];

	(void)state;
	assert_non_null(err);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	rtls_err_set(err, "%s", longer);
	assert_int_equal(strlen(err->text), RTLS_ERR_SIZE - 1);
	free(err);
}

int main(void)
{
	static struct check_suite suite;

	check_add(&suite, "a reason is written", test_set, NULL);
	check_add(&suite, "nobody wants the reason", test_set_null, NULL);
	check_add(&suite, "a long reason is cut", test_set_cut, NULL);
	return check_run(&suite, "status");
}
