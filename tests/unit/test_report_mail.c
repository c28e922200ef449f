/* test_report_mail.c - where reports go, the message, and how Exim is started
 * (items B1.7, B6.1 to B6.7, B7.3, B7.5). The message is also read by Python's
 * mail parser in tests/scenarios/test_report.py. */
#include <fcntl.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <time.h>

#include "check_report.h"
#include "report/report.h"
#include "report/report_mail.h"
#include "report/rua.h"
#include "report/sendmail.h"

#define SET(field, text) (void)snprintf((field), sizeof(field), "%s", (text))

static bool holds(const char *text, const char *words)
{
	return text != NULL && strstr(text, words) != NULL;
}

/* --- rua ----------------------------------------------------------------------- */

struct rua_row {
	const char *proves;
	struct rtls_slice uri;
	const char *target; /* NULL: refused */
};

static const struct rua_row rua_rows[] = {
	{ "B1.7 an address", TEXT("mailto:tlsrpt@reports.example"),
		"tlsrpt@reports.example" },
	{ "B1.7 scheme in any case, domain normalized",
		TEXT("MailTo:TlsRpt@Reports.EXAMPLE."),
		"TlsRpt@reports.example" },
	{ "B1.7 percent-encoded", TEXT("mailto:tls%2Brpt%40reports.example"),
		"tls+rpt@reports.example" },
	{ "B1.3 an encoded ! in the local part", TEXT("mailto:a%21b@c.example"),
		"a!b@c.example" },
	{ "B1.7 header fields are ignored",
		TEXT("mailto:a@b.example?subject=x&bcc=c@d.example"),
		"a@b.example" },
	{ "B1.7 an address that begins like an option",
		TEXT("mailto:-bd@b.example"), "-bd@b.example" },
	{ "B1.7 A-labels of an encoded U-label",
		TEXT("mailto:a@%C3%BC.example"), "a@xn--tda.example" },
	{ "B1.7 encoded line end and header",
		TEXT("mailto:a@b.example%0ABcc:%20c@d.example"), NULL },
	{ "B1.7 encoded CR", TEXT("mailto:a%0D@b.example"), NULL },
	{ "B1.7 encoded NUL", TEXT("mailto:a@b.example%00"), NULL },
	{ "B1.7 encoded space", TEXT("mailto:a%20b@c.example"), NULL },
	{ "B1.7 encoded tab", TEXT("mailto:a%09@b.example"), NULL },
	{ "B1.7 encoded comma: Exim would see two addresses",
		TEXT("mailto:a%2Cb@c.example"), NULL },
	{ "B1.7 two addresses", TEXT("mailto:a@b.example%2Cc@d.example"),
		NULL },
	{ "B1.7 name and address", TEXT("mailto:x%3Ca@b.example%3E"), NULL },
	{ "B1.7 quoted local part", TEXT("mailto:%22a%20b%22@c.example"),
		NULL },
	{ "B1.7 a group", TEXT("mailto:g%3Aa@b.example%3B"), NULL },
	{ "B1.7 a route", TEXT("mailto:@c.example%3Aa@b.example"), NULL },
	{ "B1.7 a comment", TEXT("mailto:a(x)@b.example"), NULL },
	{ "B1.7 UTF-8 local part", TEXT("mailto:%C3%BC@b.example"), NULL },
	{ "B1.7 address literal", TEXT("mailto:a@[192.0.2.1]"), NULL },
	{ "B1.7 bare IP", TEXT("mailto:a@192.0.2.1"), NULL },
	{ "B1.7 broken escape", TEXT("mailto:a%4@b.example"), NULL },
	{ "B1.7 escape of no digits", TEXT("mailto:a%zz@b.example"), NULL },
	{ "B1.7 percent at the end", TEXT("mailto:a@b.example%"), NULL },
	{ "B1.7 double encoding is undone once",
		TEXT("mailto:a%250A@b.example"), "a%0A@b.example" },
	{ "B1.7 an encoded ? is no beginning of header fields",
		TEXT("mailto:a%3Fb@c.example"), "a?b@c.example" },
	{ "B1.7 no domain", TEXT("mailto:a@"), NULL },
	{ "B1.7 no local part", TEXT("mailto:@b.example"), NULL },
	{ "B1.7 two @", TEXT("mailto:a@b@c.example"), NULL },
	{ "B1.7 dots where none may be", TEXT("mailto:.a..b.@c.example"),
		NULL },
	{ "B1.7 empty", TEXT("mailto:"), NULL },
	{ "B1.7 only header fields", TEXT("mailto:?to=a@b.example"), NULL },
	{ "B1.7 159 no scheme", TEXT("a@b.example"), NULL },
	{ "B1.7 159 !!", TEXT("!!"), NULL },
	{ "B1.7 nothing", TEXT(""), NULL },
	{ "B1.7 another scheme", TEXT("http://b.example/"), NULL },
	{ "B1.7 file", TEXT("file:///etc/passwd"), NULL },
	{ "B1.7 a URL as written", TEXT("https://b.example/a%20b?c=d#e"),
		"https://b.example/a%20b?c=d#e" },
	{ "B1.7 scheme of a URL in any case", TEXT("HTTPS://b.example"),
		"HTTPS://b.example" },
	{ "B1.7 URL without host", TEXT("https://"), NULL },
	{ "B1.7 URL with a port", TEXT("https://b.example:8443?x"),
		"https://b.example:8443?x" },
	{ "B1.7 URL with an empty port", TEXT("https://B.example.:/x"),
		"https://B.example.:/x" },
	{ "B8.4 URL to an address", TEXT("https://192.0.2.1/x"), NULL },
	{ "B8.4 URL to an address and a port", TEXT("https://10.0.0.1:443/"),
		NULL },
	{ "B8.4 URL to an IPv6 address", TEXT("https://[::1]:443/x"), NULL },
	{ "B8.4 URL to a short address", TEXT("https://127.1/"), NULL },
	{ "B8.4 URL to a number", TEXT("https://2130706433"), NULL },
	{ "B8.4 URL to a hexadecimal number", TEXT("https://0x7f000001/"),
		NULL },
	{ "B8.4 URL to an encoded address", TEXT("https://%31%30.0.0.1/"),
		NULL },
	{ "B8.4 URL with a user", TEXT("https://b.example@10.0.0.1/"), NULL },
	{ "B1.7 URL with a port only", TEXT("https://:443/"), NULL },
	{ "B1.7 URL of a path only", TEXT("https:///x"), NULL },
	{ "B1.7 URL with a space", TEXT("https://b.example/ x"), NULL },
	{ "B1.7 URL with a line end", TEXT("https://b.example/\nx"), NULL },
	{ "B1.7 URL with NUL", TEXT("https://b.example/\0"), NULL },
	{ "B1.7 URL with 8-bit bytes", TEXT("https://b.example/\xff"), NULL },
};

