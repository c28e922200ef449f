/* test_report_json.c - the JSON of a report, its names and its compression
 * (items B4.1 to B4.8, B6.1). What the bytes mean is checked by another reader, in
 * tests/scenarios/test_report.py. The code under test is included, so that its
 * memory can be made to run out. */
#include <jansson.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "check_report.h"

static size_t allocations, fail_at; /* fail_at 0: never */

static void *failing_malloc(size_t size)
{
	return ++allocations == fail_at ? NULL : malloc(size);
}

static void *failing_realloc(void *memory, size_t size)
{
	return ++allocations == fail_at ? NULL : realloc(memory, size);
}

#define malloc  failing_malloc
#define realloc failing_realloc
#include "report/report_json.c" /* NOLINT(bugprone-suspicious-include) */
#undef malloc
#undef realloc

#include "policy/utf8.h"
#include "report/gzip.h"
#include "report/report.h"
#include "store/policies.h"

#define POLICY                                                                 \
	"version: STSv1\r\nmode: enforce\r\nmx: mx1.a.example\r\n"             \
	"mx: *.b.example\r\nmax_age: 86400\r\n"
#define BROKEN                                                                 \
	"version: STSv1\n\nmode: \"en\\force\"\n\ttab\nbad \xff utf-8\n"       \
	"gr\xc3\xbc\xc3\x9f\nmx: mx.example"
#define TLSA "3 1 1 00ff\n2 0 1 aabb\n"

#define HEAD                                                                   \
	"{\"organization-name\":\"Lab & S\xc3\xb6hne\",\"date-range\":"        \
	"{\"start-datetime\":\"2026-11-20T00:00:00Z\",\"end-datetime\":"       \
	"\"2026-11-20T23:59:59Z\"},\"contact-info\":"                          \
	"\"Postmaster@lab.example\",\"report-id\":"                            \
	"\"2026.11.20T00.00.00Z+a.example+" TEST_HOST_ID                       \
	"@lab.example\",\"policies\":["
#define SUMMARY(good, bad)                                                     \
	"\"summary\":{\"total-successful-session-count\":" good                \
	",\"total-failure-session-count\":" bad "},"
#define NO_FAILURES "\"failure-details\":[]}"

struct row {
	const char *proves;
	const char *policy; /* its digest stands for %s in the lines */
	const char *lines;
	const char *wanted;
};

