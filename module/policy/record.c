/* record.c - see record.h.
 *
 *   record = version *line ["policy-text" eol *OCTET]
 *   line   = key 1*WSP value eol        ; in any order, most keys once
 *   eol    = [CR] LF                    ; a last line without it was cut
 *
 * The table of keys below is the one place where a key is defined. */
#include "record.h"

#include <string.h>

#include "field.h"
#include "nearest.h"
#include "timestamp.h"

#define VERSION        "requiretls-record 1"
#define POLICY_TEXT    "policy-text"
#define PREFERENCE_MAX 65535
#define OCTET_MAX      255
#define TIME_MAX_S     INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define DIGEST_LENGTH  (RTLS_DIGEST_SIZE - 1)

struct key;

struct key {
	const char *name;
	/* Both false: not a value of this key. */
	bool (*parse)(const struct key *key, struct rtls_slice value,
		struct rtls_record *record);
	bool (*format)(const struct key *key, const struct rtls_record *record,
		struct rtls_text *out);
	size_t offset; /* of the field in struct rtls_record */
	bool (*is_valid)(struct rtls_slice value); /* of a slice */
	const char *const *words; /* of an enum, in its order, NULL behind */
	bool repeats;
	const char *expected; /* NULL: one of the words */
};

static const char *const mx_answer_words[] = { "unknown", "hosts", "implicit",
	"null", "nxdomain", "failed", NULL };
static const char *const dnssec_words[] = { "unknown", "insecure", "secure",
	"bogus", NULL };
static const char *const tlsa_words[] = { "unknown", "none", "secure",
	"unusable", "failed", "bogus", NULL };
static const char *const txt_words[] = { "unknown", "valid", "none", "invalid",
	"failed", NULL };
static const char *const fetch_words[] = { "never", "ok", "failed", "running",
	NULL };

/* The enums are copied as what gcc and clang make of them. */
_Static_assert(sizeof(enum rtls_mx_answer) == sizeof(unsigned), "enum size");
_Static_assert(sizeof(enum rtls_dnssec) == sizeof(unsigned), "enum size");
_Static_assert(sizeof(enum rtls_txt_state) == sizeof(unsigned), "enum size");
_Static_assert(sizeof(enum rtls_fetch_state) == sizeof(unsigned), "enum size");

static bool is_hex(char c)
{
	return rtls_byte_is_digit(c) || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

static bool is_normalized(struct rtls_slice text)
{
	char normalized[RTLS_DOMAIN_SIZE];

	return rtls_domain_normalize(text, normalized) == RTLS_OK &&
	       rtls_slice_is(text, normalized);
}

static bool is_id(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!rtls_byte_is_alnum(text.data[i]))
			return false;
	return text.size >= 1 && text.size <= RTLS_STS_ID_MAX;
}

static bool is_digest(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!is_hex(text.data[i]) ||
			(text.data[i] >= 'A' && text.data[i] <= 'F'))
			return false;
	return text.size == DIGEST_LENGTH;
}

/* Already quoted text: printable, and no blanks at its ends. */
static bool is_quoted(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < ' ' || text.data[i] > '~')
			return false;
	return text.size != 0 && rtls_slice_trim(text).size == text.size;
}

/* "usage selector matching hex" with one space between. */
static bool is_tlsa(struct rtls_slice text)
{
	struct rtls_slice rest = text;
	unsigned long long octet;

	if (text.size > RTLS_TLSA_TEXT_MAX)
		return false;
	for (int i = 0; i < 3; i++)
		if (!rtls_slice_number(
			    rtls_slice_take(&rest, ' '), OCTET_MAX, &octet))
			return false;
	for (size_t i = 0; i < rest.size; i++)
		if (!is_hex(rest.data[i]))
			return false;
	return rest.size != 0 && rest.size % 2 == 0;
}

static bool find_word(
	const char *const *words, struct rtls_slice word, unsigned *number)
{
	for (unsigned i = 0; words[i] != NULL; i++) {
		if (rtls_slice_is(word, words[i])) {
			*number = i;
			return true;
		}
	}
	return false;
}

static bool has_word(const char *const *words, unsigned number)
{
	unsigned count = 0;

	while (words[count] != NULL)
		count++;
	return number < count;
}

static bool parse_word(const struct key *key, struct rtls_slice value,
	struct rtls_record *record)
{
	unsigned number;

	if (!find_word(key->words, value, &number))
		return false;
	memcpy((char *)record + key->offset, &number, sizeof(number));
	return true;
}