static enum rtls_status parse_copy(
	struct rtls_slice uri, size_t size, struct rtls_rua *rua)
{
	char *copy = check_copy(uri, size);
	struct rtls_err err = { "" };
	enum rtls_status status;

	check_touch_not(rua, sizeof(*rua));
	status = rtls_rua_parse(rtls_slice_n(copy, size), rua, &err);
	free(copy);
	if (status != RTLS_OK) {
		assert_int_equal(status, RTLS_INVALID);
		assert_true(check_is_untouched(rua, sizeof(*rua)));
		assert_true(err.text[0] != '\0');
	}
	return status;
}

/* Whatever comes out is one word without what could end a line or an argument. */
static void check_target(const struct rtls_rua *rua)
{
	struct rtls_rua again;

	for (const char *c = rua->uri; *c != '\0'; c++)
		assert_true(*c > ' ' && *c <= '~');
	/* The outbox keeps it so. */
	assert_int_equal(
		rtls_rua_parse(rtls_slice(rua->uri), &again, NULL), RTLS_OK);
	assert_string_equal(again.uri, rua->uri);
	assert_string_equal(rtls_rua_target(&again), rtls_rua_target(rua));
}

static void test_rua(void **state)
{
	const struct rua_row *row = *state;
	struct rtls_rua rua;

	assert_int_equal(parse_copy(row->uri, row->uri.size, &rua),
		row->target != NULL ? RTLS_OK : RTLS_INVALID);
	if (row->target != NULL) {
		assert_string_equal(rtls_rua_target(&rua), row->target);
		check_target(&rua);
	}
	for (size_t size = 0; size < row->uri.size; size++)
		if (parse_copy(row->uri, size, &rua) == RTLS_OK)
			check_target(&rua);
}

