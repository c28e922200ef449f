/* metrics.c - `exim-requiretls metrics`: numbers for Prometheus. Who reads the spool is the Exim user, who
 * may not write where others look for the file; so with --output a child prints into a pipe,
 * and who was started, root perhaps, puts what came into the file. */
#include "tool/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/config_file.h"
#include "store/file.h"
#include "tool/confine.h"
#include "tool/options.h"
#include "tool/verb.h"

/* Many times of what there is to say; the child is not to be trusted with the disk. */
#define OUTPUT_MAX (256 * 1024)

void rtls_metrics_print_time(struct rtls_exposition *exposition,
	const char *name, const char *help, int64_t time_s)
{
	rtls_exposition_family(exposition, RTLS_GAUGE, name, help);
	if (time_s != 0)
		rtls_exposition_sample(
			exposition, NULL, 0, time_s < 0 ? 0 : (uint64_t)time_s);
}

void rtls_metrics_fail(struct rtls_metrics *metrics, const struct rtls_err *err)
{
	metrics->errors++;
	(void)rtls_verb_fail(EX_OK, "%s", err->text);
}

static int print_all(struct rtls_metrics *metrics)
{
	rtls_metrics_site(metrics);
	rtls_metrics_counters(metrics);
	rtls_metrics_cache(metrics);
	rtls_metrics_reports(metrics);
	rtls_exposition_gauge(&metrics->exposition, "spool_errors",
		"What of the spool could not be read for these numbers",
		metrics->errors);
	/* The last one: nothing is cut off where it is there. */
	rtls_metrics_print_time(&metrics->exposition,
		"metrics_timestamp_seconds", "When these numbers were made",
		time(NULL));
	return EX_OK;
}

/* As the Exim user. argv: without --output, since the program may start anew with it. */
static int print_confined(char **argv)
{
	static struct rtls_metrics metrics = { .exposition.out = NULL };
	struct rtls_err err = { "" };
	int exit_status;

	metrics.exposition.out = stdout;
	metrics.now_s = (int64_t)time(NULL);
	metrics.is_config_valid = rtls_config_load(RTLS_CONFIG_PATH,
					  &metrics.config, &err) == RTLS_OK;
	if (!metrics.is_config_valid) {
		/* A number says so; what the defaults say of the spool still holds. */
		(void)rtls_verb_fail(EX_OK, "%s", err.text);
		rtls_config_defaults(&metrics.config);
	}
	exit_status = rtls_confine(&metrics.config, argv, false);
	if (exit_status == EX_OK)
		exit_status = rtls_verb_check_spool(&metrics.config);
	return exit_status == EX_OK ? print_all(&metrics) : exit_status;
}

/* --- into a file -------------------------------------------------------------- */

static void run_child(int output)
{
	static char program[] = "exim-requiretls", verb[] = "metrics";
	char *argv[] = { program, verb, NULL };
	int exit_status;

	if (dup2(output, STDOUT_FILENO) < 0)
		_exit(EX_OSERR);
	exit_status = print_confined(argv);
	if (fflush(stdout) != 0 && exit_status == EX_OK)
		exit_status = EX_IOERR;
	_exit(exit_status);
}

/* Until its end; -1 with errno, or more than there can be. */
static ssize_t read_output(int fd, char *data)
{
	size_t used = 0;

	while (used < OUTPUT_MAX) {
		const ssize_t n = TEMP_FAILURE_RETRY(
			read(fd, data + used, OUTPUT_MAX - used));

		if (n < 0)
			return -1;
		if (n == 0)
			return (ssize_t)used;
		used += (size_t)n;
	}
	errno = EFBIG;
	return -1;
}

static int child_status(pid_t child)
{
	int status;

	if (TEMP_FAILURE_RETRY(waitpid(child, &status, 0)) != child ||
		!WIFEXITED(status))
		return EX_SOFTWARE;
	return WEXITSTATUS(status);
}

/* What the child said, into the file; nothing of it when it failed. */
static int receive(int fd, pid_t child, char *data, const char *path)
{
	const ssize_t size = read_output(fd, data);
	const int error = errno;
	struct rtls_err err = { "" };
	int exit_status;

	(void)close(fd);
	exit_status = child_status(child);
	if (size < 0)
		return rtls_verb_fail(
			EX_OSERR, "reading the numbers: %s", strerror(error));
	if (exit_status != EX_OK)
		return exit_status;
	if (rtls_file_publish(path, rtls_slice_n(data, (size_t)size), &err) !=
		RTLS_OK)
		return rtls_verb_fail(EX_CANTCREAT, "%s", err.text);
	return EX_OK;
}

static int write_file(const char *path)
{
	char *data = malloc(OUTPUT_MAX);
	int fds[2], exit_status;
	pid_t child;

	if (data == NULL || pipe2(fds, O_CLOEXEC) != 0) {
		free(data);
		return rtls_verb_fail(EX_OSERR, "%s", strerror(errno));
	}
	child = fork();
	if (child == 0)
		run_child(fds[1]);
	(void)close(fds[1]);
	if (child < 0) {
		exit_status =
			rtls_verb_fail(EX_OSERR, "fork: %s", strerror(errno));
		(void)close(fds[0]);
	} else {
		exit_status = receive(fds[0], child, data, path);
	}
	free(data);
	return exit_status;
}

static int run_metrics(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	static char program[] = "exim-requiretls";
	char *plain[] = { program, argv[0], NULL };
	const char *path = NULL;
	int exit_status, option;

	while ((option = rtls_options_next("metrics", argc, argv, options)) !=
		-1) {
		if (option == RTLS_OPTION_WRONG)
			return EX_USAGE;
		path = optarg;
	}
	exit_status =
		rtls_options_count("metrics", argc, argv, 0, 0, "no argument");
	if (exit_status != EX_OK)
		return exit_status;
	return path == NULL ? print_confined(plain) : write_file(path);
}

const struct rtls_verb rtls_verb_metrics = {
	.name = "metrics",
	.summary = "print numbers for monitoring (Prometheus)",
	.help = "Usage: exim-requiretls metrics [--output FILE]\n"
		"\n"
		"  --output  write them there at once, readable by everybody, say\n"
		"            /var/lib/prometheus/node-exporter/exim-requiretls.prom\n",
	.run = run_metrics,
	.power = RTLS_POWER_ALL,
};
