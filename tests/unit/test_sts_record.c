/* test_sts_record.c - RFC 8461 section 3.1, items A1.* of the checklist. */
#include "check.h"
#include "policy/sts_record.h"

struct row {
	const char *proves;
	struct rtls_slice text;
	enum rtls_status status;
	const char *detail; /* the id, or words of the reason */
};

#define ID32 "abcdefghijklmnopqrstuvwxyz012345"

static const struct row rows[] = {
	/* what is ours at all */
	{ "A1.7 the RFC's own example", TEXT("v=STSv1; id=20160831085700Z;"),
		RTLS_OK, "20160831085700Z" },
	{ "A1.7 version 10 is another version", TEXT("v=STSv10; id=1;"),
		RTLS_NONE, NULL },
	{ "A1.7 version 2 is another version", TEXT("v=STSv2; id=1;"),
		RTLS_NONE, NULL },
	{ "A1.7 the version is case-sensitive: V=", TEXT("V=STSv1; id=1;"),
		RTLS_NONE, NULL },
	{ "A1.7 the version is case-sensitive: STSV1", TEXT("v=STSV1; id=1;"),
		RTLS_NONE, NULL },
	{ "A1.7 no blank inside the version", TEXT("v= STSv1; id=1;"),
		RTLS_NONE, NULL },
	{ "A1.6 empty record", TEXT(""), RTLS_NONE, NULL },
	{ "A1.6 the start of a version is none", TEXT("v=STSv"), RTLS_NONE,
		NULL },
	{ "A1.6 leading blank", TEXT(" v=STSv1; id=1;"), RTLS_NONE, NULL },
	{ "A1.6 version not first", TEXT("id=1; v=STSv1;"), RTLS_NONE, NULL },
	{ "A1.6 a field glued to the version", TEXT("v=STSv1id=1"), RTLS_NONE,
		NULL },
	{ "A1.6 NUL glued to the version", TEXT("v=STSv1\0; id=1"), RTLS_NONE,
		NULL },
	{ "A1.6 BOM in front", TEXT("\xef\xbb\xbfv=STSv1; id=1"), RTLS_NONE,
		NULL },
	{ "case 1: wildcard answers with some text", TEXT("inbound"), RTLS_NONE,
		NULL },
	{ "case 1: wildcard answers with SPF", TEXT("v=spf1 -all"), RTLS_NONE,
		NULL },
	{ "A1.6 a quote is no version", TEXT("\"v=STSv1; id=1\""), RTLS_NONE,
		NULL },

	/* id */
	{ "A1.8 id is missing: version alone", TEXT("v=STSv1"), RTLS_INVALID,
		"expected \";\"" },
	{ "A1.8 id is missing: delimiter alone", TEXT("v=STSv1;"), RTLS_INVALID,
		"id is missing" },
	{ "A1.8 id is missing: other fields only", TEXT("v=STSv1; a=b;"),
		RTLS_INVALID, "id is missing" },
	{ "A1.8 id of 1 character", TEXT("v=STSv1;id=x"), RTLS_OK, "x" },
	{ "A1.8 id of 32 characters", TEXT("v=STSv1; id=" ID32), RTLS_OK,
		ID32 },
	{ "A1.8 id of 33 characters", TEXT("v=STSv1; id=" ID32 "6"),
		RTLS_INVALID, "1 to 32" },
	{ "A1.8 empty id", TEXT("v=STSv1; id=;"), RTLS_INVALID, "name=value" },
	{ "A1.8 empty id at the end", TEXT("v=STSv1; id="), RTLS_INVALID,
		"name=value" },
	{ "A1.8 id without value", TEXT("v=STSv1; id"), RTLS_INVALID,
		"name=value" },
	{ "A1.8 hyphen in id", TEXT("v=STSv1; id=2026-11-01"), RTLS_INVALID,
		"letters and digits" },
	{ "A1.8 underscore in id", TEXT("v=STSv1; id=a_b"), RTLS_INVALID,
		"letters and digits" },
	{ "A1.8 colon in id", TEXT("v=STSv1; id=12:30"), RTLS_INVALID,
		"letters and digits" },
	{ "A1.8 dot in id", TEXT("v=STSv1; id=1.2"), RTLS_INVALID,
		"letters and digits" },
	{ "A1.8 quoted id", TEXT("v=STSv1; id=\"1\""), RTLS_INVALID,
		"letters and digits" },
	{ "A1.8 the key is case-sensitive", TEXT("v=STSv1; ID=1;"),
		RTLS_INVALID, "id is missing" },
	{ "A1.8 blank before =", TEXT("v=STSv1; id =1;"), RTLS_INVALID,
		"name=value" },
	{ "A1.8 blank behind =", TEXT("v=STSv1; id= 1;"), RTLS_INVALID,
		"name=value" },
	{ "A1.8 blank inside the id", TEXT("v=STSv1; id=a b;"), RTLS_INVALID,
		"name=value" },
	{ "A1.13 the id keeps its case", TEXT("v=STSv1; id=AbC"), RTLS_OK,
		"AbC" },

	/* delimiters */
	{ "A1.9 blank before the first ; (EID 6285)", TEXT("v=STSv1 ;id=x"),
		RTLS_OK, "x" },
	{ "A1.9 case 5: blanks and tabs around every ;",
		TEXT("v=STSv1 \t; \tid=x \t;"), RTLS_OK, "x" },
	{ "A1.9 no blanks at all", TEXT("v=STSv1;id=x;"), RTLS_OK, "x" },
	{ "A1.9 the last ; is optional", TEXT("v=STSv1; id=x"), RTLS_OK, "x" },
	{ "A1.9 blanks behind the last ;", TEXT("v=STSv1; id=x; \t"), RTLS_OK,
		"x" },
	{ "A1.9 doubled ; at the end", TEXT("v=STSv1; id=x;;"), RTLS_INVALID,
		"name=value" },
	{ "A1.9 doubled ; behind the version", TEXT("v=STSv1;; id=x"),
		RTLS_INVALID, "name=value" },
	{ "A1.9 doubled ; with a blank", TEXT("v=STSv1; id=x; ;a=b"),
		RTLS_INVALID, "name=value" },
	{ "A1.9 blank at the end without ;", TEXT("v=STSv1; id=x "),
		RTLS_INVALID, "name=value" },
	{ "A1.9 tab at the end without ;", TEXT("v=STSv1; id=x\t"),
		RTLS_INVALID, "name=value" },
	{ "A1.9 blank behind the version without ;", TEXT("v=STSv1 "),
		RTLS_INVALID, "expected \";\"" },
	{ "A1.9 blank instead of ;", TEXT("v=STSv1 id=x"), RTLS_INVALID,
		"expected \";\"" },
	{ "A1.9 comma instead of ;", TEXT("v=STSv1; id=x, a=b"), RTLS_INVALID,
		"letters and digits" },
	{ "A1.9 a line end is no blank", TEXT("v=STSv1;\nid=x"), RTLS_INVALID,
		"name=value" },

	/* extensions */
	{ "A1.11 unknown field behind id", TEXT("v=STSv1; id=x; a=b;"), RTLS_OK,
		"x" },
	{ "A1.6 A1.11 unknown fields before id, any order",
		TEXT("v=STSv1; a=b; c.d-e_f=!:<>~; id=x"), RTLS_OK, "x" },
	{ "A1.10 name may begin with a digit", TEXT("v=STSv1;0=x;id=x"),
		RTLS_OK, "x" },
	{ "A1.10 name of 32", TEXT("v=STSv1; " ID32 "=1; id=x"), RTLS_OK, "x" },
	{ "A1.10 name of 33", TEXT("v=STSv1; " ID32 "6=1; id=x"), RTLS_INVALID,
		"name=value" },
	{ "A1.10 name begins with _", TEXT("v=STSv1; _a=1; id=x"), RTLS_INVALID,
		"name=value" },
	{ "A1.10 name is empty", TEXT("v=STSv1; =1; id=x"), RTLS_INVALID,
		"name=value" },
	{ "A1.10 sign in a name", TEXT("v=STSv1; a+b=1; id=x"), RTLS_INVALID,
		"name=value" },
	{ "A1.10 value is empty", TEXT("v=STSv1; a=; id=x"), RTLS_INVALID,
		"name=value" },
	{ "A1.10 = in a value", TEXT("v=STSv1; a=b=c; id=x"), RTLS_INVALID,
		"name=value" },
	{ "A1.10 blank in a value", TEXT("v=STSv1; a=b c; id=x"), RTLS_INVALID,
		"name=value" },
	{ "A1.10 bad field behind a good id", TEXT("v=STSv1; id=x; junk"),
		RTLS_INVALID, "name=value" },
	{ "A1.6 bytes above 126", TEXT("v=STSv1; a=\xc3\xa4; id=x"),
		RTLS_INVALID, "\\xc3\\xa4" },
	{ "A1.6 DEL", TEXT("v=STSv1; a=\x7f; id=x"), RTLS_INVALID, "\\x7f" },
	{ "A1.6 control character", TEXT("v=STSv1; a=\x01; id=x"), RTLS_INVALID,
		"\\x01" },
	{ "A1.6 NUL in a value", TEXT("v=STSv1; a=b\0; id=x"), RTLS_INVALID,
		"\\x00" },
	{ "A1.6 NUL at the end", TEXT("v=STSv1; id=x\0"), RTLS_INVALID,
		"\\x00" },
	{ "A1.6 line end at the end", TEXT("v=STSv1; id=x\r\n"), RTLS_INVALID,
		"\\x0d" },

	/* duplicates */
	{ "A1.12 case 9: the first id counts", TEXT("v=STSv1; id=a; id=b;"),
		RTLS_OK, "a" },
	{ "A1.12 a later id no id could be is ignored",
		TEXT("v=STSv1; id=a; id=b-c;"), RTLS_OK, "a" },
	{ "A1.12 a later id must still be a field", TEXT("v=STSv1; id=a; id=;"),
		RTLS_INVALID, "name=value" },
	{ "A1.12 a bad first id is not saved by a later one",
		TEXT("v=STSv1; id=b-c; id=a;"), RTLS_INVALID,
		"letters and digits" },
	{ "A1.12 a second v is a field like others",
		TEXT("v=STSv1; v=STSv2; id=a"), RTLS_OK, "a" },
};

