/* test_dns_answer.c - what is taken from a DNS reply, and what is not. */
#include "check.h"

#include <getdns/getdns_extra.h>
#include <stdio.h>

#include "policy/record.h"
#include "resolve/dns_answer.h"
#include "resolve/resolving.h"

#define RECORDS 8
#define NAME63  "a23456789012345678901234567890123456789012345678901234567890123"

/* Resource records in presentation form. */
struct reply {
	uint32_t rcode;
	const char *answer[RECORDS];
	const char *authority[RECORDS];
};

struct row {
	const char *proves;
	const char *name;
	enum rtls_dns_type type;
	struct reply reply;
	enum rtls_dns_outcome outcome;
	uint32_t ttl_s;
	const char *records[RECORDS]; /* "preference text" */
	const char *why;
};

#define SOA "d.example. 900 IN SOA ns.d.example. h.d.example. 1 2 3 4 60"

static const struct row rows[] = {
	/* records */
	{ "MX, lower and upper case alike", "d.example", RTLS_DNS_MX,
		{ 0, { "D.Example. 300 IN MX 10 Mx1.D.Example." }, { 0 } },
		RTLS_DNS_FOUND, 300, { "10 Mx1.D.Example" }, "" },
	{ "several, in their order", "d.example", RTLS_DNS_MX,
		{ 0,
			{ "d.example. 300 IN MX 20 b.example.",
				"d.example. 300 IN MX 10 a.example." },
			{ 0 } },
		RTLS_DNS_FOUND, 300, { "20 b.example", "10 a.example" }, "" },
	{ "the smallest TTL counts", "d.example", RTLS_DNS_MX,
		{ 0,
			{ "d.example. 300 IN MX 20 b.example.",
				"d.example. 200 IN MX 10 a.example." },
			{ 0 } },
		RTLS_DNS_FOUND, 200, { "20 b.example", "10 a.example" }, "" },
	{ "TTL above a day is cut", "d.example", RTLS_DNS_MX,
		{ 0, { "d.example. 604800 IN MX 10 a.example." }, { 0 } },
		RTLS_DNS_FOUND, RTLS_TTL_MAX_S, { "10 a.example" }, "" },
	{ "null MX stays a dot", "d.example", RTLS_DNS_MX,
		{ 0, { "d.example. 300 IN MX 0 ." }, { 0 } }, RTLS_DNS_FOUND,
		300, { "0 ." }, "" },
	{ "bytes of a hostile name are escaped", "d.example", RTLS_DNS_MX,
		{ 0, { "d.example. 300 IN MX 5 a\\010b\\000.c\\.d.example." },
			{ 0 } },
		RTLS_DNS_FOUND, 300, { "5 a\\010b\\000.c\\.d.example" }, "" },
	{ "A", "d.example", RTLS_DNS_A,
		{ 0, { "d.example. 300 IN A 192.0.2.1" }, { 0 } },
		RTLS_DNS_FOUND, 300, { "0 192.0.2.1" }, "" },
	{ "AAAA", "d.example", RTLS_DNS_AAAA,
		{ 0, { "d.example. 300 IN AAAA 2001:db8:0:0::1" }, { 0 } },
		RTLS_DNS_FOUND, 300, { "0 2001:db8::1" }, "" },
	{ "A1.3 strings are joined without a space", "d.example", RTLS_DNS_TXT,
		{ 0, { "d.example. 300 IN TXT \"v=STSv1; id=\" \"x1\" \"\"" },
			{ 0 } },
		RTLS_DNS_FOUND, 300, { "0 v=STSv1; id=x1" }, "" },
	{ "an empty TXT is a record", "d.example", RTLS_DNS_TXT,
		{ 0, { "d.example. 300 IN TXT \"\"" }, { 0 } }, RTLS_DNS_FOUND,
		300, { "0 " }, "" },
	{ "TLSA", "_25._tcp.d.example", RTLS_DNS_TLSA,
		{ 0, { "_25._tcp.d.example. 300 IN TLSA 3 1 1 ABcd" }, { 0 } },
		RTLS_DNS_FOUND, 300, { "0 3 1 1 abcd" }, "" },

	/* CNAME */
	{ "A1.2 a CNAME is followed", "d.example", RTLS_DNS_TXT,
		{ 0,
			{ "d.example. 100 IN CNAME E.example.",
				"e.example. 300 IN TXT \"x\"" },
			{ 0 } },
		RTLS_DNS_FOUND, 100, { "0 x" }, "" },
	{ "A1.2 a chain, its records in any order", "d.example", RTLS_DNS_TXT,
		{ 0,
			{ "f.example. 50 IN TXT \"x\"",
				"e.example. 100 IN CNAME f.example.",
				"d.example. 200 IN CNAME e.example." },
			{ 0 } },
		RTLS_DNS_FOUND, 50, { "0 x" }, "" },
	{ "a chain into nothing", "d.example", RTLS_DNS_TXT,
		{ 3, { "d.example. 100 IN CNAME e.example." }, { SOA } },
		RTLS_DNS_NXDOMAIN, 60, { 0 }, "" },
	{ "a chain to a name of other types", "d.example", RTLS_DNS_TXT,
		{ 0,
			{ "d.example. 30 IN CNAME e.example.",
				"e.example. 300 IN A 192.0.2.1" },
			{ SOA } },
		RTLS_DNS_NODATA, 30, { 0 }, "" },
	{ "a loop ends", "d.example", RTLS_DNS_TXT,
		{ 0,
			{ "d.example. 100 IN CNAME e.example.",
				"e.example. 100 IN CNAME d.example." },
			{ 0 } },
		RTLS_DNS_FAILED, 0, { 0 }, "CNAME chain too long" },
	{ "a record of another name does not count", "d.example", RTLS_DNS_MX,
		{ 0, { "e.example. 300 IN MX 10 evil.example." }, { SOA } },
		RTLS_DNS_NODATA, 60, { 0 }, "" },
	{ "nor behind the chain", "d.example", RTLS_DNS_MX,
		{ 0,
			{ "d.example. 300 IN CNAME e.example.",
				"f.example. 300 IN MX 10 evil.example." },
			{ SOA } },
		RTLS_DNS_NODATA, 60, { 0 }, "" },
	{ "nor beside a CNAME", "d.example", RTLS_DNS_MX,
		{ 0,
			{ "x.d.example. 300 IN MX 10 evil.example.",
				"d.example. 300 IN MX 10 good.example." },
			{ 0 } },
		RTLS_DNS_FOUND, 300, { "10 good.example" }, "" },

	/* denials */
	{ "NODATA lives as long as the SOA's minimum", "d.example", RTLS_DNS_MX,
		{ 0, { 0 }, { SOA } }, RTLS_DNS_NODATA, 60, { 0 }, "" },
	{ "NXDOMAIN is not NODATA", "d.example", RTLS_DNS_MX,
		{ 3, { 0 }, { SOA } }, RTLS_DNS_NXDOMAIN, 60, { 0 }, "" },
	{ "the SOA's own TTL when smaller", "d.example", RTLS_DNS_MX,
		{ 0, { 0 },
			{ "d.example. 20 IN SOA ns.d.example. h.d.example. 1 2 3 4 60" } },
		RTLS_DNS_NODATA, 20, { 0 }, "" },
	{ "the SOA may stand behind others", "d.example", RTLS_DNS_MX,
		{ 0, { 0 }, { "d.example. 5 IN NS ns.d.example.", SOA } },
		RTLS_DNS_NODATA, 60, { 0 }, "" },
	{ "without SOA it is not kept", "d.example", RTLS_DNS_MX,
		{ 0, { 0 }, { 0 } }, RTLS_DNS_NODATA, 0, { 0 }, "" },

	/* errors */
	{ "A1.14 SERVFAIL is a failure", "d.example", RTLS_DNS_MX,
		{ 2, { 0 }, { SOA } }, RTLS_DNS_FAILED, 0, { 0 }, "SERVFAIL" },
	{ "even with records", "d.example", RTLS_DNS_MX,
		{ 2, { "d.example. 300 IN MX 10 a.example." }, { 0 } },
		RTLS_DNS_FAILED, 0, { 0 }, "SERVFAIL" },
	{ "REFUSED is a failure", "d.example", RTLS_DNS_MX, { 5, { 0 }, { 0 } },
		RTLS_DNS_FAILED, 0, { 0 }, "REFUSED" },
	{ "so is a code without a name", "d.example", RTLS_DNS_MX,
		{ 11, { 0 }, { 0 } }, RTLS_DNS_FAILED, 0, { 0 },
		"an error code" },
};

