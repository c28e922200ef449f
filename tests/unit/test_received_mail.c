#include "check_received.h"
#include "report/gzip.h"

/* --- messages as they come --------------------------------------------------- */

#define FIELDS                                                                  \
	"Return-path: <noreply@company-x.example>\r\n"                          \
	"Envelope-to: tlsrpt@bank.example\r\n"                                  \
	"From: \"Company X\" <noreply@company-x.example>\r\n"                   \
	"Subject: Report Domain: bank.example Submitter: company-x.example\r\n" \
	" Report-ID: <2026.11.20T00.00.00Z+bank.example@company-x.example>\r\n"
#define TLS_FIELDS                                                             \
	"TLS-Report-Domain: bank.example\r\n"                                  \
	"TLS-Report-Submitter: company-x.example\r\n"
#define REPORT_TYPE                                                            \
	"Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n"          \
	"\tboundary=\"=_b\"\r\n"
#define WORDS                                                                  \
	"\r\n--=_b\r\nContent-Type: text/plain\r\n\r\nThis is a report.\r\n"
#define PART                                                                   \
	"--=_b\r\nContent-Type: application/tlsrpt+gzip; name=r.json.gz\r\n"
#define END    "\r\n--=_b--\r\n"
#define BASE64 "Content-Transfer-Encoding: base64\r\n\r\n"

/* "$" stands for the report as gzip in base64, "%" as JSON, "&" as gzip. */
struct mail {
	const char *proves;
	const char *text;
	const char *notes;
};

#define NOT_REPORT "message: not a multipart/report with report-type=tlsrpt\n"

static const struct mail mails[] = {
	{ "as RFC 8460 wants it",
		FIELDS TLS_FIELDS REPORT_TYPE WORDS PART BASE64 "$" END, "" },
	{ "the part comes first",
		FIELDS TLS_FIELDS REPORT_TYPE "\r\n" PART BASE64 "$" WORDS END,
		"" },
	{ "binary", FIELDS TLS_FIELDS REPORT_TYPE WORDS PART "\r\n&" END, "" },
	{ "JSON",
		FIELDS TLS_FIELDS REPORT_TYPE WORDS
		"--=_b\r\nContent-Type: application/tlsrpt+json\r\n\r\n%" END,
		"" },
	{ "JSON, quoted-printable",
		FIELDS TLS_FIELDS REPORT_TYPE WORDS
		"--=_b\r\nContent-Type: application/tlsrpt+json\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n=\r\n%" END,
		"" },
	{ "gzip that is called JSON",
		FIELDS TLS_FIELDS REPORT_TYPE WORDS
		"--=_b\r\nContent-Type: application/tlsrpt+json\r\n" BASE64
		"$" END,
		"message: a part of type application/tlsrpt+json instead of "
		"application/tlsrpt+gzip\n" },
	{ "mail.ru: application/gzip in multipart/report",
		FIELDS TLS_FIELDS REPORT_TYPE WORDS
		"--=_b\r\nContent-Type: application/gzip\r\n" BASE64 "$" END,
		"message: a part of type application/gzip instead of "
		"application/tlsrpt+gzip\n" },
	{ "multipart/mixed, known by its file name",
		FIELDS TLS_FIELDS
		"Content-Type: multipart/mixed; boundary=\"=_b\"\r\n" WORDS
		"--=_b\r\nContent-Type: application/octet-stream\r\n"
		"Content-Disposition: attachment;\r\n"
		" filename*0=\"a!b!1!2!001.js\";\r\n filename*1=on.gz\r\n" BASE64
		"$" END,
		"message: a part of type application/octet-stream instead of "
		"application/tlsrpt+gzip\n" NOT_REPORT },
	{ "a file name that is an encoded word",
		FIELDS TLS_FIELDS
		"Content-Type: multipart/mixed; boundary=\"=_b\"\r\n" WORDS
		"--=_b\r\nContent-Type: application/gzip; name=\"=?utf-8?B?YQ?=\""
		"\r\n" BASE64 "$" END,
		"message: a part of type application/gzip instead of "
		"application/tlsrpt+gzip\n" NOT_REPORT },
	{ "a message that is nothing but the report",
		FIELDS TLS_FIELDS
		"Content-Type: application/tlsrpt+gzip\r\n" BASE64 "$",
		NOT_REPORT },
	{ "no fields of its own", FIELDS REPORT_TYPE WORDS PART BASE64 "$" END,
		"message: no field TLS-Report-Domain\n"
		"message: no field TLS-Report-Submitter\n" },
	{ "other domains in the header",
		FIELDS
		"TLS-Report-Domain: shop.example\r\n"
		"TLS-Report-Submitter: company-y.example\r\n" REPORT_TYPE WORDS
			PART BASE64 "$" END,
		"message: TLS-Report-Domain is another domain\n"
		"message: TLS-Report-Submitter is not the domain of "
		"contact-info\n" },
	{ "case and a dot make no other domain",
		FIELDS
		"TLS-Report-Domain: Bank.Example.\r\n"
		"TLS-Report-Submitter: COMPANY-X.example\r\n" REPORT_TYPE WORDS
			PART BASE64 "$" END,
		"" },
	{ "two reports: the first counts",
		FIELDS TLS_FIELDS REPORT_TYPE WORDS PART BASE64
		"$\r\n" PART BASE64 "$" END,
		"message: 1 more parts like a report, not read\n" },
	{ "the first is broken, the second is not",
		FIELDS TLS_FIELDS REPORT_TYPE WORDS PART BASE64
		"AAAA\r\n" PART BASE64 "$" END,
		"" },
	{ "the last boundary is missing",
		FIELDS TLS_FIELDS REPORT_TYPE WORDS PART BASE64 "$", "" },
	{ "forwarded as an attachment",
		"Subject: Fwd: report\r\nContent-Type: multipart/mixed; "
		"boundary=f\r\n\r\n--f\r\nContent-Type: message/rfc822\r\n\r\n" FIELDS
			TLS_FIELDS REPORT_TYPE WORDS PART BASE64 "$" END
		"\r\n--f--\r\n",
		"message: no field TLS-Report-Domain\n"
		"message: no field TLS-Report-Submitter\n" },
	{ "out of an mbox",
		"From noreply@company-x.example Sat Nov 21 00:10:00 2026\r\n" FIELDS
			TLS_FIELDS REPORT_TYPE WORDS PART BASE64 "$" END,
		"" },
};

