#include "check_received.h"
#include "report/gzip.h"
#include "report/received_time.h"

struct reading {
	const char *proves;
	const char *old; /* of CHECK_REPORT */
	const char *new;
	const char *note; /* all notes, one a line */
	const char *part; /* of what comes out */
};

#define SUCCESSES "\"total-successful-session-count\":7"
#define FAILURES  "\"total-failure-session-count\":3"
#define ELEMENT   "policies[0]: "
#define DETAIL    "policies[0].failure-details[0]: "

static const struct reading readings[] = {
	{ "a good report comes out as it was", "", "", "", CHECK_REPORT },
	{ "white space in front", "{", " \r\n\t{", "", CHECK_REPORT },
	{ "a byte order mark", "{", "\xef\xbb\xbf{",
		"a byte order mark in front\n", CHECK_REPORT },
	/* The report. */
	{ "Microsoft: times without a zone", "T00:00:00Z\",\"end",
		"T00:00:00\",\"end",
		"date-range: a time without a zone, taken as UTC\n",
		CHECK_REPORT },
	{ "another zone is no mistake", "2026-11-20T00:00:00Z\",",
		"2026-11-20T05:30:00+05:30\",", "", CHECK_REPORT },
	{ "the end of the day as 24:00", "20T23:59:59Z", "20T24:00:00Z", "",
		"\"2026-11-21T00:00:00Z\"" },
	{ "a range that is reversed", "2026-11-20T23", "2026-11-19T23",
		"date-range: ends before it starts, turned round\n",
		"\"start-datetime\":\"2026-11-19T23:59:59Z\","
		"\"end-datetime\":\"2026-11-20T00:00:00Z\"" },
	{ "a range of more than a day", "20T23:59:59Z", "21T00:00:01Z",
		"date-range: longer than a day\n", "\"2026-11-21T00:00:01Z\"" },
	{ "contact-info null", "\"tls@company-x.example\"", "null",
		"contact-info: null instead of a text\n",
		"\"contact-info\":\"\"" },
	{ "contact-info that is no address", "tls@company", "tls.company",
		"contact-info: not a mail address\n", "tls.company-x" },
	{ "no report-id",
		"\"report-id\":\"2026-11-20T00:00:00Z_bank.example\",", "",
		"report-id: left out\n", "\"report-id\":\"\"" },
	{ "a report-id that is a number",
		"\"2026-11-20T00:00:00Z_bank.example\"", "17",
		"report-id: a number instead of a text\n",
		"\"report-id\":\"17\"" },
	{ "a member nobody knows", "\"report-id\"",
		"\"x\\u001b\":1,\"report-id\"",
		"unknown member \"x\\x1b\", left out\n", CHECK_REPORT },
	{ "control characters", "Company X", "Company\\u001b[31m",
		"organization-name: control characters, replaced\n",
		"Company\xef\xbf\xbd[31m" },
	{ "other letters stay", "Company X", "M\xc3\xbcller", "",
		"M\xc3\xbcller" },
	/* Policies. */
	{ "one policy instead of an array", "\"policies\":[{\"policy\"",
		"\"policies\":[7,{\"policy\"",
		"policies[0]: not an object, left out\n", CHECK_REPORT },
	{ "policy-string is missing",
		"\"policy-string\":[\"version: STSv1\",\"mode: enforce\","
		"\"mx: mx.bank.example\",\"max_age: 604800\"],",
		"", ELEMENT "policy-string: left out\n",
		"\"policy-string\":[]" },
	{ "policy-string as one text",
		"[\"version: STSv1\",\"mode: enforce\","
		"\"mx: mx.bank.example\",\"max_age: 604800\"]",
		"\"version: STSv1\\r\\nmode: enforce\\nmx: mx.bank.example\\n"
		"max_age: 604800\\n\"",
		ELEMENT "policy-string: one text instead of an array\n",
		CHECK_REPORT },
	{ "EID 6241: mx-host as a text", "[\"mx.bank.example\"]",
		"\"mx.bank.example\"",
		ELEMENT "mx-host: one text instead of an array\n",
		CHECK_REPORT },
	{ "mx-host null", "[\"mx.bank.example\"]", "null",
		ELEMENT "mx-host: null instead of an array\n" ELEMENT
			"mx-host: left out\n",
		"\"mx-host\":[]" },
	{ "mx-host of numbers", "[\"mx.bank.example\"]",
		"[1,\"mx.bank.example\"]",
		ELEMENT "mx-host: something else than texts, left out\n",
		CHECK_REPORT },
	{ "policy-domain is missing", "\"policy-domain\":\"bank.example\",", "",
		ELEMENT "policy-domain: left out\n", "\"policy-domain\":\"\"" },
	{ "policy-domain with capitals and a dot", "\":\"bank.example\"",
		"\":\"Bank.Example.\"", "", CHECK_REPORT },
	{ "policy-domain of U-labels", "\":\"bank.example\"",
		"\":\"b\xc3\xbc"
		"cher.example\"",
		ELEMENT "policy-domain: not in A-labels\n",
		"\"policy-domain\":\"xn--bcher-kva.example\"" },
	{ "policy-domain that is none", "\":\"bank.example\"", "\":\"<bank>\"",
		ELEMENT "policy-domain: not a domain name\n", "<bank>" },
	{ "policy-type in capitals", "\"sts\"", "\"STS\"",
		ELEMENT "policy-type: not in lower case\n", CHECK_REPORT },
	{ "policy-type nobody knows", "\"sts\"", "\"dmarc\"",
		ELEMENT "policy-type: \"dmarc\" is none of RFC 8460\n",
		"\"policy-type\":\"dmarc\"" },
	{ "mx-host of a policy that needs none",
		"\"mx: mx.bank.example\",\"max_age: 604800\"],"
		"\"policy-domain\":\"bank.example\","
		"\"mx-host\":[\"mx.bank.example\"]",
		"\"max_age: 604800\"],\"policy-domain\":\"bank.example\"", "",
		"\"mx-host\":[]" },
	{ "mx-host is missing", ",\"mx-host\":[\"mx.bank.example\"]", "",
		ELEMENT "mx-host: left out\n", "\"mx-host\":[]" },
	/* Counts. */
	{ "a count beyond all bounds", FAILURES,
		"\"total-failure-session-count\":1e300",
		ELEMENT
		"total-failure-session-count: not a count, taken as 0\n",
		"\"total-failure-session-count\":0" },
	{ "a count as a text", SUCCESSES,
		"\"total-successful-session-count\":\"7\"",
		ELEMENT "total-successful-session-count: a text instead of a "
			"number\n",
		CHECK_REPORT },
	{ "a count with a fraction", SUCCESSES,
		"\"total-successful-session-count\":7.0",
		ELEMENT "total-successful-session-count: a number with a "
			"fraction\n",
		CHECK_REPORT },
	{ "a negative count", FAILURES, "\"total-failure-session-count\":-3",
		ELEMENT "total-failure-session-count: negative, counted as 0\n",
		"\"total-failure-session-count\":0" },
	{ "a count that is too large", FAILURES,
		"\"total-failure-session-count\":9007199254740993",
		ELEMENT "total-failure-session-count: too large, cut to 2^53 - "
			"1\n",
		"\"total-failure-session-count\":9007199254740991" },
	{ "no count", FAILURES, "\"x\":3",
		ELEMENT
		"total-failure-session-count: left out, counted as 0\n" ELEMENT
		"unknown member \"x\", left out\n",
		"\"total-failure-session-count\":0" },
	{ "a count of nothing", FAILURES, "\"total-failure-session-count\":{}",
		ELEMENT
		"total-failure-session-count: not a count, taken as 0\n",
		"\"total-failure-session-count\":0" },
	/* Details. */
	{ "result-type in capitals", "certificate-expired",
		"Certificate-Expired",
		DETAIL "result-type: not in lower case\n", CHECK_REPORT },
	{ "result-type nobody knows", "certificate-expired", "mx-on-fire",
		DETAIL "result-type: \"mx-on-fire\" is none of RFC 8460\n",
		"\"result-type\":\"mx-on-fire\"" },
	{ "success is no failure", "certificate-expired", "success",
		DETAIL "result-type: \"success\" is none of RFC 8460\n",
		"\"result-type\":\"success\"" },
	{ "no result-type", "\"result-type\":\"certificate-expired\",", "",
		DETAIL "result-type: left out\n", "\"result-type\":\"\"" },
	{ "an address in brackets", "\"2001:db8::25\"", "\"[2001:DB8:0::25]\"",
		DETAIL "receiving-ip: an address in brackets\n", CHECK_REPORT },
	{ "an address literal", "\"2001:db8::25\"", "\"[IPv6:2001:db8::25]\"",
		DETAIL "receiving-ip: an address in brackets\n", CHECK_REPORT },
	{ "an address as RFC 5952 does not write it", "2001:db8::25",
		"2001:0DB8::0025", "", CHECK_REPORT },
	{ "no address", "192.0.2.1", "192.0.2.256",
		DETAIL "sending-mta-ip: not an IP address\n", "192.0.2.256" },
	{ "Comcast: failure-error-code", "failure-reason-code",
		"failure-error-code",
		DETAIL "failure-error-code instead of failure-reason-code\n",
		CHECK_REPORT },
	{ "a reason that is null", "\"EXPIRED\"", "null",
		DETAIL "failure-reason-code: null instead of a text\n",
		"\"additional-information\":\"https://company-x.example/1\"}]" },
	{ "a reason that is empty", "\"EXPIRED\"", "\"\"",
		DETAIL "failure-reason-code: empty instead of left out\n",
		"\"additional-information\":\"https://company-x.example/1\"}]" },
	{ "failure-details null", "\"failure-details\":[",
		"\"failure-details\":null,\"details\":[",
		ELEMENT "failure-details: null instead of an array\n" ELEMENT
			"unknown member \"details\", left out\n",
		"\"failure-details\":[]" },
	{ "failure-details left out", "\"failure-details\":[", "\"details\":[",
		ELEMENT "failure-details: left out\n" ELEMENT
			"unknown member \"details\", left out\n",
		"\"failure-details\":[]" },
};