static void add_section(
	getdns_dict *reply, const char *section, const char *const *lines)
{
	getdns_list *list = getdns_list_create();

	for (size_t i = 0; i < RECORDS && lines[i] != NULL; i++) {
		getdns_dict *rr = NULL;

		assert_int_equal(
			getdns_str2rr_dict(lines[i], &rr, NULL, 3600), 0);
		assert_int_equal(getdns_list_set_dict(list, i, rr), 0);
		getdns_dict_destroy(rr);
	}
	assert_int_equal(getdns_dict_set_list(reply, section, list), 0);
	getdns_list_destroy(list);
}

static getdns_dict *make_reply(const struct reply *reply)
{
	getdns_dict *dict = getdns_dict_create();

	assert_int_equal(
		getdns_dict_set_int(dict, "/header/rcode", reply->rcode), 0);
	add_section(dict, "answer", reply->answer);
	add_section(dict, "authority", reply->authority);
	return dict;
}

static struct rtls_dns_query *make_query(
	const char *name, enum rtls_dns_type type)
{
	struct rtls_dns_query *query = calloc(1, sizeof(*query));

	assert_non_null(query);
	(void)snprintf(query->name, sizeof(query->name), "%s", name);
	query->type = type;
	query->dnssec = RTLS_DNSSEC_SECURE;
	return query;
}

