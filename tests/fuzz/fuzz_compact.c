/* fuzz_compact.c - a day's journal, read line by line, read as reports are made, and compacted: three times the same
 * reports. What is compact has valid lines only, but for an end that nobody has finished, and
 * stays as it is. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "report/aggregate.h"
#include "store/journal.h"

#define DATE      "2026-11-21"
#define DAY_S     INT64_C(1795219200)
#define TEXT_SIZE 65536

static struct rtls_config config;
static char journal[512];

static void remove_spool(void)
{
	char directory[512];

	(void)unlink(journal);
	(void)snprintf(directory, sizeof(directory), "%s/tlsrpt", config.spool);
	(void)rmdir(directory);
	(void)rmdir(config.spool);
}

static void make_spool(void)
{
	char directory[512];

	if (journal[0] != '\0')
		return;
	rtls_config_defaults(&config);
	strcpy(config.contact, "tlsrpt@bank.example");
	strcpy(config.organization, "Bank");
	/* In memory where there is such a place. */
	(void)snprintf(config.spool, sizeof(config.spool),
		"%s/rtls-fuzz.XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	PROPERTY(mkdtemp(config.spool) != NULL);
	(void)snprintf(directory, sizeof(directory), "%s/tlsrpt", config.spool);
	PROPERTY(mkdir(directory, 0700) == 0);
	(void)snprintf(
		journal, sizeof(journal), "%s/tlsrpt/%s", config.spool, DATE);
	PROPERTY(atexit(remove_spool) == 0);
}

static void write_journal(struct rtls_slice text)
{
	int fd = open(journal, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	PROPERTY(fd >= 0);
	PROPERTY(write(fd, text.data, text.size) == (ssize_t)text.size);
	(void)close(fd);
}

static struct rtls_slice read_journal(char buffer[TEXT_SIZE])
{
	int fd = open(journal, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, buffer, TEXT_SIZE);

	PROPERTY(n >= 0 && n < TEXT_SIZE);
	(void)close(fd);
	return rtls_slice_n(buffer, (size_t)n);
}

static void print(FILE *out, struct rtls_slice text)
{
	(void)fputc('\t', out);
	(void)fwrite(text.data, 1, text.size, out);
}

static void print_detail(FILE *out, const struct rtls_detail *detail)
{
	(void)fprintf(out, "%d %" PRIu64, (int)detail->result, detail->count);
	print(out, detail->sending_ip);
	print(out, detail->mx_host);
	print(out, detail->mx_helo);
	print(out, detail->receiving_ip);
	print(out, detail->reason);
	(void)fputc('\n', out);
}

/* All that a report is made of. */
static void print_report(FILE *out, const struct rtls_report *report)
{
	(void)fprintf(out, "%s %" PRIu64 " %" PRIu64 "\n", report->domain.data,
		report->successes, report->failures);
	for (size_t i = 0; i < report->policy_count; i++) {
		const struct rtls_report_policy *policy = report->policy[i];

		(void)fprintf(out, "%d %" PRIu64 " %" PRIu64, (int)policy->type,
			policy->successes, policy->failures);
		print(out, policy->digest);
		print(out, policy->domain);
		(void)fputc('\n', out);
		for (size_t n = 0; n < policy->detail_count; n++)
			print_detail(out, policy->detail[n]);
	}
}

/* All reports as one text, which the caller frees; reports are gone. */
static char *text_of(struct rtls_reports *reports)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	PROPERTY(out != NULL);
	for (size_t i = 0; i < rtls_reports_count(reports); i++)
		print_report(out, rtls_reports_get(reports, i));
	rtls_reports_free(reports);
	PROPERTY(fclose(out) == 0);
	return text;
}

static char *loaded(void)
{
	struct rtls_reports *reports = NULL;
	const enum rtls_status status =
		rtls_reports_load(&config, DATE, &reports, NULL);

	PROPERTY(status == RTLS_OK || status == RTLS_NONE);
	return status == RTLS_OK ? text_of(reports) : calloc(1, 1);
}

static char *line_by_line(struct rtls_slice text)
{
	struct rtls_reports *reports = rtls_aggregate_begin(DAY_S);
	struct rtls_session_result result;

	PROPERTY(reports != NULL);
	while (text.size > 0 && memchr(text.data, '\n', text.size) != NULL)
		if (rtls_journal_line_parse(
			    rtls_slice_take(&text, '\n'), &result) == RTLS_OK)
			PROPERTY(rtls_aggregate_add(reports, &result) ==
				 RTLS_OK);
	PROPERTY(rtls_aggregate_finish(reports) == RTLS_OK);
	return text_of(reports);
}

/* The valid lines; the rest is what stood behind the last LF. */
static size_t count_lines(struct rtls_slice text)
{
	struct rtls_session_result result;
	size_t lines = 0;

	for (; memchr(text.data, '\n', text.size) != NULL; lines++)
		PROPERTY(rtls_journal_line_parse(rtls_slice_take(&text, '\n'),
				 &result) == RTLS_OK);
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char first[TEXT_SIZE], second[TEXT_SIZE];
	const struct rtls_slice text = fuzz_input(data, size);
	struct rtls_compaction done = { 0 };
	char *before, *after, *wanted;
	struct rtls_slice made;

	make_spool();
	write_journal(text);
	wanted = line_by_line(text);
	before = loaded();
	PROPERTY(rtls_journal_compact(config.spool, DATE, &done, NULL) ==
		 RTLS_OK);
	after = loaded();
	PROPERTY(strcmp(before, wanted) == 0 && strcmp(after, wanted) == 0);
	made = read_journal(first);
	PROPERTY(
		count_lines(made) == done.lines && done.lines <= done.sessions);
	PROPERTY(rtls_journal_compact(config.spool, DATE, &done, NULL) ==
		 RTLS_OK);
	PROPERTY(rtls_slice_equal(read_journal(second), made));
	free(wanted);
	free(before);
	free(after);
	return 0;
}
