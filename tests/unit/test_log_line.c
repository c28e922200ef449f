/* test_log_line.c - lines of Exim's main log: whose they are and what they mean. */
#include "check.h"
#include "tool/log_line.h"

#define ID   "1tABCD-000abc-12"
#define LONG "1tABCD-00000000abc-1234"
#define AT   "2026-11-25 07:15:47 "

struct row {
	const char *proves;
	struct rtls_slice line;
	const char *id;   /* NULL: no line of a message */
	const char *time; /* of those that are */
	const char *text;
	const char *reference; /* NULL: none */
};

static const struct row rows[] = {
	{ "plain", TEXT(AT ID " => bob"), ID, "2026-11-25 07:15:47", "=> bob",
		NULL },
	{ "the ids of Exim 4.97", TEXT(AT LONG " => bob"), LONG,
		"2026-11-25 07:15:47", "=> bob", NULL },
	{ "milliseconds, zone and pid",
		TEXT("2026-11-25 07:15:47.123 +0100 [4711] " ID " Completed"),
		ID, "2026-11-25 07:15:47.123 +0100", "Completed", NULL },
	{ "nothing behind", TEXT(AT ID), ID, "2026-11-25 07:15:47", "", NULL },
	{ "a report",
		TEXT(AT ID " <= <> R=1tXXXX-000abc-34 U=Debian-exim P=local"),
		ID, "2026-11-25 07:15:47",
		"<= <> R=1tXXXX-000abc-34 U=Debian-exim P=local",
		"1tXXXX-000abc-34" },
	{ "a subject is nobody's word",
		TEXT(AT ID " <= <> T=\"a \\\" R=1tXXXX-000abc-34 \" S=1"), ID,
		"2026-11-25 07:15:47",
		"<= <> T=\"a \\\" R=1tXXXX-000abc-34 \" S=1", NULL },
	{ "a router is no message",
		TEXT(AT ID " => bob R=1tXXXX-000abc-34 T=x"), ID,
		"2026-11-25 07:15:47", "=> bob R=1tXXXX-000abc-34 T=x", NULL },
	{ "a message with a sender is no report",
		TEXT(AT ID " <= a@b R=1tXXXX-000abc-34"), ID,
		"2026-11-25 07:15:47", "<= a@b R=1tXXXX-000abc-34", NULL },
	{ "a reference that is none", TEXT(AT ID " <= <> R=dnslookup"), ID,
		"2026-11-25 07:15:47", "<= <> R=dnslookup", NULL },
	{ "an open quote", TEXT(AT ID " <= <> \"R=1tXXXX-000abc-34"), ID,
		"2026-11-25 07:15:47", "<= <> \"R=1tXXXX-000abc-34", NULL },
	{ "no id", TEXT(AT "Start queue run"), NULL, NULL, NULL, NULL },
	{ "an id in the wrong place", TEXT(AT "x " ID), NULL, NULL, NULL,
		NULL },
	{ "no date", TEXT("yesterday 07:15:47 " ID " x"), NULL, NULL, NULL,
		NULL },
	{ "no time", TEXT("2026-11-25 noon " ID " x"), NULL, NULL, NULL, NULL },
	{ "what is shown as it is holds nothing else",
		TEXT("2026-11-25 07:15:47\x1b[2J " ID " x"), NULL, NULL, NULL,
		NULL },
	{ "not behind the dot either",
		TEXT("2026-11-25 07:15:47.1\x1b " ID " x"), NULL, NULL, NULL,
		NULL },
	{ "nothing", TEXT(""), NULL, NULL, NULL, NULL },
	{ "date only", TEXT("2026-11-25"), NULL, NULL, NULL, NULL },
	{ "zone only", TEXT(AT "+0000"), NULL, NULL, NULL, NULL },
	{ "pid only", TEXT(AT "[1]"), NULL, NULL, NULL, NULL },
	{ "NULs", TEXT("\0\0\0\0\0\0"), NULL, NULL, NULL, NULL },
};