static void check_records(
	const struct rtls_dns_query *query, const char *const *wanted)
{
	size_t count = 0;
	char text[1200];

	for (; count < RECORDS && wanted[count] != NULL; count++) {
		assert_true(count < query->count);
		(void)snprintf(text, sizeof(text), "%u %.*s",
			query->record[count].preference,
			(int)query->record[count].text.size,
			query->record[count].text.data);
		assert_string_equal(text, wanted[count]);
	}
	assert_int_equal(query->count, count);
}

static void reads_reply(void **state)
{
	const struct row *row = *state;
	getdns_dict *reply = make_reply(&row->reply);
	struct rtls_dns_query *query = make_query(row->name, row->type);

	assert_int_equal(rtls_dns_answer_read(reply, query), RTLS_OK);
	assert_int_equal(query->outcome, row->outcome);
	assert_int_equal(query->ttl_s, row->ttl_s);
	assert_non_null(strstr(query->why, row->why));
	check_records(query, row->records);
	/* Not the reader's business. */
	assert_int_equal(query->dnssec, RTLS_DNSSEC_SECURE);
	rtls_dns_query_free(query);
	free(query);
	getdns_dict_destroy(reply);
}

/* --- is it an answer at all? ------------------------------------------------- */

/* One MX record, and what header and question say. */
struct frame {
	const char *proves, *qname;
	uint32_t qtype, qr, tc, qdcount, ancount;
	bool is_whole;
};

static const struct frame frames[] = {
	{ "an answer", "d.example.", 15, 1, 0, 1, 1, true },
	{ "case does not matter", "D.exAmple.", 15, 1, 0, 1, 1, true },
	{ "to another name", "e.example.", 15, 1, 0, 1, 1, false },
	{ "to another type", "d.example.", 16, 1, 0, 1, 1, false },
	{ "a query", "d.example.", 15, 0, 0, 1, 1, false },
	{ "truncated", "d.example.", 15, 1, 1, 1, 1, false },
	{ "no question", "d.example.", 15, 1, 0, 0, 1, false },
	{ "many questions", "d.example.", 15, 1, 0, 2, 1, false },
	{ "records that could not be read", "d.example.", 15, 1, 0, 1, 2,
		false },
	{ "no question shown", NULL, 15, 1, 0, 1, 1, false },
};

static void set_number(getdns_dict *reply, const char *path, uint32_t value)
{
	assert_int_equal(getdns_dict_set_int(reply, path, value), 0);
}

