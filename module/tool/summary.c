/* summary.c - see summary.h. */
#include "tool/summary.h"

#include "report/received.h"

/* One element of policies. NULL: no memory. */
static json_t *sum_policy(const json_t *element)
{
	const json_t *policy = json_object_get(element, "policy");
	const json_t *sums = json_object_get(element, "summary");

	return json_pack("{s:O, s:O, s:O, s:O}", "domain",
		json_object_get(policy, "policy-domain"), "type",
		json_object_get(policy, "policy-type"), "success",
		json_object_get(sums, "total-successful-session-count"),
		"failure",
		json_object_get(sums, "total-failure-session-count"));
}

/* NULL: no memory. */
static json_t *sum_report(const json_t *report)
{
	const json_t *range = json_object_get(report, "date-range");
	json_t *sums = json_array();
	const json_t *element;
	size_t i;

	json_array_foreach(json_object_get(report, "policies"), i, element)
	{
		if (json_array_append_new(sums, sum_policy(element)) != 0) {
			json_decref(sums);
			return NULL;
		}
	}
	return json_pack("{s:O, s:O, s:O, s:O, s:o}", "organization-name",
		json_object_get(report, "organization-name"), "report-id",
		json_object_get(report, "report-id"), "start",
		json_object_get(range, "start-datetime"), "end",
		json_object_get(range, "end-datetime"), "policies", sums);
}

/* What a number or a name depends on must be as the RFC wants it. */
static enum rtls_status check_notes(
	const struct rtls_notes *notes, struct rtls_err *err)
{
	for (size_t i = 0; i < notes->count; i++) {
		const struct rtls_note *note = &notes->note[i];

		if (note->weight != RTLS_NOTE_WRONG)
			continue;
		(void)rtls_note_format(note, err->text, sizeof(err->text));
		return RTLS_INVALID;
	}
	return RTLS_OK;
}

enum rtls_status rtls_summary_read(
	struct rtls_slice input, json_t **summary, struct rtls_err *err)
{
	struct rtls_received received;
	enum rtls_status status = rtls_received_parse(input, &received, err);

	*summary = NULL;
	if (status == RTLS_NONE)
		return RTLS_INVALID;
	if (status != RTLS_OK)
		return status;
	status = check_notes(&received.notes, err);
	if (status == RTLS_OK) {
		*summary = sum_report(received.report);
		if (*summary == NULL)
			status = RTLS_NO_MEMORY;
	}
	rtls_received_free(&received);
	return status;
}