/* Parse a copy of the first size bytes; check what holds for any input. */
static enum rtls_status parse_copy(struct rtls_slice whole, size_t size,
	char id[RTLS_STS_ID_MAX + 1], struct rtls_err *err)
{
	struct rtls_slice text = { check_copy(whole, size), size };
	struct rtls_sts_record record;
	enum rtls_status status;

	check_touch_not(&record, sizeof(record));
	err->text[0] = '\0';
	status = rtls_sts_record_parse(text, &record, err);
	id[0] = '\0';
	if (status == RTLS_OK) {
		assert_true(check_inside(text, record.id));
		assert_true(
			rtls_slice_copy(record.id, id, RTLS_STS_ID_MAX + 1));
	} else {
		assert_true(check_is_untouched(&record, sizeof(record)));
	}
	assert_int_equal(rtls_sts_record_parse(text, &record, NULL), status);
	free((char *)(uintptr_t)text.data);
	return status;
}

static void test_row(void **state)
{
	const struct row *row = *state;
	char id[RTLS_STS_ID_MAX + 1];
	struct rtls_err err;

	assert_int_equal(
		parse_copy(row->text, row->text.size, id, &err), row->status);
	if (row->status == RTLS_OK)
		assert_string_equal(id, row->detail);
	else
		check_err(&err, row->detail == NULL ? "" : row->detail);
}