static void knows_its_own_answer(void **state)
{
	const struct frame *frame = *state;
	getdns_dict *reply = make_reply(&(struct reply){
		0, { "d.example. 60 IN MX 10 a.example." }, { 0 } });
	struct rtls_dns_query *query = make_query("d.example", RTLS_DNS_MX);
	getdns_bindata *name = NULL;

	set_number(reply, "/header/qr", frame->qr);
	set_number(reply, "/header/tc", frame->tc);
	set_number(reply, "/header/qdcount", frame->qdcount);
	set_number(reply, "/header/ancount", frame->ancount);
	set_number(reply, "/question/qtype", frame->qtype);
	if (frame->qname != NULL) {
		assert_int_equal(
			getdns_convert_fqdn_to_dns_name(frame->qname, &name),
			0);
		assert_int_equal(
			getdns_dict_set_bindata(reply, "/question/qname", name),
			0);
		free(name->data);
		free(name);
	}
	assert_int_equal(
		rtls_dns_answer_is_whole(reply, query), frame->is_whole);
	getdns_dict_destroy(reply);
	free(query);
}

/* BADVERS is 16: by its lower bits no error, and so "there is no record". */
static void reads_the_whole_rcode(void **state)
{
	getdns_dict *reply = make_reply(&(struct reply){ 0, { 0 }, { SOA } });
	struct rtls_dns_query *query = make_query("d.example", RTLS_DNS_TXT);

	(void)state;
	set_number(reply, "/additional/0/type", 41);
	set_number(reply, "/additional/0/extended_rcode", 0);
	assert_int_equal(rtls_dns_answer_read(reply, query), RTLS_OK);
	assert_int_equal(query->outcome, RTLS_DNS_NODATA);
	set_number(reply, "/additional/0/extended_rcode", 1);
	assert_int_equal(rtls_dns_answer_read(reply, query), RTLS_OK);
	assert_int_equal(query->outcome, RTLS_DNS_FAILED);
	assert_string_equal(query->why, "upstream says an error code");
	getdns_dict_destroy(reply);
	free(query);
}

/* --- limits ----------------------------------------------------------------- */

static struct rtls_dns_query *read_many(enum rtls_dns_type type, size_t count)
{
	getdns_dict *reply = make_reply(&(struct reply){ 0, { 0 }, { 0 } });
	struct rtls_dns_query *query = make_query("d.example", type);
	getdns_list *answer;
	char line[512];

	assert_int_equal(getdns_dict_get_list(reply, "answer", &answer), 0);
	for (size_t i = 0; i < count; i++) {
		getdns_dict *rr = NULL;

		if (type == RTLS_DNS_MX)
			(void)snprintf(line, sizeof(line),
				"d.example. 60 IN MX 10 h%zu.example.", i);
		else
			(void)snprintf(line, sizeof(line),
				"d.example. 60 IN TXT \"%zu\"", i);
		assert_int_equal(getdns_str2rr_dict(line, &rr, NULL, 60), 0);
		assert_int_equal(getdns_list_set_dict(answer, i, rr), 0);
		getdns_dict_destroy(rr);
	}
	assert_int_equal(rtls_dns_answer_read(reply, query), RTLS_OK);
	getdns_dict_destroy(reply);
	return query;
}

static void free_query(struct rtls_dns_query *query)
{
	rtls_dns_query_free(query);
	free(query);
}