static size_t encode(struct rtls_slice data, char *out)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	size_t used = 0;

	for (size_t i = 0; i < data.size; i += 3) {
		unsigned value = 0;

		for (size_t k = 0; k < 3; k++)
			value = value << 8 |
				(i + k < data.size ? (unsigned char)
							     data.data[i + k]
						   : 0U);
		for (size_t k = 0; k < 4; k++)
			out[used++] =
				i + k > data.size
					? '='
					: alphabet[value >> (18 - 6 * k) & 63];
		if (i % 57 == 54) {
			out[used++] = '\r';
			out[used++] = '\n';
		}
	}
	return used;
}

/* The message of a row, with LF instead of CRLF if wanted; free() it. */
static char *build(const char *text, bool with_cr, size_t *size)
{
	struct rtls_slice json = rtls_slice(CHECK_REPORT);
	char *packed, *out = malloc(65536);
	size_t packed_size, used = 0;

	assert_int_equal(rtls_gzip(json, &packed, &packed_size), RTLS_OK);
	for (; *text != '\0'; text++) {
		struct rtls_slice put = rtls_slice_n(text, 1);

		if (*text == '$') {
			used += encode(
				rtls_slice_n(packed, packed_size), out + used);
			continue;
		}
		if (*text == '%')
			put = json;
		if (*text == '&')
			put = rtls_slice_n(packed, packed_size);
		if (*text == '\r' && !with_cr)
			continue;
		memcpy(out + used, put.data, put.size);
		used += put.size;
	}
	free(packed);
	*size = used;
	return out;
}

static void check_mail(const struct mail *row, const char *text, bool with_cr)
{
	struct rtls_err err = { "" };
	struct rtls_received received;
	char *message, *notes, *dumped;
	size_t size;

	message = build(text, with_cr, &size);
	if (check_parse(rtls_slice_n(message, size), &received, &err) !=
		RTLS_OK)
		fail_msg("%s", err.text);
	notes = check_notes(&received.notes);
	assert_string_equal(notes, row->notes);
	dumped = json_dumps(received.report, JSON_COMPACT);
	assert_string_equal(dumped, CHECK_REPORT);
	assert_true(received.is_message);
	free(dumped);
	free(notes);
	rtls_received_free(&received);
	free(message);
}

static void message_is_read(void **state)
{
	const struct mail *row = *state;
	const char *text = row->text;

	check_mail(row, text, true);
	/* Raw gzip may hold a line end; the rest does not care. */
	if (strchr(text, '&') == NULL)
		check_mail(row, text, false);
}

static void header_is_kept(void **state)
{
	struct rtls_received received;
	const char *text = mails[0].text;
	size_t size;
	char *message = build(text, true, &size);

	(void)state;
	assert_int_equal(
		check_parse(rtls_slice_n(message, size), &received, NULL),
		RTLS_OK);
	assert_string_equal(
		received.from, "\"Company X\" <noreply@company-x.example>");
	assert_string_equal(received.subject,
		"Report Domain: bank.example Submitter: company-x.example "
		"Report-ID: "
		"<2026.11.20T00.00.00Z+bank.example@company-x.example>");
	assert_string_equal(received.domain, "bank.example");
	assert_string_equal(received.submitter, "company-x.example");
	rtls_received_free(&received);
	free(message);
}

/* --- messages without ---------------------------------------------------------- */

struct other {
	const char *proves;
	const char *text;
	enum rtls_status status;
	const char *reason;
};

