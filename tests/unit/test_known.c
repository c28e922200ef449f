/* test_known.c - what the cache knows of a domain, at one moment. */
#include "spool_dir.h"

#include "store/cache.h"
#include "store/known.h"

#define DOMAIN "a.example"
#define POLICY                                                                 \
	"version: STSv1\nmode: enforce\nmx: mx.a.example\nmax_age: 9000\n"

#define T0 1795600000 /* 2026-11-25T09:46:40Z */

static struct rtls_config config;
static struct rtls_known known;

static int start(void **state)
{
	if (make_spool(state) != 0)
		return -1;
	rtls_config_defaults(&config);
	(void)snprintf(config.spool, sizeof(config.spool), "%s", spool_dir);
	memset(&known, 0xa5, sizeof(known));
	return 0;
}

/* Answers good for 100 seconds, the policy for 9000. */
static void put(const char *policy_text)
{
	static struct rtls_record record;
	struct rtls_err err;

	record = (struct rtls_record){ .domain = rtls_slice(DOMAIN),
		.mx_answer = RTLS_MX_HOSTS,
		.mx_dnssec = RTLS_DNSSEC_INSECURE,
		.mx_until_s = T0 + 100,
		.mx_count = 1,
		.txt = RTLS_TXT_VALID,
		.txt_id = rtls_slice("1"),
		.txt_until_s = T0 + 100,
		.policy_id = rtls_slice("1"),
		.policy_fetched_s = T0,
		.policy_until_s = T0 + 9000,
		.policy_digest = rtls_slice(
			"0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef"),
		.policy_text = rtls_slice(policy_text) };
	record.mx[0] = (struct rtls_mx){ .preference = 10,
		.host = rtls_slice("mx.a.example"),
		.address = RTLS_DNSSEC_INSECURE };
	assert_int_equal(rtls_cache_put(spool_dir, &record, &err), RTLS_OK);
}

static enum rtls_status read_at(int64_t now_s)
{
	struct rtls_err err = { "" };
	enum rtls_status status =
		rtls_known_read(&config, DOMAIN, now_s, &known, &err);

	assert_false(known.asked);
	assert_false(known.has_policy);
	return status;
}

static void nothing(void **state)
{
	(void)state;
	assert_int_equal(read_at(T0), RTLS_NONE);
	assert_false(known.known || known.resolved || known.unreadable);
	assert_int_equal(rtls_known_read_policy(&known, T0, NULL), RTLS_OK);
	assert_false(known.has_policy);
}

static void fresh_then_stale_then_over(void **state)
{
	(void)state;
	put(POLICY);
	assert_int_equal(read_at(T0 + 99), RTLS_OK);
	assert_true(known.known && known.resolved);
	assert_int_equal(
		rtls_known_read_policy(&known, T0 + 99, NULL), RTLS_OK);
	assert_true(known.has_policy);
	assert_int_equal(known.policy.mode, RTLS_STS_ENFORCE);
	assert_int_equal(read_at(T0 + 101), RTLS_OK);
	assert_true(known.known);
	assert_false(known.resolved);
	assert_int_equal(
		rtls_known_read_policy(&known, T0 + 101, NULL), RTLS_OK);
	assert_true(known.has_policy);
	assert_int_equal(read_at(T0 + 9001), RTLS_OK);
	assert_int_equal(
		rtls_known_read_policy(&known, T0 + 9001, NULL), RTLS_OK);
	assert_false(known.has_policy);
}

static void a_policy_that_does_not_parse(void **state)
{
	struct rtls_err err = { "" };

	(void)state;
	put("version: STSv1\nmode: what\n");
	assert_int_equal(read_at(T0), RTLS_OK);
	assert_int_equal(
		rtls_known_read_policy(&known, T0, &err), RTLS_INVALID);
	assert_false(known.has_policy);
	assert_int_not_equal(err.text[0], '\0');
}

static void a_record_that_does_not_parse(void **state)
{
	char path[RTLS_CACHE_PATH_MAX];

	(void)state;
	put(POLICY);
	assert_int_equal(rtls_cache_path(spool_dir, DOMAIN, path), RTLS_OK);
	write_file(path, "what\n", 5);
	assert_int_equal(read_at(T0), RTLS_INVALID);
	assert_false(known.known || known.resolved || known.unreadable);
}

#define CASE(function)                                                         \
	cmocka_unit_test_setup_teardown(function, start, remove_spool)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing),
		CASE(fresh_then_stale_then_over),
		CASE(a_policy_that_does_not_parse),
		CASE(a_record_that_does_not_parse),
	};

	return cmocka_run_group_tests_name("known", tests, NULL, NULL);
}
