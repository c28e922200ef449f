/* read_print.c - received reports for people. What strangers wrote is quoted, and not more of it is shown than
 * people read. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/result.h"
#include "policy/text.h"
#include "policy/timestamp.h"
#include "report/words.h"
#include "tool/report_read.h"

#define POLICIES_SHOWN 20
#define DETAILS_SHOWN  50 /* of a policy */
#define NOTES_SHOWN    10
#define REASONS_SHOWN  8 /* advice on different reasons */
#define WIDTH          78

/* What to say at the end of a report about what to do. */
struct advice {
	bool is_wanted[RTLS_RESULT_COUNT];
	const char *reason[REASONS_SHOWN];
	char code[REASONS_SHOWN][48];
	size_t reason_count;
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

static json_int_t count_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* before, the text in quotes, after; nothing when there is no text. */
static void print_between(
	const char *before, const char *text, const char *after)
{
	struct rtls_quoted q;

	if (text[0] != '\0')
		(void)printf("%s%s%s", before,
			rtls_quoted(&q, rtls_slice(text)), after);
}

/* --- numbers and times ---------------------------------------------------------- */

static void print_sums(json_int_t good, json_int_t failed)
{
	double share = 100.0 * (double)failed / ((double)good + (double)failed);

	(void)printf("%" JSON_INTEGER_FORMAT " good, %" JSON_INTEGER_FORMAT
		     " failed",
		good, failed);
	if (failed > 0 && share < 0.1)
		(void)printf(" (less than 0.1 %%)");
	else if (failed > 0)
		(void)printf(" (%.1f %%)", share);
	(void)putchar('\n');
}

/* "2026-11-20", or from when to when; all in UTC. */
static void print_range(const json_t *range)
{
	const char *start = text_of(range, "start-datetime");
	const char *end = text_of(range, "end-datetime");
	int64_t start_s = 0, end_s = 0;

	if (rtls_timestamp_parse(rtls_slice(start), &start_s) == RTLS_OK &&
		rtls_timestamp_parse(rtls_slice(end), &end_s) == RTLS_OK &&
		start_s % RTLS_DAY_S == 0 &&
		(end_s - start_s == RTLS_DAY_S - 1 ||
			end_s - start_s == RTLS_DAY_S))
		(void)printf("  on %.10s (UTC)\n", start);
	else
		(void)printf("  from %s to %s\n", start, end);
}

/* --- failures ------------------------------------------------------------------- */

static void note_advice(
	struct advice *advice, enum rtls_result result, const char *reason)
{
	const char *words = rtls_words_reason(rtls_slice(reason));

	/* What the reason says is better than what the type does. */
	if (words == NULL)
		advice->is_wanted[result] = true;
	for (size_t i = 0; words != NULL && i < advice->reason_count; i++)
		if (advice->reason[i] == words)
			words = NULL;
	if (words == NULL || advice->reason_count == REASONS_SHOWN)
		return;
	/* One of a few known ones, in some case. */
	(void)snprintf(advice->code[advice->reason_count],
		sizeof(advice->code[0]), "%s", reason);
	advice->reason[advice->reason_count++] = words;
}

static void print_way(const json_t *detail)
{
	const char *host = text_of(detail, "receiving-mx-hostname");
	const char *ip = text_of(detail, "receiving-ip");

	print_between(
		"            from ", text_of(detail, "sending-mta-ip"), "\n");
	if (host[0] == '\0' && ip[0] == '\0')
		return;
	(void)printf("            to");
	print_between(" ", host, "");
	print_between(" [", ip, "]");
	(void)putchar('\n');
}

static void print_detail(const json_t *detail, struct advice *advice)
{
	const char *type = text_of(detail, "result-type");
	const char *reason = text_of(detail, "failure-reason-code");
	enum rtls_result result;
	struct rtls_quoted q;

	(void)printf("  %8" JSON_INTEGER_FORMAT "  %s",
		count_of(detail, "failed-session-count"),
		type[0] != '\0' ? rtls_quoted(&q, rtls_slice(type))
				: "a failure of unknown type");
	if (rtls_result_parse(rtls_slice(type), &result) == RTLS_OK &&
		result != RTLS_RESULT_SUCCESS) {
		(void)printf(": %s", rtls_words_result(result));
		note_advice(advice, result, reason);
	}
	(void)putchar('\n');
	print_way(detail);
	print_between("            which calls itself ",
		text_of(detail, "receiving-mx-helo"), "\n");
	print_between("            reason: ", reason, "\n");
	print_between("            more: ",
		text_of(detail, "additional-information"), "\n");
}

/* Words of ours in lines of a width that every terminal has. */
static void print_wrapped(const char *first, const char *words)
{
	struct rtls_slice rest = rtls_slice(words), word;
	size_t column = 4 + strlen(first);

	(void)printf("    %s", first);
	while (rest.size > 0) {
		word = rtls_slice_take(&rest, ' ');
		if (column + 1 + word.size > WIDTH) {
			(void)printf("\n     ");
			column = 5;
		}
		(void)printf(" %.*s", (int)word.size, word.data);
		column += 1 + word.size;
	}
	(void)putchar('\n');
}

static void print_advice(const struct advice *advice)
{
	char first[64];
	bool is_first = true;

	for (unsigned i = 0; i < RTLS_RESULT_COUNT + advice->reason_count;
		i++) {
		bool is_reason = i >= RTLS_RESULT_COUNT;

		if (!is_reason && !advice->is_wanted[i])
			continue;
		if (is_first)
			(void)puts("  What to do:");
		is_first = false;
		(void)snprintf(first, sizeof(first), "%s:",
			is_reason ? advice->code[i - RTLS_RESULT_COUNT]
				  : rtls_result_name((enum rtls_result)i));
		print_wrapped(first,
			is_reason ? advice->reason[i - RTLS_RESULT_COUNT]
				  : rtls_words_advice((enum rtls_result)i));
	}
}

/* --- policies ------------------------------------------------------------------- */

/* The mode that a line of policy-string says, or "". */
static const char *mode_of(const json_t *policy)
{
	static const char *const modes[] = { "enforce", "testing", "none" };
	const json_t *lines = json_object_get(policy, "policy-string");
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		struct rtls_slice rest = rtls_slice(json_string_value(line));

		if (!rtls_slice_is(rtls_slice_trim(rtls_slice_take(&rest, ':')),
			    "mode"))
			continue;
		for (size_t k = 0; k < sizeof(modes) / sizeof(modes[0]); k++)
			if (rtls_slice_is(rtls_slice_trim(rest), modes[k]))
				return modes[k];
	}
	return "";
}