static void test_rua_length(void **state)
{
	char uri[2000] = "https://b.example/";
	struct rtls_rua rua;

	(void)state;
	memset(uri + 18, 'x', sizeof(uri) - 18);
	assert_int_equal(parse_copy(rtls_slice_n(uri, RTLS_RUA_SIZE),
				 RTLS_RUA_SIZE - 1, &rua),
		RTLS_OK);
	assert_int_equal(
		parse_copy(rtls_slice_n(uri, sizeof(uri)), RTLS_RUA_SIZE, &rua),
		RTLS_INVALID);
	for (size_t i = 0; i < 7; i++)
		uri[i] = "mailto:"[i];
	assert_int_equal(
		parse_copy(rtls_slice_n(uri, sizeof(uri)), sizeof(uri), &rua),
		RTLS_INVALID);
}

/* --- the message ------------------------------------------------------------------ */

#define JOURNAL                                                                \
	LINE("a.example\tsts\t-\tsuccess\t-\t-\t-\t-\t-")                      \
	LINE("a.example\tsts\t-\tcertificate-expired\t192.0.2.1\t"             \
	     "mx.a.example\thelo\t192.0.2.2\texpired 2026-11-01")

struct message {
	char spool[64];
	struct rtls_config config;
	struct rtls_reports *reports;
	struct rtls_report_mail mail;
	char *text;
	size_t size;
	struct rtls_err err;
};

static void message_prepare(struct message *message, const char *journal)
{
	check_spool_make(message->spool);
	check_journal_write(message->spool, journal);
	check_config(&message->config, message->spool);
	assert_int_equal(rtls_reports_load(&message->config, TEST_DAY,
				 &message->reports, NULL),
		RTLS_OK);
	check_spool_remove(message->spool);
	message->mail = (struct rtls_report_mail){
		.config = &message->config,
		.report = rtls_reports_get(message->reports, 0),
		.to = "tlsrpt@reports.example",
		.now_s = TEST_NEXT_DAY_S + 3661,
		.gzip = rtls_slice_n("\x1f\x8b\x08\x00", 4),
	};
	message->text = NULL;
	message->size = 0;
	message->err.text[0] = '\0';
}

static enum rtls_status message_format(struct message *message)
{
	return rtls_report_mail_format(
		&message->mail, &message->text, &message->size, &message->err);
}

static void message_free(struct message *message)
{
	free(message->text);
	rtls_reports_free(message->reports);
}