/* The first word of each enum says nothing: the line is left out. */
static bool format_word(const struct key *key, const struct rtls_record *record,
	struct rtls_text *out)
{
	unsigned number;

	memcpy(&number, (const char *)record + key->offset, sizeof(number));
	if (number != 0 && has_word(key->words, number))
		rtls_text_printf(out, "%s %s\n", key->name, key->words[number]);
	return has_word(key->words, number);
}

static bool parse_time(const struct key *key, struct rtls_slice value,
	struct rtls_record *record)
{
	int64_t time_s;

	if (rtls_timestamp_parse(value, &time_s) != RTLS_OK)
		return false;
	memcpy((char *)record + key->offset, &time_s, sizeof(time_s));
	return true;
}

static bool format_time(const struct key *key, const struct rtls_record *record,
	struct rtls_text *out)
{
	char text[RTLS_TIMESTAMP_SIZE];
	int64_t time_s;

	memcpy(&time_s, (const char *)record + key->offset, sizeof(time_s));
	if (time_s != 0)
		rtls_text_printf(out, "%s %s\n", key->name,
			rtls_timestamp_format(text, time_s));
	return time_s >= 0 && time_s <= TIME_MAX_S;
}

static bool parse_slice(const struct key *key, struct rtls_slice value,
	struct rtls_record *record)
{
	if (!key->is_valid(value))
		return false;
	memcpy((char *)record + key->offset, &value, sizeof(value));
	return true;
}

static void add_line(
	struct rtls_text *out, const char *name, struct rtls_slice value)
{
	rtls_text_printf(out, "%s ", name);
	rtls_text_add(out, value);
	rtls_text_add(out, rtls_slice("\n"));
}

static bool format_slice(const struct key *key,
	const struct rtls_record *record, struct rtls_text *out)
{
	struct rtls_slice value;

	memcpy(&value, (const char *)record + key->offset, sizeof(value));
	if (value.size == 0)
		return true;
	add_line(out, key->name, value);
	return key->is_valid(value);
}

/* Take "name=word" off the front of rest. */
static bool parse_state(struct rtls_slice *rest, const char *name,
	const char *const *words, unsigned *number)
{
	struct rtls_slice word;

	return rtls_slice_word(rest, &word) &&
	       rtls_slice_is(rtls_slice_take(&word, '='), name) &&
	       find_word(words, word, number);
}

/* " cname=NAME", which only few hosts have. */
static bool parse_cname(struct rtls_slice *rest, struct rtls_slice *cname)
{
	struct rtls_slice word;

	*cname = rtls_slice_n(NULL, 0);
	if (rest->size == 0)
		return true;
	*cname = rtls_slice_word(rest, &word) ? word : *cname;
	return rtls_slice_is(rtls_slice_take(cname, '='), "cname") &&
	       is_normalized(*cname);
}

static bool parse_mx(const struct key *key, struct rtls_slice value,
	struct rtls_record *record)
{
	struct rtls_slice rest = value;
	struct rtls_slice preference;
	unsigned long long number;
	unsigned address;
	unsigned tlsa;
	struct rtls_mx mx;

	(void)key;
	if (!rtls_slice_word(&rest, &preference) ||
		!rtls_slice_number(preference, PREFERENCE_MAX, &number) ||
		!rtls_slice_word(&rest, &mx.host) || !is_normalized(mx.host) ||
		!parse_state(&rest, "address", dnssec_words, &address) ||
		!parse_state(&rest, "tlsa", tlsa_words, &tlsa) ||
		!parse_cname(&rest, &mx.cname) || rest.size != 0 ||
		record->mx_count == RTLS_MX_MAX)
		return false;
	mx.preference = (unsigned)number;
	mx.address = (enum rtls_dnssec)address;
	mx.tlsa = (enum rtls_tlsa_state)tlsa;
	record->mx[record->mx_count++] = mx;
	return true;
}

static bool is_mx_valid(const struct rtls_mx *mx)
{
	return mx->preference <= PREFERENCE_MAX && is_normalized(mx->host) &&
	       (mx->cname.size == 0 || is_normalized(mx->cname)) &&
	       has_word(dnssec_words, mx->address) &&
	       has_word(tlsa_words, mx->tlsa);
}