/* D10: the name that a chain ends at, when a host can be called that. */
static void tells_where_a_chain_ends(void **state)
{
	static const struct {
		struct reply reply;
		enum rtls_dns_outcome outcome;
		const char *end;
	} cases[] = {
		{ { 0, { "d.example. 300 IN A 192.0.2.1" }, { 0 } },
			RTLS_DNS_FOUND, "" },
		{ { 0,
			  { "D.example. 300 IN CNAME E.example.",
				  "e.example. 300 IN CNAME f_.Example.",
				  "f_.example. 300 IN A 192.0.2.1" },
			  { 0 } },
			RTLS_DNS_FOUND, "f_.example" },
		{ { 0,
			  { "d.example. 300 IN CNAME a\\032b.example.",
				  "a\\032b.example. 300 IN A 192.0.2.1" },
			  { 0 } },
			RTLS_DNS_FOUND, "" },
		{ { 3, { "d.example. 300 IN CNAME e.example." }, { SOA } },
			RTLS_DNS_NXDOMAIN, "e.example" },
		{ { 0,
			  { "d.example. 300 IN CNAME e.example.",
				  "e.example. 300 IN CNAME d.example." },
			  { 0 } },
			RTLS_DNS_FAILED, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rtls_dns_query *query =
			make_query("d.example", RTLS_DNS_A);
		getdns_dict *reply = make_reply(&cases[i].reply);

		assert_int_equal(rtls_dns_answer_read(reply, query), RTLS_OK);
		assert_int_equal(query->outcome, cases[i].outcome);
		assert_string_equal(query->end, cases[i].end);
		getdns_dict_destroy(reply);
		free_query(query);
	}
}

static void keeps_the_first_mx(void **state)
{
	struct rtls_dns_query *query =
		read_many(RTLS_DNS_MX, RTLS_DNS_RECORDS_MAX + 5);

	(void)state;
	assert_int_equal(query->outcome, RTLS_DNS_FOUND);
	assert_int_equal(query->count, RTLS_DNS_RECORDS_MAX);
	check_slice(
		query->record[RTLS_DNS_RECORDS_MAX - 1].text, "h255.example");
	free_query(query);
}

static void refuses_too_many_txt(void **state)
{
	struct rtls_dns_query *query =
		read_many(RTLS_DNS_TXT, RTLS_DNS_RECORDS_MAX);

	(void)state;
	assert_int_equal(query->count, RTLS_DNS_RECORDS_MAX);
	free_query(query);
	query = read_many(RTLS_DNS_TXT, RTLS_DNS_RECORDS_MAX + 1);
	assert_int_equal(query->outcome, RTLS_DNS_FAILED);
	assert_int_equal(query->count, 0);
	assert_null(query->storage);
	free_query(query);
}

/* A TXT record of strings of 255, 255, ..., rest octets. */
static enum rtls_dns_outcome read_long_txt(size_t size, size_t *count)
{
	static char line[3 * RTLS_DNS_TEXT_MAX];
	struct reply reply = { 0, { line }, { 0 } };
	struct rtls_dns_query *query = make_query("d.example", RTLS_DNS_TXT);
	enum rtls_dns_outcome outcome;
	getdns_dict *dict;
	size_t at;

	at = (size_t)snprintf(line, sizeof(line), "d.example. 60 IN TXT ");
	for (size_t i = 0; i < size; i++) {
		if (i % 255 == 0)
			at += (size_t)snprintf(line + at, sizeof(line) - at,
				i == 0 ? "\"" : "\" \"");
		line[at++] = 'x';
	}
	(void)snprintf(line + at, sizeof(line) - at, "\"");
	dict = make_reply(&reply);
	assert_int_equal(rtls_dns_answer_read(dict, query), RTLS_OK);
	outcome = query->outcome;
	*count = query->count;
	if (outcome == RTLS_DNS_FOUND)
		assert_int_equal(query->record[0].text.size, size);
	free_query(query);
	getdns_dict_destroy(dict);
	return outcome;
}

static void refuses_long_txt(void **state)
{
	size_t count;

	(void)state;
	assert_int_equal(
		read_long_txt(RTLS_DNS_TEXT_MAX, &count), RTLS_DNS_FOUND);
	assert_int_equal(count, 1);
	assert_int_equal(
		read_long_txt(RTLS_DNS_TEXT_MAX + 1, &count), RTLS_DNS_FAILED);
	assert_int_equal(count, 0);
}

/* A whole certificate: the beginning is enough to judge it. */
static void cuts_long_tlsa(void **state)
{
	static char line[3 * RTLS_DNS_TEXT_MAX];
	struct reply reply = { 0, { line }, { 0 } };
	struct rtls_dns_query *query = make_query("d.example", RTLS_DNS_TLSA);
	getdns_dict *dict;
	size_t at;

	(void)state;
	at = (size_t)snprintf(
		line, sizeof(line), "d.example. 60 IN TLSA 3 0 0 ");
	memset(line + at, 'a', 2 * RTLS_DNS_TEXT_MAX);
	dict = make_reply(&reply);
	assert_int_equal(rtls_dns_answer_read(dict, query), RTLS_OK);
	assert_int_equal(query->outcome, RTLS_DNS_FOUND);
	assert_int_equal(query->record[0].text.size, RTLS_DNS_TEXT_MAX);
	assert_true(rtls_tlsa_is_usable(query->record[0].text));
	free_query(query);
	getdns_dict_destroy(dict);
}

static void takes_the_longest_name(void **state)
{
	/* 255 octets in the wire: four labels of 63 would be too long. */
	static const char name[] = NAME63 "." NAME63 "." NAME63 "." /* 192 */
					  "b23456789012345678901234567890"
					  "1234567890123456789012345678901";
	struct reply reply = { 0, { NULL }, { 0 } };
	struct rtls_dns_query *query = make_query("d.example", RTLS_DNS_MX);
	getdns_dict *dict;
	char line[512];

	(void)state;
	(void)snprintf(line, sizeof(line), "d.example. 9 IN MX 1 %s.", name);
	reply.answer[0] = line;
	dict = make_reply(&reply);
	assert_int_equal(rtls_dns_answer_read(dict, query), RTLS_OK);
	assert_int_equal(query->count, 1);
	check_slice(query->record[0].text, name);
	free_query(query);
	getdns_dict_destroy(dict);
}

/* --- signatures ------------------------------------------------------------- */

static void sees_signatures(void **state)
{
	struct reply reply = { 0, { ". 60 IN SOA a. b. 1 2 3 4 5" }, { 0 } };
	getdns_dict *dict = make_reply(&reply);

	(void)state;
	assert_false(rtls_dns_answer_is_signed(dict));
	getdns_dict_destroy(dict);
	reply.answer[1] = ". 60 IN RRSIG SOA 13 0 60 20300101000000 "
			  "20200101000000 1 . AAAA";
	dict = make_reply(&reply);
	assert_true(rtls_dns_answer_is_signed(dict));
	getdns_dict_destroy(dict);
	dict = getdns_dict_create();
	assert_false(rtls_dns_answer_is_signed(dict));
	getdns_dict_destroy(dict);
}

/* --- hostile bytes ---------------------------------------------------------- */

static void read_wire(const uint8_t *wire, size_t size)
{
	static const enum rtls_dns_type types[] = { RTLS_DNS_A, RTLS_DNS_MX,
		RTLS_DNS_TXT, RTLS_DNS_TLSA };
	getdns_dict *reply = NULL;

	if (getdns_wire2msg_dict(wire, size, &reply) != 0)
		return;
	for (size_t i = 0; i < COUNT(types); i++) {
		struct rtls_dns_query *query =
			make_query("d.example", types[i]);

		assert_int_equal(rtls_dns_answer_read(reply, query), RTLS_OK);
		if (query->outcome == RTLS_DNS_FOUND)
			assert_true(query->count > 0);
		else
			assert_int_equal(query->count, 0);
		free_query(query);
	}
	getdns_dict_destroy(reply);
}

/* Question d.example TXT; CNAME, MX, TXT, TLSA in the answer, compressed. */
static const uint8_t wire[] =
	"\x12\x34\x81\x80\0\1\0\4\0\0\0\0"
	"\1d\7example\0\0\x10\0\1"
	"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1e\xc0\x0e"
	"\1e\xc0\x0e\0\x0f\0\1\0\0\0\x3c\0\4\0\x0a\xc0\x0c"
	"\1e\xc0\x0e\0\x10\0\1\0\0\0\x3c\0\5\1x\2yz"
	"\1e\xc0\x0e\0\x34\0\1\0\0\0\x3c\0\5\3\1\1\xab\xcd";

static void reads_compressed_wire(void **state)
{
	struct rtls_dns_query *query = make_query("d.example", RTLS_DNS_TXT);
	getdns_dict *reply = NULL;

	(void)state;
	assert_int_equal(
		getdns_wire2msg_dict(wire, sizeof(wire) - 1, &reply), 0);
	assert_int_equal(rtls_dns_answer_read(reply, query), RTLS_OK);
	assert_int_equal(query->count, 1);
	check_slice(query->record[0].text, "xyz");
	free_query(query);
	query = make_query("d.example", RTLS_DNS_MX);
	assert_int_equal(rtls_dns_answer_read(reply, query), RTLS_OK);
	assert_int_equal(query->count, 1);
	check_slice(query->record[0].text, "d.example");
	free_query(query);
	getdns_dict_destroy(reply);
}

static void survives_cut_and_changed_bytes(void **state)
{
	uint8_t *copy;

	(void)state;
	for (size_t size = 0; size < sizeof(wire); size++) {
		copy = (uint8_t *)check_copy(
			rtls_slice_n((const char *)wire, size), size);
		if (copy != NULL)
			read_wire(copy, size);
		free(copy);
	}
	for (size_t at = 12; at < sizeof(wire) - 1; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			copy = (uint8_t *)check_copy(
				rtls_slice_n(
					(const char *)wire, sizeof(wire) - 1),
				sizeof(wire) - 1);
			copy[at] ^= (uint8_t)(1U << bit);
			read_wire(copy, sizeof(wire) - 1);
			free(copy);
		}
}

/* --- TLSA ------------------------------------------------------------------- */

#define HEX32 "0123456789abcdef0123456789abcdef"
#define HEX64 HEX32 HEX32

static const struct tlsa_row {
	const char *proves;
	const char *text;
	bool is_usable;
} tlsa_rows[] = {
	{ "D11 DANE-EE, SPKI, SHA-256", "3 1 1 " HEX64, true },
	{ "D11 DANE-TA, certificate, SHA-512", "2 0 2 " HEX64 HEX64, true },
	{ "D11 full data of any length", "3 0 0 30", true },
	{ "full data, empty", "3 0 0 ", false },
	{ "D11 PKIX-TA is not for SMTP", "0 1 1 " HEX64, false },
	{ "D11 PKIX-EE is not for SMTP", "1 1 1 " HEX64, false },
	{ "usage 4 is unknown", "4 1 1 " HEX64, false },
	{ "private usage", "255 1 1 " HEX64, false },
	{ "selector 2 is unknown", "3 2 1 " HEX64, false },
	{ "matching type 3 is unknown", "3 1 3 " HEX64, false },
	{ "SHA-256 too short", "3 1 1 " HEX32, false },
	{ "SHA-256 too long", "3 1 1 " HEX64 "00", false },
	{ "SHA-512 too short", "3 1 2 " HEX64, false },
	{ "no data", "3 1 1 ", false },
	{ "not even that", "3 1 1", false },
	{ "empty", "", false },
	{ "no numbers", "a b c " HEX64, false },
	{ "a number too large", "256 1 1 " HEX64, false },
};

static void judges_tlsa(void **state)
{
	const struct tlsa_row *row = *state;

	assert_int_equal(
		rtls_tlsa_is_usable(rtls_slice(row->text)), row->is_usable);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, reads_reply, rows);
	check_add(&suite, "D10 where a chain ends", tells_where_a_chain_ends,
		NULL);
	CHECK_TABLE(&suite, knows_its_own_answer, frames);
	check_add(&suite, "BADVERS is an error", reads_the_whole_rcode, NULL);
	check_add(
		&suite, "the first 256 MX are kept", keeps_the_first_mx, NULL);
	check_add(&suite, "more than 256 TXT are a failure",
		refuses_too_many_txt, NULL);
	check_add(&suite, "a TXT that is too long is a failure",
		refuses_long_txt, NULL);
	check_add(&suite, "a long TLSA is cut, not dropped", cuts_long_tlsa,
		NULL);
	check_add(
		&suite, "the longest name fits", takes_the_longest_name, NULL);
	check_add(&suite, "signatures are seen", sees_signatures, NULL);
	check_add(&suite, "a compressed packet is read", reads_compressed_wire,
		NULL);
	check_add(&suite, "cut and changed packets do no harm",
		survives_cut_and_changed_bytes, NULL);
	CHECK_TABLE(&suite, judges_tlsa, tlsa_rows);
	return check_run(&suite, "dns_answer");
}