/* What has to be there of a policy depends on whether it was had. */
struct element {
	const char *proves;
	const char *policies; /* of the report */
	const char *note;
};

#define STS_OF                                                                 \
	"[{\"policy\":{\"policy-type\":\"sts\",\"policy-domain\":\"a.example\"}"
#define SUMS(good, bad)                                                        \
	",\"summary\":{\"total-successful-session-count\":" good               \
	",\"total-failure-session-count\":" bad "}"
#define FAILED(type)                                                           \
	",\"failure-details\":[{\"result-type\":\"" type                       \
	"\",\"failed-session-count\":1}]"

static const struct element elements[] = {
	{ "nothing was counted", STS_OF SUMS("0", "0") "}]", "" },
	{ "not fetched: there is no text",
		STS_OF SUMS("0", "1") FAILED("sts-policy-fetch-error") "}]",
		"" },
	{ "fetched at times",
		STS_OF SUMS("1", "1") FAILED("sts-policy-fetch-error") "}]",
		ELEMENT "policy-string: left out\n" },
	{ "held against it",
		STS_OF SUMS("0", "1") FAILED("certificate-expired") "}]",
		ELEMENT "policy-string: left out\n" },
	{ "a type nobody knows", STS_OF SUMS("0", "1") FAILED("x") "}]",
		ELEMENT "policy-string: left out\n" DETAIL
			"result-type: \"x\" is none of RFC 8460\n" },
	{ "no failures, no details",
		"[{\"policy\":{\"policy-type\":\"no-policy-found\","
		"\"policy-domain\":\"a.example\"}" SUMS("1", "0") "}]",
		"" },
	{ "failures without details",
		"[{\"policy\":{\"policy-type\":\"no-policy-found\","
		"\"policy-domain\":\"a.example\"}" SUMS("1", "1") "}]",
		ELEMENT "failure-details: left out\n" },
	{ "no policies at all", "[]", "" },
};

