/* exposition.c - see exposition.h. */
#include "tool/exposition.h"

#include <inttypes.h>
#include <stdbool.h>

#define PREFIX "exim_requiretls_"

static void put_escaped(FILE *out, const char *text, bool is_label)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			(void)fputs("\\n", out);
		else if (*text == '\\' || (is_label && *text == '"'))
			(void)fprintf(out, "\\%c", *text);
		else
			(void)fputc(
				*text < ' ' || *text > '~' ? '?' : *text, out);
	}
}

void rtls_exposition_family(struct rtls_exposition *exposition,
	enum rtls_metric_type type, const char *name, const char *help)
{
	exposition->name = name;
	(void)fprintf(exposition->out, "# HELP " PREFIX "%s ", name);
	put_escaped(exposition->out, help, false);
	(void)fprintf(exposition->out, "\n# TYPE " PREFIX "%s %s\n", name,
		type == RTLS_COUNTER ? "counter" : "gauge");
}

void rtls_exposition_sample(struct rtls_exposition *exposition,
	const struct rtls_label *labels, size_t count, uint64_t value)
{
	FILE *out = exposition->out;

	(void)fprintf(out, PREFIX "%s", exposition->name);
	for (size_t i = 0; i < count; i++) {
		(void)fprintf(
			out, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
		put_escaped(out, labels[i].value, true);
		(void)fputc('"', out);
	}
	(void)fprintf(out, "%s %" PRIu64 "\n", count == 0 ? "" : "}", value);
}

void rtls_exposition_gauge(struct rtls_exposition *exposition, const char *name,
	const char *help, uint64_t value)
{
	rtls_exposition_family(exposition, RTLS_GAUGE, name, help);
	rtls_exposition_sample(exposition, NULL, 0, value);
}