static const char wanted_message[] =
	"From: Postmaster@lab.example\n"
	"To: tlsrpt@reports.example\n"
	"Date: Sat, 21 Nov 2026 01:01:01 +0000\n"
	"Message-ID: <2026.11.20T00.00.00Z+a.example+" TEST_HOST_ID
	"@lab.example>\n"
	"Subject: Report Domain: a.example\n"
	" Submitter: lab.example\n"
	" Report-ID: <2026.11.20T00.00.00Z+a.example+" TEST_HOST_ID
	"@lab.example>\n"
	"TLS-Report-Domain: a.example\n"
	"TLS-Report-Submitter: lab.example\n"
	"TLS-Required: No\n"
	"Auto-Submitted: auto-generated\n"
	"MIME-Version: 1.0\n"
	"Content-Type: multipart/report; report-type=\"tlsrpt\";\n"
	"\tboundary=\"=_tlsrpt_1795132800\"\n"
	"\n"
	"This is a multi-part message in MIME format.\n"
	"\n"
	"--=_tlsrpt_1795132800\n"
	"Content-Type: text/plain; charset=us-ascii\n"
	"Content-Transfer-Encoding: 7bit\n"
	"\n"
	"This is a report on the TLS security of mail sent to\n"
	"a.example\n"
	"on 2026-11-20 (UTC) by lab.example (RFC 8460).\n"
	"\n"
	"1 sessions good, 1 failed.\n"
	"\n"
	"MTA-STS policy of a.example\n"
	"  1 sessions good, 1 failed\n"
	"         1  certificate-expired (the certificate expired)\n"
	"            at mx.a.example [192.0.2.2]: expired 2026-11-01\n"
	"\n"
	"The attached file says the same, in full, for programs.\n"
	"Report-ID: 2026.11.20T00.00.00Z+a.example+" TEST_HOST_ID
	"@lab.example\n"
	"Contact: Postmaster@lab.example\n"
	"Organization: Lab\n"
	"\n"
	"--=_tlsrpt_1795132800\n"
	"Content-Type: application/tlsrpt+gzip\n"
	"Content-Transfer-Encoding: base64\n"
	"Content-Disposition: attachment;\n"
	"\tfilename=\"lab.example!a.example!1795132800!1795219199!" TEST_HOST_ID
	".json.gz\"\n"
	"\n"
	"H4sIAA==\n"
	"\n"
	"--=_tlsrpt_1795132800--\n";

static void test_message(void **state)
{
	struct message message;

	(void)state;
	message_prepare(&message, JOURNAL);
	SET(message.config.organization, "Lab");
	assert_int_equal(message_format(&message), RTLS_OK);
	assert_int_equal(message.size, strlen(message.text));
	assert_string_equal(message.text, wanted_message);
	message_free(&message);
}

static void test_from(void **state)
{
	struct message message;

	(void)state;
	message_prepare(&message, JOURNAL);
	SET(message.config.from, "noreply@lab.example");
	assert_int_equal(message_format(&message), RTLS_OK);
	assert_true(rtls_slice_starts(
		rtls_slice(message.text), "From: noreply@lab.example\n"));
	/* RFC 8460 section 5.3: the submitter is the contact's domain. */
	assert_true(holds(message.text, "TLS-Report-Submitter: lab.example\n"));
	message_free(&message);
}

static void test_not_ascii(void **state)
{
	struct message message;

	(void)state;
	message_prepare(&message, JOURNAL);
	assert_int_equal(message_format(&message), RTLS_OK);
	assert_true(holds(message.text,
		"charset=utf-8\nContent-Transfer-Encoding: base64\n"));
	for (size_t i = 0; i < message.size; i++)
		assert_true((unsigned char)message.text[i] < 127);
	message_free(&message);
}

static void test_bad_addresses(void **state)
{
	static const char *const bad[] = { "", "a", "a@b.example\nBcc: c@d",
		"a@b.example\r\n\r\nbody", "a b@c.example",
		"a@b.example, c@d.example", "<a@b.example>", "@", "a@" };
	struct message message;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		message_prepare(&message, JOURNAL);
		message.mail.to = bad[i];
		assert_int_equal(message_format(&message), RTLS_INVALID);
		assert_null(message.text);
		message_free(&message);
		if (bad[i][0] == '\0')
			continue; /* no tlsrpt_from: the contact */
		message_prepare(&message, JOURNAL);
		SET(message.config.from, bad[i]);
		assert_int_equal(message_format(&message), RTLS_INVALID);
		message_free(&message);
		message_prepare(&message, JOURNAL);
		SET(message.config.contact, bad[i]);
		assert_int_equal(message_format(&message), RTLS_INVALID);
		message_free(&message);
	}
}

