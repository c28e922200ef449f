#include <stdio.h>

#include "check.h"
#include "report/mime.h"

/* --- header ------------------------------------------------------------------ */

struct field {
	const char *proves;
	struct rtls_slice header;
	const char *name;
	const char *wanted; /* NULL: none */
};

static const struct field fields[] = {
	{ "a field", TEXT("A: 1\r\nB: 2\r\n"), "B", "2" },
	{ "LF only", TEXT("A: 1\nB: 2\n"), "B", "2" },
	{ "case does not count", TEXT("tls-REPORT-domain:x\n"),
		"TLS-Report-Domain", "x" },
	{ "folded", TEXT("B: 1\r\n 2\r\n\t3\r\nC: 4"), "B", "1 2\t3" },
	{ "the first counts", TEXT("B: 1\nB: 2\n"), "B", "1" },
	{ "a folded line is no field", TEXT("A: 1\n B: 2\n"), "B", NULL },
	{ "another name", TEXT("BB: 1\nA B: 2\n"), "B", NULL },
	{ "a blank in front of the colon", TEXT("B : 2\n"), "B", "2" },
	{ "empty", TEXT("B:\n"), "B", "" },
	{ "only blanks, folded", TEXT("B: \n \n\t\n"), "B", "" },
	{ "no header", TEXT(""), "B", NULL },
	{ "a NUL", TEXT("B: 1\0002\n"), "B", "1 2" },
};

static void field_is_found(void **state)
{
	const struct field *row = *state;
	char *copy = check_copy(row->header, row->header.size);
	struct rtls_slice header = rtls_slice_n(copy, row->header.size);
	char *out = malloc(32), *tight;
	size_t size;

	assert_int_equal(rtls_mime_field(header, row->name, out, 32),
		row->wanted != NULL);
	assert_string_equal(out, row->wanted != NULL ? row->wanted : "");
	/* And cut where it ends. */
	for (size = 1; size < 12; size++) {
		tight = malloc(size);
		(void)rtls_mime_field(header, row->name, tight, size);
		assert_true(strlen(tight) < size);
		free(tight);
	}
	free(out);
	free(copy);
}

static void header_is_split(void **state)
{
	static const struct {
		struct rtls_slice entity;
		const char *header;
		const char *body;
	} rows[] = {
		{ TEXT("A: 1\r\n\r\nbody\r\n"), "A: 1\r\n", "body\r\n" },
		{ TEXT("A: 1\n\nbody"), "A: 1\n", "body" },
		{ TEXT("\r\nbody"), "", "body" },
		{ TEXT("A: 1"), "A: 1", "" },
		{ TEXT(""), "", "" },
	};
	struct rtls_slice header, body;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
			rtls_mime_split(rows[i].entity, &header, &body, NULL),
			RTLS_OK);
		check_slice(header, rows[i].header);
		check_slice(body, rows[i].body);
	}
}

static void header_is_bounded(void **state)
{
	size_t size = RTLS_MIME_HEADER_MAX + 3;
	char *text = malloc(size);
	struct rtls_slice header, body;
	struct rtls_err err = { "" };

	(void)state;
	memset(text, 'x', size);
	text[size - 3] = '\n';
	text[size - 2] = '\n';
	assert_int_equal(
		rtls_mime_split(rtls_slice_n(text, size), &header, &body, &err),
		RTLS_INVALID);
	check_err(&err, "a header of more than 262144 bytes");
	assert_int_equal(rtls_mime_split(rtls_slice_n(text + 1, size - 1),
				 &header, &body, &err),
		RTLS_OK);
	check_slice(body, "x");
	free(text);
}

static void mbox_line_is_passed_over(void **state)
{
	(void)state;
	check_slice(rtls_mime_begin(rtls_slice(
			    "From a@b Fri Nov 20 00:00:00 2026\n\r\nA: 1\n")),
		"A: 1\n");
	check_slice(rtls_mime_begin(rtls_slice("From: a\n")), "From: a\n");
	check_slice(rtls_mime_begin(rtls_slice("\n\n")), "");
}

/* --- parameters -------------------------------------------------------------- */

struct parameter {
	const char *proves;
	const char *value;
	const char *name;
	const char *wanted; /* NULL: none */
};