static void element_is_checked(void **state)
{
	const struct element *row = *state;
	char *text = check_replace(
		CHECK_REPORT, "\"policies\":[", "\"policies\":%,\"x\":[");
	char *whole = check_replace(text, "%", row->policies);
	struct rtls_received received;
	char *notes;

	assert_int_equal(
		check_parse(rtls_slice(whole), &received, NULL), RTLS_OK);
	/* The last note is about the old policies. */
	assert_string_equal(received.notes.note[received.notes.count - 1].text,
		"unknown member \"x\", left out");
	received.notes.count--;
	notes = check_notes(&received.notes);
	assert_int_equal(strlen(notes), strlen(row->note));
	for (size_t i = 0; i < received.notes.count; i++)
		assert_non_null(strstr(row->note, received.notes.note[i].text));
	free(notes);
	rtls_received_free(&received);
	free(whole);
	free(text);
}

/* What was repaired once needs no more repair. */
static void check_stable(const json_t *report, const char *text)
{
	struct rtls_received again;
	char *dumped;

	(void)report;
	assert_int_equal(check_parse(rtls_slice(text), &again, NULL), RTLS_OK);
	for (size_t i = 0; i < again.notes.count; i++)
		assert_true(again.notes.note[i].is_kept);
	dumped = json_dumps(again.report, JSON_COMPACT);
	assert_string_equal(dumped, text);
	free(dumped);
	rtls_received_free(&again);
}