/* 253 characters of domain, here and there: no header line is too long for SMTP, and the Subject is
 * folded where it may be. */
static void test_long_names(void **state)
{
	char domain[254], journal[512], wanted[1024];
	struct message message;
	struct rtls_slice rest, line;

	(void)state;
	memset(domain, 'd', sizeof(domain));
	for (size_t i = 63; i < 253; i += 64)
		domain[i] = '.';
	domain[253] = '\0';
	(void)snprintf(journal, sizeof(journal),
		LINE("%s\tsts\t-\tsuccess\t-\t-\t-\t-\t-"), domain);
	message_prepare(&message, journal);
	(void)snprintf(message.config.contact, sizeof(message.config.contact),
		"p@%s", domain);
	assert_int_equal(message_format(&message), RTLS_OK);
	(void)snprintf(wanted, sizeof(wanted),
		"\nSubject: Report Domain: %s\n Submitter: %s\n", domain,
		domain);
	assert_true(holds(message.text, wanted));
	(void)snprintf(wanted, sizeof(wanted),
		"\n Report-ID: <2026.11.20T00.00.00Z+%s+" TEST_HOST_ID "@%s>\n",
		domain, domain);
	assert_true(holds(message.text, wanted));
	(void)snprintf(wanted, sizeof(wanted),
		"\n\tfilename=\"%s!%s!1795132800!1795219199!" TEST_HOST_ID
		".json.gz\"\n",
		domain, domain);
	assert_true(holds(message.text, wanted));
	rest = rtls_slice_n(message.text, message.size);
	while (rtls_slice_line(&rest, &line))
		assert_in_range(line.size, 0, 998);
	message_free(&message);
}

/* As many policies and failures as can be, with texts as long as they get. */
static void test_large(void **state)
{
	static char journal[900000];
	char reason[481], helo[321];
	struct rtls_text text;
	struct message message;
	size_t longest = 0, column = 0;

	(void)state;
	memset(reason, 'r', sizeof(reason));
	memset(helo, 'h', sizeof(helo));
	rtls_text_init(&text, journal, sizeof(journal));
	for (unsigned i = 0; i < 800; i++)
		rtls_text_printf(&text,
			"1\t1795140000\ta.example\ttlsa\t-\t"
			"validation-failure\t-\tmx%u.%.60s.example\t%.300s\t-\t"
			"%.400s%u\n",
			i % 40, "long-label-long-label-long-label-long-label",
			helo, reason, i);
	assert_false(text.overflow);
	message_prepare(&message, journal);
	SET(message.config.organization, "Lab");
	message.mail.gzip = rtls_text_slice(&text); /* 600 kB, no matter what */
	assert_int_equal(message_format(&message), RTLS_OK);
	assert_true(holds(message.text, "and 30 more policies"));
	for (size_t i = 0; i < message.size; i++) {
		column = message.text[i] == '\n' ? 0 : column + 1;
		longest = column > longest ? column : longest;
	}
	assert_true(longest <= 998);
	message_free(&message);
}

static void test_base64(void **state)
{
	struct message message;

	(void)state;
	/* Every length up to three lines: fits, ends with a line end. */
	for (size_t size = 0; size <= 171; size++) {
		char data[171];

		memset(data, 0xfb, sizeof(data));
		message_prepare(&message, JOURNAL);
		message.mail.gzip = rtls_slice_n(data, size);
		assert_int_equal(message_format(&message), RTLS_OK);
		if (size == 57)
			assert_true(holds(message.text,
				"\n+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/"
				"v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7\n\n--"));
		if (size == 58)
			assert_true(holds(message.text, "7\n+w==\n\n--"));
		if (size == 59)
			assert_true(holds(message.text, "7\n+/s=\n\n--"));
		message_free(&message);
	}
}

