/* fuzz_report_mail.c - the message of a report, whatever the configuration and the record say:
 * the lines of the input are contact, from, the address it goes to, organization. There is no
 * header field but those we write. */
#include <string.h>

#include "fuzz.h"
#include "report/aggregate.h"
#include "report/report_mail.h"

static const char *const fields[] = { "From", "To", "Date", "Message-ID",
	"Subject", "TLS-Report-Domain", "TLS-Report-Submitter", "TLS-Required",
	"Auto-Submitted", "MIME-Version", "Content-Type" };

static bool is_ours(struct rtls_slice name)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (rtls_slice_is(name, fields[i]))
			return true;
	return false;
}

/* One address, nothing else. */
static void check_address(struct rtls_slice value)
{
	unsigned signs = 0;

	for (size_t i = 0; i < value.size; i++) {
		PROPERTY(value.data[i] > ' ' && value.data[i] <= '~');
		PROPERTY(strchr(",;:<>()[]\"\\", value.data[i]) == NULL);
		signs += value.data[i] == '@';
	}
	PROPERTY(signs == 1);
}

/* RFC 5322: one of each field, folded lines begin with a blank. */
static void check_headers(struct rtls_slice text)
{
	struct rtls_slice line, name;
	size_t count = 0;

	while (rtls_slice_line(&text, &line) && line.size > 0) {
		PROPERTY(line.size <= 998);
		if (line.data[0] == ' ' || line.data[0] == '\t')
			continue;
		name = rtls_slice_take(&line, ':');
		PROPERTY(is_ours(name));
		PROPERTY(line.size > 1 && line.data[0] == ' ');
		if (rtls_slice_is(name, "From") || rtls_slice_is(name, "To"))
			check_address(
				rtls_slice_n(line.data + 1, line.size - 1));
		count++;
	}
	PROPERTY(count == sizeof(fields) / sizeof(fields[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtls_slice rest = fuzz_input(data, size);
	struct rtls_config config;
	struct rtls_report report = { .domain = rtls_slice("bank.example"),
		.begin_s = 1795219200,
		.end_s = 1795305599 };
	char to[512];
	struct rtls_report_mail mail = { .config = &config,
		.report = &report,
		.to = to,
		.gzip = rtls_slice("no gzip") };
	struct rtls_err err = { "" };
	char *text = NULL;

	rtls_config_defaults(&config);
	if (!rtls_slice_copy(rtls_slice_take(&rest, '\n'), config.contact,
		    sizeof(config.contact)) ||
		!rtls_slice_copy(rtls_slice_take(&rest, '\n'), config.from,
			sizeof(config.from)) ||
		!rtls_slice_copy(
			rtls_slice_take(&rest, '\n'), to, sizeof(to)) ||
		!rtls_slice_copy(
			rest, config.organization, sizeof(config.organization)))
		return 0;
	if (rtls_report_mail_format(&mail, &text, &size, &err) != RTLS_OK) {
		PROPERTY(err.text[0] != '\0' && text == NULL);
		return 0;
	}
	PROPERTY(strlen(text) == size);
	check_headers(rtls_slice_n(text, size));
	free(text);
	return 0;
}
