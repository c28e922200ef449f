/* test_next_hop.c - the list of smart hosts, as Exim's manualroute reads it (item A4.2,
 * case 81). */
#include <stdio.h>

#include "check.h"
#include "policy/next_hop.h"

struct list {
	const char *proves;
	struct rtls_slice text;
	enum rtls_status status;
	const char *wanted; /* "host,port,mx" of each, ";" between */
};

#define A16  "a:a:a:a:a:a:a:a:a:a:a:a:a:a:a:a"
#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X255 X50 X50 X50 X50 X50 "xxxxx"

static const struct list lists[] = {
	{ "nothing", TEXT(""), RTLS_NONE, "" },
	{ "blanks", TEXT(" \t\n "), RTLS_NONE, "" },
	{ "separators only", TEXT(" : : "), RTLS_NONE, "" },
	{ "a host", TEXT("mail.isp.example"), RTLS_OK, "mail.isp.example,0," },
	{ "blanks around", TEXT("  a.example \n"), RTLS_OK, "a.example,0," },
	{ "Debian's port", TEXT("a.example::587"), RTLS_OK, "a.example,587," },
	{ "two hosts", TEXT("a.example:b.example"), RTLS_OK,
		"a.example,0,;b.example,0," },
	{ "with blanks and ports", TEXT("a.example::25 : b.example::587"),
		RTLS_OK, "a.example,25,;b.example,587," },
	{ "an empty item", TEXT("a.example: :b.example:"), RTLS_OK,
		"a.example,0,;b.example,0," },
	{ "another separator", TEXT("<; a.example:587 ; b.example"), RTLS_OK,
		"a.example,587,;b.example,0," },
	{ "that separator doubled", TEXT("<;a;;b;c"), RTLS_OK, "a;b,0,;c,0," },
	{ "no separator behind <", TEXT("<a.example"), RTLS_OK,
		"<a.example,0," },
	{ "only <", TEXT("<"), RTLS_OK, "<,0," },
	{ "groups", TEXT("a.example:+:b.example"), RTLS_OK,
		"a.example,0,;b.example,0," },
	{ "an IPv4 address", TEXT("192.0.2.1"), RTLS_OK, "192.0.2.1,0," },
	{ "with a port", TEXT("192.0.2.1::25"), RTLS_OK, "192.0.2.1,25," },
	{ "in brackets", TEXT("[192.0.2.1]::25"), RTLS_OK, "[192.0.2.1],25," },
	{ "an IPv6 address has no port", TEXT("<; 2001:db8::25"), RTLS_OK,
		"2001:db8::25,0," },
	{ "colons doubled", TEXT("2001::db8::::25"), RTLS_OK,
		"2001:db8::25,0," },
	{ "but in brackets", TEXT("<; [2001:db8::1]:25"), RTLS_OK,
		"[2001:db8::1],25," },
	{ "MX hosts", TEXT("isp.example/mx"), RTLS_OK, "isp.example,0,mx" },
	{ "MX hosts, with a port", TEXT("isp.example/MX::26"), RTLS_OK,
		"isp.example,26,mx" },
	{ "MX hosts of nobody", TEXT("/mx"), RTLS_OK, "/mx,0," },
	{ "MX hosts beside others", TEXT("isp.example/mx:a.example"),
		RTLS_INVALID, "" },
	{ "others beside MX hosts", TEXT("a.example:isp.example/mx"),
		RTLS_INVALID, "" },
	{ "no port", TEXT("a.example::"), RTLS_OK, "a.example:,0," },
	{ "a port that is a word", TEXT("a.example::smtp"), RTLS_OK,
		"a.example:smtp,0," },
	{ "a port that is too large", TEXT("a.example::65536"), RTLS_OK,
		"a.example:65536,0," },
	{ "a port without host", TEXT("::25"), RTLS_OK, ":25,0," },
	{ "sixteen", TEXT(A16), RTLS_OK, NULL },
	{ "seventeen", TEXT(A16 ":a"), RTLS_INVALID, "" },
	{ "as long as can be", TEXT(X255), RTLS_OK, NULL },
	{ "with a blank behind", TEXT(X255 " : b.example"), RTLS_OK, NULL },
	{ "too long", TEXT(X255 "x"), RTLS_INVALID, "" },
};

static void show(const struct rtls_next_hops *hops, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < hops->count; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s,%u,%s",
			i == 0 ? "" : ";", hops->hop[i].host, hops->hop[i].port,
			hops->hop[i].by_mx ? "mx" : "");
}

static void test_list(void **state)
{
	const struct list *list = *state;
	struct rtls_next_hops hops;
	char *copy = malloc(list->text.size + (list->text.size == 0));
	char shown[2048];

	memcpy(copy, list->text.data, list->text.size);
	assert_int_equal(rtls_next_hops_parse(
				 rtls_slice_n(copy, list->text.size), &hops),
		list->status);
	if (list->status == RTLS_OK && list->wanted != NULL) {
		show(&hops, shown, sizeof(shown));
		assert_string_equal(shown, list->wanted);
	}
	free(copy);
}

/* No byte behind the end is read, wherever it is cut. */
static void test_cut(void **state)
{
	struct rtls_next_hops hops;

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++)
		for (size_t size = 0; size < lists[i].text.size; size++) {
			char *copy = malloc(size + (size == 0));

			memcpy(copy, lists[i].text.data, size);
			(void)!rtls_next_hops_parse(
				rtls_slice_n(copy, size), &hops);
			assert_in_range(hops.count, 0, RTLS_NEXT_HOPS_MAX);
			free(copy);
		}
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_list, lists);
	check_add(&suite, "cut at every length", test_cut, NULL);
	return check_run(&suite, "next_hop");
}
