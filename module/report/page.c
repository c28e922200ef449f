/* page.c - the page as a whole: what it is about, sums, all domains as a table, the first of them
 * in full. */
#include "page.h"

#include <string.h>

#include "page_parts.h"
#include "policy/timestamp.h"

static void put_title(FILE *out, const struct rtls_page_options *options)
{
	(void)fputs(options->is_received ? "TLS reports received"
					 : "TLS of outgoing mail",
		out);
}

static void put_period(FILE *out, const struct rtls_page_model *model)
{
	const struct rtls_page_sums *sums = rtls_page_model_sums(model);
	size_t days;

	if (sums->first_day > sums->last_day) {
		(void)fputs("Nothing yet", out);
		return;
	}
	days = sums->last_day - sums->first_day + 1;
	rtls_page_put_date(out, rtls_page_model_day_s(model, sums->first_day));
	if (days > 1) {
		(void)fputs(" to ", out);
		rtls_page_put_date(
			out, rtls_page_model_day_s(model, sums->last_day));
	}
	(void)fprintf(out, " (%zu day%s, UTC)", days, days == 1 ? "" : "s");
}

static void put_head(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_options *options)
{
	(void)fputs(
		"<!DOCTYPE html>\n"
		"<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		"<meta http-equiv=\"Content-Security-Policy\" "
		"content=\"default-src 'none'; style-src "
		"'unsafe-inline'\"/>\n"
		"<meta name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\"/>\n"
		"<meta name=\"referrer\" content=\"no-referrer\"/>\n<title>",
		out);
	put_title(out, options);
	(void)fputs(", ", out);
	put_period(out, model);
	(void)fputs("</title>\n<style>\n", out);
	(void)fputs(rtls_page_style, out);
	(void)fputs("</style>\n</head>\n<body>\n", out);
	rtls_page_put_symbols(out);
	(void)fputs("<header><h1>", out);
	put_title(out, options);
	(void)fputs("</h1>\n<p class=\"soft\">", out);
	(void)fputs(options->is_received
			    ? "How others say their connections to your mail "
			      "hosts went. "
			    : "How the connections of this server to others "
			      "went, from its journal. ",
		out);
	put_period(out, model);
	(void)fputs("</p></header>\n", out);
}

static void put_figure(FILE *out, const char *name, uint64_t count)
{
	(void)fprintf(out, "<div><dt>%s</dt><dd>", name);
	rtls_page_put_count(out, count);
	(void)fputs("</dd></div>\n", out);
}

static void put_figures(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_options *options)
{
	const struct rtls_page_sums *sums = rtls_page_model_sums(model);

	(void)fputs("<dl class=\"figures\">\n", out);
	put_figure(out, "Sessions", rtls_page_sessions(&sums->count));
	(void)fprintf(out, "<div><dt>Failed</dt><dd%s>",
		sums->count.failures > 0 ? " class=\"alert\"" : "");
	rtls_page_put_count(out, sums->count.failures);
	(void)fputs(" <small>", out);
	rtls_page_put_share(
		out, sums->count.failures, rtls_page_sessions(&sums->count));
	(void)fputs("</small></dd></div>\n<div><dt>Domains</dt><dd>", out);
	rtls_page_put_count(out, rtls_page_model_count(model));
	(void)fputs(" <small>", out);
	rtls_page_put_count(out, sums->failing_domains);
	(void)fputs(" with failures</small></dd></div>\n", out);
	if (options->is_received)
		put_figure(out, "Reports", sums->reports);
	(void)fputs("</dl>\n", out);
}

/* What was passed over; a number that is not nothing is worth a line. */
static void put_note(FILE *out, uint64_t count, const char *words)
{
	if (count == 0)
		return;
	(void)fputs("<p class=\"soft\">", out);
	rtls_page_put_count(out, count);
	(void)fprintf(out, " %s</p>\n", words);
}

static void put_notes(FILE *out, const struct rtls_page_model *model)
{
	const struct rtls_page_sums *sums = rtls_page_model_sums(model);

	put_note(out, sums->duplicates,
		"reports came more than once and count once.");
	put_note(out, sums->outside,
		"reports are of days not shown: in the future, or more than a "
		"year before the last one.");
	put_note(out, sums->undated,
		"reports do not say which day they are of, and do not count.");
	put_note(out, rtls_page_sessions(&sums->other_domains),
		"sessions were with further domains, more than this page "
		"tells apart.");
}

/* --- all domains ------------------------------------------------------------ */

static void put_row(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_domain *domain, size_t number)
{
	uint64_t sessions = rtls_page_sessions(&domain->count);
	bool is_failing = domain->count.failures > 0;
	struct rtls_page_bars bars;

	(void)fputs("<tr><th scope=\"row\">", out);
	if (number < RTLS_PAGE_SHOWN_MAX)
		(void)fprintf(out, "<a href=\"#d%zu\">", number);
	rtls_page_put_name(out, domain);
	if (number < RTLS_PAGE_SHOWN_MAX)
		(void)fputs("</a>", out);
	(void)fputs("</th><td class=\"n\" data-is=\"Sessions\">", out);
	rtls_page_put_count(out, sessions);
	(void)fprintf(out, "</td><td class=\"n%s\" data-is=\"Failed\">",
		is_failing ? " alert" : "");
	rtls_page_put_count(out, domain->count.failures);
	(void)fprintf(out, "</td><td class=\"n%s\" data-is=\"Share\">",
		is_failing ? " alert" : "");
	rtls_page_put_share(out, domain->count.failures, sessions);
	(void)fputs(domain->types != NULL ? "</td><td data-is=\"Mostly\">"
					  : "</td><td>",
		out);
	if (domain->types != NULL)
		rtls_page_put_meaning(out, domain->types->name);
	(void)fputs("</td><td class=\"wide\">", out);
	rtls_page_bars_fill(&bars, model, domain->days, domain->day_count);
	rtls_page_put_spark(out, &bars);
	(void)fputs("</td></tr>\n", out);
}

