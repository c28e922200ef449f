/* test_exposition.c - the text format of Prometheus, whatever the texts are. */
#include "spool_dir.h"

#include "check.h"
#include "tool/exposition.h"

static char *text;
static size_t size;
static struct rtls_exposition exposition;

static int start(void **state)
{
	(void)state;
	exposition.out = open_memstream(&text, &size);
	return exposition.out == NULL ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	free(text);
	return 0;
}

static void assert_written(const char *wanted)
{
	assert_int_equal(fclose(exposition.out), 0);
	assert_string_equal(text, wanted);
}

static void a_family_says_what_it_is_once(void **state)
{
	const struct rtls_label labels[] = { { "class", "strict" },
		{ "result", "success" } };

	(void)state;
	rtls_exposition_family(&exposition, RTLS_COUNTER, "a_total", "What.");
	rtls_exposition_sample(&exposition, labels, 2, 0);
	rtls_exposition_sample(&exposition, labels, 1, UINT64_MAX);
	rtls_exposition_gauge(&exposition, "b", "That.", 7);
	assert_written(
		"# HELP exim_requiretls_a_total What.\n"
		"# TYPE exim_requiretls_a_total counter\n"
		"exim_requiretls_a_total{class=\"strict\",result=\"success\"} 0\n"
		"exim_requiretls_a_total{class=\"strict\"} "
		"18446744073709551615\n"
		"# HELP exim_requiretls_b That.\n"
		"# TYPE exim_requiretls_b gauge\n"
		"exim_requiretls_b 7\n");
}

static void label_values_are_escaped(void **state)
{
	static const struct {
		const char *value, *written;
	} cases[] = {
		{ "", "" },
		{ "a b-1.2", "a b-1.2" },
		{ "\"", "\\\"" },
		{ "\\", "\\\\" },
		{ "\n", "\\n" },
		{ "\\n\n\"}", "\\\\n\\n\\\"}" },
		{ "\x01\t\r\x7f\xc3\xa4\xff", "???????" },
	};
	char wanted[1024] = "";

	(void)state;
	exposition.name = "x";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct rtls_label label = { "l", cases[i].value };
		const size_t used = strlen(wanted);

		rtls_exposition_sample(&exposition, &label, 1, i);
		(void)snprintf(wanted + used, sizeof(wanted) - used,
			"exim_requiretls_x{l=\"%s\"} %zu\n", cases[i].written,
			i);
	}
	assert_written(wanted);
}

/* In HELP a quote is no end of anything. */
static void help_is_one_line(void **state)
{
	(void)state;
	rtls_exposition_family(
		&exposition, RTLS_GAUGE, "x", "one \"two\"\n\\three");
	assert_written("# HELP exim_requiretls_x one \"two\"\\n\\\\three\n"
		       "# TYPE exim_requiretls_x gauge\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_family_says_what_it_is_once, start, end),
		cmocka_unit_test_setup_teardown(
			label_values_are_escaped, start, end),
		cmocka_unit_test_setup_teardown(help_is_one_line, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
