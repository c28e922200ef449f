/* check.h - what the unit tests share: tables whose rows are cmocka tests of
 * their own, and inputs in heap blocks of their exact size, so that ASan sees
 * one byte too many. */
#ifndef CHECK_H
#define CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/slice.h"
#include "policy/status.h"

#define CHECK_TESTS_MAX 512
#define CHECK_UNTOUCHED 0xa5

/* A slice of a literal, NUL bytes included. */
#define TEXT(literal)                                                          \
	{                                                                      \
		(literal), sizeof(literal) - 1                                 \
	}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct check_suite {
	struct CMUnitTest tests[CHECK_TESTS_MAX];
	size_t count;
};

static inline void check_add(struct check_suite *suite, const char *proves,
	CMUnitTestFunction function, const void *row)
{
	struct CMUnitTest test = { .name = proves,
		.test_func = function,
		.initial_state = (void *)(uintptr_t)row };

	if (suite->count == CHECK_TESTS_MAX)
		abort();
	suite->tests[suite->count++] = test;
}

/* Each row a test, named by its member "proves"; *state is the row. */
#define CHECK_TABLE(suite, function, table)                                    \
	do {                                                                   \
		for (size_t row_ = 0; row_ < COUNT(table); row_++)             \
			check_add((suite), (table)[row_].proves, (function),   \
				&(table)[row_]);                               \
	} while (0)

static inline int check_run(struct check_suite *suite, const char *name)
{
	return _cmocka_run_group_tests(
		name, suite->tests, suite->count, NULL, NULL);
}

/* The first size bytes of text in a block of just that size; free() it. No
 * bytes are NULL, as a slice may have it. */
static inline char *check_copy(struct rtls_slice text, size_t size)
{
	char *copy;

	if (size == 0)
		return NULL;
	copy = malloc(size);
	if (copy == NULL)
		abort();
	memcpy(copy, text.data, size);
	return copy;
}

static inline bool check_inside(
	struct rtls_slice outer, struct rtls_slice inner)
{
	uintptr_t start = (uintptr_t)outer.data, at = (uintptr_t)inner.data;

	return inner.size == 0 ||
	       (at >= start && inner.size <= outer.size &&
		       at - start <= outer.size - inner.size);
}

static inline void check_touch_not(void *out, size_t size)
{
	memset(out, CHECK_UNTOUCHED, size);
}

static inline bool check_is_untouched(const void *out, size_t size)
{
	const unsigned char *bytes = out;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] != CHECK_UNTOUCHED)
			return false;
	return true;
}

static inline void check_slice(struct rtls_slice slice, const char *wanted)
{
	if (rtls_slice_is(slice, wanted))
		return;
	print_error("got \"%.*s\", wanted \"%s\"\n", (int)slice.size,
		slice.size > 0 ? slice.data : "", wanted);
	fail();
}

/* The reason must hold the wanted words, and be terminated. */
static inline void check_err(const struct rtls_err *err, const char *wanted)
{
	assert_non_null(memchr(err->text, '\0', sizeof(err->text)));
	if (strstr(err->text, wanted) != NULL)
		return;
	print_error("got \"%s\", wanted \"%s\"\n", err->text, wanted);
	fail();
}

/* count times item, one comma fewer, between before and after; free() it. */
static inline char *check_repeat(
	const char *before, const char *item, size_t count, const char *after)
{
	size_t size = strlen(item);
	char *text = malloc(strlen(before) + count * size + strlen(after) + 1);
	char *at;

	if (text == NULL)
		abort();
	at = stpcpy(text, before);
	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, item);
	if (count > 0 && at[-1] == ',')
		at--;
	(void)stpcpy(at, after);
	return text;
}

#endif