static const struct row rows[] = {
	{ "B4.2 145 no-policy-found: policy-domain, no policy-string", NULL,
		LINE("a.example\tno-policy-found\t-\tsuccess\t-\t-\t-\t-\t-"),
		HEAD "{\"policy\":{\"policy-type\":\"no-policy-found\","
		     "\"policy-domain\":\"a.example\"}," SUMMARY("1", "0")
			     NO_FAILURES "]}" },
	{ "B4.3 151 STS: a string per line, mx-host an array", POLICY,
		LINE("a.example\tsts\t%s\tsuccess\t-\t-\t-\t-\t-"),
		HEAD
		"{\"policy\":{\"policy-type\":\"sts\",\"policy-string\":["
		"\"version: STSv1\",\"mode: enforce\","
		"\"mx: mx1.a.example\",\"mx: *.b.example\","
		"\"max_age: 86400\"],\"policy-domain\":\"a.example\","
		"\"mx-host\":[\"mx1.a.example\",\"*.b.example\"]}," SUMMARY(
			"1", "0") NO_FAILURES "]}" },
	{ "B4.3 B4.8 a policy with its errors, foreign bytes quoted", BROKEN,
		LINE("a.example\tsts\t%s\tsts-policy-invalid\t-\t-\t-\t-\t-"),
		HEAD
		"{\"policy\":{\"policy-type\":\"sts\",\"policy-string\":["
		"\"version: STSv1\",\"\",\"mode: \\\"en\\\\force\\\"\","
		"\"\\ttab\",\"bad \\\\xff utf-8\",\"gr\xc3\xbc\xc3\x9f\","
		"\"mx: mx.example\"],\"policy-domain\":\"a.example\"}," SUMMARY(
			"0",
			"1") "\"failure-details\":[{\"result-type\":"
			     "\"sts-policy-invalid\",\"failed-session-count\":"
			     "1}]}]}" },
	{ "B4.3 a policy that is empty", "",
		LINE("a.example\tsts\t%s\tsts-policy-invalid\t-\t-\t-\t-\t-"),
		HEAD "{\"policy\":{\"policy-type\":\"sts\","
		     "\"policy-domain\":\"a.example\"}," SUMMARY(
			     "0", "1") "\"failure-details\":[{\"result-type\":"
				       "\"sts-policy-invalid\","
				       "\"failed-session-count\":1}]}]}" },
	{ "B4.3 a policy of one empty line", "\r\n",
		LINE("a.example\tsts\t%s\tsts-policy-invalid\t-\t-\t-\t-\t-"),
		HEAD
		"{\"policy\":{\"policy-type\":\"sts\",\"policy-string\":[\"\"],"
		"\"policy-domain\":\"a.example\"}," SUMMARY(
			"0", "1") "\"failure-details\":[{\"result-type\":"
				  "\"sts-policy-invalid\","
				  "\"failed-session-count\":1}]}]}" },
	{ "B4.3 a policy whose text is gone", NULL,
		LINE("a.example\tsts\t"
		     "abababababababababababababababababababababababababababab"
		     "abababab\tsuccess\t-\t-\t-\t-\t-"),
		HEAD "{\"policy\":{\"policy-type\":\"sts\","
		     "\"policy-domain\":\"a.example\"}," SUMMARY("1", "0")
			     NO_FAILURES "]}" },
	{ "B4.2 B4.3 TLSA: a string per record, domain of the MX, no mx-host",
		TLSA,
		LINE("a.example\ttlsa\t%s\tsuccess\t-\tmx.b.example\t-\t-\t-"),
		HEAD "{\"policy\":{\"policy-type\":\"tlsa\",\"policy-string\":["
		     "\"3 1 1 00ff\",\"2 0 1 aabb\"],"
		     "\"policy-domain\":\"mx.b.example\"}," SUMMARY("1", "0")
			     NO_FAILURES "]}" },
	{ "B4.5 all fields of a failure, in order", NULL,
		LINE("a.example\tno-policy-found\t-\tcertificate-not-trusted\t"
		     "192.0.2.1\tmx.example\thelo \\x0a\"\t2001:db8::1\t"
		     "signer <unknown>"),
		HEAD "{\"policy\":{\"policy-type\":\"no-policy-found\","
		     "\"policy-domain\":\"a.example\"}," SUMMARY("0",
			     "1") "\"failure-details\":[{\"result-type\":"
				  "\"certificate-not-trusted\","
				  "\"sending-mta-ip\":\"192.0.2.1\","
				  "\"receiving-mx-hostname\":\"mx.example\","
				  "\"receiving-mx-helo\":\"helo \\\\x0a\\\"\","
				  "\"receiving-ip\":\"2001:db8::1\","
				  "\"failed-session-count\":1,"
				  "\"failure-reason-code\":"
				  "\"signer <unknown>\"}]}]}" },
	{ "B4.5 149 what is not known has no key", NULL,
		LINE("a.example\tno-policy-found\t-\tsts-policy-fetch-error\t"
		     "-\t-\t-\t-\t-")
			LINE("a.example\tno-policy-found\t-\t"
			     "sts-policy-fetch-error\t-\t-\t-\t-\t-"),
		HEAD "{\"policy\":{\"policy-type\":\"no-policy-found\","
		     "\"policy-domain\":\"a.example\"}," SUMMARY(
			     "0", "2") "\"failure-details\":[{\"result-type\":"
				       "\"sts-policy-fetch-error\","
				       "\"failed-session-count\":2}]}]}" },
};

/* A spool with the journal of the row; %s in it is the policy's digest. */
static void make_spool(const struct row *row, char spool[64])
{
	char digest[RTLS_DIGEST_SIZE] = "-";
	const char *mark = strstr(row->lines, "%s");
	FILE *file;

	check_spool_make(spool);
	if (row->policy != NULL)
		assert_int_equal(rtls_policies_put(spool,
					 rtls_slice(row->policy), digest, NULL),
			RTLS_OK);
	file = check_spool_file(spool, "tlsrpt", TEST_DAY);
	if (mark == NULL)
		(void)fputs(row->lines, file);
	else
		(void)fprintf(file, "%.*s%s%s", (int)(mark - row->lines),
			row->lines, digest, mark + 2);
	assert_int_equal(fclose(file), 0);
}

static struct rtls_reports *load(const struct rtls_config *config)
{
	struct rtls_reports *reports = NULL;

	assert_int_equal(
		rtls_reports_load(config, TEST_DAY, &reports, NULL), RTLS_OK);
	return reports;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	struct rtls_reports *reports;
	struct rtls_config config;
	char spool[64], *json;