static const struct parameter parameters[] = {
	{ "Google", "multipart/report; boundary=\"0000a\"; report-type=tlsrpt",
		"report-type", "tlsrpt" },
	{ "quoted", "multipart/report; boundary=\"0;0\\\"a\"", "boundary",
		"0;0\"a" },
	{ "equal signs in it", "x/y; boundary==_x=y", "boundary", "=_x=y" },
	{ "case does not count", "x/y;BOUNDARY=x", "boundary", "x" },
	{ "comments", "x/y (a (b) \\) ; c=d) ; (e) boundary (f) = (g) x (h)",
		"boundary", "x" },
	{ "no value", "x/y; boundary", "boundary", "" },
	{ "another name", "x/y; boundary2=x; bound=y", "boundary", NULL },
	{ "none", "x/y", "boundary", NULL },
	{ "empty", "", "boundary", NULL },
	{ "in a quoted string", "x/y; a=\"; boundary=z\"", "boundary", NULL },
	{ "a quote without end", "x/y; boundary=\"abc", "boundary", "abc" },
	{ "semicolons", ";;; ;boundary=x;;", "boundary", "x" },
	{ "RFC 2231", "attachment; filename*=utf-8'en'a%21b.json%2egz",
		"filename", "a!b.json.gz" },
	{ "RFC 2231 in pieces",
		"attachment; filename*0*=us-ascii'en'a%21;\t"
		"filename*1=\"b%21\"; filename*2*=.json%2Egz",
		"filename", "a!b%21.json.gz" },
	{ "RFC 2231 without a charset", "attachment; filename*=a%2", "filename",
		"a%2" },
	{ "the plain form counts", "x; filename*=utf-8''a; filename=b",
		"filename", "b" },
	{ "an encoded word", "x; filename==?utf-8?Q?a=2Ejson?=", "filename",
		"=?utf-8?Q?a=2Ejson?=" },
};

static void parameter_is_found(void **state)
{
	const struct parameter *row = *state;
	size_t size = strlen(row->value);
	char out[128];

	/* Cut at every length too: only that nothing is read behind it. */
	for (size_t i = 0; i <= size; i++) {
		char *copy = check_copy(rtls_slice(row->value), i);
		bool is_found = rtls_mime_parameter(
			rtls_slice_n(copy, i), row->name, out, sizeof(out));

		if (i == size) {
			assert_int_equal(is_found, row->wanted != NULL);
			assert_string_equal(
				out, row->wanted != NULL ? row->wanted : "");
		}
		for (size_t k = 1; k < 6; k++) {
			char *tight = malloc(k);

			(void)rtls_mime_parameter(
				rtls_slice_n(copy, i), row->name, tight, k);
			assert_true(strlen(tight) < k);
			free(tight);
		}
		free(copy);
	}
}

/* --- decoding ---------------------------------------------------------------- */

struct decoding {
	const char *proves;
	enum rtls_mime_encoding encoding;
	struct rtls_slice body;
	struct rtls_slice wanted;
};

static const struct decoding decodings[] = {
	{ "identity", RTLS_MIME_IDENTITY, TEXT("a\0b="), TEXT("a\0b=") },
	{ "base64", RTLS_MIME_BASE64, TEXT("AAECAwQF"), TEXT("\0\1\2\3\4\5") },
	{ "base64 in lines", RTLS_MIME_BASE64, TEXT("AAEC\r\n AwQF\n"),
		TEXT("\0\1\2\3\4\5") },
	{ "padding, one", RTLS_MIME_BASE64, TEXT("+/8="), TEXT("\xfb\xff") },
	{ "padding, two", RTLS_MIME_BASE64, TEXT("AQ=="), TEXT("\1") },
	{ "no padding", RTLS_MIME_BASE64, TEXT("AQ"), TEXT("\1") },
	{ "groups that were put together", RTLS_MIME_BASE64, TEXT("AQ==AQ=="),
		TEXT("\1\1") },
	{ "half a byte", RTLS_MIME_BASE64, TEXT("A"), TEXT("") },
	{ "what is not of the alphabet", RTLS_MIME_BASE64,
		TEXT("A*A\0E\xff"
		     "C"),
		TEXT("\0\1\2") },
	{ "quoted-printable", RTLS_MIME_QUOTED_PRINTABLE,
		TEXT("a=3D=00=fF=\r\nb =\n c\r\n"),
		TEXT("a=\0\xff"
		     "b  c\n") },
	{ "blanks at the end of a line", RTLS_MIME_QUOTED_PRINTABLE,
		TEXT("a \t\r\nb"), TEXT("a\nb") },
	{ "equal signs that mean nothing", RTLS_MIME_QUOTED_PRINTABLE,
		TEXT("=x=4=\n=4"), TEXT("=x=4=4") },
	{ "nothing", RTLS_MIME_QUOTED_PRINTABLE, TEXT(""), TEXT("") },
	{ "no bytes of base64", RTLS_MIME_BASE64, TEXT(""), TEXT("") },
};

