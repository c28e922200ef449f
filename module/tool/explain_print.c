/* explain_print.c - see explain_print.h. */
#include "tool/explain_print.h"

#include <stdio.h>
#include <string.h>

#include "tool/verb.h"
#include "tool/view.h"

/* --- for people ---------------------------------------------------------------------- */

static void print_reason(const struct rtls_reason *reason)
{
	(void)printf("  %-10s %s\n", reason->kind, reason->text);
	if (reason->source[0] != '\0')
		(void)printf("             [%s]\n", reason->source);
}

static void print_host(const struct rtls_explained_host *host)
{
	struct rtls_quoted q;

	(void)printf("  host       %u %s %s: %s\n", host->preference,
		rtls_quoted(&q, host->host), host->use ? "yes" : "no",
		host->why);
}

static void print_outcome(const char *label, const struct rtls_outcome *outcome)
{
	(void)printf("  %-10s %s: %s\n", label,
		rtls_outcome_name(outcome->kind), outcome->text);
}

/* An Exim without our patches, and with them. */
static void print_outcomes(const struct rtls_explanation *explanation)
{
	if (strcmp(explanation->stock.text, explanation->patched.text) == 0) {
		print_outcome("any Exim", &explanation->stock);
		return;
	}
	print_outcome("stock", &explanation->stock);
	print_outcome("patched", &explanation->patched);
}

static void print_log(const char *label, const char *log)
{
	if (log[0] == '\0')
		(void)printf("  %-10s no line\n", label);
	else
		(void)printf("  %-10s requiretls: %s\n", label, log);
}

static void print_logs(const struct rtls_explanation *explanation)
{
	print_log("log", explanation->log);
	if (strcmp(explanation->log, explanation->patched_log) != 0)
		print_log("patched", explanation->patched_log);
}

static json_t *log_json(const char *log)
{
	return log[0] == '\0' ? json_null() : rtls_verb_json(rtls_slice(log));
}

void rtls_explain_print(const struct rtls_explain_question *question,
	const struct rtls_explanation *explanation, const char *address)
{
	const bool is_known = question->known->known;

	(void)printf("%s\n", address);
	(void)printf("  class      %s\n", explanation->class);
	for (size_t i = 0; i < explanation->reason_count; i++)
		print_reason(&explanation->reason[i]);
	for (size_t i = 0; i < explanation->host_count; i++)
		print_host(&explanation->host[i]);
	if (explanation->asks_first && is_known)
		(void)printf(
			"  asks       DNS is asked anew before the decision; "
			"this is what comes of the same answers\n");
	if (is_known || !explanation->asks_first)
		print_outcomes(explanation);
	if (explanation->asks_first)
		print_outcome("no answer", &explanation->unanswered);
	if (is_known || !explanation->asks_first)
		print_logs(explanation);
}

/* --- JSON ------------------------------------------------------------------------------ */

static json_t *reasons_json(const struct rtls_explanation *explanation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < explanation->reason_count; i++) {
		const struct rtls_reason *reason = &explanation->reason[i];

		(void)json_array_append_new(list,
			json_pack("{s:s, s:o, s:o}", "kind", reason->kind,
				"text",
				rtls_verb_json(rtls_slice(reason->text)),
				"source",
				reason->source[0] == '\0'
					? json_null()
					: rtls_verb_json(
						  rtls_slice(reason->source))));
	}
	return list;
}

static json_t *hosts_json(const struct rtls_explanation *explanation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < explanation->host_count; i++) {
		const struct rtls_explained_host *host = &explanation->host[i];

		(void)json_array_append_new(list,
			json_pack("{s:I, s:o, s:b, s:o}", "preference",
				(json_int_t)host->preference, "host",
				rtls_verb_json(host->host), "use", host->use,
				"why", rtls_verb_json(rtls_slice(host->why))));
	}
	return list;
}

static json_t *outcome_json(const struct rtls_outcome *outcome, bool is_known)
{
	if (!is_known)
		return json_null();
	return json_pack("{s:s, s:s, s:o}", "outcome",
		rtls_outcome_name(outcome->kind), "code", outcome->code, "text",
		rtls_verb_json(rtls_slice(outcome->text)));
}

json_t *rtls_explain_json(const struct rtls_explain_question *question,
	const struct rtls_explanation *explanation, const char *address)
{
	const bool is_known =
		question->known->known || !explanation->asks_first;

	return json_pack(
		"{s:o, s:o, s:o, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"address", rtls_verb_json(rtls_slice(address)), "domain",
		rtls_verb_json(rtls_slice(question->domain)), "via",
		question->via != NULL ? rtls_via_json(question->via)
				      : json_null(),
		"class", explanation->class, "cached", question->known->known,
		"asks_first", explanation->asks_first, "reasons",
		reasons_json(explanation), "hosts", hosts_json(explanation),
		"stock", outcome_json(&explanation->stock, is_known), "patched",
		outcome_json(&explanation->patched, is_known), "unanswered",
		outcome_json(&explanation->unanswered, explanation->asks_first),
		"log", log_json(explanation->log), "patched_log",
		log_json(explanation->patched_log), "record",
		question->known->known && !rtls_explain_is_by_name(question)
			? rtls_view_json(
				  &question->known->record, question->now_s)
			: json_null());
}