static bool format_mx(const struct key *key, const struct rtls_record *record,
	struct rtls_text *out)
{
	if (record->mx_count > RTLS_MX_MAX)
		return false;
	for (size_t i = 0; i < record->mx_count; i++) {
		const struct rtls_mx *mx = &record->mx[i];

		if (!is_mx_valid(mx))
			return false;
		rtls_text_printf(out, "%s %u ", key->name, mx->preference);
		rtls_text_add(out, mx->host);
		rtls_text_printf(out, " address=%s tlsa=%s",
			dnssec_words[mx->address], tlsa_words[mx->tlsa]);
		if (mx->cname.size != 0)
			rtls_text_printf(out, " cname=");
		rtls_text_add(out, mx->cname);
		rtls_text_printf(out, "\n");
	}
	return true;
}

static bool parse_tlsa(const struct key *key, struct rtls_slice value,
	struct rtls_record *record)
{
	struct rtls_tlsa tlsa = { .text = value };

	(void)key;
	if (!rtls_slice_word(&tlsa.text, &tlsa.host) ||
		!is_normalized(tlsa.host) || !is_tlsa(tlsa.text) ||
		record->tlsa_count == RTLS_TLSA_MAX)
		return false;
	record->tlsa[record->tlsa_count++] = tlsa;
	return true;
}

static bool format_tlsa(const struct key *key, const struct rtls_record *record,
	struct rtls_text *out)
{
	if (record->tlsa_count > RTLS_TLSA_MAX)
		return false;
	for (size_t i = 0; i < record->tlsa_count; i++) {
		const struct rtls_tlsa *tlsa = &record->tlsa[i];

		if (!is_normalized(tlsa->host) || !is_tlsa(tlsa->text))
			return false;
		rtls_text_printf(out, "%s ", key->name);
		rtls_text_add(out, tlsa->host);
		rtls_text_add(out, rtls_slice(" "));
		rtls_text_add(out, tlsa->text);
		rtls_text_add(out, rtls_slice("\n"));
	}
	return true;
}

static bool parse_earlier(const struct key *key, struct rtls_slice value,
	struct rtls_record *record)
{
	struct rtls_slice rest = value;
	struct rtls_earlier earlier;

	if (!rtls_slice_word(&rest, &earlier.id) || !is_id(earlier.id) ||
		rtls_timestamp_parse(rest, &earlier.retry_s) != RTLS_OK ||
		record->earlier_count == RTLS_EARLIER_MAX)
		return false;
	(void)key;
	record->earlier[record->earlier_count++] = earlier;
	return true;
}

static bool format_earlier(const struct key *key,
	const struct rtls_record *record, struct rtls_text *out)
{
	if (record->earlier_count > RTLS_EARLIER_MAX)
		return false;
	for (size_t i = 0; i < record->earlier_count; i++) {
		const struct rtls_earlier *earlier = &record->earlier[i];
		char text[RTLS_TIMESTAMP_SIZE];

		if (!is_id(earlier->id) || earlier->retry_s < 0 ||
			earlier->retry_s > TIME_MAX_S)
			return false;
		rtls_text_printf(out, "%s ", key->name);
		rtls_text_add(out, earlier->id);
		rtls_text_printf(out, " %s\n",
			rtls_timestamp_format(text, earlier->retry_s));
	}
	return true;
}

static bool parse_note(const struct key *key, struct rtls_slice value,
	struct rtls_record *record)
{
	if (!key->is_valid(value) || record->note_count == RTLS_NOTES_MAX)
		return false;
	record->note[record->note_count++] = value;
	return true;
}

static bool format_note(const struct key *key, const struct rtls_record *record,
	struct rtls_text *out)
{
	if (record->note_count > RTLS_NOTES_MAX)
		return false;
	for (size_t i = 0; i < record->note_count; i++) {
		if (!key->is_valid(record->note[i]))
			return false;
		add_line(out, key->name, record->note[i]);
	}
	return true;
}

#define AT(member) offsetof(struct rtls_record, member)
#define A_TIME     "a time like 2026-11-21T19:45:20Z"
#define AN_ID      "1 to 32 letters and digits"
#define A_TEXT     "a text of printable ASCII"
#define WORD(name, member, words)                                              \
	{                                                                      \
		name, parse_word, format_word, AT(member), NULL, words, false, \
			NULL                                                   \
	}
#define TIME(name, member)                                                     \
	{                                                                      \
		name, parse_time, format_time, AT(member), NULL, NULL, false,  \
			A_TIME                                                 \
	}
#define SLICE(name, member, is_valid, expected)                                \
	{                                                                      \
		name, parse_slice, format_slice, AT(member), is_valid, NULL,   \
			false, expected                                        \
	}

