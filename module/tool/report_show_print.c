/* report_show_print.c - the journals as text and as JSON. Nothing here is a stranger's but domain
 * names, which are normalized, and in JSON what the journal holds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/result.h"
#include "policy/timestamp.h"
#include "report/page_text.h"
#include "tool/report_show.h"
#include "tool/verb.h"

#define LINES_MAX 20 /* domains of a day; all of them are in the JSON */

static const struct rtls_page_day *find_day(
	const struct rtls_page_domain *domain, size_t day)
{
	for (size_t i = domain->day_count; i-- > 0;)
		if (domain->days[i].day == day)
			return &domain->days[i];
	return NULL;
}

static const char *date_of(const struct rtls_page_model *model, size_t day,
	char date[RTLS_DATE_SIZE])
{
	return rtls_date_format(date, rtls_page_model_day_s(model, day));
}

/* --- text ------------------------------------------------------------------- */

static void print_count(const struct rtls_page_count *count)
{
	uint64_t sessions = count->successes + count->failures;

	(void)printf("%" PRIu64 " sessions, %" PRIu64 " failed", sessions,
		count->failures);
	if (count->failures > 0)
		(void)printf(" (%.1f%%)",
			100.0 * (double)count->failures / (double)sessions);
}

static void print_domain(
	const struct rtls_page_domain *domain, const struct rtls_page_day *day)
{
	const char *before = ": ";

	(void)printf("  %.*s  ", (int)domain->name.size, domain->name.data);
	print_count(&day->count);
	for (unsigned i = 0; i < RTLS_RESULT_COUNT; i++) {
		if ((day->results & 1U << i) == 0)
			continue;
		(void)printf(
			"%s%s", before, rtls_result_name((enum rtls_result)i));
		before = ", ";
	}
	(void)putchar('\n');
}

static void print_domains(const struct rtls_page_model *model, size_t day)
{
	size_t failing = 0;

	for (size_t i = 0; i < rtls_page_model_count(model); i++) {
		const struct rtls_page_domain *domain =
			rtls_page_model_domain(model, i);
		const struct rtls_page_day *of_day;

		/* Behind those with failures there are only others. */
		if (domain->count.failures == 0)
			break;
		of_day = find_day(domain, day);
		if (of_day == NULL || of_day->count.failures == 0)
			continue;
		if (failing++ < LINES_MAX)
			print_domain(domain, of_day);
	}
	if (failing > LINES_MAX)
		(void)printf("  and %zu more domains with failures\n",
			failing - LINES_MAX);
}

static size_t count_domains(const struct rtls_page_model *model, size_t day)
{
	size_t count = 0;

	for (size_t i = 0; i < rtls_page_model_count(model); i++)
		count +=
			find_day(rtls_page_model_domain(model, i), day) != NULL;
	return count;
}

void rtls_report_show_print(const struct rtls_page_model *model, bool is_kept)
{
	const struct rtls_page_sums *sums = rtls_page_model_sums(model);
	char date[RTLS_DATE_SIZE];

	if (sums->first_day > sums->last_day) {
		(void)puts(is_kept ? "no sessions were judged"
				   : "no sessions were judged: TLS-RPT is off "
				     "(tlsrpt = no)");
		return;
	}
	for (size_t day = sums->last_day + 1; day-- > sums->first_day;) {
		size_t count = count_domains(model, day);

		if (count == 0)
			continue;
		(void)printf("%s  ", date_of(model, day, date));
		print_count(&sums->days[day].count);
		(void)printf("; %zu domain%s\n", count, count == 1 ? "" : "s");
		print_domains(model, day);
	}
}

/* --- JSON ------------------------------------------------------------------- */

/* Takes over value; false and no object when there is no memory. */
static bool append(json_t *array, json_t *value)
{
	return json_array_append_new(array, value) == 0;
}

static json_t *count_json(const struct rtls_page_count *count)
{
	return json_pack("{s:I, s:I}", "successful",
		(json_int_t)count->successes, "failed",
		(json_int_t)count->failures);
}

