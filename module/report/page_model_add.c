/* page_model_add.c - one report into the model. */
#include "page_model_nodes.h"
#include "page_read.h"
#include "policy/result.h"
#include "policy/timestamp.h"

static enum rtls_status add_detail(struct rtls_page_adding *adding,
	const json_t *detail, unsigned *results)
{
	uint64_t count =
		rtls_page_read_count(detail, "failed-session-count", 1);
	struct rtls_slice name = rtls_page_read_text(detail, "result-type");
	enum rtls_result result = RTLS_RESULT_VALIDATION_FAILURE;
	struct rtls_page_failure *failure;
	struct rtls_page_type *type;

	if (!json_is_object(detail))
		return RTLS_OK;
	if (name.size == 0 || rtls_result_parse(name, &result) != RTLS_OK)
		result = RTLS_RESULT_VALIDATION_FAILURE;
	*results |= 1U << result;
	type = rtls_page_find_type(adding,
		name.size > 0 ? name : rtls_slice(rtls_result_name(result)));
	failure = type == NULL ? NULL
			       : rtls_page_find_failure(adding, type, detail);
	if (failure == NULL)
		return RTLS_NO_MEMORY;
	rtls_page_count_add(&type->count, count);
	rtls_page_count_add(&failure->count, count);
	if (adding->day < failure->first_day)
		failure->first_day = adding->day;
	if (adding->day > failure->last_day)
		failure->last_day = adding->day;
	return RTLS_OK;
}

static enum rtls_status add_policy(
	struct rtls_page_adding *adding, const json_t *policy)
{
	struct rtls_page_policy *node = rtls_page_find_policy(adding, policy);

	if (node == NULL)
		return RTLS_NO_MEMORY;
	rtls_page_counts_add(&node->count, &adding->count);
	if (adding->day > node->last_day)
		node->last_day = adding->day;
	return RTLS_OK;
}

/* domain: NULL for the list of the whole page. */
static enum rtls_status add_reporter(
	struct rtls_page_adding *adding, struct rtls_page_domain *domain)
{
	struct rtls_page_reporter *node =
		rtls_page_find_reporter(adding, domain);

	if (node == NULL)
		return RTLS_NO_MEMORY;
	/* A report may have several policies of one domain. */
	if (node->last_report != adding->model->sums.reports) {
		node->last_report = adding->model->sums.reports;
		node->reports++;
	}
	rtls_page_counts_add(&node->count, &adding->count);
	return RTLS_OK;
}

/* What a domain shows in full. */
static enum rtls_status add_to_domain(
	struct rtls_page_adding *adding, const json_t *element)
{
	struct rtls_page_domain *domain = adding->domain;
	const json_t *details = json_object_get(element, "failure-details");
	struct rtls_page_day *day = rtls_page_find_day(adding);
	enum rtls_status status;
	unsigned results = 0;

	if (day == NULL)
		return RTLS_NO_MEMORY;
	rtls_page_counts_add(&domain->count, &adding->count);
	rtls_page_counts_add(&day->count, &adding->count);
	status = add_policy(adding, json_object_get(element, "policy"));
	if (status == RTLS_OK)
		status = add_reporter(adding, domain);
	for (size_t i = 0; i < json_array_size(details) && status == RTLS_OK;
		i++)
		status = add_detail(
			adding, json_array_get(details, i), &results);
	day->results |= results;
	adding->model->day[adding->day].results |= results;
	return status;
}

/* Where the summary does not say how many failed, the details do. */
static struct rtls_page_count count_of(const json_t *element)
{
	const json_t *summary = json_object_get(element, "summary");
	const json_t *details = json_object_get(element, "failure-details");
	struct rtls_page_count count = { 0, 0 };

	for (size_t i = 0; i < json_array_size(details); i++)
		rtls_page_count_add(&count.failures,
			rtls_page_read_count(json_array_get(details, i),
				"failed-session-count", 1));
	count.successes = rtls_page_read_count(
		summary, "total-successful-session-count", 0);
	count.failures = rtls_page_read_count(
		summary, "total-failure-session-count", count.failures);
	return count;
}

