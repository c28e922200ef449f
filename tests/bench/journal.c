/* journal.c - journals for `make bench`: made, summed up, appended to.
 *
 *   journal-bench make SPOOL DATE LINES DOMAINS    a day as a busy sender would have it
 *   journal-bench sum SPOOL DATE                   its reports: ms of CPU, KiB of memory, sessions
 *   journal-bench append SPOOL WRITERS LINES       so many each: wall-clock µs a line, lines found
 *   journal-bench write FILE WRITERS LINES         the same bytes by bare write(): wall-clock µs a line
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "policy/timestamp.h"
#include "report/report.h"
#include "store/journal.h"

#define LINE_SIZE RTLS_JOURNAL_LINE_MAX

static uint64_t number_of(const char *text)
{
	unsigned long long number = 0;

	if (!rtls_slice_number(rtls_slice(text), UINT64_MAX, &number))
		exit(64);
	return number;
}

static double seconds(clockid_t clock)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* --- a day ----------------------------------------------------------------- */

static uint64_t random_state = 1;

static uint64_t draw(uint64_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) +
		       UINT64_C(1442695040888963407);
	return (random_state >> 33) % below;
}

static const char *const failures[][2] = {
	{ "certificate-expired", "expired 2026-11-01" },
	{ "certificate-host-mismatch", "names: other.example" },
	{ "certificate-not-trusted", "self-signed certificate" },
	{ "starttls-not-supported", "-" },
	{ "validation-failure", "sts-mx-mismatch" },
};

/* A few domains get most of the mail; a tenth has DANE, three tenths MTA-STS; each one has up to
 * three hosts of two addresses each. One domain in twenty always fails, most of them in one way; of the rest
 * one session in a thousand does. */
static void print_line(FILE *file, int64_t time_s, uint64_t domains)
{
	const uint64_t rank = draw(domains), domain = draw(rank + 1);
	const unsigned kind = (unsigned)(domain * 7 % 10);
	const unsigned host = (unsigned)(draw(domain % 3 + 1) + 1);
	const unsigned address = (unsigned)draw(2);
	const char *type = kind == 0   ? "tlsa"
			   : kind <= 3 ? "sts"
				       : "no-policy-found";
	const char *result = "success", *reason = "-";
	char digest[RTLS_DIGEST_SIZE] = "-";

	if (kind <= 3)
		(void)snprintf(digest, sizeof(digest), "%064" PRIx64,
			domain * UINT64_C(0x9e3779b97f4a7c15) + host);
	if (domain % 20 == 0 || draw(1000) == 0) {
		const size_t failure = draw(10) == 0 ? draw(5) : domain % 5;

		result = failures[failure][0];
		reason = failures[failure][1];
	}
	(void)fprintf(file,
		"1\t%" PRId64 "\tcustomer%" PRIu64 ".example\t%s\t%s\t%s\t"
		"203.0.113.%u\tmx%u.customer%" PRIu64
		".example\tmx%u.customer%" PRIu64 ".example\t2001:db8:%" PRIx64
		"::%x\t%s\n",
		time_s, domain, type, digest, result, (unsigned)draw(2) + 1,
		host, domain, host, domain, domain % 0xffff + 1,
		host * 2 + address, reason);
}

static int make(char **argv)
{
	const uint64_t lines = number_of(argv[2]);
	const uint64_t domains = number_of(argv[3]);
	char path[4096];
	int64_t day_s;
	FILE *file;

	if (rtls_date_parse(rtls_slice(argv[1]), &day_s) != RTLS_OK)
		return 64;
	(void)snprintf(path, sizeof(path), "%s/tlsrpt", argv[0]);
	(void)mkdir(path, 0750);
	(void)snprintf(path, sizeof(path), "%s/tlsrpt/%s", argv[0], argv[1]);
	file = fopen(path, "we");
	if (file == NULL)
		return 74;
	for (uint64_t i = 0; i < lines; i++)
		print_line(file, day_s + (int64_t)(i * 86400 / lines), domains);
	return fclose(file) == 0 ? 0 : 74;
}

/* --- summed up ------------------------------------------------------------- */

