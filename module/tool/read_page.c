/* read_page.c - what others reported, as a page. */
#include <string.h>
#include <time.h>

#include "report/page.h"
#include "tool/report_read.h"

/* The report with what it says of this domain only; NULL: no memory. */
static json_t *about_domain(json_t *report, const char *domain)
{
	json_t *copy = json_copy(report), *policies = json_array();
	json_t *element;
	size_t i;
	int failed = json_object_set(copy, "policies", policies);

	json_array_foreach(json_object_get(report, "policies"), i, element)
	{
		const char *name = json_string_value(json_object_get(
			json_object_get(element, "policy"), "policy-domain"));

		if (name != NULL && strcmp(name, domain) == 0)
			failed |= json_array_append(policies, element);
	}
	json_decref(policies);
	if (failed == 0)
		return copy;
	json_decref(copy);
	return NULL;
}

enum rtls_status rtls_read_print_page(const json_t *entries, const char *domain)
{
	const struct rtls_page_options options = { .is_received = true,
		.now_s = (int64_t)time(NULL) };
	json_t *reports = json_array(), *entry;
	enum rtls_status status = RTLS_NO_MEMORY;
	int failed = 0;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		json_t *report = json_object_get(entry, "report");

		failed |= *domain == '\0'
				  ? json_array_append(reports, report)
				  : json_array_append_new(reports,
					    about_domain(report, domain));
	}
	if (reports != NULL && failed == 0)
		status = rtls_page_write(stdout, reports, &options);
	json_decref(reports);
	return status;
}
