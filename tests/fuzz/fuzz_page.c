/* fuzz_page.c - any JSON as reports on a page: what comes out is a page of ours, well-formed, and
 * nothing that went in is markup; sums are those of the domains. And any bytes as a text. */
#include <jansson.h>

#include "check_page.h"
#include "fuzz.h"
#include "report/page.h"
#include "report/page_text.h"

#define NOW_S INT64_C(1795219200) /* 2026-11-21 */

/* What was written to a stream in memory. */
struct written {
	FILE *file;
	char *text;
	size_t size;
};

static void begin(struct written *written)
{
	written->file = open_memstream(&written->text, &written->size);
	PROPERTY(written->file != NULL);
}

static struct rtls_slice end(struct written *written)
{
	PROPERTY(fclose(written->file) == 0);
	return rtls_slice_n(written->text, written->size);
}

static void check_text(struct rtls_slice input)
{
	struct check_page page = { .wrong = NULL };
	struct written written;
	struct rtls_slice text;

	begin(&written);
	rtls_page_put(written.file, input, 64);
	text = end(&written);
	check_page_text(&page, text);
	PROPERTY(page.wrong == NULL);
	for (size_t i = 0; i < text.size; i++)
		PROPERTY(strchr("<>\"'\n", text.data[i]) == NULL);
	/* Of 64 characters none takes more than a reference or an escape does. */
	PROPERTY(text.size <= 64 * 10 + 3);
	free(written.text);
}

static void check_written(const json_t *reports, bool is_received)
{
	const struct rtls_page_options options = { .is_received = is_received,
		.now_s = NOW_S };
	struct written written;
	struct rtls_slice text;
	const char *wrong;

	begin(&written);
	PROPERTY(rtls_page_write(written.file, reports, &options) == RTLS_OK);
	text = end(&written);
	wrong = check_page(text);
	if (wrong != NULL)
		fprintf(stderr, "%s\n", wrong);
	PROPERTY(wrong == NULL);
	free(written.text);
}

static void check_sums(const json_t *reports)
{
	struct rtls_page_model *model =
		rtls_page_model_begin(NOW_S - 9 * 86400, NOW_S);
	struct rtls_page_count of_domains = { 0, 0 }, of_days = { 0, 0 };
	const struct rtls_page_sums *sums;

	PROPERTY(model != NULL);
	sums = rtls_page_model_sums(model);
	for (size_t i = 0; i < json_array_size(reports); i++)
		PROPERTY(rtls_page_model_add(model, json_array_get(reports, i),
				 NULL) == RTLS_OK);
	PROPERTY(rtls_page_model_finish(model) == RTLS_OK);
	PROPERTY(sums->reports + sums->duplicates + sums->undated +
			 sums->outside ==
		 json_array_size(reports));
	for (size_t i = 0; i < rtls_page_model_count(model); i++) {
		const struct rtls_page_domain *domain =
			rtls_page_model_domain(model, i);

		rtls_page_count_add(
			&of_domains.successes, domain->count.successes);
		rtls_page_count_add(
			&of_domains.failures, domain->count.failures);
		for (size_t k = 1; k < domain->day_count; k++)
			PROPERTY(domain->days[k - 1].day < domain->days[k].day);
	}
	for (size_t i = 0; i < 10; i++) {
		rtls_page_count_add(
			&of_days.successes, sums->days[i].count.successes);
		rtls_page_count_add(
			&of_days.failures, sums->days[i].count.failures);
	}
	PROPERTY(fuzz_same(&of_domains, &sums->count, sizeof(of_domains)));
	PROPERTY(fuzz_same(&of_days, &sums->count, sizeof(of_days)));
	rtls_page_model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *reports =
		json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);

	check_text(fuzz_input(data, size));
	if (json_is_object(reports)) {
		json_t *array = json_array();

		PROPERTY(json_array_append_new(array, reports) == 0);
		reports = array;
	}
	if (reports != NULL) {
		check_written(reports, size % 2 == 0);
		check_sums(reports);
	}
	json_decref(reports);
	return 0;
}