static void reads_as_meant(void **state)
{
	const struct reading *row = *state;
	char *text = check_replace(CHECK_REPORT, row->old, row->new);
	struct rtls_err err = { "" };
	struct rtls_received received;
	char *notes, *dumped;

	if (check_parse(rtls_slice(text), &received, &err) != RTLS_OK)
		fail_msg("%s", err.text);
	notes = check_notes(&received.notes);
	assert_string_equal(notes, row->note);
	dumped = json_dumps(received.report, JSON_COMPACT);
	if (strstr(dumped, row->part) == NULL)
		fail_msg("%s\nis not in\n%s", row->part, dumped);
	check_stable(received.report, dumped);
	free(dumped);
	free(notes);
	rtls_received_free(&received);
	free(text);
}

struct refusal {
	const char *proves;
	const char *old;
	const char *new;
	const char *reason;
};

static const struct refusal refusals[] = {
	{ "no JSON", "}", "", "not JSON: line 1: " },
	{ "something behind it", "]}]}", "]}]}x", "not JSON: line 1: " },
	{ "a member twice", "\"report-id\":", "\"report-id\":1,\"report-id\":",
		"duplicate object key" },
	{ "a NUL", "Company", "\\u0000", "not JSON: line 1: " },
	{ "an array", "{", "[{", "not JSON" },
	{ "no policies",
		"\"policies\":", "\"police\":", "policies: expected an array" },
	{ "policies null", "\"policies\":", "\"policies\":null,\"x\":",
		"policies: expected an array" },
	{ "no date-range", "\"date-range\":", "\"range\":",
		"date-range: expected an object" },
	{ "a day only", "2026-11-20T00:00:00Z\",\"end", "2026-11-20\",\"end",
		"date-range: start-datetime: expected a date and time" },
	{ "a time that is a number", "\"2026-11-20T23:59:59Z\"", "1795219200",
		"date-range: end-datetime: expected a date and time" },
	{ "a bad zone", "23:59:59Z", "23:59:59+2",
		"date-range: end-datetime: expected a date and time" },
};

static void refuses(void **state)
{
	const struct refusal *row = *state;
	char *text = check_replace(CHECK_REPORT, row->old, row->new);
	struct rtls_err err = { "" };
	struct rtls_received received;

	check_touch_not(&received, sizeof(received));
	assert_int_equal(
		check_parse(rtls_slice(text), &received, &err), RTLS_INVALID);
	assert_true(check_is_untouched(&received, sizeof(received)));
	check_err(&err, row->reason);
	free(text);
}

/* --- limits ------------------------------------------------------------------ */

static void check_refused(char *text, const char *reason)
{
	struct rtls_err err = { "" };
	struct rtls_received received;

	assert_int_equal(rtls_received_parse(rtls_slice(text), &received, &err),
		RTLS_INVALID);
	check_err(&err, reason);
	free(text);
}