/* --- the program --------------------------------------------------------------------- */

struct sendmail_row {
	const char *proves;
	const char *script; /* behind #!/bin/sh */
	const char *why;    /* NULL: taken */
};

#define PATIENCE_S 10 /* then something waits for ever */

#define SAVE "d=$(dirname \"$0\"); "

static const struct sendmail_row sendmail_rows[] = {
	{ "B6.7 taken", SAVE "cat >$d/input", NULL },
	{ "B7.4 refused with a reason", "echo 'no such\nuser' >&2; exit 69",
		"status 69: no such\\x0auser" },
	{ "B7.4 a program that does not read", "exit 1", "status 1" },
	{ "B7.4 a program that reads nothing and takes it", "exit 0", NULL },
	{ "B7.4 killed", "kill -9 $$", "signal 9" },
	{ "B7.4 hangs", "sleep 60", "longer than" },
	{ "B7.4 hangs and ignores SIGTERM", "trap '' TERM; sleep 60; sleep 60",
		"longer than" },
	{ "B7.4 leaves a process behind that holds its output",
		"sleep 2 & exit 0", NULL },
	{ "B7.4 writes a lot", "yes | head -c 300000; exit 3", "status 3" },
	{ "B7.4 a status that is lost on others: 127", "exit 127",
		"cannot be started" },
};

static void write_program(const char *spool, const char *script, char path[128])
{
	int fd;

	(void)snprintf(path, 128, "%s/sendmail", spool);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	(void)dprintf(fd, "#!/bin/sh\n%s\n", script);
	(void)close(fd);
}

static void test_sendmail(void **state)
{
	const struct sendmail_row *row = *state;
	struct rtls_err err = { "" };
	struct rtls_config config;
	enum rtls_status status;
	char spool[64], path[128];

	check_spool_make(spool);
	check_config(&config, spool);
	write_program(spool, row->script, path);
	SET(config.sendmail, path);
	status = rtls_sendmail(&config, "a@b.example",
		rtls_slice("Subject: x\n\n.\n"), 400, &err);
	check_spool_remove(spool);
	if (row->why == NULL) {
		assert_int_equal(status, RTLS_OK);
	} else {
		assert_int_equal(status, RTLS_TEMPORARY);
		check_err(&err, row->why);
	}
}

static void read_file(
	const char *spool, const char *name, char *out, size_t size)
{
	char path[128];
	FILE *file;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/%s", spool, name);
	file = fopen(path, "re");
	assert_non_null(file);
	n = fread(out, 1, size - 1, file);
	out[n] = '\0';
	(void)fclose(file);
}

