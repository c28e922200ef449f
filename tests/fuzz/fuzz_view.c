/* fuzz_view.c - a cache record of fuzz.example as JSON, and as the words of `cache refresh`: both can
 * be printed, whatever stands in the record. */
#include <string.h>

#include "fuzz.h"
#include "policy/text.h"
#include "tool/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtls_record record;
	const int64_t now_s = 1795301925;
	char buffer[512];
	struct rtls_text words;
	json_t *json;
	char *text;

	if (rtls_record_parse(fuzz_input(data, size), "fuzz.example", &record,
		    NULL) != RTLS_OK)
		return 0;
	json = rtls_view_json(&record, now_s);
	PROPERTY(json != NULL);
	text = json_dumps(json, 0);
	PROPERTY(text != NULL);
	for (const char *at = text; *at != '\0'; at++)
		PROPERTY((unsigned char)*at >= ' ');
	free(text);
	json_decref(json);
	rtls_text_init(&words, buffer, sizeof(buffer));
	rtls_view_summary(&record, now_s, &words);
	PROPERTY(!words.overflow && words.size > 0);
	for (size_t i = 0; i < words.size; i++)
		PROPERTY(buffer[i] >= ' ' && buffer[i] <= '~');
	return 0;
}
