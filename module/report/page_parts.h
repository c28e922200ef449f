/* page_parts.h - the parts of a page; for page*.c only. */
#ifndef RTLS_PAGE_PARTS_H
#define RTLS_PAGE_PARTS_H

#include "report/page.h"
#include "report/page_text.h"

/* The style sheet, for a <style> element. */
extern const char rtls_page_style[];

/* What the charts refer to: a pattern and a mark. Once per page. */
void rtls_page_put_symbols(FILE *out);

/* The days a chart shows, one bar each; of a long time a bar is a week. */
struct rtls_page_bars {
	int64_t first_day_s;
	unsigned days_per_bar;
	size_t count;
	struct rtls_page_count bar[RTLS_PAGE_DAYS_MAX];
	uint64_t largest; /* sessions of a bar */
};

/* days, day_count: in order, those without a report may be missing. */
void rtls_page_bars_fill(struct rtls_page_bars *bars,
	const struct rtls_page_model *model, const struct rtls_page_day *days,
	size_t day_count);

/* A figure with its legend. about: what it shows, foreign. */
void rtls_page_put_chart(
	FILE *out, const struct rtls_page_bars *bars, struct rtls_slice about);

/* The same picture without words, for a cell of a table. */
void rtls_page_put_spark(FILE *out, const struct rtls_page_bars *bars);

/* "1,203 successful, 4 failed (0.33%)" */
void rtls_page_put_result(FILE *out, const struct rtls_page_count *count);

uint64_t rtls_page_sessions(const struct rtls_page_count *count);

/* The name of a domain, or words where it has none. */
void rtls_page_put_name(FILE *out, const struct rtls_page_domain *domain);

/* One domain in full; number makes its anchor, "d" and the number. */
void rtls_page_put_domain(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_domain *domain, size_t number,
	const struct rtls_page_options *options);

/* The failures of a domain, by type, with advice. */
void rtls_page_put_failures(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_domain *domain,
	const struct rtls_page_options *options);

/* Who reported, as a table. */
void rtls_page_put_reporters(
	FILE *out, const struct rtls_page_reporter *reporters);

/* What a result type means, with a capital letter; the type itself where it is unknown. */
void rtls_page_put_meaning(FILE *out, struct rtls_slice type);

#endif