static json_t *day_json(
	const struct rtls_page_model *model, const struct rtls_page_day *day)
{
	char date[RTLS_DATE_SIZE];
	json_t *json = count_json(&day->count), *results = json_array();
	bool is_good =
		json_object_set_new(json, "date",
			json_string(date_of(model, day->day, date))) == 0;

	for (unsigned i = 0; i < RTLS_RESULT_COUNT; i++)
		if ((day->results & 1U << i) != 0)
			is_good = append(results,
					  json_string(rtls_result_name(
						  (enum rtls_result)i))) &&
				  is_good;
	if (json_object_set_new(json, "results", results) == 0 && is_good)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *days_json(const struct rtls_page_model *model,
	const struct rtls_page_day *days, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		if (!append(array, day_json(model, &days[i]))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *text_json(struct rtls_slice text)
{
	return text.size > 0 ? rtls_verb_json(text) : json_null();
}

static json_t *failure_json(const struct rtls_page_model *model,
	const struct rtls_page_type *type,
	const struct rtls_page_failure *failure)
{
	char first[RTLS_DATE_SIZE], last[RTLS_DATE_SIZE];

	return json_pack("{s:o, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o}",
		"result-type", text_json(type->name), "failed",
		(json_int_t)failure->count, "first",
		date_of(model, failure->first_day, first), "last",
		date_of(model, failure->last_day, last),
		"receiving-mx-hostname", text_json(failure->mx_host),
		"receiving-mx-helo", text_json(failure->helo), "receiving-ip",
		text_json(failure->receiving_ip), "sending-mta-ip",
		text_json(failure->sending_ip), "failure-reason-code",
		text_json(failure->reason));
}

static json_t *failures_json(const struct rtls_page_model *model,
	const struct rtls_page_domain *domain)
{
	json_t *array = json_array();

	for (const struct rtls_page_type *type = domain->types; type != NULL;
		type = type->next)
		for (const struct rtls_page_failure *failure = type->failures;
			failure != NULL; failure = failure->next)
			if (!append(array,
				    failure_json(model, type, failure))) {
				json_decref(array);
				return NULL;
			}
	return array;
}

static json_t *domain_json(const struct rtls_page_model *model,
	const struct rtls_page_domain *domain)
{
	return json_pack("{s:o, s:I, s:I, s:o, s:o}", "domain",
		text_json(domain->name), "successful",
		(json_int_t)domain->count.successes, "failed",
		(json_int_t)domain->count.failures, "days",
		days_json(model, domain->days, domain->day_count), "failures",
		failures_json(model, domain));
}

/* Without its last brace, so that more can follow. False: no memory. */
static bool print_sums(const struct rtls_page_model *model)
{
	const struct rtls_page_sums *sums = rtls_page_model_sums(model);
	size_t count = sums->first_day > sums->last_day
			       ? 0
			       : sums->last_day - sums->first_day + 1;
	json_t *json = count_json(&sums->count);
	bool is_good =
		json_object_set_new(json, "days",
			days_json(model,
				sums->days + (count == 0 ? 0 : sums->first_day),
				count)) == 0;
	char *text = is_good ? json_dumps(json, 0) : NULL;

	json_decref(json);
	if (text == NULL)
		return false;
	(void)printf("%.*s", (int)(strlen(text) - 1), text);
	free(text);
	return true;
}

/* One after the other: all of them at once would take a gigabyte where there are many. */
bool rtls_report_show_json(const struct rtls_page_model *model)
{
	if (!print_sums(model))
		return false;
	(void)fputs(", \"domains\": [", stdout);
	for (size_t i = 0; i < rtls_page_model_count(model); i++) {
		json_t *json =
			domain_json(model, rtls_page_model_domain(model, i));
		bool is_good;

		if (i > 0)
			(void)fputs(", ", stdout);
		is_good = json != NULL && json_dumpf(json, stdout, 0) == 0;
		json_decref(json);
		if (!is_good)
			return false;
	}
	(void)puts("]}");
	return true;
}