static void test_parse(void **state)
{
	const struct row *row = *state;

	for (size_t size = row->line.size + 1; size-- > 0;) {
		char *copy = check_copy(row->line, size);
		const struct rtls_slice text = rtls_slice_n(copy, size);
		struct rtls_log_line line;
		struct rtls_slice reference;
		enum rtls_status status = rtls_log_line_parse(text, &line);

		if (status == RTLS_OK) {
			assert_true(check_inside(text, line.text));
			assert_true(rtls_log_is_id(line.id));
		}
		if (size == row->line.size && row->id == NULL) {
			assert_int_equal(status, RTLS_NONE);
		} else if (size == row->line.size) {
			assert_int_equal(status, RTLS_OK);
			check_slice(line.id, row->id);
			check_slice(line.time, row->time);
			check_slice(line.text, row->text);
			assert_int_equal(
				rtls_log_line_reference(&line, &reference),
				row->reference != NULL);
			if (row->reference != NULL)
				check_slice(reference, row->reference);
		}
		free(copy);
	}
}

struct meaning_row {
	const char *proves;
	const char *text;
	const char *meaning; /* how it begins */
	const char *detail;  /* the first, or NULL */
};

static const struct meaning_row meanings[] = {
	{ "arrival", "<= a@b H=x", "the message arrived", NULL },
	{ "report", "<= <> R=x", "a report about another", NULL },
	{ "delivery", "=> bob R=x T=y", "delivered", NULL },
	{ "put off", "== bob R=x defer (-1): Frozen", "put off", NULL },
	{ "failed", "** bob: retry timeout exceeded", "failed for good", NULL },
	{ "end", "Completed", "nothing is left", NULL },
	{ "other", "what", "a line of Exim's own", NULL },
	{ "strict", "requiretls: a.example class=strict by=tag mx=b (DNSSEC)",
		"decided: it is flagged", "flagged by the tag" },
	{ "enforce", "requiretls: a.example class=enforce sts=enforce id=1",
		"decided: it goes only", "the domain's MTA-STS policy is enf" },
	{ "refused",
		"requiretls: a.example refused: 5.7.30 REQUIRETLS "
		"support required: this Exim lacks by=esmtp",
		"returned to the sender: it is flagged for REQUIRETLS",
		"flagged by whoever" },
	{ "all hosts",
		"requiretls: a.example refused: 5.7.10 no MX host of "
		"a.example qualifies for REQUIRETLS; host b refused: not in "
		"the MTA-STS policy of a.example by=tag",
		"returned to the sender: it is flagged, and every host",
		"flagged by the tag" },
	{ "put off",
		"requiretls: a.example put off: 4.4.3 the MX lookup for "
		"a.example failed",
		"it waits: the domain cannot be looked up", NULL },
	{ "host", "requiretls: host b refused: not in the MTA-STS policy of a",
		"this host is not used: the policy", NULL },
	{ "a certificate says what it likes",
		"requiretls: host b certificate refused: is for x refused: "
		"5.7.30 class=strict by=tag, not for b",
		"this host is not used: its certificate", NULL },
	{ "unknown", "requiretls: what", "a line of the module that", NULL },
	{ "not ours", "=> bob: requiretls: a class=strict by=tag", "delivered",
		NULL },
};

static void test_meaning(void **state)
{
	const struct meaning_row *row = *state;
	const struct rtls_log_line line = { .text = rtls_slice(row->text) };
	const char *meaning = rtls_log_line_meaning(&line);
	const char *detail = rtls_log_line_detail(&line, 0);

	if (strncmp(meaning, row->meaning, strlen(row->meaning)) != 0)
		assert_string_equal(meaning, row->meaning);
	assert_int_equal(detail != NULL, row->detail != NULL);
	if (detail != NULL && row->detail != NULL)
		assert_non_null(strstr(detail, row->detail));
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_parse, rows);
	CHECK_TABLE(&suite, test_meaning, meanings);
	return check_run(&suite, "log_line");
}