/* In the order in which they are written. */
static const struct key keys[] = {
	SLICE("domain", domain, is_normalized,
		"a domain in lower case, without a dot at its end"),
	TIME("used", used_s),
	WORD("mx-answer", mx_answer, mx_answer_words),
	WORD("mx-dnssec", mx_dnssec, dnssec_words),
	TIME("mx-until", mx_until_s),
	{ "mx", parse_mx, format_mx, 0, NULL, NULL, true,
		"PREFERENCE HOST address=WORD tlsa=WORD, at most 64 times" },
	{ "tlsa", parse_tlsa, format_tlsa, 0, NULL, NULL, true,
		"HOST USAGE SELECTOR MATCHING HEX, at most 64 times" },
	WORD("txt", txt, txt_words),
	SLICE("txt-id", txt_id, is_id, AN_ID),
	TIME("txt-until", txt_until_s),
	WORD("fetch", fetch, fetch_words),
	SLICE("fetch-id", fetch_id, is_id, AN_ID),
	TIME("fetch-retry", fetch_retry_s),
	SLICE("fetch-error", fetch_error, is_quoted, A_TEXT),
	{ "fetch-earlier", parse_earlier, format_earlier, 0, NULL, NULL, true,
		"an id and a time, at most 4 times" },
	SLICE("policy-id", policy_id, is_id, AN_ID),
	TIME("policy-fetched", policy_fetched_s),
	TIME("policy-until", policy_until_s),
	SLICE("policy-digest", policy_digest, is_digest,
		"64 digits of lower-case hex"),
	{ "note", parse_note, format_note, 0, is_quoted, NULL, true,
		A_TEXT ", at most 8 times" },
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static const char *mx_problem(const struct rtls_record *record)
{
	const bool none = record->mx_count == 0;

	for (size_t i = 1; i < record->mx_count; i++)
		if (record->mx[i - 1].preference > record->mx[i].preference)
			return "mx lines not sorted";
	if (record->mx_answer == RTLS_MX_HOSTS && none)
		return "mx-answer hosts without mx lines";
	if (record->mx_answer == RTLS_MX_IMPLICIT &&
		(record->mx_count != 1 ||
			!rtls_slice_equal(record->mx[0].host, record->domain)))
		return "mx-answer implicit without the domain as only mx";
	if (!none && (record->mx_answer == RTLS_MX_UNKNOWN ||
			     record->mx_answer == RTLS_MX_NULL ||
			     record->mx_answer == RTLS_MX_NXDOMAIN))
		return "mx lines without an mx-answer that has hosts";
	if (record->mx_dnssec == RTLS_DNSSEC_BOGUS &&
		record->mx_answer != RTLS_MX_FAILED)
		return "mx-dnssec bogus without mx-answer failed";
	return NULL;
}

static const char *policy_problem(const struct rtls_record *record)
{
	const int64_t fetched_s = record->policy_fetched_s;
	const int64_t until_s = record->policy_until_s;

	if (record->policy_text.size == 0)
		return record->policy_id.size != 0 || fetched_s != 0 ||
				       until_s != 0 ||
				       record->policy_digest.size != 0
			       ? "policy lines without a policy-text"
			       : NULL;
	if (record->policy_text.size > RTLS_STS_POLICY_SIZE_MAX)
		return "policy-text too long";
	if (fetched_s <= 0 || until_s <= 0 || record->policy_digest.size == 0)
		return "policy-text without policy-fetched, policy-until or "
		       "policy-digest";
	if (until_s < fetched_s ||
		until_s - fetched_s > RTLS_STS_MAX_AGE_MAX + RTLS_CLOCK_SLACK_S)
		return "policy-until not within a year of policy-fetched";
	return NULL;
}

/* What single lines cannot show; NULL: all is well. */
static const char *problem(const struct rtls_record *record)
{
	const char *found = mx_problem(record);

	if (record->domain.size == 0)
		return "no domain";
	if (found != NULL)
		return found;
	if (record->txt == RTLS_TXT_VALID && record->txt_id.size == 0)
		return "txt valid without a txt-id";
	return policy_problem(record);
}

/* A stable insertion sort: an edited record may come out of order. */
static void sort_mx(struct rtls_record *record)
{
	for (size_t i = 1; i < record->mx_count; i++) {
		const struct rtls_mx mx = record->mx[i];
		size_t at = i;

		while (at > 0 &&
			record->mx[at - 1].preference > mx.preference) {
			record->mx[at] = record->mx[at - 1];
			at--;
		}
		record->mx[at] = mx;
	}
}

/* KEY_COUNT: there is none. */
static size_t find_key(struct rtls_slice name)
{
	size_t index = 0;

	while (index < KEY_COUNT && !rtls_slice_is(name, keys[index].name))
		index++;
	return index;
}

static bool parse_line(
	struct rtls_slice line, unsigned *seen, struct rtls_record *record)
{
	struct rtls_slice value = line;
	const size_t i = find_key(rtls_slice_take(&value, ' '));

	/* Unknown: a newer format has another version. */
	if (i == KEY_COUNT || (!keys[i].repeats && (*seen & 1U << i) != 0))
		return false;
	*seen |= 1U << i;
	return keys[i].parse(&keys[i], rtls_slice_trim(value), record);
}

/* People edit records. seen has the keys of the lines above. */
static void say_expected(
	struct rtls_slice line, unsigned seen, struct rtls_text *out)
{
	struct rtls_nearest nearest = { .word = rtls_slice_take(&line, ' ') };
	struct rtls_nearest_hint hint;
	const size_t index = find_key(nearest.word);

	if (index == KEY_COUNT) {
		for (size_t i = 0; i < KEY_COUNT; i++)
			rtls_nearest_try(&nearest, keys[i].name);
		rtls_text_printf(
			out, "%s", rtls_nearest_hint(&hint, &nearest, ""));
	} else if (!keys[index].repeats && (seen & 1U << index) != 0) {
		rtls_text_printf(out, "; it is there already");
	} else if (keys[index].expected != NULL) {
		rtls_text_printf(out, "; expected %s", keys[index].expected);
	} else {
		rtls_text_printf(out, "; expected one of");
		for (size_t i = 0; keys[index].words[i] != NULL; i++)
			rtls_text_printf(out, " %s", keys[index].words[i]);
	}
}

static void say_unexpected(struct rtls_slice line, unsigned number,
	unsigned seen, struct rtls_err *err)
{
	char found[64], expected[128];
	struct rtls_text text;

	rtls_quote(found, sizeof(found), line);
	rtls_text_init(&text, expected, sizeof(expected));
	say_expected(line, seen, &text);
	rtls_err_set(
		err, "line %u: unexpected \"%s\"%s", number, found, expected);
}

static enum rtls_status parse_lines(struct rtls_slice text,
	struct rtls_record *record, struct rtls_err *err)
{
	struct rtls_slice rest = text;
	struct rtls_slice line;
	unsigned seen = 0, before;

	if (!rtls_slice_line(&rest, &line) || !rtls_slice_is(line, VERSION)) {
		rtls_err_set(err, "line 1: expected \"%s\"", VERSION);
		return RTLS_INVALID;
	}
	for (unsigned number = 2; rtls_slice_line(&rest, &line); number++) {
		if (rtls_slice_is(line, POLICY_TEXT) && rest.size != 0) {
			record->policy_text = rest;
			return RTLS_OK;
		}
		before = seen;
		if (!parse_line(line, &seen, record)) {
			say_unexpected(line, number, before, err);
			return RTLS_INVALID;
		}
	}
	if (text.data[text.size - 1] != '\n') {
		rtls_err_set(err, "the last line is cut");
		return RTLS_INVALID;
	}
	return RTLS_OK;
}

enum rtls_status rtls_record_parse(struct rtls_slice text, const char *domain,
	struct rtls_record *record, struct rtls_err *err)
{
	struct rtls_record parsed = { 0 };
	const char *found;
	enum rtls_status status;

	if (text.size > RTLS_RECORD_SIZE_MAX) {
		rtls_err_set(err, "more than %d bytes", RTLS_RECORD_SIZE_MAX);
		return RTLS_INVALID;
	}
	status = parse_lines(text, &parsed, err);
	if (status != RTLS_OK)
		return status;
	sort_mx(&parsed);
	found = problem(&parsed);
	if (found == NULL && !rtls_slice_is(parsed.domain, domain))
		found = "the record of another domain";
	status = rtls_err_check(err, found);
	if (status == RTLS_OK)
		*record = parsed;
	return status;
}

enum rtls_status rtls_record_format(
	const struct rtls_record *record, struct rtls_text *out)
{
	const size_t start = out->size;

	rtls_text_printf(out, "%s\n", VERSION);
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (!keys[i].format(&keys[i], record, out))
			return RTLS_BUG;
	if (problem(record) != NULL)
		return RTLS_BUG;
	if (record->policy_text.size != 0) {
		rtls_text_printf(out, "%s\n", POLICY_TEXT);
		rtls_text_add(out, record->policy_text);
	}
	return out->overflow || out->size - start > RTLS_RECORD_SIZE_MAX
		       ? RTLS_INVALID
		       : RTLS_OK;
}

static bool is_answer_fresh(int64_t until_s, int64_t now_s)
{
	return until_s > now_s &&
	       until_s - now_s <= RTLS_TTL_MAX_S + RTLS_CLOCK_SLACK_S;
}

bool rtls_record_is_fresh(const struct rtls_record *record, int64_t now_s)
{
	return is_answer_fresh(record->mx_until_s, now_s) &&
	       is_answer_fresh(record->txt_until_s, now_s) &&
	       record->fetch != RTLS_FETCH_RUNNING &&
	       !rtls_record_wants_fetch(record, now_s);
}

bool rtls_record_has_policy(const struct rtls_record *record, int64_t now_s)
{
	return record->policy_text.size != 0 &&
	       record->policy_fetched_s <= now_s + RTLS_CLOCK_SLACK_S &&
	       now_s <= record->policy_until_s;
}

/* A back-off from a future clock does not hold. */
bool rtls_record_holds_off(int64_t retry_s, int64_t now_s)
{
	return is_answer_fresh(retry_s, now_s);
}

static bool is_fetch_held(const struct rtls_record *record, int64_t now_s)
{
	return (record->fetch == RTLS_FETCH_FAILED ||
		       record->fetch == RTLS_FETCH_RUNNING) &&
	       rtls_record_holds_off(record->fetch_retry_s, now_s);
}

static bool is_backed_off(const struct rtls_record *record, int64_t now_s)
{
	const bool is_held = is_fetch_held(record, now_s);
	size_t held = 0;

	if (is_held && rtls_slice_equal(record->fetch_id, record->txt_id))
		return true;
	for (size_t i = 0; i < record->earlier_count; i++) {
		if (!rtls_record_holds_off(record->earlier[i].retry_s, now_s))
			continue;
		if (rtls_slice_equal(record->earlier[i].id, record->txt_id))
			return true;
		held++;
	}
	return is_held && held == RTLS_EARLIER_MAX;
}

bool rtls_record_wants_fetch(const struct rtls_record *record, int64_t now_s)
{
	return record->txt == RTLS_TXT_VALID &&
	       (!rtls_record_has_policy(record, now_s) ||
		       !rtls_slice_equal(record->policy_id, record->txt_id)) &&
	       !is_backed_off(record, now_s);
}

#define DUE_FIRST_S  (16 * RTLS_HOUR_S)
#define DUE_SPREAD_S (7 * RTLS_HOUR_S)

bool rtls_record_is_due(
	const struct rtls_record *record, uint64_t spread, int64_t now_s)
{
	int64_t after_s = DUE_FIRST_S + (int64_t)(spread % DUE_SPREAD_S);
	int64_t half_s =
		(record->policy_until_s - record->policy_fetched_s) / 2;

	if (!rtls_record_has_policy(record, now_s) ||
		is_fetch_held(record, now_s))
		return false;
	if (half_s < after_s)
		after_s = half_s;
	return record->policy_fetched_s > now_s ||
	       now_s - record->policy_fetched_s >= after_s;
}

bool rtls_record_is_spent(const struct rtls_record *record, int64_t now_s)
{
	const int64_t before_s = now_s - RTLS_CLOCK_SLACK_S;

	return !rtls_record_has_policy(record, now_s) &&
	       !is_answer_fresh(record->mx_until_s, before_s) &&
	       !is_answer_fresh(record->txt_until_s, before_s) &&
	       !is_fetch_held(record, now_s);
}

const struct rtls_mx *rtls_record_mx(
	const struct rtls_record *record, struct rtls_slice host)
{
	for (size_t i = 0; i < record->mx_count; i++)
		if (rtls_slice_equal_nocase(record->mx[i].host, host))
			return &record->mx[i];
	return NULL;
}

bool rtls_record_lookup_failed(const struct rtls_mx *mx)
{
	return mx->tlsa == RTLS_TLSA_FAILED || mx->tlsa == RTLS_TLSA_BOGUS;
}

bool rtls_record_lacks_address(const struct rtls_mx *mx)
{
	return rtls_record_lookup_failed(mx) &&
	       (mx->address == RTLS_DNSSEC_UNKNOWN ||
		       mx->address == RTLS_DNSSEC_BOGUS);
}
