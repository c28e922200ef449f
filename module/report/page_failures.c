/* page_failures.c - what failed at a domain: by result type, with what to do about it, then by
 * host and reason. */
#include <ctype.h>
#include <string.h>

#include "page_parts.h"
#include "policy/timestamp.h"
#include "report/words.h"

#define ROWS_MAX        25  /* of one result type */
#define DOMAIN_ROWS_MAX 100 /* of a domain */
#define ADDRESS_MAX     64  /* characters */
#define ASIDE_MAX       120

/* A text of our own, with a capital letter. */
static void put_sentence(FILE *out, const char *text)
{
	if (text[0] == '\0')
		return;
	(void)fputc(toupper((unsigned char)text[0]), out);
	rtls_page_put(out, rtls_slice(text + 1), RTLS_PAGE_TEXT_MAX);
}

void rtls_page_put_meaning(FILE *out, struct rtls_slice type)
{
	enum rtls_result result;

	if (type.size == 0)
		(void)fputs("Failures of other types", out);
	else if (rtls_result_parse(type, &result) == RTLS_OK)
		put_sentence(out, rtls_words_result(result));
	else
		rtls_page_put_foreign(out, type);
}

/* The same, about a domain. */
static void put_advice(
	FILE *out, const char *advice, const struct rtls_page_domain *domain)
{
	const char *mark = strstr(advice, "DOMAIN");

	if (mark == NULL) {
		put_sentence(out, advice);
		return;
	}
	(void)fputc(toupper((unsigned char)advice[0]), out);
	rtls_page_put(out,
		rtls_slice_n(advice + 1, (size_t)(mark - advice) - 1),
		RTLS_PAGE_TEXT_MAX);
	rtls_page_put_foreign(out, domain->name);
	rtls_page_put(
		out, rtls_slice(mark + strlen("DOMAIN")), RTLS_PAGE_TEXT_MAX);
}

static void put_type(FILE *out, const struct rtls_page_domain *domain,
	const struct rtls_page_type *type,
	const struct rtls_page_options *options)
{
	enum rtls_result result;
	bool is_known = rtls_result_parse(type->name, &result) == RTLS_OK;

	(void)fputs("<h3 class=\"type\"><span>", out);
	rtls_page_put_meaning(out, type->name);
	(void)fputs("</span> ", out);
	if (is_known) {
		(void)fputs("<code>", out);
		rtls_page_put(out, type->name, RTLS_PAGE_TEXT_MAX);
		(void)fputs("</code> ", out);
	}
	(void)fputs("<span class=\"alert\">", out);
	rtls_page_put_count(out, type->count);
	(void)fputs(" failed</span></h3>\n", out);
	if (!is_known || rtls_words_advice(result)[0] == '\0')
		return;
	(void)fprintf(out,
		"<p class=\"advice\"><span class=\"soft\">%s:"
		"</span> ",
		options->is_received ? "What to do" : "What their side can do");
	put_advice(out, rtls_words_advice(result), domain);
	(void)fputs(".</p>\n", out);
}

static void put_short(FILE *out, struct rtls_slice text, size_t characters_max)
{
	(void)fputs("<bdi>", out);
	rtls_page_put(out, text, characters_max);
	(void)fputs("</bdi>", out);
}

/* An unknown text leaves its cell empty, and on a phone the cell away. */
static void put_address(FILE *out, const char *is, struct rtls_slice text)
{
	if (text.size == 0) {
		(void)fputs("<td></td>", out);
		return;
	}
	(void)fprintf(out, "<td data-is=\"%s\">", is);
	put_short(out, text, ADDRESS_MAX);
	(void)fputs("</td>", out);
}

static void put_reason(FILE *out, const struct rtls_page_failure *failure)
{
	const char *words = rtls_words_reason(failure->reason);

	if (failure->reason.size == 0 && failure->more.size == 0) {
		(void)fputs("<td></td>", out);
		return;
	}
	(void)fputs("<td data-is=\"Reason\">", out);
	if (failure->reason.size > 0)
		rtls_page_put_foreign(out, failure->reason);
	if (words != NULL) {
		(void)fputs("<br/><span class=\"soft\">", out);
		put_sentence(out, words);
		(void)fputs("</span>", out);
	}
	if (failure->more.size > 0) {
		/* Never a link: it leads where a stranger wants. */
		(void)fputs("<br/><span class=\"soft\">more: ", out);
		put_short(out, failure->more, ASIDE_MAX);
		(void)fputs("</span>", out);
	}
	(void)fputs("</td>", out);
}

