/* test_schedule.c - each report has its moment (item B5.2). */
#include "check_report.h"
#include "report/schedule.h"

#define DOMAINS 2000
#define PARTS   8

static struct rtls_config config;

static int64_t due(const char *host, const char *domain, int64_t day_s)
{
	return rtls_schedule_due_s(&config, host, domain, day_s);
}

/* Behind the age, before the end of the span, and all over it. */
static void test_span(void **state)
{
	size_t part[PARTS] = { 0 };

	(void)state;
	rtls_config_defaults(&config);
	assert_int_equal(rtls_schedule_begin_s(&config, TEST_DAY_S),
		TEST_NEXT_DAY_S + 600);
	for (int i = 0; i < DOMAINS; i++) {
		char domain[32];
		int64_t delay_s;

		(void)snprintf(domain, sizeof(domain), "d%d.example", i);
		delay_s = due("00000000", domain, TEST_DAY_S) -
			  TEST_NEXT_DAY_S - 600;
		assert_in_range(delay_s, 0, 4 * 3600 - 1);
		part[delay_s * PARTS / (4 * 3600)]++;
	}
	for (size_t i = 0; i < PARTS; i++)
		assert_in_range(part[i], DOMAINS / PARTS * 7 / 10,
			DOMAINS / PARTS * 13 / 10);
}

/* Always the same, and another one for each machine, domain and day. */
static void test_fixed(void **state)
{
	int64_t one;

	(void)state;
	rtls_config_defaults(&config);
	one = due("00000000", "a.example", TEST_DAY_S);
	assert_int_equal(due("00000000", "a.example", TEST_DAY_S), one);
	assert_true(due("00000001", "a.example", TEST_DAY_S) != one);
	assert_true(due("00000000", "b.example", TEST_DAY_S) != one);
	assert_true(due("00000000", "a.example", TEST_NEXT_DAY_S) !=
		    one + TEST_SECONDS);
}

static void test_none(void **state)
{
	(void)state;
	rtls_config_defaults(&config);
	config.report_spread_s = 0;
	config.report_min_age_s = 0;
	assert_int_equal(
		due("00000000", "a.example", TEST_DAY_S), TEST_NEXT_DAY_S);
}

int main(void)
{
	static struct check_suite suite;

	check_add(&suite, "B5.2 over the span", test_span, NULL);
	check_add(&suite, "B5.2 a moment of its own", test_fixed, NULL);
	check_add(&suite, "B5.2 no span", test_none, NULL);
	return check_run(&suite, "schedule");
}