	make_spool(row, spool);
	check_config(&config, spool);
	reports = load(&config);
	json = rtls_report_json(&config, rtls_reports_get(reports, 0));
	assert_string_equal(json, row->wanted);
	free(json);
	rtls_reports_free(reports);
	check_spool_remove(spool);
}

/* --- names and odd configurations --------------------------------------------- */

struct names_row {
	const char *proves;
	const char *contact;
	const char *id; /* NULL: no usable contact */
	const char *file;
};

static const struct names_row names_rows[] = {
	{ "B6.1 153 id and file name", "postmaster@lab.example",
		"2026.11.20T00.00.00Z+a.example+" TEST_HOST_ID "@lab.example",
		"lab.example!a.example!1795132800!1795219199!" TEST_HOST_ID },
	{ "B6.4 the submitter is normalized", "tls.reports+x@Mail.LAB.example",
		"2026.11.20T00.00.00Z+a.example+" TEST_HOST_ID
		"@mail.lab.example",
		"mail.lab.example!a.example!1795132800!1795219199!" TEST_HOST_ID },
	{ "B6.1 A-labels", "post@\xc3\xbc.example",
		"2026.11.20T00.00.00Z+a.example+" TEST_HOST_ID
		"@xn--tda.example",
		"xn--tda.example!a.example!1795132800!1795219199!" TEST_HOST_ID },
	{ "B4.1 no contact", "", NULL, NULL },
	{ "B4.1 contact without domain", "postmaster", NULL, NULL },
	{ "B4.1 contact without local part", "@lab.example", NULL, NULL },
	{ "B6.4 contact with a line end", "a@lab.example\nBcc: b", NULL, NULL },
	{ "B6.4 contact that is two", "a@lab.example,b@lab.example", NULL,
		NULL },
};

static void test_names(void **state)
{
	const struct names_row *row = *state;
	struct rtls_report_names names;
	struct rtls_reports *reports;
	struct rtls_config config;
	enum rtls_status status;
	char spool[64], *json;

	make_spool(&rows[0], spool);
	check_config(&config, spool);
	(void)snprintf(
		config.contact, sizeof(config.contact), "%s", row->contact);
	reports = load(&config);
	check_touch_not(&names, sizeof(names));
	status = rtls_report_names(
		&config, rtls_reports_get(reports, 0), &names, NULL);
	json = rtls_report_json(&config, rtls_reports_get(reports, 0));
	if (row->id == NULL) {
		assert_int_equal(status, RTLS_INVALID);
		assert_true(check_is_untouched(&names, sizeof(names)));
		assert_null(json);
	} else {
		assert_int_equal(status, RTLS_OK);
		assert_string_equal(names.id, row->id);
		assert_string_equal(names.file, row->file);
		assert_non_null(strstr(json, row->id));
	}
	free(json);
	rtls_reports_free(reports);
	check_spool_remove(spool);
}

/* Each machine has reports of its own name, the same each day. */
static void test_host_id(void **state)
{
	char id[3][RTLS_HOST_ID_SIZE], digest[RTLS_DIGEST_SIZE];
	struct rtls_config config;
	struct utsname machine;

	(void)state;
	check_config(&config, "/");
	assert_int_equal(rtls_report_host_id(&config, id[0]), RTLS_OK);
	assert_string_equal(id[0], TEST_HOST_ID);
	(void)snprintf(config.report_host, sizeof(config.report_host), "mta2");
	assert_int_equal(rtls_report_host_id(&config, id[1]), RTLS_OK);
	assert_string_not_equal(id[1], id[0]);
	config.report_host[0] = '\0';
	assert_int_equal(rtls_report_host_id(&config, id[2]), RTLS_OK);
	assert_int_equal(uname(&machine), 0);
	assert_int_equal(
		rtls_policies_digest(rtls_slice(machine.nodename), digest),
		RTLS_OK);
	assert_memory_equal(id[2], digest, RTLS_HOST_ID_SIZE - 1);
}

