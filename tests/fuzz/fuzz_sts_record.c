/* fuzz_sts_record.c - TXT records at _mta-sts, one per line of the input. */
#include "fuzz.h"
#include "grammar.h"
#include "policy/sts_record.h"
#include "policy/text.h"

#define TEXTS_MAX 8

/* RFC 8461 section 3.1, and of several fields "id" the first one counts. */
static bool is_record(struct rtls_slice text, struct rtls_slice *id)
{
	static const char record[] =
		"^v=STSv1(" GRAMMAR_DELIM GRAMMAR_NAME "=" GRAMMAR_VALUE
		")+(" GRAMMAR_DELIM ")?$";
	static const char first_id[] = ";[ \t]*id=(" GRAMMAR_VALUE ")";
	static const char good[] = "^[A-Za-z0-9]{1,32}$";
	static regex_t *compiled[3];

	/* Of several matches regexec() gives the left-most. */
	return grammar_matches(&compiled[0], record, text, NULL) &&
	       grammar_matches(&compiled[1], first_id, text, id) &&
	       grammar_matches(&compiled[2], good, *id, NULL);
}

static void check_record(
	struct rtls_slice text, const struct rtls_sts_record *record)
{
	char written[64];
	struct rtls_text out;
	struct rtls_sts_record again;

	PROPERTY(rtls_slice_starts(text, "v=STSv1"));
	PROPERTY(fuzz_inside(text, record->id));
	PROPERTY(record->id.size >= 1 && record->id.size <= RTLS_STS_ID_MAX);
	/* What we write, we read. */
	rtls_text_init(&out, written, sizeof(written));
	rtls_text_printf(&out, "v=STSv1; id=");
	rtls_text_add(&out, record->id);
	PROPERTY(!out.overflow);
	PROPERTY(rtls_sts_record_parse(rtls_text_slice(&out), &again, NULL) ==
		 RTLS_OK);
	PROPERTY(rtls_slice_equal(again.id, record->id));
}

/* Alone, a record is selected exactly when it parses. */
static enum rtls_status check_one(struct rtls_slice text)
{
	struct rtls_sts_record record, selected;
	struct rtls_slice id = { NULL, 0 };
	struct rtls_err err = { "" };
	enum rtls_status status = rtls_sts_record_parse(text, &record, &err);

	PROPERTY(status == RTLS_OK || status == RTLS_NONE ||
		 status == RTLS_INVALID);
	if (rtls_slice_starts(text, "v=STSv1"))
		PROPERTY((status == RTLS_OK) == is_record(text, &id));
	else
		PROPERTY(status == RTLS_NONE);
	PROPERTY((status == RTLS_INVALID) == (err.text[0] != '\0'));
	PROPERTY(rtls_sts_record_select(&text, 1, &selected, NULL) == status);
	if (status != RTLS_OK)
		return status;
	PROPERTY(rtls_slice_equal(record.id, selected.id));
	PROPERTY(rtls_slice_equal(record.id, id));
	check_record(text, &record);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_slice rest = fuzz_input(data, size), line;
	struct rtls_slice texts[TEXTS_MAX];
	struct rtls_sts_record selected;
	size_t count = 0, valid = 0;

	(void)check_one(rest); /* line ends and all */
	while (count < TEXTS_MAX && rtls_slice_line(&rest, &line)) {
		texts[count++] = line;
		if (check_one(line) == RTLS_OK)
			valid++;
	}
	if (rtls_sts_record_select(texts, count, &selected, NULL) == RTLS_OK)
		PROPERTY(valid == 1);
	else
		PROPERTY(valid != 1 || count > 1);
	return 0;
}