static const struct other others[] = {
	{ "ordinary mail", "Subject: hello\r\n\r\nHow are you?\r\n", RTLS_NONE,
		"no TLS report in it" },
	{ "no mail at all", "\177ELF\1\2\3", RTLS_NONE, "no TLS report" },
	{ "another report",
		"Content-Type: multipart/report; report-type=delivery-status; "
		"boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
		RTLS_NONE, "no TLS report" },
	{ "another attachment",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		"Content-Type: application/gzip; name=a.xml.gz\r\n" BASE64
		"$\r\n--b--\r\n",
		RTLS_NONE, "no TLS report" },
	{ "JSON of somebody else",
		"Content-Type: application/json; name=a.json\r\n\r\n{\"a\":1}",
		RTLS_NONE, "no TLS report" },
	{ "a report that is none",
		FIELDS TLS_FIELDS REPORT_TYPE WORDS
		"--=_b\r\nContent-Type: application/tlsrpt+json\r\n\r\n"
		"{\"a\":1}" END,
		RTLS_INVALID, "date-range: expected an object" },
	{ "the part is missing", FIELDS TLS_FIELDS REPORT_TYPE WORDS END,
		RTLS_INVALID, "a message about a TLS report, but without one" },
	{ "an encoding nobody knows",
		REPORT_TYPE "\r\n" PART
			    "Content-Transfer-Encoding: x-x\r\n\r\n$" END,
		RTLS_INVALID, "unknown Content-Transfer-Encoding" },
	{ "the reason is that of the first part",
		REPORT_TYPE "\r\n" PART BASE64 "AAAA\r\n" PART "\r\n{}" END,
		RTLS_INVALID, "not JSON" },
	{ "base64 of nothing", REPORT_TYPE "\r\n" PART BASE64 END, RTLS_INVALID,
		"not JSON" },
};

static void other_mail_is_told_apart(void **state)
{
	const struct other *row = *state;
	struct rtls_err err = { "" };
	struct rtls_received received;
	const char *text = row->text;
	size_t size;
	char *message = build(text, true, &size);

	check_touch_not(&received, sizeof(received));
	assert_int_equal(
		check_parse(rtls_slice_n(message, size), &received, &err),
		row->status);
	assert_true(check_is_untouched(&received, sizeof(received)));
	check_err(&err, row->reason);
	free(message);
}

static void cut_anywhere(void **state)
{
	const char *text = mails[0].text;
	struct rtls_received received;
	size_t size, header, i;
	char *message = build(text, true, &size);

	(void)state;
	header = (size_t)(strstr(message, "\r\nTLS-Report-Domain") - message);
	for (i = 0; i < size; i++) {
		struct rtls_err err = { "" };
		enum rtls_status status =
			check_parse(rtls_slice_n(message, i), &received, &err);

		if (status == RTLS_OK) {
			rtls_received_free(&received);
			break;
		}
		assert_int_equal(
			status, i <= header + strlen("\r\nTLS-Report-Domain: ")
					? RTLS_NONE
					: RTLS_INVALID);
		check_err(&err, "");
		assert_true(err.text[0] != '\0');
	}
	/* Nothing but the last boundary may be missing. */
	assert_true(i + strlen(END) + 4 >= size);
	free(message);
}

static void huge_header_is_refused(void **state)
{
	char *message = check_repeat("TLS-Report-Domain: a.example\n",
		"x: 89 123456789\n", 20000, "");
	struct rtls_err err = { "" };
	struct rtls_received received;

	(void)state;
	assert_int_equal(
		rtls_received_parse(rtls_slice(message), &received, &err),
		RTLS_INVALID);
	check_err(&err, "a header of more than 262144 bytes");
	message[0] = 'x';
	assert_int_equal(
		rtls_received_parse(rtls_slice(message), &received, &err),
		RTLS_NONE);
	free(message);
}

/* What costs to look at is looked at a few times only. */
static void broken_parts_are_bounded(void **state)
{
	static const char broken[] = PART BASE64 "AAAA\r\n";
	struct rtls_err err = { "" };
	struct rtls_received received;

	(void)state;
	for (size_t count = 3; count <= 4; count++) {
		char *text = check_repeat(
			REPORT_TYPE "\r\n", broken, count, PART BASE64 "$" END);
		size_t size;
		char *message = build(text, true, &size);
		enum rtls_status status = check_parse(
			rtls_slice_n(message, size), &received, &err);

		assert_int_equal(status, count == 3 ? RTLS_OK : RTLS_INVALID);
		if (status == RTLS_OK)
			rtls_received_free(&received);
		else
			check_err(&err, "not JSON");
		free(message);
		free(text);
	}
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, message_is_read, mails);
	CHECK_TABLE(&suite, other_mail_is_told_apart, others);
	check_add(&suite, "the header is kept", header_is_kept, NULL);
	check_add(&suite, "cut at every length", cut_anywhere, NULL);
	check_add(&suite, "a huge header", huge_header_is_refused, NULL);
	check_add(&suite, "broken parts are bounded", broken_parts_are_bounded,
		NULL);
	return check_run(&suite, "received_mail");
}
