/* view.c - what a record says, for people and as JSON. */
#include "tool/view.h"

#include <stdio.h>

#include "policy/timestamp.h"
#include "tool/verb.h"

static const char *const answer_names[] = {
	[RTLS_MX_UNKNOWN] = "unknown",
	[RTLS_MX_HOSTS] = "hosts",
	[RTLS_MX_IMPLICIT] = "implicit",
	[RTLS_MX_NULL] = "null",
	[RTLS_MX_NXDOMAIN] = "nxdomain",
	[RTLS_MX_FAILED] = "failed",
};

static const char *const dnssec_names[] = {
	[RTLS_DNSSEC_UNKNOWN] = "unknown",
	[RTLS_DNSSEC_INSECURE] = "insecure",
	[RTLS_DNSSEC_SECURE] = "secure",
	[RTLS_DNSSEC_BOGUS] = "bogus",
};

static const char *const tlsa_names[] = {
	[RTLS_TLSA_UNKNOWN] = "unknown",
	[RTLS_TLSA_NONE] = "none",
	[RTLS_TLSA_SECURE] = "secure",
	[RTLS_TLSA_UNUSABLE] = "unusable",
	[RTLS_TLSA_FAILED] = "failed",
	[RTLS_TLSA_BOGUS] = "bogus",
};

static const char *const txt_names[] = {
	[RTLS_TXT_UNKNOWN] = "unknown",
	[RTLS_TXT_VALID] = "valid",
	[RTLS_TXT_NONE] = "none",
	[RTLS_TXT_INVALID] = "invalid",
	[RTLS_TXT_FAILED] = "failed",
};

static const char *const fetch_names[] = {
	[RTLS_FETCH_NEVER] = "never",
	[RTLS_FETCH_OK] = "ok",
	[RTLS_FETCH_FAILED] = "failed",
	[RTLS_FETCH_RUNNING] = "running",
};

const char *rtls_view_txt_name(enum rtls_txt_state txt)
{
	return txt_names[txt];
}

/* What the log calls it, behind a name. */
static const char *const tlsa_marks[] = {
	[RTLS_TLSA_UNKNOWN] = "",
	[RTLS_TLSA_NONE] = "",
	[RTLS_TLSA_SECURE] = " DANE",
	[RTLS_TLSA_UNUSABLE] = " (TLSA records not usable)",
	[RTLS_TLSA_FAILED] = " (TLSA lookup failed)",
	[RTLS_TLSA_BOGUS] = " (TLSA records bogus)",
};

static const char *tlsa_mark(const struct rtls_mx *mx)
{
	return rtls_record_lacks_address(mx) ? " (address lookup failed)"
					     : tlsa_marks[mx->tlsa];
}

static const char *dnssec_mark(enum rtls_dnssec dnssec)
{
	return dnssec == RTLS_DNSSEC_SECURE ? " (DNSSEC)" : "";
}

const char *rtls_view_age(
	char out[RTLS_VIEW_AGE_SIZE], int64_t time_s, int64_t now_s)
{
	int64_t distance_s = time_s > now_s ? time_s - now_s : now_s - time_s;
	long long count = (long long)distance_s;
	const char *unit = "second";

	if (distance_s >= 172800) {
		count /= RTLS_DAY_S;
		unit = "day";
	} else if (distance_s >= 7200) {
		count /= RTLS_HOUR_S;
		unit = "hour";
	} else if (distance_s >= 120) {
		count /= 60;
		unit = "minute";
	}
	if (time_s == 0)
		(void)snprintf(out, RTLS_VIEW_AGE_SIZE, "-");
	else
		(void)snprintf(out, RTLS_VIEW_AGE_SIZE, "%s%lld %s%s%s",
			time_s > now_s ? "in " : "", count, unit,
			count == 1 ? "" : "s", time_s > now_s ? "" : " ago");
	return out;
}

const char *rtls_view_mx_state(
	char out[RTLS_VIEW_STATE_SIZE], const struct rtls_record *record)
{
	switch (record->mx_answer) {
	case RTLS_MX_HOSTS:
		(void)snprintf(out, RTLS_VIEW_STATE_SIZE, "%zu host%s%s",
			record->mx_count, record->mx_count == 1 ? "" : "s",
			dnssec_mark(record->mx_dnssec));
		break;
	case RTLS_MX_UNKNOWN:
		(void)snprintf(out, RTLS_VIEW_STATE_SIZE, "not looked up");
		break;
	case RTLS_MX_FAILED:
		(void)snprintf(out, RTLS_VIEW_STATE_SIZE, "%s",
			record->mx_dnssec == RTLS_DNSSEC_BOGUS ? "bogus"
							       : "failed");
		break;
	case RTLS_MX_IMPLICIT:
	case RTLS_MX_NULL:
	case RTLS_MX_NXDOMAIN:
		(void)snprintf(out, RTLS_VIEW_STATE_SIZE, "%s%s",
			answer_names[record->mx_answer],
			dnssec_mark(record->mx_dnssec));
		break;
	}
	return out;
}