static void print_title(const json_t *policy)
{
	const char *type = text_of(policy, "policy-type");
	const char *domain = text_of(policy, "policy-domain");
	struct rtls_quoted q;

	if (strcmp(type, "sts") == 0)
		(void)printf("  MTA-STS policy");
	else if (strcmp(type, "tlsa") == 0)
		(void)printf("  DANE (TLSA records)");
	else if (strcmp(type, "no-policy-found") == 0)
		(void)printf("  no policy");
	else
		(void)printf("  policy of type \"%s\"",
			rtls_quoted(&q, rtls_slice(type)));
	print_between(" of ", domain, "");
	print_between(", mode ", mode_of(policy), "");
	(void)printf(": ");
}

static void print_policy(const json_t *element, struct advice *advice)
{
	const json_t *sums = json_object_get(element, "summary");
	const json_t *details = json_object_get(element, "failure-details");
	const json_t *detail;
	size_t i;

	print_title(json_object_get(element, "policy"));
	print_sums(count_of(sums, "total-successful-session-count"),
		count_of(sums, "total-failure-session-count"));
	json_array_foreach(details, i, detail)
	{
		if (i == DETAILS_SHOWN)
			break;
		print_detail(detail, advice);
	}
	if (i < json_array_size(details))
		(void)printf("            and %zu more kinds of failure\n",
			json_array_size(details) - i);
}

static void print_policies(const json_t *report)
{
	const json_t *policies = json_object_get(report, "policies");
	struct advice advice = { .reason_count = 0 };
	const json_t *element;
	size_t i;

	json_array_foreach(policies, i, element)
	{
		if (i == POLICIES_SHOWN)
			break;
		print_policy(element, &advice);
	}
	if (i < json_array_size(policies))
		(void)printf("  and %zu more policies\n",
			json_array_size(policies) - i);
	if (json_array_size(policies) == 0)
		(void)puts("  no policies: nothing was counted");
	print_advice(&advice);
}

/* --- reports -------------------------------------------------------------------- */

static void print_notes(const json_t *notes)
{
	const json_t *note;
	size_t i;

	json_array_foreach(notes, i, note)
	{
		if (i == NOTES_SHOWN)
			break;
		print_between("  note: ", json_string_value(note), "\n");
	}
	if (i < json_array_size(notes))
		(void)printf(
			"  and %zu more notes\n", json_array_size(notes) - i);
}

static void print_entry(const json_t *entry)
{
	const json_t *report = json_object_get(entry, "report");
	const json_t *message = json_object_get(entry, "message");
	const char *name = text_of(report, "organization-name");

	print_between("", name[0] != '\0' ? name : "(no name)", "");
	print_between(", ", text_of(report, "contact-info"), "");
	(void)putchar('\n');
	print_range(json_object_get(report, "date-range"));
	print_between("  report ", text_of(report, "report-id"), "\n");
	print_between("  in ", text_of(entry, "source"), "\n");
	print_between("  mail from ", text_of(message, "from"), "\n");
	print_policies(report);
	print_notes(json_object_get(entry, "notes"));
	(void)putchar('\n');
}

void rtls_read_print(const json_t *entries)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		print_entry(entry);
	}
	if (json_array_size(entries) > 1)
		rtls_read_print_sums(entries);
}