static void counts_are_bounded(void **state)
{
	char *text, *detail;

	(void)state;
	check_refused(check_repeat("", "[", RTLS_RECEIVED_DEPTH_MAX + 1, ""),
		"nested deeper than 32");
	check_refused(check_repeat("[", "1,", RTLS_RECEIVED_VALUES_MAX, "]"),
		"more than 500000 values");
	/* A bracket inside of a text is none. */
	check_refused(
		check_repeat("[\"\\\"", "[", 100, "\"]"), "not an object");
	text = check_repeat("\"policies\":[", "{},",
		RTLS_RECEIVED_POLICIES_MAX + 1, "],\"x\":[");
	detail = check_replace(CHECK_REPORT, "\"policies\":[", text);
	free(text);
	check_refused(detail, "more than 10000 policies");
	text = check_repeat("[", "\"\",", RTLS_RECEIVED_LINES_MAX + 1, "]");
	detail = check_replace(CHECK_REPORT, "[\"mx.bank.example\"]", text);
	free(text);
	check_refused(detail, "mx-host: more than 1000 lines");
	text = check_repeat("\"", "a\\n", RTLS_RECEIVED_LINES_MAX + 1, "\"");
	detail = check_replace(CHECK_REPORT, "[\"mx.bank.example\"]", text);
	free(text);
	check_refused(detail, "mx-host: more than 1000 lines");
	text = check_repeat("\"failure-details\":[", "{},",
		RTLS_RECEIVED_DETAILS_MAX + 1, "],\"x\":[");
	detail = check_replace(CHECK_REPORT, "\"failure-details\":[", text);
	free(text);
	check_refused(detail, "policies[0]: more than 50000 failure-details");
}

static void long_texts_are_cut(void **state)
{
	/* Two bytes each: the limit falls between characters, or it does not. */
	char *name = check_repeat("", "\xc3\xbc", RTLS_RECEIVED_TEXT_MAX, "");
	char *shifted =
		check_repeat("x", "\xc3\xbc", RTLS_RECEIVED_TEXT_MAX, "");
	const char *const names[] = { name, shifted };
	struct rtls_received received;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char *text = check_replace(CHECK_REPORT, "Company X", names[i]);
		const char *cut;
		char *dumped;

		assert_int_equal(check_parse(rtls_slice(text), &received, NULL),
			RTLS_OK);
		cut = json_string_value(
			json_object_get(received.report, "organization-name"));
		assert_int_equal(strlen(cut), RTLS_RECEIVED_TEXT_MAX - i);
		assert_int_equal(received.notes.count, 1);
		assert_string_equal(received.notes.note[0].text,
			"organization-name: longer than 4096 bytes, cut");
		dumped = json_dumps(received.report, JSON_COMPACT);
		check_stable(received.report, dumped);
		free(dumped);
		rtls_received_free(&received);
		free(text);
	}
	free(name);
	free(shifted);
}

/* --- no memory --------------------------------------------------------------- */

static size_t calls_left;
static bool fails_for_good;
static void *blocks[1024]; /* that were not freed */

static void *failing_malloc(size_t size)
{
	size_t i = 0;

	if (calls_left > 0 && --calls_left == 0) {
		calls_left = fails_for_good;
		return NULL;
	}
	while (i < COUNT(blocks) - 1 && blocks[i] != NULL)
		i++;
	assert_null(blocks[i]);
	blocks[i] = malloc(size);
	return blocks[i];
}

static void noted_free(void *block)
{
	for (size_t i = 0; i < COUNT(blocks); i++)
		if (blocks[i] == block)
			blocks[i] = NULL;
	free(block);
}

/* What jansson had when it was left. */
static size_t free_blocks(void)
{
	size_t count = 0;

	for (size_t i = 0; i < COUNT(blocks); i++) {
		count += blocks[i] != NULL;
		free(blocks[i]);
		blocks[i] = NULL;
	}
	return count;
}

/* Call 1, 2, 3 ... of jansson's fails; with and without those that follow. */
static void memory_runs_out(void **state)
{
	struct rtls_received received;
	struct rtls_err err = { "" };
	enum rtls_status status;
	size_t calls = 0;

	fails_for_good = *state != NULL;
	json_set_alloc_funcs(failing_malloc, noted_free);
	do {
		calls_left = ++calls;
		status = check_parse(rtls_slice(CHECK_REPORT), &received, &err);
		if (status != RTLS_OK) {
			assert_int_equal(status, RTLS_NO_MEMORY);
			assert_string_equal(err.text, "out of memory");
			(void)free_blocks();
		}
	} while (status != RTLS_OK);
	calls_left = 0;
	rtls_received_free(&received);
	assert_int_equal(free_blocks(), 0);
	json_set_alloc_funcs(malloc, free);
	assert_true(calls > 100);
}