static void put_rest(FILE *out, const struct rtls_page_model *model)
{
	struct rtls_page_count rest = { 0, 0 };
	size_t count = rtls_page_model_count(model);

	for (size_t i = RTLS_PAGE_ROWS_MAX; i < count; i++) {
		const struct rtls_page_domain *domain =
			rtls_page_model_domain(model, i);

		rtls_page_count_add(&rest.successes, domain->count.successes);
		rtls_page_count_add(&rest.failures, domain->count.failures);
	}
	(void)fputs("<p class=\"soft\">And ", out);
	rtls_page_put_count(out, count - RTLS_PAGE_ROWS_MAX);
	(void)fputs(" more domains: ", out);
	rtls_page_put_result(out, &rest);
	(void)fputs(".</p>\n", out);
}

static void put_overview(FILE *out, const struct rtls_page_model *model)
{
	const struct rtls_page_sums *sums = rtls_page_model_sums(model);
	size_t count = rtls_page_model_count(model);
	struct rtls_page_bars bars;

	(void)fputs("<section id=\"all\"><h2>All domains</h2>\n", out);
	rtls_page_bars_fill(&bars, model, sums->days, sums->last_day + 1);
	rtls_page_put_chart(out, &bars, rtls_slice("all domains"));
	(void)fputs("<table><thead><tr><th scope=\"col\">Domain</th>"
		    "<th class=\"n\" scope=\"col\">Sessions</th>"
		    "<th class=\"n\" scope=\"col\">Failed</th>"
		    "<th class=\"n\" scope=\"col\">Share</th>"
		    "<th scope=\"col\">Mostly</th>"
		    "<th scope=\"col\">Day by day</th></tr></thead><tbody>\n",
		out);
	for (size_t i = 0; i < count && i < RTLS_PAGE_ROWS_MAX; i++)
		put_row(out, model, rtls_page_model_domain(model, i), i);
	(void)fputs("</tbody></table>\n", out);
	if (count > RTLS_PAGE_ROWS_MAX)
		put_rest(out, model);
	(void)fputs("</section>\n", out);
}

static void put_domains(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_options *options)
{
	size_t count = rtls_page_model_count(model);

	for (size_t i = 0; i < count && i < RTLS_PAGE_SHOWN_MAX; i++)
		rtls_page_put_domain(out, model,
			rtls_page_model_domain(model, i), i, options);
	if (count > RTLS_PAGE_SHOWN_MAX)
		(void)fprintf(out,
			"<p class=\"soft clear\">In full only the %d domains "
			"with most failures are shown.</p>\n",
			RTLS_PAGE_SHOWN_MAX);
}

enum rtls_status rtls_page_write_model(FILE *out,
	const struct rtls_page_model *model,
	const struct rtls_page_options *options)
{
	const struct rtls_page_sums *sums = rtls_page_model_sums(model);

	put_head(out, model, options);
	(void)fputs("<main>\n", out);
	if (sums->first_day <= sums->last_day) {
		put_figures(out, model, options);
		put_overview(out, model);
		put_domains(out, model, options);
		if (options->is_received) {
			(void)fputs("<section id=\"reporters\">"
				    "<h2>Who reported</h2>\n",
				out);
			rtls_page_put_reporters(out, sums->reporters);
			(void)fputs("</section>\n", out);
		}
	}
	if (sums->first_day > sums->last_day)
		(void)fputs("<section><p>There are no sessions to show."
			    "</p></section>\n",
			out);
	put_notes(out, model);
	(void)fputs("</main>\n<footer>Made by exim-requiretls on ", out);
	rtls_page_put_date(out, options->now_s);
	(void)fputs(
		". A session is one connection; days are those of UTC. What "
		"is too small to be seen is drawn larger than it is."
		"</footer>\n</body>\n</html>\n",
		out);
	return fflush(out) == 0 && ferror(out) == 0 ? RTLS_OK : RTLS_TEMPORARY;
}

/* The newest day of all reports that is no day of the future. */
static int64_t last_day(const json_t *reports, int64_t now_s)
{
	int64_t newest_s = 0, day_s;

	for (size_t i = 0; i < json_array_size(reports); i++)
		if (rtls_page_model_day(json_array_get(reports, i), &day_s) ==
				RTLS_OK &&
			day_s > newest_s && day_s <= now_s + RTLS_DAY_S)
			newest_s = day_s;
	return newest_s > 0 ? newest_s : now_s;
}

enum rtls_status rtls_page_write(FILE *out, const json_t *reports,
	const struct rtls_page_options *options)
{
	int64_t last_s = last_day(reports, options->now_s);
	struct rtls_page_model *model = rtls_page_model_begin(
		last_s - (RTLS_PAGE_DAYS_MAX - 1) * RTLS_DAY_S, last_s);
	enum rtls_status status = RTLS_OK;

	if (model == NULL)
		return RTLS_NO_MEMORY;
	for (size_t i = 0; i < json_array_size(reports) && status == RTLS_OK;
		i++)
		status = rtls_page_model_add(
			model, json_array_get(reports, i), NULL);
	if (status == RTLS_OK)
		status = rtls_page_model_finish(model);
	if (status == RTLS_OK)
		status = rtls_page_write_model(out, model, options);
	rtls_page_model_free(model);
	return status;
}