/* Arguments, environment, open files and the whole message. */
static void test_sendmail_sees(void **state)
{
	static char message[200001], got[200001];
	struct rtls_err err = { "" };
	struct rtls_config config;
	char spool[64], path[128], text[2000];
	int spare =
		open("/dev/null", O_RDONLY); /* inherited, but for closefrom */

	(void)state;
	memset(message, 'm', sizeof(message) - 1);
	check_spool_make(spool);
	check_config(&config, spool);
	write_program(spool,
		SAVE "cat >$d/input; printf '%s|' \"$@\" >$d/arguments; "
		     "env >$d/environment; ls -l /proc/$$/fd >$d/files",
		path);
	SET(config.sendmail, path);
	(void)setenv("LD_PRELOAD_X", "evil", 1);
	(void)signal(SIGCHLD, SIG_IGN);
	assert_int_equal(rtls_sendmail(&config, "-a@B.example",
				 rtls_slice(message), 10000, &err),
		RTLS_OK);
	(void)close(spare);
	read_file(spool, "input", got, sizeof(got));
	assert_string_equal(got, message);
	read_file(spool, "arguments", text, sizeof(text));
	assert_string_equal(text, "-oi|-oMr|tlsrpt|-f|<>|--|-a@b.example|");
	read_file(spool, "environment", text, sizeof(text));
	assert_false(holds(text, "evil"));
	assert_false(holds(text, "HOME="));
	assert_true(holds(text, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"));
	read_file(spool, "files", text, sizeof(text));
	assert_true(holds(text, "memfd:report"));
	assert_false(holds(text, "/dev/null"));
	check_spool_remove(spool);
}

static void test_sendmail_bad(void **state)
{
	struct rtls_err err = { "" };
	struct rtls_config config;

	(void)state;
	check_config(&config, "/nonexistent");
	SET(config.sendmail, "/nonexistent/sendmail");
	assert_int_equal(rtls_sendmail(&config, "a@b.example", rtls_slice("x"),
				 5000, &err),
		RTLS_TEMPORARY);
	check_err(&err, "cannot be started");
	assert_int_equal(rtls_sendmail(&config, "a@b.example,c@d.example",
				 rtls_slice("x"), 5000, &err),
		RTLS_TEMPORARY);
	check_err(&err, "not a plain address");
}

/* This test as the program, setuid: as root for good it gets no signal of its starter's. */
static int be_exim(void)
{
	if (setuid(0) == 0)
		(void)sleep(2 * PATIENCE_S);
	return 0;
}

static void copy_of_this_test(const char *spool, char path[128])
{
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), out;
	struct stat info = { .st_size = 0 };

	assert_true(in >= 0 && fstat(in, &info) == 0);
	(void)snprintf(path, 128, "%s/sendmail", spool);
	out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	assert_true(out >= 0);
	assert_int_equal(
		sendfile(out, in, NULL, (size_t)info.st_size), info.st_size);
	assert_int_equal(fchmod(out, 04755), 0);
	(void)close(in);
	(void)close(out);
}

static int send_as_nobody(const struct rtls_config *config)
{
	struct rtls_err err = { "" };

	alarm(PATIENCE_S);
	if (setgid(65534) != 0 || setuid(65534) != 0)
		return 1;
	if (rtls_sendmail(config, "a@b.example", rtls_slice("x"), 100, &err) !=
		RTLS_TEMPORARY)
		return 2;
	return holds(err.text, "longer than") ? 0 : 3;
}

static void test_sendmail_unkillable(void **state)
{
	struct rtls_config config;
	char spool[64], path[128];
	int status = -1;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	check_spool_make(spool);
	check_config(&config, spool);
	assert_int_equal(chmod(spool, 0755), 0);
	copy_of_this_test(spool, path);
	SET(config.sendmail, path);
	pid = fork();
	if (pid == 0)
		_exit(send_as_nobody(&config));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	check_spool_remove(spool);
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	static struct check_suite suite;

	if (argc > 1 && strcmp(argv[1], "-oi") == 0)
		return be_exim();
	CHECK_TABLE(&suite, test_rua, rua_rows);
	check_add(&suite, "B1.7 the longest URI", test_rua_length, NULL);
	check_add(&suite, "B6.3 B6.4 B6.5 B6.7 B7.3 the whole message",
		test_message, NULL);
	check_add(&suite, "B6.4 another sender", test_from, NULL);
	check_add(
		&suite, "B4.8 words that are not ASCII", test_not_ascii, NULL);
	check_add(&suite, "B6.7 no address breaks out of its field",
		test_bad_addresses, NULL);
	check_add(&suite, "B6.5 the longest names", test_long_names, NULL);
	check_add(&suite, "165 the largest message", test_large, NULL);
	check_add(&suite, "B6.3 base64 of each length", test_base64, NULL);
	CHECK_TABLE(&suite, test_sendmail, sendmail_rows);
	check_add(
		&suite, "B6.7 what the program sees", test_sendmail_sees, NULL);
	check_add(
		&suite, "B6.7 no program, no address", test_sendmail_bad, NULL);
	check_add(&suite, "B7.4 hangs and cannot be killed",
		test_sendmail_unkillable, NULL);
	return check_run(&suite, "report_mail");
}
