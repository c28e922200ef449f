/* test_smtp_reply.c - a reply as it arrives. */
#include "check.h"
#include "policy/smtp_reply.h"

struct row {
	const char *proves;
	struct rtls_slice received;
	enum rtls_status status;
	unsigned code;
	size_t size;
	const char *text; /* or the words of the error */
};

static const struct row rows[] = {
	{ "one line", TEXT("220 mx.example ESMTP\r\n"), RTLS_OK, 220, 22,
		"mx.example ESMTP" },
	{ "LF alone", TEXT("220 mx\n"), RTLS_OK, 220, 7, "mx" },
	{ "several lines", TEXT("250-mx.example\r\n250-SIZE\r\n250 DSN\r\n"),
		RTLS_OK, 250, 35, "mx.example" },
	{ "a code alone", TEXT("250\r\n"), RTLS_OK, 250, 5, "" },
	{ "a code alone ends it", TEXT("250-a\r\n250\r\n"), RTLS_OK, 250, 12,
		"a" },
	{ "what comes behind it is left", TEXT("220 go\r\n250 x\r\n"), RTLS_OK,
		220, 8, "go" },
	{ "no text behind the blank", TEXT("554 \r\n"), RTLS_OK, 554, 6, "" },
	{ "nothing yet", TEXT(""), RTLS_NONE, 0, 0, NULL },
	{ "not yet its end", TEXT("220 mx.example"), RTLS_NONE, 0, 0, NULL },
	{ "not yet its last line", TEXT("250-mx.example\r\n"), RTLS_NONE, 0, 0,
		NULL },
	{ "a banner of something else", TEXT("SSH-2.0-OpenSSH\r\n"),
		RTLS_INVALID, 0, 0, "not an SMTP reply" },
	{ "known before its end", TEXT("x"), RTLS_INVALID, 0, 0,
		"not an SMTP reply" },
	{ "1xx is none", TEXT("150 x\r\n"), RTLS_INVALID, 0, 0,
		"not an SMTP reply" },
	{ "6xx is none", TEXT("650 x\r\n"), RTLS_INVALID, 0, 0,
		"not an SMTP reply" },
	{ "a fourth digit", TEXT("2500 x\r\n"), RTLS_INVALID, 0, 0,
		"not an SMTP reply" },
	{ "a line too short", TEXT("25\r\n"), RTLS_INVALID, 0, 0,
		"not an SMTP reply" },
	{ "an empty line", TEXT("\r\n"), RTLS_INVALID, 0, 0,
		"not an SMTP reply" },
	{ "two codes", TEXT("250-a\r\n251 b\r\n"), RTLS_INVALID, 0, 0,
		"two codes" },
	{ "foreign bytes are quoted", TEXT("\x1b[31m\r\n"), RTLS_INVALID, 0, 0,
		"\\x1b[31m" },
};

static void test_row(void **state)
{
	const struct row *row = *state;
	struct rtls_smtp_reply reply;
	struct rtls_err err = { "" };

	check_touch_not(&reply, sizeof(reply));
	assert_int_equal(
		rtls_smtp_reply_take(row->received, &reply, &err), row->status);
	if (row->status != RTLS_OK)
		assert_true(check_is_untouched(&reply, sizeof(reply)));
	if (row->status == RTLS_INVALID)
		check_err(&err, row->text);
	if (row->status != RTLS_OK)
		return;
	assert_int_equal(reply.code, row->code);
	assert_int_equal(reply.lines.size, row->size);
	check_slice(reply.text, row->text);
	for (size_t size = 0; size < row->size; size++) {
		char *copy = check_copy(row->received, size);

		assert_int_equal(rtls_smtp_reply_take(rtls_slice_n(copy, size),
					 &reply, NULL),
			RTLS_NONE);
		free(copy);
	}
}

static void put(char *at, const char *what)
{
	for (size_t i = 0; what[i] != '\0'; i++)
		at[i] = what[i];
}

/* So many bytes of one line, or lines of a reply, and no more. */
static void test_caps(void **state)
{
	static char text[RTLS_SMTP_REPLY_MAX + 64];
	struct rtls_smtp_reply reply;
	size_t size = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	put(text, "250 ");
	assert_int_equal(
		rtls_smtp_reply_take(rtls_slice_n(text, RTLS_SMTP_LINE_MAX - 1),
			&reply, NULL),
		RTLS_NONE);
	assert_int_equal(
		rtls_smtp_reply_take(
			rtls_slice_n(text, RTLS_SMTP_LINE_MAX), &reply, NULL),
		RTLS_INVALID);
	text[RTLS_SMTP_LINE_MAX - 1] = '\n';
	assert_int_equal(
		rtls_smtp_reply_take(
			rtls_slice_n(text, RTLS_SMTP_LINE_MAX), &reply, NULL),
		RTLS_OK);
	for (unsigned i = 0; i < RTLS_SMTP_LINES_MAX; i++, size += 6)
		put(text + size, "250-x\n");
	assert_int_equal(rtls_smtp_reply_take(
				 rtls_slice_n(text, size - 6), &reply, NULL),
		RTLS_NONE);
	assert_int_equal(
		rtls_smtp_reply_take(rtls_slice_n(text, size), &reply, NULL),
		RTLS_INVALID);
	/* Long lines, few of them. */
	for (size = 0; size + 1024 <= sizeof(text); size += 1024) {
		put(text + size, "250-");
		memset(text + size + 4, 'x', 1020);
		text[size + 1023] = '\n';
	}
	assert_int_equal(
		rtls_smtp_reply_take(
			rtls_slice_n(text, RTLS_SMTP_REPLY_MAX), &reply, NULL),
		RTLS_INVALID);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "caps", test_caps, NULL);
	return check_run(&suite, "smtp_reply");
}