/* The policy, if it is one and counts now. */
static bool current_policy(const struct rtls_record *record, int64_t now_s,
	struct rtls_sts_policy *policy)
{
	return rtls_record_has_policy(record, now_s) &&
	       rtls_sts_policy_parse(record->policy_text, policy, NULL) ==
		       RTLS_OK;
}

static const char *sts_state(const struct rtls_record *record, int64_t now_s)
{
	struct rtls_sts_policy policy;

	if (current_policy(record, now_s, &policy))
		return rtls_sts_mode_name(policy.mode);
	if (record->policy_text.size > 0 &&
		!rtls_record_has_policy(record, now_s))
		return "expired";
	if (record->policy_text.size > 0)
		return "unreadable";
	return record->txt == RTLS_TXT_VALID ? "no policy" : "-";
}

/* --- for people ------------------------------------------------------------ */

static void print_mx(const struct rtls_record *record, int64_t now_s)
{
	char state[RTLS_VIEW_STATE_SIZE], age[RTLS_VIEW_AGE_SIZE];
	struct rtls_quoted q;

	(void)printf("  MX       %s, %s %s\n",
		rtls_view_mx_state(state, record),
		record->mx_until_s > now_s ? "expires" : "expired",
		rtls_view_age(age, record->mx_until_s, now_s));
	for (size_t i = 0; i < record->mx_count; i++) {
		const struct rtls_mx *mx = &record->mx[i];

		(void)printf("           %5u %s%s%s\n", mx->preference,
			rtls_quoted(&q, mx->host), dnssec_mark(mx->address),
			tlsa_mark(mx));
	}
}

static void print_policy(const struct rtls_record *record, int64_t now_s)
{
	struct rtls_sts_policy policy;
	struct rtls_quoted id, pattern;
	char age[RTLS_VIEW_AGE_SIZE];

	if (record->policy_text.size == 0)
		return;
	(void)printf("  policy   %s, id %s, %s %s\n", sts_state(record, now_s),
		rtls_quoted(&id, record->policy_id),
		record->policy_until_s > now_s ? "expires" : "expired",
		rtls_view_age(age, record->policy_until_s, now_s));
	if (!current_policy(record, now_s, &policy))
		return;
	for (size_t i = 0; i < policy.mx_count; i++)
		(void)printf("           mx %s\n",
			rtls_quoted(&pattern, policy.mx[i]));
}

/* A text that is quoted already, unless somebody has edited the file: shown as
 * it stands, but for what no terminal should get. */
static void print_quoted(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		(void)putchar(c >= ' ' && c <= '~' ? c : '?');
	}
}

static const char *txt_words(enum rtls_txt_state state)
{
	switch (state) {
	case RTLS_TXT_VALID:
		return "record valid";
	case RTLS_TXT_NONE:
		return "no record";
	case RTLS_TXT_INVALID:
		return "record invalid: as if there were none";
	case RTLS_TXT_FAILED:
		return "record not known: the lookup failed";
	case RTLS_TXT_UNKNOWN:
		break;
	}
	return "record not looked up";
}

void rtls_view_print(const struct rtls_record *record, int64_t now_s)
{
	struct rtls_quoted q;
	char age[RTLS_VIEW_AGE_SIZE];

	(void)printf("%s\n", rtls_quoted(&q, record->domain));
	print_mx(record, now_s);
	(void)printf("  MTA-STS  %s", txt_words(record->txt));
	if (record->txt_id.size > 0)
		(void)printf(", id %s", rtls_quoted(&q, record->txt_id));
	(void)printf(", %s %s\n",
		record->txt_until_s > now_s ? "expires" : "expired",
		rtls_view_age(age, record->txt_until_s, now_s));
	print_policy(record, now_s);
	if (record->fetch == RTLS_FETCH_RUNNING)
		(void)printf("  fetch    running, or cut off\n");
	if (record->fetch == RTLS_FETCH_FAILED) {
		(void)printf("  fetch    failed: ");
		print_quoted(record->fetch_error);
		(void)printf("; next try %s\n",
			rtls_view_age(age, record->fetch_retry_s, now_s));
	}
	for (size_t i = 0; i < record->note_count; i++) {
		(void)printf("  note     ");
		print_quoted(record->note[i]);
		(void)putchar('\n');
	}
}