static void part_is_decoded(void **state)
{
	const struct decoding *row = *state;
	char *copy = check_copy(row->body, row->body.size);
	struct rtls_mime_part part = { .encoding = row->encoding,
		.body = rtls_slice_n(copy, row->body.size) };
	struct rtls_slice out;
	char *allocated;

	assert_int_equal(
		rtls_mime_decode(&part, &out, &allocated, NULL), RTLS_OK);
	assert_int_equal(out.size, row->wanted.size);
	if (out.size > 0)
		assert_memory_equal(out.data, row->wanted.data, out.size);
	free(allocated);
	free(copy);
}

static void unknown_encoding_is_refused(void **state)
{
	struct rtls_mime_part part = { .encoding = RTLS_MIME_UNKNOWN };
	struct rtls_slice out;
	struct rtls_err err = { "" };
	char *allocated;

	(void)state;
	assert_int_equal(
		rtls_mime_decode(&part, &out, &allocated, &err), RTLS_INVALID);
	check_err(&err, "unknown Content-Transfer-Encoding");
	assert_null(allocated);
}

/* --- parts ------------------------------------------------------------------- */

struct seen {
	struct rtls_slice message;
	char text[2048];
};

static enum rtls_status note_part(
	void *context, const struct rtls_mime_part *part)
{
	static const char *const encodings[] = { "", " base64", " qp", " ?" };
	struct seen *seen = context;
	size_t used = strlen(seen->text);

	assert_true(check_inside(seen->message, part->body));
	(void)snprintf(seen->text + used, sizeof(seen->text) - used,
		"%s%s%s%s%s%s:%.*s|", part->type, encodings[part->encoding],
		part->name[0] != '\0' ? " " : "", part->name,
		part->report_type[0] != '\0' ? " in " : "", part->report_type,
		(int)part->body.size, part->body.data);
	return RTLS_OK;
}

struct walking {
	const char *proves;
	const char *message;
	const char *wanted;
};

#define MULTIPART "Content-Type: multipart/mixed; boundary=b\n\n"

static const struct walking walkings[] = {
	{ "no part says its type", "Subject: x\n\nbody\n",
		"text/plain:body\n|" },
	{ "one part",
		"Content-Type: Application/TLSRPT+gzip; name=\"a.gz\"\n"
		"Content-Transfer-Encoding: BASE64 (really)\n\nx",
		"application/tlsrpt+gzip base64 a.gz:x|" },
	{ "two parts",
		MULTIPART "before\n--b\n\n1\n--b\nA: 1\n\n2\n\n--b--\nafter",
		"text/plain:1|text/plain:2\n|" },
	{ "CRLF, blanks behind the boundary",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b \t\r\n\r\n1\r\n--b-- \r\n",
		"text/plain:1|" },
	{ "the last boundary is missing", MULTIPART "--b\n\n1\n--b\n\n2",
		"text/plain:1|text/plain:2|" },
	{ "a longer boundary is another one", MULTIPART "--b\n\n1\n--bb\n--b--",
		"text/plain:1\n--bb|" },
	{ "no boundary in it", MULTIPART "1\n2\n", "" },
	{ "no boundary at all", "Content-Type: multipart/mixed\n\n--b\n\n1",
		"" },
	{ "an empty part", MULTIPART "--b\n--b--", "text/plain:|" },
	{ "a header only", MULTIPART "--b\nContent-Type: a/b\n--b--", "a/b:|" },
	{ "parts in parts",
		"Content-Type: multipart/report; report-type=\"TLSRPT\";\n"
		" boundary=o\n\n--o\nContent-Type: multipart/mixed; "
		"boundary=b\n\n--b\n\n1\n--b--\n--o\n\n2\n--o--\n",
		"text/plain in tlsrpt:1|text/plain in tlsrpt:2|" },
	{ "a message in a message",
		MULTIPART "--b\nContent-Type: message/rfc822\n\nA: 1\n"
			  "Content-Type: a/b\n\nx\n--b--",
		"a/b:x|" },
	{ "a digest",
		"Content-Type: multipart/digest; boundary=b\n\n--b\n\n"
		"Content-Type: a/b\n\nx\n--b--",
		"a/b:x|" },
	{ "the name of Content-Disposition counts",
		"Content-Type: a/b; name=x\nContent-Disposition: attachment;\n"
		"\tfilename=y\n\n",
		"a/b y:|" },
	{ "an encoding nobody knows",
		"Content-Transfer-Encoding: x-uuencode\n\nx",
		"text/plain ?:x|" },
	{ "a container must not be encoded",
		"Content-Transfer-Encoding: base64\n" MULTIPART "--b\n\n1\n",
		"multipart/mixed base64:--b\n\n1\n|" },
	{ "a type of odd form", "Content-Type: ; a\n\nx", ":x|" },
};

