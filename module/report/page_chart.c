/* page_chart.c - bars in SVG: what went well at the bottom, failures on top, hatched and marked.
 * Across, all is in percent, so that a chart fits any width while its text keeps its size. */
#include <inttypes.h>
#include <string.h>

#include "page_parts.h"
#include "policy/timestamp.h"

#define DAILY_MAX    100 /* days; of more a bar is a week */
#define WEEK_DAYS    7
#define SLOTS_MIN    7 /* one day is no bar as wide as the page */
#define LABELS_MAX   8
#define TOP_PX       22.0
#define PLOT_PX      140.0
#define BASE_PX      (TOP_PX + PLOT_PX)
#define HEIGHT_PX    190
#define FAILED_LEAST 5.0 /* px; of millions one failure is seen */
#define GOOD_LEAST   2.0
#define GAP_PX       1.5
#define SPARK_PX     100

uint64_t rtls_page_sessions(const struct rtls_page_count *count)
{
	uint64_t sum = count->successes;

	return count->failures > UINT64_MAX - sum ? UINT64_MAX
						  : sum + count->failures;
}

void rtls_page_put_result(FILE *out, const struct rtls_page_count *count)
{
	rtls_page_put_count(out, count->successes);
	(void)fputs(" successful, ", out);
	rtls_page_put_count(out, count->failures);
	(void)fputs(" failed", out);
	if (count->failures == 0)
		return;
	(void)fputs(" (", out);
	rtls_page_put_share(out, count->failures, rtls_page_sessions(count));
	(void)fputc(')', out);
}

void rtls_page_bars_fill(struct rtls_page_bars *bars,
	const struct rtls_page_model *model, const struct rtls_page_day *days,
	size_t day_count)
{
	const struct rtls_page_sums *sums = rtls_page_model_sums(model);
	size_t first = sums->first_day, total;

	memset(bars, 0, sizeof(*bars));
	bars->days_per_bar = 1;
	if (sums->first_day > sums->last_day)
		return;
	total = sums->last_day - first + 1;
	if (total > DAILY_MAX)
		bars->days_per_bar = WEEK_DAYS;
	bars->count = (total + bars->days_per_bar - 1) / bars->days_per_bar;
	/* The last week is a whole one. */
	bars->first_day_s =
		rtls_page_model_day_s(model, sums->last_day + 1) -
		(int64_t)(bars->count * bars->days_per_bar) * RTLS_DAY_S;
	for (size_t i = 0; i < day_count; i++) {
		struct rtls_page_count *bar;
		uint64_t sessions;

		if (days[i].day < first || days[i].day > sums->last_day)
			continue;
		bar = &bars->bar[bars->count - 1 -
				 (sums->last_day - days[i].day) /
					 bars->days_per_bar];
		rtls_page_count_add(&bar->successes, days[i].count.successes);
		rtls_page_count_add(&bar->failures, days[i].count.failures);
		sessions = rtls_page_sessions(bar);
		if (sessions > bars->largest)
			bars->largest = sessions;
	}
}

void rtls_page_put_symbols(FILE *out)
{
	(void)fputs(
		"<svg class=\"symbols\" width=\"0\" height=\"0\" "
		"aria-hidden=\"true\"><defs>"
		"<pattern id=\"hatch\" width=\"6\" height=\"6\" "
		"patternUnits=\"userSpaceOnUse\" "
		"patternTransform=\"rotate(45)\">"
		"<rect class=\"ground\" width=\"6\" height=\"6\"/>"
		"<rect class=\"stripe\" width=\"2\" height=\"6\"/></pattern>"
		"<symbol id=\"mark\" overflow=\"visible\">"
		"<path d=\"M-4 -7H4L0 0Z\"/></symbol></defs></svg>\n",
		out);
}

/* --- the axes --------------------------------------------------------------- */

/* The top of the axis: 1, 2, 4, 6 or 8 and zeros, so that half of it is a whole number too. */
static double round_up(uint64_t largest)
{
	static const double steps[] = { 1, 2, 4, 6, 8, 10 };
	double unit = 1;

	while (unit * 10 <= (double)largest)
		unit *= 10;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i] * unit >= (double)largest)
			return steps[i] * unit;
	return 10 * unit;
}