/* tlsrpt_sending_ip = no: it is not there, and what differed by it only is one failure. */
static void test_sending_ip(void **state)
{
	static const struct row row = { "", NULL,
		LINE("a.example\tsts\t-\tvalidation-failure\t192.0.2.1\t"
		     "mx\t-\t192.0.2.3\t-")
			LINE("a.example\tsts\t-\tvalidation-failure\t"
			     "192.0.2.2\tmx\t-\t192.0.2.3\t-")
				LINE("a.example\tsts\t-\tvalidation-failure\t"
				     "192.0.2.2\tmx\t-\t192.0.2.4\t-"),
		"" };
	struct rtls_reports *reports;
	struct rtls_config config;
	char spool[64], *json;

	(void)state;
	make_spool(&row, spool);
	check_config(&config, spool);
	config.report_sending_ip = false;
	reports = load(&config);
	json = rtls_report_json(&config, rtls_reports_get(reports, 0));
	assert_non_null(json);
	assert_null(strstr(json, "sending-mta-ip"));
	assert_non_null(strstr(json,
		"\"failure-details\":["
		"{\"result-type\":\"validation-failure\","
		"\"receiving-mx-hostname\":\"mx\","
		"\"receiving-ip\":\"192.0.2.3\",\"failed-session-count\":2},"
		"{\"result-type\":\"validation-failure\","
		"\"receiving-mx-hostname\":\"mx\","
		"\"receiving-ip\":\"192.0.2.4\",\"failed-session-count\":1"
		"}]"));
	free(json);
	rtls_reports_free(reports);
	check_spool_remove(spool);
}

static void test_organization(void **state)
{
	static const char *const names[][2] = {
		{ "\xff\xfe", "\"\\\\xff\\\\xfe\"" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "a\nb", "\"a\\\\x0ab\"" },
		{ "\xef\xbf\xbe", "\"\\\\xef\\\\xbf\\\\xbe\"" },
	};
	struct rtls_reports *reports;
	struct rtls_config config;
	char spool[64], *json;

	(void)state;
	make_spool(&rows[0], spool);
	check_config(&config, spool);
	reports = load(&config);
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(config.organization, sizeof(config.organization),
			"%s", names[i][0]);
		json = rtls_report_json(&config, rtls_reports_get(reports, 0));
		assert_non_null(json);
		assert_non_null(strstr(json, names[i][1]));
		free(json);
	}
	rtls_reports_free(reports);
	check_spool_remove(spool);
}

/* A policy of one very long line, and one of very many lines. */
static void test_policy_caps(void **state)
{
	static char text[60001];
	struct row row = rows[1];
	struct rtls_reports *reports;
	struct rtls_config config;
	json_t *json, *lines;
	char spool[64], *bytes;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	for (size_t i = 30000; i < sizeof(text) - 1; i += 10)
		text[i] = '\n';
	row.policy = text;
	make_spool(&row, spool);
	check_config(&config, spool);
	reports = load(&config);
	bytes = rtls_report_json(&config, rtls_reports_get(reports, 0));
	assert_non_null(bytes);
	json = json_loads(bytes, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	assert_int_equal(json_unpack(json, "{s:[{s:{s:o}}]}", "policies",
				 "policy", "policy-string", &lines),
		0);
	assert_in_range(json_array_size(lines), 512, 600);
	assert_int_equal(json_string_length(json_array_get(lines, 0)), 1024);
	json_decref(json);
	free(bytes);
	rtls_reports_free(reports);
	check_spool_remove(spool);
}

/* --- the same bytes every time -------------------------------------------------- */

static void test_stable(void **state)
{
	char spool[64], *json[2], *packed[2];
	struct rtls_reports *reports;
	struct rtls_config config;
	size_t size[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		make_spool(&rows[1], spool);
		check_config(&config, spool);
		reports = load(&config);
		json[i] =
			rtls_report_json(&config, rtls_reports_get(reports, 0));
		assert_int_equal(
			rtls_gzip(rtls_slice(json[i]), &packed[i], &size[i]),
			RTLS_OK);
		rtls_reports_free(reports);
		check_spool_remove(spool);
	}
	assert_string_equal(json[0], json[1]);
	assert_int_equal(size[0], size[1]);
	assert_memory_equal(packed[0], packed[1], size[0]);
	for (size_t i = 0; i < 2; i++) {
		free(json[i]);
		free(packed[i]);
	}
}

static void test_gzip(void **state)
{
	/* RFC 1952: deflate, no flags, no time, best compression, no system. */
	static const unsigned char head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2,
		255 };
	static char text[300000], back[300001];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 23);
	for (size_t size = 0; size <= sizeof(text); size += 99999) {
		z_stream stream = { .next_out = (Bytef *)back,
			.avail_out = sizeof(back) };
		char *packed;
		size_t packed_size;

		assert_int_equal(rtls_gzip(rtls_slice_n(text, size), &packed,
					 &packed_size),
			RTLS_OK);
		assert_memory_equal(packed, head, sizeof(head));
		stream.next_in = (Bytef *)packed;
		stream.avail_in = (uInt)packed_size;
		assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
		assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
		assert_int_equal(stream.total_out, size);
		assert_int_equal(stream.avail_in, 0);
		assert_memory_equal(back, text, size);
		(void)inflateEnd(&stream);
		free(packed);
	}
}