static void parts_are_visited(void **state)
{
	const struct walking *row = *state;
	size_t size = strlen(row->message);
	struct seen seen = { .text = "" };

	for (size_t i = 0; i <= size; i++) {
		char *copy = check_copy(rtls_slice(row->message), i);

		seen.message = rtls_slice_n(copy, i);
		seen.text[0] = '\0';
		assert_int_equal(
			rtls_mime_walk(seen.message, note_part, &seen, NULL),
			RTLS_OK);
		free(copy);
	}
	assert_string_equal(seen.text, row->wanted);
}

static enum rtls_status count_part(
	void *context, const struct rtls_mime_part *part)
{
	(void)part;
	++*(size_t *)context;
	return RTLS_OK;
}

static void parts_are_bounded(void **state)
{
	struct rtls_err err = { "" };
	size_t count = 0;
	char *text =
		check_repeat(MULTIPART, "--b\n\n", RTLS_MIME_PARTS_MAX, "");

	(void)state;
	assert_int_equal(rtls_mime_walk(rtls_slice_n(text, strlen(text) - 5),
				 count_part, &count, &err),
		RTLS_OK);
	assert_int_equal(count, RTLS_MIME_PARTS_MAX - 1);
	assert_int_equal(
		rtls_mime_walk(rtls_slice(text), count_part, &count, &err),
		RTLS_INVALID);
	check_err(&err, "more than 256 parts");
	free(text);
}

static void depth_is_bounded(void **state)
{
	static const char one[] = "Content-Type: message/rfc822\n\n";
	struct rtls_err err = { "" };
	size_t count = 0;
	char *text = check_repeat("", one, RTLS_MIME_DEPTH_MAX + 1, "");

	(void)state;
	assert_int_equal(rtls_mime_walk(rtls_slice(text + strlen(one)),
				 count_part, &count, &err),
		RTLS_OK);
	assert_int_equal(count, 1);
	assert_int_equal(
		rtls_mime_walk(rtls_slice(text), count_part, &count, &err),
		RTLS_INVALID);
	check_err(&err, "parts nested deeper than 8");
	free(text);
}

static enum rtls_status stop(void *context, const struct rtls_mime_part *part)
{
	(void)part;
	return ++*(size_t *)context == 2 ? RTLS_NO_MEMORY : RTLS_OK;
}

static void visit_ends_the_walk(void **state)
{
	size_t count = 0;

	(void)state;
	assert_int_equal(
		rtls_mime_walk(rtls_slice(MULTIPART
				       "--b\n\n1\n--b\n\n2\n--b\n\n3\n--b--"),
			stop, &count, NULL),
		RTLS_NO_MEMORY);
	assert_int_equal(count, 2);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, field_is_found, fields);
	CHECK_TABLE(&suite, parameter_is_found, parameters);
	CHECK_TABLE(&suite, part_is_decoded, decodings);
	CHECK_TABLE(&suite, parts_are_visited, walkings);
	check_add(&suite, "header and body", header_is_split, NULL);
	check_add(&suite, "a header is bounded", header_is_bounded, NULL);
	check_add(
		&suite, "the line of an mbox", mbox_line_is_passed_over, NULL);
	check_add(
		&suite, "no such encoding", unknown_encoding_is_refused, NULL);
	check_add(&suite, "parts are bounded", parts_are_bounded, NULL);
	check_add(&suite, "depth is bounded", depth_is_bounded, NULL);
	check_add(&suite, "a visit ends the walk", visit_ends_the_walk, NULL);
	return check_run(&suite, "mime");
}