/* "250", "1.5k", "20M"; value is a round number. */
static void put_round(FILE *out, double value)
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P", "E",
		"Z" };
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1000;
		unit++;
	}
	(void)fprintf(out, "%g%s", value, units[unit]);
}

static void put_grid(FILE *out, double top)
{
	for (int i = 0; i <= 2; i++) {
		double value = top * i / 2;
		double y = BASE_PX - PLOT_PX * i / 2;

		if (i == 1 && top < 2)
			continue; /* there is no half of a session */
		(void)fprintf(out,
			"<line class=\"%s\" x1=\"0\" x2=\"100%%\" y1=\"%g\" "
			"y2=\"%g\"/><text class=\"y\" x=\"-8\" y=\"%g\">",
			i == 0 ? "base" : "grid", y, y, y + 4);
		put_round(out, value);
		(void)fputs("</text>", out);
	}
}

static size_t label_step(const struct rtls_page_bars *bars)
{
	static const size_t steps[] = { 1, 2, 5, 7, 14, 28 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (bars->count <= steps[i] * LABELS_MAX)
			return steps[i];
	return bars->count;
}

/* --- the bars --------------------------------------------------------------- */

/* Where a bar is, in percent of the width. */
struct place {
	double left, middle, width;
};

static struct place place_of(const struct rtls_page_bars *bars, size_t i)
{
	size_t slots = bars->count < SLOTS_MIN ? SLOTS_MIN : bars->count;
	double slot = 100.0 / (double)slots;
	double begin = slot * ((double)(slots - bars->count) / 2 + (double)i);

	return (struct place){ begin + slot * 0.12, begin + slot / 2,
		slot * 0.76 };
}

/* Least: what a count that is not nothing is drawn as. */
static double height_of(uint64_t count, double top, double full, double least)
{
	double height = full * (double)count / top;

	if (count == 0)
		return 0;
	return height < least ? least : height;
}

static void put_bar_title(
	FILE *out, const struct rtls_page_bars *bars, size_t i)
{
	int64_t day_s = bars->first_day_s +
			(int64_t)(i * bars->days_per_bar) * RTLS_DAY_S;

	(void)fputs("<title>", out);
	rtls_page_put_date(out, day_s);
	if (bars->days_per_bar > 1) {
		(void)fputs(" to ", out);
		rtls_page_put_date(
			out, day_s + (bars->days_per_bar - 1) * RTLS_DAY_S);
	}
	(void)fputs(": ", out);
	if (rtls_page_sessions(&bars->bar[i]) == 0)
		(void)fputs("no sessions", out);
	else
		rtls_page_put_result(out, &bars->bar[i]);
	(void)fputs("</title>", out);
}

static void put_rect(FILE *out, const char *class, const struct place *place,
	double y, double height)
{
	(void)fprintf(out,
		"<rect class=\"%s\" x=\"%.3f%%\" y=\"%.2f\" width=\"%.3f%%\" "
		"height=\"%.2f\"/>",
		class, place->left, y, place->width, height);
}

static void put_bar(
	FILE *out, const struct rtls_page_bars *bars, size_t i, double top)
{
	const struct rtls_page_count *bar = &bars->bar[i];
	struct place place = place_of(bars, i);
	double good = height_of(bar->successes, top, PLOT_PX, GOOD_LEAST);
	double failed = height_of(bar->failures, top, PLOT_PX, FAILED_LEAST);
	double y = BASE_PX - good;

	(void)fputs("<g class=\"bar\">", out);
	put_bar_title(out, bars, i);
	put_rect(out, "room", &place, 0, BASE_PX);
	if (good > 0)
		put_rect(out, "good", &place, y, good);
	if (failed > 0) {
		y -= failed + (good > 0 ? GAP_PX : 0);
		put_rect(out, "failed", &place, y, failed);
		(void)fprintf(out,
			"<use class=\"mark\" href=\"#mark\" x=\"%.3f%%\" "
			"y=\"%.2f\"/>",
			place.middle, y - 3);
	}
	(void)fputs("</g>", out);
}

static void put_labels(FILE *out, const struct rtls_page_bars *bars)
{
	size_t step = label_step(bars), number = 0;

	/* Counted from the last day, which is what one looks for. */
	for (size_t i = bars->count; i-- > 0;) {
		if ((bars->count - 1 - i) % step != 0)
			continue;
		(void)fprintf(out, "<text class=\"x%s\" x=\"%.3f%%\" y=\"%g\">",
			number++ % 2 == 1 ? " second" : "",
			place_of(bars, i).middle, BASE_PX + 19);
		rtls_page_put_short_date(out,
			bars->first_day_s +
				(int64_t)(i * bars->days_per_bar) * RTLS_DAY_S);
		(void)fputs("</text>", out);
	}
}

static void put_legend(FILE *out, const struct rtls_page_bars *bars)
{
	(void)fprintf(out,
		"<figcaption><span>sessions a %s, UTC:</span> "
		"<span class=\"key\"><svg width=\"12\" height=\"12\" "
		"aria-hidden=\"true\"><rect class=\"good\" width=\"12\" "
		"height=\"12\"/></svg> successful</span> "
		"<span class=\"key\"><svg width=\"12\" height=\"12\" "
		"aria-hidden=\"true\"><rect class=\"failed\" width=\"12\" "
		"height=\"12\"/></svg> failed</span> "
		"<span class=\"key\"><svg width=\"12\" height=\"12\" "
		"aria-hidden=\"true\"><use class=\"mark\" href=\"#mark\" "
		"x=\"6\" y=\"10\"/></svg> a %s with failures</span>"
		"</figcaption>",
		bars->days_per_bar > 1 ? "week" : "day",
		bars->days_per_bar > 1 ? "week" : "day");
}

void rtls_page_put_chart(
	FILE *out, const struct rtls_page_bars *bars, struct rtls_slice about)
{
	double top = round_up(bars->largest);

	(void)fprintf(out,
		"<figure class=\"chart%s\"><svg class=\"frame\" role=\"img\" "
		"height=\"%d\"><title>Sessions by day: ",
		bars->count > 40 ? " many" : "", HEIGHT_PX);
	rtls_page_put(out, about, RTLS_PAGE_TEXT_MAX);
	(void)fputs("</title>", out);
	put_grid(out, top);
	for (size_t i = 0; i < bars->count; i++)
		put_bar(out, bars, i, top);
	put_labels(out, bars);
	(void)fputs("</svg>", out);
	put_legend(out, bars);
	(void)fputs("</figure>\n", out);
}

/* --- in a cell of a table --------------------------------------------------- */

static void put_spark_path(FILE *out, const struct rtls_page_bars *bars,
	bool is_failed, double top)
{
	bool is_begun = false;

	for (size_t i = 0; i < bars->count; i++) {
		double good = height_of(
			bars->bar[i].successes, top, SPARK_PX * 0.8, 3);
		double failed = height_of(
			bars->bar[i].failures, top, SPARK_PX * 0.8, 16);
		double height = is_failed ? failed : good;

		if (height <= 0)
			continue;
		(void)fprintf(out, "%sM%zu %.0fv-%.0fh.8v%.0fz",
			is_begun    ? ""
			: is_failed ? "<path class=\"failed\" d=\""
				    : "<path class=\"good\" d=\"",
			i, is_failed ? SPARK_PX - good : (double)SPARK_PX,
			height, height);
		is_begun = true;
	}
	if (is_begun)
		(void)fputs("\"/>", out);
}

void rtls_page_put_spark(FILE *out, const struct rtls_page_bars *bars)
{
	size_t width = bars->count < SLOTS_MIN ? SLOTS_MIN : bars->count;
	double top = bars->largest > 0 ? (double)bars->largest : 1;

	(void)fprintf(out,
		"<svg class=\"spark\" aria-hidden=\"true\" viewBox=\"0 0 %zu "
		"%d\" preserveAspectRatio=\"none\">",
		width, SPARK_PX);
	put_spark_path(out, bars, false, top);
	put_spark_path(out, bars, true, top);
	(void)fputs("</svg>", out);
}