void rtls_view_print_heading(void)
{
	(void)printf("%-32s %-18s %-10s %-14s %s\n", "DOMAIN", "MX", "MTA-STS",
		"EXPIRES", "LAST FETCH ERROR");
}

void rtls_view_print_row(const struct rtls_record *record, int64_t now_s)
{
	char state[RTLS_VIEW_STATE_SIZE], age[RTLS_VIEW_AGE_SIZE];
	struct rtls_quoted domain, error;

	(void)printf("%-32s %-18s %-10s %-14s %s\n",
		rtls_quoted(&domain, record->domain),
		rtls_view_mx_state(state, record), sts_state(record, now_s),
		rtls_view_age(age, record->policy_until_s, now_s),
		record->fetch_error.size == 0
			? "-"
			: rtls_quoted(&error, record->fetch_error));
}

void rtls_view_summary(
	const struct rtls_record *record, int64_t now_s, struct rtls_text *out)
{
	char state[RTLS_VIEW_STATE_SIZE];

	rtls_text_printf(out, "mx=%s sts=%s", rtls_view_mx_state(state, record),
		sts_state(record, now_s));
	if (record->policy_id.size > 0) {
		rtls_text_printf(out, " id=");
		rtls_text_quote(out, record->policy_id);
	}
}

/* --- JSON ------------------------------------------------------------------ */

static json_t *time_json(int64_t time_s)
{
	char text[RTLS_TIMESTAMP_SIZE];

	return time_s == 0 ? json_null()
			   : json_string(rtls_timestamp_format(text, time_s));
}

static json_t *text_or_null(struct rtls_slice text)
{
	return text.size == 0 ? json_null() : rtls_verb_json(text);
}

static json_t *mx_json(const struct rtls_record *record)
{
	json_t *hosts = json_array();

	for (size_t i = 0; i < record->mx_count; i++) {
		const struct rtls_mx *mx = &record->mx[i];
		json_t *host = json_pack("{s:I, s:o, s:s, s:s}", "preference",
			(json_int_t)mx->preference, "host",
			rtls_verb_json(mx->host), "address",
			dnssec_names[mx->address], "tlsa",
			tlsa_names[mx->tlsa]);

		(void)json_array_append_new(hosts, host);
	}
	return json_pack("{s:s, s:s, s:o, s:o}", "answer",
		answer_names[record->mx_answer], "dnssec",
		dnssec_names[record->mx_dnssec], "until",
		time_json(record->mx_until_s), "hosts", hosts);
}

/* The policy as far as it can be read, expired or not. */
static json_t *policy_json(const struct rtls_record *record, int64_t now_s)
{
	struct rtls_sts_policy policy;
	json_t *mx;

	if (record->policy_text.size == 0 ||
		rtls_sts_policy_parse(record->policy_text, &policy, NULL) !=
			RTLS_OK)
		return json_null();
	mx = json_array();
	for (size_t i = 0; i < policy.mx_count; i++)
		(void)json_array_append_new(mx, rtls_verb_json(policy.mx[i]));
	return json_pack("{s:o, s:s, s:I, s:o, s:o, s:o, s:b, s:o}", "id",
		text_or_null(record->policy_id), "mode",
		rtls_sts_mode_name(policy.mode), "max_age",
		(json_int_t)policy.max_age_s, "mx", mx, "fetched",
		time_json(record->policy_fetched_s), "until",
		time_json(record->policy_until_s), "expired",
		!rtls_record_has_policy(record, now_s), "digest",
		text_or_null(record->policy_digest));
}

static json_t *sts_json(const struct rtls_record *record, int64_t now_s)
{
	return json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:o}", "record",
		rtls_view_txt_name(record->txt), "id",
		text_or_null(record->txt_id), "until",
		time_json(record->txt_until_s), "fetch",
		fetch_names[record->fetch], "fetch_error",
		text_or_null(record->fetch_error), "fetch_retry",
		time_json(record->fetch_retry_s), "policy",
		policy_json(record, now_s));
}

json_t *rtls_view_json(const struct rtls_record *record, int64_t now_s)
{
	json_t *notes = json_array();

	for (size_t i = 0; i < record->note_count; i++)
		(void)json_array_append_new(
			notes, rtls_verb_json(record->note[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "domain",
		rtls_verb_json(record->domain), "used",
		time_json(record->used_s), "mx", mx_json(record), "sts",
		sts_json(record, now_s), "notes", notes);
}
