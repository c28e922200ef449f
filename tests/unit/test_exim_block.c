/* test_exim_block.c - routers and transports as Exim prints them. */
#include "check.h"
#include "policy/exim_block.h"

static const struct rtls_slice text =
	TEXT("\nremote router:\ndriver = dnslookup\nno_more\nself = a = b\n"
	     "empty = \n\nlast router:\ntransport = x");

static void test_blocks(void **state)
{
	struct rtls_slice rest = text;
	struct rtls_exim_block block;

	(void)state;
	assert_true(rtls_exim_block_next(&rest, "router", &block));
	assert_true(rtls_slice_is(block.name, "remote"));
	assert_true(rtls_slice_is(
		rtls_exim_block_option(&block, "driver"), "dnslookup"));
	assert_true(
		rtls_slice_is(rtls_exim_block_option(&block, "self"), "a = b"));
	assert_int_equal(rtls_exim_block_option(&block, "empty").size, 0);
	assert_int_equal(rtls_exim_block_option(&block, "transport").size, 0);
	assert_true(rtls_exim_block_has(&block, "no_more"));
	assert_false(rtls_exim_block_has(&block, "more"));
	assert_true(rtls_exim_block_next(&rest, "router", &block));
	assert_true(rtls_slice_is(block.name, "last"));
	assert_true(rtls_slice_is(
		rtls_exim_block_option(&block, "transport"), "x"));
	assert_false(rtls_exim_block_next(&rest, "router", &block));
	assert_true(rtls_exim_block_find(
		text, "router", rtls_slice("last"), &block));
	assert_false(rtls_exim_block_find(
		text, "router", rtls_slice("other"), &block));
	rest = text;
	assert_false(rtls_exim_block_next(&rest, "transport", &block));
}

/* Cut anywhere: it stays inside. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t size = 0; size <= text.size; size++) {
		char *copy = check_copy(text, size);
		struct rtls_slice all = rtls_slice_n(copy, size), rest = all;
		struct rtls_exim_block block;

		while (rtls_exim_block_next(&rest, "router", &block)) {
			assert_true(check_inside(all, block.name));
			assert_true(check_inside(all, block.body));
			assert_true(check_inside(
				all, rtls_exim_block_option(&block, "self")));
		}
		free(copy);
	}
}

int main(void)
{
	static struct check_suite suite;

	check_add(&suite, "blocks", test_blocks, NULL);
	check_add(&suite, "cut", test_cut, NULL);
	return check_run(&suite, "exim_block");
}