static enum rtls_status add_element(struct rtls_page_adding *adding,
	const json_t *element, const char *domain)
{
	struct rtls_page_sums *sums = &adding->model->sums;
	struct rtls_page_count count = count_of(element);
	enum rtls_status status;

	adding->count = count;
	status = rtls_page_find_domain(adding,
		domain != NULL ? rtls_slice(domain)
			       : rtls_page_read_text(
					 json_object_get(element, "policy"),
					 "policy-domain"));
	if (status != RTLS_OK)
		return status;
	rtls_page_counts_add(&sums->count, &count);
	rtls_page_counts_add(&adding->model->day[adding->day].count, &count);
	status = add_reporter(adding, NULL);
	if (status != RTLS_OK)
		return status;
	if (adding->domain != NULL)
		return add_to_domain(adding, element);
	rtls_page_counts_add(&sums->other_domains, &count);
	return RTLS_OK;
}

/* The same report comes twice where a domain names two addresses. */
static enum rtls_status note_report(struct rtls_page_adding *adding,
	const json_t *report, const char *domain, bool *is_new)
{
	static const struct rtls_page_place place = { 'r', NULL, 4, 1 };
	const json_t *first =
		json_array_get(json_object_get(report, "policies"), 0);
	struct rtls_slice piece[RTLS_PAGE_PIECES_MAX] = { adding->organization,
		rtls_page_read_text(report, "report-id"),
		rtls_slice_n((const char *)&adding->day, sizeof(adding->day)),
		rtls_page_read_text(
			json_object_get(first, "policy"), "policy-domain") };

	/* Without an id they cannot be told apart; our own are never twins. */
	*is_new = true;
	if (piece[1].size == 0 || domain != NULL)
		return RTLS_OK;
	return rtls_page_model_node(
		       adding->model, &place, piece, true, is_new) != NULL
		       ? RTLS_OK
		       : RTLS_NO_MEMORY;
}

/* RTLS_NONE: passed over. */
static enum rtls_status find_day(
	struct rtls_page_model *model, const json_t *report, size_t *day)
{
	int64_t day_s, at;

	if (rtls_page_model_day(report, &day_s) != RTLS_OK) {
		model->sums.undated++;
		return RTLS_NONE;
	}
	at = (day_s - model->begin_s) / RTLS_DAY_S;
	if (day_s < model->begin_s || at >= (int64_t)model->day_count) {
		model->sums.outside++;
		return RTLS_NONE;
	}
	*day = (size_t)at;
	return RTLS_OK;
}

enum rtls_status rtls_page_model_add(
	struct rtls_page_model *model, const json_t *report, const char *domain)
{
	const json_t *policies = json_object_get(report, "policies");
	struct rtls_page_adding adding = { .model = model,
		.organization =
			rtls_page_read_text(report, "organization-name") };
	enum rtls_status status = find_day(model, report, &adding.day);
	bool is_new = true;

	if (adding.organization.size == 0)
		adding.organization =
			rtls_page_read_text(report, "contact-info");
	if (status != RTLS_OK)
		return status == RTLS_NONE ? RTLS_OK : status;
	status = note_report(&adding, report, domain, &is_new);
	if (status != RTLS_OK)
		return status;
	if (!is_new) {
		model->sums.duplicates++;
		return RTLS_OK;
	}
	model->sums.reports++;
	if (model->sums.first_day > model->sums.last_day ||
		adding.day < model->sums.first_day)
		model->sums.first_day = adding.day;
	if (adding.day > model->sums.last_day)
		model->sums.last_day = adding.day;
	for (size_t i = 0; i < json_array_size(policies) && status == RTLS_OK;
		i++)
		status = add_element(
			&adding, json_array_get(policies, i), domain);
	return status;
}