static void test_cuts(void **state)
{
	char id[RTLS_STS_ID_MAX + 1];
	struct rtls_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rtls_slice text = rows[i].text;

		for (size_t size = 0; size < text.size; size++)
			if (parse_copy(text, size, id, &err) == RTLS_INVALID)
				assert_true(err.text[0] != '\0');
	}
}

struct set {
	const char *proves;
	struct rtls_slice texts[4];
	size_t count;
	enum rtls_status status;
	const char *detail;
};

static const struct set sets[] = {
	{ "A1.4 no record", { TEXT("") }, 0, RTLS_NONE, NULL },
	{ "A1.4 only others", { TEXT("inbound"), TEXT("v=STSv2; id=1") }, 2,
		RTLS_NONE, NULL },
	{ "A1.4 others are discarded",
		{ TEXT("v=spf1 -all"), TEXT("v=STSv1; id=a"),
			TEXT("v=STSv10; id=b") },
		3, RTLS_OK, "a" },
	{ "A1.4 A1.5 case 3: two valid records",
		{ TEXT("v=STSv1; id=policy1"), TEXT("v=STSv1; id=policy2") }, 2,
		RTLS_INVALID, "found 2" },
	{ "A1.5 twice the same record is two records",
		{ TEXT("v=STSv1; id=a"), TEXT("v=STSv1; id=a") }, 2,
		RTLS_INVALID, "found 2" },
	{ "A1.5 a malformed one counts too",
		{ TEXT("v=STSv1; id=a"), TEXT("v=STSv1; id=-") }, 2,
		RTLS_INVALID, "found 2" },
	{ "A1.5 the only one is malformed",
		{ TEXT("junk"), TEXT("v=STSv1; id=-") }, 2, RTLS_INVALID,
		"letters and digits" },
	{ "A1.4 A1.9 blank before ; makes a candidate",
		{ TEXT("v=STSv1 ;id=a"), TEXT("v=STSv1;id=b") }, 2,
		RTLS_INVALID, "found 2" },
	{ "A1.4 what does not begin v=STSv1; is discarded",
		{ TEXT("v=STSv1"), TEXT("v=STSv1;id=b"), TEXT("v=STSv1 x") }, 3,
		RTLS_OK, "b" },
	{ "A1.5 version alone and nothing else", { TEXT("x"), TEXT("v=STSv1") },
		2, RTLS_INVALID, "expected \";\"" },
};

static void test_select(void **state)
{
	const struct set *set = *state;
	struct rtls_sts_record record;
	struct rtls_err err = { "" };

	check_touch_not(&record, sizeof(record));
	assert_int_equal(
		rtls_sts_record_select(set->texts, set->count, &record, &err),
		set->status);
	if (set->status == RTLS_OK) {
		check_slice(record.id, set->detail);
		return;
	}
	assert_true(check_is_untouched(&record, sizeof(record)));
	check_err(&err, set->detail == NULL ? "" : set->detail);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_row, rows);
	check_add(&suite, "each record cut at every length", test_cuts, NULL);
	CHECK_TABLE(&suite, test_select, sets);
	return check_run(&suite, "sts_record");
}