static int sum(char **argv)
{
	const double begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
	struct rtls_reports *reports;
	struct rtls_config config;
	struct rtls_err err = { "" };
	struct rusage usage;

	rtls_config_defaults(&config);
	(void)snprintf(config.spool, sizeof(config.spool), "%s", argv[0]);
	if (rtls_reports_load(&config, argv[1], &reports, &err) != RTLS_OK) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 65;
	}
	(void)getrusage(RUSAGE_SELF, &usage);
	(void)printf("%.1f %ld %" PRIu64 "\n",
		(seconds(CLOCK_PROCESS_CPUTIME_ID) - begin) * 1e3,
		usage.ru_maxrss, rtls_reports_lines(reports));
	rtls_reports_free(reports);
	return 0;
}

/* --- many writers ---------------------------------------------------------- */

static struct rtls_session_result result_of(uint64_t writer, char domain[64])
{
	struct rtls_session_result result = { .time_s = 1795262400,
		.type = RTLS_POLICY_NONE_FOUND,
		.mx_host = rtls_slice("mx.customer.example"),
		.mx_helo = rtls_slice("mx.customer.example"),
		.sending_ip = rtls_slice("203.0.113.1"),
		.receiving_ip = rtls_slice("2001:db8::1") };

	(void)snprintf(domain, 64, "customer%" PRIu64 ".example", writer);
	result.policy_domain = rtls_slice(domain);
	return result;
}

static int append_lines(const char *spool, uint64_t writer, uint64_t lines)
{
	char domain[64];
	const struct rtls_session_result result = result_of(writer, domain);

	while (lines-- > 0)
		if (rtls_journal_append(spool, &result, NULL) != RTLS_OK)
			return 1;
	return 0;
}

/* The reference: the same bytes, the same open(), write() and close(), and nothing else. */
static int write_lines(const char *path, uint64_t writer, uint64_t lines)
{
	char domain[64], buffer[LINE_SIZE];
	const struct rtls_session_result result = result_of(writer, domain);
	struct rtls_text text;

	while (lines-- > 0) {
		int fd = open(
			path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

		rtls_text_init(&text, buffer, sizeof(buffer));
		if (rtls_journal_line_format(&result, &text) != RTLS_OK ||
			write(fd, text.data, text.size) != (ssize_t)text.size)
			return 1;
		(void)close(fd);
	}
	return 0;
}

static bool count(const struct rtls_session_result *result, void *context)
{
	*(uint64_t *)context += result->count;
	return true;
}

static int many(char **argv,
	int (*work)(const char *path, uint64_t writer, uint64_t lines))
{
	const uint64_t writers = number_of(argv[1]), lines = number_of(argv[2]);
	const double begin = seconds(CLOCK_MONOTONIC);
	double spent;
	int failed = 0, state;

	for (uint64_t i = 0; i < writers; i++)
		if (fork() == 0)
			_exit(work(argv[0], i, lines));
	for (uint64_t i = 0; i < writers; i++)
		failed |= wait(&state) < 0 || state != 0;
	spent = seconds(CLOCK_MONOTONIC) - begin;
	(void)printf("%.2f", spent * 1e6 / (double)(writers * lines));
	return failed;
}

static int append(char **argv)
{
	uint64_t found = 0;
	size_t skipped = 0;
	int failed = many(argv, append_lines);

	if (rtls_journal_each(argv[0], "2026-11-21", count, &found, &skipped,
		    NULL) != RTLS_OK)
		return 1;
	(void)printf(" %" PRIu64 " %zu\n", found, skipped);
	return failed;
}

static int write_bare(char **argv)
{
	const int failed = many(argv, write_lines);

	(void)putchar('\n');
	return failed;
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "make") == 0)
		return make(argv + 2);
	if (argc == 4 && strcmp(argv[1], "sum") == 0)
		return sum(argv + 2);
	if (argc == 5 && strcmp(argv[1], "append") == 0)
		return append(argv + 2);
	if (argc == 5 && strcmp(argv[1], "write") == 0)
		return write_bare(argv + 2);
	return 64;
}
