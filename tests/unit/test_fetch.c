/* test_fetch.c - what libcurl says about a fetch, and whose fault it is (RFC 8460 section
 * 4.3.2.2). Nothing is connected to. */
#include "check.h"

#include <string.h>

#include "resolve/fetching.h"

static const struct row {
	const char *proves;
	CURLcode code;
	enum rtls_status certificate;
	enum rtls_result failure;
	bool is_ours, is_unresolved;
} rows[] = {
	{ "B3.3 the policy host does not answer", CURLE_COULDNT_CONNECT,
		RTLS_OK, RTLS_RESULT_STS_POLICY_FETCH_ERROR, false, false },
	{ "B3.3 its certificate is bad", CURLE_ABORTED_BY_CALLBACK,
		RTLS_INVALID, RTLS_RESULT_STS_WEBPKI_INVALID, false, false },
	{ "B3.3 its certificate could not be judged", CURLE_ABORTED_BY_CALLBACK,
		RTLS_TEMPORARY, RTLS_RESULT_STS_POLICY_FETCH_ERROR, true,
		false },
	{ "B3.3 we are out of memory", CURLE_OUT_OF_MEMORY, RTLS_OK,
		RTLS_RESULT_STS_POLICY_FETCH_ERROR, true, false },
	{ "B3.3 no address", CURLE_COULDNT_RESOLVE_HOST, RTLS_OK,
		RTLS_RESULT_STS_POLICY_FETCH_ERROR, false, true },
	{ "B3.3 no address in time", CURLE_OPERATION_TIMEDOUT, RTLS_OK,
		RTLS_RESULT_STS_POLICY_FETCH_ERROR, false, true },
};

static void test_row(void **state)
{
	const struct row *row = *state;
	struct rtls_fetch_result result;
	struct rtls_transfer transfer;
	struct rtls_config config;

	rtls_config_defaults(&config);
	assert_true(rtls_transfer_open(&transfer, &config));
	transfer.certificate = row->certificate;
	rtls_fetch_finish(&transfer, row->code, &result);
	assert_int_equal(result.failure, row->failure);
	assert_int_equal(result.is_ours, row->is_ours);
	assert_int_equal(result.is_unresolved, row->is_unresolved);
	rtls_transfer_close(&transfer);
}

int main(void)
{
	enum {
		ROWS = sizeof(rows) / sizeof(rows[0])
	};
	struct CMUnitTest tests[ROWS];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].proves,
			.test_func = test_row,
			.initial_state = (void *)(size_t)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
