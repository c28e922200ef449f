/* fuzz_tlsrpt_report.c - somebody else's report, JSON or gzip of it: its summary is complete, and
 * when there is none, err says why in printable words. */
#include <string.h>

#include "fuzz.h"
#include "policy/domain.h"
#include "policy/text.h"
#include "policy/timestamp.h"
#include "tool/summary.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	PROPERTY(text != NULL);
	return text;
}

static void check_time(const json_t *summary, const char *key, int64_t *time_s)
{
	PROPERTY(rtls_timestamp_parse(
			 rtls_slice(text_of(summary, key)), time_s) == RTLS_OK);
}

static void check_policy(const json_t *policy)
{
	const char *type = text_of(policy, "type");
	const char *domain = text_of(policy, "domain");
	char normal[RTLS_DOMAIN_SIZE];

	PROPERTY(strcmp(type, "sts") == 0 || strcmp(type, "tlsa") == 0 ||
		 strcmp(type, "no-policy-found") == 0);
	if (*domain != '\0')
		PROPERTY(rtls_domain_normalize(rtls_slice(domain), normal) ==
				 RTLS_OK &&
			 strcmp(domain, normal) == 0);
	else
		PROPERTY(strcmp(type, "no-policy-found") == 0);
	PROPERTY(json_integer_value(json_object_get(policy, "success")) >= 0);
	PROPERTY(json_integer_value(json_object_get(policy, "failure")) >= 0);
}

static void check_summary(const json_t *summary)
{
	const json_t *policies = json_object_get(summary, "policies");
	int64_t start_s, end_s;

	(void)text_of(summary, "organization-name");
	(void)text_of(summary, "report-id");
	check_time(summary, "start", &start_s);
	check_time(summary, "end", &end_s);
	PROPERTY(start_s <= end_s);
	PROPERTY(json_is_array(policies));
	for (size_t i = 0; i < json_array_size(policies); i++)
		check_policy(json_array_get(policies, i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_err err = { "" };
	json_t *summary = NULL;
	enum rtls_status status =
		rtls_summary_read(fuzz_input(data, size), &summary, &err);

	PROPERTY((status == RTLS_OK) == (summary != NULL));
	if (status == RTLS_OK) {
		check_summary(summary);
		json_decref(summary);
		return 0;
	}
	PROPERTY(status == RTLS_INVALID && err.text[0] != '\0');
	for (const char *at = err.text; *at != '\0'; at++)
		PROPERTY(*at >= ' ' && *at <= '~');
	return 0;
}