static void notes_are_bounded(void **state)
{
	struct rtls_notes notes = { .count = 0 };
	char line[400];

	(void)state;
	for (int i = 0; i < RTLS_NOTES_KEPT_MAX + 5; i++)
		rtls_notes_add(&notes, RTLS_NOTE_SEEN, false, "", "%d", i);
	assert_int_equal(notes.count, RTLS_NOTES_KEPT_MAX);
	assert_int_equal(notes.more, 5);
	assert_int_equal(notes.wrong, 0);
	/* What is not harmless is never lost for what is. */
	rtls_notes_add(&notes, RTLS_NOTE_WRONG, false, "policies[0]", "bad");
	rtls_notes_add(&notes, RTLS_NOTE_WRONG, false, "policies[1]", "bad");
	assert_int_equal(notes.wrong, 2);
	assert_string_equal(
		rtls_note_format(&notes.note[RTLS_NOTES_KEPT_MAX - 1], line,
			sizeof(line)),
		"policies[0]: bad (2 times)");
	rtls_notes_add(NULL, RTLS_NOTE_WRONG, false, "", "nobody listens");
}

/* --- gzip -------------------------------------------------------------------- */

static enum rtls_status parse_packed(struct rtls_slice text, size_t size_cut,
	struct rtls_received *received, struct rtls_err *err)
{
	char *packed;
	size_t size;
	enum rtls_status status;

	assert_int_equal(rtls_gzip(text, &packed, &size), RTLS_OK);
	status = check_parse(
		rtls_slice_n(packed, size - size_cut), received, err);
	free(packed);
	return status;
}

static void gzip_is_unpacked(void **state)
{
	struct rtls_received received;
	char *dumped;

	(void)state;
	assert_int_equal(
		parse_packed(rtls_slice(CHECK_REPORT), 0, &received, NULL),
		RTLS_OK);
	dumped = json_dumps(received.report, JSON_COMPACT);
	assert_string_equal(dumped, CHECK_REPORT);
	assert_int_equal(received.notes.count, 0);
	free(dumped);
	rtls_received_free(&received);
}

static void bombs_are_refused(void **state)
{
	size_t size = RTLS_RECEIVED_JSON_MAX + 1;
	char *text = malloc(size);
	struct rtls_err err = { "" };
	struct rtls_received received;
	char *packed;
	size_t packed_size;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', size);
	assert_int_equal(
		parse_packed(rtls_slice_n(text, size), 0, &received, &err),
		RTLS_INVALID);
	check_err(&err, "expands to more than 52428800 bytes");
	assert_int_equal(
		parse_packed(rtls_slice_n(text, size - 1), 0, &received, &err),
		RTLS_INVALID);
	check_err(&err, "not JSON");
	free(text);
	assert_int_equal(
		rtls_gzip(rtls_slice(CHECK_REPORT), &packed, &packed_size),
		RTLS_OK);
	assert_int_equal(parse_packed(rtls_slice_n(packed, packed_size), 0,
				 &received, &err),
		RTLS_INVALID);
	check_err(&err, "gzip data inside of gzip data");
	free(packed);
}

static void gzip_has_a_cap(void **state)
{
	static const char text[] = "0123456789";
	struct rtls_err err = { "" };
	char *packed, *out;
	size_t packed_size, size;

	(void)state;
	assert_int_equal(
		rtls_gzip(rtls_slice(text), &packed, &packed_size), RTLS_OK);
	assert_int_equal(rtls_gzip_unpack(rtls_slice_n(packed, packed_size), 10,
				 &out, &size, &err),
		RTLS_OK);
	assert_int_equal(size, 10);
	assert_memory_equal(out, text, 10);
	free(out);
	for (size_t max = 0; max < 10; max++) {
		assert_int_equal(
			rtls_gzip_unpack(rtls_slice_n(packed, packed_size), max,
				&out, &size, &err),
			RTLS_INVALID);
		check_err(&err, "expands to more than");
	}
	free(packed);
}