static void put_host(FILE *out, const struct rtls_page_failure *failure)
{
	if (failure->mx_host.size == 0 && failure->helo.size == 0) {
		(void)fputs("<td></td>", out);
		return;
	}
	(void)fputs("<td data-is=\"MX host\">", out);
	if (failure->mx_host.size > 0)
		rtls_page_put_foreign(out, failure->mx_host);
	if (failure->helo.size > 0 &&
		!rtls_slice_equal_nocase(failure->helo, failure->mx_host)) {
		(void)fputs("<br/><span class=\"soft\">calls itself ", out);
		put_short(out, failure->helo, ASIDE_MAX);
		(void)fputs("</span>", out);
	}
	(void)fputs("</td>", out);
}

/* Days of two years say which. */
static void put_days(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_failure *failure)
{
	int64_t first_s = rtls_page_model_day_s(model, failure->first_day);
	int64_t last_s = rtls_page_model_day_s(model, failure->last_day);
	char first[RTLS_DATE_SIZE], last[RTLS_DATE_SIZE];
	void (*put)(FILE *, int64_t) = rtls_page_put_short_date;

	rtls_date_format(first, first_s);
	rtls_date_format(last, last_s);
	if (strncmp(first, last, strlen("2026")) != 0)
		put = rtls_page_put_date;
	(void)fputs("<td data-is=\"Days\">", out);
	put(out, first_s);
	if (last_s != first_s) {
		(void)fputs(" – ", out);
		put(out, last_s);
	}
	(void)fputs("</td>", out);
}

static void put_row(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_failure *failure)
{
	(void)fputs("<tr><td class=\"n\" data-is=\"Failed\">", out);
	rtls_page_put_count(out, failure->count);
	(void)fputs("</td>", out);
	put_host(out, failure);
	put_address(out, "Its address", failure->receiving_ip);
	put_address(out, "Sent from", failure->sending_ip);
	put_reason(out, failure);
	put_days(out, model, failure);
	(void)fputs("</tr>\n", out);
}

static void put_rest(
	FILE *out, const struct rtls_page_failure *failures, size_t count)
{
	uint64_t rest = 0;

	for (; failures != NULL; failures = failures->next)
		rtls_page_count_add(&rest, failures->count);
	(void)fputs("<tr><td class=\"n\" data-is=\"Failed\">", out);
	rtls_page_put_count(out, rest);
	(void)fputs("</td><td class=\"soft\" colspan=\"5\">with ", out);
	rtls_page_put_count(out, count);
	(void)fputs(
		" more combinations of host, address and reason</td></tr>\n",
		out);
}

/* rows_max: how many more rows the domain may have. Returns how many it has got. */
static size_t put_rows(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_type *type, size_t rows_max)
{
	const struct rtls_page_failure *failure = type->failures;
	size_t count = 0;

	for (; failure != NULL && count < ROWS_MAX && count < rows_max;
		failure = failure->next) {
		put_row(out, model, failure);
		count++;
	}
	if (failure != NULL)
		put_rest(out, failure, type->failure_count - count);
	return count;
}

void rtls_page_put_failures(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_domain *domain,
	const struct rtls_page_options *options)
{
	size_t rows_max = DOMAIN_ROWS_MAX;

	for (const struct rtls_page_type *type = domain->types; type != NULL;
		type = type->next) {
		put_type(out, domain, type, options);
		(void)fputs(
			"<table class=\"causes\"><thead><tr><th class=\"n\" scope=\"col\">"
			"Failed</th><th scope=\"col\">MX host</th>"
			"<th scope=\"col\">Its address</th>"
			"<th scope=\"col\">Sent from</th>"
			"<th scope=\"col\">Reason</th>"
			"<th scope=\"col\">Days</th></tr></thead><tbody>\n",
			out);
		rows_max -= put_rows(out, model, type, rows_max);
		(void)fputs("</tbody></table>\n", out);
	}
}
