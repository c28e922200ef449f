/* test_exim_version.c - what Exim says of itself. */
#include "check.h"
#include "policy/exim_version.h"

struct row {
	const char *proves;
	struct rtls_slice text;
	const char *release; /* NULL: invalid */
	bool has_requiretls;
	bool has_dane;
};

static const struct row rows[] = {
	{ "Debian's",
		TEXT("Exim version 4.96 #2 built 27-May-2026\nSupport "
		     "for: IPv6 Expand_dlfunc GnuTLS DANE Event\n"),
		"4.96", false, true },
	{ "a patched one",
		TEXT("Exim version 4.98.2 #2 built\nSupport for: "
		     "DANE REQUIRETLS SOCKS\n"),
		"4.98.2", true, true },
	{ "a longer word is another",
		TEXT("Exim version 4.96\nSupport for: REQUIRETLSX DANEX\n"),
		"4.96", false, false },
	{ "what it supports stands in that line only",
		TEXT("Exim version 4.96\nREQUIRETLS DANE\n"), "4.96", false,
		false },
	{ "no version", TEXT("Support for: DANE\n"), NULL, false, false },
	{ "an empty one", TEXT("Exim version \n"), NULL, false, false },
	{ "quoted, and cut",
		TEXT("Exim version \x1b"
		     "4.96aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"),
		"\\x1b4.96aaaaaaaaaaaaaaaaaaaa...", false, false },
	{ "nothing", TEXT(""), NULL, false, false },
};

static void test_row(void **state)
{
	const struct row *row = *state;
	struct rtls_exim_version version;

	check_touch_not(&version, sizeof(version));
	for (size_t size = 0; size <= row->text.size; size++) {
		char *copy = check_copy(row->text, size);
		enum rtls_status status = rtls_exim_version_parse(
			rtls_slice_n(copy, size), &version);

		free(copy);
		if (status != RTLS_OK)
			assert_int_equal(status, RTLS_INVALID);
		if (size == row->text.size)
			assert_int_equal(
				status == RTLS_OK, row->release != NULL);
	}
	if (row->release == NULL) {
		assert_true(check_is_untouched(&version, sizeof(version)));
		return;
	}
	assert_string_equal(version.release, row->release);
	assert_int_equal(version.has_requiretls, row->has_requiretls);
	assert_int_equal(version.has_dane, row->has_dane);
}

static void check_lacks(const char *text, const char *const wanted[])
{
	struct rtls_exim_version version;
	size_t i = 0;

	assert_int_equal(
		rtls_exim_version_parse(rtls_slice(text), &version), RTLS_OK);
	for (; wanted[i] != NULL; i++)
		assert_string_equal(
			rtls_exim_version_lacks(&version, i), wanted[i]);
	assert_null(rtls_exim_version_lacks(&version, i));
}

static void test_lacks(void **state)
{
	(void)state;
	check_lacks("Exim version 4.96\nSupport for: Expand_dlfunc GnuTLS DANE "
		    "Event\nLookups (built-in): lsearch dnsdb dsearch\n",
		(const char *const[]){ NULL });
	check_lacks("Exim version 4.96\nLookups (as-modules): dnsdb\nSupport "
		    "for: GnuTLS Event\nLookups (built-in): lsearch\n",
		(const char *const[]){ "Expand_dlfunc", "DANE", NULL });
	check_lacks("Exim version 4.96\nSupport for: Expand_dlfunc GnuTLS DANE "
		    "Event dnsdb\nLookups (built-in): dnsdbx\n",
		(const char *const[]){ "the lookup dnsdb", NULL });
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "what it lacks", test_lacks, NULL);
	return check_run(&suite, "exim_version");
}