static void cut_anywhere(void **state)
{
	size_t size = strlen(CHECK_REPORT);
	struct rtls_err err = { "" };
	struct rtls_received received;

	(void)state;
	assert_int_equal(
		check_parse(rtls_slice(""), &received, &err), RTLS_NONE);
	for (size_t i = 1; i < size; i++) {
		assert_int_equal(check_parse(rtls_slice_n(CHECK_REPORT, i),
					 &received, &err),
			RTLS_INVALID);
		check_err(&err, "not JSON");
	}
	for (size_t i = 1; i < 30; i++) {
		assert_int_equal(parse_packed(rtls_slice(CHECK_REPORT), i,
					 &received, &err),
			RTLS_INVALID);
		check_err(&err, "the gzip data end too early");
	}
}

/* --- times ------------------------------------------------------------------- */

struct moment {
	const char *proves;
	const char *text;
	int64_t wanted_s; /* -1: none */
	const char *note;
};

static const struct moment moments[] = {
	{ "RFC 3339", "2026-11-20T00:00:00Z", 1795132800, "" },
	{ "lower case", "2026-11-20t00:00:00z", 1795132800, "" },
	{ "a blank", "2026-11-20 00:00:00Z", 1795132800, "" },
	{ "a fraction", "2026-11-20T00:00:00.999999999Z", 1795132800, "" },
	{ "east", "2026-11-20T01:00:00+01:00", 1795132800, "" },
	{ "west", "2026-11-19T18:30:00-05:30", 1795132800, "" },
	{ "no colon", "2026-11-20T01:00:00+0100", 1795132800,
		"date-range: a zone without a colon\n" },
	{ "no zone", "2026-11-20T00:00:00", 1795132800,
		"date-range: a time without a zone, taken as UTC\n" },
	{ "a fraction and no zone", "2026-11-20T00:00:00.5", 1795132800,
		"date-range: a time without a zone, taken as UTC\n" },
	{ "the end of a day", "2026-11-19T24:00:00Z", 1795132800, "" },
	{ "not before 1970", "1970-01-01T00:00:00+01:00", 0, "" },
	{ "not behind 9999", "9999-12-31T24:00:00Z", INT64_C(253402300799),
		"" },
	{ "nothing", "", -1, "" },
	{ "a day", "2026-11-20", -1, "" },
	{ "no such day", "2026-02-30T00:00:00Z", -1, "" },
	{ "behind the end of a day", "2026-11-19T24:00:01Z", -1, "" },
	{ "behind the zone", "2026-11-20T00:00:00Zx", -1, "" },
	{ "half a zone", "2026-11-20T00:00:00+01", -1, "" },
	{ "a zone of letters", "2026-11-20T00:00:00+aa:bb", -1, "" },
	{ "another separator", "2026-11-20_00:00:00Z", -1, "" },
};

static void times_are_read(void **state)
{
	const struct moment *row = *state;
	struct rtls_notes notes = { .count = 0 };
	size_t size = strlen(row->text);
	int64_t time_s = -1;
	char *copy = check_copy(rtls_slice(row->text), size);
	char *lines;

	assert_int_equal(
		rtls_received_time(rtls_slice_n(copy, size), &time_s, &notes),
		row->wanted_s < 0 ? RTLS_INVALID : RTLS_OK);
	assert_int_equal(time_s, row->wanted_s);
	lines = check_notes(&notes);
	assert_string_equal(lines, row->note);
	free(lines);
	free(copy);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, reads_as_meant, readings);
	CHECK_TABLE(&suite, element_is_checked, elements);
	CHECK_TABLE(&suite, refuses, refusals);
	CHECK_TABLE(&suite, times_are_read, moments);
	check_add(&suite, "depth and counts are bounded", counts_are_bounded,
		NULL);
	check_add(&suite, "long texts are cut", long_texts_are_cut, NULL);
	check_add(
		&suite, "memory runs out for a moment", memory_runs_out, NULL);
	check_add(&suite, "memory runs out for good", memory_runs_out, &suite);
	check_add(&suite, "notes are bounded", notes_are_bounded, NULL);
	check_add(&suite, "gzip is unpacked", gzip_is_unpacked, NULL);
	check_add(&suite, "bombs are refused", bombs_are_refused, NULL);
	check_add(&suite, "unpacking has a cap", gzip_has_a_cap, NULL);
	check_add(&suite, "cut at every length", cut_anywhere, NULL);
	return check_run(&suite, "received");
}