/* --- failing library --------------------------------------------------------------- */

static void test_no_memory(void **state)
{
	struct rtls_reports *reports;
	struct rtls_config config;
	char spool[64], *json;
	size_t fail_at_reached;

	(void)state;
	make_spool(&rows[2], spool);
	check_config(&config, spool);
	reports = load(&config);
	json_set_alloc_funcs(failing_malloc, free);
	for (fail_at = 1;; fail_at++) {
		allocations = 0;
		json = rtls_report_json(&config, rtls_reports_get(reports, 0));
		if (json != NULL && allocations < fail_at)
			break;
		/* jansson may do without some, but never gives half a report */
		if (json != NULL)
			assert_string_equal(json, rows[2].wanted);
		free(json);
		assert_true(fail_at < 1000);
	}
	json_set_alloc_funcs(malloc, free);
	fail_at_reached = fail_at;
	fail_at = 0;
	assert_string_equal(json, rows[2].wanted);
	assert_true(fail_at_reached > 20);
	free(json);
	rtls_reports_free(reports);
	check_spool_remove(spool);
}

/* --- UTF-8 ---------------------------------------------------------------------------- */

struct utf8_row {
	const char *proves;
	struct rtls_slice text;
	bool is_clean;
};

static const struct utf8_row utf8_rows[] = {
	{ "B4.8 nothing", TEXT(""), true },
	{ "B4.8 ASCII", TEXT("a ~"), true },
	{ "B4.8 two, three and four bytes",
		TEXT("\xc2\xa0\xe2\x82\xac\xf0\x9f\x93\xa7"), true },
	{ "B4.8 the last code points of each length",
		TEXT("\xdf\xbf\xef\xbf\xbd\xf4\x8f\xbf\xbd"), true },
	{ "B4.8 NUL", TEXT("a\0"), false },
	{ "B4.8 line end", TEXT("a\n"), false },
	{ "B4.8 DEL", TEXT("\x7f"), false },
	{ "B4.8 C1 control", TEXT("\xc2\x85"), false },
	{ "B4.8 lone continuation", TEXT("\x80"), false },
	{ "B4.8 cut short", TEXT("\xe2\x82"), false },
	{ "B4.8 not continued", TEXT("\xc3("), false },
	{ "B4.8 overlong, two bytes", TEXT("\xc1\xbf"), false },
	{ "B4.8 overlong, three bytes", TEXT("\xe0\x9f\xbf"), false },
	{ "B4.8 overlong, four bytes", TEXT("\xf0\x8f\xbf\xbf"), false },
	{ "B4.8 surrogate", TEXT("\xed\xa0\x80"), false },
	{ "B4.8 beyond Unicode", TEXT("\xf4\x90\x80\x80"), false },
	{ "B4.8 noncharacter U+FFFE", TEXT("\xef\xbf\xbe"), false },
	{ "B4.8 noncharacter U+FDD0", TEXT("\xef\xb7\x90"), false },
	{ "B4.8 noncharacter U+10FFFF", TEXT("\xf4\x8f\xbf\xbf"), false },
};

static void test_utf8(void **state)
{
	const struct utf8_row *row = *state;
	char *copy = check_copy(row->text, row->text.size);

	assert_int_equal(rtls_utf8_is_clean(rtls_slice_n(copy, row->text.size)),
		row->is_clean);
	free(copy);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	CHECK_TABLE(&suite, test_names, names_rows);
	CHECK_TABLE(&suite, test_utf8, utf8_rows);
	check_add(&suite, "B4.1 B6.1 an id of the machine's own", test_host_id,
		NULL);
	check_add(
		&suite, "B9.1 without the own address", test_sending_ip, NULL);
	check_add(&suite, "B4.8 organization of any bytes", test_organization,
		NULL);
	check_add(&suite, "B4.8 165 policy text is capped", test_policy_caps,
		NULL);
	check_add(&suite, "B4 the same journal gives the same bytes",
		test_stable, NULL);
	check_add(&suite, "B5.2 gzip with a fixed header", test_gzip, NULL);
	check_add(&suite, "each allocation failing, jansson's too",
		test_no_memory, NULL);
	return check_run(&suite, "report_json");
}
